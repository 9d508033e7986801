//! Why a built-in migration stays pending.

use std::fmt;

use crate::migrate::MigrationPlan;

/// Why a migration stays pending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaitReason<'a> {
    /// There is no such table in the schema.
    NoTable(&'a str, &'a str),
    /// GitLab lacks this many of CI's tags.
    TagsMissing(i64),
    /// This many of CI's taggings have no tag.
    WithoutTag(i64),
    /// GitLab lacks this many of CI's taggings.
    TaggingsMissing(i64),
    /// The schema is not that of a GitLab.
    NoGitlab(&'a str),
    /// This many jobs have no configuration.
    Unconverted(i64),
    /// The schema has rows of these tables that are nowhere else.
    HasRows(&'a str, Vec<String>),
}

impl fmt::Display for WaitReason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WaitReason::NoTable(table, schema) => write!(
                f,
                "there is no table {table} in {schema} that they are merged into"
            ),
            WaitReason::TagsMissing(count) => write!(f, "{count} rows of ci_tags are not in tags"),
            WaitReason::WithoutTag(count) => write!(
                f,
                "{count} rows of ci_taggings have no tag, and so were merged nowhere"
            ),
            WaitReason::TaggingsMissing(count) => {
                write!(f, "{count} rows of ci_taggings are not in taggings")
            }
            WaitReason::NoGitlab(schema) => write!(f, "there is no GitLab in {schema}"),
            WaitReason::Unconverted(count) => write!(
                f,
                "{count} jobs are of projects that have no generated_yaml_config made of them"
            ),
            WaitReason::HasRows(previous, tables) => write!(
                f,
                "{previous} has rows that are nowhere else, of {}; ci-import discard drops them",
                tables.join(", ")
            ),
        }
    }
}

impl From<WaitReason<'_>> for MigrationPlan {
    fn from(reason: WaitReason<'_>) -> MigrationPlan {
        MigrationPlan::Wait(reason.to_string())
    }
}
