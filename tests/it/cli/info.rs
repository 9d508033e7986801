//! `ci-import info` tells what is installed, of GitLab and of GitLab CI.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::backup::CiServer;
use crate::support::program::{command, run};
use crate::support::scene::{Scene, fixture_database, make_traces};
use crate::support::servers::mariadb;

fn put(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn both_servers_are_told() {
    let gitlab = Scene::gitlab();
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    put(root, "home/git/gitlab/VERSION", "8.0.5\n");
    put(
        root,
        "home/git/gitlab/config/gitlab.yml",
        "production:\n  gitlab_ci:\n",
    );
    let database_yml = format!(
        "production:\n  adapter: postgresql\n  host: {}\n  database: {}\n  username: postgres\n",
        gitlab.server.display(),
        gitlab.database
    );
    put(root, "home/git/gitlab/config/database.yml", &database_yml);
    put(
        root,
        "home/git/gitlab/tmp/backups/1443700800_gitlab_backup.tar",
        "1234",
    );
    let ci = "home/gitlab_ci/gitlab-ci";
    put(root, &format!("{ci}/VERSION"), "8.0.5\n");
    put(root, &format!("{ci}/config/application.yml"), "");
    let database_yml = format!(
        "production:\n  adapter: mysql2\n  socket: {}\n  database: {}\n  username: root\n",
        mariadb().directory.join("socket").display(),
        fixture_database()
    );
    put(root, &format!("{ci}/config/database.yml"), &database_yml);
    make_traces(&root.join(ci).join("builds"));
    let at = |more: &[&str]| {
        let mut info = command(["info", "--root"]);
        info.arg(root).args(more);
        run(info).succeeds().stdout
    };
    // Lines are wrapped.
    let joined = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = joined(at(&[]));
    for part in [
        "GitLab 8.0.5, from source, in ",
        "database PostgreSQL ",
        ", UTF8 migrated to ",
        "switch CI is on",
        "to do its builds directory does not exist",
        "to do CI should be switched off until its data are imported",
        "1443700800_gitlab_backup.tar, 4 bytes, ",
        "GitLab CI 8.0.5, from source, in ",
        "CI 7 builds",
        "6 traces of 3,054,699 bytes; ",
        "one on PostgreSQL with --mysql-to-postgresql",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let found: serde_json::Value = serde_json::from_str(&at(&["--json"])).unwrap();
    let found = &found["installations"];
    assert_eq!(found[0]["adapter"], "postgresql");
    assert_eq!(found[0]["ci_enabled"], true);
    assert_eq!(found[1]["adapter"], "mysql");
    assert_eq!(found[1]["builds"], 7);
    assert_eq!(found[1]["builds_directory"]["traces"], 6);
    assert_eq!(found[1]["to_do"], json!([]));
    // A database that cannot be reached is no reason to tell nothing.
    put(
        root,
        &format!("{ci}/config/database.yml"),
        "production:\n  adapter: postgresql\n  host: /nowhere\n  database: d\n",
    );
    let text = joined(at(&[]));
    assert!(text.contains("there is no socket"), "{text}");
}

#[test]
fn nothing_is_here() {
    let directory = tempfile::tempdir().unwrap();
    let mut info = command(["info", "--root"]);
    info.arg(directory.path());
    run(info)
        .exits(2)
        .says("no GitLab and no GitLab CI is here");
}

/// A backup finds the version in the directory that is named.
#[test]
fn a_backup_knows_the_version() {
    let ci = CiServer::on_mariadb();
    let install = ci.directory.path().join("gitlab-ci");
    put(&install, "VERSION", "7.14.3\n");
    let install = install.to_str().unwrap();
    let mut backup = command(["backup", "--install", install, "--database-url", &ci.url]);
    backup.arg("--builds-path").arg(ci.builds());
    run(backup).exits(2).says("GitLab CI is 7.14.3; only 8.0");
}
