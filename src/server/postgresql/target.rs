//! PostgreSQL as a target.

use std::collections::HashMap;

use postgres::Transaction;

use super::gitlab::builds_without_trace;
use super::gitlab::migrations::{concerning, dropped_tables};
use super::gitlab::tags::{self, missing_taggings};
use super::gitlab::{self, live};
use super::load::{Loader, LockHolder, STAGING_SCHEMA, Staging, staging_of};
use super::migrate::{Session, versions};
use super::options::ConnectionOptions;
use super::publish::{self, PREVIOUS_SCHEMA};
use super::search_path;
use super::verify::{Snapshot, TableReader};
use crate::cancellation::Cancellation;
use crate::error::Result;
use crate::gitlab::content::Content;
use crate::gitlab::live::{LiveChanges, MergedTags, WRITTEN};
use crate::gitlab::secrets::Held;
use crate::pipeline::loaded::{LoadedDump, LoadedTable};
use crate::pipeline::reading::Dump;
use crate::publish::irreplaceable::Irreplaceable;
use crate::publish::kept::Kept;
use crate::publish::outcome::{
    Discarded, Live, LiveInput, Publication, Published, Recovered, RolledBack,
};
use crate::resources::Resources;
use crate::schema::policies::{Extension, Policies};
use crate::server::comparison::Verifies;
use crate::server::comparison::{Compared, Comparison, ConsistentView};
use crate::server::description::Server;
use crate::server::encrypted::{ReadsEncrypted, TakeEncrypted};
use crate::server::load::{Loading, Loads};
use crate::server::locked_target::{LockedTarget, Rights};
use crate::server::migration::InMigrationSession;
use crate::traces::{BuildWithout, Builds, BuildsDirectory};
use crate::ui::counts::Counts;
use crate::verify::{Expected, ExpectedTable, TableFinding, Verifying, verify_tables};

/// The default schema of a plain dump.
const DEFAULT_SCHEMA: &str = "public";

/// A locked PostgreSQL server.
pub(crate) struct LockedPostgresql {
    staging: Staging,
    target: ConnectionOptions,
}

impl LockedPostgresql {
    /// Connects and takes the lock.
    pub(crate) fn lock(target: &ConnectionOptions) -> Result<LockedPostgresql> {
        let mut staging = Staging::lock(target)?;
        publish::warn_if_missing(staging.client())?;
        Ok(LockedPostgresql {
            staging,
            target: target.clone(),
        })
    }
}

impl LockedTarget for LockedPostgresql {
    fn recover(&mut self, builds: Option<&BuildsDirectory>) -> Result<Recovered> {
        // One transaction covers the tables. Only the renames of directories may be left over.
        let recover = |builds| publish::recover(&self.target, self.staging.client(), builds);
        builds.map_or(Ok(Recovered::Nothing), recover)
    }

    fn has_record(&self) -> bool {
        false
    }

    fn check_recovery(&mut self) -> Result<()> {
        publish::identity(self.staging.client()).map(drop)
    }

    fn schema(&mut self, named: Option<&str>, content: Content) -> Result<String> {
        schema(self.staging.client(), named, content)
    }

    fn examine(&mut self, schema: &str, tables: &[&str], undistribute: bool) -> Result<Live> {
        self.staging.refuse_foreign()?;
        publish::examine(self.staging.client(), schema, tables, undistribute)
    }

    /// [`LockedTarget::examine`] has checked the rights.
    fn rights(&mut self, schema: &str) -> Result<Rights> {
        let told = format!("may create schemas, and tables in {schema}");
        Ok(Rights::Enough(told))
    }

    fn tables_of(&mut self, schema: &str) -> Result<Vec<String>> {
        publish::tables_of(self.staging.client(), schema)
    }

    fn irreplaceable(
        &mut self,
        undistribute: bool,
    ) -> Result<HashMap<(String, String), Irreplaceable>> {
        publish::irreplaceable(self.staging.client(), undistribute)
    }

    fn all_tables(&mut self) -> Result<Vec<(String, String)>> {
        self.staging.refuse_foreign()?;
        publish::all_tables(self.staging.client())
    }

    fn holders(&mut self, schema: &str, tables: &[&str]) -> Result<Vec<String>> {
        publish::holders(self.staging.client(), schema, tables)
    }

    fn ci_enabled(&mut self, schema: &str) -> Result<Option<bool>> {
        live::ci_enabled(self.staging.client(), schema)
    }

