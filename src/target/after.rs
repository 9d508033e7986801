//! What an import of an archive does when it has published: the post-deployment migrations that lose
//! nothing, unless they are to be left for later.

use crate::error::Result;
use crate::gitlab::migrations::{after_import, drop_previous};
use crate::halt::Halt;
use crate::load::Target;
use crate::migrate::postgres::versions;
use crate::migrate::{Finding, Migration, Outcome, Patience, Runner, Session};
use crate::progress::Progress;

/// The import is done: it does not wait long for others.
const PATIENCE: Patience = Patience {
    lock_timeout: std::time::Duration::from_secs(1),
    retries: 3,
};

/// Runs them on the tables in `schema`; says of each what came of it, and why it is pending. None are
/// known to a target that has no record of migrations. What fails here does not make the import fail: it
/// is published.
pub(super) fn run_post_deployment(
    target: &Target,
    schema: &str,
    skip: bool,
    progress: &Progress,
    halt: &Halt,
) -> Vec<Finding> {
    let migrations = after_import();
    let mut findings = match run(target, schema, &migrations, skip, progress, halt) {
        Ok(None) => return Vec::new(),
        Ok(Some(findings)) => findings,
        Err(error) => waiting(&migrations, &error.to_string()),
    };
    let needed = "ci-import rollback needs it; ci-import migrate drops it";
    findings.extend(waiting(drop_previous().as_slice(), needed));
    findings
}

fn run(
    target: &Target,
    schema: &str,
    migrations: &[Migration],
    skip: bool,
    progress: &Progress,
    halt: &Halt,
) -> Result<Option<Vec<Finding>>> {
    let mut session = Session::open(target, halt)?.in_schema(schema);
    if !versions::exists(session.client(), schema)? {
        return Ok(None);
    }
    if !session.try_lock()? {
        return Ok(Some(waiting(
            migrations,
            "another run migrates this database",
        )));
    }
    let mut findings = Vec::new();
    // One that fails is no reason to leave the others.
    for migration in migrations {
        let mut runner = Runner {
            session: &mut session,
            migrations: std::slice::from_ref(migration),
            patience: PATIENCE,
            progress,
        };
        match runner.migrate(skip) {
            Ok(found) => findings.extend(found),
            Err(error) => findings.extend(waiting(runner.migrations, &error.to_string())),
        }
    }
    Ok(Some(findings))
}

fn waiting(migrations: &[Migration], reason: &str) -> Vec<Finding> {
    let waits = |migration| Finding::of(migration, Outcome::Waits(reason.to_owned()));
    migrations.iter().map(waits).collect()
}
