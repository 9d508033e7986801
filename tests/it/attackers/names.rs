//! Names that others choose forge no line of a report, and reach no terminal as they are; a program that reads JSON gets
//! them exactly.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use ci_import::ui::shown::is_visible;
use serde_json::Value;

use crate::migrations::mysql::MysqlMigrations;
use crate::migrations::postgresql::Migrations;
use crate::support::archives::{END, archive, entry};
use crate::support::mysql_scene::MysqlScene;
use crate::support::program::{Outcome, command, run, run_fed};
use crate::support::scene::{Dialect, Scene, fixture_dump};

/// What names have in them: each is a name of its own, and all are parts of one.
const HOSTILE: [&str; 10] = [
    "\nforged: all agree",
    "\rforged",
    "\u{1b}[2J",
    "\u{7f}\u{9b}31m",
    "\u{85}forged",
    "\u{2028}forged",
    "\u{202e}forged",
    "\u{200b}\u{2066}",
    "\u{feff}\u{ad}",
    "\tforged     1     1",
];

/// Everything that it printed is visible, and no line of it begins as a name would have it. A line that is too long is
/// continued below, but further to the right.
#[track_caller]
fn assert_shown(outcome: &Outcome) {
    for text in [&outcome.stdout, &outcome.stderr] {
        let hidden: Vec<char> = text
            .chars()
            .filter(|c| *c != '\n' && !is_visible(*c))
            .collect();
        assert!(hidden.is_empty(), "{hidden:?}\n{}", outcome.whole());
        let forged = text.lines().any(|line| line.starts_with("forged"));
        assert!(!forged, "{}", outcome.whole());
    }
}

