//! What is refused, and by which name.

use std::fs;

use tar::EntryType;

use crate::support::archives::{Entry, INFORMATION, SMALL_DUMP, archive, gzip, tar};
use crate::support::program::{command, run};
use crate::support::scene::{Dialect, Scene, fixture_database, fixture_dump, mysqldump};
use crate::support::servers::{new_postgresql_database, postgresql_url};
use crate::support::state::State;

#[track_caller]
fn refused(scene: &Scene, archive: &[u8], code: i32, message: &str) {
    let before = State::of(scene);
    let path = scene.path("refused.tar");
    fs::write(&path, archive).unwrap();
    scene.import(&path).exits(code).says(message);
    scene.import_piped(&path).exits(code).says(message);
    before.assert_same(&State::of(scene));
    assert!(!std::path::Path::new("/tmp/ci-import-was-here").exists());
}

#[test]
fn a_command_that_an_import_does_not_need() {
    run(command(["import", "shop.sql"]))
        .exits(2)
        .says("cannot read import: No such file or directory")
        .says("hint: import is no command, and none is needed: ci-import FILE");
}

#[test]
fn a_mysql_dump_without_the_flag() {
    let scene = Scene::gitlab();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    let before = State::of(&scene);
    for name in [archive.to_str().unwrap(), "-"] {
        let mut import = command([name, "--yes", "--builds-path"]);
        import.arg(scene.builds());
        import.args([
            "--database-url",
            &crate::support::servers::postgresql_url(&scene.database),
        ]);
        import.stdin(fs::File::open(&archive).unwrap());
        run(import)
            .exits(2)
            .says("db/database.sql.gz: the dump was made by MySQL")
            .says("hint: add --mysql-to-postgresql");
    }
    before.assert_same(&State::of(&scene));
}

#[test]
fn archives_without_one_of_the_members() {
    let scene = Scene::gitlab();
    let traces = gzip(&tar(&[], false));
    let dump = gzip(SMALL_DUMP);
    let members: [Entry<'_>; 3] = [
        (b"db/database.sql.gz", EntryType::Regular, &dump),
        (b"builds/builds.tar.gz", EntryType::Regular, &traces),
        (b"backup_information.yml", EntryType::Regular, INFORMATION),
    ];
    for missing in 0..3 {
        let mut entries = members.to_vec();
        let (name, _, _) = entries.remove(missing);
        let message = format!(
            "the archive has no member {}",
            String::from_utf8_lossy(name)
        );
        refused(&scene, &tar(&entries, false), 3, &message);
    }
    let twice = [members[0], members[1], members[2], members[0]];
    refused(&scene, &tar(&twice, false), 3, "it is in the archive twice");
    refused(
        &scene,
        &[0; 10240],
        3,
        "neither a backup archive nor a dump",
    );
    refused(&scene, b"", 3, "neither a backup archive nor a dump");
    refused(
        &scene,
        &[b'x'; 4096],
        3,
        "neither a backup archive nor a dump",
    );
}

#[test]
fn members_that_lead_outside_or_are_no_files() {
    let scene = Scene::gitlab();
    let cases: [Entry<'_>; 8] = [
        (b"../ci-import-was-here", EntryType::Regular, b"x"),
        (b"a/../../ci-import-was-here", EntryType::Regular, b"x"),
        (b"/tmp/ci-import-was-here", EntryType::Regular, b"x"),
        (b"link", EntryType::Symlink, b""),
        (b"hard", EntryType::Link, b""),
        (b"device", EntryType::Char, b""),
        (b"disk", EntryType::Block, b""),
        (b"fifo", EntryType::Fifo, b""),
    ];
    for case in cases {
        let message = format!(
            "the member {:?} is refused",
            String::from_utf8_lossy(case.0)
        );
        // In the traces …
        let traces = tar(&[case], false);
        refused(
            &scene,
            &archive(&traces, SMALL_DUMP),
            3,
            &format!("builds/builds.tar.gz: {message}"),
        );
        // … and in the archive itself.
        let dump = gzip(SMALL_DUMP);
        let traces = gzip(&tar(&[], false));
        let entries = [
            case,
            (&b"db/database.sql.gz"[..], EntryType::Regular, &dump[..]),
            (b"builds/builds.tar.gz", EntryType::Regular, &traces),
            (b"backup_information.yml", EntryType::Regular, INFORMATION),
        ];
        refused(&scene, &tar(&entries, false), 3, &message);
    }
    let twice = tar(
        &[
            (b"./a.log", EntryType::Regular, b"x"),
            (b"a.log", EntryType::Regular, b"y"),
        ],
        false,
    );
    refused(
        &scene,
        &archive(&twice, SMALL_DUMP),
        3,
        "\"a.log\" is refused: it is in the archive twice",
    );
}

