//! `ci-import fresh` leaves an empty builds directory, and the old traces beside it, however it ends.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

use crate::backup::names_in;
use crate::support::program::{command, run};
use crate::support::two_users::{EVE, need_root};

fn fresh(builds: &Path) -> std::process::Command {
    let mut fresh = command(["fresh", "--yes", "--builds-path"]);
    fresh.arg(builds);
    fresh
}

#[test]
fn the_old_traces_are_moved_aside() {
    need_root();
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let builds = directory.path().join("builds");
    run(fresh(&builds)).exits(2).says("builds does not exist");
    fs::create_dir_all(builds.join("2015_10/1")).unwrap();
    fs::write(builds.join("2015_10/1/1.log"), "a trace").unwrap();
    fs::set_permissions(&builds, fs::Permissions::from_mode(0o2750)).unwrap();
    chown(&builds, Some(EVE), Some(EVE)).unwrap();
    let mut asks = command(["fresh", "--builds-path"]);
    asks.arg(&builds);
    run(asks).exits(2).says("without a terminal, add --yes");
    run(fresh(&builds))
        .succeeds()
        .reports("the old traces are in ");
    let names = names_in(directory.path());
    let aside: Vec<&String> = names
        .iter()
        .filter(|name| name.starts_with("builds.1"))
        .collect();
    let [aside] = aside[..] else {
        panic!("{names:?}");
    };
    let old = directory.path().join(aside).join("2015_10/1/1.log");
    assert_eq!(fs::read_to_string(old).unwrap(), "a trace");
    let new = fs::metadata(&builds).unwrap();
    assert_eq!((new.uid(), new.mode() & 0o7777), (EVE, 0o2750));
    assert_eq!(names_in(&builds).len(), 0);
    run(fresh(&builds)).succeeds().reports("is empty");
}

#[test]
fn killed_it_is_done_again() {
    for point in ["empty directory made", "empty directory beside"] {
        let directory = tempfile::tempdir().unwrap();
        let builds = directory.path().join("builds");
        fs::create_dir(&builds).unwrap();
        fs::write(builds.join("1.log"), "a trace").unwrap();
        let mut killed = fresh(&builds);
        killed.env("CI_IMPORT_FAILPOINT", format!("kill:{point}"));
        assert_eq!(run(killed).code, None, "{point}");
        assert_eq!(
            fs::read_to_string(builds.join("1.log")).unwrap(),
            "a trace",
            "{point}"
        );
        run(fresh(&builds)).succeeds();
        assert_eq!(names_in(&builds).len(), 0, "{point}");
        let names = names_in(directory.path());
        let kept = names
            .iter()
            .filter(|name| directory.path().join(name).join("1.log").exists());
        assert_eq!(kept.count(), 1, "{point}: {names:?}");
    }
}
