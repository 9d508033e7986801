//! Publishes into MariaDB, rollbacks, discards and recoveries, killed at each of their points: whatever is
//! done next finds the old or the new state, whole.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use ci_import::publish::outcome::Recovered;
use mysql::prelude::Queryable;

use crate::support::mysql_scene::{MysqlScene, STAGED, Stage};
use crate::support::mysql_state::MysqlState;
use crate::support::own_mariadb::OwnMariadb;
use crate::support::paused::Paused;

const KILL: i32 = 9;

/// What a process of its own does.
#[test]
#[ignore = "the tests that kill it run it in a process of its own"]
fn child() {
    let variable = |name: &str| std::env::var(name).unwrap();
    let stage = Stage {
        url: variable("CI_IMPORT_TEST_URL"),
        builds: PathBuf::from(variable("CI_IMPORT_TEST_BUILDS")),
    };
    match variable("CI_IMPORT_TEST_ACTION").as_str() {
        "publish 0" => drop(stage.publish(0).unwrap()),
        "publish 1" => drop(stage.publish(1).unwrap()),
        "rollback" => drop(stage.rollback().unwrap()),
        "discard" => drop(stage.discard().unwrap()),
        "recover" => drop(stage.recover().unwrap()),
        other => panic!("{other}"),
    }
}

