//! Signals that come at points of an import, and a second one that comes while the first one's
//! cleaning up is under way.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::mysql_scene::MysqlScene;
use crate::support::own_mariadb::OwnMariadb;
use crate::support::own_server::OwnServer;
use crate::support::paused::Paused;
use crate::support::program::run;
use crate::support::scene::Scene;
use crate::support::snapshot::Snapshot;
use crate::support::two_archives::TwoArchives;

/// Points up to the last at which nothing is lost by stopping, in order.
const POINTS: [&str; 16] = [
    "connected",
    "lock taken",
    "staging schema made",
    "staging directory made",
    "table created",
    "trace begun",
    "rows to be copied",
    "rows committed",
    "index to be built",
    "index built",
    "sequence set",
    "traces on the disk",
    "staged",
    "to be published",
    "live tables locked",
    "services prefixed",
];

/// Points at which it is too late.
const LATE: [&str; 4] = [
    "steps done",
    "journal written",
    "to be committed",
    "committed",
];

#[test]
fn a_signal_stops_an_import_at_its_points() {
    let mut target = TwoArchives::imported();
    for (number, point) in POINTS.iter().enumerate() {
        let import = Paused::at(target.import_other(), point);
        import.signal([Signal::INT, Signal::TERM, Signal::HUP][number % 3]);
        let outcome = import.finish();
        assert_eq!(outcome.code, Some(130), "{point}\n{}", outcome.whole());
        let outcome = outcome.says("interrupted; nothing was published");
        outcome.says("ci-import: stopping; press Ctrl-C again to stop at once");
        // It has cleaned up itself.
        target.assert_whole(point);
    }
    for point in LATE {
        let import = Paused::at(target.import_other(), point);
        import.signal(Signal::INT);
        import.finish().succeeds();
        target.published();
        target.assert_whole(point);
    }
}

/// Evenly over the run, into the publish: what it says is what it did.
#[test]
fn a_signal_at_any_hit() {
    let mut target = TwoArchives::imported();
    for hit in (1..250).step_by(11) {
        let import = Paused::at(target.import_other(), &format!("#{hit}"));
        import.signal(Signal::TERM);
        let outcome = import.finish();
        match outcome.code {
            Some(0) => target.published(),
            Some(130) => {}
            _ => panic!("hit {hit}: {}", outcome.whole()),
        }
        target.assert_whole(&format!("hit {hit}"));
    }
}

#[test]
fn a_second_signal_while_it_cleans_up() {
    let mut target = TwoArchives::imported();
    let import = Paused::at(target.import_other(), "staged");
    // Who reads a staged table holds up its end.
    let mut reader = target.scene.connect();
    let mut reading = reader.transaction().unwrap();
    reading
        .batch_execute("LOCK TABLE ci_import_staging.ci_builds IN ACCESS SHARE MODE")
        .unwrap();
    import.signal(Signal::INT);
    import.go_on();
    let waits = "SELECT count(*) FROM pg_stat_activity
                 WHERE application_name = 'ci-import' AND datname = current_database()
                   AND wait_event_type = 'Lock'";
    let started = Instant::now();
    while target.scene.value(waits) != "1" {
        assert!(
            started.elapsed() < Duration::from_secs(30),
            "it does not clean up"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    import.signal(Signal::TERM);
    let second = Instant::now();
    import.finish().exits(130);
    assert!(second.elapsed() < Duration::from_secs(5));
    drop(reading);
    run(target.import_other()).succeeds();
    target.published();
    target.assert_whole("the second signal");
}

/// How long a signal may take, with some time for a busy machine.
const AT_ONCE: Duration = Duration::from_secs(4);

/// Where a server may stop answering: while the main thread waits for it, and while the workers do.
const STILL_POINTS: [&str; 5] = [
    "staging schema made",
    "rows to be copied",
    "index to be built",
    "staged",
    "live tables locked",
];

#[test]
fn a_signal_is_obeyed_though_the_server_stands_still() {
    let server = OwnServer::start();
    let mut target = TwoArchives::imported_into(Scene::gitlab_on(&server.directory));
    for point in STILL_POINTS {
        let import = Paused::at(target.import_other(), point);
        server.signal_all(Signal::STOP);
        import.go_on();
        std::thread::sleep(Duration::from_millis(200));
        import.signal(Signal::INT);
        let signalled = Instant::now();
        let outcome = import.finish();
        let took = signalled.elapsed();
        server.signal_all(Signal::CONT);
        let outcome = outcome
            .exits(130)
            .says("interrupted; nothing was published");
        let outcome = outcome.says("press Ctrl-C again");
        assert!(took < AT_ONCE, "{point}: {took:?}\n{}", outcome.whole());
        // The traces are removed without the server; the rest goes with the next import.
        let left: Vec<String> = crate::support::two_archives::beside(&target.scene);
        assert!(
            !left.iter().any(|name| name.contains("staging")),
            "{left:?}"
        );
        run(target.import_other()).succeeds();
        target.published();
        target.assert_whole(point);
    }
}

#[test]
fn a_signal_is_obeyed_though_the_disk_does_not_answer() {
    let target = TwoArchives::imported();
    let point = "disk waited for";
    let log = target.scene.path("points");
    let import = Paused::hanging_at(target.import_other(), point, &log);
    import.signal(Signal::TERM);
    let signalled = Instant::now();
    let outcome = import.finish().exits(130);
    let took = signalled.elapsed();
    assert!(took < AT_ONCE, "{took:?}\n{}", outcome.whole());
    outcome.says("interrupted; nothing was published");
    target.assert_whole(point);
}

#[test]
fn a_signal_is_obeyed_though_mysql_stands_still() {
    let server = OwnMariadb::start();
    let scene = MysqlScene::gitlab_on(&server);
    let archive = scene.archive();
    let import = || scene.command(&[archive.to_str().unwrap(), "--yes"]);
    for point in ["lock taken", "rows to be copied", "staged"] {
        let import = Paused::at(import(), point);
        server.signal(Signal::STOP);
        import.go_on();
        std::thread::sleep(Duration::from_millis(200));
        import.signal(Signal::INT);
        let signalled = Instant::now();
        let outcome = import.finish();
        let took = signalled.elapsed();
        server.signal(Signal::CONT);
        let outcome = outcome.exits(130).says("nothing was published");
        assert!(took < AT_ONCE, "{point}: {took:?}\n{}", outcome.whole());
        assert!(!scene.beside().iter().any(|name| name.contains("staging")));
    }
    run(import()).succeeds();
}

/// The second signal does not wait for the commit of the publish: it says that the outcome is not known.
#[test]
fn a_second_signal_in_a_publish_says_what_to_do() {
    let server = OwnServer::start();
    let mut target = TwoArchives::imported_into(Scene::gitlab_on(&server.directory));
    let import = Paused::at(target.import_other(), "to be committed");
    server.signal_all(Signal::STOP);
    import.go_on();
    std::thread::sleep(Duration::from_millis(200));
    import.signal(Signal::INT);
    std::thread::sleep(Duration::from_millis(300));
    import.signal(Signal::INT);
    let signalled = Instant::now();
    let outcome = import.finish();
    let took = signalled.elapsed();
    server.signal_all(Signal::CONT);
    let outcome = outcome.exits(6).says("ci-import recover");
    assert!(took < AT_ONCE, "{took:?}\n{}", outcome.whole());
    run(target.scene.command(["recover"])).succeeds();
    if Snapshot::of(&target.scene) != target.states[target.live] {
        target.published();
    }
    target.assert_whole("the second signal");
}
