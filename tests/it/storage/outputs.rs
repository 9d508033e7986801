//! What is written to a bucket is there whole, or not at all.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::{large_archive, large_dump};
use crate::backup::CiServer;
use crate::support::archives::{SMALL_DUMP, archive, small_traces};
use crate::support::bad_line::{BadLine, Fault};
use crate::support::object_storage::{BUCKET, CLOSED, WRITER, is_ceph, storage};
use crate::support::program::{command, finish, run};
use crate::support::scene::Scene;
use crate::support::trees::same_tree;

/// A dump whose conversion takes several parts of an upload, in a file of `folder`.
fn dump_in(folder: &Path) -> String {
    let path = folder.join("large.sql");
    fs::write(&path, large_dump(18)).unwrap();
    path.to_str().unwrap().to_owned()
}

/// What `convert` makes of `input` in a file of `folder`.
fn converted(input: &str, folder: &Path, name: &str) -> Vec<u8> {
    let output = folder.join(name);
    let path = output.to_str().unwrap();
    run(command(["convert", "-q", input, "-o", path])).succeeds();
    fs::read(output).unwrap()
}

/// Neither the object below `key` nor a part of it is there.
fn assert_nothing_is_left(key: &str) {
    assert_eq!(storage().get(BUCKET, key), None);
    assert_eq!(storage().open_uploads(BUCKET, key), Vec::<String>::new());
}

#[test]
fn a_conversion_has_the_bytes_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let small = folder.path().join("small.sql");
    fs::write(&small, SMALL_DUMP).unwrap();
    let tar = folder.path().join("in.tar");
    fs::write(&tar, large_archive()).unwrap();
    let inputs = [
        (dump_in(folder.path()), ["l.sql", "l.sql.gz"]),
        (small.to_str().unwrap().to_owned(), ["s.sql", "s.sql.gz"]),
        (tar.to_str().unwrap().to_owned(), ["a.tar", "b.tar"]),
    ];
    for (input, names) in inputs {
        for name in names {
            let key = format!("out/{name}");
            let url = format!("s3://{BUCKET}/{key}");
            run(storage().command(&["convert", "-q", &input, "-o", &url])).succeeds();
            let expected = converted(&input, folder.path(), name);
            assert!(storage().get(BUCKET, &key).unwrap() == expected, "{key}");
            assert_eq!(storage().open_uploads(BUCKET, &key), Vec::<String>::new());
        }
    }
}

#[test]
fn an_object_is_replaced_only_if_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let large = dump_in(folder.path());
    let small = folder.path().join("small.sql");
    fs::write(&small, SMALL_DUMP).unwrap();
    for (input, key) in [(large.as_str(), "is/l"), (small.to_str().unwrap(), "is/s")] {
        let url = format!("s3://{BUCKET}/{key}");
        storage().put(BUCKET, key, b"old");
        run(storage().command(&["convert", "-q", input, "-o", &url]))
            .exits(2)
            .says(&format!(
                "{url} exists hint: name another key, or replace it: --overwrite"
            ));
        assert_eq!(storage().get(BUCKET, key).unwrap(), b"old");
        run(storage().command(&["convert", "-q", input, "-o", &url, "--overwrite"])).succeeds();
        let expected = converted(input, folder.path(), "expected");
        assert!(storage().get(BUCKET, key).unwrap() == expected);
        assert_eq!(storage().open_uploads(BUCKET, key), Vec::<String>::new());
    }
}

/// The object appears while the program works.
#[test]
fn an_object_that_appears_meanwhile_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let appear = || storage().put(BUCKET, "meanwhile", b"of another");
    let line = BadLine::to(storage().port, Fault::Then(1200, Box::new(appear)));
    let url = format!("s3://{BUCKET}/meanwhile");
    let mut convert = command(["convert", "-q", &dump_in(folder.path()), "-o", &url]);
    run(storage().used_by(&mut convert, line.port))
        .exits(2)
        .says("meanwhile exists");
    assert!(line.happened());
    assert_eq!(storage().get(BUCKET, "meanwhile").unwrap(), b"of another");
    assert_eq!(
        storage().open_uploads(BUCKET, "meanwhile"),
        Vec::<String>::new()
    );
}

/// The answer to each of the first requests is lost once, that to the last one, too.
#[test]
fn a_line_that_breaks_once_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let dump = dump_in(folder.path());
    let expected = converted(&dump, folder.path(), "expected");
    let mut broken = 0;
    for after in (100..4000).step_by(300) {
        let key = format!("breaks/{after}");
        let line = BadLine::to(storage().port, Fault::BreaksOnce(after));
        let mut convert = command([
            "convert",
            "-q",
            &dump,
            "-o",
            &format!("s3://{BUCKET}/{key}"),
        ]);
        run(storage().used_by(&mut convert, line.port)).succeeds();
        broken += usize::from(line.happened());
        assert!(storage().get(BUCKET, &key).unwrap() == expected, "{after}");
    }
    assert!(broken > 3, "{broken}");
}

