//! What `convert` writes comes back: its dumps and archives are taken as any other of PostgreSQL, and what an import
//! makes of them is what it makes of the MySQL dump, and what psql makes of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::other_versions::{VERSIONS, pg_dump_18};
use crate::support::program::{Outcome, command, project, run};
use crate::support::scene::{Dialect, Scene, TABLES, fixture_dump, load_into_mariadb, mysqldump};
use crate::support::servers::{
    expect_success, new_database_in, new_mariadb_database, postgresql_programs, url_in,
};
use crate::support::state::State;

/// Databases that are made of one MySQL dump in different ways, on one server.
struct Ways {
    scene: Scene,
    dump: PathBuf,
    /// Of the conversion, in each way.
    options: Vec<&'static str>,
}

impl Ways {
    fn new(server: &Path, dump: &[u8], options: &[&'static str]) -> Ways {
        let scene = Scene::bare_on(server);
        let file = scene.path("in.sql");
        fs::write(&file, dump).unwrap();
        Ways {
            scene,
            dump: file,
            options: options.to_vec(),
        }
    }

    fn converted(&self, name: &str) -> PathBuf {
        let output = self.scene.path(name);
        let mut convert = command(["convert", "-q"]);
        convert.arg(&self.dump).args(&self.options);
        run(convert.arg("-o").arg(&output)).succeeds();
        output
    }

    fn run(&self, verb: &[&str], file: &Path, database: &str, options: &[&str]) -> Outcome {
        let mut it = command(verb);
        it.arg(file).args(options);
        run(it.args(["--database-url", &url_in(&self.scene.server, database)]))
    }

    fn imported(&self, file: &Path, options: &[&str]) -> String {
        let database = new_database_in(&self.scene.server);
        self.run(&[], file, &database, options).succeeds();
        database
    }

    /// What an import makes of the MySQL dump, what it makes of the converted one, what psql does, and what an import
    /// makes of a dump of that by pg_dump.
    fn all_lead_to_the_same(&self, is_for_psql: bool) {
        let direct = self.imported(&self.dump, &self.options);
        let full = ["--verify", "full"];
        for name in ["out.sql", "out.sql.gz"] {
            let converted = self.converted(name);
            let read_back = self.imported(&converted, &full);
            self.assert_same(&direct, &read_back);
            for database in [&direct, &read_back] {
                self.run(&["verify"], &converted, database, &[])
                    .succeeds()
                    .reports("all agree");
            }
        }
        let dumped = self.scene.path("dumped.sql");
        fs::write(&dumped, self.pg_dump(&direct, &[]).join("\n")).unwrap();
        // Servers write some expressions in another way when they have read them once more.
        let restored = self.loaded_by_psql(&dumped);
        self.assert_same(&restored, &self.imported(&dumped, &full));
        if is_for_psql {
            let loaded = self.loaded_by_psql(&self.converted("out.sql"));
            self.assert_same(&direct, &loaded);
        }
    }

    fn assert_same(&self, expected: &str, found: &str) {
        for part in ["--schema-only", "--data-only"] {
            let of = |database: &str| {
                let lines = self.pg_dump(database, &[part]);
                let mut lines: Vec<String> =
                    lines.iter().map(|line| next_of_sequence(line)).collect();
                if part == "--data-only" {
                    // Rows have no order.
                    lines.sort();
                }
                lines
            };
            let (expected, found) = (of(expected), of(found));
            for (expected, found) in expected.iter().zip(&found) {
                assert_eq!(expected, found, "{:?}", self.options);
            }
            assert_eq!(expected.len(), found.len(), "{:?}", self.options);
        }
    }

    /// What the real pg_dump writes of `database`, without the random keys around it and settings that older servers do
    /// not know.
    fn pg_dump(&self, database: &str, options: &[&str]) -> Vec<String> {
        let mut pg_dump = Command::new(pg_dump_18());
        pg_dump
            .args(options)
            .arg(url_in(&self.scene.server, database));
        let dump = expect_success(&pg_dump.output().unwrap());
        let dump = String::from_utf8(dump).unwrap();
        let others = [
            "\\restrict",
            "\\unrestrict",
            "SET transaction_timeout",
            "SET default_table_access_method",
        ];
        let is_other = |line: &&str| others.iter().any(|other| line.starts_with(other));
        // How often the server has made the column anew: PostgreSQL of November 2026 keeps it there, and an older pg_dump takes
        // it for an option of the admin's.
        let is_count = |line: &&str| line.contains(" SET (pg_attver=");
        let lines = dump
            .lines()
            .filter(|line| !is_other(line) && !is_count(line));
        lines.map(str::to_owned).collect()
    }

    /// What the book tells an admin to do with a converted dump.
    fn loaded_by_psql(&self, dump: &Path) -> String {
        let database = new_database_in(&self.scene.server);
        let mut psql = Command::new(postgresql_programs().join("psql"));
        psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "--single-transaction"]);
        psql.arg("-f").arg(dump);
        psql.arg(url_in(&self.scene.server, &database));
        expect_success(&psql.output().unwrap());
        database
    }
}

