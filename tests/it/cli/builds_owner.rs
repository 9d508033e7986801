//! `--builds-owner`: whose the traces become, and what `check` says of it and of the file system.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;
use std::process::Command;

use crate::support::program::{command, run};
use crate::support::scene::{Dialect, Scene, fixture_dump};
use crate::support::two_users::{EVE, need_root};

/// A user and a group that the machine does not have.
const GIT: u32 = 4_301;
const GROUP: u32 = 4_302;

fn owned(mut command: Command) -> Command {
    command.args(["--builds-owner", &format!("{GIT}:{GROUP}")]);
    command
}

fn assert_owned(directory: &Path) {
    let found = fs::symlink_metadata(directory).unwrap();
    let shown = directory.display();
    assert_eq!((found.uid(), found.gid()), (GIT, GROUP), "{shown}");
    if found.is_dir() {
        for entry in fs::read_dir(directory).unwrap() {
            assert_owned(&entry.unwrap().path());
        }
    }
}

#[test]
fn root_gives_the_traces_to_the_user_that_is_named() {
    need_root();
    let scene = Scene::gitlab();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    let before = fs::metadata(scene.builds()).unwrap();
    let import = || {
        let mut import = scene.command(["--mysql-to-postgresql", "--yes"]);
        import.arg(&archive);
        import
    };
    run(owned(import())).succeeds();
    assert_owned(&scene.builds());
    // The directory keeps its owner in the next one.
    run(import()).succeeds();
    assert_owned(&scene.builds());
    for name in ["no such user", "0:no such group", "4294967295:0"] {
        let mut refused = import();
        refused.args(["--builds-owner", name]);
        run(refused).exits(2).says("there is no ").says("id -u git");
    }
    let dump = scene.path("dump.sql");
    let mut refused = scene.command(["--yes"]);
    refused.arg(dump);
    run(owned(refused))
        .exits(2)
        .says("--builds-owner: the input has no build traces");
    run(scene.command(["rollback", "--yes"])).succeeds();
    run(scene.command(["rollback", "--yes"])).succeeds();
    assert_owned(&scene.builds());
    assert_eq!(before.mode(), fs::metadata(scene.builds()).unwrap().mode());
}

#[test]
fn who_cannot_give_them_is_told_before_anything_is_done() {
    need_root();
    let scene = Scene::gitlab();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    let parent = scene.builds().parent().unwrap().to_owned();
    chown(&parent, Some(EVE), Some(EVE)).unwrap();
    chown(scene.builds(), Some(EVE), Some(EVE)).unwrap();
    for command in ["check", "import"] {
        let word = if command == "check" { "check" } else { "--yes" };
        let mut asked = scene.command([word]);
        asked.arg("--mysql-to-postgresql").arg(&archive);
        let outcome = run(owned(asked)).exits(2);
        let told = format!("lies in a directory of the user {EVE}, with whose rights");
        let said = format!("{}{}", outcome.stdout, outcome.stderr);
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(&told), "{command}: {said}");
    }
    assert_eq!(fs::metadata(scene.builds()).unwrap().uid(), EVE);
}

#[test]
fn a_fresh_directory_gets_the_owner() {
    need_root();
    let directory = tempfile::tempdir().unwrap();
    let builds = directory.path().join("builds");
    fs::create_dir(&builds).unwrap();
    fs::write(builds.join("1.log"), "a trace").unwrap();
    let mut fresh = command(["fresh", "--yes", "--builds-path"]);
    fresh.arg(&builds);
    run(owned(fresh)).succeeds();
    assert_owned(&builds);
}

#[test]
fn check_says_whose_they_become_and_where_they_lie() {
    need_root();
    let scene = Scene::gitlab();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    let check = |more: &[&str]| {
        let mut check = scene.command(["check", "--mysql-to-postgresql"]);
        check.arg(&archive).args(more);
        run(check).succeeds()
    };
    let beside = tempfile::tempdir_in(scene.builds().parent().unwrap()).unwrap();
    check(&["--repositories-path", beside.path().to_str().unwrap()])
        .reports("owner of builds ok root:root")
        .reports("owner of builds note GitLab's user must be able to write there: import with --builds-owner git:git")
        .reports("file system ok the builds lie on ")
        .reports("backup of GitLab note no GitLab is installed here");
    let named = check(&[
        "--builds-owner",
        "4301:4302",
        "--repositories-path",
        "/proc/self",
    ])
    .reports("owner of builds ok 4301:4302")
    .reports("file system note the builds lie on ")
    .reports("on proc: not the same one");
    assert!(
        !named.stdout.contains("must be able to write"),
        "{}",
        named.stdout
    );
    check(&["--repositories-path", "/no such directory"])
        .reports("file system note /no such directory, with the repositories, cannot be looked at");
}
