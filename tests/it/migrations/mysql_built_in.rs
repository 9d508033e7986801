//! The migrations that are built in, on MariaDB: alone, and with imports, rollbacks and verify.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::migrations::mysql::migrate_command;
use crate::support::mysql_scene::MysqlScene;
use crate::support::mysql_state::MysqlState;
use crate::support::program::{Outcome, command, project, run};
use crate::support::scene::{Dialect, TABLES, fixture_dump};

const REGULAR: [&str; 2] = ["20000101000001", "20000101000002"];

/// A GitLab, and an archive.
struct Imports {
    scene: MysqlScene,
    archive: PathBuf,
}

impl Imports {
    fn new() -> Imports {
        let scene = MysqlScene::gitlab();
        let archive = pack(&scene.path("1443700800_gitlab_ci_backup.tar"), &scene);
        Imports { scene, archive }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut it = command(arguments);
        it.arg("--builds-path").arg(self.scene.builds());
        it.args(["--database-url", &self.scene.stage().url]);
        it
    }

    fn import_command(&self) -> Command {
        self.command(&[self.archive.to_str().unwrap(), "--yes"])
    }

    fn import(&self) {
        run(self.import_command()).succeeds();
    }

    fn verify(&self) -> Outcome {
        run(self.command(&["verify", self.archive.to_str().unwrap()]))
    }

    fn rollback(&self) -> Outcome {
        run(self.command(&["rollback", "--yes"]))
    }

    fn migrate(&self, arguments: &[&str]) -> Outcome {
        run(migrate_command(&self.scene, arguments))
    }

    fn recorded(&self) -> Vec<String> {
        self.scene
            .values("SELECT version FROM schema_migrations WHERE version < '2001' ORDER BY 1")
    }

    fn count(&self, table: &str) -> String {
        self.scene
            .values(&format!("SELECT count(*) FROM {table}"))
            .remove(0)
    }

    /// Those of `tables` that are there.
    fn present(&self, tables: &[&str]) -> Vec<String> {
        let live = &self.scene.databases.live;
        let names = tables.join("', '");
        self.scene.values(&format!(
            "SELECT table_name FROM information_schema.tables
             WHERE table_schema = '{live}' AND table_name IN ('{names}')"
        ))
    }
}

fn pack(archive: &Path, scene: &MysqlScene) -> PathBuf {
    let sql = scene.path("dump.sql");
    std::fs::write(&sql, fixture_dump(Dialect::Native)).unwrap();
    let source = scene.path("source/2015_10/1");
    std::fs::create_dir_all(&source).unwrap();
    std::fs::write(source.join("1.log"), "a trace").unwrap();
    let source = scene.path("source");
    let mut pack = Command::new(project().join("fixtures/pack"));
    pack.arg(sql).arg(source).arg(archive).arg("8.0.5");
    crate::support::servers::expect_success(&pack.output().unwrap());
    archive.to_owned()
}

const DROPPED: [&str; 3] = ["ci_tags", "ci_taggings", "ci_jobs"];

/// The migrations that drop tables.
const ON_REQUEST: [&str; 3] = ["20000101000011", "20000101000012", "20000101000013"];

/// Later migrations of GitLab's own need every table.
#[test]
fn nobody_drops_a_table_unasked() {
    let it = Imports::new();
    let shape = it.scene.values("SHOW CREATE TABLE schema_migrations");
    let old = MysqlState::of(&it.scene);
    it.import();
    assert_eq!(it.recorded(), REGULAR);
    assert_eq!(it.present(&DROPPED).len(), 3);
    assert_eq!(it.count("ci_taggings"), "5");
    assert_eq!(
        it.scene.values("SHOW CREATE TABLE schema_migrations"),
        shape
    );
    let new = MysqlState::of(&it.scene);
    it.migrate(&[]).succeeds().reports("nothing is pending");
    new.assert_same(&MysqlState::of(&it.scene), "migrated");
    let status = it.migrate(&["status"]).succeeds().stdout;
    assert_eq!(
        status.matches("optional  on_request").count(),
        3,
        "{status}"
    );
    // The way back is there, and the way forth again: each state as it was, with its record.
    it.rollback().succeeds();
    old.assert_live(&MysqlState::of(&it.scene), "rolled back");
    assert!(it.recorded().is_empty());
    it.rollback().succeeds();
    new.assert_live(&MysqlState::of(&it.scene), "rolled forth");
    it.verify().succeeds();
}