/// A line that says what a sequence gave last, as one that says what it gives next.
fn next_of_sequence(line: &str) -> String {
    let given = line
        .strip_suffix(", true);")
        .filter(|line| line.contains("setval("));
    let Some((before, last)) = given.and_then(|line| line.rsplit_once(", ")) else {
        return line.to_owned();
    };
    format!("{before}, {}, false);", last.parse::<u64>().unwrap() + 1)
}

fn dump_of(fixtures: &[&str], options: &[&str]) -> Vec<u8> {
    let database = new_mariadb_database();
    for name in fixtures {
        load_into_mariadb(&database, &project().join("fixtures").join(name));
    }
    mysqldump(&database, options)
}

/// What PostgreSQL cannot have of the fixture of keys: points, and a time that is within no day.
const OF_KEYS: [&str; 2] = ["--skip-column=parts.e", "--time=interval"];

/// Names and texts that need quotes within quotes, columns that are called as functions and keywords are, and a
/// sequence that is used up.
const ODD: &str = r#"-- MySQL dump 10.13
SET NAMES utf8mb4;
CREATE TABLE `a"b'c\d $$ {x}` (
  `i"d'\ $1` int(11) NOT NULL AUTO_INCREMENT,
  `left` varchar(30) DEFAULT 'a\\b',
  `Select` smallint DEFAULT NULL,
  `e` enum('it''s','b\\c','x"y') NOT NULL DEFAULT 'b\\c',
  `g1` bigint GENERATED ALWAYS AS (abs(`Select`) + `i"d'\ $1`) STORED,
  `g2` varchar(70) GENERATED ALWAYS AS (concat(`left`,'-''\\',`left`)) STORED,
  `in` double DEFAULT -1.5e-7,
  PRIMARY KEY (`i"d'\ $1`),
  KEY `k` (`left`(10),`Select` DESC),
  KEY `fn` ((`Select` * 2)),
  CONSTRAINT `c1` CHECK (`left` in ('a\\b','x') or `Select` between -3 and 9 and not `in` > 4),
  CONSTRAINT `c2` CHECK ((case when `Select` is null then 1 else char_length(`left`) end) <> 77)
) ENGINE=InnoDB AUTO_INCREMENT=40 DEFAULT CHARSET=utf8mb4;
INSERT INTO `a"b'c\d $$ {x}` (`i"d'\ $1`,`left`,`Select`,`e`,`in`) VALUES (1,'a\\b',3,'it''s',2),(45,'x',NULL,'x"y',0.1);
CREATE TABLE `small` (`id` smallint NOT NULL AUTO_INCREMENT, PRIMARY KEY (`id`)) ENGINE=InnoDB AUTO_INCREMENT=32768;
INSERT INTO `small` VALUES (32767);
-- Dump completed
"#;

#[test]
fn the_tables_of_ci_come_back() {
    for dialect in [Dialect::Native, Dialect::Compatible] {
        let scene = Scene::bare();
        let dump = fixture_dump(dialect);
        Ways::new(&scene.server, &dump, &[]).all_lead_to_the_same(true);
    }
}

/// Keys, CHECKs, generated columns, fulltext indexes, defaults, comments, names.
#[test]
fn every_definition_comes_back() {
    let scene = Scene::bare();
    let dump = dump_of(&["every_key.sql"], &[]);
    // A foreign key that rows break: an import leaves it unvalidated, psql stops.
    Ways::new(&scene.server, &dump, &OF_KEYS).all_lead_to_the_same(false);
    let without = [&OF_KEYS[..], &["--skip-table=three"]].concat();
    Ways::new(&scene.server, &dump, &without).all_lead_to_the_same(true);
}

#[test]
fn what_is_odd_comes_back() {
    let scene = Scene::bare();
    for options in [&[][..], &["--enum=type"]] {
        Ways::new(&scene.server, ODD.as_bytes(), options).all_lead_to_the_same(true);
    }
}

/// Values as MySQL writes them, and a server does not: zeros that fill up, JSON.
#[test]
fn every_value_comes_back() {
    let scene = Scene::bare();
    let dump = dump_of(&["every_type.sql"], &[]);
    let common = [
        "--skip-table=shapes",
        "--tinyint1=smallint",
        // The 30th of February.
        "--skip-column=times.a",
        "--skip-column=times.h",
    ];
    let ways: [&[&str]; 4] = [
        // Values that are none of their enum's: psql stops at the CHECK.
        &["--time=interval"],
        &["--time=interval", "--skip-table=not_of_the_enum"],
        &[
            "--time=interval",
            "--skip-table=not_of_the_enum",
            "--timestamps=tz",
            "--zero-dates=infinity",
            "--enum=type",
        ],
        &[
            "--skip-column=times.d",
            "--skip-column=times.e",
            "--skip-table=not_of_the_enum",
            "--timestamps=local",
        ],
    ];
    for (number, more) in ways.into_iter().enumerate() {
        let options = [&common[..], more].concat();
        Ways::new(&scene.server, &dump, &options).all_lead_to_the_same(number > 0);
    }
}

