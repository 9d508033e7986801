//! `ci-import redirect`: writes the configuration of a web server that sends the requests for GitLab CI on to GitLab, and
//! checks it.

mod apache;
mod certificate;
pub mod check;
pub mod findings;
mod http;
mod names;
mod nginx;
mod resolver;
mod settings;
pub(in crate::commands) mod sites;

use std::fs;

use crate::cli::arguments::{RedirectArgs, WebServer};
use crate::error::{Doing, Error, Result};
use crate::output::OutputFile;
use settings::RedirectSettings;

/// Writes the configuration to the file or to standard output.
pub fn write(arguments: &RedirectArgs) -> Result<()> {
    let settings = RedirectSettings::new(arguments)?;
    let text = match arguments.server {
        WebServer::Nginx => nginx::configuration(&settings),
        WebServer::Apache => apache::configuration(&settings),
    };
    let path = arguments.output.as_deref();
    let refused = |path: &std::path::Path| {
        Error::usage(format!("{} exists already", path.display()))
            .hint("name another file, or replace it with --yes")
    };
    let is_file = |path: &std::path::Path| fs::metadata(path).is_ok_and(|found| found.is_file());
    if let Some(path) = path.filter(|path| !arguments.yes && is_file(path)) {
        return Err(refused(path));
    }
    let output = OutputFile::create(path)?;
    output
        .fill(text.as_bytes())
        .doing("write the configuration")?;
    if arguments.yes {
        output.keep()
    } else {
        output.keep_new()
    }
}
