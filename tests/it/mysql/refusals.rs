//! Publishes into MariaDB that cannot be, or fail: everything is as it was.

use std::time::{Duration, Instant};

use ci_import::error::{Error, Kind};
use ci_import::publish::outcome::{Publication, Recovered};
use ci_import::server::mysql::gitlab::{Publishing, undo};
use ci_import::server::mysql::publish::{examine, is_cut, publish};
use ci_import::traces::{Builds, BuildsDirectory};
use mysql::prelude::Queryable;

use crate::support::mysql_scene::{MysqlScene, STAGED, refused};
use crate::support::mysql_state::MysqlState;
use crate::support::program::run;

#[test]
fn what_stops_it_last_leaves_everything_as_it_was() {
    let scene = MysqlScene::gitlab();
    scene.publish(0).unwrap();
    scene.execute("UPDATE application_settings SET ci_enabled = 0");
    let before = MysqlState::of(&scene);
    scene.stage_tables(1);
    let builds = Builds::Directory(BuildsDirectory::at(&scene.builds()).unwrap());
    let staged = builds.stage().unwrap();
    let path = staged.directory().unwrap().path();
    let publication = Publication {
        input: None,
        leaves_ci_off: false,
        undistribute: false,
        waiting: ci_import::publish::outcome::Waiting::silently(15),
        schema: &scene.databases.live,
        tables: &STAGED,
        others: &[],
        builds: Some((&builds, &staged)),
    };
    let conn = &mut scene.target.connect().unwrap();
    let steps = &mut Some(Publishing::default());
    let stop = &mut || Err(Error::interrupted());
    let stopped = publish(&scene.target, conn, &publication, steps, &undo, stop);
    refused(stopped, Kind::Interrupted, "interrupted");
    assert!(path.exists());
    drop(staged);
    before.assert_same(&MysqlState::of(&scene), "the interruption");
    assert_eq!(scene.databases_beside(), ["previous", "staging"]);
    assert_eq!(scene.beside().len(), 1);
}

/// The session is gone in the middle of it: another one undoes it.
#[test]
fn a_session_that_is_lost_is_replaced() {
    let scene = MysqlScene::gitlab();
    let before = MysqlState::of(&scene);
    scene.stage_tables(0);
    let publication = Publication {
        input: None,
        leaves_ci_off: false,
        undistribute: false,
        waiting: ci_import::publish::outcome::Waiting::silently(15),
        schema: &scene.databases.live,
        tables: &STAGED,
        others: &[],
        builds: None,
    };
    let conn = &mut scene.target.connect().unwrap();
    let id = conn.connection_id();
    let steps = &mut Some(Publishing::default());
    let lose = &mut || {
        scene.execute(&format!("KILL {id}"));
        Ok(())
    };
    let published = publish(&scene.target, conn, &publication, steps, &undo, lose);
    refused(published, Kind::Target, "cannot commit the publish");
    before.assert_same(&MysqlState::of(&scene), "the loss");
    assert_ne!(conn.connection_id(), id);
    assert_eq!(scene.databases_beside(), ["staging"]);
}

#[test]
fn a_table_that_is_not_staged_fails_before_anything_is_touched() {
    let scene = MysqlScene::gitlab();
    scene.publish(0).unwrap();
    let before = MysqlState::of(&scene);
    scene.stage_tables(1);
    scene.execute(&format!("DROP TABLE {}.ci_tags", scene.databases.staging));
    refused(
        scene.stage().publish(1),
        Kind::Failed,
        "_staging.ci_tags does not exist any more",
    );
    before.assert_same(&MysqlState::of(&scene), "the failure");
    assert_eq!(scene.databases_beside(), ["previous", "staging"]);
}

#[test]
fn what_stands_in_the_way_is_named_beforehand() {
    let scene = MysqlScene::gitlab();
    let examined = || {
        examine(
            &mut scene.target.connect().unwrap(),
            &scene.databases,
            &STAGED,
        )
    };
    scene.execute("INSERT INTO ci_tags (name) VALUES ('mine')");
    scene.execute("CREATE VIEW seen AS SELECT id FROM ci_builds");
    let live = examined().unwrap();
    assert_eq!(
        (live.with_rows, live.has_previous),
        (vec!["ci_tags".to_owned()], false)
    );
    scene.execute("CREATE TRIGGER t BEFORE INSERT ON ci_builds FOR EACH ROW SET NEW.id = NEW.id");
    refused(examined(), Kind::Target, "the trigger t of ");
    let before = MysqlState::of(&scene);
    refused(
        scene.publish(0),
        Kind::Failed,
        "a table with a trigger cannot be moved",
    );
    before.assert_same(&MysqlState::of(&scene), "the trigger");
    scene.execute("DROP TRIGGER t");
    scene.execute(
        "CREATE TABLE mine (build int, CONSTRAINT follows FOREIGN KEY (build) REFERENCES ci_builds (id))",
    );
    refused(examined(), Kind::Target, "the foreign key follows of ");
    scene.execute("DROP TABLE mine");
    scene.execute("RENAME TABLE ci_tags TO was");
    scene.execute("CREATE VIEW ci_tags AS SELECT * FROM was");
    refused(examined(), Kind::Target, "is not an ordinary table");
    let conn = &mut scene.conn();
    let ours = examine(conn, &scene.databases, &["ci_import_record"]);
    refused(ours, Kind::Usage, "reserved for tables of ci-import");
}

