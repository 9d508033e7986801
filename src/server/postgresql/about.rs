//! What a PostgreSQL says of a database.

use postgres::Client;

use super::error::failure;
use super::options::ConnectionOptions;
use super::publish::previous::PREVIOUS_SCHEMA;
use crate::error::Result;
use crate::gitlab::live::SETTINGS;
use crate::schema::sql::identifier;
use crate::server::about::About;

/// Names mean what the server has; this works from 8.3 on.
pub(super) const PIN: &str =
    "SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false)";

impl ConnectionOptions {
    /// What the database is.
    pub(crate) fn about(&self) -> Result<About> {
        let mut client = self.connect_somewhere()?;
        let asking = || failure("look at the database");
        client.batch_execute(PIN).map_err(asking())?;
        let row = client
            .query_one(
                "SELECT pg_catalog.current_setting('server_version'), pg_catalog.current_setting('server_encoding'),
                        EXISTS (SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1)",
                &[&PREVIOUS_SCHEMA],
            )
            .map_err(asking())?;
        let version: String = row.get(0);
        let mut about = About {
            server: format!("PostgreSQL {version}"),
            encoding: row.get(1),
            has_previous: row.get(2),
            ..About::default()
        };
        if let Some(schema) = schema_of(&mut client, "ci_builds")? {
            let sql = format!(
                "SELECT pg_catalog.count(*) FROM {}.ci_builds",
                identifier(&schema)
            );
            let count: i64 = client.query_one(&sql, &[]).map_err(asking())?.get(0);
            about.builds = u64::try_from(count).ok();
        }
        if let Some(schema) = schema_of(&mut client, "schema_migrations")? {
            let of = identifier(&schema);
            let sql = format!("SELECT pg_catalog.max(version::text) FROM {of}.schema_migrations");
            about.migration = client.query_one(&sql, &[]).map_err(asking())?.get(0);
        }
        if let Some(schema) = schema_of(&mut client, SETTINGS)? {
            let of = identifier(&schema);
            let sql = "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a
                         JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
                         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                       WHERE n.nspname::text = $1 AND c.relname::text = $2 AND a.attname = 'ci_enabled')";
            let has_switch: bool = client
                .query_one(sql, &[&schema, &SETTINGS])
                .map_err(asking())?
                .get(0);
            if has_switch {
                let sql =
                    format!("SELECT ci_enabled FROM {of}.{SETTINGS} ORDER BY id DESC LIMIT 1");
                let row = client.query_opt(&sql, &[]).map_err(asking())?;
                // Without a row, GitLab takes its default.
                about.ci_enabled = Some(row.is_none_or(|row| row.get(0)));
            }
        }
        Ok(about)
    }
}

/// The schema of the user's table `name`, if there is one alone.
fn schema_of(client: &mut Client, name: &str) -> Result<Option<String>> {
    let sql = "SELECT n.nspname::text FROM pg_catalog.pg_class c
                 JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
               WHERE c.relname::text = $1 AND c.relkind IN ('r', 'p') AND n.nspname !~ '^(ci_import|pg)_'";
    let rows = client
        .query(sql, &[&name])
        .map_err(failure("look at the database"))?;
    Ok(match rows.as_slice() {
        [one] => Some(one.get(0)),
        _ => None,
    })
}