    fn recorded_versions(&mut self, schema: &str) -> Result<Vec<String>> {
        versions::read(self.staging.client(), schema)
    }

    fn make_staging(&mut self) -> Result<()> {
        self.staging.make()
    }

    fn loads(&self) -> Box<dyn Loads> {
        Box::new(StagingLoads {
            target: self.target.clone(),
            holder: self.staging.holder(),
        })
    }

    fn verify_staged(
        &self,
        tables: &[LoadedTable],
        verifying: &Verifying<'_>,
    ) -> Result<Vec<TableFinding>> {
        let staged = |table: &LoadedTable| {
            let schema = table.schema.as_deref();
            ExpectedTable {
                schema: schema.map(|schema| staging_of(Some(schema)).into_owned()),
                ..ExpectedTable::of(table)
            }
        };
        let expected: Vec<ExpectedTable> = tables.iter().map(staged).collect();
        // Nobody writes to the staging any more, so no snapshot is needed.
        let target = &self.target;
        let connect = || TableReader::connect(target, None);
        verify_tables(connect, STAGING_SCHEMA, &expected, verifying)
    }

    fn count_encrypted(&mut self) -> Result<Held> {
        self.staging.client().count_encrypted(STAGING_SCHEMA)
    }

    fn read_encrypted(&mut self, take: &mut TakeEncrypted<'_>) -> Result<()> {
        self.staging.client().read_encrypted(STAGING_SCHEMA, take)
    }

    fn keep(&mut self, kept: &Kept) -> Result<()> {
        publish::kept::write(self.staging.client(), kept)?;
        // It is not dropped any more.
        self.staging.published();
        Ok(())
    }

    fn kept(&mut self) -> Result<Option<Kept>> {
        publish::kept::read(self.staging.client())
    }

    fn check_kept(&mut self, schema: Option<&str>, tables: &[&str]) -> Result<()> {
        publish::kept::check(self.staging.client(), schema, tables)
    }

    fn publish(
        &mut self,
        publication: &Publication<'_>,
        content: Content,
        cancellation: &Cancellation,
    ) -> Result<Published<LiveChanges>> {
        let published = publish::publish(
            &self.target,
            self.staging.client(),
            publication,
            &mut PublishSteps {
                content,
                leaves_ci_off: publication.leaves_ci_off,
                cancellation,
            },
        )?;
        self.staging.published();
        if published.finished.tags.is_some() {
            tags::analyze(self.staging.client(), publication.schema);
        }
        Ok(published)
    }

    fn live_input(&mut self) -> Result<Option<LiveInput>> {
        publish::live_input(self.staging.client())
    }

    fn known_prefixes(&mut self) -> Result<Vec<String>> {
        publish::known_prefixes(self.staging.client())
    }

    fn previous(&self) -> String {
        PREVIOUS_SCHEMA.to_owned()
    }

    fn previous_import(&mut self) -> Result<Option<(Vec<String>, Vec<String>)>> {
        publish::previous_import(self.staging.client())
    }

    fn rollback(&mut self, builds: Option<&Builds>) -> Result<RolledBack> {
        let client = self.staging.client();
        publish::rollback(&self.target, client, builds, &mut live::exchange)
    }

    fn traces_aside(&mut self, builds: Option<&Builds>) -> Result<Option<Vec<String>>> {
        publish::traces_aside(self.staging.client(), builds)
    }

    fn discard(&mut self, builds: Option<&Builds>) -> Result<Discarded> {
        publish::discard(self.staging.client(), builds)
    }
}

/// The steps of a publish.
struct PublishSteps<'a> {
    content: Content,
    leaves_ci_off: bool,
    cancellation: &'a Cancellation,
}

impl publish::Steps for PublishSteps<'_> {
    type Before = Option<MergedTags>;
    type Done = LiveChanges;

    fn locks(&self) -> &'static [&'static str] {
        if self.content.has_gitlab_steps() {
            return &WRITTEN;
        }
        &[]
    }

    fn before(
        &mut self,
        transaction: &mut Transaction<'_>,
        schema: &str,
    ) -> Result<Option<MergedTags>> {
        if self.content.has_gitlab_steps() {
            return live::prepare(transaction, schema);
        }
        Ok(None)
    }

    fn finish(
        &mut self,
        transaction: &mut Transaction<'_>,
        schema: &str,
        tags: Option<MergedTags>,
    ) -> Result<LiveChanges> {
        let changes = if self.content.has_gitlab_steps() {
            live::finish(transaction, schema, tags, self.leaves_ci_off)?
        } else {
            LiveChanges::default()
        };
        // From here on, the publish cannot be stopped.
        self.cancellation.begin_change()?;
        Ok(changes)
    }
}

