//! The sources of the contract: what wrote a dump of the fixture's rows, and how. A further one has an entry
//! here and its name in [`each_source`].

use std::sync::OnceLock;

use crate::archive::converted_source::MEANT;
use crate::archive::postgres_source::{old_style, pg_dump};
use crate::postgresql::values::PREFIXED;
use crate::support::compare::Meant;
use crate::support::converter::{converted, one_line_each};
use crate::support::program::{command, run_fed};
use crate::support::scene::{Dialect, Scene, fixture_database, fixture_dump, mysqldump};

/// Calls the macro `$then` with the names of all sources, behind what else it is given.
macro_rules! each_source {
    ($then:ident $($given:tt)*) => {
        $then! {
            $($given)*:
            mariadb mysql_5_5 mysql_8_0 a_statement_per_row complete_and_hex compatible
            compatible_statement_per_row converted_by_gitlab_ci
            pg_dump_copy pg_dump_inserts pg_dump_column_inserts
            pg_dump_copy_of_old pg_dump_inserts_of_old pg_dump_column_inserts_of_old
            by_convert by_convert_of_compatible by_convert_of_converted_by_gitlab_ci
        }
    };
}
pub(super) use each_source;

/// What a dump is, as far as the manual's matrix goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Mysql,
    Converted,
    Postgresql,
}

/// A dump of the fixture's rows.
pub(crate) struct Source {
    pub(crate) kind: Kind,
    pub(crate) dump: Vec<u8>,
    /// What differs from the fixture's rows, and is meant to.
    pub(crate) meant: &'static [Meant],
    /// Whether it says what numbers were given to rows that are gone.
    pub(crate) has_numbering: bool,
}

fn of_mysql(dump: Vec<u8>) -> Source {
    Source {
        kind: Kind::Mysql,
        dump,
        meant: &PREFIXED,
        has_numbering: true,
    }
}

fn of_postgresql(options: &[&str], is_old: bool) -> Source {
    let dump = pg_dump(imported(), options);
    Source {
        kind: Kind::Postgresql,
        dump: if is_old { old_style(&dump) } else { dump },
        meant: &PREFIXED,
        has_numbering: true,
    }
}

pub(super) fn mariadb() -> Source {
    of_mysql(fixture_dump(Dialect::Native))
}

/// The notation of MySQL 5.5: rows of an INSERT in one line, numbers as defaults in quotes, the character set
/// under its old name.
pub(super) fn mysql_5_5() -> Source {
    let dump = of_mysql_itself("5.5.46");
    of_mysql(in_definitions(&dump, |line| line.replace("utf8mb3", "utf8")).into())
}

/// The notation of MySQL 8.0: integers without a width, but for tinyint(1), character sets in full.
pub(super) fn mysql_8_0() -> Source {
    let dump = of_mysql_itself("8.0.36").replace(
        "/*!40101 SET NAMES utf8mb4 */",
        "/*!50503 SET NAMES utf8mb4 */",
    );
    let dump = in_definitions(&dump, |line| {
        line.replace(" int(11)", " int").replace(
            " COLLATE utf8mb3_",
            " CHARACTER SET utf8mb3 COLLATE utf8mb3_",
        )
    });
    assert!(dump.contains(" int NOT NULL AUTO_INCREMENT") && !dump.contains("int(11)"));
    of_mysql(dump.into())
}

pub(super) fn a_statement_per_row() -> Source {
    of_mysql(mysqldump(fixture_database(), &["--skip-extended-insert"]))
}

pub(super) fn complete_and_hex() -> Source {
    let options = ["--complete-insert", "--hex-blob"];
    of_mysql(mysqldump(fixture_database(), &options))
}

pub(super) fn compatible() -> Source {
    Source {
        has_numbering: false,
        ..of_mysql(fixture_dump(Dialect::Compatible))
    }
}

pub(super) fn compatible_statement_per_row() -> Source {
    let options = ["--compatible=postgresql", "--skip-extended-insert"];
    Source {
        has_numbering: false,
        ..of_mysql(mysqldump(fixture_database(), &options))
    }
}

pub(super) fn converted_by_gitlab_ci() -> Source {
    Source {
        kind: Kind::Converted,
        dump: converted(&fixture_dump(Dialect::Compatible)),
        meant: &MEANT,
        has_numbering: false,
    }
}

pub(super) fn pg_dump_copy() -> Source {
    of_postgresql(&[], false)
}

pub(super) fn pg_dump_inserts() -> Source {
    of_postgresql(&["--inserts"], false)
}

pub(super) fn pg_dump_column_inserts() -> Source {
    of_postgresql(&["--column-inserts"], false)
}

pub(super) fn pg_dump_copy_of_old() -> Source {
    of_postgresql(&[], true)
}

pub(super) fn pg_dump_inserts_of_old() -> Source {
    of_postgresql(&["--inserts"], true)
}

pub(super) fn pg_dump_column_inserts_of_old() -> Source {
    of_postgresql(&["--column-inserts"], true)
}

pub(super) fn by_convert() -> Source {
    by_convert_of(&mariadb())
}

pub(super) fn by_convert_of_compatible() -> Source {
    by_convert_of(&compatible())
}

pub(super) fn by_convert_of_converted_by_gitlab_ci() -> Source {
    by_convert_of(&converted_by_gitlab_ci())
}

/// What `convert` makes of `source`.
fn by_convert_of(source: &Source) -> Source {
    let convert = command(["convert", "-q", "-"]);
    let outcome = run_fed(convert, |input| input.write_all(&source.dump).unwrap());
    Source {
        kind: Kind::Postgresql,
        dump: outcome.succeeds().stdout.into_bytes(),
        meant: source.meant,
        has_numbering: source.has_numbering,
    }
}

/// The database in PostgreSQL with the fixture's rows, nothing more; nobody changes it.
fn imported() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        let scene = Scene::gitlab();
        let archive = scene.pack(&fixture_dump(Dialect::Native));
        scene.import(&archive).succeeds();
        scene.into_database()
    })
}

/// What MariaDB's own notation and that of all MySQLs until 8.0 differ in.
fn of_mysql_itself(version: &str) -> String {
    let dump = String::from_utf8(fixture_dump(Dialect::Native)).unwrap();
    let dump = one_line_each(&dump);
    let begin = dump.find("/*!40101 SET @OLD").unwrap();
    let dump = format!(
        "-- MySQL dump 10.13  Distrib {version}, for debian-linux-gnu (x86_64)\n--\n\n{}",
        &dump[begin..]
    );
    let dump = in_definitions(&dump, |line| {
        let line = line.replace("text DEFAULT NULL", "text");
        match line.split_once(" DEFAULT ") {
            Some((before, default)) if default.starts_with(|c: char| c.is_ascii_digit()) => {
                let (number, rest) = default.split_once(',').unwrap_or((default, ""));
                let comma = if line.ends_with(',') { "," } else { "" };
                format!("{before} DEFAULT '{number}'{rest}{comma}")
            }
            _ => line,
        }
    });
    assert!(dump.contains("DEFAULT '3600'") && !dump.contains("MariaDB"));
    dump
}

/// The dump with each line of a definition as `change` has it.
fn in_definitions(dump: &str, change: impl Fn(&str) -> String) -> String {
    let is_definition = |line: &str| line.starts_with("  ") || line.starts_with(") ENGINE");
    let line = |line: &str| {
        if is_definition(line) {
            change(line)
        } else {
            line.to_owned()
        }
    };
    dump.split('\n').map(line).collect::<Vec<_>>().join("\n")
}
