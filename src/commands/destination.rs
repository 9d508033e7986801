//! The destination of an import: a named database, or the private server.

use crate::cancellation::stop;
use crate::cli::settings::{BuildsPath, Destination};
use crate::error::codes::Code;
use crate::error::{Error, Result};
use crate::server::Target;
use crate::server::postgresql::private_server::PrivateServer;
use crate::traces::{Builds, BuildsDirectory, BuildsPrefix, Owner};
use crate::ui::progress::Progress;
use crate::ui::terminal;

/// A destination that is ready for an import.
pub(crate) struct PreparedTarget {
    pub(crate) target: Target,
    /// Where the traces go, if there are any.
    pub(crate) builds: Option<Builds>,
    private: Option<PrivateRun>,
}

/// The private server during the import. It is stopped at the end if the import has started it.
struct PrivateRun {
    server: PrivateServer,
    started: bool,
}

impl Drop for PrivateRun {
    fn drop(&mut self) {
        let _unhurried = stop::unhurried();
        if self.started
            && let Err(error) = self.server.stop_if_unused()
        {
            terminal::warn(
                Code::PrivateServerRuns,
                &format!("the private server is still running: {error}"),
            );
        }
    }
}

/// The place that `path` names.
fn place(path: &BuildsPath) -> Result<Builds> {
    match path {
        BuildsPath::Directory(path) => BuildsDirectory::at(path).map(Builds::Directory),
        BuildsPath::Prefix { url, timeout } => {
            BuildsPrefix::at(url, &BuildsPath::writing(*timeout)).map(Builds::Prefix)
        }
    }
}

impl PreparedTarget {
    /// Prepares the destination, with a place for the traces if the input `has_traces`.
    pub(crate) fn prepare(
        destination: &Destination,
        has_traces: bool,
        progress: &Progress,
    ) -> Result<PreparedTarget> {
        match destination {
            Destination::Named { target, builds } => {
                if has_traces && builds.is_none() {
                    return Err(Error::usage(
                        "a database is named, but no directory for the build traces",
                    )
                    .hint(
                        "add --builds-path; GitLab's own is /home/git/gitlab/builds or \
                         /var/opt/gitlab/gitlab-ci/builds",
                    ));
                }
                let builds = builds.as_ref().filter(|_| has_traces);
                Ok(PreparedTarget {
                    target: (**target).clone(),
                    builds: builds.map(place).transpose()?,
                    private: None,
                })
            }
            Destination::Private { directory, builds } => {
                let server = PrivateServer::at(directory)?;
                progress.step("starting the private PostgreSQL");
                let started = server.start()?;
                let run = PrivateRun { server, started };
                let beside = BuildsPath::Directory(run.server.builds());
                let builds = has_traces.then(|| builds.as_ref().unwrap_or(&beside));
                Ok(PreparedTarget {
                    target: Target::Postgresql(run.server.target()),
                    builds: builds.map(place).transpose()?,
                    private: Some(run),
                })
            }
        }
    }

    /// Like [`PreparedTarget::prepare`], for a destination with an earlier import. A private server is not
    /// created.
    pub(crate) fn existing(
        destination: &Destination,
        has_traces: bool,
        progress: &Progress,
    ) -> Result<PreparedTarget> {
        if let Destination::Private { directory, .. } = destination
            && !PrivateServer::at(directory)?.exists()
        {
            let shown = directory.display();
            return Err(
                Error::usage(format!("there is no private PostgreSQL in {shown}"))
                    .hint("name the database: --database-url, or the environment"),
            );
        }
        PreparedTarget::prepare(destination, has_traces, progress)
    }

    /// The same, with traces that become `owner`'s, if one is named.
    pub(crate) fn owned_by(mut self, owner: Option<Owner>) -> Result<PreparedTarget> {
        let Some(owner) = owner else {
            return Ok(self);
        };
        let without = match self.builds.take() {
            Some(Builds::Directory(builds)) => {
                self.builds = Some(Builds::Directory(builds.owned_by(owner)?));
                return Ok(self);
            }
            Some(Builds::Prefix(_)) => "objects in a storage have no owner",
            None => "the input has no build traces",
        };
        let refused = Error::usage(format!("--builds-owner: {without}"));
        Err(refused.hint("leave the option out"))
    }

    /// The builds directory, if the traces go to one.
    pub(crate) fn directory(&self) -> Option<&BuildsDirectory> {
        self.builds.as_ref().and_then(Builds::directory)
    }

    /// The name of the target in messages.
    pub(crate) fn shown(&self) -> String {
        match &self.private {
            None => self.target.to_string(),
            Some(run) => format!(
                "the private PostgreSQL in {}",
                run.server.directory().display()
            ),
        }
    }

    /// How to look at the imported data, if the target is the private server.
    pub(crate) fn how_to_connect(&self) -> Option<String> {
        let server = &self.private.as_ref()?.server;
        let default = PrivateServer::default_directory(|name| std::env::var(name).ok());
        let option = if default.is_ok_and(|default| *server.directory() == default) {
            String::new()
        } else {
            format!(" --private-dir {}", server.directory().display())
        };
        let url = server.url();
        Some(format!(
            "to look at it:      ci-import private psql{option}\n\
             to keep it running: ci-import private start{option}\n\
             then connect to     {url}"
        ))
    }
}
