//! The reports in files: of each command, in each format, also when the command fails.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::program::{Outcome, command, project, run, unbroken};
use crate::support::scene::{Dialect, Scene, fixture_dump};
use crate::support::servers::postgresql_url;

/// Adds a report in each format, in the scene's directory, with this name.
fn reporting(scene: &Scene, mut to: Command, name: &str) -> (Command, [PathBuf; 4]) {
    let files = ["html", "json", "xml", "md"].map(|ending| scene.path(&format!("{name}.{ending}")));
    for file in &files {
        to.arg("--report").arg(file);
    }
    (to, files)
}

/// The document in the JSON report, which the schema must describe.
fn document(file: &Path) -> Value {
    let schema = fs::read_to_string(project().join("schemas/report-1.json")).unwrap();
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::options()
        .should_validate_formats(true)
        .build(&schema)
        .unwrap();
    let document: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&document)
        .map(|error| format!("{error} at {}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}\n{document:#}");
    document
}

/// The names of JUnit's cases, and of those that failed.
fn cases(file: &Path) -> (Vec<String>, Vec<String>) {
    let text = fs::read_to_string(file).unwrap();
    let xml = roxmltree::Document::parse(&text).unwrap();
    let root = xml.root_element();
    let of = |name: &'static str| {
        root.descendants()
            .filter(move |node| node.has_tag_name(name))
    };
    let name = |node: roxmltree::Node<'_, '_>| node.attribute("name").unwrap().to_owned();
    let all: Vec<String> = of("testcase").map(name).collect();
    let failed: Vec<String> = of("failure").map(|it| name(it.parent().unwrap())).collect();
    assert_eq!(root.attribute("tests"), Some(&*all.len().to_string()));
    assert_eq!(root.attribute("failures"), Some(&*failed.len().to_string()));
    (all, failed)
}

fn import_dump(scene: &Scene, sql: &str) -> Command {
    let file = scene.path("shop.sql");
    fs::write(&file, sql).unwrap();
    let mut import = command([file.to_str().unwrap(), "--database-url"]);
    import.arg(postgresql_url(&scene.database));
    import
}

const SHOP: &str = "-- MySQL dump 10.13
CREATE TABLE `a|b<script>alert(1)</script>` (`id` int NOT NULL, `d` date, PRIMARY KEY (`id`));
INSERT INTO `a|b<script>alert(1)</script>` VALUES (1,'0000-00-00'),(2,'2024-02-29');
CREATE TABLE `empty` (`id` int);
-- Dump completed
";

