//! The names of the tables that a publish makes for itself.

/// Begins the names of all tables of our own; a dump's tables may not.
pub(super) const OURS: &str = "ci_import_";

/// Marks the database as ours. It holds the number of the publish.
pub(super) const MARK: &str = "ci_import_passing";

/// Begins the names of tables with rows that are kept.
pub(super) const KEPT: &str = "ci_import_kept_";

/// Begins the names that the record and the kept rows of the publish before have meanwhile.
pub(super) const BEFORE: &str = "ci_import_before_";

/// The name of the table where rows of GitLab's table `table` are kept: in `passing` until the tables are
/// moved, then in `previous`.
pub(in crate::server::mysql) fn kept(table: &str) -> String {
    format!("{KEPT}{table}")
}

/// The table of GitLab's of which `name` keeps rows, if it is such a one.
pub(super) fn is_kept_of(name: &str) -> Option<&str> {
    name.strip_prefix(KEPT)
}

/// The name in `passing`, when the tables are moved, of the one where the publish before has kept rows.
pub(in crate::server::mysql) fn kept_before(table: &str) -> String {
    before(&kept(table))
}

/// The name of a table in `passing` for what is needed only while it is published.
pub(in crate::server::mysql) fn scratch(name: &str) -> String {
    format!("{OURS}scratch_{name}")
}

pub(super) fn before(ours: &str) -> String {
    format!("{BEFORE}{}", ours.strip_prefix(OURS).unwrap_or(ours))
}

/// The table with the record, which is its only row.
pub(super) const RECORD: &str = "ci_import_record";
