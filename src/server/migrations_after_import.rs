//! The last step of an archive's import, after the publish: the post-deployment migrations that lose no data,
//! unless they are skipped.

use crate::error::Result;
use crate::gitlab::migrations::after_import;
use crate::migrate::{
    Migration, MigrationOutcome, MigrationReport, MigrationSession, RetryPolicy, Runner,
};
use crate::ui::progress::Progress;

/// Short, because the import is already published.
const RETRY_POLICY: RetryPolicy = RetryPolicy {
    lock_timeout: std::time::Duration::from_secs(1),
    retries: 3,
};

/// Runs those of the `built_in` migrations that lose no data. Reports the result of each, and why it is
/// pending. `open` returns a session, or none if the target has no record of migrations. A failure here is
/// reported, but is not an error: the import is published.
pub(crate) fn run_post_deployment<S: MigrationSession>(
    built_in: Vec<Migration<S::BuiltIn>>,
    skip: bool,
    progress: &Progress,
    open: impl FnOnce() -> Result<Option<S>>,
) -> Vec<MigrationReport> {
    let (migrations, never) = after_import(built_in);
    let mut findings = match run(&migrations, skip, progress, open) {
        Ok(None) => return Vec::new(),
        Ok(Some(findings)) => findings,
        Err(error) => waiting(&migrations, &error.to_string()),
    };
    let needed = "ci-import rollback needs it; ci-import migrate drops it";
    findings.extend(waiting(&never, needed));
    findings
}

fn run<S: MigrationSession>(
    migrations: &[Migration<S::BuiltIn>],
    skip: bool,
    progress: &Progress,
    open: impl FnOnce() -> Result<Option<S>>,
) -> Result<Option<Vec<MigrationReport>>> {
    let Some(mut session) = open()? else {
        return Ok(None);
    };
    if !session.try_lock()? {
        return Ok(Some(waiting(
            migrations,
            "another run migrates this database",
        )));
    }
    let mut findings = Vec::new();
    // A failed migration does not stop the others.
    for migration in migrations {
        let mut runner = Runner {
            session: &mut session,
            migrations: std::slice::from_ref(migration),
            retry_policy: RETRY_POLICY,
            progress,
        };
        match runner.migrate(skip) {
            Ok(found) => findings.extend(found),
            Err(error) => findings.extend(waiting(runner.migrations, &error.to_string())),
        }
    }
    Ok(Some(findings))
}

fn waiting<B>(migrations: &[Migration<B>], reason: &str) -> Vec<MigrationReport> {
    let waits =
        |migration| MigrationReport::of(migration, MigrationOutcome::Waits(reason.to_owned()));
    migrations.iter().map(waits).collect()
}