#[test]
fn an_import_of_an_archive_is_reported() {
    let scene = Scene::gitlab();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    let import = scene.import_command(archive.to_str().unwrap());
    let (import, [html, json, xml, md]) = reporting(&scene, import, "import");
    let told = run(import).succeeds();
    let document = document(&json);
    for (key, expected) in [("command", "import"), ("outcome", "done")] {
        assert_eq!(document[key], expected);
    }
    let rows = |name: &str| -> i64 {
        let sql = format!("SELECT count(*) FROM {name}");
        scene.connect().query_one(&sql, &[]).unwrap().get(0)
    };
    let tables = document["result"]["tables"].as_array().unwrap();
    assert!(tables.len() >= 14, "{document:#}");
    for table in tables {
        let name = table["name"].as_str().unwrap();
        assert_eq!(table["rows"], rows(name), "{name}");
        assert_eq!(table["rows_found"], table["rows"], "{name}");
        assert_eq!(table["checked"], "count");
    }
    let parts: Vec<&str> = document["parts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| part["name"].as_str().unwrap())
        .collect();
    for part in [
        "loading the database",
        "building the indexes",
        "unpacking the traces",
        "verifying the staged data",
        "publishing",
    ] {
        assert!(parts.contains(&part), "{part}: {parts:?}");
    }
    let elapsed = document["seconds"].as_f64().unwrap();
    for part in document["parts"].as_array().unwrap() {
        let [begin, end] = ["begin", "end"].map(|key| part[key].as_f64().unwrap());
        assert!(begin <= end && end <= elapsed, "{document:#}");
    }
    let with_rows = tables.iter().filter(|table| table["rows"] != 0).count();
    assert_eq!(document["tables_read"].as_array().unwrap().len(), with_rows);
    let rollback = document["go_back"][0]["command"].as_str().unwrap();
    let expected = format!(
        "ci-import rollback --database-url {}",
        quoted(&postgresql_url(&scene.database))
    );
    assert!(rollback.starts_with(&expected), "{rollback}");

    let html = fs::read_to_string(&html).unwrap();
    let md = fs::read_to_string(&md).unwrap();
    let (cases, failed) = cases(&xml);
    assert!(failed.is_empty(), "{failed:?}");
    for table in tables {
        let name = table["name"].as_str().unwrap();
        assert!(html.contains(name), "{name}");
        assert!(md.contains(&name.replace('_', "\\_")), "{name}: {md}");
        assert!(cases.iter().any(|case| case.contains(name)), "{cases:?}");
    }
    assert!(html.contains("8.0.5") && html.contains("<svg"), "{html}");
    for forbidden in ["http://", "https://", "src=", "@import", "url("] {
        assert!(!html.contains(forbidden), "{forbidden}");
    }
    // The command that is shown does go back.
    let words = format!("{} --yes", rollback.replace("ci-import ", ""));
    let mut shell = Command::new("sh");
    let program = command([""; 0]).get_program().to_owned();
    shell
        .arg("-c")
        .arg(format!("exec \"$0\" {words}"))
        .arg(program);
    run(shell).succeeds();
    assert!(told.stdout.contains("done in "), "{told:?}");
}

/// As the report shows a word of a shell.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+,=".contains(c);
    if text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{text}'")
    }
}

#[test]
fn a_name_is_no_part_of_a_page_and_others_may_read_it() {
    let scene = Scene::bare();
    let mut import = import_dump(&scene, SHOP);
    import.args(["--zero-dates", "null", "--strict"]);
    let (import, [html, json, xml, md]) = reporting(&scene, import, "shop");
    run(import).exits(5);
    let document = document(&json);
    assert_eq!(
        (&document["outcome"], &document["exit_code"]),
        (&"changed".into(), &5.into())
    );
    let change = &document["result"]["tables"][0]["changes"][0];
    assert_eq!(
        (&change["code"], &change["policy"]),
        (&"zero-date".into(), &"--zero-dates null".into())
    );
    let html_text = fs::read_to_string(&html).unwrap();
    assert!(!html_text.contains("<script>alert"), "{html_text}");
    assert!(html_text.contains("&lt;script&gt;alert"), "{html_text}");
    let md = fs::read_to_string(&md).unwrap();
    assert!(!md.replace("\\<", "").contains("<script"), "{md}");
    let (all, failed) = cases(&xml);
    assert!(
        all.iter().any(|name| name.contains("<script>alert")),
        "{all:?}"
    );
    assert!(!failed.is_empty(), "{all:?}");
    // As any new file of the user, unlike a dump.
    let new = scene.path("new");
    fs::write(&new, "").unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&html), mode(&new));
}

#[test]
fn a_failure_is_reported_too() {
    let scene = Scene::bare();
    let wrong = SHOP.replace("2024-02-29", "2023-02-30");
    let (import, [html, json, xml, md]) = reporting(&scene, import_dump(&scene, &wrong), "failed");
    let told = run(import).exits(1).stderr;
    let document = document(&json);
    assert_eq!(
        (&document["outcome"], &document["exit_code"]),
        (&"failed".into(), &1.into())
    );
    let message = document["error"]["message"].as_str().unwrap();
    assert!(unbroken(&told).contains(message), "{told} {message}");
    assert!(!message.contains("2023-02-30"), "{message}");
    assert!(document["error"]["hint"].is_string() || document["error"]["lines"][0].is_string());
    assert_eq!(cases(&xml).1.len(), 1);
    for file in [html, md] {
        let text = fs::read_to_string(file).unwrap();
        assert!(text.contains("--invalid-dates"), "{text}");
    }
}

