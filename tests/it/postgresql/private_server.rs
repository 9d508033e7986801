//! The private PostgreSQL: the target of whoever names none.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::support::program::{Outcome, command, run};
use crate::support::scene::{Dialect, Scene, fixture_dump};
use crate::support::trees::same_tree;

/// Stops the server at the end of a test, however it ends.
struct Private<'a>(&'a Path);

impl Private<'_> {
    fn run(&self, arguments: &[&str]) -> Outcome {
        let mut private = command(["private", "--private-dir"]);
        private.arg(self.0).args(arguments);
        run(private)
    }

    fn value(&self, sql: &str) -> String {
        self.run(&["psql", "-XAtc", sql])
            .succeeds()
            .stdout
            .trim()
            .to_owned()
    }
}

impl Drop for Private<'_> {
    fn drop(&mut self) {
        let _ = command(["private", "stop", "--private-dir"])
            .arg(self.0)
            .output();
    }
}

fn reachable(directory: &Path) {
    fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn an_import_without_a_target_goes_into_it() {
    let scene = Scene::bare();
    reachable(scene.directory.path());
    let directory = scene.path("private");
    let private = Private(&directory);
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    let import = |more: &[&str]| {
        let mut import = command([
            archive.to_str().unwrap(),
            "--mysql-to-postgresql",
            "--private-dir",
        ]);
        import.arg(&directory).args(more);
        run(import)
    };
    let outcome = import(&[]).succeeds();
    let url = private.run(&["url"]).succeeds().stdout;
    outcome
        .reports("ci-import private psql --private-dir")
        .reports(url.trim());
    same_tree(&scene.source(), &directory.join("builds"));
    // It is stopped, and private.
    private.run(&["stop"]).succeeds().says("was not running");
    let home = fs::metadata(directory.join("postgresql")).unwrap();
    assert_eq!(home.permissions().mode() & 0o777, 0o700);
    assert_eq!(private.value("SELECT count(*) FROM ci_builds"), "7");
    assert_eq!(private.value("SHOW listen_addresses"), "");
    // Now it holds data.
    import(&[]).exits(2).says("add --yes");
    // A server that runs already goes on running.
    private.run(&["start"]).succeeds().reports(url.trim());
    import(&["--yes", "--quiet"]).succeeds();
    let psql = Command::new("psql")
        .args(["-XAtc", "SELECT 1", url.trim()])
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&psql.stdout).trim(),
        "1",
        "{psql:?}"
    );
    private.run(&["remove"]).exits(2).says("--yes");
    private.run(&["remove", "--yes"]).succeeds();
    assert!(!directory.join("postgresql").exists());
    assert!(directory.join("builds").exists());
}

#[test]
fn a_failed_import_stops_it_again() {
    let scene = Scene::bare();
    reachable(scene.directory.path());
    let directory = scene.path("private");
    let private = Private(&directory);
    let archive = scene.pack_version(&fixture_dump(Dialect::Native), "7.14.3");
    let mut import = command(["-", "--mysql-to-postgresql", "--private-dir"]);
    import
        .arg(&directory)
        .stdin(fs::File::open(&archive).unwrap());
    run(import).exits(3).says("7.14.3");
    private.run(&["stop"]).succeeds().says("was not running");
    assert_eq!(
        private.value("SELECT count(*) FROM pg_tables WHERE schemaname ~ '^(ci_|public)'"),
        "0"
    );
    assert!(!directory.join("builds").exists());
}

#[test]
fn its_directory_must_be_usable() {
    let scene = Scene::bare();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    let long = scene.path(&"x".repeat(90));
    let mut import = command([
        archive.to_str().unwrap(),
        "--mysql-to-postgresql",
        "--private-dir",
    ]);
    import.arg(&long);
    run(import)
        .exits(2)
        .says("socket is too long")
        .says("--private-dir");
    if rustix::process::geteuid().is_root() {
        let hidden = scene.path("hidden");
        fs::create_dir(&hidden).unwrap();
        fs::set_permissions(&hidden, fs::Permissions::from_mode(0o700)).unwrap();
        let mut import = command([
            archive.to_str().unwrap(),
            "--mysql-to-postgresql",
            "--private-dir",
        ]);
        import.arg(hidden.join("private"));
        run(import)
            .exits(4)
            .says("cannot reach")
            .says("hint: name a directory it can reach");
    }
}
