//! A failure at any point before the publish leaves database and builds directory exactly as they
//! were.

use std::fs;
use std::io::Write;
use std::time::{Duration, Instant};

use tar::EntryType;

use crate::support::archives::{INFORMATION, SMALL_DUMP, archive, gzip, members, tar};
use crate::support::program::{Outcome, finish, run, run_fed};
use crate::support::scene::{Dialect, Scene, fixture_dump};
use crate::support::state::State;

/// Imports `archive` from a file and from a pipe; both must fail with `code` and change nothing.
#[track_caller]
fn fails_without_a_trace(scene: &Scene, archive: &std::path::Path, code: i32, message: &str) {
    let before = State::of(scene);
    scene.import(archive).exits(code).says(message);
    before.assert_same(&State::of(scene));
    scene.import_piped(archive).exits(code).says(message);
    before.assert_same(&State::of(scene));
}

fn changed_dump(from: &str, to: &str) -> Vec<u8> {
    let dump = String::from_utf8(fixture_dump(Dialect::Native)).unwrap();
    assert!(dump.contains(from), "{from}");
    dump.replacen(from, to, 1).into_bytes()
}

#[test]
fn a_bad_row_in_the_last_table() {
    let scene = Scene::gitlab();
    let archive = scene.pack(&changed_dump(
        "(1,'https://example.com",
        "(x,'https://example.com",
    ));
    let message = "db/database.sql.gz: ci_web_hooks row 1 (byte ";
    fails_without_a_trace(&scene, &archive, 1, message);
}

#[test]
fn a_row_that_the_server_refuses_in_the_last_table() {
    let scene = Scene::gitlab();
    let dump = changed_dump("(1,'https://example.com/?a=1&b=\\'2\\'',", "(1,NULL,");
    let archive = scene.pack(&dump);
    fails_without_a_trace(&scene, &archive, 1, "null value in column \"url\"");
}

#[test]
fn a_row_that_breaks_a_unique_index() {
    let scene = Scene::gitlab();
    let archive = scene.pack(&changed_dump("(2,'Ruby',1)", "(2,'ruby',1)"));
    fails_without_a_trace(&scene, &archive, 1, "index_ci_tags_on_name");
}

#[test]
fn a_dump_that_stops_early() {
    let scene = Scene::gitlab();
    let dump = fixture_dump(Dialect::Native);
    let in_a_row = dump
        .windows(20)
        .position(|at| at == b"INSERT INTO `ci_tags")
        .unwrap()
        + 40;
    let archive = scene.pack(&dump[..in_a_row]);
    fails_without_a_trace(&scene, &archive, 3, "the dump is truncated");
    let last_line = dump
        .windows(17)
        .position(|at| at == b"-- Dump completed")
        .unwrap();
    let archive = scene.pack(&dump[..last_line]);
    fails_without_a_trace(&scene, &archive, 3, "\"-- Dump completed\", is missing");
}

/// An archive whose `builds.tar.gz` has these bytes.
fn with_builds(builds: &[u8]) -> Vec<u8> {
    members(&gzip(SMALL_DUMP), builds, INFORMATION)
}

#[test]
fn a_truncated_or_damaged_inner_tar() {
    let scene = Scene::gitlab();
    let path = scene.path("damaged.tar");
    let traces = tar(
        &[
            (b"./2015_10/1/1.log", EntryType::Regular, &[b'x'; 2000]),
            (b"./2015_10/1/2.log", EntryType::Regular, b"y"),
        ],
        false,
    );
    // tar was killed while it wrote: within a file, within a header, between two files, and
    // before the second block of its end.
    for (length, message) in [
        (1500, "truncated in the trace \"2015_10/1/1.log\""),
        (2600, "2015_10/1/1.log"),
        (512 + 2048, "truncated at byte 2560"),
        (traces.len() - 512, "truncated at byte"),
    ] {
        fs::write(&path, archive(&traces[..length], SMALL_DUMP)).unwrap();
        fails_without_a_trace(&scene, &path, 3, message);
    }
    // The disk was full while gzip wrote, or a byte changed since.
    let good = gzip(&traces);
    let mut flipped = good.clone();
    let middle = good.len() / 2;
    flipped[middle] ^= 0x55;
    let mut wrong_sum = good.clone();
    wrong_sum[good.len() - 6] ^= 1;
    for damaged in [&good[..good.len() - 9], &flipped, &wrong_sum] {
        fs::write(&path, with_builds(damaged)).unwrap();
        fails_without_a_trace(&scene, &path, 3, "builds/builds.tar.gz");
    }
}

