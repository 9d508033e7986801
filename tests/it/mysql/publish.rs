//! Publishes into MariaDB: what comes, and the ways back.

use std::path::Path;

use ci_import::error::Kind;
use ci_import::publish::outcome::Publication;
use ci_import::server::mysql::gitlab::{Publishing, ci_enabled, undo};
use ci_import::server::mysql::publish::{examine, previous_import, publish, traces_aside};
use ci_import::traces::{Builds, BuildsDirectory};
use mysql::prelude::Queryable;

use crate::support::mysql_scene::{MysqlScene, STAGED, refused, trace};
use crate::support::mysql_state::MysqlState;

#[test]
fn what_was_staged_is_live_and_what_was_live_is_aside() {
    let scene = MysqlScene::gitlab();
    let staged = |table: &str| {
        scene.stage_tables(0);
        let sql = format!(
            "CHECKSUM TABLE {}.{table} EXTENDED",
            scene.databases.staging
        );
        scene.values(&sql)[0].split_once('|').unwrap().1.to_owned()
    };
    let builds = staged("ci_builds");
    scene.execute("UPDATE application_settings SET ci_enabled = 0");
    let published = scene.publish(0).unwrap();
    assert_eq!(published.replaced, STAGED);
    let changes = published.finished.unwrap();
    assert!(changes.ci_enabled && changes.services > 0);
    assert!(changes.tags.unwrap().new_tags > 0);
    assert_eq!(
        scene.values("CHECKSUM TABLE ci_builds EXTENDED")[0]
            .split_once('|')
            .unwrap()
            .1,
        builds
    );
    assert_eq!(
        scene.values("SELECT ci_enabled FROM application_settings"),
        ["1"]
    );
    assert_eq!(
        ci_enabled(&mut scene.conn(), &scene.databases.live).unwrap(),
        Some(true)
    );
    assert_eq!(
        scene.values("SELECT COUNT(*) FROM ci_services WHERE BINARY type NOT LIKE 'Ci::%'"),
        ["0"]
    );
    assert_eq!(trace(&scene.builds()), "the trace of import 0");
    assert_eq!(scene.databases_beside(), ["previous"]);
    let aside = scene.beside();
    assert_eq!(aside.len(), 1, "{aside:?}");
    let old = published.previous_builds.unwrap();
    assert!(Path::new(&old).join("2014_01/1/1.log").exists());
    let builds = Builds::Directory(BuildsDirectory::at(&scene.builds()).unwrap());
    let conn = &mut scene.conn();
    let traces = traces_aside(conn, &scene.databases, Some(&builds)).unwrap();
    assert_eq!(traces, Some(vec![old]));
    let (restored, aside) = previous_import(conn, &scene.databases).unwrap().unwrap();
    assert_eq!(restored, STAGED);
    assert_eq!(aside, STAGED);
}

#[test]
fn rollbacks_bring_back_what_was_there_and_what_had_come() {
    let scene = MysqlScene::gitlab();
    scene.execute("UPDATE application_settings SET ci_enabled = 0");
    let old = MysqlState::of(&scene);
    scene.publish(0).unwrap();
    let new = MysqlState::of(&scene);
    assert!(old.live != new.live);
    for round in 0..2 {
        let told = scene.rollback().unwrap();
        assert_eq!(told.restored, STAGED);
        assert_eq!(told.previous, scene.databases.previous);
        old.assert_live(&MysqlState::of(&scene), &format!("rollback {round}"));
        scene.rollback().unwrap();
        new.assert_same(&MysqlState::of(&scene), &format!("second rollback {round}"));
    }
    assert_eq!(scene.databases_beside(), ["previous"]);
    assert_eq!(scene.beside().len(), 1);
}

#[test]
fn the_next_import_drops_what_the_one_before_had_put_aside() {
    let scene = MysqlScene::gitlab();
    scene.publish(0).unwrap();
    let first = MysqlState::of(&scene);
    scene.publish(1).unwrap();
    assert_eq!(scene.databases_beside(), ["previous"]);
    assert_eq!(scene.beside().len(), 2);
    assert_eq!(trace(&scene.builds()), "the trace of import 1");
    scene.rollback().unwrap();
    first.assert_live(&MysqlState::of(&scene), "the rollback");
}

#[test]
fn a_discard_frees_what_is_aside_and_nothing_else() {
    let scene = MysqlScene::gitlab();
    std::fs::create_dir(scene.builds().with_file_name("builds.1400000000")).unwrap();
    scene.publish(0).unwrap();
    scene.publish(1).unwrap();
    let live = MysqlState::of(&scene);
    let told = scene.discard().unwrap();
    assert_eq!(told.tables, STAGED);
    assert_eq!(told.traces.len(), 2);
    live.assert_live(&MysqlState::of(&scene), "the discard");
    assert!(scene.databases_beside().is_empty());
    assert_eq!(scene.beside(), ["builds.1400000000"]);
    assert!(scene.discard().unwrap().tables.is_empty());
    refused(scene.rollback(), Kind::Usage, "nothing to roll back");
}

#[test]
fn into_an_empty_database() {
    let scene = MysqlScene::bare();
    let empty = MysqlState::of(&scene);
    let published = scene.publish(0).unwrap();
    let changes = published.finished.unwrap();
    assert!(published.replaced.is_empty() && !changes.ci_enabled && changes.tags.is_none());
    let new = MysqlState::of(&scene);
    scene.rollback().unwrap();
    empty.assert_live(&MysqlState::of(&scene), "the rollback");
    scene.rollback().unwrap();
    new.assert_live(&MysqlState::of(&scene), "the second rollback");
}

