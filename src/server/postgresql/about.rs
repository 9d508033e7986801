//! What a PostgreSQL says of a database.

use postgres::Client;

use super::error::failure;
use super::options::ConnectionOptions;
use super::publish::{self, PREVIOUS_SCHEMA};
use crate::error::Result;
use crate::gitlab::live::SETTINGS;
use crate::schema::sql::identifier;
use crate::server::about::About;

/// Where Rails records migrations.
const MIGRATIONS: &str = "schema_migrations";

/// Names mean what the server has, and no policy of others runs; all this works from 8.3 on.
const PINNED: &str = "SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false);
SELECT pg_catalog.set_config(name, 'off', false) FROM pg_catalog.pg_settings WHERE name = 'row_security'";

impl ConnectionOptions {
    /// A session that only looks. The server may be older than those that can be targets.
    pub(super) fn look(&self) -> Result<Client> {
        let mut client = self.connect_somewhere()?;
        let pinned = client.batch_execute(PINNED);
        pinned.map_err(failure("prepare the session"))?;
        Ok(client)
    }

    /// What the database is.
    pub(crate) fn about(&self) -> Result<About> {
        let mut client = self.look()?;
        let asking = || failure("look at the database");
        let row = client
            .query_one(
                "SELECT pg_catalog.current_setting('server_version'), pg_catalog.current_setting('server_encoding'),
                        (SELECT COALESCE(pg_catalog.obj_description(oid, 'pg_namespace'), '')
                         FROM pg_catalog.pg_namespace WHERE nspname = $1)",
                &[&PREVIOUS_SCHEMA],
            )
            .map_err(asking())?;
        let version: String = row.get(0);
        let mut about = About {
            server: format!("PostgreSQL {version}"),
            encoding: row.get(1),
            has_previous: row
                .get::<_, Option<String>>(2)
                .is_some_and(|comment| !publish::is_at_rest(&comment)),
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
        if let Some(schema) = schema_of(&mut client, MIGRATIONS)? {
            about.migration = newest_migration(&mut client, &schema)?;
        }
        if let Some(schema) = schema_of(&mut client, SETTINGS)?
            && has_column(&mut client, (&schema, SETTINGS, "ci_enabled"), &["bool"])?
        {
            let of = identifier(&schema);
            let sql = format!("SELECT ci_enabled FROM {of}.{SETTINGS} ORDER BY id DESC LIMIT 1");
            let row = client.query_opt(&sql, &[]).map_err(asking())?;
            let enabled = row.and_then(|row| row.get::<_, Option<bool>>(0));
            // Without a row, GitLab takes its default.
            about.ci_enabled = Some(enabled.unwrap_or(true));
        }
        Ok(about)
    }
}

/// The newest migration that `schema` records, if it has a table for them with texts: of another type, somebody else's code
/// would make the text.
pub(super) fn newest_migration(client: &mut Client, schema: &str) -> Result<Option<String>> {
    if !has_column(
        client,
        (schema, MIGRATIONS, "version"),
        &["varchar", "text"],
    )? {
        return Ok(None);
    }
    let of = identifier(schema);
    let sql = format!("SELECT pg_catalog.max(version::text) FROM {of}.{MIGRATIONS}");
    let row = client.query_one(&sql, &[]);
    Ok(row.map_err(failure("look at the database"))?.get(0))
}

/// Whether there is a table with this schema and name, whose column is of one of the server's own `types`.
fn has_column(
    client: &mut Client,
    (schema, table, column): (&str, &str, &str),
    types: &[&str],
) -> Result<bool> {
    let sql = "SELECT EXISTS (
                 SELECT 1 FROM pg_catalog.pg_attribute a
                   JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
                   JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                   JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
                   JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace
                 WHERE n.nspname::text = $1 AND c.relname::text = $2 AND c.relkind IN ('r', 'p')
                   AND a.attname::text = $3 AND NOT a.attisdropped
                   AND tn.nspname = 'pg_catalog' AND t.typname::text = ANY ($4))";
    let row = client.query_one(sql, &[&schema, &table, &column, &types]);
    Ok(row.map_err(failure("look at the database"))?.get(0))
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
