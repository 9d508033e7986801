//! What is live in a target, compared with what a dump says: all of it as it is at one moment, though others
//! may write meanwhile.

use crate::cancellation::Halt;
use crate::error::Result;
use crate::gitlab::content::Content;
use crate::pipeline::reading::Dump;
use crate::resources::Resources;
use crate::verify::{ExpectedTable, TableFinding};

/// What is to be compared.
pub struct Comparison<'a> {
    /// The schema that the tables are in.
    pub schema: &'a str,
    /// The tables as they should be.
    pub expected: Vec<ExpectedTable>,
    /// What they are of: of a backup's tables migrations may have dropped some, and its taggings are in
    /// GitLab's.
    pub content: Content,
    /// In how many sessions, where several can see the same moment.
    pub jobs: usize,
    /// What may stop it.
    pub halt: &'a Halt,
}

/// What came of it.
#[derive(Debug)]
pub struct Compared {
    /// The tables.
    pub tables: Vec<TableFinding>,
    /// Tables of CI that migrations have dropped since they were imported; they are not compared.
    pub dropped: Vec<&'static str>,
    /// How many of CI's taggings are not among GitLab's; none if it has no tables for them.
    pub missing_taggings: Option<i64>,
}

/// A target as it is at one moment.
pub(crate) trait ConsistentView {
    /// The tables of CI that migrations have dropped from `schema` since they were imported.
    fn dropped_tables(&mut self, schema: &str) -> Result<Vec<&'static str>>;
    /// Compares the tables in `schema` with what is expected, in up to `jobs` sessions.
    fn verify(
        &mut self,
        jobs: usize,
        schema: &str,
        expected: &[ExpectedTable],
        halt: &Halt,
    ) -> Result<Vec<TableFinding>>;
    /// How many of CI's taggings are not among GitLab's; none if it has no tables for them.
    fn missing_taggings(&mut self, schema: &str) -> Result<Option<i64>>;
}

impl Comparison<'_> {
    /// Compares with the target at `moment`.
    pub(crate) fn at(self, moment: &mut impl ConsistentView) -> Result<Compared> {
        let Comparison {
            schema,
            mut expected,
            content,
            jobs,
            halt,
        } = self;
        let mut dropped = Vec::new();
        if content.has_gitlab_steps() {
            dropped = moment.dropped_tables(schema)?;
            expected.retain(|table| !dropped.contains(&table.name.as_str()));
        }
        let tables = moment.verify(jobs, schema, &expected, halt)?;
        let missing_taggings = if content.has_gitlab_steps() {
            moment.missing_taggings(schema)?
        } else {
            None
        };
        Ok(Compared {
            tables,
            dropped,
            missing_taggings,
        })
    }
}

/// Compares what is live with what a dump says.
pub trait Verifies: Sync {
    /// The tables that the target should have of `dump`, with their checksums.
    fn expected(&self, dump: Dump<'_>, resources: &Resources) -> Result<Vec<ExpectedTable>>;
    /// The schema that the tables of `content` are in, where `named` was named or nothing.
    fn schema(&self, named: Option<&str>, content: Content) -> Result<String>;
    /// Compares what is live with what is expected, all of it as it is at one moment.
    fn compare(&self, comparison: Comparison<'_>) -> Result<Compared>;
}
