//! The tables of GitLab CI 8.0.

use crate::error::{Error, Result};

/// The tables a backup holds.
pub const TABLES: [&str; 15] = [
    "ci_application_settings",
    "ci_builds",
    "ci_commits",
    "ci_events",
    "ci_jobs",
    "ci_projects",
    "ci_runner_projects",
    "ci_runners",
    "ci_services",
    "ci_taggings",
    "ci_tags",
    "ci_trigger_requests",
    "ci_triggers",
    "ci_variables",
    "ci_web_hooks",
];

/// Refuses a table that does not belong to CI. In GitLab's database it would replace one of GitLab's own.
pub fn check_table(name: &str) -> Result<()> {
    if TABLES.contains(&name) {
        return Ok(());
    }
    Err(Error::archive(format!(
        "the dump holds the table {name}, which is none of GitLab CI 8.0"
    ))
    .hint("is this really a backup of GitLab CI?"))
}
