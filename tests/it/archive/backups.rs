//! The archive is named by the folder it lies in, and by its epoch.

use std::ffi::CString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::support::archives::{SMALL_DUMP, archive, gzip, small_traces};
use crate::support::program::{command, run};
use crate::support::scene::Scene;
use crate::support::state::State;
use crate::support::two_archives::pack_two;

const OLDER: &str = "1443700800_gitlab_ci_backup.tar";
const NEWER: &str = "1443704400_gitlab_ci_backup.tar";

/// A folder with what GitLab keeps beside the archives of its CI, and with what only looks like one.
fn folder(scene: &Scene) -> PathBuf {
    let folder = scene.path("backups");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("1443700800_gitlab_backup.tar"), "GitLab's own").unwrap();
    fs::write(folder.join("_gitlab_ci_backup.tar"), "no epoch").unwrap();
    fs::create_dir(folder.join("1443700801_gitlab_ci_backup.tar")).unwrap();
    symlink("nowhere", folder.join("1443700802_gitlab_ci_backup.tar")).unwrap();
    // Who opens it waits for ever.
    let fifo = folder.join("1443700803_gitlab_ci_backup.tar");
    let fifo = CString::new(fifo.to_str().unwrap()).unwrap();
    mknodat(CWD, fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    folder
}

fn import(scene: &Scene, folder: &std::path::Path, options: &[&str]) -> Command {
    let mut import = scene.import_command(folder.to_str().unwrap());
    import.args(options);
    import
}

#[test]
fn the_only_one_is_taken() {
    let scene = Scene::gitlab();
    let folder = folder(&scene);
    fs::write(folder.join(OLDER), archive(&small_traces(), SMALL_DUMP)).unwrap();
    let outcome = run(import(&scene, &folder, &[]))
        .succeeds()
        .reports(&format!("imported {OLDER} "));
    assert!(!outcome.stderr.contains("warning"), "{}", outcome.whole());
    assert_eq!(
        scene.value("SELECT string_agg(name, ' ') FROM ci_tags"),
        "a"
    );
    // A link to a file is one.
    fs::rename(folder.join(OLDER), scene.path("elsewhere")).unwrap();
    symlink("../elsewhere", folder.join(OLDER)).unwrap();
    // A copy that is still under way is told of: maybe that one was meant.
    for name in [format!("{NEWER}.part"), format!(".{NEWER}.x2aQzP")] {
        fs::write(folder.join(&name), "half of it").unwrap();
        run(import(&scene, &folder, &[]))
            .succeeds()
            .says(&format!("warning: {name} in "))
            .reports(&format!("imported {OLDER} "));
        fs::remove_file(folder.join(&name)).unwrap();
    }
}

#[test]
fn of_several_the_one_that_is_named() {
    let scene = Scene::gitlab();
    let [first, second] = pack_two(&scene);
    let folder = folder(&scene);
    fs::rename(first, folder.join(OLDER)).unwrap();
    let compressed = format!("{NEWER}.gz");
    fs::write(folder.join(&compressed), gzip(&fs::read(&second).unwrap())).unwrap();
    let size = fs::metadata(folder.join(OLDER)).unwrap().len();
    assert!((1000..1_000_000).contains(&size));
    let before = State::of(&scene);
    let outcome = run(import(&scene, &folder, &[]))
        .exits(2)
        .says("backups has several archives:\n  1443704400  2015-10-01 13:00:00 UTC  ")
        .says(&format!(
            " bytes  {compressed}\n  1443700800  2015-10-01 12:00:00 UTC  "
        ))
        .says(&format!(
            ",{:03} bytes  {OLDER}\nhint: name one: --backup 1443704400",
            size % 1000
        ));
    assert_eq!(outcome.stderr.lines().count(), 4, "{}", outcome.whole());
    run(import(&scene, &folder, &["--backup", "1443700801"]))
        .exits(2)
        .says("backups has no archive for --backup 1443700801:\n  1443704400  2015");
    run(import(&scene, &folder, &[]).env("BACKUP", "1443700802"))
        .exits(2)
        .says("has no archive for BACKUP=1443700802 of the environment:\n  1443704400");
    before.assert_same(&State::of(&scene));
    run(import(&scene, &folder, &[]).env("BACKUP", "1443704400"))
        .succeeds()
        .reports(&format!("imported {compressed} "));
    assert_eq!(
        scene.value("SELECT count(*) FROM ci_tags WHERE name = 'rust'"),
        "1"
    );
    // The option wins.
    run(import(&scene, &folder, &["--backup", "1443700800"]).env("BACKUP", "1443704400"))
        .succeeds()
        .reports(&format!("imported {OLDER} "));
    assert_eq!(
        scene.value("SELECT count(*) FROM ci_tags WHERE name = 'rust'"),
        "0"
    );
    // The same one twice: nobody knows which is meant.
    fs::copy(folder.join(OLDER), folder.join(format!("{OLDER}.zst"))).unwrap();
    run(import(&scene, &folder, &["--backup", "1443700800"]))
        .exits(2)
        .says("has several archives for --backup 1443700800:\n  1443700800")
        .says("hint: name the file itself");
}

