//! The memory that reading ahead takes.

use std::fs;

use crate::postgresql::memory::{BUDGET, large_dump, peak_of};
use crate::support::object_storage::{BUCKET, storage};
use crate::support::program::{run, surplus};
use crate::support::scene::Scene;

#[test]
fn an_import_from_a_bucket_keeps_its_budget() {
    let scene = Scene::bare();
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
    let archive = scene.pack_file(&sql);
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
