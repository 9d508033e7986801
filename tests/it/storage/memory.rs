//! The memory that reading ahead takes.

use std::fs;
use std::path::PathBuf;

use crate::postgresql::memory::{BUDGET, large_dump, peak_of};
use crate::support::object_storage::{BUCKET, storage};
use crate::support::program::{run, surplus};
use crate::support::scene::Scene;

/// An archive with a large dump, and with large traces.
fn large_archive(scene: &Scene) -> PathBuf {
    let sql = scene.path("large.sql.gz");
    large_dump(&sql, 60_000);
    // It does not compress, so that there is as much to read as there are bytes.
    let random = |seed| {
        let mut random = fastrand::Rng::with_seed(seed);
        std::iter::repeat_with(|| random.u8(..))
            .take(1 << 20)
            .collect::<Vec<_>>()
    };
    fs::create_dir_all(scene.source().join("2015_11/1")).unwrap();
    for id in 2..70 {
        fs::write(
            scene.source().join(format!("2015_11/1/{id}.log")),
            random(id),
        )
        .unwrap();
    }
    scene.pack_file(&sql)
}

/// Small traces are on their way together, beside one that is sent in parts.
#[test]
fn an_import_with_traces_into_a_bucket_keeps_its_budget() {
    let scene = Scene::bare();
    fs::create_dir_all(scene.source().join("2015_12/1")).unwrap();
    for id in 100..150 {
        let size = if id % 10 == 0 { 20 << 20 } else { 900_000 };
        let path = scene.source().join(format!("2015_12/1/{id}.log"));
        fs::write(path, vec![b'x'; size]).unwrap();
    }
    let archive = large_archive(&scene);
    let import = |budget: u64| {
        let mut it = storage().command(&[archive.to_str().unwrap(), "--mysql-to-postgresql"]);
        it.args(["--yes", "--verify", "full", "--jobs", "2"]);
        it.args(["--builds-path", "s3://open/memory/traces"]);
        it.args([
            "--memory",
            &budget.to_string(),
            "--database-url",
            &scene.url(),
        ]);
        it
    };
    // The least that it may be given, of which the book says what the traces take.
    let budget = BUDGET + 56;
    run(import(budget - 1))
        .exits(2)
        .says(&format!("give at least {budget} MiB"));
    let peak = peak_of(import(budget));
    assert!(peak <= (budget << 20) + surplus(), "{} KiB", peak >> 10);
}

#[test]
fn an_import_from_a_bucket_keeps_its_budget() {
    let scene = Scene::bare();
    let archive = large_archive(&scene);
    storage().put(BUCKET, "memory/a.tar", &fs::read(archive).unwrap());
    let mut import = scene.import_command("s3://open/memory/a.tar");
    // The least that it may be given.
    let budget = BUDGET + 20;
    let mut less = scene.import_command("s3://open/memory/a.tar");
    less.args(["--memory", &(budget - 1).to_string(), "--jobs", "2"]);
    run(less)
        .exits(2)
        .says(&format!("give at least {budget} MiB"));
    import.args(["--memory", &budget.to_string(), "--jobs", "2"]);
    let peak = peak_of(storage().used_by(import, storage().port));
    assert!(peak <= (budget << 20) + surplus(), "{} KiB", peak >> 10);
}
