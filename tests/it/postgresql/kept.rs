//! Others hold the live tables for too long: what is loaded is kept, and `ci-import publish` makes it live.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use crate::support::program::{Outcome, run};
use crate::support::snapshot::Snapshot;
use crate::support::two_archives::{TwoArchives, beside};

/// How many publishes are killed.
const KILLS: usize = 24;

/// Runs `command`, which waits a second, while somebody reads a live table.
fn while_held(target: &TwoArchives, mut command: Command) -> Outcome {
    let mut holder = target.scene.connect();
    let mut transaction = holder.transaction().unwrap();
    transaction
        .batch_execute("LOCK TABLE ci_runners IN ACCESS SHARE MODE")
        .unwrap();
    command.args(["--wait-for-locks", "1"]);
    run(command)
}

/// An import of the other archive that is kept.
fn keep(target: &TwoArchives) -> Outcome {
    while_held(target, target.import_other())
        .exits(4)
        .says("others hold the live tables: process")
        .says("(ci_runners), since")
        .says("nothing was published, but all is loaded and verified, and is kept")
        .says("hint: stop GitLab and its jobs; then ci-import publish")
}

fn publish(target: &TwoArchives) -> Command {
    target.scene.command(["publish", "--yes"])
}

#[track_caller]
fn assert_live(target: &TwoArchives, after: &str) {
    let difference = target.states[target.live].difference(&Snapshot::of(&target.scene));
    assert!(difference.is_empty(), "after {after}: {difference}");
}

/// Where the kept traces are.
fn kept_traces(target: &TwoArchives) -> PathBuf {
    let names = beside(&target.scene).into_iter();
    let kept: Vec<String> = names
        .filter(|name| name.starts_with("builds.ci_import_kept."))
        .collect();
    assert_eq!(kept.len(), 1, "{kept:?}");
    target.scene.builds().with_file_name(&kept[0])
}

#[test]
fn what_is_kept_is_published_later() {
    let mut target = TwoArchives::imported();
    keep(&target);
    assert_live(&target, "the import");
    let archive = target.archives[1].to_str().unwrap();
    let check = target
        .scene
        .command(["check", archive, "--mysql-to-postgresql"]);
    run(check)
        .reports("from second.tar is kept: ci-import publish makes it live")
        .succeeds();
    while_held(&target, publish(&target))
        .exits(4)
        .says("others hold the live tables: process")
        .says("nothing was published, and all stays kept");
    // What is kept is none of the things that a killed import leaves.
    run(target.scene.command(["recover"]))
        .succeeds()
        .says("from second.tar is kept");
    run(target.scene.command(["publish"]))
        .exits(2)
        .says("already has CI data");
    assert_live(&target, "the refused publish");
    run(publish(&target))
        .succeeds()
        .reports("published second.tar (GitLab CI 8.0.5")
        .reports("  loaded at 2")
        .reports("ci_builds.finished_at: 1 zero dates became NULL")
        .reports("the live tables were locked for ")
        .reports("verified before the publish: rows and traces counted");
    target.published();
    target.assert_whole("the publish");
    run(publish(&target))
        .exits(2)
        .says("nothing is kept for a publish");
    run(target.scene.command(["rollback", "--yes"])).succeeds();
    target.live = 1 - target.live;
    target.assert_whole("the rollback");
}

/// The report of a kept import has the same keys as that of another, and its changes count with --strict.
#[test]
fn options_of_the_import_hold() {
    let target = TwoArchives::imported();
    let mut import = target.import_other();
    import.arg("--strict");
    while_held(&target, import).exits(4);
    let mut publish = publish(&target);
    publish.arg("--json");
    let published = run(publish).exits(5);
    let mut import = target.import_other();
    import.arg("--json");
    let imported = run(import).succeeds();
    let keys = |outcome: &Outcome| {
        let report: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
        let names = |value: &serde_json::Value| -> Vec<String> {
            value.as_object().unwrap().keys().cloned().collect()
        };
        assert_eq!(report["archive"]["traces"]["files"], 6, "{outcome:?}");
        (names(&report), names(&report["archive"]))
    };
    assert_eq!(keys(&published), keys(&imported));
}

