//! `summary`: many reports become one table.

use std::fs;

use serde_json::Value;

use crate::support::object_storage::{BUCKET, storage};
use crate::support::program::{command, run};
use crate::support::scene::Scene;

#[test]
fn the_reports_of_many_runs_become_one_table() {
    let scene = Scene::bare();
    let folder = scene.path("reports");
    fs::create_dir(&folder).unwrap();
    let dump = scene.path("a.sql");
    fs::write(
        &dump,
        "CREATE TABLE `a` (`id` int);\nINSERT INTO `a` VALUES (1),(2);\n",
    )
    .unwrap();
    let import = |input: &str, report: &str| {
        let report = folder.join(report);
        let mut import = scene.command([input, "--once", "--replace"]);
        run(import.arg("--report").arg(report))
    };
    let dump = dump.to_str().unwrap();
    import(dump, "1.json").succeeds();
    import("missing.sql", "2.json").exits(2);
    fs::write(folder.join("other.json"), "{}").unwrap();
    let shown = folder.to_str().unwrap();
    let page = scene.path("summary.html");
    let markdown = scene.path("summary.md");
    let outcome = run(command(["summary", shown, "-o", page.to_str().unwrap()])).exits(1);
    let outcome = outcome
        .reports("done: import")
        .reports("1 tables, 2 rows, 0 traces, 0 values changed")
        .reports("failed (2): import missing.sql")
        .reports("2 runs: 1 done, 1 failed")
        .reports("left out, no report:");
    assert!(
        !outcome.stdout.contains("another attempt"),
        "{}",
        outcome.whole()
    );
    let html = fs::read_to_string(page).unwrap();
    assert!(
        html.contains("Not all runs ended well") && html.contains("missing.sql"),
        "{html}"
    );

    // The one that failed is done again, and ends well.
    fs::remove_file(folder.join("2.json")).unwrap();
    import(dump, "3.json").succeeds();
    run(command([
        "summary",
        shown,
        "-o",
        markdown.to_str().unwrap(),
    ]))
    .succeeds()
    .reports("already live: import")
    .reports("2 attempts")
    .reports("1 runs: 1 already live");
    let text = fs::read_to_string(markdown).unwrap();
    assert!(text.contains("| ✅ already live | import |"), "{text}");
    run(command([
        "summary",
        folder.join("other.json").to_str().unwrap(),
    ]))
    .exits(2)
    .says("other.json is no report of ci-import");
    run(command(["summary", scene.path("none").to_str().unwrap()])).exits(2);
}

#[test]
fn reports_are_read_from_a_bucket() {
    let scene = Scene::bare();
    let dump = scene.path("a.sql");
    fs::write(&dump, "CREATE TABLE `a` (`id` int);\n").unwrap();
    let mut import = scene.command([dump.to_str().unwrap(), "--replace"]);
    import.args(["--report", &format!("s3://{BUCKET}/summary/a.json")]);
    run(storage().used_by(import, storage().port)).succeeds();
    let prefix = format!("s3://{BUCKET}/summary/");
    let told = run(storage().command(&["summary", &prefix, "--json"])).succeeds();
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(told["outcomes"], serde_json::json!({"done": 1}));
    assert_eq!(told["runs"][0]["try_again"], false);
}
