//! A backup that fails leaves no archive, and the older ones as they were.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, lchown};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mysql::prelude::Queryable;
use rustix::process::{Pid, Signal, kill_process};

use super::{CiServer, names_in};
use crate::support::program::{command, finish, project, run};
use crate::support::scene::{Scene, load_into_mariadb};
use crate::support::servers::{connect_mariadb, mariadb, new_mariadb_database};
use crate::support::small_disk::SmallDisk;
use crate::support::two_users::{EVE, need_root};

/// Has the command find `script` in the place of the dump program, which is `$REAL` in it.
fn with_program(backup: &mut Command, ci: &CiServer, script: &str) {
    let folder = ci.directory.path().join("bin");
    fs::create_dir_all(&folder).unwrap();
    let path = std::env::var("PATH").unwrap();
    for name in ["mariadb-dump", "mysqldump"] {
        let text = format!(
            "#!/bin/sh\nPATH='{path}'\nREAL={name}\n[ \"$1\" != --version ] || exec $REAL \"$@\"\n{script}\n"
        );
        let file = folder.join(name);
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }
    backup.env("PATH", format!("{}:{path}", folder.display()));
}

#[test]
fn the_dump_program_fails() {
    let ci = CiServer::on_mariadb();
    for (script, says) in [
        // It has written all, but says that something was wrong.
        (
            "$REAL \"$@\"; echo 'a table is damaged' >&2; exit 2",
            "exit status: 2): a table is damaged",
        ),
        ("$REAL \"$@\" | head -c 20000; kill -9 $$", "signal: 9"),
        ("echo 'no such server' >&2; exit 1", "no such server"),
        // It says nothing at all, and all is well.
        ("exit 0", "the archive was read back"),
        // The last line is missing.
        ("$REAL \"$@\" | head -n -3", ""),
    ] {
        for options in [&[][..], &["--mysql-to-postgresql"]] {
            let mut backup = ci.backup(options);
            with_program(&mut backup, &ci, script);
            let outcome = run(backup);
            let code = outcome.code.unwrap();
            assert!([1, 3, 4].contains(&code), "{script}: {outcome:?}");
            let says = if says == "the archive was read back" && code == 3 {
                ""
            } else {
                says
            };
            ci.left_nothing(outcome, code, says);
        }
    }
}

#[test]
fn it_is_killed_at_every_step() {
    let ci = CiServer::on_mariadb();
    for point in ["dump written", "traces packed", "archive read back"] {
        let mut backup = ci.backup(&[]);
        backup.env("CI_IMPORT_FAILPOINT", format!("kill:{point}"));
        assert_eq!(run(backup).code, None, "{point}");
        let names = ci.archives();
        let complete = names.iter().filter(|name| !name.starts_with('.'));
        assert_eq!(
            complete.collect::<Vec<_>>(),
            ["100_gitlab_ci_backup.tar"],
            "{point}"
        );
    }
    // What was left goes with the next one.
    run(ci.backup(&[])).succeeds();
    let names = ci.archives();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[test]
fn a_wrong_password_and_a_database_without_ci() {
    let mut ci = CiServer::on_mariadb();
    let socket = mariadb().directory.join("socket");
    let right = std::mem::replace(
        &mut ci.url,
        format!(
            "mysql://nobody:hunter2@localhost/x?socket={}",
            socket.display()
        ),
    );
    let outcome = run(ci.backup(&[]));
    assert!(!outcome.stderr.contains("hunter2"), "{}", outcome.stderr);
    ci.left_nothing(outcome, 4, "Access denied");
    let empty = new_mariadb_database();
    ci.url = format!("mysql://root@localhost/{empty}?socket={}", socket.display());
    ci.left_nothing(
        run(ci.backup(&[])),
        4,
        "the database has no table of GitLab CI 8.0",
    );
    let scene = Scene::bare();
    ci.url = scene.url();
    ci.left_nothing(
        run(ci.backup(&[])),
        4,
        "the database has no table of GitLab CI 8.0",
    );
    ci.url = right;
    let mut backup = ci.backup(&[]);
    backup.arg("--ci-version=7.14.3");
    let outcome = run(backup);
    assert_eq!(outcome.code, Some(2));
}

#[test]
fn traces_that_cannot_be_read() {
    need_root();
    let ci = CiServer::on_mariadb();
    let secret = ci.builds().join("2015_10");
    fs::set_permissions(ci.directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(ci.folder(), fs::Permissions::from_mode(0o777)).unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o700)).unwrap();
    let mut backup = ci.backup(&[]);
    backup.uid(EVE).gid(EVE);
    ci.left_nothing(run(backup), 1, "sudo chown -R gitlab_ci:gitlab_ci");
}

