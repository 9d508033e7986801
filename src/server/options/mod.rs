//! What the ways to name a target have in common, whichever server it is of: parameters and where they
//! came from, URLs, database.yml, certificates.

pub(crate) mod database_yml;
mod origins;
mod parameters;
mod tls;
mod url;

use std::path::Path;

use crate::error::Error;

pub(crate) use database_yml::{Entry, Kind, read as read_database_yml};
pub(crate) use origins::Origins;
pub(crate) use parameters::{Known, Origin, Parameters, Use};
pub(crate) use tls::{
    Certificates, TlsWords, client_configuration, read_certificates, system_certificates, why_tls,
};
pub(crate) use url::{Parts, check_host, is_mysql};

/// A reason and, where there is one, a hint.
pub(crate) struct Why {
    pub(crate) reason: String,
    pub(crate) hint: Option<String>,
}

impl Why {
    pub(crate) fn new(reason: impl Into<String>, hint: impl Into<String>) -> Why {
        Why {
            reason: reason.into(),
            hint: Some(hint.into()),
        }
    }
}

/// That a file which was named cannot be read.
pub(crate) fn unreadable(file: &Path, cause: &std::io::Error) -> Error {
    Error::usage(format!("cannot read {}: {cause}", file.display()))
}

/// The name of the user that the program runs as, which clients take where none is named.
pub(crate) fn system_user() -> Option<String> {
    let id = rustix::process::geteuid().as_raw().to_string();
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let found = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == id).then(|| name.to_owned())
    });
    found.or_else(|| std::env::var("USER").ok())
}