/// What a dump would replace is looked at when the rows of its table begin, not after all is loaded.
#[test]
fn what_a_dump_cannot_replace_is_told_before_its_rows_are_read() {
    let scene = MysqlScene::bare();
    scene.execute("CREATE TABLE t (id int)");
    scene.execute("CREATE TRIGGER mine BEFORE INSERT ON t FOR EACH ROW SET NEW.id = NEW.id");
    let dump = scene.path("t.sql");
    std::fs::write(
        &dump,
        "CREATE TABLE `t` (`id` int);\nINSERT INTO `t` VALUES (1);\nWHAT IS THIS;\n",
    )
    .unwrap();
    let import = || run(scene.command(&[dump.to_str().unwrap(), "--replace", "--yes"]));
    import()
        .exits(4)
        .says("have dependents that would be left behind: the trigger mine of");
    scene.execute("DROP TRIGGER mine");
    import().exits(1).says("is not understood");
}

#[test]
fn rows_that_could_not_be_brought_back_are_not_touched() {
    for table in ["application_settings", "tags", "taggings"] {
        let scene = MysqlScene::gitlab();
        if table == "taggings" {
            // They are too long for that engine.
            scene.execute("ALTER TABLE taggings DROP INDEX taggings_idx, DROP INDEX index_taggings_on_taggable_id_and_taggable_type_and_context");
        }
        scene.execute(&format!("ALTER TABLE {table} ENGINE = MyISAM"));
        let before = MysqlState::of(&scene);
        let message = "has the engine MyISAM, which knows no transactions";
        refused(scene.publish(0), Kind::Target, message);
        before.assert_same(&MysqlState::of(&scene), table);
        assert_eq!(scene.databases_beside(), ["staging"], "{table}");
    }
}

#[test]
fn databases_of_others_are_not_taken_for_ours() {
    for name in ["previous", "passing"] {
        let scene = MysqlScene::gitlab();
        let database = format!("{}_ci_import_{name}", scene.databases.live);
        scene.execute(&format!("CREATE DATABASE {database}"));
        scene.execute(&format!(
            "CREATE TABLE {database}.mine (id int PRIMARY KEY)"
        ));
        refused(
            scene.publish(0),
            Kind::Target,
            "that ci-import did not create",
        );
        refused(
            scene.recover(),
            Kind::Target,
            "that ci-import did not create",
        );
        scene.execute(&format!("INSERT INTO {database}.mine VALUES (1)"));
    }
}

#[test]
fn tables_that_others_hold_for_too_long_are_not_waited_for() {
    let scene = MysqlScene::gitlab();
    let before = MysqlState::of(&scene);
    let holder = &mut scene.conn();
    let mut hold = |sql: &str| holder.query_drop(sql).unwrap();
    hold("START TRANSACTION");
    hold("SELECT id FROM ci_builds");
    let started = Instant::now();
    let error = refused(
        scene.publish(0),
        Kind::Target,
        "cannot lock the live tables",
    );
    assert!(
        error.hint_text().unwrap().contains("stop GitLab"),
        "{error:?}"
    );
    let told = error.to_string();
    assert!(
        told.contains("others hold the live tables: session") && error.is_held(),
        "{told}"
    );
    let waited = started.elapsed();
    assert!(
        waited > Duration::from_secs(10) && waited < Duration::from_secs(60),
        "{waited:?}"
    );
    hold("COMMIT");
    before.assert_same(&MysqlState::of(&scene), "the wait");
    assert_eq!(scene.databases_beside(), ["staging"]);
    // Rows that are held are no different, but what is live must be brought back then.
    hold("START TRANSACTION");
    hold("UPDATE taggings SET tagger_id = 1 WHERE id = 1");
    refused(scene.publish(0), Kind::Target, "cannot lock the tags");
    hold("ROLLBACK");
    before.assert_same(&MysqlState::of(&scene), "the second wait");
}

#[test]
fn tables_that_others_hold_for_a_moment_are_waited_for() {
    let scene = MysqlScene::gitlab();
    let mut holder = scene.conn();
    holder.query_drop("LOCK TABLES ci_builds READ").unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            std::thread::sleep(Duration::from_secs(3));
            drop(holder);
        });
        scene.publish(0).unwrap();
    });
    assert_eq!(scene.databases_beside(), ["previous"]);
}

#[test]
fn a_publish_into_another_target_is_not_recovered_here() {
    let (scene, other) = (MysqlScene::gitlab(), MysqlScene::gitlab());
    let journal = scene.builds().with_file_name("builds.ci_import_journal");
    let of = |database: &str| {
        format!(
            "{{\"staged\":null,\"previous\":null,\"transaction\":\"1\",\"database\":\"{database}\"}}"
        )
    };
    let builds = BuildsDirectory::at(&scene.builds()).unwrap();
    for database in ["1/2", &format!("mysql/{}", other.databases.live)] {
        std::fs::write(&journal, of(database)).unwrap();
        refused(scene.recover(), Kind::CutPublish, "into another database");
        assert!(is_cut(&mut scene.conn(), &scene.databases, Some(&builds)).unwrap());
    }
    std::fs::remove_file(&journal).unwrap();
    assert_eq!(scene.recover().unwrap(), Recovered::Nothing);
    assert!(!is_cut(&mut scene.conn(), &scene.databases, Some(&builds)).unwrap());
}