/// Before version 12 there are no generated columns: psql stops at them, and the dump has no values of them.
#[test]
fn other_versions_take_it() {
    let dump = dump_of(&["gitlab_ci.sql", "every_key.sql"], &[]);
    let common = [&OF_KEYS[..], &["--skip-table=three"]].concat();
    let without = "--skip-table=made";
    for version in VERSIONS {
        let server = &version.server().directory;
        let options = [&common[..], &[without]].concat();
        Ways::new(server, &dump, &options).all_lead_to_the_same(true);
        let with = Ways::new(server, &dump, &common);
        if version.major() >= 12 {
            with.all_lead_to_the_same(true);
            continue;
        }
        let converted = with.converted("out.sql");
        let database = new_database_in(server);
        with.run(&[], &converted, &database, &[])
            .exits(1)
            .says("column made.b: this server has no generated columns")
            .says("hint: import into PostgreSQL 12 or later");
    }
}

/// An archive through a pipe and back, with the commands that read one.
#[test]
fn an_archive_comes_back() {
    let source = Scene::gitlab();
    let archive = source.pack(&fixture_dump(Dialect::Native));
    source.import(&archive).succeeds();
    let target = Scene::gitlab();
    let converted = target.path("1443700801_gitlab_ci_backup.tar");
    let mut convert = command(["convert", "-q", "-"]);
    convert.stdin(fs::File::open(&archive).unwrap());
    run(convert.arg("-o").arg(&converted)).succeeds();
    let path = converted.to_str().unwrap();

    let inspected = run(command(["inspect", path]))
        .succeeds()
        .reports("dialect   PostgreSQL")
        .reports("from      ci-import convert ");
    assert!(!inspected.stdout.contains("left out"), "{inspected:?}");
    run(command(["inspect", path, "--json"]))
        .succeeds()
        .reports("\"completed\": true");
    run(target.command(["check", path]))
        .succeeds()
        .reports("PostgreSQL, unchanged");
    let import = target.command([path, "--yes", "--strict"]);
    run(import)
        .succeeds()
        .reports("from ci-import convert ")
        .reports("no value was changed");
    run(target.command(["verify", path]))
        .succeeds()
        .reports("all agree");
    run(target.command(["verify", archive.to_str().unwrap()]))
        .succeeds()
        .reports("all agree");
    for table in TABLES {
        let rows = format!("SELECT * FROM {table} ORDER BY id");
        assert_eq!(source.values(&rows), target.values(&rows), "{table}");
    }
}

/// One that is cut, one whose conversion has failed, and one that there is nothing to convert in.
#[test]
fn what_is_not_whole_is_refused() {
    let scene = Scene::gitlab();
    let source = scene.path("in.sql");
    let dump = fixture_dump(Dialect::Native);
    fs::write(&source, &dump).unwrap();
    let converted = scene.path("out.sql");
    let mut convert = command(["convert", "-q", source.to_str().unwrap(), "-o"]);
    run(convert.arg(&converted)).succeeds();
    let text = fs::read_to_string(&converted).unwrap();
    run(command(["convert", converted.to_str().unwrap()]))
        .exits(2)
        .says("there is nothing to convert");

    let before = State::of(&scene);
    let broken = String::from_utf8(dump).unwrap();
    let broken = broken.replace("(1,'https://example.com", "(x,'https://example.com");
    fs::write(&source, broken).unwrap();
    let failed = run(command(["convert", "-q", source.to_str().unwrap()]))
        .exits(1)
        .stdout;
    let cuts = ["-- Dump completed", "\nSELECT setval", "\nCOPY \"ci_tags\""];
    let cut = cuts.map(|place| {
        let whole_statements = &text[..text.find(place).unwrap()];
        (whole_statements, "is truncated", "convert it again")
    });
    let failed = (failed.as_str(), "was not completed", "convert it again");
    for (text, message, hint) in cut.into_iter().chain([failed]) {
        let archive = scene.pack(text.as_bytes());
        let import = scene.command([archive.to_str().unwrap(), "--yes"]);
        run(import)
            .exits(3)
            .says(message)
            .says(&format!("hint: {hint}"));
        run(command(["inspect", archive.to_str().unwrap()])).exits(3);
    }
    before.assert_same(&State::of(&scene));
}
