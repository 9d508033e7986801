//! The names of the tables that a publish creates for itself.

/// The prefix of all our own tables. A dump's tables may not have it.
pub(super) const OURS: &str = "ci_import_";

/// Marks the database as ours, and holds the number of the publish.
pub(super) const MARK: &str = "ci_import_passing";

/// The prefix of tables with kept rows.
pub(super) const KEPT: &str = "ci_import_kept_";

/// The prefix that the record and the kept rows of the previous publish get during a publish.
pub(super) const BEFORE: &str = "ci_import_before_";

/// The table with the kept rows of GitLab's table `table`: in `passing` until the tables are moved, then in
/// `previous`.
pub(in crate::server::mysql) fn kept(table: &str) -> String {
    format!("{KEPT}{table}")
}

/// The table of GitLab that the table `name` keeps rows of, if it keeps any.
pub(super) fn is_kept_of(name: &str) -> Option<&str> {
    name.strip_prefix(KEPT)
}

/// The name that the previous publish's table of kept rows has in `passing`, during the moves.
pub(in crate::server::mysql) fn kept_before(table: &str) -> String {
    before(&kept(table))
}

/// The name of a table in `passing` that is needed only during the publish.
pub(in crate::server::mysql) fn scratch(name: &str) -> String {
    format!("{OURS}scratch_{name}")
}

pub(super) fn before(ours: &str) -> String {
    format!("{BEFORE}{}", ours.strip_prefix(OURS).unwrap_or(ours))
}

/// In the staging: the record of what is kept for a later publish.
pub(super) const WAITING: &str = "ci_import_waiting";

/// The table with the record, which is its only row.
pub(super) const RECORD: &str = "ci_import_record";
