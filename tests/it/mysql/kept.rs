//! Others hold the live tables for too long: what is loaded is kept, and `ci-import publish` makes it live. And how a
//! publish waits for metadata locks.

use std::process::Command;
use std::time::{Duration, Instant};

use mysql::prelude::Queryable;

use crate::support::mysql_two_archives::MysqlTwoArchives;
use crate::support::program::{Outcome, run};

/// How many publishes are killed.
const KILLS: usize = 20;

fn publish(target: &MysqlTwoArchives) -> Command {
    target.scene.command(&["publish", "--yes"])
}

/// Runs `command`, which waits a second, while somebody reads a live table.
fn while_held(target: &MysqlTwoArchives, mut command: Command) -> Outcome {
    let mut holder = target.scene.conn();
    for sql in ["START TRANSACTION", "SELECT id FROM ci_runners"] {
        holder.query_drop(sql).unwrap();
    }
    command.args(["--wait-for-locks", "1"]);
    run(command)
}

fn keep(target: &MysqlTwoArchives) {
    while_held(target, target.import_other())
        .exits(4)
        .says("cannot lock the live tables")
        .says("others hold the live tables: session")
        .says("all is loaded and verified, and is kept")
        .says("ci-import publish");
}

#[test]
fn what_is_kept_is_published_later() {
    let mut target = MysqlTwoArchives::imported();
    keep(&target);
    target.assert_live("the import");
    while_held(&target, publish(&target))
        .exits(4)
        .says("all stays kept");
    run(target.scene.command(&["recover"]))
        .succeeds()
        .says("is kept");
    let staging = &target.scene.databases.staging;
    for (make, says, unmake) in [
        (
            "RENAME TABLE STAGING.ci_events TO STAGING.mine",
            "has no table ci_events",
            "RENAME TABLE STAGING.mine TO STAGING.ci_events",
        ),
        (
            "CREATE TABLE STAGING.mine (a int)",
            "has a base table mine",
            "DROP TABLE STAGING.mine",
        ),
        (
            "CREATE TRIGGER STAGING.mine BEFORE INSERT ON STAGING.ci_tags FOR EACH ROW SET NEW.name = 'x'",
            "has a trigger mine",
            "DROP TRIGGER STAGING.mine",
        ),
        (
            "INSERT INTO STAGING.ci_tags (id, name) VALUES (4711, 'x')",
            "the staged table ci_tags differs from what was loaded",
            "DELETE FROM STAGING.ci_tags WHERE id = 4711",
        ),
        (
            "UPDATE STAGING.ci_import_waiting SET record = '{}'",
            "nothing is kept for a publish",
            "DO 0",
        ),
    ] {
        let record = format!("SELECT record FROM {staging}.ci_import_waiting");
        let record = target.scene.values(&record).remove(0);
        target.scene.execute(&make.replace("STAGING", staging));
        let outcome = run(publish(&target));
        assert!(!matches!(outcome.code, None | Some(0)), "{outcome:?}");
        outcome.says(says);
        target.scene.execute(&unmake.replace("STAGING", staging));
        let update = format!("UPDATE {staging}.ci_import_waiting SET record = ?");
        let restored = target.scene.conn().exec_drop(update, (record,));
        restored.unwrap();
        target.assert_live(says);
    }
    run(publish(&target))
        .succeeds()
        .reports("published ")
        .reports("loaded at 2");
    target.published();
    target.assert_whole("the publish");
    run(target.scene.command(&["rollback", "--yes"])).succeeds();
    target.published();
    target.assert_whole("the rollback");
}

#[test]
fn the_next_import_and_a_discard_drop_what_is_kept() {
    let mut target = MysqlTwoArchives::imported();
    keep(&target);
    run(target.import_other())
        .succeeds()
        .says("dropped what was loaded at");
    target.published();
    target.assert_whole("the import");
    keep(&target);
    run(target.scene.command(&["discard", "--yes"]))
        .succeeds()
        .reports("removed what was loaded at");
    target.assert_live("the discard");
    assert!(target.scene.databases_beside().is_empty());
    assert!(
        target
            .scene
            .beside()
            .iter()
            .all(|name| !name.contains("ci_import"))
    );
}

/// Whenever a publish is killed, the old or the new state is live, whole; and what is kept is kept.
#[test]
fn publishes_of_what_is_kept_killed() {
    let mut target = MysqlTwoArchives::imported();
    keep(&target);
    let points = target.kill_at(publish(&target), usize::MAX).1.len();
    target.published();
    target.assert_whole("the publish");
    keep(&target);
    for round in 0..KILLS {
        let hit = 1 + round * points / KILLS;
        let (_, passed) = target.kill_at(publish(&target), hit);
        run(target.scene.command(&["recover"])).succeeds();
        let what = format!("hit {hit}, behind {:?}", passed.last());
        if passed.iter().any(|point| point == "committed") {
            target.published();
            target.assert_whole(&what);
            keep(&target);
        } else {
            target.assert_live(&what);
        }
    }
    run(publish(&target)).succeeds();
    target.published();
    target.assert_whole("the last publish");
}

/// Who comes after a waiting publish waits only as long as one try.
#[test]
fn others_do_not_wait_long_for_a_waiting_publish() {
    let mut target = MysqlTwoArchives::imported();
    let mut holder = target.scene.conn();
    for sql in ["START TRANSACTION", "SELECT id FROM ci_builds"] {
        holder.query_drop(sql).unwrap();
    }
    let longest = std::thread::scope(|scope| {
        let import = scope.spawn(|| run(target.import_other()));
        let mut conn = target.scene.conn();
        let mut longest = Duration::ZERO;
        let mut held = Some(holder);
        let started = Instant::now();
        while !import.is_finished() {
            let asked = Instant::now();
            let counted: Option<u64> = conn.query_first("SELECT COUNT(*) FROM ci_builds").unwrap();
            assert!(counted.is_some());
            longest = longest.max(asked.elapsed());
            // Longer than one try, and the pause after it.
            if started.elapsed() > Duration::from_secs(8) {
                held = None;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(held.is_none(), "the import has not waited");
        import
            .join()
            .unwrap()
            .succeeds()
            .says("waiting for others who hold the live tables: session");
        longest
    });
    assert!(
        longest > Duration::from_millis(500) && longest < Duration::from_secs(4),
        "{longest:?}"
    );
    target.published();
    target.assert_whole("the import");
}