/// Each with what alters the staging, what the program says, and what undoes it.
#[test]
fn a_staging_that_somebody_has_altered_is_refused() {
    let mut target = TwoArchives::imported();
    keep(&target);
    let scene = &target.scene;
    let sql = |sql: &str| scene.connect().batch_execute(sql).unwrap();
    let refused = |says: &str| {
        let outcome = run(publish(&target));
        assert!(
            !matches!(outcome.code, None | Some(0)),
            "{says}: {outcome:?}"
        );
        outcome.says(says);
    };
    let role = format!("r_{}", scene.database);
    let statements = [
        (
            "CREATE SCHEMA away; ALTER TABLE ci_import_staging.ci_events SET SCHEMA away",
            "ci_import_staging has no table ci_events",
            "ALTER TABLE away.ci_events SET SCHEMA ci_import_staging; DROP SCHEMA away",
        ),
        (
            "CREATE TABLE ci_import_staging.mine (a int)",
            "ci_import_staging has an unexpected relation: mine",
            "DROP TABLE ci_import_staging.mine",
        ),
        (
            "CREATE VIEW ci_import_staging.mine AS SELECT 1",
            "ci_import_staging has an unexpected relation: mine",
            "DROP VIEW ci_import_staging.mine",
        ),
        (
            "CREATE FUNCTION ci_import_staging.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "ci_import_staging has a function f",
            "DROP FUNCTION ci_import_staging.f()",
        ),
        (
            "CREATE RULE r AS ON INSERT TO ci_import_staging.ci_tags DO INSTEAD NOTHING",
            "ci_import_staging has a rule r",
            "DROP RULE r ON ci_import_staging.ci_tags",
        ),
        (
            "CREATE ROLE ROLE; ALTER SCHEMA ci_import_staging OWNER TO ROLE",
            "ci_import_staging has",
            "ALTER SCHEMA ci_import_staging OWNER TO postgres",
        ),
        (
            "ALTER TABLE ci_import_staging.ci_tags OWNER TO ROLE",
            "a relation of another owner: ci_tags",
            "ALTER TABLE ci_import_staging.ci_tags OWNER TO postgres; DROP ROLE ROLE",
        ),
        (
            "INSERT INTO ci_import_staging.ci_tags (id, name) VALUES (4711, 'x')",
            "the staged table ci_tags differs from what was loaded",
            "DELETE FROM ci_import_staging.ci_tags WHERE id = 4711",
        ),
    ];
    for (make, says, unmake) in statements {
        sql(&make
            .replace("ROLE ROLE", &format!("ROLE {role}"))
            .replace("TO ROLE", &format!("TO {role}")));
        refused(says);
        sql(&unmake.replace("ROLE ROLE", &format!("ROLE {role}")));
        assert_live(&target, says);
    }
    // The record itself.
    let comment = scene.value("SELECT obj_description('ci_import_staging'::regnamespace)");
    let set = |comment: &str| {
        sql(&format!(
            "COMMENT ON SCHEMA ci_import_staging IS '{}'",
            comment.replace('\'', "''")
        ));
    };
    for (from, to, says) in [
        (
            "staging of ci-import",
            "mine",
            "nothing is kept for a publish",
        ),
        (
            "\"unique\":\"",
            "\"unique\":\"/../../",
            "its traces are beside",
        ),
        ("\"ci_events\"", "\"users\"", "users"),
        (
            "\"program\":\"",
            "\"program\":\"9",
            "it was loaded by ci-import 9",
        ),
    ] {
        assert!(comment.contains(from), "{comment}");
        set(&comment.replace(from, to));
        refused(says);
        assert_live(&target, says);
    }
    set(&comment);
    // The traces.
    let kept = kept_traces(&target);
    let mode = fs::metadata(&kept).unwrap().permissions();
    fs::set_permissions(&kept, fs::Permissions::from_mode(0o777)).unwrap();
    refused("has another owner or mode");
    fs::set_permissions(&kept, mode).unwrap();
    fs::write(kept.join("more.log"), "x").unwrap();
    refused("the staged traces differ from what was unpacked");
    fs::remove_file(kept.join("more.log")).unwrap();
    let away = kept.with_file_name("away");
    fs::rename(&kept, &away).unwrap();
    refused("it is not what was loaded any more");
    std::os::unix::fs::symlink(&away, &kept).unwrap();
    refused("it is not what was loaded any more");
    fs::remove_file(&kept).unwrap();
    fs::rename(&away, &kept).unwrap();
    run(target.scene.command(["publish", "--yes", "--quiet"])).succeeds();
    target.published();
    target.assert_whole("the publish");
}

