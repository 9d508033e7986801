//! Messages and progress for other programs, what `-v` tells, and options that are not typed.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::support::program::{command, run, run_fed};
use crate::support::scene::{Dialect, Scene, fixture_dump};
use crate::support::servers::postgresql_url;

/// The lines of standard error, each as JSON.
fn events(stderr: &str) -> Vec<Value> {
    let lines = stderr.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

fn shop(scene: &Scene, sql: &str) -> Command {
    let file = scene.path("shop.sql");
    fs::write(&file, sql).unwrap();
    let mut import = command([file.to_str().unwrap(), "--database-url"]);
    import.arg(postgresql_url(&scene.database));
    import
}

const SHOP: &str = "-- MySQL dump 10.13
CREATE TABLE `orders` (`id` int NOT NULL, `note` varchar(99), PRIMARY KEY (`id`));
INSERT INTO `orders` VALUES (1,'a private note'),(2,'another');
-- Dump completed
";

#[test]
fn progress_is_told_in_events() {
    let scene = Scene::gitlab();
    let archive = fs::read(scene.pack(&fixture_dump(Dialect::Native))).unwrap();
    let mut import = scene.import_command("-");
    import.args(["--progress", "json", "--json"]);
    // It lasts, so that it is told how far it is.
    let done = run_fed(import, |input| {
        let half = archive.len() / 2;
        input.write_all(&archive[..half]).unwrap();
        std::thread::sleep(std::time::Duration::from_secs(4));
        input.write_all(&archive[half..]).unwrap();
    })
    .succeeds();
    let report: Value = serde_json::from_str(&done.stdout).unwrap();
    assert!(report["tables"].is_array());
    let events = events(&done.stderr);
    for event in &events {
        assert!(event["time"].as_str().unwrap().ends_with('Z'), "{event}");
        assert_eq!(event["level"], "info", "{event}");
    }
    let of = |name: &str, part: &str| -> Vec<&Value> {
        let events = events.iter();
        events
            .filter(|event| event["event"] == name && event["part"] == part)
            .collect()
    };
    for part in ["loading the database", "unpacking the traces", "publishing"] {
        assert_eq!(of("begin", part).len(), 1, "{part}: {events:#?}");
        assert_eq!(of("end", part).len(), 1, "{part}: {events:#?}");
    }
    let told = events.iter().any(|event| event["event"] == "progress");
    assert!(told, "{events:#?}");
    let end = of("end", "loading the database")[0];
    let rows = report["tables"].as_array().unwrap().iter();
    let rows: u64 = rows.map(|table| table["rows"].as_u64().unwrap()).sum();
    assert_eq!(
        (&end["items"], &end["unit"]),
        (&rows.into(), &"rows".into())
    );
}

#[test]
fn errors_and_warnings_are_events_too() {
    let scene = Scene::bare();
    let wrong = SHOP.replace("'another'", "'\\'");
    let mut import = shop(&scene, &wrong);
    import.args(["--log-format", "json"]);
    import.env("CI_IMPORT_JOB", "2");
    let done = run(import);
    let code = done.code.unwrap();
    assert_ne!(code, 0);
    let events = events(&done.stderr);
    let of = |name: &str| -> Vec<&Value> {
        events
            .iter()
            .filter(|event| event["event"] == name)
            .collect()
    };
    assert_eq!(of("warning")[0]["code"], "variable-not-read");
    let warning = of("warning")[0]["message"].as_str().unwrap();
    assert!(warning.contains("CI_IMPORT_JOBS"), "{warning}");
    let error = of("error")[0];
    assert_eq!(error["exit_code"], code);
    assert!(
        error["message"].as_str().unwrap().contains("orders"),
        "{error}"
    );
    assert!(of("begin").is_empty());
}

#[test]
fn more_is_told_without_values_and_passwords() {
    let scene = Scene::bare();
    let url = postgresql_url(&scene.database).replace("postgres@", "postgres:a-secret@");
    for (option, format) in [("-v", "text"), ("-vv", "text"), ("-vv", "json")] {
        let file = scene.path("shop.sql");
        fs::write(&file, SHOP).unwrap();
        let mut import = command([file.to_str().unwrap(), "--replace", "--database-url", &url]);
        import.args([option, "--log-format", format]);
        let told = run(import).succeeds().stderr;
        for part in [
            "loading the database",
            "orders",
            "created",
            "built",
            "compared",
            "published",
        ] {
            assert!(told.contains(part), "{part}: {told}");
        }
        assert_eq!(told.contains("rows committed"), option == "-vv", "{told}");
        for secret in ["private note", "another", "a-secret"] {
            assert!(!told.contains(secret), "{secret}: {told}");
        }
        if format == "json" {
            let events = events(&told);
            let committed = events
                .iter()
                .find(|event| event["message"] == "rows committed");
            let committed = committed.unwrap();
            assert_eq!(committed["fields"]["rows"], 2);
            let spans = committed["spans"].as_array().unwrap();
            let names: Vec<&Value> = spans.iter().map(|span| &span["name"]).collect();
            assert_eq!(names, ["part", "table"], "{committed}");
            assert_eq!(spans[1]["fields"]["table"], "orders");
        }
    }
}

#[test]
fn options_come_from_a_file_and_the_environment() {
    let scene = Scene::bare();
    let file = scene.path("ci-import.toml");
    let url = postgresql_url(&scene.database);
    fs::write(
        &file,
        format!("database-url = \"{url}\"\nschema = \"of_file\"\njson = true\n"),
    )
    .unwrap();
    let sql = scene.path("shop.sql");
    fs::write(&sql, SHOP).unwrap();
    let import = || {
        let mut import = command([sql.to_str().unwrap(), "--config", file.to_str().unwrap()]);
        import.arg("-q");
        import
    };
    let schema = |mut import: Command| -> String {
        let told = run(&mut import).succeeds().stdout;
        let report: Value = serde_json::from_str(&told).unwrap();
        report["schema"].as_str().unwrap().to_owned()
    };
    assert_eq!(schema(import()), "of_file");
    let mut by_variable = import();
    by_variable.env("CI_IMPORT_SCHEMA", "of_variable");
    assert_eq!(schema(by_variable), "of_variable");
    let mut typed = import();
    typed
        .args(["--schema", "typed"])
        .env("CI_IMPORT_SCHEMA", "of_variable");
    assert_eq!(schema(typed), "typed");
    for name in ["of_file", "of_variable", "typed"] {
        let count = format!("SELECT count(*) FROM {name}.orders");
        let count: i64 = scene.connect().query_one(&count, &[]).unwrap().get(0);
        assert_eq!(count, 2, "{name}");
    }

    // What is listed is such a file, and a wrong value names its place.
    let mut settings = command(["settings", "--config", file.to_str().unwrap()]);
    settings.env("CI_IMPORT_JOBS", "3");
    let listed = run(settings).succeeds().stdout;
    for line in [
        "schema = \"of_file\"  # schema in ",
        "jobs = 3  # CI_IMPORT_JOBS of",
        "json = true",
    ] {
        assert!(listed.contains(line), "{line}: {listed}");
    }
    let again = scene.path("again.toml");
    fs::write(&again, listed).unwrap();
    let mut import = command([
        sql.to_str().unwrap(),
        "--config",
        again.to_str().unwrap(),
        "-q",
        "--replace",
    ]);
    run(&mut import).succeeds();
    fs::write(&again, "jobs = 99\n").unwrap();
    run(import)
        .exits(2)
        .says("invalid value '99'")
        .says("it comes from jobs in ");
}
