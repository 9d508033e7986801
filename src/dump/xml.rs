//! Dumps in XML (`mysqldump --xml`): they reach the reader as SQL, with comments that say what the XML does not have.

use super::bounds::remembered;
use super::noise;
use super::utf16::beginning_in_utf8;

/// How a comment begins that says what the XML does not have of a table.
const MARK: &str = "ci-import: not in the XML: ";

/// The first comment of the SQL.
const BEGINNING: &str = "MySQL dump in XML, by mysqldump";

/// What a report says of a dump in XML.
pub const ABOUT_XML: &str = "the dump is XML, which has no foreign keys, CHECK constraints, partitions and character sets of columns, \
     and of MySQL no generated columns: whatever the tables had of these is not imported";

/// What the XML does not have of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotInXml {
    /// The table, with its database if that becomes a schema.
    pub table: String,
    /// The column or index.
    pub item: String,
    /// What was done.
    pub what: String,
}

/// The first line of the SQL.
#[must_use]
pub fn beginning_of_xml() -> String {
    format!("-- {BEGINNING}\n")
}

/// The comment about an item of a table.
#[must_use]
pub fn not_in_xml(table: &str, item: &str, what: &str) -> String {
    // JSON has no line ends.
    format!("-- {MARK}{}\n", serde_json::json!([table, item, what]))
}

/// Whether `comment`, without its hyphens, is the first one of the SQL.
pub(super) fn is_beginning_of_xml(comment: &str) -> bool {
    comment == BEGINNING
}

/// What `comment`, without its hyphens, says about a table.
pub(super) fn noted(comment: &str) -> Option<NotInXml> {
    let json = comment.strip_prefix(MARK)?;
    let [table, item, what] = serde_json::from_str::<[String; 3]>(json).ok()?;
    Some(NotInXml {
        table: remembered(&table),
        item: remembered(&item),
        what: remembered(&what),
    })
}

/// Whether an input that begins with `start` is XML.
pub(super) fn is_xml(start: &[u8]) -> bool {
    let start = beginning_in_utf8(start);
    noise::behind_lines(&String::from_utf8_lossy(&start)).starts_with("<?xml")
}

/// Whether an input that begins with `start`, at least the first 400 bytes, is XML of mysqldump or mariadb-dump.
#[must_use]
pub fn is_xml_of_mysqldump(start: &[u8]) -> bool {
    is_xml(start) && memchr::memmem::find(&beginning_in_utf8(start), b"<mysqldump").is_some()
}
