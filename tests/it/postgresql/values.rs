//! Every value of every row arrives, and every byte of every trace.

use std::fs;

use crate::support::compare::Meant;
use crate::support::scene::{Dialect, Scene, fixture_database, fixture_dump, mysqldump};
use crate::support::trees::same_tree;

/// The one value that GitLab's own steps change.
pub(crate) const PREFIXED: [Meant; 1] = [("ci_services", "type", |name| {
    name.map(|name| {
        if name.starts_with(b"Ci::") {
            name
        } else {
            [b"Ci::", &name[..]].concat()
        }
    })
})];

#[track_caller]
pub(crate) fn all_values_arrived(scene: &Scene) {
    scene.assert_same_values(&PREFIXED);
    same_tree(&scene.source(), &scene.builds());
}

#[test]
fn native_dump_from_a_file() {
    let scene = Scene::gitlab();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    let outcome = scene.import(&archive).succeeds();
    outcome
        .reports("ci_builds.finished_at: 1 zero dates became NULL (rows 3)")
        .reports("ci_builds.trace: 1 texts lost their NUL characters (rows 3)")
        .reports("replaced data that is kept");
    all_values_arrived(&scene);
}

#[test]
fn compatible_dump_from_a_pipe() {
    let scene = Scene::gitlab();
    let archive = scene.pack(&fixture_dump(Dialect::Compatible));
    scene.import_piped(&archive).succeeds();
    all_values_arrived(&scene);
}

#[test]
fn native_dump_from_a_pipe_into_a_bare_database() {
    let scene = Scene::bare();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    scene.import_piped(&archive).succeeds();
    all_values_arrived(&scene);
}

#[test]
fn however_mysqldump_lays_it_out() {
    let layouts: [&[&str]; 6] = [
        &["--skip-extended-insert"],
        &["--complete-insert", "--hex-blob"],
        &["--no-autocommit", "--order-by-primary", "--skip-add-locks"],
        &["--replace", "--skip-set-charset"],
        &[
            "--compatible=postgresql",
            "--skip-extended-insert",
            "--complete-insert",
        ],
        &["--insert-ignore", "--skip-disable-keys", "--skip-comments"],
    ];
    for layout in layouts {
        let scene = Scene::bare();
        let archive = scene.pack(&mysqldump(fixture_database(), layout));
        scene.import(&archive).succeeds();
        all_values_arrived(&scene);
    }
}

/// MySQL writes all rows of an INSERT on one line, some editors end lines with CRLF.
#[test]
fn however_lines_are_cut() {
    let dump = String::from_utf8(fixture_dump(Dialect::Native)).unwrap();
    let one_line = dump
        .replace("VALUES\n(", "VALUES (")
        .replace("),\n(", "),(");
    assert_ne!(one_line, dump);
    for dump in [one_line, dump.replace('\n', "\r\n")] {
        let scene = Scene::bare();
        let archive = scene.pack(dump.as_bytes());
        scene.import(&archive).succeeds();
        all_values_arrived(&scene);
    }
}

#[test]
fn the_committed_archives_are_good() {
    for name in [
        "1443700800_gitlab_ci_backup.tar",
        "1443704400_gitlab_ci_backup.tar",
    ] {
        let scene = Scene::gitlab();
        let archive = crate::support::program::project()
            .join("fixtures")
            .join(name);
        scene.import(&archive).succeeds();
        all_values_arrived(&scene);
    }
}

#[test]
fn existing_traces_are_kept_aside() {
    let scene = Scene::gitlab();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    scene.import(&archive).succeeds();
    let live = scene.path("live");
    let aside: Vec<_> = fs::read_dir(&live)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| *path != scene.builds())
        .collect();
    assert_eq!(aside.len(), 1, "{aside:?}");
    assert_eq!(
        fs::read(aside[0].join("2014_01/1/1.log")).unwrap(),
        b"an old trace"
    );
}
