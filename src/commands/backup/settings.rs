//! What a backup takes, and where it goes.

use std::path::PathBuf;
use std::time::Duration;

use crate::cli::arguments::{BackupArgs, TargetArgs};
use crate::cli::settings::{Destination, policies, refuse_storage};
use crate::error::{Error, Result};
use crate::output::{Limits, url_in};
use crate::resources::Resources;
use crate::schema::policies::Policies;
use crate::server::Target;
use crate::storage::{ObjectUrl, Scheme, Writing};

/// Where the archive goes.
#[derive(Debug, Clone)]
pub enum To {
    /// Into this folder.
    Folder(PathBuf),
    /// Below this prefix of an object storage.
    Prefix(ObjectUrl, Writing),
    /// To standard output.
    Stdout,
}

impl To {
    /// The folder that it is written to first.
    pub(super) fn first_folder(&self) -> PathBuf {
        match self {
            To::Folder(folder) => folder.clone(),
            To::Prefix(..) | To::Stdout => std::env::temp_dir(),
        }
    }

    /// Below `url`, which is a bucket or a prefix even if it has no slash at its end.
    fn prefix(url: &ObjectUrl, timeout: Duration, memory: Option<u64>) -> Result<To> {
        if url.scheme() == Scheme::Web {
            return Err(Error::usage(format!("cannot write to {url}: a web server takes no archives"))
                .hint("-o names a folder, or a prefix in an object storage: s3://BUCKET/PREFIX/, gs://…, az://…"));
        }
        // Each archive has a name of its own.
        let writing = Writing::within(memory, false, timeout);
        Ok(To::Prefix(url.as_prefix(), writing))
    }
}

/// The settings of a backup.
pub struct BackupSettings {
    /// The database.
    pub source: Target,
    /// The builds directory.
    pub builds: PathBuf,
    /// Where the archive goes.
    pub to: To,
    /// The directory of GitLab CI, if it is named.
    pub install: Option<PathBuf>,
    /// The version of GitLab CI, if it is typed.
    pub ci_version: Option<String>,
    /// Whether the dump is converted to PostgreSQL.
    pub mysql_to_postgresql: bool,
    /// Archives older than so many seconds are removed.
    pub keep_time: Option<u64>,
    /// Start even if there seems to be too little space.
    pub no_space_check: bool,
    /// How values and types are converted.
    pub policies: Policies,
    /// The threads and the memory.
    pub limits: Limits,
    /// Print only errors.
    pub quiet: bool,
    /// Print the report as JSON.
    pub json: bool,
}

impl BackupSettings {
    /// From the command line and the environment, in which `variable` looks up a variable.
    pub fn new(
        arguments: BackupArgs,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<BackupSettings> {
        refuse_storage(&arguments.builds_path, "--builds-path")?;
        let named = TargetArgs {
            database_url: arguments.database_url,
            database_yml: arguments.database_yml,
            environment: arguments.environment,
            builds_path: None,
            private_dir: None,
        };
        let Destination::Named { target, .. } = Destination::named(named, variable)? else {
            return Err(Error::usage("no database is named").hint(
                "--database-yml names GitLab CI's: /home/gitlab_ci/gitlab-ci/config/database.yml, of an Omnibus package \
                 /var/opt/gitlab/gitlab-ci/etc/database.yml",
            ));
        };
        if arguments.mysql_to_postgresql && !target.is_mysql() {
            return Err(Error::usage(
                "--mysql-to-postgresql: the database is a PostgreSQL, whose dump needs no conversion",
            )
            .hint("omit the option"));
        }
        let to = match arguments.output {
            Some(path) if path.as_os_str() == "-" => To::Stdout,
            Some(path) => match url_in(&path) {
                Some(url) => To::prefix(&url?, arguments.storage.timeout(), arguments.memory)?,
                None => To::Folder(path),
            },
            None => To::Folder(PathBuf::from(".")),
        };
        let is_pipe = matches!(to, To::Stdout);
        let reserved = match &to {
            To::Prefix(_, writing) => writing.memory_bytes(),
            To::Folder(_) | To::Stdout => 0,
        };
        if is_pipe && arguments.keep_time.is_some() {
            return Err(Error::usage(
                "--keep-time needs a folder of archives, and -o - is a pipe",
            ));
        }
        if is_pipe && arguments.telling.json {
            return Err(Error::usage(
                "--json and the archive cannot both go to standard output",
            ));
        }
        let conversion = policies(arguments.conversion)?;
        conversion.refuse_map()?;
        Ok(BackupSettings {
            source: *target,
            builds: arguments.builds_path,
            to,
            install: arguments.install,
            ci_version: arguments.ci_version,
            mysql_to_postgresql: arguments.mysql_to_postgresql,
            keep_time: arguments.keep_time,
            no_space_check: arguments.no_space_check,
            policies: conversion,
            limits: Limits {
                resources: Resources::beside(reserved, arguments.jobs, arguments.memory)?,
                max_inflation: u32::MAX,
            },
            quiet: arguments.telling.quiet,
            json: arguments.telling.json,
        })
    }
}
