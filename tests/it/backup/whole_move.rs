//! The whole move on one machine: the archive is made on the CI server, checked, imported, compared, and taken back; and
//! the plan says after every step what is done.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::CiServer;
use crate::postgresql::values::PREFIXED;
use crate::redirect::requests::without_tls;
use crate::support::mysql_scene::MysqlScene;
use crate::support::program::{Outcome, command, run};
use crate::support::scene::{Dialect, Scene, fixture_dump};
use crate::support::state::LiveState;
use crate::support::trees::same_tree;
use crate::support::web_servers::Kind;

/// A GitLab, with the arguments that name it.
struct Gitlab<'a> {
    url: String,
    builds: &'a Path,
    convert: bool,
}

impl Gitlab<'_> {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut it = command(arguments);
        it.args(["--database-url", &self.url, "--builds-path"]);
        it.arg(self.builds);
        it
    }

    /// The command with the archive, as far as that is converted.
    fn with(&self, arguments: &[&str]) -> Command {
        let mut it = self.command(arguments);
        if self.convert {
            it.arg("--mysql-to-postgresql");
        }
        it
    }

    /// The titles of the steps that the plan sees to be done, and of the one that comes next.
    fn plan(&self, archive: Option<&Path>) -> (Vec<String>, String) {
        let mut plan = self.with(&["plan", "--json"]);
        plan.args(archive);
        let plan: Value = serde_json::from_str(&run(plan).succeeds().stdout).unwrap();
        let steps = plan["steps"].as_array().unwrap();
        let title = |step: &Value| step["title"].as_str().unwrap().to_owned();
        let done = steps
            .iter()
            .filter(|step| step["state"] == "done")
            .map(title);
        let next = usize::try_from(plan["next"].as_u64().unwrap()).unwrap();
        (done.collect(), title(&steps[next - 1]))
    }

    /// Makes the move: an archive through a pipe into a file, as scp does, and everything after it.
    fn moves(
        &self,
        ci: &CiServer,
        options: &[&str],
        switch_off: impl FnOnce(),
        compare: impl FnOnce(),
    ) -> Outcome {
        let (done, _) = self.plan(None);
        assert_eq!(done, ["Upgrade GitLab to 8.0"]);
        switch_off();
        let (done, _) = self.plan(None);
        assert_eq!(done.len(), 2, "{done:?}");
        assert!(done[1].starts_with("Switch CI off"), "{done:?}");
        let archive = ci.directory.path().join("1443700800_gitlab_ci_backup.tar");
        let mut backup = ci.backup(&[&["-o", "-"], options].concat());
        backup
            .stdout(fs::File::create(&archive).unwrap())
            .stderr(Stdio::piped());
        run(backup).succeeds();
        let (done, next) = self.plan(Some(&archive));
        assert_eq!(done.last().unwrap(), "Make the archive");
        assert_eq!(next, "Move the key, and see that it is the right one");
        let name = archive.to_str().unwrap();
        let secrets = ci.directory.path().join("secrets.yml");
        let plan_with = |key: &str| {
            let text = format!("production:\n  db_key_base: {key}\n");
            fs::write(&secrets, text).unwrap();
            fs::set_permissions(&secrets, fs::Permissions::from_mode(0o600)).unwrap();
            let mut plan = self.with(&["plan", "--json", name]);
            let plan: Value =
                serde_json::from_str(&run(plan.arg("--secrets").arg(&secrets)).succeeds().stdout)
                    .unwrap();
            plan["steps"][5]["state"].as_str().unwrap().to_owned()
        };
        assert_eq!(plan_with("another key"), "open");
        assert_eq!(plan_with("the key of the fixtures"), "done");
        let mut check = command(["secrets", "check", name, "--secrets"]);
        run(check.arg(&secrets)).succeeds();
        run(self.with(&["check", name])).succeeds();
        run(self.with(&[name, "--yes"])).succeeds().reports("next");
        compare();
        let (done, next) = self.plan(Some(&archive));
        assert!(done.contains(&"Import".to_owned()), "{done:?}");
        assert_eq!(next, "Restart GitLab");
        run(self.with(&["verify", name])).succeeds();
        // Runners, triggers and links go on at the old address.
        without_tls(Kind::Nginx);
        run(self.command(&["rollback", "--yes"])).succeeds()
    }
}

/// Into a GitLab on PostgreSQL.
fn into_postgresql(ci: &CiServer, convert_there: bool, options: &[&str]) {
    let scene = Scene::gitlab();
    let builds = scene.builds();
    let gitlab = Gitlab {
        url: scene.url(),
        builds: &builds,
        convert: convert_there,
    };
    let switch_off = || {
        let off = "UPDATE application_settings SET ci_enabled = false";
        scene.connect().batch_execute(off).unwrap();
    };
    let compare = || {
        scene.assert_same_values(&PREFIXED);
        same_tree(&ci.builds(), &builds);
    };
    switch_off();
    let before = LiveState::of(&scene);
    scene
        .connect()
        .batch_execute("UPDATE application_settings SET ci_enabled = true")
        .unwrap();
    gitlab.moves(ci, options, switch_off, compare);
    before.assert_same(&LiveState::of(&scene));
}

#[test]
fn mysql_to_postgresql_with_the_import() {
    into_postgresql(&CiServer::on_mariadb(), true, &[]);
}

#[test]
fn mysql_to_postgresql_with_the_backup() {
    into_postgresql(&CiServer::on_mariadb(), false, &["--mysql-to-postgresql"]);
}

#[test]
fn postgresql_to_postgresql() {
    let source = Scene::gitlab();
    source
        .import(&source.pack(&fixture_dump(Dialect::Native)))
        .succeeds();
    into_postgresql(&CiServer::at(source.url()), false, &[]);
}

#[test]
fn mysql_to_mysql() {
    let scene = MysqlScene::gitlab();
    let ci = CiServer::on_mariadb();
    let stage = scene.stage();
    let gitlab = Gitlab {
        url: stage.url.clone(),
        builds: &stage.builds,
        convert: false,
    };
    let count = "SELECT (SELECT count(*) FROM ci_builds), (SELECT count(*) FROM ci_commits), \
                 (SELECT sum(length(trace)) FROM ci_builds)";
    let before = scene.values(count);
    let switch_off = || scene.execute("UPDATE application_settings SET ci_enabled = 0");
    let compare = || {
        let found = scene.values(count);
        let mut conn =
            crate::support::servers::connect_mariadb(crate::support::scene::fixture_database());
        let expected: Option<(u64, u64, u64)> =
            mysql::prelude::Queryable::query_first(&mut conn, count).unwrap();
        let (builds, commits, traces) = expected.unwrap();
        assert_eq!(found, [format!("{builds}|{commits}|{traces}")]);
        same_tree(&ci.builds(), &stage.builds);
    };
    gitlab.moves(&ci, &[], switch_off, compare);
    assert_eq!(scene.values(count), before);
}
