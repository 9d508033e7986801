//! The program is killed at points that are spread over its whole run, and at any time. Whatever is
//! started next finds the old or the new state, whole.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::program::{Outcome, finish, run};
use crate::support::scene::Scene;
use crate::support::snapshot::Snapshot;
use crate::support::two_archives::{TwoArchives, assert_nothing_left, pack_two};

/// How many kills of imports there are; `scripts/kill-test` asks for more.
const KILLS: usize = 220;

/// So many of a hundred kills.
fn percent(part: usize) -> usize {
    let kills = std::env::var("CI_IMPORT_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    (kills * part).div_ceil(100)
}

/// Whether a run that was cut, or not, has published, as far as the points say that it has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Published {
    Yes,
    No,
    /// It was cut while it committed.
    Perhaps,
}

/// The points that a run has passed.
struct Points(PathBuf);

impl Points {
    /// Of the next run of `command`.
    fn of(command: &mut Command, scene: &Scene) -> Points {
        let path = scene.path("points");
        let _ = fs::remove_file(&path);
        command.env("CI_IMPORT_FAILPOINT_LOG", &path);
        Points(path)
    }

    fn passed(&self) -> Vec<String> {
        let text = fs::read_to_string(&self.0).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    fn published(&self) -> Published {
        let passed = self.passed();
        let has = |point: &str| passed.iter().any(|passed| passed == point);
        match (has("to be committed"), has("committed")) {
            (_, true) => Published::Yes,
            (true, false) => Published::Perhaps,
            (false, false) => Published::No,
        }
    }
}

/// How many points a run of `command` passes.
fn count_points(mut command: Command, scene: &Scene) -> usize {
    let points = Points::of(&mut command, scene);
    run(command).succeeds();
    points.passed().len()
}

fn kill_at(mut command: Command, hit: usize, scene: &Scene) -> Published {
    let points = Points::of(&mut command, scene);
    command.env("CI_IMPORT_FAILPOINT", format!("kill:#{hit}"));
    let published = expect_killed(&run(command), &points);
    // Between two points nothing happens but what the first announces.
    if published == Published::Perhaps {
        Published::No
    } else {
        published
    }
}

fn kill_after(mut command: Command, time: Duration, scene: &Scene) -> Published {
    let points = Points::of(&mut command, scene);
    let mut child = command.spawn().unwrap();
    std::thread::sleep(time);
    let _ = child.kill();
    let outcome = finish(child, format!("{command:?}"));
    expect_killed(&outcome, &points)
}

/// It was killed, unless it was faster.
fn expect_killed(outcome: &Outcome, points: &Points) -> Published {
    assert!(
        matches!(outcome.code, None | Some(0)),
        "{}\n{:?}",
        outcome.whole(),
        points.passed()
    );
    points.published()
}

/// Keeps account of kills of imports, and sees that the state is whole: at every second time after
/// `recover`; else the next import finds what the one before has left.
fn account(target: &mut TwoArchives, round: usize, published: Published, after: &str) {
    if published == Published::Yes {
        target.published();
    }
    if published == Published::Perhaps {
        target.recover();
        if Snapshot::of(&target.scene) != target.states[target.live] {
            target.published();
        }
        target.assert_whole(after);
    } else if round % 2 == 1 {
        target.recover();
        target.assert_whole(after);
    }
}

/// Kills imports at `kills` of their points, beginning with the `first` of `steps`.
fn kill_imports(kills: usize, first: usize, steps: usize) {
    let mut target = TwoArchives::imported();
    let points = count_points(target.import_other(), &target.scene);
    target.published();
    target.assert_whole("the import");
    assert!(points > 150, "only {points} points");
    for round in 0..kills {
        let hit = 1 + (round * steps + first) * points / (kills * steps);
        let published = kill_at(target.import_other(), hit, &target.scene);
        account(&mut target, round, published, &format!("hit {hit}"));
    }
    end_well(target);
}

/// After all that, everything works as ever.
fn end_well(mut target: TwoArchives) {
    run(target.import_other()).succeeds();
    target.published();
    target.assert_whole("the last import");
    run(target.scene.command(["rollback", "--yes"])).succeeds();
    target.live = 1 - target.live;
    target.assert_whole("the rollback");
}

#[test]
fn imports_killed_at_their_points() {
    kill_imports(percent(35), 0, 2);
}

#[test]
fn imports_killed_at_other_points() {
    kill_imports(percent(35), 1, 2);
}

#[test]
fn imports_killed_at_any_time() {
    let mut target = TwoArchives::imported();
    let started = Instant::now();
    run(target.import_other()).succeeds();
    let time = started.elapsed();
    target.published();
    for round in 0..percent(20) {
        let after = time.mul_f64(fastrand::f64());
        let published = kill_after(target.import_other(), after, &target.scene);
        account(&mut target, round, published, &format!("{after:?}"));
    }
    end_well(target);
}

#[test]
fn first_imports_killed() {
    let scene = Scene::gitlab();
    let [archive, _] = pack_two(&scene);
    let import = || scene.import_command(archive.to_str().unwrap());
    let old = Snapshot::of(&scene);
    let points = {
        let rehearsal = Scene::gitlab();
        count_points(
            rehearsal.import_command(archive.to_str().unwrap()),
            &rehearsal,
        )
    };
    let kills = percent(10);
    for round in 0..kills {
        let hit = 1 + round * points / kills;
        match kill_at(import(), hit, &scene) {
            Published::Yes => break,
            _ => recover(&scene, &old, hit),
        }
    }
    scene.import(&archive).succeeds();
}

fn recover(scene: &Scene, old: &Snapshot, hit: usize) {
    run(scene.command(["recover"])).succeeds();
    let difference = old.difference(&Snapshot::of(scene));
    assert!(difference.is_empty(), "after hit {hit}: {difference}");
    assert_nothing_left(scene, 0, &format!("hit {hit}"));
}

#[test]
fn recoveries_killed() {
    let mut target = TwoArchives::imported();
    for point in ["journal written", "new directory in place", "committed"] {
        for hit in 1.. {
            let mut import = target.import_other();
            import.env("CI_IMPORT_FAILPOINT", format!("kill:{point}"));
            assert_eq!(run(import).code, None);
            if point == "committed" {
                target.published();
            }
            let mut recover = target.scene.command(["recover"]);
            recover.env("CI_IMPORT_FAILPOINT", format!("kill:#{hit}"));
            let outcome = run(recover);
            if outcome.code.is_none() {
                target.recover();
            }
            target.assert_whole(&format!("{point}, then hit {hit}"));
            if outcome.code == Some(0) {
                break;
            }
        }
    }
    end_well(target);
}

#[test]
fn rollbacks_killed() {
    // As the first import left it, with its own tags only: a rollback takes the others' with it.
    let scene = Scene::gitlab();
    let archives = pack_two(&scene);
    scene.import(&archives[0]).succeeds();
    let first = Snapshot::of(&scene);
    scene.import(&archives[1]).succeeds();
    let mut target = TwoArchives {
        states: [first, Snapshot::of(&scene)],
        scene,
        archives,
        live: 1,
        publishes: 2,
    };
    let rollback = |target: &TwoArchives| target.scene.command(["rollback", "--yes"]);
    let points = count_points(rollback(&target), &target.scene);
    target.live = 0;
    target.assert_whole("the rollback");
    for hit in 1..=points {
        if kill_at(rollback(&target), hit, &target.scene) == Published::Yes {
            target.live = 1 - target.live;
        }
        if hit % 2 == 0 {
            target.recover();
            target.assert_whole(&format!("hit {hit}"));
        }
    }
}

#[test]
fn discards_killed() {
    let mut target = TwoArchives::imported();
    let discard = |target: &TwoArchives| target.scene.command(["discard", "--yes"]);
    let points = count_points(discard(&target), &target.scene);
    for hit in 1..=points {
        run(target.import_other()).succeeds();
        target.published();
        kill_at(discard(&target), hit, &target.scene);
        let difference = target.states[target.live].difference(&Snapshot::of(&target.scene));
        assert!(difference.is_empty(), "after hit {hit}: {difference}");
        run(discard(&target)).succeeds();
        target.publishes = 0;
        target.assert_whole(&format!("hit {hit}"));
    }
}

/// What a kill leaves of a journal that is not whole goes with the next start.
#[test]
fn unfinished_journals_go() {
    let target = TwoArchives::imported();
    for point in ["journal begun", "journal whole"] {
        let mut import = target.import_other();
        import.env("CI_IMPORT_FAILPOINT", format!("kill:{point}"));
        assert_eq!(run(import).code, None);
        let left = |path: &Path| path.to_string_lossy().contains(".ci_import_journal.");
        let beside = fs::read_dir(target.scene.builds().parent().unwrap()).unwrap();
        let found = beside.filter(|entry| left(&entry.as_ref().unwrap().path()));
        assert_eq!(found.count(), 1, "{point}");
        target.recover();
        target.assert_whole(point);
    }
}
