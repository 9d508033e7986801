//! `convert` and `inspect`: what they write loads by psql alone, and is what was there.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use crate::support::program::{command, project, run};
use crate::support::scene::{Dialect, Scene, TABLES, fixture_dump};
use crate::support::servers::{expect_success, postgresql};
use crate::support::trees::same_tree;

/// What the manual tells an admin to do with a dump.
fn psql(scene: &Scene, sql: &[u8]) -> bool {
    let mut psql = Command::new("psql");
    psql.arg("-h").arg(&postgresql().directory).args([
        "-U",
        "postgres",
        "-X",
        "-q",
        "-v",
        "ON_ERROR_STOP=1",
    ]);
    psql.args(["--single-transaction", &scene.database]);
    let mut child = psql
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let _ = input.write_all(sql);
    drop(input);
    child.wait().unwrap().success()
}

#[track_caller]
fn same_values(scene: &Scene) {
    scene.assert_same_values(&[]);
    for table in TABLES {
        let sequence = scene.value(&format!("SELECT pg_get_serial_sequence('{table}', 'id')"));
        assert_eq!(sequence, format!("public.{table}_id_seq"));
    }
}

#[test]
fn a_dump_becomes_a_dump_that_psql_loads() {
    for (dialect, output) in [
        (Dialect::Native, "out.sql.gz"),
        (Dialect::Compatible, "out.sql"),
    ] {
        let scene = Scene::gitlab();
        let (source, output) = (scene.path("in.sql"), scene.path(output));
        fs::write(&source, fixture_dump(dialect)).unwrap();
        let mut convert = command(["convert", "--mysql-to-postgresql"]);
        convert.arg(&source).arg("-o").arg(&output);
        run(convert)
            .succeeds()
            .says("ci_builds.finished_at: 1 zero dates became NULL (rows 3)");
        let read = if output.extension().unwrap() == "gz" {
            "zcat"
        } else {
            "cat"
        };
        let sql = expect_success(&Command::new(read).arg(&output).output().unwrap());
        assert!(psql(&scene, &sql));
        same_values(&scene);
    }
}

#[test]
fn it_works_in_a_pipe() {
    let scene = Scene::bare();
    let source = scene.path("in.sql");
    fs::write(&source, fixture_dump(Dialect::Native)).unwrap();
    let mut convert = command(["convert", "-", "-q"]);
    convert.stdin(fs::File::open(&source).unwrap());
    let sql = run(convert).succeeds().stdout;
    assert!(psql(&scene, sql.as_bytes()));
    same_values(&scene);
}

/// GitLab's own restore: `gzip -cd | psql`, and `tar -xzf`.
#[test]
fn an_archive_becomes_an_archive_of_the_same_shape() {
    let scene = Scene::gitlab();
    let source = scene.pack(&fixture_dump(Dialect::Native));
    let listing = |archive: &std::path::Path| {
        let list = Command::new("tar")
            .arg("-tvf")
            .arg(archive)
            .output()
            .unwrap();
        let text = String::from_utf8(expect_success(&list)).unwrap();
        let line = |line: &str| {
            let parts: Vec<&str> = line.split_whitespace().collect();
            format!("{} {} {} {}", parts[0], parts[3], parts[4], parts[5])
        };
        text.lines().map(line).collect::<Vec<_>>()
    };
    for piped in [false, true] {
        let output = scene.path("converted.tar");
        let mut convert = command(["convert", "-q"]);
        if piped {
            convert.arg("-").stdin(fs::File::open(&source).unwrap());
        } else {
            convert.arg(&source);
        }
        convert.arg("-o").arg(&output);
        run(convert).succeeds();
        assert_eq!(listing(&source), listing(&output));
        let unpacked = scene.path(if piped {
            "unpacked-pipe"
        } else {
            "unpacked-file"
        });
        fs::create_dir_all(unpacked.join("traces")).unwrap();
        expect_success(
            &Command::new("tar")
                .arg("-C")
                .arg(&unpacked)
                .arg("-xf")
                .arg(&output)
                .output()
                .unwrap(),
        );
        let sql = Command::new("gzip")
            .arg("-cd")
            .arg(unpacked.join("db/database.sql.gz"))
            .output()
            .unwrap();
        assert!(psql(&scene, &expect_success(&sql)));
        same_values(&scene);
        let mut untar = Command::new("tar");
        untar
            .arg("-C")
            .arg(unpacked.join("traces"))
            .arg("-xzf")
            .arg(unpacked.join("builds/builds.tar.gz"));
        expect_success(&untar.output().unwrap());
        same_tree(&scene.source(), &unpacked.join("traces"));
    }
}