/// Headers that would fill the memory, before the entry they belong to.
#[test]
fn extended_headers_without_bounds() {
    let scene = Scene::gitlab();
    let large = vec![b'x'; 100_000];
    for kind in [EntryType::GNULongName, EntryType::XHeader] {
        let traces = tar(
            &[
                (b"long", kind, &large),
                (b"a.log", EntryType::Regular, b"x"),
            ],
            false,
        );
        refused(
            &scene,
            &archive(&traces, SMALL_DUMP),
            3,
            "larger than 64 KiB",
        );
    }
    for (record, says) in [
        (
            "22 GNU.sparse.major=1\n",
            "builds/builds.tar.gz: the member",
        ),
        ("10 size=1\n\n", "an extended header of the tar is damaged"),
    ] {
        let traces = tar(
            &[
                (b"x", EntryType::XHeader, record.as_bytes()),
                (b"a", EntryType::Regular, b"x"),
            ],
            false,
        );
        refused(&scene, &archive(&traces, SMALL_DUMP), 3, says);
    }
    let outside = tar(
        &[
            (b"x", EntryType::XHeader, b"16 path=../../x\n"),
            (b"a", EntryType::Regular, b"x"),
        ],
        false,
    );
    let message = "its name has a part \"..\"";
    refused(&scene, &archive(&outside, SMALL_DUMP), 3, message);
}

#[test]
fn dumps_that_are_not_taken() {
    let scene = Scene::gitlab();
    let empty = tar(&[], false);
    let cases: [(&[u8], i32, &str); 8] = [
        (b"", 3, "db/database.sql.gz"),
        (b"hello", 3, "it is no dump of MySQL"),
        (
            b"-- MySQL dump\n-- Dump completed\n",
            3,
            "it holds no table of GitLab CI",
        ),
        (
            b"--\n-- PostgreSQL database dump\n--\nSELECT 1;\n",
            2,
            "the dump is one of PostgreSQL; there is nothing to convert",
        ),
        (
            b"-- Converted by db_converter\nSTART TRANSACTION;\n",
            3,
            "the dump is truncated at byte 48: what comes behind the rows",
        ),
        (
            b"-- MySQL dump\nCREATE TABLE `users` (`id` int);\n-- Dump completed\n",
            3,
            "the table users, which is none of GitLab CI 8.0",
        ),
        (
            b"-- MySQL dump\nDELETE FROM users;\n-- Dump completed\n",
            1,
            "a statement that is not understood: DELETE FROM …",
        ),
        (
            b"-- MySQL dump\n\\! touch /tmp/ci-import-was-here\n;\n-- Dump completed\n",
            1,
            "a statement that is not understood: it begins with no word of SQL",
        ),
    ];
    for (dump, code, message) in cases {
        refused(&scene, &archive(&empty, dump), code, message);
    }
}

#[test]
fn what_is_not_mapped_names_table_and_column() {
    let scene = Scene::gitlab();
    let empty = tar(&[], false);
    let dump =
        b"-- MySQL dump\nCREATE TABLE `ci_tags` (`id` int, `place` xmltype);\n-- Dump completed\n";
    refused(
        &scene,
        &archive(&empty, dump),
        1,
        "column ci_tags.place: the type xmltype is not supported",
    );
    let dump = b"-- MySQL dump\nCREATE TABLE `ci_tags` (`id` int, `ok` tinyint(1));\nINSERT INTO `ci_tags` VALUES (1,2);\n-- Dump completed\n";
    refused(
        &scene,
        &archive(&empty, dump),
        1,
        "db/database.sql.gz: ci_tags row 1 (byte 98), column ok: the number in a tinyint(1)",
    );
}

