//! Sessions: their settings, and the description of the server.

use std::path::PathBuf;

use postgres::{Client, SimpleQueryMessage};

use super::error::failure;
use super::options::ConnectionOptions;
use super::options::hosts::Listener;
use super::products::refuse_others;
use super::search_path::PIN;
use crate::error::{Error, Result};
use crate::failpoint;
use crate::schema::policies::GeneratedSupport;

/// The oldest supported server: `AS integer` of sequences was added with it.
const OLDEST_SERVER: i32 = 100_000;

/// The settings that sessions with rows depend on.
const SESSION: &str = "\
SET search_path = pg_catalog, pg_temp; SET datestyle = 'ISO, YMD'; SET timezone = 'UTC';
SET intervalstyle = 'postgres'; SET extra_float_digits = 3; SET bytea_output = 'hex';
SET client_min_messages = warning";

/// The settings that every session depends on, whatever the database or the role says. Row security would hide rows: so it is an
/// error instead.
pub(crate) const PINNED: &str = "\
SET standard_conforming_strings = on; SET row_security = off;
SET default_transaction_isolation = 'read committed'; SET default_transaction_deferrable = off";

/// How long a setting holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// To the end of the transaction.
    Commit,
    /// To the end of the session.
    Disconnect,
}

/// What removes the time limits that a database or role may have for its sessions. Skips those that the server
/// does not know, because PostgreSQL 14 and 17 added some.
pub(crate) fn no_time_limits(until: Until) -> String {
    let is_local = until == Until::Commit;
    format!(
        "SELECT pg_catalog.set_config(name, '0', {is_local}) FROM pg_catalog.pg_settings
         WHERE name IN ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'idle_session_timeout',
                        'transaction_timeout')"
    )
}

/// Has Citus leave new schemas and tables as PostgreSQL makes them, whatever the server, the database or the role says: it would
/// distribute each schema of an import, and copy its tables in the publish.
const AS_POSTGRESQL: &str = "\
SELECT pg_catalog.set_config(name, 'off', false) FROM pg_catalog.pg_settings
WHERE name IN ('citus.enable_schema_based_sharding', 'citus.use_citus_managed_tables')";

/// The first version with generated columns, and the first one with virtual ones.
const GENERATED_COLUMNS: i32 = 120_000;
const VIRTUAL_COLUMNS: i32 = 180_000;

/// The server's version in its own words. Others than PostgreSQL do not know the settings of a session.
fn version(client: &mut Client) -> Result<String> {
    let answer = client
        .simple_query("SELECT pg_catalog.version()")
        .map_err(failure("ask for the server's version"))?;
    let row = answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    Ok(row.unwrap_or_default())
}

/// The description of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// The version, in the server's words.
    pub version: String,
    /// The data directory, if the server runs on this machine and reports it.
    pub data_directory: Option<PathBuf>,
    /// The generated columns that the server has.
    pub generated_support: GeneratedSupport,
    /// The schema of PostGIS' types, if the database has them.
    pub postgis: Option<String>,
    /// The schema of pgvector's type, if the database has it.
    pub pgvector: Option<String>,
}

impl ConnectionOptions {
    /// Connects. The session writes dates in the format of the COPY text. Its search path has only the
    /// server's own functions: all other names are qualified.
    pub fn connect(&self) -> Result<Client> {
        let mut client = self.connect_somewhere()?;
        // First of all, names mean what they should. Another product may not know how.
        let pinned = client.batch_execute(PIN);
        refuse_others(&version(&mut client)?)?;
        pinned
            .and_then(|()| client.batch_execute(PINNED))
            .map_err(failure("prepare the session"))?;
        let version: i32 = client
            .query_one("SELECT current_setting('server_version_num')::int", &[])
            .map_err(failure("ask for the server's version"))?
            .get(0);
        failpoint::reached("connected");
        if version < OLDEST_SERVER {
            return Err(Error::target(format!(
                "the server is PostgreSQL {}.{}; 10 is the oldest supported",
                version / 10_000,
                version / 100 % 100
            )));
        }
        Ok(client)
    }

    /// The description of the server.
    pub fn server(&self) -> Result<Server> {
        let mut client = self.connect()?;
        let row = client
            .query_one(
                &format!(
                    "SELECT current_setting('server_version'),
                        CASE WHEN pg_has_role('pg_read_all_settings', 'USAGE')
                             THEN current_setting('data_directory') END,
                        current_setting('server_version_num')::int,
                        ({}), ({})",
                    schema_of_type("postgis", "geometry"),
                    schema_of_type("vector", "vector")
                ),
                &[],
            )
            .map_err(failure("ask for the server's version"))?;
        let is_here = self.places.iter().all(|place| match &place.listener {
            Listener::Socket(_) => true,
            Listener::Host(name, _) => name == "localhost",
        });
        let data_directory: Option<String> = row.get(1);
        Ok(Server {
            version: row.get(0),
            data_directory: data_directory.filter(|_| is_here).map(PathBuf::from),
            generated_support: match row.get(2) {
                VIRTUAL_COLUMNS.. => GeneratedSupport::StoredAndVirtual,
                GENERATED_COLUMNS.. => GeneratedSupport::Stored,
                _ => GeneratedSupport::None,
            },
            postgis: row.get(3),
            pgvector: row.get(4),
        })
    }

    /// Connects without time limits, whatever the server's settings say, because an import may take long.
    pub(crate) fn connect_to_stay(&self) -> Result<Client> {
        let mut client = self.connect()?;
        client
            .batch_execute(&format!(
                "{}; {AS_POSTGRESQL}",
                no_time_limits(Until::Disconnect)
            ))
            .map_err(failure("prepare the session"))?;
        Ok(client)
    }

    /// Connects to read rows.
    pub fn connect_to_read(&self) -> Result<Client> {
        let mut client = self.connect_to_stay()?;
        client
            .batch_execute(SESSION)
            .map_err(failure("prepare the session"))?;
        Ok(client)
    }
}

/// The query of the schema of the type `name` that belongs to `extension`.
fn schema_of_type(extension: &str, name: &str) -> String {
    format!(
        "SELECT n.nspname::text FROM pg_extension e
         JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
                         AND d.classid = 'pg_type'::regclass AND d.deptype = 'e'
         JOIN pg_type t ON t.oid = d.objid JOIN pg_namespace n ON n.oid = t.typnamespace
         WHERE e.extname = '{extension}' AND t.typname = '{name}' AND t.typtype = 'b'"
    )
}
