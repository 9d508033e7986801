//! Migrations while others are at work: several that migrate, applications that hold locks, kills and
//! signals.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::migrations::postgresql::Migrations;
use crate::support::paused::Paused;
use crate::support::program::{finish, run};

/// As long as a step takes that two who migrate would both begin.
const SLOW: [(&str, &str); 2] = [
    (
        "migrate/20260101000000_one.sql",
        "CREATE TABLE log (n serial, what text); SELECT pg_sleep(0.7); INSERT INTO log (what) VALUES ('one')",
    ),
    (
        "migrate/20260102000000_two.sql",
        "-- migrate:no-transaction
         SELECT pg_sleep(0.3); INSERT INTO log (what) VALUES ('two')",
    ),
];

#[test]
fn several_that_migrate_at_once_run_each_migration_once() {
    let it = Migrations::of(&SLOW);
    let runs: Vec<_> = (0..4)
        .map(|_| {
            let mut migrate = it.command(&["--json"]);
            let shown = format!("{migrate:?}");
            (migrate.spawn().unwrap(), shown)
        })
        .collect();
    let mut ran = Vec::new();
    let mut waited = 0;
    for (child, shown) in runs {
        let outcome = finish(child, shown).succeeds();
        waited += usize::from(
            outcome
                .stderr
                .contains("another run migrates this database"),
        );
        let report: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
        ran.push(report["migrations"].as_array().unwrap().len());
    }
    ran.sort_unstable();
    // One did all of it, the others found nothing to do when they got to it.
    assert_eq!(ran, [0, 0, 0, 2]);
    assert_eq!(waited, 3);
    assert_eq!(it.scene.values("SELECT what FROM log"), ["one", "two"]);
    assert_eq!(it.versions().len(), 2);
}

/// At each of its points.
#[test]
fn killed_in_the_middle_nothing_of_a_migration_is_there() {
    let files = [
        (
            "migrate/20260101000000_one.sql",
            "CREATE TABLE one (a int); INSERT INTO one VALUES (1)",
        ),
        (
            "post_migrate/20260102000000_two.sql",
            "CREATE TABLE two (a int); INSERT INTO two VALUES (2)",
        ),
    ];
    let probe = Migrations::of(&files);
    let log = probe.scene.path("points");
    let mut migrate = probe.command(&[]);
    migrate.env("CI_IMPORT_FAILPOINT_LOG", &log);
    run(migrate).succeeds();
    let points = std::fs::read_to_string(&log).unwrap().lines().count();
    assert!(points >= 12, "{points}");
    for hit in 1..=points {
        let it = Migrations::of(&files);
        let mut migrate = it.command(&[]);
        migrate.env("CI_IMPORT_FAILPOINT", format!("kill:#{hit}"));
        assert_eq!(run(migrate).code, None, "hit {hit}");
        let exists = |table: &str| {
            let rows = format!("SELECT to_regclass('{table}') IS NOT NULL");
            it.scene.value(&rows) == "t"
        };
        let recorded = if exists("schema_migrations") {
            it.versions()
        } else {
            Vec::new()
        };
        for (table, version) in [("one", "20260101000000"), ("two", "20260102000000")] {
            let is_recorded = recorded.iter().any(|recorded| recorded == version);
            assert_eq!(exists(table), is_recorded, "hit {hit}: {table}");
        }
        it.migrate(&[]).succeeds();
        assert_eq!(it.versions().len(), 2, "hit {hit}");
        assert_eq!(
            it.scene
                .value("SELECT a FROM one UNION ALL SELECT a FROM two"),
            "1"
        );
    }
}

/// Who is killed while the server still works for it holds others off until that has ended.
#[test]
fn killed_while_the_server_works() {
    let it = Migrations::of(&[(
        "migrate/20260101000000_slow.sql",
        "-- migrate:no-transaction
         CREATE TABLE IF NOT EXISTS log (n serial); INSERT INTO log SELECT nextval('log_n_seq') FROM pg_sleep(1.5)",
    )]);
    let mut child = it.command(&[]).spawn().unwrap();
    wait_until("the statement runs", || {
        it.scene.value("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'INSERT INTO log%' AND datname = current_database()") == "1"
    });
    child.kill().unwrap();
    child.wait().unwrap();
    it.migrate(&[])
        .succeeds()
        .says("another run migrates this database");
    assert_eq!(it.scene.value("SELECT count(*) FROM log"), "2");
}

