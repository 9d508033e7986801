//! The operations on a locked target: for an import, and for the commands that follow up imports.

use std::collections::HashMap;

use super::encrypted::TakeEncrypted;
use super::load::Loads;
use crate::cancellation::Cancellation;
use crate::error::Result;
use crate::gitlab::content::Content;
use crate::gitlab::live::LiveChanges;
use crate::gitlab::secrets::Held;
use crate::pipeline::loaded::LoadedTable;
use crate::publish::irreplaceable::Irreplaceable;
use crate::publish::kept::Kept;
use crate::publish::outcome::{
    Discarded, Live, LiveInput, Publication, Published, Recovered, RolledBack,
};
use crate::traces::{Builds, BuildsDirectory};
use crate::verify::{TableFinding, Verifying};

/// What is known about the rights of the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rights {
    /// The user has the rights that an import needs. The text describes them.
    Enough(String),
    /// The rights cannot be determined. The text describes the rights that an import needs.
    Unknown(String),
}

/// A locked target with its staging. If it is dropped before the publish, it removes the staged data.
pub trait LockedTarget {
    /// Looks for an interrupted publish of `builds`, and completes or undoes it.
    fn recover(&mut self, builds: Option<&BuildsDirectory>) -> Result<Recovered>;

    /// Whether the target itself has a record of an interrupted publish. Then no builds directory is needed
    /// to find one; a dump has none.
    fn has_record(&self) -> bool;

    /// An error if the target could not report the result of a publish with traces later.
    fn check_recovery(&mut self) -> Result<()>;

    /// The schema for the tables: the `named` one, or the target's default for an archive or a dump.
    fn schema(&mut self, named: Option<&str>, content: Content) -> Result<String>;

    /// Examines the target before `tables` are published in `schema`. An error names an obstacle. Live tables that a cluster
    /// distributes are one, unless it may `undistribute` them.
    fn examine(&mut self, schema: &str, tables: &[&str], undistribute: bool) -> Result<Live>;

    /// The rights of the user, as far as they are known in advance. An error if a right that an import needs
    /// is missing.
    fn rights(&mut self, schema: &str) -> Result<Rights>;

    /// The tables that are in `schema`.
    fn tables_of(&mut self, schema: &str) -> Result<Vec<String>>;

    /// The live tables that cannot be replaced, whichever others are, or of which Citus forbids it unless it may
    /// `undistribute` them: the schema and name of each, and why.
    fn irreplaceable(
        &mut self,
        undistribute: bool,
    ) -> Result<HashMap<(String, String), Irreplaceable>>;

    /// All tables of all schemas, if a dump can go to several: the schema and the name of each.
    fn all_tables(&mut self) -> Result<Vec<(String, String)>>;

    /// Some of the sessions that currently use any of `tables`.
    fn holders(&mut self, schema: &str, tables: &[&str]) -> Result<Vec<String>>;

    /// Whether CI is switched on; none if the target is not a GitLab database.
    fn ci_enabled(&mut self, schema: &str) -> Result<Option<bool>>;

    /// The versions of the migrations that are recorded in `schema`.
    fn recorded_versions(&mut self, schema: &str) -> Result<Vec<String>>;

    /// Creates the staging, and removes one that an earlier import has left.
    fn make_staging(&mut self) -> Result<()>;

    /// What loads dumps into the staging.
    fn loads(&self) -> Box<dyn Loads>;

    /// Compares the staged tables with what was loaded.
    fn verify_staged(
        &self,
        tables: &[LoadedTable],
        verifying: &Verifying<'_>,
    ) -> Result<Vec<TableFinding>>;

    /// Counts the encrypted values in the staged tables of CI.
    fn count_encrypted(&mut self) -> Result<Held>;

    /// Hands the encrypted values in the staged tables of CI to `take`.
    fn read_encrypted(&mut self, take: &mut TakeEncrypted<'_>) -> Result<()>;

    /// Keeps the staging for a later publish, with its record. Nobody drops it but the next import or a discard.
    fn keep(&mut self, kept: &Kept) -> Result<()>;

    /// The record of a staging that is kept for a later publish, if there is one.
    fn kept(&mut self) -> Result<Option<Kept>>;

    /// An error unless the kept staging has exactly `tables` for the `schema`, which is the only one or one of several, and
    /// nobody else could have made them.
    fn check_kept(&mut self, schema: Option<&str>, tables: &[&str]) -> Result<()>;

    /// Publishes the staged data: all of it, or nothing. Includes the GitLab steps of `content`. `cancellation` can
    /// stop the publish until just before the commit.
    fn publish(
        &mut self,
        publication: &Publication<'_>,
        content: Content,
        cancellation: &Cancellation,
    ) -> Result<Published<LiveChanges>>;

    /// The archive or dump that the last publish has made live, if that is known and all its tables are there.
    fn live_input(&mut self) -> Result<Option<LiveInput>>;

    /// The URLs of the prefixes of an object storage that the record of the last publish knows: with the live traces, and
    /// with replaced ones.
    fn known_prefixes(&mut self) -> Result<Vec<String>>;

    /// The schema with the replaced tables.
    fn previous(&self) -> String;

    /// The tables that a rollback would restore, and those that it would move aside. None if there is no
    /// publish to undo.
    fn previous_import(&mut self) -> Result<Option<(Vec<String>, Vec<String>)>>;

    /// Undoes the last publish: all of it, or nothing.
    fn rollback(&mut self, builds: Option<&Builds>) -> Result<RolledBack>;

    /// Where traces are that [`LockedTarget::discard`] would remove; none if there is nothing to remove at all.
    fn traces_aside(&mut self, builds: Option<&Builds>) -> Result<Option<Vec<String>>>;

    /// Drops the replaced tables, and removes the replaced traces.
    fn discard(&mut self, builds: Option<&Builds>) -> Result<Discarded>;
}