/// Two tables that others change together are of one moment in the archive.
#[test]
fn others_go_on_writing() {
    let database = new_mariadb_database();
    for file in ["gitlab_ci.sql", "awkward.sql"] {
        load_into_mariadb(&database, &project().join("fixtures").join(file));
    }
    let socket = mariadb().directory.join("socket");
    let ci = CiServer::at(format!(
        "mysql://root@localhost/{database}?socket={}",
        socket.display()
    ));
    let count = "SELECT (SELECT count(*) FROM ci_jobs) - (SELECT count(*) FROM ci_triggers)";
    let mut conn = connect_mariadb(&database);
    let before: i64 = conn.query_first(count).unwrap().unwrap();
    let is_done = AtomicBool::new(false);
    let written = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut written = 0_u32;
            while !is_done.load(Ordering::Relaxed) {
                conn.query_drop("START TRANSACTION").unwrap();
                conn.query_drop("INSERT INTO ci_jobs (project_id) VALUES (1)")
                    .unwrap();
                conn.query_drop("INSERT INTO ci_triggers (project_id) VALUES (1)")
                    .unwrap();
                conn.query_drop("COMMIT").unwrap();
                written += 1;
            }
            written
        });
        let log = ci.builds().join("2015_10/1/live.log");
        fs::create_dir_all(log.parent().unwrap()).unwrap();
        fs::write(&log, vec![b'x'; 2 << 20]).unwrap();
        let outcome = run(ci.backup(&[]));
        is_done.store(true, Ordering::Relaxed);
        outcome.succeeds();
        writer.join().unwrap()
    });
    assert!(written > 0);
    let gitlab = Scene::gitlab();
    let archive = ci.folder().join(&ci.archives()[1]);
    gitlab.import(&archive).succeeds();
    assert_eq!(gitlab.value(count), before.to_string());
}

/// Whoever owns the directory above the builds leads root nowhere.
#[test]
fn links_of_others_lead_nowhere() {
    need_root();
    let ci = CiServer::on_mariadb();
    let secret = tempfile::tempdir().unwrap();
    fs::write(secret.path().join("key"), "hunter2").unwrap();
    fs::set_permissions(secret.path(), fs::Permissions::from_mode(0o700)).unwrap();
    fs::set_permissions(ci.directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let home = ci.directory.path().join("home");
    fs::create_dir(&home).unwrap();
    std::os::unix::fs::symlink(secret.path(), home.join("builds")).unwrap();
    lchown(home.join("builds"), Some(EVE), Some(EVE)).unwrap();
    chown(&home, Some(EVE), Some(EVE)).unwrap();
    let backup = || {
        let mut backup = command(["backup", "--ci-version", "8.0.5", "--database-url", &ci.url]);
        backup.arg("-o").arg(ci.folder());
        run(backup.arg("--builds-path").arg(home.join("builds")))
    };
    let outcome = backup();
    assert_ne!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(ci.archives(), ["100_gitlab_ci_backup.tar"]);
    // What belongs to the owner of the way is packed.
    fs::remove_file(home.join("builds")).unwrap();
    fs::create_dir(home.join("builds")).unwrap();
    fs::write(home.join("builds/1.log"), "a trace").unwrap();
    for path in [home.join("builds"), home.join("builds/1.log")] {
        chown(path, Some(EVE), Some(EVE)).unwrap();
    }
    backup().succeeds().reports("1 traces of 7 bytes");
}

#[test]
fn the_disk_is_full() {
    let ci = CiServer::on_mariadb();
    let mut random = fastrand::Rng::with_seed(1);
    // It does not become smaller.
    let noise: Vec<u8> = std::iter::repeat_with(|| random.u8(..))
        .take(4 << 20)
        .collect();
    fs::write(ci.builds().join("2015_10/noise.log"), noise).unwrap();
    let disk = SmallDisk::over(&ci.folder(), 2);
    let outcome = run(disk.inside(&ci.backup(&[])));
    outcome.exits(1).says("No space left on device");
    assert_eq!(names_in(&disk.seen()).len(), 0);
    disk.fill();
    run(disk.inside(&ci.backup(&[])))
        .exits(1)
        .says("not enough space in ")
        .says("hint: name a folder with more space");
    drop(disk);
    assert_eq!(ci.archives(), ["100_gitlab_ci_backup.tar"]);
}

/// A signal ends it, and the dump program with it.
#[test]
fn it_is_interrupted() {
    let ci = CiServer::on_mariadb();
    let mut backup = ci.backup(&[]);
    let pid = ci.directory.path().join("pid");
    let script = format!(
        "echo $$ > {}; $REAL \"$@\" | head -c 3000; exec sleep 600",
        pid.display()
    );
    with_program(&mut backup, &ci, &script);
    let child = backup.spawn().unwrap();
    let read = || fs::read_to_string(&pid).unwrap_or_default();
    let started = Instant::now();
    while read().trim().is_empty() {
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "the program is not started"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let outcome = finish(child, "backup".to_owned());
    ci.left_nothing(outcome, 130, "interrupted");
    let dumping = format!("/proc/{}", read().trim());
    assert!(
        !std::path::Path::new(&dumping).exists(),
        "the dump program goes on"
    );
}