#[test]
fn checks_and_comparisons_are_reported() {
    let scene = Scene::bare();
    let import = import_dump(&scene, SHOP);
    let url = postgresql_url(&scene.database);
    let file = scene.path("shop.sql");
    let policy = ["--zero-dates", "null"];
    let on_dump = |name: &str| {
        let mut made = command([name, file.to_str().unwrap(), "--database-url", &url]);
        if name == "verify" {
            made.args(policy);
        }
        made
    };
    let (check, [_, json, xml, _]) = reporting(&scene, on_dump("check"), "check");
    run(check).succeeds();
    assert_eq!(document(&json)["outcome"], "done");
    assert_eq!(cases(&xml).1, Vec::<String>::new());

    let mut import = import;
    import.args(policy);
    run(import).succeeds();
    let (verify, [_, json, xml, _]) = reporting(&scene, on_dump("verify"), "verify");
    run(verify).succeeds();
    assert_eq!(document(&json)["outcome"], "done");
    let (all, failed) = cases(&xml);
    assert_eq!((all.len(), failed.len()), (2, 0), "{all:?}");

    scene
        .connect()
        .batch_execute("INSERT INTO empty VALUES (1)")
        .unwrap();
    let (verify, [html, json, xml, md]) = reporting(&scene, on_dump("verify"), "verify");
    run(verify).exits(1);
    assert_eq!(document(&json)["outcome"], "differs");
    let (_, failed) = cases(&xml);
    assert!(
        failed.len() == 1 && failed[0].contains("empty"),
        "{failed:?}"
    );
    for file in [html, md] {
        assert!(
            fs::read_to_string(file)
                .unwrap()
                .contains("rows instead of")
        );
    }

    let missing = scene.path("missing.sql");
    let check = command(["check", missing.to_str().unwrap(), "--database-url", &url]);
    let (check, [_, json, xml, _]) = reporting(&scene, check, "check");
    assert_ne!(run(check).code, Some(0));
    let document = document(&json);
    assert_eq!(document["outcome"], "not ready");
    assert_eq!(document["result"]["ready"], false);
    assert!(!cases(&xml).1.is_empty());
}

#[test]
fn what_cannot_be_a_report_is_refused_before_the_work() {
    let scene = Scene::bare();
    let refused = |name: &Path, says: &str| -> Outcome {
        let mut import = import_dump(&scene, SHOP);
        import.args(["--zero-dates", "null", "--report"]).arg(name);
        run(import).exits(2).says(says)
    };
    refused(
        Path::new("report.pdf"),
        "let it end in .html, .json, .xml (JUnit) or .md",
    );
    refused(Path::new("-"), "--json prints to standard output");
    refused(
        &scene.path("no/report.html"),
        "name a file in a directory that exists",
    );
    let notes = scene.path("notes.md");
    fs::write(&notes, "My notes").unwrap();
    refused(&notes, "is no report of ci-import");
    assert_eq!(fs::read_to_string(&notes).unwrap(), "My notes");
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    let count: i64 = scene.connect().query_one(tables, &[]).unwrap().get(0);
    assert_eq!(count, 0);
    // A report is replaced by the next one.
    for _ in 0..2 {
        let mut import = import_dump(&scene, SHOP);
        import.args(["--zero-dates", "null", "--replace"]);
        let (import, _) = reporting(&scene, import, "again");
        run(import).succeeds();
    }
}

#[test]
fn a_number_that_became_true_names_its_option() {
    let scene = Scene::bare();
    let dump = "-- MySQL dump 10.13
CREATE TABLE t (c tinyint(1));
INSERT INTO t VALUES (2);
-- Dump completed
";
    let mut import = import_dump(&scene, dump);
    import.args(["--tinyint1", "truthy", "--json"]);
    let report: Value = serde_json::from_str(&run(import).succeeds().stdout).unwrap();
    let change = &report["tables"][0]["changes"][0];
    assert_eq!(
        (&change["code"], &change["policy"]),
        (&"number-as-boolean".into(), &"--tinyint1 truthy".into())
    );
}
