//! MySQL or MariaDB as a target.

use std::collections::HashMap;

use super::capabilities::Capabilities;
use super::databases::Databases;
use super::gitlab::{self, Exchange, Publishing, migrations};
use super::load::loader::Loader;
use super::load::staging::{LockHolder, Staging};
use super::mapping::ServerMapping;
use super::migrate::{Session, versions};
use super::options::ConnectionOptions;
use super::publish;
use super::rights::{MayCreate, may_create_databases};
use super::verify::TableReader;
use crate::cancellation::Cancellation;
use crate::error::{Error, Result};
use crate::gitlab::content::Content;
use crate::gitlab::live::LiveChanges;
use crate::gitlab::secrets::Held;
use crate::pipeline::loaded::{LoadedDump, LoadedTable};
use crate::pipeline::reading::Dump;
use crate::publish::irreplaceable::Irreplaceable;
use crate::publish::kept::Kept;
use crate::publish::outcome::{
    Discarded, Live, LiveInput, Publication, Published, Recovered, RolledBack,
};
use crate::resources::Resources;
use crate::schema::policies::{ColumnPolicies, Policies};
use crate::server::comparison::Verifies;
use crate::server::comparison::{Compared, Comparison, ConsistentView};
use crate::server::description::Server;
use crate::server::encrypted::{ReadsEncrypted, TakeEncrypted};
use crate::server::load::{Loading, Loads};
use crate::server::locked_target::{LockedTarget, Rights};
use crate::server::migration::InMigrationSession;
use crate::traces::{BuildWithout, Builds, BuildsDirectory};
use crate::ui::counts::Counts;
use crate::verify::{
    Expected, ExpectedTable, TableFinding, Verifying, verify_tables, verify_tables_in,
};

/// A locked MySQL server.
pub(crate) struct LockedMysql {
    staging: Staging,
    target: ConnectionOptions,
    databases: Databases,
}

impl LockedMysql {
    /// Connects and takes the lock.
    pub(crate) fn lock(target: &ConnectionOptions) -> Result<LockedMysql> {
        let staging = Staging::lock(target)?;
        Ok(LockedMysql {
            databases: staging.databases().clone(),
            staging,
            target: target.clone(),
        })
    }
}

impl LockedTarget for LockedMysql {
    fn recover(&mut self, builds: Option<&BuildsDirectory>) -> Result<Recovered> {
        let connection = self.staging.connection();
        publish::recover(connection, &self.databases, builds, &gitlab::undo)
    }

    fn has_record(&self) -> bool {
        true
    }

    fn check_recovery(&mut self) -> Result<()> {
        // The record of the publish is in a table of our own.
        Ok(())
    }

    fn schema(&mut self, named: Option<&str>, _: Content) -> Result<String> {
        schema(&self.target, named)
    }

    fn examine(&mut self, _: &str, tables: &[&str], _: bool) -> Result<Live> {
        self.staging.refuse_foreign()?;
        publish::examine(self.staging.connection(), &self.databases, tables)
    }

    fn rights(&mut self, _: &str) -> Result<Rights> {
        let databases = &self.databases;
        let staging = &databases.staging;
        match may_create_databases(self.staging.connection(), databases)? {
            MayCreate::Yes => Ok(Rights::Enough(format!(
                "may create the database {staging} and related ones"
            ))),
            MayCreate::Unknown => Ok(Rights::Unknown(format!(
                "cannot be determined: the user must be allowed to create {staging} and related databases"
            ))),
            MayCreate::No => Err(Error::target(format!(
                "the user may not create the database {staging} and related ones"
            ))
            .hint(format!(
                "grant the user all rights on them: GRANT ALL ON `{}`.* TO …",
                databases.pattern()
            ))),
        }
    }

    fn tables_of(&mut self, schema: &str) -> Result<Vec<String>> {
        publish::tables_of(self.staging.connection(), schema)
    }

    fn irreplaceable(&mut self, _: bool) -> Result<HashMap<(String, String), Irreplaceable>> {
        publish::irreplaceable(self.staging.connection(), &self.databases)
    }

    fn all_tables(&mut self) -> Result<Vec<(String, String)>> {
        // A database has no schemas.
        Ok(Vec::new())
    }

    fn holders(&mut self, _: &str, tables: &[&str]) -> Result<Vec<String>> {
        publish::holders(self.staging.connection(), &self.databases, tables)
    }

    fn ci_enabled(&mut self, schema: &str) -> Result<Option<bool>> {
        gitlab::ci_enabled(self.staging.connection(), schema)
    }

