//! Traces must fit by the blocks that they take: an archive of small files, or of directories, is small itself.

use std::fs;

use tar::EntryType;

use crate::support::archives::{END, SMALL_DUMP, archive, entry, pax_entry};
use crate::support::program::run;
use crate::support::scene::Scene;
use crate::support::state::State;

/// The size of the disk, in MiB.
const DISK: u32 = 16;

#[test]
fn small_files_and_directories_take_blocks() {
    let scene = Scene::gitlab_with_small_disk(DISK);
    let small = |number: u32| {
        let name = format!("2015_10/{}/{number}.log", number % 3);
        entry(name.as_bytes(), EntryType::Regular, b"x", |_| ())
    };
    let deep = |number: u32| {
        let name = format!("{number}{}/x", "/d".repeat(30));
        entry(name.as_bytes(), EntryType::Regular, b"x", |_| ())
    };
    let empty = |number: u32| {
        let name = format!("{number}{}/", "/d".repeat(30));
        pax_entry(name.as_bytes(), EntryType::Directory, b"")
    };
    let before = State::of(&scene);
    let cases: [(&str, Vec<Vec<u8>>); 3] = [
        ("files", (0..4200).map(small).collect()),
        ("files in deep directories", (0..140).map(deep).collect()),
        ("empty directories", (0..140).map(empty).collect()),
    ];
    for (what, entries) in cases {
        let traces = [entries.concat(), END.to_vec()].concat();
        let source = scene.path("1443700800_gitlab_ci_backup.tar");
        fs::write(&source, archive(&traces, SMALL_DUMP)).unwrap();
        println!("{what}");
        run(scene.import_command(source.to_str().unwrap()))
            .exits(1)
            .says("not enough space for the traces in")
            .says(" bytes, and ");
        before.assert_same(&State::of(&scene));
    }
    // With a hundredth of it there is enough.
    let entries: Vec<Vec<u8>> = (0..42).map(small).collect();
    let traces = [entries.concat(), END.to_vec()].concat();
    let source = scene.path("1443700800_gitlab_ci_backup.tar");
    fs::write(&source, archive(&traces, SMALL_DUMP)).unwrap();
    run(scene.import_command(source.to_str().unwrap())).succeeds();
}
