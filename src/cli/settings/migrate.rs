//! What `migrate` is to do.

use std::path::PathBuf;
use std::time::Duration;

use super::Destination;
use crate::cli::arguments::{MigrateAction, MigrateArgs, MigratingArgs, MigrationsArgs};
use crate::error::{Error, Result};
use crate::migrate::{RetryPolicy, Version};

/// If it is not empty, post-deployment migrations stay pending. GitLab uses the same name.
const SKIP_POST_DEPLOYMENT: &str = "SKIP_POST_DEPLOYMENT_MIGRATIONS";

/// The action of `migrate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Migrating {
    /// Run all pending migrations, with or without the post-deployment ones.
    All {
        /// Whether the post-deployment migrations stay pending.
        skip_post_deployment: bool,
    },
    /// List the migrations.
    Status,
    /// Run one migration.
    Up(Version),
    /// Undo one migration, by default the last one.
    Down(Option<Version>),
}

/// The settings of `migrate`.
#[derive(Clone)]
pub struct MigrateSettings {
    /// The action.
    pub migrating: Migrating,
    /// The target.
    pub destination: Destination,
    /// The folder of migrations, if one is named.
    pub folder: Option<PathBuf>,
    /// The schema to migrate, if one is named.
    pub schema: Option<String>,
    /// Whether the SQL is printed instead of being run.
    pub dry_run: bool,
    /// How long migrations wait for locks.
    pub retry_policy: RetryPolicy,
    /// Whether only errors are printed.
    pub quiet: bool,
    /// Whether the report is in JSON.
    pub json: bool,
}

impl MigrateSettings {
    /// The settings from `arguments` and the environment. `variable` looks up a variable.
    pub fn new(arguments: MigrateArgs, variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let (migrating, which, how) = match arguments.action {
            None => {
                let skip_post_deployment =
                    arguments.skip_post_deployment || variable(SKIP_POST_DEPLOYMENT).is_some();
                let all = Migrating::All {
                    skip_post_deployment,
                };
                (all, arguments.which, arguments.how)
            }
            Some(MigrateAction::Status { which }) => (Migrating::Status, which, arguments.how),
            Some(MigrateAction::Up {
                version,
                which,
                how,
            }) => (Migrating::Up(parse_version(&version)?), which, how),
            Some(MigrateAction::Down {
                version,
                which,
                how,
            }) => {
                let version = version.as_deref().map(parse_version).transpose()?;
                (Migrating::Down(version), which, how)
            }
        };
        let MigrationsArgs {
            migrations,
            schema,
            target,
            telling,
        } = which;
        if target.builds_path.is_some() {
            return Err(Error::usage(
                "--builds-path: migrations do not use the traces",
            ));
        }
        let MigratingArgs {
            dry_run,
            lock_timeout,
            lock_retries,
        } = how;
        Ok(MigrateSettings {
            migrating,
            destination: Destination::named(target, variable)?,
            folder: migrations,
            schema,
            dry_run,
            retry_policy: RetryPolicy {
                lock_timeout: Duration::from_millis(lock_timeout.into()),
                retries: lock_retries,
            },
            quiet: telling.quiet,
            json: telling.json,
        })
    }
}

fn parse_version(text: &str) -> Result<Version> {
    Version::parse(text).ok_or_else(|| {
        Error::usage(format!("{text} is not the version of a migration"))
            .hint("a version is a UTC time, as in 20151001120000")
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::arguments::Cli;

    #[test]
    fn migrations_for_after_the_deployment_are_left_where_that_is_asked_for() {
        let migrating = |line: &str, value: &str| {
            let cli = Cli::try_parse_from(line.split(' ')).expect(line);
            let Some(crate::cli::arguments::Command::Migrate(arguments)) = cli.command else {
                panic!("{line}");
            };
            let variable = |name: &str| match name {
                "HOME" => Some("/home/x".to_owned()),
                SKIP_POST_DEPLOYMENT => Some(value.to_owned()),
                _ => None,
            };
            MigrateSettings::new(arguments, variable).map(|settings| settings.migrating)
        };
        let all = |skip_post_deployment| Migrating::All {
            skip_post_deployment,
        };
        assert_eq!(migrating("ci-import migrate", "").unwrap(), all(false));
        assert_eq!(migrating("ci-import migrate", "1").unwrap(), all(true));
        assert_eq!(migrating("ci-import migrate", "false").unwrap(), all(true));
        let option = "ci-import migrate --skip-post-deployment";
        assert_eq!(migrating(option, "").unwrap(), all(true));
        let version = Version::parse("20151001120000");
        let down = migrating("ci-import migrate down 20151001120000 --json", "1");
        assert_eq!(down.unwrap(), Migrating::Down(version));
        assert!(migrating("ci-import migrate up 2015", "").is_err());
        assert!(migrating("ci-import migrate --builds-path /b", "").is_err());
    }
}