#[test]
fn what_fails_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let dump = dump_in(folder.path());
    // It breaks off after more than one part.
    let cut = folder.path().join("cut.sql");
    let whole = fs::read(&dump).unwrap();
    fs::write(&cut, &whole[..whole.len() - 100_000]).unwrap();
    let url = |key: &str| format!("s3://{BUCKET}/{key}");
    let cut = cut.to_str().unwrap();
    run(storage().command(&["convert", "-q", cut, "-o", &url("fails/cut")])).exits(3);
    assert_nothing_is_left("fails/cut");

    let line = BadLine::to(storage().port, Fault::SilentAfter(700));
    let mut convert = command(["convert", "-q", &dump, "-o", &url("fails/silent")]);
    convert.args(["--storage-timeout", "3"]);
    run(storage().used_by(&mut convert, line.port))
        .exits(7)
        .says("cannot write s3://open/fails/silent: it did not answer in time");
    assert!(line.happened());
    assert_eq!(storage().get(BUCKET, "fails/silent"), None);
}

#[test]
fn a_signal_leaves_nothing() {
    // The last one is followed by another one, which ends the program by force.
    for (signal, again) in [
        (Signal::INT, false),
        (Signal::TERM, false),
        (Signal::INT, true),
    ] {
        let folder = tempfile::tempdir().unwrap();
        // So slow that the signal comes in the middle.
        let line = BadLine::to(storage().port, Fault::Late(Duration::from_millis(300)));
        let url = format!("s3://{BUCKET}/signal");
        let mut convert = command(["convert", "-q", &dump_in(folder.path()), "-o", &url]);
        let convert = storage().used_by(&mut convert, line.port);
        let child = convert.spawn().unwrap();
        let waiting = Instant::now();
        while storage().open_uploads(BUCKET, "signal").is_empty() {
            assert!(waiting.elapsed() < Duration::from_secs(60), "nothing began");
            std::thread::sleep(Duration::from_millis(5));
        }
        if again {
            // Whoever is ended by force before the storage has answered does not know which upload to forget.
            std::thread::sleep(Duration::from_millis(600));
        }
        let signalled = Instant::now();
        kill_process(Pid::from_child(&child), signal).unwrap();
        if again {
            std::thread::sleep(Duration::from_millis(20));
            let _ = kill_process(Pid::from_child(&child), signal);
        }
        finish(child, format!("{convert:?}")).exits(130);
        assert!(signalled.elapsed() < Duration::from_secs(5));
        assert_nothing_is_left("signal");
    }
}

/// What is killed cannot remove anything; its watchdog does.
#[test]
fn what_is_killed_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let line = BadLine::to(storage().port, Fault::Late(Duration::from_millis(100)));
    let url = format!("s3://{BUCKET}/killed");
    let mut convert = command(["convert", "-q", &dump_in(folder.path()), "-o", &url]);
    let mut child = storage().used_by(&mut convert, line.port).spawn().unwrap();
    let begun = Instant::now();
    while storage().open_uploads(BUCKET, "killed").is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(60), "nothing began");
        std::thread::sleep(Duration::from_millis(5));
    }
    // The storage knows it before the program does.
    std::thread::sleep(Duration::from_millis(400));
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().code(), None);
    let killed = Instant::now();
    while !storage().open_uploads(BUCKET, "killed").is_empty() {
        assert!(killed.elapsed() < Duration::from_secs(20), "it is left");
        std::thread::sleep(Duration::from_millis(50));
    }
    // What came late has gone, too.
    std::thread::sleep(Duration::from_secs(3));
    assert_nothing_is_left("killed");
}

