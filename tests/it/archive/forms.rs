//! Archives in other forms than GitLab CI's: some are taken, of the others it is said what they are and what to do.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;

use tar::EntryType;

use crate::support::archives::{
    Entry, INFORMATION, SMALL_DUMP, archive, gzip, members, pax_record, small_traces, tar,
};
use crate::support::program::{command, run};
use crate::support::scene::Scene;
use crate::support::state::State;

const REGULAR: EntryType = EntryType::Regular;

/// An archive whose members have these names.
fn with_names(names: [&str; 3]) -> Vec<u8> {
    let (dump, traces) = (gzip(SMALL_DUMP), gzip(&small_traces()));
    let contents = [&dump[..], &traces, INFORMATION];
    let entries: Vec<Entry<'_>> = names
        .iter()
        .zip(contents)
        .map(|(name, content)| (name.as_bytes(), REGULAR, content))
        .collect();
    tar(&entries, false)
}

/// Everything that reads an archive takes the one at `path`.
#[track_caller]
fn is_taken(scene: &Scene, path: &Path) {
    let name = path.to_str().unwrap();
    scene.import(path).succeeds();
    assert_eq!(
        scene.value("SELECT string_agg(name, ' ') FROM ci_tags"),
        "a"
    );
    assert_eq!(
        fs::read(scene.builds().join("2015_10/1/2.log")).unwrap(),
        b"y"
    );
    for what in ["verify", "check"] {
        run(scene.command([what, name, "--mysql-to-postgresql"])).succeeds();
    }
    run(command(["inspect", name]))
        .succeeds()
        .reports("2 build traces");
    let converted = scene.path("converted.tar");
    run(command([
        "convert",
        name,
        "-o",
        converted.to_str().unwrap(),
    ]))
    .succeeds();
    // GitLab looks for the members by these names.
    let packed = fs::File::open(&converted).unwrap();
    let mut packed = tar::Archive::new(packed);
    let names = packed.entries().unwrap().map(|entry| {
        let entry = entry.unwrap();
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        (name, entry.header().entry_type())
    });
    let files: Vec<String> = names
        .filter(|(_, kind)| *kind == REGULAR)
        .map(|(name, _)| name)
        .collect();
    let expected = [
        "db/database.sql.gz",
        "builds/builds.tar.gz",
        "backup_information.yml",
    ];
    assert_eq!(files, expected);
    scene.command([converted.to_str().unwrap(), "--yes"]);
    run(command(["inspect", converted.to_str().unwrap()])).succeeds();
    fs::remove_file(converted).unwrap();
}

#[test]
fn members_in_a_folder() {
    let scene = Scene::gitlab();
    for folder in [
        "1443700800_gitlab_ci_backup/",
        "./backup/",
        "var/opt/backups/",
    ] {
        let names = [
            "db/database.sql.gz",
            "builds/builds.tar.gz",
            "backup_information.yml",
        ]
        .map(|name| format!("{folder}{name}"));
        let bytes = with_names([&names[0], &names[1], &names[2]]);
        for bytes in [gzip(&bytes), bytes] {
            let path = scene.path("in_a_folder.tar");
            fs::write(&path, bytes).unwrap();
            is_taken(&scene, &path);
            scene.import_piped(&path).succeeds();
        }
    }
}

/// A folder with what `tar -x` makes of an archive.
fn unpacked(scene: &Scene, name: &str) -> std::path::PathBuf {
    let folder = scene.path(name);
    fs::create_dir_all(folder.join("db")).unwrap();
    fs::create_dir_all(folder.join("builds")).unwrap();
    fs::write(folder.join("db/database.sql.gz"), gzip(SMALL_DUMP)).unwrap();
    fs::write(folder.join("builds/builds.tar.gz"), gzip(&small_traces())).unwrap();
    fs::write(folder.join("backup_information.yml"), INFORMATION).unwrap();
    folder
}

