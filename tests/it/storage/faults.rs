//! Lines that break and objects that change while they are read.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::large_archive;
use crate::support::bad_line::{BadLine, Fault};
use crate::support::object_storage::{BUCKET, storage};
use crate::support::program::{Outcome, command, finish, run};
use crate::support::scene::Scene;
use crate::support::state::State;

/// The archive as an object below a key of its own, and its URL.
fn object(name: &str) -> String {
    storage().put(BUCKET, &format!("faults/{name}.tar"), large_archive());
    format!("s3://{BUCKET}/faults/{name}.tar")
}

/// `convert` of the object at `url` over `line`. Returns what it wrote, too.
fn convert(url: &str, line: &BadLine, options: &[&str]) -> (Outcome, Option<Vec<u8>>) {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("converted.tar");
    let mut convert = command(["convert", "-q", url, "-o"]);
    convert.arg(&output).args(options);
    let outcome = run(storage().used_by(convert, line.port));
    (outcome, fs::read(output).ok())
}

/// What `convert` makes of the archive in a file.
fn expected() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.tar");
    let output = folder.path().join("converted.tar");
    fs::write(&file, large_archive()).unwrap();
    let mut convert = command(["convert", "-q"]);
    run(convert.arg(&file).arg("-o").arg(&output)).succeeds();
    fs::read(output).unwrap()
}

#[test]
fn what_breaks_once_is_read_again() {
    let line = BadLine::to(storage().port, Fault::BreaksOnce(3 << 20));
    let (outcome, written) = convert(&object("once"), &line, &[]);
    outcome.succeeds();
    assert!(line.happened());
    assert!(written.unwrap() == expected());
}

#[test]
fn a_late_server_changes_nothing() {
    let line = BadLine::to(storage().port, Fault::Late(Duration::from_millis(2)));
    let (outcome, written) = convert(&object("late"), &line, &[]);
    outcome.succeeds();
    assert!(written.unwrap() == expected());
}

#[test]
fn a_line_that_always_breaks_is_told() {
    let line = BadLine::to(storage().port, Fault::BreaksAfter(300_000));
    let (outcome, written) = convert(&object("always"), &line, &["--storage-timeout", "3"]);
    outcome
        .exits(7)
        .says("cannot read s3://open/faults/always.tar");
    assert!(line.happened());
    assert_eq!(written, None);
}

#[test]
fn a_silent_server_is_told() {
    let line = BadLine::to(storage().port, Fault::SilentAfter(2 << 20));
    let started = Instant::now();
    let (outcome, written) = convert(&object("silent"), &line, &["--storage-timeout", "3"]);
    outcome
        .exits(7)
        .says("cannot read s3://open/faults/silent.tar: it did not answer in time");
    assert!(started.elapsed() < Duration::from_secs(30));
    assert_eq!(written, None);
}

#[test]
fn an_object_that_changes_is_told() {
    let url = object("changed");
    let change = || {
        let mut other = large_archive().to_vec();
        other.rotate_right(512);
        storage().put(BUCKET, "faults/changed.tar", &other);
    };
    let line = BadLine::to(storage().port, Fault::Then(2 << 20, Box::new(change)));
    let (outcome, written) = convert(&url, &line, &[]);
    outcome
        .exits(3)
        .says("s3://open/faults/changed.tar has changed while it was read");
    assert_eq!(written, None);
}

#[test]
fn an_import_over_a_broken_line_publishes_nothing() {
    let scene = Scene::gitlab();
    let before = State::of(&scene);
    let line = BadLine::to(storage().port, Fault::BreaksAfter(300_000));
    let mut import = storage().used_by(scene.import_command(&object("import")), line.port);
    import.args(["--storage-timeout", "3"]);
    run(import).exits(7);
    before.assert_same(&State::of(&scene));
}

#[test]
fn a_signal_ends_the_wait_for_a_silent_server() {
    let line = BadLine::to(storage().port, Fault::SilentAfter(2 << 20));
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("converted.tar");
    let mut convert = command(["convert", "-q", &object("signal"), "-o"]);
    convert.arg(&output);
    let mut convert = storage().used_by(convert, line.port);
    let child = convert.spawn().unwrap();
    let waiting = Instant::now();
    while !line.happened() {
        assert!(
            waiting.elapsed() < Duration::from_secs(60),
            "it never came so far"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    let signalled = Instant::now();
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    finish(child, format!("{convert:?}")).exits(130);
    assert!(signalled.elapsed() < Duration::from_secs(5));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
