//! `verify` finds whatever differs from the archive, and nothing else.

use std::fs;
use std::path::Path;

use crate::support::mysql_scene::MysqlScene;
use crate::support::program::{Outcome, command, run, run_fed, unbroken};
use crate::support::scene::{Dialect, Scene, fixture_dump};
use crate::support::servers::postgresql_url;

fn verify_command(scene: &Scene, archive: &str) -> std::process::Command {
    let mut verify = command(["verify", archive, "--builds-path"]);
    verify
        .arg(scene.builds())
        .args(["--database-url", &postgresql_url(&scene.database)]);
    verify
}

fn verify(scene: &Scene, archive: &Path) -> Outcome {
    run(verify_command(scene, archive.to_str().unwrap()))
}

#[test]
fn what_was_imported_agrees() {
    for (dialect, how) in [
        (Dialect::Native, "count"),
        (Dialect::Compatible, "full"),
        (Dialect::Native, "none"),
    ] {
        let scene = Scene::gitlab();
        let archive = scene.pack(&fixture_dump(dialect));
        let mut import = scene.import_command(archive.to_str().unwrap());
        import.args(["--verify", how]);
        let told = run(import).succeeds().stdout;
        assert_eq!(told.contains("verified before the publish"), how != "none");
        let outcome = verify(&scene, &archive).succeeds();
        let outcome = outcome.reports("all agree").reports("all merged");
        assert_eq!(
            outcome.stdout.matches("  same\n").count(),
            16,
            "{outcome:?}"
        );
        let content = fs::read(&archive).unwrap();
        run_fed(verify_command(&scene, "-"), |input| {
            input.write_all(&content).unwrap();
        })
        .succeeds()
        .reports("all agree");
    }
}

/// Each change is found, named, and when it is undone all agrees again.
#[test]
fn whatever_is_changed_is_found() {
    let scene = Scene::gitlab();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    scene.import(&archive).succeeds();
    let changes = [
        (
            "UPDATE ci_builds SET trace = overlay(trace placing chr(ascii(trace) + 1) from 1 for 1)
             WHERE id = (SELECT max(id) FROM ci_builds WHERE trace <> '')",
            "ci_builds",
            "rows differ from those of the archive",
        ),
        (
            "DELETE FROM ci_commits WHERE id = 1",
            "ci_commits",
            "rows instead of",
        ),
        (
            "INSERT INTO ci_jobs (project_id) VALUES (1)",
            "ci_jobs",
            "rows instead of",
        ),
        (
            "SELECT setval('ci_projects_id_seq', 1, false)",
            "ci_projects",
            "its sequence gives 1 next, which is not above the largest id",
        ),
        (
            "ALTER SEQUENCE ci_runners_id_seq OWNED BY NONE",
            "ci_runners",
            "its column id owns no sequence",
        ),
        ("DROP TABLE ci_triggers", "ci_triggers", "does not exist"),
        (
            "ALTER TABLE ci_variables DROP COLUMN value",
            "ci_variables",
            "cannot read ci_variables back: column \"value\"",
        ),
        (
            "UPDATE ci_services SET type = 'Ci::Other' WHERE id = 1",
            "ci_services",
            "rows differ",
        ),
        (
            "DELETE FROM taggings WHERE taggable_type LIKE 'Ci::%'",
            "taggings",
            "are not merged",
        ),
    ];
    for (sql, table, message) in changes {
        let again = Scene::gitlab();
        let archive = again.pack(&fixture_dump(Dialect::Native));
        again.import(&archive).succeeds();
        let rows = again.connect().execute(sql, &[]).unwrap();
        assert!(rows > 0 || !sql.starts_with("UPDATE"), "{sql}");
        let outcome = verify(&again, &archive)
            .exits(1)
            .says("the target differs from the archive");
        let parts: Vec<&str> = outcome.stdout.split("DIFFER").collect();
        assert_eq!(parts.len(), 2, "{sql}: {outcome:?}");
        let row = parts[0].lines().last().unwrap();
        let what = unbroken(&format!("DIFFER{}", parts[1]));
        assert!(
            row.starts_with(table) && what.contains(message),
            "{sql}: {outcome:?}"
        );
    }
    // Traces: altered at the same size, gone, one too many, a link in its place.
    let trace = scene.builds().join("2015_08/1/1.log");
    let content = fs::read(&trace).unwrap();
    let mut altered = content.clone();
    altered[3] ^= 1;
    let found = |message: &str| {
        verify(&scene, &archive).exits(1).reports(message);
    };
    fs::write(&trace, &altered).unwrap();
    found("1 with different content: 2015_08/1/1.log");
    fs::write(&trace, [&content[..], b"x"].concat()).unwrap();
    found("1 with different content: 2015_08/1/1.log");
    fs::remove_file(&trace).unwrap();
    found("1 missing: 2015_08/1/1.log");
    let elsewhere = scene.path("elsewhere");
    fs::write(&elsewhere, &content).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &trace).unwrap();
    found("1 missing: 2015_08/1/1.log");
    fs::remove_file(&trace).unwrap();
    fs::write(&trace, &content).unwrap();
    verify(&scene, &archive).succeeds();
    fs::write(scene.builds().join("2015_08/1/9.log"), "new").unwrap();
    found("1 that the archive does not have");
}

#[test]
fn nothing_of_the_target_is_touched() {
    let scene = Scene::gitlab();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    scene.import(&archive).succeeds();
    let before = crate::support::state::State::of(&scene);
    verify(&scene, &archive).succeeds();
    before.assert_same(&crate::support::state::State::of(&scene));
}

