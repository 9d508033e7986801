//! What a MySQL or MariaDB says of a database.

use mysql::Conn;
use mysql::prelude::Queryable;

use super::databases::Databases;
use super::error::failure;
use super::options::ConnectionOptions;
use super::publish;
use crate::error::Result;
use crate::gitlab::live::SETTINGS;
use crate::server::about::About;

impl ConnectionOptions {
    /// What the database is.
    pub(crate) fn about(&self) -> Result<About> {
        let mut connection = self.open(&self.database)?;
        let asking = || failure("look at the database");
        let row: Option<(String, String)> = connection
            .query_first("SELECT version(), @@character_set_database")
            .map_err(asking())?;
        let (server, encoding) = row.unwrap_or_default();
        let tables: Vec<String> = connection
            .exec(
                // A view could run somebody else's functions.
                "SELECT table_name FROM information_schema.tables
                 WHERE table_schema = ? AND table_type = 'BASE TABLE'",
                (&self.database,),
            )
            .map_err(asking())?;
        let has = |name: &str| tables.iter().any(|table| table == name);
        let mut about = About {
            server: named(&server),
            encoding,
            ..About::default()
        };
        if has("ci_builds") {
            about.builds = connection
                .query_first("SELECT count(*) FROM ci_builds")
                .map_err(asking())?;
        }
        about.migration = newest_migration(&mut connection, &tables)?;
        let switches: Option<u64> = connection
            .exec_first(
                "SELECT count(*) FROM information_schema.columns
                 WHERE table_schema = ? AND table_name = ? AND column_name = 'ci_enabled'",
                (&self.database, SETTINGS),
            )
            .map_err(asking())?;
        if has(SETTINGS) && switches == Some(1) {
            let sql = format!("SELECT ci_enabled FROM {SETTINGS} ORDER BY id DESC LIMIT 1");
            let row: Option<Option<bool>> = connection.query_first(sql).map_err(asking())?;
            // Without a row, GitLab takes its default.
            about.ci_enabled = Some(row.flatten().unwrap_or(true));
        }
        if let Ok(databases) = Databases::of(&self.database) {
            let found: Option<String> = connection
                .exec_first(
                    "SELECT schema_name FROM information_schema.schemata WHERE schema_name = ?",
                    (&databases.previous,),
                )
                .map_err(asking())?;
            about.has_previous = match found {
                None => false,
                // Whoever only looks may not read it.
                Some(_) => !publish::is_at_rest(&mut connection, &databases),
            };
        }
        Ok(about)
    }
}

/// The newest migration that is recorded, if one of `tables` is for that.
pub(super) fn newest_migration(connection: &mut Conn, tables: &[String]) -> Result<Option<String>> {
    if !tables.iter().any(|table| table == "schema_migrations") {
        return Ok(None);
    }
    let newest: Option<Option<String>> = connection
        .query_first("SELECT max(version) FROM schema_migrations")
        .map_err(failure("look at the database"))?;
    Ok(newest.flatten())
}

/// The name of a server that says this as its version.
pub(super) fn named(version: &str) -> String {
    if version.to_ascii_lowercase().contains("mariadb") {
        version.to_owned()
    } else {
        format!("MySQL {version}")
    }
}