#[test]
fn the_next_import_and_a_discard_drop_what_is_kept() {
    let mut target = TwoArchives::imported();
    keep(&target);
    run(target.import_other())
        .succeeds()
        .says("dropped what was loaded at")
        .says("from second.tar");
    target.published();
    target.assert_whole("the import");
    keep(&target);
    run(target.scene.command(["discard", "--yes"]))
        .succeeds()
        .reports("removed what was loaded at");
    target.publishes = 0;
    target.assert_whole("the discard");
}

/// Whenever a publish is killed, the old or the new state is live, whole; and what is kept is kept.
#[test]
fn publishes_of_what_is_kept_killed() {
    let mut target = TwoArchives::imported();
    keep(&target);
    let log = target.scene.path("points");
    let kill_at = |target: &TwoArchives, hit: usize| {
        let _ = fs::remove_file(&log);
        let mut publish = publish(target);
        publish.env("CI_IMPORT_FAILPOINT", format!("kill:#{hit}"));
        publish.env("CI_IMPORT_FAILPOINT_LOG", &log);
        let outcome = run(publish);
        assert!(matches!(outcome.code, None | Some(0)), "{outcome:?}");
        let passed = fs::read_to_string(&log).unwrap_or_default();
        passed.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let points = kill_at(&target, usize::MAX).len();
    target.published();
    target.assert_whole("the publish");
    keep(&target);
    for round in 0..KILLS {
        let hit = 1 + round * points / KILLS;
        let passed = kill_at(&target, hit);
        target.recover();
        if passed.iter().any(|point| point == "committed") {
            target.published();
            target.assert_whole(&format!("hit {hit}, behind {:?}", passed.last()));
            keep(&target);
        } else {
            assert_live(&target, &format!("hit {hit}, behind {:?}", passed.last()));
            kept_traces(&target);
        }
    }
    run(publish(&target)).succeeds();
    target.published();
    target.assert_whole("the last publish");
}

/// An import that is killed while it keeps what it has loaded leaves nothing that stays in the way.
#[test]
fn imports_killed_while_they_keep() {
    let mut target = TwoArchives::imported();
    for point in [
        "staging to be kept",
        "staging kept",
        "staging directory kept",
    ] {
        let mut import = target.import_other();
        import.env("CI_IMPORT_FAILPOINT", format!("kill:{point}"));
        assert_eq!(while_held(&target, import).code, None, "{point}");
        target.recover();
        assert_live(&target, point);
        let outcome = run(publish(&target));
        match point {
            "staging directory kept" => _ = outcome.succeeds(),
            "staging kept" => _ = outcome.exits(1).says("it is not what was loaded any more"),
            _ => _ = outcome.exits(2).says("nothing is kept"),
        }
        if point == "staging directory kept" {
            target.published();
        } else {
            run(target.import_other()).succeeds();
            target.published();
        }
        target.assert_whole(point);
    }
}