#[test]
fn a_truncated_inner_tar_where_that_is_allowed() {
    let scene = Scene::gitlab();
    let path = scene.path("truncated.tar");
    // Larger than what the reader hands on at once: some of it is written when the end comes.
    let large = vec![b'z'; 1_000_000];
    let traces = tar(
        &[
            (b"./2015_10/1/1.log", EntryType::Regular, &[b'x'; 2000]),
            (b"./2015_10/1/2.log", EntryType::Regular, b"y"),
            (b"./2015_10/1/3.log", EntryType::Regular, &large),
        ],
        false,
    );
    let import = |archive: &std::path::Path| {
        let mut import = scene.import_command(archive.to_str().unwrap());
        import.arg("--allow-truncated-traces");
        import
    };
    let third = 512 + 2048 + 512 + 512;
    for (length, whole) in [
        (1500, 0),
        (2560, 1),
        (2600, 1),
        (third + 512 + 600_000, 2),
        (traces.len() - 512, 3),
        (traces.len(), 3),
    ] {
        fs::write(&path, archive(&traces[..length], SMALL_DUMP)).unwrap();
        if whole == 0 {
            run(import(&path)).exits(3).says("before the first trace");
            continue;
        }
        let outcome = run(import(&path)).succeeds();
        let mut verify = scene.command(["verify", path.to_str().unwrap()]);
        let is_truncated = length < traces.len();
        let strict = run(&mut verify);
        assert_eq!(strict.code, Some(if is_truncated { 3 } else { 0 }));
        assert_eq!(
            strict.stderr.contains("--allow-truncated-traces"),
            is_truncated
        );
        let verified = run(verify.arg("--allow-truncated-traces"));
        let verified = verified.succeeds().reports("all agree");
        let only = "only the traces before this are compared";
        assert_eq!(verified.stdout.contains(only), is_truncated);
        let told = outcome.stdout.contains("some traces are missing");
        assert_eq!(told, length < traces.len(), "{length}: {}", outcome.stdout);
        for number in 1..=3 {
            let trace = scene.builds().join(format!("2015_10/1/{number}.log"));
            assert_eq!(trace.exists(), number <= whole, "{length}: {number}");
        }
    }
    assert_eq!(
        fs::read(scene.builds().join("2015_10/1/3.log")).unwrap(),
        large
    );
    fs::write(&path, archive(&traces[..2600], SMALL_DUMP)).unwrap();
    let mut strict = import(&path);
    strict.arg("--strict");
    run(strict).exits(5);

    // gzip was killed, too: what it had written is taken.
    let gzipped = gzip(&traces);
    fs::write(&path, with_builds(&gzipped[..gzipped.len() - 9])).unwrap();
    run(import(&path)).succeeds();
    assert!(scene.builds().join("2015_10/1/2.log").exists());

    // Other damage is no truncation, and without the option neither is taken.
    let mut wrong_sum = gzipped.clone();
    wrong_sum[gzipped.len() - 6] ^= 1;
    fs::write(&path, with_builds(&wrong_sum)).unwrap();
    run(import(&path)).exits(3);
    let refused = tar(&[(b"../1.log", EntryType::Regular, b"x")], false);
    fs::write(&path, archive(&refused[..1024], SMALL_DUMP)).unwrap();
    run(import(&path)).exits(3);
}

#[test]
fn a_wrong_version_at_the_end_of_a_pipe() {
    let scene = Scene::gitlab();
    let archive = scene.pack_version(&fixture_dump(Dialect::Native), "7.14.3");
    let message = "made by GitLab CI 7.14.3; only 8.0.* can be imported";
    fails_without_a_trace(&scene, &archive, 3, message);
}