/// Loads into the staging schema that `holder` has created.
struct StagingLoads {
    target: ConnectionOptions,
    holder: LockHolder,
}

impl Loads for StagingLoads {
    fn load(&self, mut loading: Loading<'_>) -> Result<LoadedDump> {
        let loader = Loader::start(&self.target, self.holder, loading.resources, loading.counts)?;
        limit(&mut loading.dump.policies, &self.target)?;
        loading.run(|dump| dump.read_into(loader), Loader::finish)
    }
}

impl Verifies for ConnectionOptions {
    fn expected(
        &self,
        mut dump: Dump<'_>,
        resources: &Resources,
        counts: &Counts,
    ) -> Result<Vec<ExpectedTable>> {
        let name = dump.name;
        let expected = Expected::start(resources, counts);
        limit(&mut dump.policies, self)?;
        let read = dump.read_into(expected)?;
        read.sink.finish().map_err(|error| error.at(name))
    }

    fn schema(&self, named: Option<&str>, content: Content) -> Result<String> {
        schema(&mut self.connect()?, named, content)
    }

    fn live_prefix(&self) -> Result<Option<String>> {
        publish::live_prefix(&mut self.connect()?)
    }

    fn compare(&self, comparison: Comparison<'_>) -> Result<Compared> {
        let mut client = self.connect_to_read()?;
        let snapshot = Snapshot::take(&mut client)?;
        comparison.at(&mut Seen {
            target: self,
            snapshot,
        })
    }

    fn encrypted(&self) -> Result<Box<dyn ReadsEncrypted>> {
        Ok(Box::new(self.connect_to_read()?))
    }
}

/// A target as it is in a snapshot.
struct Seen<'a> {
    target: &'a ConnectionOptions,
    snapshot: Snapshot<'a>,
}

impl ConsistentView for Seen<'_> {
    fn dropped_tables(&mut self, schema: &str) -> Result<Vec<&'static str>> {
        dropped_tables(self.snapshot.transaction(), schema)
    }

    fn verify(
        &mut self,
        schema: &str,
        expected: &[ExpectedTable],
        verifying: &Verifying<'_>,
    ) -> Result<Vec<TableFinding>> {
        let (target, snapshot) = (self.target, self.snapshot.name());
        let connect = || TableReader::connect(target, Some(snapshot));
        verify_tables(connect, schema, expected, verifying)
    }

    fn missing_taggings(&mut self, schema: &str) -> Result<Option<i64>> {
        missing_taggings(self.snapshot.transaction(), schema)
    }

    fn builds_without_trace(
        &mut self,
        schema: &str,
        take: &mut dyn FnMut(BuildWithout) -> Result<()>,
    ) -> Result<bool> {
        builds_without_trace(self.snapshot.transaction(), schema, take)
    }
}

/// Limits a conversion to the features of the server of `target`.
fn limit(asked: &mut Policies, target: &ConnectionOptions) -> Result<()> {
    let server = target.server()?;
    asked.generated_support = server.generated_support;
    asked.postgis = server.postgis.map_or(Extension::Missing, Extension::In);
    asked.pgvector = server.pgvector.map_or(Extension::Missing, Extension::In);
    asked.settles = true;
    Ok(())
}

/// Has `command` use a session that migrates `schema`, or the target's own.
pub(crate) fn migrate<C: InMigrationSession>(
    target: &ConnectionOptions,
    schema: Option<&str>,
    cancellation: &Cancellation,
    command: C,
) -> Result<C::Done> {
    let session = Session::open_in(target, schema, cancellation)?;
    command.run(session, |session| {
        let schema = session.schema().to_owned();
        concerning(session.client(), &schema)
    })
}

/// What the server says of itself.
pub(crate) fn server(target: &ConnectionOptions) -> Result<Server> {
    let server = target.server()?;
    Ok(Server {
        version: format!("PostgreSQL {}", server.version),
        data_directory: server.data_directory,
    })
}

fn schema(client: &mut postgres::Client, named: Option<&str>, content: Content) -> Result<String> {
    match named {
        Some(schema) => Ok(schema.to_owned()),
        None if content.goes_to_current_schema() => match gitlab::schema(client)? {
            Some(schema) => Ok(schema),
            None => search_path::first_schema(client),
        },
        None => Ok(DEFAULT_SCHEMA.to_owned()),
    }
}