#[test]
fn what_cannot_be_written_is_told_before_the_work() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.sql");
    let missing = missing.to_str().unwrap();
    let dump = folder.path().join("d.sql");
    fs::write(&dump, SMALL_DUMP).unwrap();
    let dump = dump.to_str().unwrap();
    let no_bucket = if is_ceph() {
        "cannot write s3://nowhere/x.sql: there is no such bucket"
    } else {
        "cannot write s3://nowhere/x.sql: the storage refuses: AccessDenied"
    };
    for (output, said) in [
        ("s3://nowhere/x.sql", no_bucket),
        (
            "s3://open/x/",
            "cannot write s3://open/x/: it names no object",
        ),
        (
            "https://h/x?sig=s3cret",
            "cannot write https://h/x: a web server takes no files",
        ),
    ] {
        let as_writer = |arguments: &[&str]| {
            let mut command = storage().command(arguments);
            command.env("AWS_ACCESS_KEY_ID", WRITER.0);
            run(command.env("AWS_SECRET_ACCESS_KEY", WRITER.1))
        };
        as_writer(&["convert", dump, "-o", output])
            .exits(2)
            .says(said);
        let report = format!("{output}.json");
        let outcome = as_writer(&[missing, "--report", &report]);
        let outcome = outcome.exits(2);
        assert!(
            !outcome.stderr.contains("missing.sql"),
            "{}",
            outcome.whole()
        );
        assert!(!outcome.stderr.contains("cret"), "{}", outcome.whole());
    }
    let mut convert = storage().command(&["convert", dump, "-o", &format!("s3://{CLOSED}/x.sql")]);
    convert.env("AWS_SECRET_ACCESS_KEY", "wrong");
    run(&mut convert)
        .exits(2)
        .says("the storage refuses: SignatureDoesNotMatch");
    // A mapping file is read from a file, too.
    run(command([
        "inspect",
        dump,
        "--suggest",
        "-o",
        "s3://open/map",
    ]))
    .exits(2)
    .says("cannot write s3://open/map: it is not a file on this machine");
}

#[test]
fn a_report_of_success_and_one_of_failure() {
    let scene = Scene::gitlab();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("1443700800_gitlab_ci_backup.tar");
    fs::write(&path, archive(&small_traces(), SMALL_DUMP)).unwrap();
    let path = path.to_str().unwrap();
    let report = |key: &str| -> serde_json::Value {
        serde_json::from_slice(&storage().get(BUCKET, key).unwrap()).unwrap()
    };
    let import = |input: &str, key: &str| {
        let mut import = scene.import_command(input);
        import.args(["--report", &format!("s3://{BUCKET}/{key}")]);
        run(storage().used_by(&mut import, storage().port))
    };
    import(path, "reports/a.json").succeeds();
    assert_eq!(report("reports/a.json")["outcome"], "done");
    import(path, "reports/a.json")
        .exits(2)
        .says("reports/a.json exists");
    import("missing.tar", "reports/b.json").exits(2);
    assert_eq!(report("reports/b.json")["outcome"], "failed");
    for key in ["reports/a.json", "reports/b.json"] {
        assert_eq!(storage().open_uploads(BUCKET, key), Vec::<String>::new());
    }
    let page = format!("s3://{BUCKET}/reports/a.html");
    let mut verify = scene.command(["verify", path, "--report", &page]);
    run(storage().used_by(&mut verify, storage().port)).succeeds();
    let html = storage().get(BUCKET, "reports/a.html").unwrap();
    assert!(html.starts_with(b"<!DOCTYPE html>") || html.starts_with(b"<!doctype html>"));
}

#[test]
fn a_backup_goes_to_a_bucket_and_older_ones_go() {
    let ci = CiServer::on_mariadb();
    storage().put(BUCKET, "ci/100_gitlab_ci_backup.tar", b"an older one");
    storage().put(BUCKET, "ci/100_other", b"something else");
    let prefix = format!("s3://{BUCKET}/ci");
    let mut backup = ci.backup(&["-o", &prefix, "--keep-time", "3600", "--json"]);
    let temporary = tempfile::tempdir().unwrap();
    backup.env("TMPDIR", temporary.path());
    let made = run(storage().used_by(backup, storage().port)).succeeds();
    let made: serde_json::Value = serde_json::from_str(&made.stdout).unwrap();
    assert_eq!(
        made["removed"],
        serde_json::json!(["100_gitlab_ci_backup.tar"])
    );
    let url = made["archive"].as_str().unwrap();
    let keys = storage().keys(BUCKET, "ci");
    let [other, name] = &keys[..] else {
        panic!("{keys:?}");
    };
    assert_eq!(
        (url, other.as_str()),
        (format!("{prefix}/{name}").as_str(), "100_other")
    );
    assert_eq!(storage().open_uploads(BUCKET, "ci"), Vec::<String>::new());
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);

    let scene = Scene::gitlab();
    let mut import = scene.import_command(&format!("{prefix}/"));
    run(storage().used_by(&mut import, storage().port)).succeeds();
    same_tree(&ci.builds(), &scene.builds());

    // What fails says so before the work, or leaves nothing.
    let backup = ci.backup(&["-o", "https://h/x"]);
    run(backup)
        .exits(2)
        .says("https://h/x: a web server takes no archives");
    // Before the object is sent: if only the last answer is lost, nobody knows whether it is there.
    let line = BadLine::to(storage().port, Fault::SilentAfter(300));
    let backup = ci.backup(&[
        "-o",
        &format!("s3://{BUCKET}/ci2"),
        "--storage-timeout",
        "2",
    ]);
    run(storage().used_by(backup, line.port)).exits(7);
    assert_eq!(storage().keys(BUCKET, "ci2"), Vec::<String>::new());
}
