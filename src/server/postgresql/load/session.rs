//! The sessions that load.

use postgres::Client;

use super::staging::{LockHolder, join};
use crate::error::Result;
use crate::server::postgresql::error::failure;
use crate::server::postgresql::options::ConnectionOptions;

/// The jobs already build the indexes of a table at the same time. Only if there are more jobs than indexes, CPUs
/// would be idle: so four jobs allow one parallel worker.
const JOBS_PER_HELPER: usize = 4;

impl ConnectionOptions {
    /// Connects for loading. Commits need not be on the disk before the publish. If `jobs` sessions build
    /// indexes at the same time, each needs few parallel workers. The session works for the import of
    /// `holder`.
    pub(crate) fn connect_for_loading(&self, jobs: usize, holder: LockHolder) -> Result<Client> {
        let mut client = self.connect_to_read()?;
        join(&mut client, holder)?;
        client
            .batch_execute("SET synchronous_commit = off")
            .map_err(failure("prepare the session"))?;
        let helpers = i32::try_from(jobs / JOBS_PER_HELPER).unwrap_or(0);
        // PostgreSQL 10 does not have this setting.
        client
            .execute(
                "SELECT set_config(name, least(setting::int, $1)::text, false) FROM pg_settings
                 WHERE name = 'max_parallel_maintenance_workers'",
                &[&helpers],
            )
            .map_err(failure("prepare the session"))?;
        Ok(client)
    }
}