/// A plain dump that replaces nothing leaves nothing aside, and what an import before has put there.
#[test]
fn a_dump_that_replaces_nothing_leaves_no_record() {
    let scene = MysqlScene::gitlab();
    scene.publish(0).unwrap();
    let before = MysqlState::of(&scene);
    let staging = &scene.databases.staging;
    scene.execute(&format!("CREATE DATABASE {staging}"));
    scene.execute(&format!("CREATE TABLE {staging}.shop (id int PRIMARY KEY)"));
    let publication = Publication {
        input: None,
        leaves_ci_off: false,
        undistribute: false,
        waiting: ci_import::publish::outcome::Waiting::silently(15),
        schema: &scene.databases.live,
        tables: &["shop"],
        others: &[],
        builds: None,
    };
    let conn = &mut scene.target.connect().unwrap();
    let none = &mut None::<Publishing>;
    let published = publish(&scene.target, conn, &publication, none, &undo, &mut || {
        Ok(())
    });
    assert!(published.unwrap().replaced.is_empty());
    assert_eq!(scene.values("SELECT COUNT(*) FROM shop"), ["0"]);
    assert_eq!(scene.databases_beside(), ["previous"]);
    scene.execute("DROP TABLE shop");
    before.assert_same(&MysqlState::of(&scene), "the dump");
}

/// Where nothing is replaced, and there are no traces, rows of GitLab's are changed all the same: so there is
/// a way back, and nothing is left behind.
#[test]
fn the_first_tables_of_ci_can_be_rolled_back_without_traces() {
    let scene = MysqlScene::gitlab();
    let live = &scene.databases.live;
    for table in scene.values("SHOW TABLES LIKE 'ci\\_%'") {
        scene.execute(&format!("DROP TABLE {table}"));
    }
    scene.execute("UPDATE application_settings SET ci_enabled = 0");
    let before = MysqlState::of(&scene);
    scene.stage_tables(0);
    let publication = Publication {
        input: None,
        leaves_ci_off: false,
        undistribute: false,
        waiting: ci_import::publish::outcome::Waiting::silently(15),
        schema: live,
        tables: &STAGED,
        others: &[],
        builds: None,
    };
    let conn = &mut scene.target.connect().unwrap();
    let steps = &mut Some(Publishing::default());
    let published = publish(&scene.target, conn, &publication, steps, &undo, &mut || {
        Ok(())
    });
    let changes = published.unwrap().finished.unwrap();
    assert!(changes.tags.unwrap().taggings > 0);
    assert_eq!(scene.databases_beside(), ["previous"]);
    let after = MysqlState::of(&scene);
    scene.rollback().unwrap();
    before.assert_live(&MysqlState::of(&scene), "the rollback");
    scene.rollback().unwrap();
    after.assert_live(&MysqlState::of(&scene), "the second rollback");
    scene.discard().unwrap();
    assert!(scene.databases_beside().is_empty());
}

#[test]
fn foreign_keys_among_the_tables_go_with_them() {
    let scene = MysqlScene::bare();
    let staging = &scene.databases.staging;
    let publish = |value: u32| {
        scene.execute(&format!("CREATE DATABASE {staging}"));
        scene.execute(&format!("CREATE TABLE {staging}.a (id int PRIMARY KEY)"));
        scene.execute(&format!(
            "CREATE TABLE {staging}.b (a int, FOREIGN KEY (a) REFERENCES {staging}.a (id))"
        ));
        scene.execute(&format!("INSERT INTO {staging}.a VALUES ({value})"));
        let publication = Publication {
            input: None,
            leaves_ci_off: false,
            undistribute: false,
            waiting: ci_import::publish::outcome::Waiting::silently(15),
            schema: &scene.databases.live,
            tables: &["a", "b"],
            others: &[],
            builds: None,
        };
        let conn = &mut scene.target.connect().unwrap();
        let none = &mut None::<Publishing>;
        publish(&scene.target, conn, &publication, none, &undo, &mut || {
            Ok(())
        })
        .unwrap();
    };
    let references = || {
        scene.values(&format!(
            "SELECT unique_constraint_schema FROM information_schema.referential_constraints
             WHERE constraint_schema = '{}'",
            scene.databases.live
        ))
    };
    publish(1);
    publish(2);
    publish(3);
    assert_eq!(references().concat(), scene.databases.live);
    scene.execute("INSERT INTO b VALUES (3)");
    let conn = &mut scene.conn();
    let insert = conn.query_drop("INSERT INTO b VALUES (2)");
    assert!(insert.unwrap_err().to_string().contains("foreign key"));
    examine(conn, &scene.databases, &["a", "b"]).unwrap();
}

#[test]
fn the_grants_on_a_table_stay_with_its_name() {
    let scene = MysqlScene::gitlab();
    let user = format!("u_{}", scene.databases.live);
    scene.execute(&format!("CREATE USER {user}@localhost"));
    let live = &scene.databases.live;
    scene.execute(&format!(
        "GRANT SELECT ON {live}.ci_builds TO {user}@localhost"
    ));
    let grants = || scene.values(&format!("SHOW GRANTS FOR {user}@localhost"));
    let before = grants();
    scene.publish(0).unwrap();
    assert_eq!(grants(), before);
    scene.execute(&format!("DROP USER {user}@localhost"));
}