#[test]
fn who_names_them_has_them() {
    let it = Imports::new();
    // As in a GitLab that never ran CI.
    it.scene
        .execute("DELETE FROM taggings WHERE taggable_type LIKE 'Ci::%'");
    it.import();
    let previous = it.scene.databases.previous.clone();
    let emptied = format!(
        "dropped the empty tables in {previous}; the old build traces stay until ci-import discard"
    );
    for (version, told) in ON_REQUEST.into_iter().zip([
        "dropped ci_taggings and ci_tags, which are merged into tags and taggings",
        "dropped ci_jobs",
        &emptied,
    ]) {
        it.migrate(&["up", version]).succeeds().reports(told);
    }
    assert_eq!(it.recorded().len(), 5);
    assert!(it.present(&DROPPED).is_empty());
    it.verify()
        .succeeds()
        .reports("all agree")
        .reports("dropped by a migration");
    it.rollback().exits(2).says("nothing to roll back");
    run(it.command(&["discard", "--yes"])).succeeds();
    assert!(it.scene.databases_beside().is_empty());
    // The next import brings the tables again, and with a rollback the record of what was dropped comes back.
    it.import();
    assert_eq!(it.recorded(), REGULAR);
    assert_eq!(it.present(&DROPPED).len(), 3);
    it.migrate(&["up", ON_REQUEST[2]]).exits(1).says(&format!(
        "waits: {previous} has rows that are nowhere else, of ci_application_settings, ci_builds"
    ));
    it.rollback().succeeds();
    assert_eq!(it.recorded().len(), 5);
}

#[test]
fn nothing_is_dropped_that_was_not_merged() {
    for (statements, version, reason) in [
        (
            &["DELETE FROM taggings ORDER BY id DESC LIMIT 1"][..],
            "20000101000011",
            "1 rows of ci_taggings are not in taggings",
        ),
        (
            &[
                "INSERT INTO ci_taggings (tag_id, taggable_id, taggable_type) VALUES (99, 1, 'Build')",
            ],
            "20000101000011",
            "1 rows of ci_taggings have no tag, and so were merged nowhere",
        ),
        (
            &["INSERT INTO ci_tags (id, name) VALUES (99, 'nobody has it')"],
            "20000101000011",
            "1 rows of ci_tags are not in tags",
        ),
        (
            &["DROP TABLE ci_tags"],
            "20000101000011",
            "5 rows of ci_taggings have no tag, and so were merged nowhere",
        ),
        (
            &["DROP TABLE taggings"],
            "20000101000011",
            "there is no table taggings in",
        ),
        (
            &[
                "UPDATE ci_projects SET generated_yaml_config = ''",
                "INSERT INTO ci_jobs (project_id, deleted_at) VALUES (1, NULL), (2, now())",
            ],
            "20000101000012",
            "1 jobs are of projects that have no generated_yaml_config made of them",
        ),
        (
            &["DROP TABLE application_settings"],
            "20000101000012",
            "there is no GitLab in",
        ),
        (
            &[],
            "20000101000013",
            "has rows that are nowhere else, of taggings; ci-import discard drops them",
        ),
    ] {
        let it = Imports::new();
        it.import();
        for sql in statements {
            it.scene.execute(sql);
        }
        let before = MysqlState::of(&it.scene);
        it.migrate(&["up", version]).exits(1).says(reason);
        before.assert_same(&MysqlState::of(&it.scene), reason);
        assert!(!it.recorded().contains(&version.to_owned()), "{reason}");
    }
    // Jobs that were converted are no loss.
    let it = Imports::new();
    it.import();
    it.scene
        .execute("INSERT INTO ci_jobs (project_id) VALUES (1)");
    it.scene
        .execute("UPDATE ci_projects SET generated_yaml_config = 'x: {}' WHERE id = 1");
    it.migrate(&["up", "20000101000012"]).succeeds();
    assert!(it.present(&["ci_jobs"]).is_empty());
}