/// What is written of a dump that cannot be converted to its end is not committed by anybody.
#[test]
fn half_a_conversion_is_no_dump() {
    let scene = Scene::gitlab();
    let dump = String::from_utf8(fixture_dump(Dialect::Native)).unwrap();
    let bad = dump.replace("(1,'https://example.com", "(x,'https://example.com");
    let cut = &dump[..dump.len() / 2];
    for (text, code) in [(bad.as_str(), 1), (cut, 3)] {
        let source = scene.path("in.sql");
        fs::write(&source, text).unwrap();
        let outcome = run(command(["convert", source.to_str().unwrap()])).exits(code);
        assert!(
            !psql(&scene, outcome.stdout.as_bytes()),
            "psql took half a dump"
        );
        assert_eq!(scene.value("SELECT count(*) FROM ci_commits"), "0");
        let output = scene.path("out.sql");
        run(command([
            "convert",
            source.to_str().unwrap(),
            "-o",
            output.to_str().unwrap(),
        ]))
        .exits(code);
        assert!(!output.exists());
    }
}

/// A device or a named pipe is written, not replaced by a file; a link leads to the file as before.
#[test]
fn what_is_no_file_is_not_replaced() {
    let scene = Scene::bare();
    let (source, directory) = (scene.path("in.sql"), scene.path(""));
    fs::write(&source, fixture_dump(Dialect::Native)).unwrap();
    let convert = |output: &Path| {
        let mut convert = command(["convert", "-q"]);
        convert.arg(&source).arg("-o").arg(output);
        convert
    };
    let (file, link) = (scene.path("out.sql"), scene.path("link.sql"));
    fs::write(&file, "old").unwrap();
    symlink(&file, &link).unwrap();
    run(convert(&link)).succeeds();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    let expected = fs::read(&file).unwrap();
    assert_ne!(expected, b"old");

    let pipe = scene.path("pipe");
    expect_success(&Command::new("mkfifo").arg(&pipe).output().unwrap());
    let reader = thread::spawn({
        let pipe = pipe.clone();
        move || fs::read(pipe).unwrap()
    });
    run(convert(&pipe)).succeeds();
    assert!(reader.join().unwrap() == expected);
    assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());

    run(convert(&directory))
        .exits(2)
        .says("it is a directory")
        .says("hint: name a file in it");
}

#[test]
fn inspect_tells_what_is_inside() {
    let archive = project().join("fixtures/1443700800_gitlab_ci_backup.tar");
    let outcome = run(command(["inspect", archive.to_str().unwrap(), "--json"])).succeeds();
    let found: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(found["version"], "8.0.5");
    assert_eq!(found["acceptable"], true);
    assert_eq!(found["traces"]["files"], 6);
    assert_eq!(found["traces"]["bytes"], 3_054_699);
    assert_eq!(found["traces"]["largest"]["name"], "2015_10/2/5.log");
    let builds = found["tables"]
        .as_array()
        .unwrap()
        .iter()
        .find(|t| t["name"] == "ci_builds")
        .unwrap();
    assert_eq!(builds["rows"], 7);
    assert!(builds["largest_row"]["bytes"].as_u64().unwrap() > 100_000);
    assert_eq!(builds["policies"].as_array().unwrap().len(), 3);
    let mut inspect = command(["inspect", "-"]);
    inspect.stdin(fs::File::open(&archive).unwrap());
    run(inspect)
        .succeeds()
        .reports("read to the end; no damage was found")
        .reports("2015_08 2015_09 2015_10");
    let scene = Scene::bare();
    let damaged = scene.path("damaged.tar");
    let whole = fs::read(&archive).unwrap();
    fs::write(&damaged, &whole[..whole.len() / 2]).unwrap();
    run(command(["inspect", damaged.to_str().unwrap()])).exits(3);
}
