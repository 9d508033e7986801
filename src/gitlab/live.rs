//! What an import changes in the live tables of GitLab.

/// What the steps found and did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LiveChanges {
    /// Whether CI was switched on (the target has `application_settings`).
    pub ci_enabled: bool,
    /// What became of the tags, if the target has tables for them.
    pub tags: Option<MergedTags>,
    /// Services whose type got its prefix.
    pub services: u64,
    /// What was done to sequences, if the imported tables lacked anything.
    pub sequences: Option<String>,
}

/// The prefix that [`finish`] gives to the texts of a column of a table.
#[must_use]
pub fn late_prefix(table: &str, column: &str) -> Option<&'static str> {
    (table == "ci_services" && column == "type").then_some("Ci::")
}

/// What a merge did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergedTags {
    /// Taggings of builds and runners that were written.
    pub taggings: u64,
    /// Tags that were not there before.
    pub new_tags: u64,
    /// Taggings whose tag is not in the dump; they are left out, as GitLab could not show them.
    pub taggings_without_tag: u64,
}