/// As a dump that was made with `--compatible` leaves it when it is restored by hand.
#[test]
fn ids_that_nobody_numbers_are_numbered() {
    let it = Imports::new();
    for table in TABLES {
        it.scene
            .execute(&format!("ALTER TABLE {table} MODIFY id int(11) NOT NULL"));
    }
    it.scene
        .execute("ALTER TABLE ci_runners MODIFY id bigint unsigned NOT NULL COMMENT 'a runner''s'");
    it.scene
        .execute("INSERT INTO ci_runners (id) VALUES (0), (9)");
    it.scene
        .execute("INSERT INTO ci_services (id, type, project_id) VALUES (1, 'SlackService', 1), (2, 'Ci::MailService', 1)");
    let regular = |it: &Imports| it.migrate(&[]).succeeds();
    regular(&it)
        .reports("15 tables number their rows now")
        .reports("prefixed the type of 1 services with Ci::");
    assert_eq!(it.recorded(), REGULAR);
    for table in TABLES {
        let column = it
            .scene
            .values(&format!("SHOW COLUMNS FROM {table} LIKE 'id'"))
            .remove(0);
        assert!(column.ends_with("auto_increment"), "{table}: {column}");
    }
    // The numbers that were there stay, and what comes is behind them.
    it.scene.execute("INSERT INTO ci_runners () VALUES ()");
    assert_eq!(
        it.scene.values("SELECT id FROM ci_runners ORDER BY id"),
        ["0", "9", "10"]
    );
    let definition = it.scene.values("SHOW CREATE TABLE ci_runners").remove(0);
    assert!(
        definition
            .contains("`id` bigint(20) unsigned NOT NULL AUTO_INCREMENT COMMENT 'a runner''s'"),
        "{definition}"
    );
    let types = it.scene.values("SELECT type FROM ci_services ORDER BY id");
    assert_eq!(types, ["Ci::SlackService", "Ci::MailService"]);
    // Done again, nothing is left to be done.
    it.scene
        .execute("DELETE FROM schema_migrations WHERE version < '2001'");
    regular(&it)
        .reports("0 tables number their rows now")
        .reports("prefixed the type of 0 services");
    // Without a key it cannot be done.
    it.scene
        .execute("DELETE FROM schema_migrations WHERE version < '2001'");
    it.scene
        .execute("ALTER TABLE ci_events MODIFY id int(11), DROP PRIMARY KEY");
    regular(&it).reports("waits: ci_events has no key that begins with id");
    assert_eq!(it.recorded(), ["20000101000002"]);
}

/// At each of its points; what is done next finishes it.
#[test]
fn killed_while_they_drop() {
    let it = Imports::new();
    it.scene
        .execute("DELETE FROM taggings WHERE taggable_type LIKE 'Ci::%'");
    let mut hit = 0;
    loop {
        hit += 1;
        it.import();
        // The tables of the import before would keep the last one waiting.
        if it.count("ci_builds") != "0" && hit > 1 {
            run(it.command(&["discard", "--yes"])).succeeds();
        }
        let mut is_killed = false;
        for version in ON_REQUEST {
            let mut migrate = migrate_command(&it.scene, &["up", version]);
            migrate.env("CI_IMPORT_FAILPOINT", format!("kill:#{hit}"));
            is_killed |= run(migrate).code.is_none();
            it.migrate(&["up", version]).succeeds();
        }
        if !is_killed {
            break;
        }
        assert!(it.present(&DROPPED).is_empty(), "hit {hit}");
        assert_eq!(it.recorded().len(), 5, "hit {hit}");
        assert_eq!(it.count("ci_builds"), "7", "hit {hit}");
    }
    assert!(hit > 5, "{hit}");
}

/// No table of ours comes into a database that is no GitLab's.
#[test]
fn a_database_without_a_record_gets_none() {
    let it = Imports::new();
    it.scene.execute("DROP TABLE schema_migrations");
    let told = run(it.import_command()).succeeds().stdout;
    assert!(!told.contains("migrate"), "{told}");
    assert!(it.present(&["schema_migrations"]).is_empty());
    assert_eq!(it.present(&DROPPED).len(), 3);
    it.rollback().succeeds();
}
