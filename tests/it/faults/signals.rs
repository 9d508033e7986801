//! Signals that come at points of an import, and a second one that comes while the first one's
//! cleaning up is under way.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::paused::Paused;
use crate::support::program::run;
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
        outcome.says("interrupted; nothing was published");
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
