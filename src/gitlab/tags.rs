//! The tags of CI and GitLab. A publish merges CI's tags into GitLab's, a rollback exchanges them.

/// The tables of GitLab in which rows are changed.
pub const TAGS: &str = "tags";
/// See [`TAGS`].
pub const TAGGINGS: &str = "taggings";

/// The columns of GitLab without which there is nothing to merge into.
pub const NEEDED_OF_GITLAB: [(&str, &str); 2] = [(TAGS, "name"), (TAGGINGS, "taggable_type")];

/// The columns of CI without which there is nothing to merge.
pub const NEEDED_OF_CI: [(&str, &str); 2] = [("ci_tags", "name"), ("ci_taggings", "taggable_type")];

/// The condition for CI's taggings: those of builds and runners in the context `tags`, or in one of the tables
/// `contexts`, for which `is_in` gives a condition.
#[must_use]
pub fn taggings_of_ci(contexts: &[String], is_in: impl Fn(&str) -> String) -> String {
    let contexts: String = contexts
        .iter()
        .map(|table| format!(" OR {}", is_in(table)))
        .collect();
    format!("taggable_type LIKE 'Ci::%' AND (context = 'tags'{contexts})")
}