    fn recorded_versions(&mut self, schema: &str) -> Result<Vec<String>> {
        versions::read(self.staging.connection(), schema)
    }

    fn make_staging(&mut self) -> Result<()> {
        self.staging.make()
    }

    fn loads(&self) -> Box<dyn Loads> {
        Box::new(StagingLoads {
            target: self.target.clone(),
            databases: self.databases.clone(),
            holder: self.staging.holder(),
        })
    }

    fn verify_staged(
        &self,
        tables: &[LoadedTable],
        verifying: &Verifying<'_>,
    ) -> Result<Vec<TableFinding>> {
        let expected: Vec<ExpectedTable> = tables.iter().map(ExpectedTable::of).collect();
        // Nobody writes to the staging any more, so no snapshot is needed.
        let target = &self.target;
        let connect = || TableReader::connect(target);
        verify_tables(connect, &self.databases.staging, &expected, verifying)
    }

    fn count_encrypted(&mut self) -> Result<Held> {
        let staging = &self.databases.staging;
        self.staging.connection().count_encrypted(staging)
    }

    fn read_encrypted(&mut self, take: &mut TakeEncrypted<'_>) -> Result<()> {
        let staging = &self.databases.staging;
        self.staging.connection().read_encrypted(staging, take)
    }

    fn keep(&mut self, kept: &Kept) -> Result<()> {
        publish::kept::write(self.staging.connection(), &self.databases, kept)?;
        self.staging.keep();
        Ok(())
    }

    fn kept(&mut self) -> Result<Option<Kept>> {
        publish::kept::read(self.staging.connection(), &self.databases)
    }

    fn check_kept(&mut self, _: Option<&str>, tables: &[&str]) -> Result<()> {
        self.staging.refuse_foreign()?;
        publish::kept::check(self.staging.connection(), &self.databases, tables)
    }

    fn publish(
        &mut self,
        publication: &Publication<'_>,
        content: Content,
        cancellation: &Cancellation,
    ) -> Result<Published<LiveChanges>> {
        let published = publish::publish(
            &self.target,
            self.staging.connection(),
            publication,
            &mut content
                .has_gitlab_steps()
                .then(|| Publishing::new(publication.leaves_ci_off)),
            &gitlab::undo,
            &mut || cancellation.begin_change(),
        )?;
        self.staging.published();
        let merged = published.finished.as_ref();
        if merged.is_some_and(|changes| changes.tags.is_some()) {
            gitlab::analyze_tags(self.staging.connection(), publication.schema);
        }
        Ok(Published {
            replaced: published.replaced,
            previous_builds: published.previous_builds,
            locked: published.locked,
            lost: published.lost,
            finished: published.finished.unwrap_or_default(),
        })
    }

    fn live_input(&mut self) -> Result<Option<LiveInput>> {
        publish::live_input(self.staging.connection(), &self.databases)
    }

    fn known_prefixes(&mut self) -> Result<Vec<String>> {
        publish::known_prefixes(self.staging.connection(), &self.databases)
    }

    fn previous(&self) -> String {
        self.databases.previous.clone()
    }

    fn previous_import(&mut self) -> Result<Option<(Vec<String>, Vec<String>)>> {
        publish::previous_import(self.staging.connection(), &self.databases)
    }

    fn rollback(&mut self, builds: Option<&Builds>) -> Result<RolledBack> {
        publish::rollback(
            &self.target,
            self.staging.connection(),
            &self.databases,
            builds,
            &mut Exchange,
            &gitlab::undo,
        )
    }

    fn traces_aside(&mut self, builds: Option<&Builds>) -> Result<Option<Vec<String>>> {
        publish::traces_aside(self.staging.connection(), &self.databases, builds)
    }

    fn discard(&mut self, builds: Option<&Builds>) -> Result<Discarded> {
        publish::discard(self.staging.connection(), &self.databases, builds)
    }
}

/// Loads into the staging database that `holder` has created.
struct StagingLoads {
    target: ConnectionOptions,
    databases: Databases,
    holder: LockHolder,
}

impl Loads for StagingLoads {
    fn load(&self, loading: Loading<'_>) -> Result<LoadedDump> {
        let (target, databases) = (&self.target, &self.databases);
        let loader = Loader::start(
            target,
            databases,
            self.holder,
            loading.resources,
            loading.counts,
        )?;
        let mapping = mapping(target)?;
        loading.run(|dump| dump.read_mapped(mapping, loader), Loader::finish)
    }
}

/// The mapping for the server of `target`.
fn mapping(target: &ConnectionOptions) -> Result<ServerMapping> {
    Ok(ServerMapping::new(Capabilities::of(
        &mut target.connect()?,
    )?))
}

