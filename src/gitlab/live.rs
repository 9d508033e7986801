//! What an import changes in the live tables of GitLab.

/// The table of GitLab with the switch `ci_enabled`.
pub const SETTINGS: &str = "application_settings";

/// The live tables that an import writes to, besides those that it brings. `ci_services` is one of them if the import does
/// not bring it.
pub const WRITTEN: [&str; 5] = [
    SETTINGS,
    super::tags::TAGS,
    super::tags::TAGGINGS,
    "schema_migrations",
    "ci_services",
];

/// What the steps of a publish found and did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LiveChanges {
    /// Whether CI was switched on (the target has `application_settings`).
    pub ci_enabled: bool,
    /// Whether CI was left switched off, as asked for.
    pub ci_left_off: bool,
    /// What was done to the tags, if the target has tables for them.
    pub tags: Option<MergedTags>,
    /// The number of services whose type got its prefix.
    pub services: u64,
    /// What was done to sequences, if the imported tables lacked anything.
    pub sequences: Option<String>,
}

/// The prefix that a publish gives to the texts in `column` of `table`, if any.
#[must_use]
pub fn late_prefix(table: &str, column: &str) -> Option<&'static str> {
    (table == "ci_services" && column == "type").then_some("Ci::")
}

/// What a merge did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergedTags {
    /// Taggings of builds and runners that were written.
    pub taggings: u64,
    /// Tags that GitLab did not have before.
    pub new_tags: u64,
    /// Taggings without a tag in the dump. They are omitted, since GitLab could not show them.
    pub taggings_without_tag: u64,
}