#[track_caller]
fn json(outcome: &Outcome) -> Value {
    assert_shown(outcome);
    serde_json::from_str(&outcome.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", outcome.whole()))
}

/// The names of the tables of a report.
fn tables(report: &Value) -> Vec<&str> {
    let tables = report["tables"].as_array().unwrap().iter();
    tables
        .map(|table| table["name"].as_str().unwrap())
        .collect()
}

/// A dump of a table for each hostile name, with a hostile column, key, CHECK and view.
fn dump() -> (String, Vec<String>) {
    let mut sql = "-- MySQL dump 10.13  for \u{9b}31m\u{202e}\n".to_owned();
    let mut names = Vec::new();
    for (number, hostile) in HOSTILE.iter().enumerate() {
        let (table, column) = (format!("t{number}{hostile}"), format!("c{hostile}"));
        sql += &format!(
            "CREATE TABLE `{table}` (`{column}` datetime, `d{hostile}` int, KEY `k{hostile}` (`d{hostile}`), \
             CONSTRAINT `x{hostile}` CHECK (`d{hostile}` > 5)) ENGINE=InnoDB;\n\
             INSERT INTO `{table}` VALUES ('2015-00-00 00:00:00',1);\n\
             /*!50001 CREATE VIEW `v{number}{hostile}` AS SELECT 1 */;\n"
        );
        names.push(table);
    }
    sql += "-- Dump completed\n";
    (sql, names)
}

/// Imports, checks and verifies in all forms.
fn all_forms(folder: &Path, url: &str, more: &[&str]) {
    let (sql, names) = dump();
    let path = folder.join("dump\u{9b}\nforged\u{202e}.sql");
    fs::write(&path, sql).unwrap();
    let with = |first: &[&str], last: &[&str]| {
        let mut it = command(first);
        it.arg(&path)
            .args(["--database-url", url])
            .args(more)
            .args(last);
        run(it)
    };
    let imported = with(&[], &["--replace"]).succeeds();
    assert_shown(&imported);
    imported.reports("t0\\u{a}forged: all agree");
    let report = json(&with(&[], &["--replace", "--json"]).succeeds());
    assert_eq!(tables(&report), names);
    let input = report["input"].as_str().unwrap();
    assert!(input.ends_with("dump\u{9b}\nforged\u{202e}.sql"), "{input}");
    // It is there already.
    assert_shown(&with(&[], &[]).exits(2));
    assert_shown(&with(&["check"], &[]));
    json(&with(&["check"], &["--json"]));
    let verified = with(&["verify"], &[]);
    assert_shown(&verified);
    let report = json(&with(&["verify"], &["--json"]));
    assert_eq!(tables(&report), names);
    let inspect = |more: &[&str]| {
        let mut it = command(["inspect"]);
        it.arg(&path).args(more);
        run(it).succeeds()
    };
    assert_shown(&inspect(&[]));
    assert_eq!(tables(&json(&inspect(&["--json"]))), names);
    let mut convert = command(["convert", "--output", "/dev/null"]);
    assert_shown(&run(convert.arg(&path)).succeeds());
}

#[test]
fn hostile_names_in_postgresql() {
    let scene = Scene::bare();
    let schema = "s\u{9b}\nforged\u{202e}";
    all_forms(scene.directory.path(), &scene.url(), &["--schema", schema]);
    let dump = format!(
        "--\n-- PostgreSQL database dump\n--\n\nSET client_encoding = 'UTF8';\nCREATE TABLE public.\"t{0}\" (\"c{0}\" integer);\n\
         COPY public.\"t{0}\" (\"c{0}\") FROM stdin;\nx\n\\.\n\n--\n-- PostgreSQL database dump complete\n--\n",
        HOSTILE.concat().chars().take(20).collect::<String>()
    );
    let path = scene.path("dump.sql");
    fs::write(&path, dump).unwrap();
    let url = scene.url();
    let import = [path.to_str().unwrap(), "--database-url", &url];
    assert_shown(&run(command(import)).exits(1));
}

#[test]
fn hostile_names_in_mariadb() {
    let scene = MysqlScene::bare();
    all_forms(&scene.path(""), &scene.stage().url, &[]);
}

/// A name that is like several columns of a report is in quotes.
#[test]
fn a_name_of_several_words_is_in_quotes() {
    let scene = Scene::bare();
    let path = scene.path("dump.sql");
    let name = "builds                          73,217              9";
    let dump =
        format!("CREATE TABLE `{name}` (a int) ENGINE=InnoDB;\nINSERT INTO `{name}` VALUES (1);\n");
    fs::write(&path, dump).unwrap();
    let url = scene.url();
    for first in [&[][..], &["verify"]] {
        let mut it = command(first);
        it.arg(&path).args(["--database-url", &url]);
        run(it).succeeds().reports(&format!("\n\"{name}\" "));
    }
    run(command(["inspect", path.to_str().unwrap()])).reports(&format!("\n\"{name}\" "));
}

/// The names of traces, in an archive and in the builds directory.
#[test]
fn hostile_names_of_traces() {
    let scene = Scene::gitlab();
    let path = scene.path("1443700800_gitlab_ci_backup.tar");
    let names: Vec<String> = HOSTILE
        .iter()
        .map(|hostile| format!("2015_10/1/7{hostile}.log"))
        .collect();
    let mut traces = Vec::new();
    for name in &names {
        traces.extend(entry(
            name.as_bytes(),
            tar::EntryType::Regular,
            b"x",
            |_| (),
        ));
    }
    traces.extend(END);
    let dump = fixture_dump(Dialect::Native);
    fs::write(&path, archive(&traces, &dump)).unwrap();
    let shown = path.to_str().unwrap();
    let imported = scene.import(&path);
    assert_shown(&imported);
    let inspected = run(command(["inspect", shown, "--json"]));
    assert_shown(&inspected);
    if imported.code == Some(0) {
        let largest = json(&inspected)["traces"]["largest"]["name"].clone();
        let largest = largest.as_str().unwrap();
        assert!(names.iter().any(|name| name == largest), "{largest:?}");
        fs::remove_dir_all(scene.builds().join("2015_10")).unwrap();
        let verify = |more: &[&str]| {
            let mut it = scene.command(["verify", shown]);
            it.args(more);
            run(it).exits(1)
        };
        assert_shown(&verify(&[]));
        let report = json(&verify(&["--json"]));
        let problems = report["traces"]["problems"][0].as_str().unwrap();
        assert!(problems.contains(&names[0]), "{problems:?}");
    }
}

/// The names of databases and users in the messages of the target.
#[test]
fn hostile_names_of_databases_and_users() {
    let scene = Scene::bare();
    let name = "d\u{9b}\nforged\u{202e}";
    let sql = format!("CREATE DATABASE \"{name}\"");
    scene.connect().batch_execute(&sql).unwrap();
    let path = scene.path("dump.sql");
    fs::write(
        &path,
        "CREATE TABLE `t` (a int);\nINSERT INTO `t` VALUES (1);\n",
    )
    .unwrap();
    let encoded = "d%C2%9B%0Aforged%E2%80%AE";
    let with = |url: &str, more: &[&str]| {
        let mut it = command([path.to_str().unwrap(), "--database-url", url, "--replace"]);
        it.args(more);
        run(it)
    };
    let url = scene.url();
    let (base, _) = url.rsplit_once('/').unwrap();
    let (base, query) = url
        .split_once('?')
        .map_or((base, ""), |(_, query)| (base, query));
    assert_eq!(query, "");
    let of_database = format!("{base}/{encoded}");
    assert_shown(&with(&of_database, &[]).succeeds());
    let report = json(&with(&of_database, &["--json"]).succeeds());
    let target = report["target"].as_str().unwrap();
    assert!(target.contains(name), "{target:?}");
    let of_user = url.replace("postgres@", "u%C2%9B%0Aforged@");
    assert_ne!(of_user, url);
    assert_shown(&with(&of_user, &[]).exits(4));
    let sql = format!("DROP DATABASE \"{name}\"");
    scene.connect().batch_execute(&sql).unwrap();

    let other = MysqlScene::bare();
    let of_user = other.stage().url.replace("root@", "u%C2%9B%0Aforged@");
    assert_shown(&with(&of_user, &[]).exits(4));
    let of_database = other.stage().url.replace(&other.databases.live, encoded);
    assert_shown(&with(&of_database, &[]));
}

/// What a question shows, which only a terminal gets.
#[test]
fn questions_show_names_on_their_lines() {
    let scene = Scene::gitlab();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    let name = "builds\u{9b}\nforged\u{202e}";
    let builds = scene.path(name);
    fs::create_dir_all(builds.join("2014_01/1")).unwrap();
    fs::write(builds.join("2014_01/1/1.log"), "x").unwrap();
    fs::set_permissions(&builds, fs::Permissions::from_mode(0o755)).unwrap();
    let mut import = command([archive.to_str().unwrap(), "--mysql-to-postgresql"]);
    import.args(["--database-url", &scene.url()]);
    import.arg("--builds-path").arg(&builds);
    // Without a terminal it is an error with the same names.
    let outcome = run(&mut import).exits(2);
    assert_shown(&outcome);
    let mut in_terminal = Command::new("script");
    in_terminal.args([
        "-qec",
        "\"$PROGRAM\" \"$ARCHIVE\" --mysql-to-postgresql --database-url \"$URL\" --builds-path \"$BUILDS\"",
        "/dev/null",
    ]);
    in_terminal.env("PROGRAM", import.get_program());
    in_terminal.env("ARCHIVE", &archive).env("URL", scene.url());
    in_terminal
        .env("BUILDS", &builds)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let outcome = run_fed(in_terminal, |input| {
        // `script` ends with its input.
        input.write_all(b"n\n").unwrap();
        std::thread::sleep(Duration::from_secs(5));
    });
    assert_eq!(outcome.code, Some(1), "{}", outcome.whole());
    let shown = outcome.stdout.replace("\r\n", "\n");
    assert!(
        shown.contains("builds\\u{9b}\\u{a}forged\\u{202e}?"),
        "{shown:?}"
    );
    // Bars are drawn by escape sequences; a question is not.
    let question = shown.split("already has CI data").nth(1).unwrap();
    let question = question.split("[y/N]").next().unwrap();
    assert!(
        question.chars().all(|c| c == '\n' || is_visible(c)),
        "{question:?}"
    );
}

/// The name of a table that a migration names.
#[test]
fn hostile_names_in_migrations() {
    let it = Migrations::of(&[]);
    let text = "-- migrate:up\nALTER TABLE \"t\u{9b}\u{202e}\nforged\" ADD a int;\n";
    it.write("migrate/20260101000000_x.sql", text);
    let outcomes = [it.migrate(&[]), it.migrate(&["--show-values"])];
    let other = MysqlMigrations::of(&[]);
    other.write("migrate/20260101000000_x.sql", &text.replace('"', "`"));
    let others = [other.migrate(&[]), other.migrate(&["--show-values"])];
    for outcome in outcomes.into_iter().chain(others) {
        assert_shown(&outcome.exits(1));
    }
    for arguments in [&["status"][..], &["status", "--json"]] {
        assert_shown(&it.migrate(arguments));
    }
    // The SQL is printed with its line ends.
    it.migrate(&["--dry-run"])
        .succeeds()
        .reports("\nALTER TABLE \"t\\u{9b}\\u{202e}\nforged\" ADD a int;\n");
}
