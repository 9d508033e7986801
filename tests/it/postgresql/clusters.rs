//! Targets that are more than one server.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::own_server::OwnServer;
use crate::support::pooler::Pooler;
use crate::support::program::{command, run};
use crate::support::scene::{Dialect, Scene, fixture_dump};
use crate::support::servers::{connect_in, url_in};
use crate::support::trees::tree;

/// No lock of ours is left in the server of `scene`.
#[track_caller]
fn assert_no_lock(scene: &Scene) {
    let database = "database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let sql =
        format!("SELECT count(*)::text FROM pg_locks WHERE locktype = 'advisory' AND {database}");
    let started = Instant::now();
    while scene.value(&sql) != "0" {
        assert!(started.elapsed() < Duration::from_secs(5), "a lock is left");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_pgpool_is_refused() {
    let pooler = Pooler::start_pgpool();
    let scene = Scene::gitlab();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    let url = pooler.url(&scene.value("SELECT current_database()"));
    let through = |verb: &[&str]| {
        let mut it = command(verb);
        it.arg(&archive)
            .args(["--mysql-to-postgresql", "--database-url", &url]);
        it.arg("--builds-path").arg(scene.builds());
        it
    };
    let what = "the connection goes through pgpool";
    run(through(&["check"])).exits(4).reports(what);
    let mut import = through(&[]);
    run(import.arg("--yes"))
        .exits(4)
        .says(what)
        .says("name the primary server itself");
    assert_no_lock(&scene);
}

/// A primary that waits for its standby.
fn synchronous_pair() -> (OwnServer, OwnServer) {
    let primary = OwnServer::start();
    let standby = primary.standby();
    let mut client = connect_in(&primary.directory, "postgres").unwrap();
    for sql in [
        "ALTER SYSTEM SET synchronous_standby_names = 's1'",
        "SELECT pg_reload_conf()",
    ] {
        client.batch_execute(sql).unwrap();
    }
    (primary, standby)
}

/// At its end, commits do not wait any more: a test removes its database.
struct WaitsNoMore<'a>(&'a OwnServer);

impl Drop for WaitsNoMore<'_> {
    fn drop(&mut self) {
        let mut client = connect_in(&self.0.directory, "postgres").unwrap();
        for sql in [
            "ALTER SYSTEM RESET synchronous_standby_names",
            "SELECT pg_reload_conf()",
        ] {
            let _ = client.batch_execute(sql);
        }
    }
}