#[test]
fn every_command_takes_a_folder() {
    let scene = Scene::gitlab();
    let folder = folder(&scene);
    for name in [OLDER, NEWER] {
        fs::write(folder.join(name), archive(&small_traces(), SMALL_DUMP)).unwrap();
    }
    let folder = folder.to_str().unwrap();
    let output = scene.path("converted.tar");
    let output = output.to_str().unwrap();
    let check = || scene.command(["check", folder, "--mysql-to-postgresql"]);
    let verify = || scene.command(["verify", folder]);
    let inspect = || command(["inspect", folder]);
    let convert = || command(["convert", folder, "-o", output]);
    run(check()).exits(2).reports("has several archives:");
    for mut several in [verify(), inspect(), convert()] {
        run(&mut several).exits(2).says("has several archives:");
    }
    assert!(!scene.path("converted.tar").exists());
    run(check().args(["--backup", "1443704400"]))
        .succeeds()
        .reports(&format!("ok      {NEWER}, an archive in a file"));
    run(scene.import_command(folder).env("BACKUP", "1443704400")).succeeds();
    run(verify().args(["--backup", "1443704400"])).succeeds();
    run(inspect().env("BACKUP", "1443700800"))
        .succeeds()
        .reports("archive of GitLab CI 8.0.5");
    run(convert().env("BACKUP", "1443700800")).succeeds();
    assert!(scene.path("converted.tar").exists());
}

#[test]
fn without_a_folder_or_an_archive() {
    let scene = Scene::gitlab();
    let folder = folder(&scene);
    run(import(&scene, &folder, &[]))
        .exits(2)
        .says("backups is a folder without a backup archive or a dump")
        .says("archives of GitLab CI are named EPOCH_gitlab_ci_backup.tar");
    fs::write(folder.join(format!("{OLDER}.part")), "half of it").unwrap();
    run(import(&scene, &folder, &["--backup", "1443700800"]))
        .exits(2)
        .says(&format!("hint: {OLDER}.part may be an unfinished copy"));
    run(command(["--backup", "1443700800"]))
        .exits(2)
        .says("--backup 1443700800 needs a folder of archives")
        .says("/var/opt/gitlab/backups");
    run(command(["--mysql-to-postgresql"]).env("BACKUP", "1443700800"))
        .exits(2)
        .says("BACKUP=1443700800 of the environment needs a folder of archives");
    run(command(["verify"]))
        .exits(2)
        .says("no archive is named");
    let file = scene.path("a.tar");
    fs::write(&file, archive(&small_traces(), SMALL_DUMP)).unwrap();
    run(import(&scene, &file, &["--backup", "1443700800"]))
        .exits(2)
        .says("--backup 1443700800 selects an archive in a folder, but ");
    run(command(["inspect", "-", "--backup", "1443700800"]))
        .exits(2)
        .says("but \"-\" is a pipe");
    // What stands in the environment is for folders.
    run(import(&scene, &file, &[]).env("BACKUP", "1")).succeeds();
}