#[test]
fn an_unpacked_archive() {
    let scene = Scene::gitlab();
    let folder = unpacked(&scene, "unpacked");
    is_taken(&scene, &folder);
    // BACKUP is meant for folders of archives, and may be set anyway.
    let mut import = scene.import_command(folder.to_str().unwrap());
    run(import.env("BACKUP", "1443700800")).succeeds();
    let before = State::of(&scene);
    let mut import = scene.import_command(folder.to_str().unwrap());
    run(import.args(["--backup", "1443700800"]))
        .exits(2)
        .says("is an unpacked archive")
        .says("hint: omit --backup");
    for (missing, plain, says, hint) in [
        (
            "backup_information.yml",
            None,
            "has no file backup_information.yml",
            "complete",
        ),
        (
            "builds/builds.tar.gz",
            None,
            "has no file builds/builds.tar.gz",
            "complete",
        ),
        (
            "db/database.sql.gz",
            Some("db/database.sql"),
            "has no file db/database.sql.gz",
            "hint: compress it again: gzip ",
        ),
    ] {
        let folder = unpacked(&scene, "incomplete");
        fs::remove_file(folder.join(missing)).unwrap();
        if let Some(plain) = plain {
            fs::write(folder.join(plain), SMALL_DUMP).unwrap();
        }
        scene.import(&folder).exits(3).says(says).says(hint);
        fs::remove_dir_all(folder).unwrap();
    }
    before.assert_same(&State::of(&scene));
    // An archive in the folder counts more than what is left of another one.
    let archive = folder.join("1443700800_gitlab_ci_backup.tar");
    fs::write(
        &archive,
        members(&gzip(SMALL_DUMP), &gzip(&small_traces()), INFORMATION),
    )
    .unwrap();
    scene
        .import(&folder)
        .succeeds()
        .reports("imported 1443700800_gitlab_ci_backup.tar");
    // The whole name means the same as the epoch.
    for named in [
        "1443700800_gitlab_ci_backup.tar",
        "1443700800_gitlab_ci_backup",
        "1443700800",
    ] {
        let mut import = scene.import_command(folder.to_str().unwrap());
        run(import.args(["--backup", named])).succeeds();
        let mut import = scene.import_command(folder.to_str().unwrap());
        run(import.env("BACKUP", named)).succeeds();
    }
}

/// Each says what it is, and what to do, in a file and in a pipe.
#[test]
fn what_it_is_and_what_to_do() {
    let scene = Scene::gitlab();
    let before = State::of(&scene);
    let (information, traces) = ("backup_information.yml", "builds/builds.tar.gz");
    let of_gitlab = {
        let dump = gzip(SMALL_DUMP);
        tar(
            &[
                (b"db/database.sql.gz", REGULAR, &dump),
                (b"repositories/a/b.bundle", REGULAR, b"x"),
                (b"uploads.tar.gz", REGULAR, b"x"),
                (b"backup_information.yml", REGULAR, INFORMATION),
            ],
            false,
        )
    };
    let two = [&with_names([
        "a/db/database.sql.gz",
        "b/builds/builds.tar.gz",
        information,
    ])[..]]
    .concat();
    let with = |entry: Entry<'_>| archive(&tar(&[entry], false), SMALL_DUMP);
    let link = "links could lead anywhere, so none is unpacked";
    let cases: [(&str, Vec<u8>, &str, &str); 11] = [
        (
            "backslashes",
            with_names(["db\\database.sql.gz", "builds\\builds.tar.gz", information]),
            "no member db/database.sql.gz: names like \"db\\\\database.sql.gz\" have backslashes",
            "hint: take the archive as GitLab CI made it",
        ),
        (
            "a plain dump",
            with_names(["db/database.sql", traces, information]),
            "no member db/database.sql.gz, but db/database.sql: the member was decompressed",
            "hint: unpack the archive, compress the file again (gzip db/database.sql)",
        ),
        (
            "plain traces",
            with_names(["db/database.sql.gz", "builds/builds.tar", information]),
            "no member builds/builds.tar.gz, but builds/builds.tar: the member was decompressed",
            "(gzip builds/builds.tar)",
        ),
        (
            "GitLab's own",
            of_gitlab,
            "a backup of GitLab itself, not of GitLab CI",
            "hint: GitLab restores it with gitlab:backup:restore",
        ),
        (
            "two folders",
            two,
            "the archive has members in two folders: \"a\" and \"b\"",
            "hint: it should have one backup",
        ),
        (
            "7z",
            b"7z\xbc\xaf\x27\x1c\0\x04".repeat(80),
            "a 7z archive",
            "hint: unpack it (7z x FILE)",
        ),
        (
            "rar",
            b"Rar!\x1a\x07\x01\0".repeat(80),
            "a RAR archive",
            "hint: unpack it (7z x FILE)",
        ),
        (
            "lzip",
            b"LZIP\x01\x0c\0\0".repeat(80),
            "compressed with lzip",
            "lzip -dc",
        ),
        (
            "a month that is a link",
            with((b"./2015_10", EntryType::Symlink, b"")),
            "the member \"./2015_10\" is refused: it is a symbolic link to \"/etc/passwd\"",
            link,
        ),
        (
            "a hard link",
            with((b"./2015_10/1/1.log", EntryType::Link, b"")),
            "it is a hard link to \"/etc/passwd\"",
            "--dereference --hard-dereference",
        ),
        (
            "a trace twice",
            archive(
                &tar(
                    &[(b"1.log", REGULAR, b"x"), (b"./1.log", REGULAR, b"y")],
                    false,
                ),
                SMALL_DUMP,
            ),
            "it is in the archive twice",
            "hint: the archive was changed after GitLab CI made it",
        ),
    ];
    for (what, bytes, says, hint) in cases {
        println!("{what}");
        let path = scene.path("other.tar");
        fs::write(&path, bytes).unwrap();
        for import in [Scene::import, Scene::import_piped] {
            let outcome = import(&scene, &path).exits(3).says(says).says(hint);
            assert!(
                !outcome.stderr.contains("do not trust"),
                "{}",
                outcome.whole()
            );
        }
    }
    before.assert_same(&State::of(&scene));
}