/// Waits until `standby` has what its primary has.
fn wait_for_standby(primary: &OwnServer, standby: &OwnServer) {
    let ask = |server: &OwnServer, sql: &str| -> String {
        let mut client = connect_in(&server.directory, "postgres").unwrap();
        client.query_one(sql, &[]).unwrap().get(0)
    };
    let written = ask(primary, "SELECT pg_current_wal_flush_lsn()::text");
    let sql = format!("SELECT (pg_last_wal_replay_lsn() >= '{written}')::text");
    let started = Instant::now();
    while ask(standby, &sql) != "true" {
        assert!(
            started.elapsed() < Duration::from_secs(30),
            "it does not follow"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_synchronous_standby_gets_the_import() {
    let (primary, standby) = synchronous_pair();
    let scene = Scene::gitlab_on(&primary.directory);
    let _end = WaitsNoMore(&primary);
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    let outcome = run(scene.import_command(archive.to_str().unwrap())).succeeds();
    assert!(!outcome.stderr.contains("standby"), "{}", outcome.whole());
    wait_for_standby(&primary, &standby);
    let count = "SELECT count(*) FROM ci_builds";
    let of = |directory: &Path| -> i64 {
        let mut client = connect_in(directory, &scene.database).unwrap();
        client.query_one(count, &[]).unwrap().get(0)
    };
    assert_eq!(of(&primary.directory), of(&standby.directory));
    assert_no_lock(&scene);
}

/// The waiting is told, and a signal ends it: the import is live, and the report says that no standby has it.
#[test]
fn the_wait_for_a_standby_that_is_gone_ends_with_a_signal() {
    let (primary, mut standby) = synchronous_pair();
    let scene = Scene::gitlab_on(&primary.directory);
    let _end = WaitsNoMore(&primary);
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    standby.end();
    let mut import = scene.import_command(archive.to_str().unwrap());
    let mut child = import.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut told = Vec::new();
    for line in lines.by_ref() {
        told.push(line.unwrap());
        if told
            .last()
            .unwrap()
            .contains("waits until a synchronous standby has it")
        {
            break;
        }
    }
    assert!(
        told.iter()
            .any(|line| line.contains("no standby is connected")),
        "{told:#?}"
    );
    let signalled = Instant::now();
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    let mut report = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut report)
        .unwrap();
    let status = child.wait().unwrap();
    assert!(
        signalled.elapsed() < Duration::from_secs(5),
        "{:?}",
        signalled.elapsed()
    );
    assert!(status.success(), "{status}: {told:#?} {rest:#?}");
    let rest = rest.join(" ");
    assert!(rest.contains("[not-replicated]"), "{rest}");
    assert!(
        report.contains("imported 1443700800_gitlab_ci_backup.tar"),
        "{report}"
    );
    assert_ne!(scene.value("SELECT count(*)::text FROM ci_builds"), "0");
    assert_no_lock(&scene);
}

/// Both servers of a pair are named: whichever can be written to is taken, also after a takeover.
#[test]
fn of_several_hosts_the_primary_is_taken() {
    let mut primary = OwnServer::start();
    let standby = primary.standby();
    let scene = Scene::gitlab_on(&primary.directory);
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    wait_for_standby(&primary, &standby);
    let hosts = [&standby, &primary].map(|server| server.directory.to_str().unwrap());
    let url = format!(
        "postgresql://postgres@/{}?host={}&target_session_attrs=read-write",
        scene.database,
        hosts.join(",").replace('/', "%2F")
    );
    let it = |arguments: &[&str]| {
        let mut it = command(arguments);
        it.arg("--builds-path").arg(scene.builds());
        run(it.args(["--database-url", &url]))
    };
    let archive = archive.to_str().unwrap();
    it(&[archive, "--mysql-to-postgresql", "--yes"]).succeeds();
    it(&["verify", archive]).succeeds();
    wait_for_standby(&primary, &standby);
    primary.end();
    promote(&standby);
    it(&["verify", archive]).succeeds();
    it(&["rollback", "--yes"]).succeeds();
}

/// The server is lost when the publish is committed there, and its standby takes over: with the publish, or without it.
#[test]
fn after_a_takeover_recover_follows_what_the_standby_has() {
    for has_publish in [true, false] {
        let mut primary = OwnServer::start();
        let mut standby = primary.standby();
        let scene = Scene::gitlab_on(&primary.directory);
        let dump = fixture_dump(Dialect::Native);
        run(scene.import_command(scene.pack(&dump).to_str().unwrap())).succeeds();
        let before = tree(&scene.builds());
        let trace = scene.source().join("2015_12/9");
        fs::create_dir_all(&trace).unwrap();
        fs::write(trace.join("9.log"), "another").unwrap();
        let archive = scene.pack(&dump);
        wait_for_standby(&primary, &standby);
        if !has_publish {
            standby.end();
        }
        let mut import = scene.import_command(archive.to_str().unwrap());
        import.env("CI_IMPORT_FAILPOINT", "kill:committed");
        assert_eq!(run(import).code, None);
        if has_publish {
            wait_for_standby(&primary, &standby);
        }
        primary.end();
        if has_publish {
            promote(&standby);
        } else {
            standby.restart();
            promote(&standby);
            // Transactions of others get the numbers of those that the standby never got.
            let mut client = connect_in(&standby.directory, &scene.database).unwrap();
            for _ in 0..300 {
                client.batch_execute("SELECT txid_current()").unwrap();
            }
        }
        let mut recover = recover_in(&standby, &scene);
        let said = if has_publish {
            "completed an interrupted publish: the import is live"
        } else {
            "undid an interrupted publish: the previous data is live again"
        };
        run(&mut recover).succeeds().reports(said);
        let now = tree(&scene.builds());
        assert_eq!(now == before, !has_publish);
        assert_eq!(scene.builds().join("2015_12/9/9.log").exists(), has_publish);
        run(&mut recover)
            .succeeds()
            .reports("there is no interrupted publish");
    }
}

fn promote(standby: &OwnServer) {
    let mut client = connect_in(&standby.directory, "postgres").unwrap();
    client.batch_execute("SELECT pg_promote()").unwrap();
}

fn recover_in(server: &OwnServer, scene: &Scene) -> Command {
    let mut recover = command(["recover"]);
    recover.arg("--builds-path").arg(scene.builds());
    recover.args([
        "--database-url",
        &url_in(&server.directory, &scene.database),
    ]);
    recover
}