impl Verifies for ConnectionOptions {
    fn expected(
        &self,
        dump: Dump<'_>,
        resources: &Resources,
        counts: &Counts,
    ) -> Result<Vec<ExpectedTable>> {
        let name = dump.name;
        let read = dump.read_mapped(mapping(self)?, Expected::start(resources, counts))?;
        read.sink.finish().map_err(|error| error.at(name))
    }

    fn schema(&self, named: Option<&str>, _: Content) -> Result<String> {
        schema(self, named)
    }

    fn live_prefix(&self) -> Result<Option<String>> {
        let databases = Databases::of(self.database())?;
        publish::live_prefix(&mut self.connect()?, &databases)
    }

    fn compare(&self, comparison: Comparison<'_>) -> Result<Compared> {
        comparison.at(&mut TableReader::at_one_moment(self)?)
    }

    fn encrypted(&self) -> Result<Box<dyn ReadsEncrypted>> {
        Ok(Box::new(self.connect()?))
    }
}

/// A snapshot belongs to one session, so the tables are read one after the other. To share a snapshot,
/// sessions would need a lock on all tables, and other clients would wait for it.
impl ConsistentView for TableReader {
    fn dropped_tables(&mut self, schema: &str) -> Result<Vec<&'static str>> {
        migrations::dropped_tables(self.connection(), schema)
    }

    fn verify(
        &mut self,
        schema: &str,
        expected: &[ExpectedTable],
        verifying: &Verifying<'_>,
    ) -> Result<Vec<TableFinding>> {
        verify_tables_in(self, schema, expected, verifying)
    }

    fn missing_taggings(&mut self, schema: &str) -> Result<Option<i64>> {
        gitlab::missing_taggings(self.connection(), schema)
    }

    fn builds_without_trace(
        &mut self,
        schema: &str,
        take: &mut dyn FnMut(BuildWithout) -> Result<()>,
    ) -> Result<bool> {
        gitlab::builds_without_trace(self.connection(), schema, take)
    }
}

/// The live database, the only possible schema.
fn schema(target: &ConnectionOptions, named: Option<&str>) -> Result<String> {
    match named {
        Some(named) if named != target.database() => Err(Error::usage(format!(
            "--schema {named}: in MySQL a schema is a database, and the target is {}",
            target.database()
        ))
        .hint("name the database in the URL or the database.yml of the target")),
        _ => Ok(target.database().to_owned()),
    }
}

/// Has `command` use a session that migrates the live database, which is all that `named` can be.
pub(crate) fn migrate<C: InMigrationSession>(
    target: &ConnectionOptions,
    named: Option<&str>,
    cancellation: &Cancellation,
    command: C,
) -> Result<C::Done> {
    schema(target, named)?;
    let session = Session::open(target, cancellation)?;
    command.run(session, |session| {
        let database = session.database().to_owned();
        migrations::concerning(session.connection(), &database)
    })
}

/// What the server says of itself.
pub(crate) fn server(target: &ConnectionOptions) -> Result<Server> {
    let server = target.server()?;
    let kind = if server.is_mariadb {
        "MariaDB"
    } else {
        "MySQL"
    };
    Ok(Server {
        version: format!("{kind} {}", server.version),
        data_directory: server.data_directory,
    })
}

/// An error if a conversion option is for PostgreSQL only.
pub(crate) fn refuse_conversions(asked: &Policies) -> Result<()> {
    let has_map = !asked.map.is_empty();
    let (asked, default) = (asked.columns, ColumnPolicies::default());
    let options = [
        ("--map", has_map),
        ("--tinyint1", asked.tinyint1 != default.tinyint1),
        ("--generated", asked.generated != default.generated),
        ("--enum", asked.enums != default.enums),
        ("--time", asked.time != default.time),
        ("--timestamps", asked.timestamps != default.timestamps),
        ("--geometry", asked.geometry != default.geometry),
        ("--vector", asked.vectors != default.vectors),
        ("--on-update", asked.on_update != default.on_update),
        (
            "--zero-dates",
            asked.values.zero_dates != default.values.zero_dates,
        ),
        (
            "--invalid-dates",
            asked.values.invalid_dates != default.values.invalid_dates,
        ),
        ("--nul", asked.values.nul != default.values.nul),
    ];
    match options.iter().find(|(_, is_given)| *is_given) {
        None => Ok(()),
        Some((option, _)) => Err(Error::usage(format!(
            "{option} is only for PostgreSQL; a MySQL server stores such values unchanged"
        ))),
    }
}
