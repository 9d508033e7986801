//! What is seen of a move at the address of GitLab CI.

use std::path::PathBuf;

use crate::cli::arguments::RedirectCheckArgs;
use crate::commands::redirect::check;
use crate::commands::redirect::sites::{Front, Sites};
use crate::error::Result;

/// How long to wait for an answer, in seconds.
const TIMEOUT: u32 = 10;

/// The addresses of GitLab CI and of the GitLab, as URLs.
#[derive(Debug, Clone)]
pub(super) struct Addresses {
    pub(super) ci: String,
    pub(super) gitlab: String,
    /// The CAs of their certificates, if not those of the operating system.
    pub(super) ca: Option<PathBuf>,
}

/// What is seen there.
#[derive(Debug)]
pub(super) struct SeenAddress {
    /// What the address of GitLab CI answers.
    pub(super) front: Front,
    /// What must be fixed of the redirect; none if it works or is not there.
    pub(super) trouble: Option<String>,
}

impl Addresses {
    /// Asks them.
    pub(super) fn see(&self) -> Result<SeenAddress> {
        let asked = RedirectCheckArgs {
            ci_url: self.ci.clone(),
            gitlab_url: self.gitlab.clone(),
            ca: self.ca.clone(),
            project: 1,
            build: 1,
            timeout: TIMEOUT,
            json: false,
        };
        let sites = Sites::new(&asked)?;
        let front = sites.front();
        let trouble = match front {
            Front::Redirected => check::of_sites(&sites, &asked)?.first_failure(),
            _ => None,
        };
        Ok(SeenAddress { front, trouble })
    }
}