/// A process of its own that does `action`.
fn of_its_own(scene: &MysqlScene, action: &str) -> Command {
    let Stage { url, builds } = scene.stage();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([
            "--exact",
            "faults::mysql_killed::child",
            "--ignored",
            "--nocapture",
        ])
        .env("CI_IMPORT_TEST_URL", url)
        .env("CI_IMPORT_TEST_BUILDS", builds)
        .env("CI_IMPORT_TEST_ACTION", action)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs `action` in a process of its own, which is killed at `point`, a name or `#` and a number, if it
/// comes there. Returns how it ended, and the points it has passed.
fn run(scene: &MysqlScene, action: &str, point: &str) -> (ExitStatus, Vec<String>) {
    let log = scene.builds().with_file_name("points");
    let _ = fs::remove_file(&log);
    let output = of_its_own(scene, action)
        .env("CI_IMPORT_FAILPOINT", format!("kill:{point}"))
        .env("CI_IMPORT_FAILPOINT_LOG", &log)
        .output()
        .unwrap();
    let passed = fs::read_to_string(&log).unwrap_or_default();
    let _ = fs::remove_file(&log);
    let status = output.status;
    assert!(
        status.success() || status.signal() == Some(KILL),
        "{action} at {point}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    (status, passed.lines().map(str::to_owned).collect())
}

/// A target that one of two imports is live in, after both were.
struct Two {
    scene: MysqlScene,
    states: [MysqlState; 2],
    live: usize,
}

impl Two {
    fn published() -> Two {
        Two::published_in(MysqlScene::gitlab())
    }

    fn published_in(scene: MysqlScene) -> Two {
        // Tags of earlier imports stay: after one of each, further ones bring no new tags.
        scene.publish(0).unwrap();
        scene.publish(1).unwrap();
        let second = MysqlState::of(&scene);
        scene.publish(0).unwrap();
        let first = MysqlState::of(&scene);
        assert!(first.live != second.live);
        Two {
            scene,
            states: [first, second],
            live: 0,
        }
    }

    /// Kills the publish of the import that is not live; returns the points it has passed.
    fn kill_publish(&mut self, point: &str) -> Vec<String> {
        let other = 1 - self.live;
        self.scene.stage_tables(other);
        let (_, passed) = run(&self.scene, &format!("publish {other}"), point);
        if has_committed(&passed) {
            self.live = other;
        }
        passed
    }

    #[track_caller]
    fn assert_whole(&self, after: &str) {
        let now = MysqlState::of(&self.scene);
        self.states[self.live].assert_live(&now, after);
        let mut beside = self.scene.databases_beside();
        beside.retain(|name| name != "staging");
        assert_eq!(beside, ["previous"], "{after}");
        let others: Vec<String> = self.scene.beside();
        assert!(
            others.iter().all(|name| name.starts_with("builds.1")),
            "{after}: {others:?}"
        );
    }
}

fn has_committed(passed: &[String]) -> bool {
    passed.iter().any(|point| point == "committed")
}

#[test]
fn publishes_killed_at_each_point() {
    let mut target = Two::published();
    let mut seen = Vec::new();
    for hit in 1.. {
        let was = target.live;
        let passed = target.kill_publish(&format!("#{hit}"));
        let after = format!("hit {hit}, {:?}", passed.last());
        if hit > passed.len() {
            seen = passed;
            break;
        }
        // What was cut is whole again, whether by recover or by what the next import does first.
        let recovered = target.scene.recover().unwrap();
        let expected = if target.live != was {
            Recovered::Finished
        } else if passed.iter().any(|point| point == "publish on record") {
            Recovered::Undone
        } else {
            Recovered::Nothing
        };
        let is_told = passed
            .last()
            .is_some_and(|last| !last.contains("journal removed"));
        if is_told
            && passed
                .iter()
                .any(|point| point == "passing database marked")
        {
            assert_eq!(recovered, expected, "{after}");
        }
        target.assert_whole(&after);
        assert_eq!(
            target.scene.recover().unwrap(),
            Recovered::Nothing,
            "{after}"
        );
    }
    for point in [
        "publish on record",
        "new tables in place",
        "committed",
        "journal removed",
    ] {
        assert!(
            seen.iter().any(|passed| passed == point),
            "{point}: {seen:?}"
        );
    }
    // After all that, everything works as ever: what is aside is the import before.
    target.assert_whole("the last publish");
    target.scene.rollback().unwrap();
    target.live = 1 - target.live;
    target.assert_whole("the rollback");
}

#[test]
fn first_publishes_killed() {
    let scene = MysqlScene::gitlab();
    scene.execute("UPDATE application_settings SET ci_enabled = 0");
    let old = MysqlState::of(&scene);
    for point in [
        "passing database made",
        "table for the settings made",
        "record made",
        "publish on record",
        "journal written",
        "CI disabled",
        "new tables in place",
        "old directory aside",
        "tags being changed",
        "to be committed",
    ] {
        scene.stage_tables(0);
        let (status, _) = run(&scene, "publish 0", point);
        assert_eq!(status.signal(), Some(KILL), "{point}");
        let mut left: &[&str] = &["staging"];
        if point == "journal written" {
            // As an import does that ends while the target is away.
            scene.execute(&format!("DROP DATABASE {}", scene.databases.staging));
            left = &[];
        }
        scene.recover().unwrap();
        old.assert_same(&MysqlState::of(&scene), point);
        assert_eq!(scene.databases_beside(), left, "{point}");
        assert!(scene.beside().is_empty(), "{point}: {:?}", scene.beside());
    }
}

#[test]
fn recoveries_killed() {
    let mut target = Two::published();
    for point in ["journal written", "to be committed", "committed"] {
        for hit in 1.. {
            target.kill_publish(point);
            let (status, _) = run(&target.scene, "recover", &format!("#{hit}"));
            target.scene.recover().unwrap();
            target.assert_whole(&format!("{point}, then hit {hit}"));
            if status.success() {
                break;
            }
        }
    }
}

#[test]
fn rollbacks_killed() {
    // As the first import left it, with its own tags only: a rollback takes the others' with it.
    let scene = MysqlScene::gitlab();
    scene.publish(0).unwrap();
    let first = MysqlState::of(&scene);
    scene.publish(1).unwrap();
    let mut target = Two {
        states: [first, MysqlState::of(&scene)],
        scene,
        live: 1,
    };
    for hit in 1.. {
        let (status, passed) = run(&target.scene, "rollback", &format!("#{hit}"));
        if has_committed(&passed) {
            target.live = 1 - target.live;
        }
        target.scene.recover().unwrap();
        target.assert_whole(&format!("hit {hit}, {:?}", passed.last()));
        if status.success() {
            break;
        }
    }
}

#[test]
fn discards_killed() {
    let scene = MysqlScene::gitlab();
    for hit in 1.. {
        scene.publish(0).unwrap();
        let live = MysqlState::of(&scene);
        let (status, passed) = run(&scene, "discard", &format!("#{hit}"));
        let after = format!("hit {hit}, {:?}", passed.last());
        assert_eq!(scene.recover().unwrap(), Recovered::Nothing, "{after}");
        let told = scene.discard().unwrap();
        live.assert_live(&MysqlState::of(&scene), &after);
        assert!(scene.databases_beside().is_empty(), "{after}");
        assert!(scene.beside().is_empty(), "{after}");
        if passed.is_empty() {
            assert_eq!(told.tables, STAGED);
        }
        if status.success() {
            break;
        }
    }
}

/// The server loses what it had not written, and the program its session: what it says is true, and what
/// is left is whole.
#[test]
fn the_server_killed_while_it_publishes() {
    let mut server = OwnMariadb::start();
    let mut target = Two::published_in(MysqlScene::gitlab_on(&server));
    for (point, may_be_live) in [
        ("publish on record", false),
        ("journal written", false),
        ("CI disabled", false),
        ("new tables in place", false),
        ("tags merged", false),
        ("to be committed", false),
        ("committed", true),
        ("passing database dropped", true),
        ("journal removed", true),
    ] {
        let other = 1 - target.live;
        target.scene.stage_tables(other);
        let command = of_its_own(&target.scene, &format!("publish {other}"));
        let paused = Paused::at(command, point);
        server.kill_and_start();
        let outcome = paused.finish();
        let says_done = outcome.code == Some(0);
        assert!(may_be_live || !says_done, "{point}: {}", outcome.whole());
        target.scene.recover().unwrap();
        let now = MysqlState::of(&target.scene);
        // A commit that nothing has followed yet may be lost.
        let is_live = now.live == target.states[other].live;
        assert!(is_live || point != "journal removed", "{point}");
        if says_done || (may_be_live && is_live) {
            target.live = other;
        }
        target.assert_whole(&format!("{point}: {}", outcome.whole()));
    }
}

/// Waits until a session of the scene's database waits with a statement that begins so.
fn wait_until_waiting(scene: &MysqlScene, statement: &str) {
    let waits = format!(
        "SELECT COUNT(*) FROM information_schema.processlist
         WHERE db = '{}' AND info LIKE '{statement}%' AND state LIKE 'Waiting%'",
        scene.databases.live
    );
    let started = Instant::now();
    while scene.values(&waits) != ["1"] {
        assert!(started.elapsed() < Duration::from_secs(60), "{statement}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A killed process leaves a session that waits for a lock, and then goes on. Its moves fail, or are
/// undone.
#[test]
fn moves_that_outlive_their_process() {
    let scene = MysqlScene::gitlab();
    let old = MysqlState::of(&scene);
    scene.stage_tables(0);
    // The locks were free when the publish tried them.
    let paused = Paused::at(of_its_own(&scene, "publish 0"), "CI disabled");
    let mut holder = scene.conn();
    holder.query_drop("LOCK TABLES ci_builds READ").unwrap();
    paused.go_on();
    wait_until_waiting(&scene, "RENAME");
    drop(paused);
    std::thread::scope(|scope| {
        let recovering = scope.spawn(|| scene.recover());
        std::thread::sleep(Duration::from_millis(300));
        holder.query_drop("UNLOCK TABLES").unwrap();
        assert_eq!(recovering.join().unwrap().unwrap(), Recovered::Undone);
    });
    old.assert_same(&MysqlState::of(&scene), "the recovery");
    assert_eq!(scene.databases_beside(), ["staging"]);
    assert!(scene.beside().is_empty(), "{:?}", scene.beside());
}

/// The same of its commit: nobody may undo what is about to be committed. A server that notices soon
/// enough that the client is gone does not commit it.
#[test]
fn a_commit_that_outlives_its_process() {
    let server = OwnMariadb::start();
    let mut target = Two::published_in(MysqlScene::gitlab_on(&server));
    let scene = &target.scene;
    scene.stage_tables(1);
    let paused = Paused::at(of_its_own(scene, "publish 1"), "to be committed");
    let mut holder = scene.conn();
    holder.query_drop("FLUSH TABLES WITH READ LOCK").unwrap();
    paused.go_on();
    wait_until_waiting(scene, "COMMIT");
    drop(paused);
    let recovered = std::thread::scope(|scope| {
        let recovering = scope.spawn(|| scene.recover());
        std::thread::sleep(Duration::from_millis(300));
        holder.query_drop("UNLOCK TABLES").unwrap();
        recovering.join().unwrap().unwrap()
    });
    target.live = usize::from(recovered == Recovered::Finished);
    target.assert_whole("the recovery");
}
