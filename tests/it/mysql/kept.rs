//! Others hold the live tables for too long: what is loaded is kept, and `ci-import publish` makes it live. And how a
//! publish waits for metadata locks.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use mysql::prelude::Queryable;

use crate::support::mysql_scene::MysqlScene;
use crate::support::mysql_state::MysqlState;
use crate::support::program::{Outcome, command, run};
use crate::support::scene::Scene;
use crate::support::two_archives::pack_two;

/// How many publishes are killed.
const KILLS: usize = 20;

/// A target that one of two archives was imported into, after both were.
struct Target {
    scene: MysqlScene,
    /// Where the archives are.
    packed: Scene,
    archives: [PathBuf; 2],
    states: [MysqlState; 2],
    live: usize,
}

impl Target {
    fn imported() -> Target {
        let packed = Scene::bare();
        let scene = MysqlScene::gitlab();
        let archives = pack_two(&packed);
        // Tags stay when others come: from the third import on each state comes back as it was.
        let mut states = Vec::new();
        for archive in archives.iter().chain(&archives) {
            let mut import = on(&scene, &[archive.to_str().unwrap(), "--yes"]);
            run(&mut import).succeeds();
            states.push(MysqlState::of(&scene));
        }
        let states = [states[2].clone(), states[3].clone()];
        Target {
            scene,
            packed,
            archives,
            states,
            live: 1,
        }
    }

    fn import_other(&self) -> Command {
        let archive = self.archives[1 - self.live].to_str().unwrap();
        on(&self.scene, &[archive, "--yes"])
    }

    fn publish(&self) -> Command {
        on(&self.scene, &["publish", "--yes"])
    }

    /// Runs `command`, which waits a second, while somebody reads a live table.
    fn while_held(&self, mut command: Command) -> Outcome {
        let mut holder = self.scene.conn();
        for sql in ["START TRANSACTION", "SELECT id FROM ci_runners"] {
            holder.query_drop(sql).unwrap();
        }
        command.args(["--wait-for-locks", "1"]);
        run(command)
    }

    fn keep(&self) {
        self.while_held(self.import_other())
            .exits(4)
            .says("cannot lock the live tables")
            .says("others hold the live tables: session")
            .says("all is loaded and verified, and is kept")
            .says("ci-import publish");
    }

    #[track_caller]
    fn assert_live(&self, what: &str) {
        self.states[self.live].assert_live(&MysqlState::of(&self.scene), what);
    }

    #[track_caller]
    fn assert_whole(&self, what: &str) {
        self.assert_live(what);
        assert_eq!(self.scene.databases_beside(), ["previous"], "{what}");
        let left = |name: &String| name.contains("ci_import");
        let beside = self.scene.beside();
        assert!(!beside.iter().any(left), "{what}: {beside:?}");
    }
}

fn on(scene: &MysqlScene, arguments: &[&str]) -> Command {
    let stage = scene.stage();
    let mut it = command(arguments);
    it.args(["--database-url", &stage.url, "--builds-path"]);
    it.arg(stage.builds);
    it
}

#[test]
fn what_is_kept_is_published_later() {
    let mut target = Target::imported();
    target.keep();
    target.assert_live("the import");
    target
        .while_held(target.publish())
        .exits(4)
        .says("all stays kept");
    run(on(&target.scene, &["recover"]))
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
        let outcome = run(target.publish());
        assert!(!matches!(outcome.code, None | Some(0)), "{outcome:?}");
        outcome.says(says);
        target.scene.execute(&unmake.replace("STAGING", staging));
        let update = format!("UPDATE {staging}.ci_import_waiting SET record = ?");
        let restored = target.scene.conn().exec_drop(update, (record,));
        restored.unwrap();
        target.assert_live(says);
    }
    run(target.publish())
        .succeeds()
        .reports("published ")
        .reports("loaded at 2");
    target.live = 1 - target.live;
    target.assert_whole("the publish");
    run(on(&target.scene, &["rollback", "--yes"])).succeeds();
    target.live = 1 - target.live;
    target.assert_whole("the rollback");
}

#[test]
fn the_next_import_and_a_discard_drop_what_is_kept() {
    let mut target = Target::imported();
    target.keep();
    run(target.import_other())
        .succeeds()
        .says("dropped what was loaded at");
    target.live = 1 - target.live;
    target.assert_whole("the import");
    target.keep();
    run(on(&target.scene, &["discard", "--yes"]))
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
    let mut target = Target::imported();
    target.keep();
    let log = target.packed.path("points");
    let kill_at = |target: &Target, hit: usize| {
        let _ = fs::remove_file(&log);
        let mut publish = target.publish();
        publish.env("CI_IMPORT_FAILPOINT", format!("kill:#{hit}"));
        publish.env("CI_IMPORT_FAILPOINT_LOG", &log);
        let outcome = run(publish);
        assert!(matches!(outcome.code, None | Some(0)), "{outcome:?}");
        let passed = fs::read_to_string(&log).unwrap_or_default();
        passed.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let points = kill_at(&target, usize::MAX).len();
    target.live = 1 - target.live;
    target.assert_whole("the publish");
    target.keep();
    for round in 0..KILLS {
        let hit = 1 + round * points / KILLS;
        let passed = kill_at(&target, hit);
        run(on(&target.scene, &["recover"])).succeeds();
        let what = format!("hit {hit}, behind {:?}", passed.last());
        if passed.iter().any(|point| point == "committed") {
            target.live = 1 - target.live;
            target.assert_whole(&what);
            target.keep();
        } else {
            target.assert_live(&what);
        }
    }
    run(target.publish()).succeeds();
    target.live = 1 - target.live;
    target.assert_whole("the last publish");
}

/// Who comes after a waiting publish waits only as long as one try.
#[test]
fn others_do_not_wait_long_for_a_waiting_publish() {
    let mut target = Target::imported();
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
    target.live = 1 - target.live;
    target.assert_whole("the import");
}
