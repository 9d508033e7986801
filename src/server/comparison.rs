//! Compares the live data of a target with a dump. All tables are read as they are at one moment, even if
//! others write meanwhile.

use crate::error::Result;
use crate::gitlab::content::Content;
use crate::pipeline::reading::Dump;
use crate::resources::Resources;
use crate::server::encrypted::ReadsEncrypted;
use crate::traces::{BuildWithout, LiveTraces, WithoutTrace};
use crate::ui::counts::Counts;
use crate::verify::{ExpectedTable, TableFinding, Verifying};

/// What is to be compared.
pub struct Comparison<'a> {
    /// The schema that the tables are in.
    pub schema: &'a str,
    /// The expected tables.
    pub expected: Vec<ExpectedTable>,
    /// The content that the tables are from. Migrations may have dropped tables of a backup, and its taggings
    /// are in GitLab's tables.
    pub content: Content,
    /// The live traces of an archive.
    pub traces: Option<&'a LiveTraces>,
    /// How it is done. There are several sessions if they can share a snapshot.
    pub verifying: Verifying<'a>,
}

/// The result of a comparison.
#[derive(Debug)]
pub struct Compared {
    /// The tables.
    pub tables: Vec<TableFinding>,
    /// Tables of CI that migrations have dropped since the import. They are not compared.
    pub dropped: Vec<&'static str>,
    /// The number of CI's taggings that GitLab's taggings lack; none if the target has no tables for them.
    pub missing_taggings: Option<i64>,
    /// The builds without a trace; none if the target has no traces.
    pub without_trace: Option<WithoutTrace>,
}

/// A view of a target at one moment.
pub(crate) trait ConsistentView {
    /// The tables of CI that migrations have dropped from `schema` since the import.
    fn dropped_tables(&mut self, schema: &str) -> Result<Vec<&'static str>>;
    /// Compares the tables in `schema` with the expected ones.
    fn verify(
        &mut self,
        schema: &str,
        expected: &[ExpectedTable],
        verifying: &Verifying<'_>,
    ) -> Result<Vec<TableFinding>>;
    /// The number of CI's taggings that GitLab's taggings lack; none if the target has no tables for them.
    fn missing_taggings(&mut self, schema: &str) -> Result<Option<i64>>;
    /// Hands the builds whose rows have no trace to `take`. False if the tables are not CI's: then nothing was read.
    fn builds_without_trace(
        &mut self,
        schema: &str,
        take: &mut dyn FnMut(BuildWithout) -> Result<()>,
    ) -> Result<bool>;
}

impl Comparison<'_> {
    /// Compares with the target at `moment`.
    pub(crate) fn at(self, moment: &mut impl ConsistentView) -> Result<Compared> {
        let Comparison {
            schema,
            mut expected,
            content,
            traces,
            verifying,
        } = self;
        let mut dropped = Vec::new();
        if content.has_gitlab_steps() {
            dropped = moment.dropped_tables(schema)?;
            expected.retain(|table| !dropped.contains(&table.name.as_str()));
        }
        let tables = moment.verify(schema, &expected, &verifying)?;
        let missing_taggings = if content.has_gitlab_steps() {
            moment.missing_taggings(schema)?
        } else {
            None
        };
        let mut without_trace = None;
        if let Some(traces) = traces.filter(|_| content.has_gitlab_steps()) {
            let mut found = WithoutTrace::of(traces)?;
            let mut take = |build| {
                verifying.cancellation.check()?;
                found.add(build)
            };
            if moment.builds_without_trace(schema, &mut take)? {
                found.end()?;
                without_trace = Some(found);
            }
        }
        Ok(Compared {
            tables,
            dropped,
            missing_taggings,
            without_trace,
        })
    }
}

/// Compares live data with a dump.
pub trait Verifies: Sync {
    /// Reads `dump`, and returns the tables that the target should have, with their checksums.
    fn expected(
        &self,
        dump: Dump<'_>,
        resources: &Resources,
        counts: &Counts,
    ) -> Result<Vec<ExpectedTable>>;
    /// The schema with the tables of `content`: the `named` one, or the default.
    fn schema(&self, named: Option<&str>, content: Content) -> Result<String>;
    /// The URL of the prefix of an object storage with the live traces, by the record of the last publish.
    fn live_prefix(&self) -> Result<Option<String>>;
    /// Compares the live data with the expected tables, at one moment.
    fn compare(&self, comparison: Comparison<'_>) -> Result<Compared>;
    /// A session that reads the encrypted values of live tables.
    fn encrypted(&self) -> Result<Box<dyn ReadsEncrypted>>;
}