#[test]
fn a_signal_cancels_the_statement_that_runs() {
    for (text, is_there) in [
        ("CREATE TABLE t (a int); SELECT pg_sleep(60)", false),
        (
            "-- migrate:no-transaction\nCREATE TABLE t (a int); SELECT pg_sleep(60)",
            true,
        ),
    ] {
        let it = Migrations::of(&[("migrate/20260101000000_slow.sql", text)]);
        let migrate = Paused::at(it.command(&[]), "statement run");
        let started = Instant::now();
        migrate.signal(Signal::TERM);
        migrate
            .finish()
            .exits(130)
            .says("what was not done yet stays pending");
        assert!(started.elapsed() < Duration::from_secs(20));
        assert_eq!(
            it.scene.value("SELECT to_regclass('t') IS NOT NULL"),
            if is_there { "t" } else { "f" }
        );
        assert!(it.versions().is_empty());
    }
    // Also while it waits for its turn.
    let it = Migrations::of(&SLOW);
    let holder = Paused::at(it.command(&[]), "lock of migrations taken");
    let waiting = it.command(&[]).spawn().unwrap();
    wait_until("another waits", || {
        it.scene.value("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'ci-import' AND datname = current_database() AND query LIKE '%pg_try_advisory_lock%'") == "2"
    });
    let pid = rustix::process::Pid::from_child(&waiting);
    rustix::process::kill_process(pid, Signal::INT).unwrap();
    finish(waiting, "waiting".to_owned()).exits(130);
    holder.finish().succeeds();
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "it never comes that {what}"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

const TABLE: &str = "CREATE TABLE busy (a int, b int); INSERT INTO busy VALUES (1, 1)";

/// A session holds the table for long; a migration needs it alone. Others who only read it are not
/// held up longer than the lock timeout, and when the table is free the migration goes through.
#[test]
fn others_are_not_held_up_longer_than_the_lock_timeout() {
    const TIMEOUT: Duration = Duration::from_millis(400);
    let it = Migrations::of(&[(
        "migrate/20260101000000_drop.sql",
        "ALTER TABLE busy DROP COLUMN b",
    )]);
    it.scene.connect().batch_execute(TABLE).unwrap();
    let mut holder = it.scene.connect();
    let mut holding = holder.transaction().unwrap();
    holding.query("SELECT a FROM busy", &[]).unwrap();
    let milliseconds = TIMEOUT.as_millis().to_string();
    let done = AtomicBool::new(false);
    let (longest, outcome) = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut client = it.scene.connect();
            let (mut longest, mut held_up) = (Duration::ZERO, 0);
            while !done.load(Ordering::Relaxed) {
                let started = Instant::now();
                client.query("SELECT a FROM busy", &[]).unwrap();
                let took = started.elapsed();
                held_up += usize::from(took > TIMEOUT / 2);
                longest = longest.max(took);
                std::thread::sleep(Duration::from_millis(1));
            }
            // It did stand in the queue behind the migration, at several of its tries.
            assert!(held_up >= 2, "held up {held_up} times");
            longest
        });
        let arguments = ["--lock-timeout", &milliseconds, "--lock-retries", "30"];
        let migrate = it.command(&arguments).spawn().unwrap();
        std::thread::sleep(Duration::from_secs(4));
        drop(holding);
        // What fails now fails when the reader has been told to end.
        let outcome = finish(migrate, "migrate".to_owned());
        done.store(true, Ordering::Relaxed);
        (reader.join().unwrap(), outcome)
    });
    let outcome = outcome.succeeds();
    // A busy machine takes its time beyond that.
    assert!(longest < TIMEOUT + Duration::from_secs(1), "{longest:?}");
    outcome
        .says("others hold what it needs; again in 0.1 s")
        .says("again in 0.4 s");
    assert_eq!(it.versions().len(), 1);
}

#[test]
fn a_lock_that_is_never_free_is_given_up() {
    let it = Migrations::of(&[
        (
            "migrate/20260101000000_add.sql",
            "CREATE TABLE t (a int); ALTER TABLE busy DROP COLUMN b",
        ),
        ("migrate/20260102000000_next.sql", "SELECT 1"),
    ]);
    it.scene.connect().batch_execute(TABLE).unwrap();
    let mut holder = it.scene.connect();
    let mut holding = holder.transaction().unwrap();
    holding.query("SELECT a FROM busy", &[]).unwrap();
    it.migrate(&["--lock-timeout", "50", "--lock-retries", "2"])
        .exits(1)
        .says("cannot run ALTER TABLE busy DROP COLUMN b: canceling statement due to lock timeout")
        .says("wait longer with --lock-timeout");
    assert!(it.versions().is_empty());
    assert_eq!(it.scene.value("SELECT to_regclass('t')"), "~");
}