#[test]
fn a_damaged_archive_agrees_with_nothing() {
    let scene = Scene::gitlab();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    scene.import(&archive).succeeds();
    let content = fs::read(&archive).unwrap();
    let cut = scene.path("cut.tar");
    fs::write(&cut, &content[..content.len() / 2]).unwrap();
    verify(&scene, &cut).exits(3);
    let json = |archive: &Path| {
        let mut verify = verify_command(&scene, archive.to_str().unwrap());
        verify.arg("--json");
        let outcome = run(verify).succeeds();
        serde_json::from_str::<serde_json::Value>(&outcome.stdout).unwrap()
    };
    let report = json(&archive);
    assert_eq!(report["agree"], true);
    assert_eq!(report["tables"].as_array().unwrap().len(), 15);
    assert_eq!(report["traces"]["files_found"], 6);
}

/// Behind the last number that there is comes none.
#[test]
fn a_sequence_that_is_used_up() {
    let scene = Scene::bare();
    let dump = scene.path("dump.sql");
    let table = |kind: &str, last: i64| {
        format!(
            "CREATE TABLE `of_{kind}` (\n  `id` {kind} NOT NULL AUTO_INCREMENT,\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB;\n\
             INSERT INTO `of_{kind}` VALUES ({last});\n"
        )
    };
    let tables = table("int", i32::MAX.into()) + &table("bigint", i64::MAX);
    fs::write(
        &dump,
        format!("-- MySQL dump 10.13\n{tables}-- Dump completed\n"),
    )
    .unwrap();
    let import = [dump.to_str().unwrap(), "--database-url", &scene.url()];
    run(command(import)).succeeds();
    run(command(["verify"].into_iter().chain(import)))
        .succeeds()
        .reports("all agree");
    let insert = "INSERT INTO of_bigint DEFAULT VALUES";
    let error = scene.connect().batch_execute(insert).unwrap_err();
    let message = error.as_db_error().unwrap().message().to_owned();
    assert!(message.contains("reached maximum value"), "{message}");
}

/// Adds builds of all kinds, and compares the counts with those before. `builds` has a month 2013_05 of the project 7.
fn builds_without_a_trace_are_counted(
    builds: &Path,
    execute: impl Fn(&str),
    verify: impl Fn(&[&str]) -> Outcome,
) {
    type Months = std::collections::BTreeMap<String, (u64, u64)>;
    let months = |json: &str| -> Months {
        let json: serde_json::Value = serde_json::from_str(json).unwrap();
        let months = json["builds_without_trace"].as_array().unwrap().iter();
        let number = |value: &serde_json::Value| value.as_u64().unwrap();
        months
            .map(|month| {
                let name = month["month"].as_str().unwrap_or("none").to_owned();
                (name, (number(&month["builds"]), number(&month["have_run"])))
            })
            .collect()
    };
    let mut expected = months(&verify(&["--json"]).succeeds().stdout);
    execute("INSERT INTO ci_commits (id, project_id) VALUES (9001, 7)");
    for (id, commit, project, created, started, trace) in [
        (
            9001,
            "9001",
            "1",
            "'2013-05-31 23:59:59'",
            "'2013-06-01'",
            "NULL",
        ),
        (9002, "9001", "1", "'2013-05-01 00:00:00'", "NULL", "''"),
        // These two have one.
        (
            9003,
            "9001",
            "1",
            "'2013-05-02 00:00:00'",
            "'2013-05-02'",
            "'all is well'",
        ),
        (
            9004,
            "9001",
            "1",
            "'2013-05-02 00:00:00'",
            "'2013-05-02'",
            "NULL",
        ),
        // Its commit is gone, so the project is its own.
        (
            9005,
            "NULL",
            "7",
            "'2013-05-02 00:00:00'",
            "'2013-05-02'",
            "NULL",
        ),
        (9006, "9001", "1", "NULL", "NULL", "NULL"),
    ] {
        execute(&format!(
            "INSERT INTO ci_builds (id, commit_id, project_id, created_at, started_at, trace)
             VALUES ({id}, {commit}, {project}, {created}, {started}, {trace})"
        ));
    }
    fs::create_dir_all(builds.join("2013_05/7")).unwrap();
    for build in ["9004", "9005"] {
        fs::write(builds.join(format!("2013_05/7/{build}.log")), "a trace").unwrap();
    }
    // What is behind a link is not GitLab's.
    std::os::unix::fs::symlink("9004.log", builds.join("2013_05/7/9001.log")).unwrap();
    for (month, all, have_run) in [("2013_05", 2, 1), ("none", 1, 0)] {
        let count = expected.entry(month.to_owned()).or_default();
        *count = (count.0 + all, count.1 + have_run);
    }
    assert_eq!(months(&verify(&["--json"]).exits(1).stdout), expected);
    verify(&[])
        .exits(1)
        .reports("2013_05: 2, of which 1 have run");
}

#[test]
fn builds_without_a_trace_in_postgresql() {
    let scene = Scene::gitlab();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    scene.import(&archive).succeeds();
    builds_without_a_trace_are_counted(
        &scene.builds(),
        |sql| scene.connect().batch_execute(sql).unwrap(),
        |more| {
            let mut verify = verify_command(&scene, archive.to_str().unwrap());
            run(verify.args(more))
        },
    );
}

#[test]
fn builds_without_a_trace_in_mysql() {
    let scene = MysqlScene::gitlab();
    let archive = scene.archive();
    let archive = archive.to_str().unwrap();
    run(scene.command(&[archive, "--yes"])).succeeds();
    builds_without_a_trace_are_counted(
        &scene.builds(),
        |sql| scene.execute(sql),
        |more| {
            let mut verify = scene.command(&["verify", archive]);
            run(verify.args(more))
        },
    );
}
