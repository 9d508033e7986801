//! Which dumps a target accepts.

use memchr::memmem;

use super::dialect::{Dialect, detect};
use super::noise;
use super::postgresql::CONVERTED;
use super::utf16::is_utf16;
use super::xml::{is_xml, is_xml_of_mysqldump};
use crate::error::{Error, Result};

/// So many bytes of a dump are examined to detect its dialect.
pub(crate) const DIALECT_BYTES: usize = 64 * 1024;

/// Which dumps the user asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// MySQL dumps, which are converted, and those that GitLab CI has converted.
    Conversion,
    /// PostgreSQL dumps, which are imported unchanged, and those that GitLab CI has converted.
    AsTheyAre,
    /// Both: a MySQL dump is converted.
    Either,
    /// MySQL dumps, for a MySQL server.
    ForMysql,
}

impl Asked {
    /// For a PostgreSQL target. `--mysql-to-postgresql` asks for a conversion; a dump that is `converted_unasked`
    /// needs no option.
    #[must_use]
    pub fn by_option(mysql_to_postgresql: bool, converted_unasked: bool) -> Asked {
        match (mysql_to_postgresql, converted_unasked) {
            (true, _) => Asked::Conversion,
            (false, true) => Asked::Either,
            (false, false) => Asked::AsTheyAre,
        }
    }
}

/// Refuses a dump of a kind that was not asked for, or that cannot be imported; `start` is its
/// beginning.
pub(crate) fn check_dialect(start: &[u8], asked: Asked) -> Result<Dialect> {
    let start = &start[..start.len().min(DIALECT_BYTES)];
    refuse_xml(start)?;
    let may_convert = asked != Asked::AsTheyAre;
    Err(match detect(start) {
        Some(Dialect::Postgresql) if asked == Asked::ForMysql => {
            let hint = if is_by_convert(start) {
                "import it into a PostgreSQL, or the MySQL dump that it was converted from into this server"
            } else {
                "import it into a PostgreSQL: GitLab itself has to run on one first"
            };
            Error::usage("the dump is one of PostgreSQL; it cannot be moved to a MySQL server")
                .hint(hint)
        }
        Some(Dialect::ConvertedMysql) if asked == Asked::ForMysql => Error::usage(
            "GitLab CI has converted the dump for PostgreSQL; it cannot be moved to a MySQL server",
        )
        .hint("make the backup without MYSQL_TO_POSTGRESQL=1, or import it into a PostgreSQL"),
        Some(Dialect::Mysql) if may_convert => return Ok(Dialect::Mysql),
        None if may_convert && looks_like_sql(start) => return Ok(Dialect::Mysql),
        Some(Dialect::Postgresql) if asked != Asked::Conversion => {
            return Ok(Dialect::Postgresql);
        }
        // Its rows are MySQL's, its definitions PostgreSQL's: it is accepted with and without the option.
        Some(Dialect::ConvertedMysql) => return Ok(Dialect::ConvertedMysql),
        Some(Dialect::Mysql) => {
            Error::usage("the dump was made by MySQL, but the target is PostgreSQL")
                .hint("add --mysql-to-postgresql to convert it")
        }
        Some(Dialect::Postgresql) => {
            Error::usage("the dump is one of PostgreSQL; there is nothing to convert")
                .hint("import it as it is, without --mysql-to-postgresql")
        }
        None => Error::archive("it is no dump of MySQL, MariaDB or PostgreSQL"),
    })
}

/// Refuses XML that reaches the reader: that of mysqldump was made SQL before, if it may be taken.
pub(crate) fn refuse_xml(start: &[u8]) -> Result<()> {
    if !is_xml(start) {
        return Ok(());
    }
    let has = |text: &[u8]| memmem::find(start, text).is_some();
    let (what, hint) = if is_xml_of_mysqldump(start) {
        (
            "the dump is XML of mysqldump; here, only SQL is supported",
            "make the dump again without --xml, or import the dump alone",
        )
    } else if has(b"<pma_xml_export") {
        (
            "the dump is XML of phpMyAdmin, which is not supported",
            "export it again with the format SQL",
        )
    } else {
        (
            "the dump is XML; only that of mysqldump is supported",
            "make a dump as SQL",
        )
    };
    Err(Error::archive(what).hint(hint))
}

/// Refuses XML in UTF-16, as the > of PowerShell writes it: a byte that is no character is lost in it.
pub(crate) fn refuse_xml_in_utf16(start: &[u8]) -> Result<()> {
    if is_utf16(start) && is_xml(start) {
        let what = "the dump is XML in UTF-16, which is not supported";
        return Err(
            Error::archive(what).hint("make it again with --result-file=FILE, without a shell's >")
        );
    }
    Ok(())
}

/// Whether `convert` wrote the dump that begins with `start`.
fn is_by_convert(start: &[u8]) -> bool {
    start
        .strip_prefix(b"-- ")
        .is_some_and(|start| start.starts_with(CONVERTED.as_bytes()))
}

/// Whether a dump without comments and backticks (`--skip-comments --skip-quote-names`) begins here.
pub(crate) fn looks_like_sql(start: &[u8]) -> bool {
    let text = String::from_utf8_lossy(start);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let has_lines = noise::behind_lines(text) != text;
    let text = noise::behind_lines(text);
    let begins = |word: &str| {
        text.get(..word.len())
            .is_some_and(|t| t.eq_ignore_ascii_case(word))
    };
    [
        "CREATE ",
        "DROP ",
        "INSERT ",
        "SET ",
        "USE ",
        "LOCK ",
        "--",
        "/*",
        "#",
        "REPLACE ",
        "DELETE ",
        "TRUNCATE ",
        "ALTER ",
        "BEGIN",
        "START ",
        "DELIMITER ",
    ]
    .iter()
    .any(|word| begins(word))
        // A dump may consist of the error of its program.
        || has_lines && text.is_empty()
}
