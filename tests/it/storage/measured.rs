//! How much longer an import from a bucket takes than one from a file: `scripts/bench-storage` runs it with a release
//! build, and with the data of `scripts/bench`.

use std::fs;
use std::time::{Duration, Instant};

use crate::support::bad_line::{BadLine, Fault};
use crate::support::object_storage::{BUCKET, storage};
use crate::support::program::{command, run_watched};
use crate::support::scene::Scene;

const ROUNDS: usize = 5;

/// At most so many times as long as from a file: from a bucket on this machine, and from one that answers 20 ms later.
const NEAR: f64 = 1.15;
const FAR: f64 = 1.5;

/// An import whose traces go to a bucket, near or far, beside one with a directory.
#[test]
#[ignore = "scripts/bench-storage runs it"]
fn imports_into_a_bucket() {
    let archive = std::env::var("CI_IMPORT_BENCH_ARCHIVE").expect("the archive is named");
    let far = BadLine::to(storage().port, Fault::Far(Duration::from_millis(10)));
    let bucket = format!("s3://{BUCKET}/bench/traces");
    let ways = [
        ("directory", None, storage().port),
        ("bucket", Some(&bucket), storage().port),
        ("far bucket", Some(&bucket), far.port),
    ];
    for _ in 0..2 {
        for (name, builds, port) in ways {
            let scene = Scene::gitlab();
            let directory = scene.builds().to_str().unwrap().to_owned();
            let import = [
                &archive,
                "--mysql-to-postgresql",
                "--yes",
                "--quiet",
                "--builds-path",
            ];
            let mut import = storage().used_by(command(import), port);
            import.arg(builds.unwrap_or(&directory));
            import.args(["--database-url", &scene.url()]);
            rustix::fs::sync();
            let started = Instant::now();
            let (outcome, peak) = run_watched(import);
            let seconds = started.elapsed().as_secs_f64();
            outcome.succeeds();
            eprintln!(
                "traces into a {name}: {seconds:.2} s, at most {} MiB",
                peak >> 20
            );
        }
    }
}

#[test]
#[ignore = "scripts/bench-storage runs it"]
fn imports_from_a_bucket_take_hardly_longer() {
    let archive = std::env::var("CI_IMPORT_BENCH_ARCHIVE").expect("the archive is named");
    let key = "bench/1443700800_gitlab_ci_backup.tar";
    storage().put(BUCKET, key, &fs::read(&archive).unwrap());
    let url = format!("s3://{BUCKET}/{key}");
    let far = BadLine::to(storage().port, Fault::Far(Duration::from_millis(10)));
    let ways = [
        ("file", archive.as_str(), storage().port),
        ("bucket", url.as_str(), storage().port),
        ("far bucket", url.as_str(), far.port),
    ];
    let mut taken = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        for (number, (name, input, port)) in ways.iter().enumerate() {
            let scene = Scene::gitlab();
            let mut import = storage().used_by(scene.import_command(input), *port);
            import.arg("--quiet");
            rustix::fs::sync();
            let started = Instant::now();
            let (outcome, peak) = run_watched(import);
            let seconds = started.elapsed().as_secs_f64();
            outcome.succeeds();
            eprintln!("{name}: {seconds:.2} s, at most {} MiB", peak >> 20);
            taken[number].push(seconds);
        }
    }
    let [file, near, far] = taken.map(|mut seconds| {
        seconds.sort_by(f64::total_cmp);
        seconds[ROUNDS / 2]
    });
    eprintln!(
        "bucket / file {:.2}, far bucket / file {:.2}",
        near / file,
        far / file
    );
    assert!(near / file <= NEAR && far / file <= FAR);
}