#[test]
fn identifiers_cannot_break_out_of_their_quotes() {
    let scene = Scene::gitlab();
    let dump = b"-- MySQL dump\nCREATE TABLE `ci_tags` (`id` int, `a\"; DROP TABLE tags; --` text COMMENT 'x''; DROP TABLE tags; --', KEY `i\"; DROP TABLE tags; --` (`id`));\nINSERT INTO `ci_tags` VALUES (1,'\\'; DROP TABLE tags; --');\n-- Dump completed\n";
    let path = scene.path("quotes.tar");
    fs::write(&path, archive(&tar(&[], false), dump)).unwrap();
    scene.import(&path).succeeds();
    assert_eq!(
        scene.value("SELECT \"a\"\"; DROP TABLE tags; --\" FROM ci_tags"),
        "'; DROP TABLE tags; --"
    );
    assert_eq!(scene.value("SELECT count(*) FROM tags"), "3");
}

#[test]
fn wrong_usage_and_targets_that_are_not_there() {
    let scene = Scene::gitlab();
    let archive = scene.pack(SMALL_DUMP);
    let archive = archive.to_str().unwrap();
    let convert = "--mysql-to-postgresql";
    run(command([] as [&str; 0])).exits(2);
    run(command(["/no/such/file"]))
        .exits(2)
        .says("cannot read /no/such/file");
    run(command(["/proc/self"]))
        .exits(2)
        .says("/proc/self is a folder without a backup archive or a dump");
    run(command([
        archive,
        convert,
        "--database-url",
        "postgresql://h/d",
    ]))
    .exits(2)
    .says("add --builds-path");
    run(command([
        archive,
        convert,
        "--database-url",
        "mysql://h/d",
        "--builds-path",
        "/tmp/b",
    ]))
    .exits(2)
    .says("the target is a MySQL server, which accepts a MySQL dump unchanged");
    let url = "postgresql://me:secret@127.0.0.1:1/d";
    let outcome = run(command([
        archive,
        convert,
        "--database-url",
        url,
        "--builds-path",
        "/tmp/b",
    ]))
    .exits(4)
    .says("cannot connect to database d as me on 127.0.0.1:1");
    assert!(!outcome.stderr.contains("secret"));
}

/// Who knows another tool types its options, and is told ours.
#[test]
fn options_of_other_tools_get_a_hint() {
    let cases = [
        ("a.tar force=yes", "hint: --yes replaces"),
        (
            "a.tar MYSQL_TO_POSTGRESQL=1",
            "hint: --mysql-to-postgresql converts",
        ),
        ("a.tar BACKUP=1443700800", "hint: --backup EPOCH selects"),
        ("BACKUP=1443700800", "hint: name the folder of the archives"),
        ("a.tar --dry-run", "hint: ci-import check runs all checks"),
        (
            "a.tar --dbname=gitlab",
            "hint: --database-url URL names the database",
        ),
        (
            "a.tar -d gitlab",
            "hint: --database-url URL names the database",
        ),
        ("a.tar -u git", "hint: --database-url URL names host"),
        ("a.tar --host db", "hint: --database-url URL names host"),
        ("a.tar --password", "hint: put the password into ~/.pgpass"),
        ("a.tar --clean", "hint: --yes replaces CI data"),
        ("a.tar --table t", "hint: --only-table TABLE"),
        ("a.tar --exclude-table t", "hint: --skip-table TABLE"),
        ("a.tar -uroot", "hint: --database-url URL names host"),
        ("a.tar --no-owner", "hint: nothing to add: the tables get"),
        ("a.tar --list", "hint: ci-import inspect shows"),
        (
            "mysql://git:secret@db/ci postgresql://git:secret@db/gitlab",
            "hint: dump it: mysqldump --single-transaction DATABASE | ci-import -",
        ),
        (
            "a.tar postgresql://git:secret@db/gitlab",
            "hint: --database-url URL names the target",
        ),
        (
            "mysql://git:secret@db/ci",
            "hint: dump it: mysqldump --single-transaction DATABASE | ci-import -",
        ),
        (
            "inspect mysql://git:secret@db/ci",
            "mysql://… names a database; the input must be an archive or a dump",
        ),
        (
            "verify a.tar --dbname x",
            "hint: --database-url URL names the database",
        ),
    ];
    for (line, hint) in cases {
        let outcome = run(command(line.split(' '))).exits(2).says(hint);
        assert!(!outcome.stderr.contains("secret"), "{}", outcome.whole());
    }
}