/// The target of a link that does not fit into a header is named, too.
#[test]
fn a_link_with_a_long_target() {
    use crate::support::archives::{END, entry};
    let scene = Scene::gitlab();
    let target = format!("/mnt/{}", "x".repeat(200));
    let link = entry(b"./2015_10", EntryType::Symlink, b"", |_| ());
    let long = format!("{target}\0");
    let long = entry(
        b"././@LongLink",
        EntryType::GNULongLink,
        long.as_bytes(),
        |_| (),
    );
    let record = pax_record("linkpath", target.as_bytes());
    let record = entry(b"PaxHeaders/x", EntryType::XHeader, &record, |_| ());
    for before in [long, record] {
        let traces = [before, link.clone(), END.to_vec()].concat();
        let path = scene.path("links.tar");
        fs::write(&path, archive(&traces, SMALL_DUMP)).unwrap();
        scene
            .import(&path)
            .exits(3)
            .says(&format!("it is a symbolic link to {target:?}"));
    }
}

#[test]
fn the_folder_of_a_gitlab_with_its_own_backups_only() {
    let scene = Scene::gitlab();
    let folder = scene.path("backups");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("1443700800_gitlab_backup.tar"), "x").unwrap();
    scene
        .import(&folder)
        .exits(2)
        .says("hint: 1443700800_gitlab_backup.tar is a backup of GitLab itself");
}

