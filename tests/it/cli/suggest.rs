//! `inspect --suggest` names the options with which an import succeeds, and no others.

use std::fs;

use serde_json::Value;

use crate::support::program::{command, run};
use crate::support::scene::{Dialect, Scene, fixture_dump};

/// Dumps, and what each needs.
const CASES: [(&str, &[&str]); 8] = [
    (
        "CREATE TABLE t (a int, b tinyint(1), c time, d date);\nINSERT INTO t VALUES (1, 7, '10:00:00', '0000-00-00');\n",
        &[],
    ),
    (
        "SET sql_mode = 'ALLOW_INVALID_DATES';\nCREATE TABLE t (d date, e datetime);\nINSERT INTO t VALUES ('2023-02-30', '2023-02-31 00:00:00');\n",
        &["--invalid-dates null"],
    ),
    (
        "CREATE TABLE t (c time);\nINSERT INTO t VALUES ('-838:59:59');\n",
        &["--time interval"],
    ),
    (
        "SET NAMES utf8mb4;\nCREATE TABLE t (c text);\nINSERT INTO t VALUES ('\\xFF');\n",
        &["--invalid-utf8 replace"],
    ),
    (
        "CREATE TABLE t (a int, f geometrycollection, v vector(3));\nINSERT INTO t VALUES (1, NULL, NULL);\n",
        &["--geometry wkb"],
    ),
    (
        "USE a;\nCREATE TABLE t (c time);\nINSERT INTO t VALUES ('25:00:00');\nUSE b;\nCREATE TABLE t (c date);\n",
        &["--databases-to-schemas", "--time interval"],
    ),
    ("USE a;\nCREATE TABLE t (c int);\n", &[]),
    (
        "USE a;\nCREATE TABLE t (c int);\nUSE mysql;\nCREATE TABLE user (c int);\n",
        &["--databases-to-schemas"],
    ),
];

#[test]
fn the_suggested_options_are_enough() {
    for (sql, expected) in CASES {
        let scene = Scene::bare();
        let file = scene.path("dump.sql");
        let sql: Vec<u8> = sql
            .split("\\xFF")
            .map(|part| part.as_bytes().to_vec())
            .collect::<Vec<_>>()
            .join(&0xff);
        fs::write(&file, &sql).unwrap();
        let path = file.to_str().unwrap();
        let found = run(command(["inspect", "--suggest", "--json", path])).succeeds();
        let found: Value = serde_json::from_str(&found.stdout).unwrap();
        let options: Vec<String> = found["options"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["option"].as_str().unwrap().to_owned())
            .collect();
        let without_vector = options.iter().filter(|it| !it.contains("skip-column t.v"));
        let without_vector: Vec<&String> = without_vector.collect();
        assert_eq!(without_vector, expected, "{found:#}");
        let import = || command([path, "--database-url", &scene.url()]);
        let words = options.iter().flat_map(|option| option.split(' '));
        if !options.is_empty() {
            let needs = |it: &Value| it["condition"].is_null();
            if found["options"].as_array().unwrap().iter().any(needs) {
                let failed = run(import());
                assert_ne!(failed.code, Some(0), "{options:?} are not needed");
            }
        }
        run(import().args(words)).succeeds();
        let text = run(command(["inspect", "--suggest", path])).succeeds();
        assert!(!text.stdout.contains("\\u"), "{}", text.stdout);
        for option in &options {
            assert!(
                text.stdout.contains(&format!("\n  {option}\n")),
                "{}",
                text.stdout
            );
        }
    }
}

#[test]
fn an_archive_says_that_it_is_to_be_converted() {
    let scene = Scene::bare();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    run(command(["inspect", "--suggest", archive.to_str().unwrap()]))
        .succeeds()
        .reports("  --mysql-to-postgresql\n");
}

#[test]
fn an_error_for_a_value_says_where_all_are_named() {
    let scene = Scene::bare();
    let file = scene.path("dump.sql");
    for (data_type, value) in [("time", "25:00:00"), ("date", "2023-02-30")] {
        let sql = format!("CREATE TABLE t (c {data_type});\nINSERT INTO t VALUES ('{value}');\n");
        fs::write(&file, sql).unwrap();
        run(command([
            file.to_str().unwrap(),
            "--database-url",
            &scene.url(),
        ]))
        .exits(1)
        .says("inspect --suggest names all columns");
    }
}
