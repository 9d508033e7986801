//! The target's server is killed, or its sessions are cut, at points that are spread over an import.
//! The import does not say that it succeeded when it did not, and afterwards there is the old or the
//! new state, whole.

use crate::support::own_server::OwnServer;
use crate::support::paused::Paused;
use crate::support::program::{Outcome, command, run};
use crate::support::scene::Scene;
use crate::support::two_archives::TwoArchives;

/// Points before the commit, in order.
const BEFORE: [&str; 22] = [
    "lock taken",
    "staging schema made",
    "staging directory made",
    "table created",
    "rows to be copied",
    "rows copied",
    "index to be built",
    "index built",
    "sequence set",
    "staged",
    "to be published",
    "transaction begun",
    "live tables locked",
    "CI disabled",
    "old tables aside",
    "new tables in place",
    "tags merged",
    "steps done",
    "transaction's number on the disk",
    "journal begun",
    "journal written",
    "old directory aside",
];

/// The last ones before it. Who does not hear what became of it cannot know.
const AT_COMMIT: [&str; 2] = ["new directory in place", "to be committed"];

/// Points after it.
const AFTER: [&str; 3] = ["committed", "journal removed", "published"];

/// Disturbs imports into `target` at all points, and sees that what they say is true.
fn disturb(
    target: &mut TwoArchives,
    codes: &dyn Fn(&str) -> Vec<i32>,
    how: &mut dyn FnMut(Paused) -> Outcome,
) {
    for point in BEFORE.iter().chain(&AT_COMMIT).chain(&AFTER) {
        let paused = Paused::at(target.import_other(), point);
        let outcome = how(paused);
        let codes = codes(point);
        assert!(
            outcome.code.is_some_and(|code| codes.contains(&code)),
            "{point}: expected {codes:?}\n{}",
            outcome.whole()
        );
        if AFTER.contains(point) {
            target.published();
        } else {
            assert!(
                outcome.stderr.contains("hint: "),
                "{point}\n{}",
                outcome.whole()
            );
        }
        target.recover();
        target.assert_whole(point);
    }
}

#[test]
fn the_server_is_killed() {
    let server = std::cell::RefCell::new(OwnServer::start());
    let scene = Scene::gitlab_on(&server.borrow().directory);
    let mut target = TwoArchives::imported_into(scene);
    // Sequences that were asked for numbers shortly before a crash jump ahead, as ever.
    target.scene.connect().batch_execute("CHECKPOINT").unwrap();
    let codes = |point: &str| match point {
        _ if AFTER.contains(&point) => vec![0],
        // It is down, and so cannot be asked.
        _ if AT_COMMIT.contains(&point) => vec![6],
        _ => vec![4, 6],
    };
    disturb(&mut target, &codes, &mut |paused| {
        server.borrow_mut().kill();
        let outcome = paused.finish();
        server.borrow_mut().restart();
        outcome
    });
}

#[test]
fn the_sessions_are_cut() {
    let mut target = TwoArchives::imported();
    let database = target.scene.database.clone();
    let codes = |point: &str| vec![if AFTER.contains(&point) { 0 } else { 4 }];
    disturb(&mut target, &codes, &mut |paused| {
        let mut client = crate::support::servers::connect_postgresql("postgres");
        let cut = client
            .execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE application_name = 'ci-import' AND datname = $1",
                &[&database],
            )
            .unwrap();
        assert!(cut > 0);
        paused.finish()
    });
}

/// The lock goes with the session that holds it, but the sessions that load live on: nobody else may
/// create the staging schema anew while they do.
#[test]
fn an_import_that_has_lost_its_lock_keeps_others_out() {
    let mut target = TwoArchives::imported();
    let database = target.scene.database.clone();
    let lost = Paused::at(target.import_other(), "rows to be copied");
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_locks
               WHERE locktype = 'advisory' AND mode = 'ExclusiveLock'
                 AND database = (SELECT oid FROM pg_database WHERE datname = $1)";
    let rows = crate::support::servers::connect_postgresql("postgres")
        .execute(cut, &[&database])
        .unwrap();
    assert_eq!(rows, 1);
    // Not at their builds directory: that has a lock of its own.
    let archive = target.archives[0].to_str().unwrap();
    let mut import = command([archive, "--mysql-to-postgresql", "--yes"]);
    import.arg("--database-url").arg(target.scene.url());
    import
        .arg("--builds-path")
        .arg(target.scene.path("elsewhere"));
    run(import)
        .exits(4)
        .says("another import into this database is running (server process ");
    lost.finish().exits(4);
    target.assert_whole("the lock was lost");
    run(target.import_other()).succeeds();
    target.published();
    target.assert_whole("the import after it");
}