/// GitLab CI could not read its builds directory: `builds.tar.gz` is a gzip file of nothing.
#[test]
fn an_empty_archive_of_traces() {
    let scene = Scene::gitlab();
    let before = State::of(&scene);
    let directories = tar(&[(b"./", EntryType::Directory, b"")], true);
    let empty = "builds/builds.tar.gz: it is empty: GitLab CI could not read its builds directory";
    let chown = "sudo chown -R gitlab_ci:gitlab_ci /home/gitlab_ci/gitlab-ci/builds";
    let path = scene.path("empty.tar");
    let import = |piped: bool, options: &[&str]| {
        let name = if piped { "-" } else { path.to_str().unwrap() };
        let mut import = scene.import_command(name);
        import.args(options).stdin(fs::File::open(&path).unwrap());
        run(import)
    };
    for (traces, says, hint) in [
        (gzip(b""), empty, chown),
        (
            gzip(&directories),
            "before the first trace",
            "hint: make the backup again; --allow-no-traces",
        ),
    ] {
        for compressed in [false, true] {
            let bytes = members(&gzip(SMALL_DUMP), &traces, INFORMATION);
            fs::write(&path, if compressed { gzip(&bytes) } else { bytes }).unwrap();
            for piped in [false, true] {
                for options in [&[][..], &["--allow-truncated-traces"]] {
                    import(piped, options)
                        .exits(3)
                        .says(says)
                        .says(hint)
                        .says("--allow-no-traces");
                }
            }
            if says == empty {
                let check = ["check", path.to_str().unwrap(), "--mysql-to-postgresql"];
                run(scene.command(check))
                    .exits(3)
                    .reports(empty)
                    .reports(chown);
            }
        }
    }
    before.assert_same(&State::of(&scene));
    for traces in [gzip(b""), gzip(&directories)] {
        fs::write(&path, members(&gzip(SMALL_DUMP), &traces, INFORMATION)).unwrap();
        import(false, &["--allow-no-traces"]).succeeds();
        assert_eq!(fs::read_dir(scene.builds()).unwrap().count(), 0);
        let verify = |options: &[&str]| {
            let mut verify = scene.command(["verify", path.to_str().unwrap()]);
            verify.args(options);
            run(verify)
        };
        verify(&[]).exits(3).says("--allow-no-traces");
        verify(&["--allow-no-traces"])
            .succeeds()
            .reports("all agree");
        fs::write(scene.builds().join("1.log"), "x").unwrap();
        verify(&["--allow-no-traces"])
            .exits(1)
            .reports("1 that the archive does not have");
    }
    // It does not stand for the other option.
    let cut = small_traces();
    let traces = gzip(&cut[..cut.len() - 1024]);
    fs::write(&path, members(&gzip(SMALL_DUMP), &traces, INFORMATION)).unwrap();
    import(false, &["--allow-no-traces"])
        .exits(3)
        .says("hint: make the backup again; --allow-truncated-traces");
}

#[test]
fn who_may_not_read_is_told_what_to_do() {
    const NOBODY: u32 = 65534;
    let scene = Scene::gitlab();
    let path = scene.path("archive.tar");
    fs::write(&path, archive(&small_traces(), SMALL_DUMP)).unwrap();
    let open = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    // A directory whose files can be named, but not all of them opened; the program is in another one.
    open(scene.directory.path(), 0o755);
    let program = scene.path("ci-import");
    fs::copy(crate::support::program::program(), &program).unwrap();
    open(&program, 0o755);
    let hidden = scene.path("hidden");
    fs::create_dir_all(hidden.join("live")).unwrap();
    let builds = hidden.join("live/builds");
    let run_as_nobody = |builds: &Path| {
        let mut import = std::process::Command::new(&program);
        import
            .arg(&path)
            .args(["--mysql-to-postgresql", "--yes", "--builds-path"]);
        import
            .arg(builds)
            .args(["--database-url", "postgresql://nobody@127.0.0.1:1/x"]);
        if rustix::process::geteuid().is_root() {
            import.uid(NOBODY).gid(NOBODY);
        }
        run(import.current_dir("/"))
    };
    open(&path, 0o000);
    run_as_nobody(&builds)
        .exits(2)
        .says("Permission denied")
        .says(&format!("sudo chown \"$USER\" {}", path.display()));
    open(&path, 0o644);
    open(&hidden, 0o000);
    run_as_nobody(&builds)
        .exits(2)
        .says("Permission denied")
        .says("hint: run ci-import as root or as GitLab's user (sudo -u git)");
    open(&hidden, 0o755);
}

#[test]
fn the_hint_of_yes_says_what_is_dropped() {
    let scene = Scene::gitlab();
    let path = scene.path("archive.tar");
    fs::write(&path, archive(&small_traces(), SMALL_DUMP)).unwrap();
    let name = path.to_str().unwrap();
    let unconfirmed = || run(scene.command([name, "--mysql-to-postgresql"])).exits(2);
    let outcome = unconfirmed().says("hint: add --yes to replace them; they are kept aside");
    assert!(!outcome.stderr.contains("dropped"), "{}", outcome.whole());
    scene.import(&path).succeeds();
    unconfirmed().says(
        "they are kept aside; the tables in ci_import_previous, from the previous import, are dropped",
    );
    for (what, says) in [
        ("rollback", "move ci_"),
        (
            "discard",
            "remove the replaced tables in ci_import_previous",
        ),
    ] {
        run(scene.command([what]))
            .exits(2)
            .says("not done without a confirmation, which needs a terminal: ")
            .says(says)
            .says("hint: without a terminal, add --yes\n");
    }
}
