//! An archive is what GitLab CI's own backup makes, and an import of it is the source again.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::CiServer;
use crate::postgresql::values::PREFIXED;
use crate::support::program::run;
use crate::support::scene::Scene;
use crate::support::servers::expect_success;
use crate::support::trees::same_tree;

/// What GNU tar lists of the archive at `path`: kind and mode, size and name of each member.
fn listed(path: &Path) -> Vec<(String, u64, String)> {
    let mut tar = Command::new("tar");
    tar.args(["--numeric-owner", "-tvf"]).arg(path);
    let text = String::from_utf8(expect_success(&tar.output().unwrap())).unwrap();
    let lines = text.lines().map(|line| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        (
            fields[0].to_owned(),
            fields[2].parse().unwrap(),
            fields[5].to_owned(),
        )
    });
    lines.collect()
}

/// The archive has the members of the reference, in its order, and GNU tar and gzip read them.
fn has_the_reference_shape(path: &Path) {
    let expected = [
        ("drwx------", "db/"),
        ("-rw-------", "db/database.sql.gz"),
        ("drwx------", "builds/"),
        ("-rw-------", "builds/builds.tar.gz"),
        ("-rw-------", "backup_information.yml"),
    ];
    let found = listed(path);
    let shapes: Vec<_> = found
        .iter()
        .map(|(mode, _, name)| (mode.as_str(), name.as_str()))
        .collect();
    assert_eq!(shapes, expected);
    let unpacked = tempfile::tempdir().unwrap();
    let mut tar = Command::new("tar");
    tar.arg("-xf").arg(path).current_dir(unpacked.path());
    expect_success(&tar.output().unwrap());
    for name in ["db/database.sql.gz", "builds/builds.tar.gz"] {
        let mut gzip = Command::new("gzip");
        gzip.arg("-t").arg(unpacked.path().join(name));
        expect_success(&gzip.output().unwrap());
    }
    let information = fs::read_to_string(unpacked.path().join("backup_information.yml")).unwrap();
    let keys: Vec<&str> = information
        .lines()
        .map(|line| line.split(": ").next().unwrap())
        .collect();
    let expected = [":backup_created_at", ":gitlab_version", ":tar_version"];
    assert!(keys.ends_with(&expected), "{information}");
    assert!(
        information.contains("\n:gitlab_version: 8.0.5\n"),
        "{information}"
    );
}

/// The builds in the archive, as GNU tar unpacks them, are those of the server.
fn has_the_builds(path: &Path, builds: &Path) {
    let unpacked = tempfile::tempdir().unwrap();
    let script = "tar -xOf \"$0\" builds/builds.tar.gz | tar -xzpf - -C \"$1\"";
    let mut tar = Command::new("sh");
    tar.args(["-c", script]).arg(path).arg(unpacked.path());
    expect_success(&tar.output().unwrap());
    same_tree(builds, unpacked.path());
}

#[test]
fn of_mariadb_into_postgresql() {
    let ci = CiServer::on_mariadb();
    let archive = ci.archive(&[]);
    has_the_reference_shape(&archive);
    has_the_builds(&archive, &ci.builds());
    let gitlab = Scene::gitlab();
    gitlab.import(&archive).succeeds();
    gitlab.assert_same_values(&PREFIXED);
    same_tree(&ci.builds(), &gitlab.builds());
}

#[test]
fn converted_on_the_ci_server() {
    let ci = CiServer::on_mariadb();
    let archive = ci.archive(&["--mysql-to-postgresql"]);
    has_the_reference_shape(&archive);
    let gitlab = Scene::gitlab();
    let name = archive.to_str().unwrap();
    run(gitlab.command([name, "--yes"])).succeeds();
    gitlab.assert_same_values(&PREFIXED);
    // A PostgreSQL that is backed up gives the same again, also if a sequence belongs to no table, as after GitLab CI's
    // own conversion.
    let lose = "ALTER SEQUENCE ci_builds_id_seq OWNED BY NONE";
    gitlab.connect().batch_execute(lose).unwrap();
    let next = "SELECT last_value FROM ci_builds_id_seq";
    let ci = CiServer::at(gitlab.url());
    let archive = ci.archive(&[]);
    has_the_reference_shape(&archive);
    let again = Scene::gitlab();
    run(again.command([archive.to_str().unwrap(), "--yes"])).succeeds();
    again.assert_same_values(&PREFIXED);
    assert_eq!(again.value(next), gitlab.value(next));
    let owned = "SELECT pg_get_serial_sequence('ci_builds', 'id')";
    assert_eq!(again.value(owned), "public.ci_builds_id_seq");
    run(ci.backup(&["--mysql-to-postgresql"]))
        .exits(2)
        .says("the database is a PostgreSQL, whose dump needs no conversion");
}

#[test]
fn through_a_pipe() {
    let ci = CiServer::on_mariadb();
    let mut backup = ci.backup(&["-o", "-"]);
    let mut backup = backup.stderr(Stdio::null()).spawn().unwrap();
    let gitlab = Scene::gitlab();
    let mut import = gitlab.import_command("-");
    import.stdin(backup.stdout.take().unwrap());
    run(import).succeeds();
    assert!(backup.wait().unwrap().success());
    gitlab.assert_same_values(&PREFIXED);
    same_tree(&ci.builds(), &gitlab.builds());
    run(ci.backup(&["-o", "-", "--json"])).exits(2);
}

#[test]
fn older_archives_go_when_the_new_one_is_there() {
    let ci = CiServer::on_mariadb();
    fs::write(ci.folder().join("1_other.tar"), "").unwrap();
    let outcome = run(ci.backup(&["--keep-time", "3600", "--json"])).succeeds();
    let report: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(
        report["removed"],
        serde_json::json!(["100_gitlab_ci_backup.tar"])
    );
    assert_eq!(report["tables"].as_array().unwrap().len(), 15);
    let archive = report["archive"].as_str().unwrap();
    assert_eq!(report["bytes"], fs::metadata(archive).unwrap().len());
    let names = ci.archives();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names.contains(&"1_other.tar".to_owned()));
}

/// Names, modes, times and contents that only somebody else would have made.
#[test]
fn strange_names_and_what_is_no_trace() {
    let ci = CiServer::on_mariadb();
    let odd = ci.builds().join("2015_10/77");
    fs::create_dir_all(&odd).unwrap();
    fs::write(odd.join(format!("{}.log", "n".repeat(200))), "long").unwrap();
    fs::write(odd.join("an\u{e9} \"x\".log"), vec![0xff; 3 << 20]).unwrap();
    fs::write(odd.join("empty.log"), "").unwrap();
    std::os::unix::fs::symlink("/etc/passwd", odd.join("link.log")).unwrap();
    let outcome = run(ci.backup(&[])).succeeds();
    assert!(
        outcome.stdout.contains(
            "1 traces are neither files nor directories, and are left out: 2015_10/77/link.log"
        ),
        "{}",
        outcome.stdout
    );
    fs::remove_file(odd.join("link.log")).unwrap();
    let names = ci.archives();
    has_the_builds(&ci.folder().join(&names[1]), &ci.builds());
}