#[test]
fn an_archive_cut_anywhere() {
    let scene = Scene::gitlab();
    let whole = fs::read(scene.pack(&fixture_dump(Dialect::Native))).unwrap();
    let before = State::of(&scene);
    let path = scene.path("cut.tar");
    for sixteenth in 0..16 {
        let length = whole.len() * sixteenth / 17;
        fs::write(&path, &whole[..length]).unwrap();
        scene.import(&path).exits(3);
        scene.import_piped(&path).exits(3);
    }
    before.assert_same(&State::of(&scene));
}

/// Feeds all of an archive but its last bytes, waits until much of it is staged, and lets
/// `disturb` do its worst.
fn disturbed(scene: &Scene, disturb: impl FnOnce(u32)) -> Outcome {
    let archive = fs::read(scene.pack(&fixture_dump(Dialect::Native))).unwrap();
    let mut import = scene.import_command("-");
    let mut child = import.stdin(std::process::Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let (start, end) = archive.split_at(archive.len() - 20_000);
    input.write_all(start).unwrap();
    let started = Instant::now();
    let staged = "SELECT count(*) FROM pg_tables WHERE schemaname = 'ci_import_staging'";
    while scene.value(staged) != "15" {
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "nothing was staged"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    disturb(child.id());
    let _ = input.write_all(end);
    drop(input);
    finish(child, format!("{import:?}"))
}

#[test]
fn the_connections_are_cut() {
    let scene = Scene::gitlab();
    let before = State::of(&scene);
    let outcome = disturbed(&scene, |_| {
        scene.values(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE application_name = 'ci-import' AND datname = current_database()",
        );
    });
    outcome.exits(4).says("ci-import: error: ");
    before.assert_same(&State::of(&scene));
}

#[test]
fn a_signal_comes() {
    for signal in ["-INT", "-TERM"] {
        let scene = Scene::gitlab();
        let before = State::of(&scene);
        let outcome = disturbed(&scene, |process| {
            let kill = std::process::Command::new("kill")
                .args([signal, &process.to_string()])
                .status();
            assert!(kill.unwrap().success());
        });
        outcome
            .exits(130)
            .says("interrupted; nothing was published");
        before.assert_same(&State::of(&scene));
    }
}

/// The pipe stands still: a signal is obeyed all the same.
#[test]
fn a_signal_comes_while_nothing_else_does() {
    let scene = Scene::gitlab();
    let before = State::of(&scene);
    let archive = fs::read(scene.pack(&fixture_dump(Dialect::Native))).unwrap();
    let mut import = scene.import_command("-");
    let mut child = import.stdin(std::process::Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(&archive[..archive.len() - 20_000]).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    let kill = std::process::Command::new("kill")
        .args(["-HUP", &child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    let started = Instant::now();
    finish(child, format!("{import:?}")).exits(130);
    assert!(started.elapsed() < Duration::from_secs(5));
    drop(input);
    before.assert_same(&State::of(&scene));
}

#[test]
fn nobody_reads_what_it_says() {
    let scene = Scene::gitlab();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    let full = || fs::File::options().write(true).open("/dev/full").unwrap();
    let mut import = scene.import_command(archive.to_str().unwrap());
    import.stdout(full()).stderr(full());
    // The import is published; nobody will know.
    assert_eq!(import.status().unwrap().code(), Some(1));
    assert_eq!(scene.value("SELECT count(*) FROM ci_builds"), "7");
    let mut import = crate::support::program::command(["/no/such/file"]);
    assert_eq!(import.stderr(full()).status().unwrap().code(), Some(2));
}

#[test]
fn a_killed_import_does_not_hinder_the_next() {
    let scene = Scene::gitlab();
    let outcome = disturbed(&scene, |process| {
        let kill = std::process::Command::new("kill")
            .args(["-9", &process.to_string()])
            .status();
        assert!(kill.unwrap().success());
    });
    assert_eq!(outcome.code, None, "it was killed");
    assert_eq!(scene.value("SELECT count(*) FROM ci_builds"), "0");
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    scene.import(&archive).succeeds();
    assert_eq!(scene.value("SELECT count(*) FROM ci_builds"), "7");
    let names = fs::read_dir(scene.path("live")).unwrap();
    let names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    assert!(
        !names
            .iter()
            .any(|name| name.to_string_lossy().contains("staging")),
        "{names:?}"
    );
}

#[test]
fn another_import_is_under_way() {
    let scene = Scene::gitlab();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    let outcome = disturbed(&scene, |_| {
        scene
            .import(&archive)
            .exits(4)
            .says("another import into this database is running");
    });
    outcome.succeeds();
}

#[test]
fn somebody_holds_a_live_table() {
    let scene = Scene::gitlab();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    let before = State::of(&scene);
    let mut holder = scene.connect();
    let mut transaction = holder.transaction().unwrap();
    transaction
        .batch_execute("LOCK TABLE ci_runners /*\u{1b}[31m\n*/ IN ROW EXCLUSIVE MODE")
        .unwrap();
    let import = |seconds: &str| {
        let mut import = scene.import_command(archive.to_str().unwrap());
        import.args(["--wait-for-locks", seconds]);
        import
    };
    let refused = run(import("3"))
        .exits(4)
        .says("waiting for others who hold the live tables: process")
        .says("of postgres (ci_runners), since")
        .says(" UTC: LOCK")
        .says("stop GitLab and its jobs; then ci-import publish");
    // The query is somebody else's, and has values.
    assert!(!refused.stderr.contains("LOCK TABLE"), "{refused:?}");
    run(scene.command(["discard", "--yes"])).succeeds();
    before.assert_same(&State::of(&scene));
    let mut tagging = scene.connect();
    let mut of_tags = tagging.transaction().unwrap();
    of_tags
        .batch_execute("LOCK TABLE taggings IN ROW EXCLUSIVE MODE")
        .unwrap();
    run(import("3")).exits(4).says("(taggings), since");
    drop(of_tags);
    // Who waits long enough has the tables when they are free.
    let outcome = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| run(import("60")));
        std::thread::sleep(std::time::Duration::from_secs(4));
        drop(transaction);
        waiting.join().unwrap()
    });
    outcome
        .succeeds()
        .reports("the live tables were locked for ");
}

#[test]
fn the_builds_directory_cannot_be_renamed() {
    let scene = Scene::gitlab();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    // A file in the way of every name the old directory could get cannot be made; but the staged
    // directory can be taken away while the import runs.
    let before = State::of(&scene);
    let live = scene.path("live");
    let outcome = disturbed(&scene, |_| {
        for entry in fs::read_dir(&live).unwrap() {
            let path = entry.unwrap().path();
            if path.to_string_lossy().contains("ci_import_staging") {
                fs::remove_dir_all(path).unwrap();
            }
        }
    });
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    before.assert_same(&State::of(&scene));
    drop(archive);
}

#[test]
fn views_on_the_old_tables_are_not_left_behind() {
    let scene = Scene::gitlab();
    scene
        .connect()
        .batch_execute("CREATE VIEW my_builds AS SELECT id FROM ci_builds")
        .unwrap();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    fails_without_a_trace(&scene, &archive, 4, "the view public.my_builds");
}

#[test]
fn existing_data_need_a_yes() {
    let scene = Scene::gitlab();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    let before = State::of(&scene);
    let without_yes = |force: &str| {
        let mut import = scene.import_command(archive.to_str().unwrap());
        let arguments: Vec<_> = import
            .get_args()
            .filter(|a| *a != "--yes")
            .map(ToOwned::to_owned)
            .collect();
        import = crate::support::program::command(arguments);
        import.env("force", force);
        run_fed(import, |_| ())
    };
    without_yes("")
        .exits(2)
        .says("the build traces in")
        .says("add --yes");
    before.assert_same(&State::of(&scene));
    without_yes("yes").succeeds();
    without_yes("no")
        .exits(2)
        .says("the tables ci_application_settings, ci_builds,");
}