#[test]
fn a_command_file_of_pgloader_is_no_dump() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ci.load");
    fs::write(&path, "\nload database\n  FROM mysql://git:secret@db/ci\n").unwrap();
    run(command([&path]))
        .exits(3)
        .says("the input is a command file of pgloader, not a dump")
        .says("hint: dump the database: mysqldump");
}

#[test]
fn xml_that_is_refused() {
    let scene = Scene::gitlab();
    let of_mysqldump = mysqldump(fixture_database(), &["--xml"]);
    // Alone it is read, but no archive of GitLab CI has it.
    scene
        .import(&scene.pack(&of_mysqldump))
        .exits(3)
        .says("the dump is XML of mysqldump; here, only SQL is supported")
        .says("hint: make the dump again without --xml");
    let directory = tempfile::tempdir().unwrap();
    let url = postgresql_url(&new_postgresql_database());
    let of_phpmyadmin = b"\xef\xbb\xbf<?xml version=\"1.0\"?>\n<pma_xml_export version=\"1.0\">\n";
    for (name, bytes, says, hint) in [
        (
            "phpmyadmin.xml",
            of_phpmyadmin.to_vec(),
            "the dump is XML of phpMyAdmin, which is not supported",
            "hint: export it again with the format SQL",
        ),
        (
            "phpmyadmin.xml.gz",
            gzip(of_phpmyadmin),
            "the dump is XML of phpMyAdmin, which is not supported",
            "hint: export it again with the format SQL",
        ),
        (
            "other.xml",
            b"<?xml version='1.0'?><a/>".to_vec(),
            "the dump is XML; only that of mysqldump is supported",
            "hint: make a dump as SQL",
        ),
    ] {
        let path = directory.path().join(name);
        fs::write(&path, bytes).unwrap();
        let mut import = command([&path]);
        import.arg("--database-url").arg(&url);
        run(import).exits(3).says(says).says(hint);
    }
}

/// GitLab's tasks are told what to do by variables. Those that mean nothing here are named, with the option.
#[test]
fn variables_of_rake_that_are_not_read_are_named() {
    let scene = Scene::gitlab();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    let archive = archive.to_str().unwrap();
    let with = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut import = scene.command([archive]);
        import.args(arguments).envs(variables.iter().copied());
        run(import)
    };
    let warning = "warning: MYSQL_TO_POSTGRESQL of the environment is not read; --mysql-to-postgresql converts";
    let rake = [("MYSQL_TO_POSTGRESQL", "1"), ("force", "yes")];
    with(&[], &rake)
        .exits(2)
        .says(warning)
        .says("hint: add --mysql-to-postgresql to convert it");
    with(&["--mysql-to-postgresql"], &[("force", "1")])
        .exits(2)
        .says("warning: force=1 of the environment is not read; force=yes or --yes")
        .says("hint: add --yes to replace them");
    let done = with(&["--mysql-to-postgresql"], &rake).succeeds();
    assert!(!done.stderr.contains("warning"), "{}", done.whole());
    let mut check = scene.command(["check", archive]);
    check.env("MYSQL_TO_POSTGRESQL", "1");
    run(check).exits(2).says(warning);
}
