//! What an import leaves in the MySQL of a GitLab 8.0 is what GitLab's own `ci:migrate` leaves, but for what the book
//! lists.

use mysql::prelude::Queryable;

use crate::support::lines::only;
use crate::support::mysql_scene::MysqlScene;
use crate::support::program::{command, run};
use crate::support::scene::{Dialect, Scene, fixture_dump};
use crate::support::servers::{expect_success, mariadb_program};

/// Definitions, rows, and what else belongs to the database.
fn contents(scene: &MysqlScene) -> Vec<String> {
    let live = &scene.databases.live;
    let mut lines = scene.values(&format!(
        "SELECT CONCAT('database ', default_character_set_name, ' ', default_collation_name)
         FROM information_schema.schemata WHERE schema_name = '{live}'"
    ));
    for (kind, name, of) in [
        ("triggers", "trigger_name", "trigger_schema"),
        ("routines", "routine_name", "routine_schema"),
        ("events", "event_name", "event_schema"),
    ] {
        lines.extend(scene.values(&format!(
            "SELECT CONCAT('{kind} ', {name}) FROM information_schema.{kind} WHERE {of} = '{live}'"
        )));
    }
    let tables = scene.values(&format!(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = '{live}' ORDER BY 1"
    ));
    for table in &tables {
        let definition = scene
            .values(&format!("SHOW CREATE TABLE `{table}`"))
            .remove(0);
        // Where the numbers of tags and taggings go on has gaps of either's own.
        let has_gaps = ["tags", "taggings"].contains(&table.as_str());
        let definition = definition
            .lines()
            .map(|line| match line.split_once(" AUTO_INCREMENT=") {
                Some((before, after)) if has_gaps => {
                    let after = after.trim_start_matches(|letter: char| letter.is_ascii_digit());
                    format!("{table}: {before}{after}")
                }
                _ => format!("{table}: {line}"),
            });
        lines.extend(definition);
        let columns = scene.values(&format!(
            "SELECT CONCAT('COALESCE(', IF(data_type IN ('text', 'mediumtext', 'longtext'), 'HEX(', 'CONCAT('), '`', column_name,
                           '`), ''~'')')
             FROM information_schema.columns WHERE table_schema = '{live}' AND table_name = '{table}'
               AND NOT (table_name = 'taggings' AND column_name = 'id')
             ORDER BY ordinal_position"
        ));
        let columns = columns.join(", ");
        lines.extend(scene.values(&format!(
            "SELECT CONCAT_WS('|', 'row {table}', {columns}) FROM `{table}` ORDER BY 1"
        )));
    }
    lines
}

/// A GitLab that has been used: tags that CI has, too, and what an earlier import has left.
fn gitlab() -> MysqlScene {
    let scene = MysqlScene::gitlab();
    for sql in [
        "ALTER TABLE application_settings ADD updated_at datetime",
        "UPDATE application_settings SET updated_at = '2015-09-22 00:00:00', ci_enabled = 0",
        "INSERT INTO tags (name) VALUES ('日本')",
        "INSERT INTO taggings (tag_id, taggable_id, taggable_type, context) VALUES
           (3, 2, 'Ci::Build', 'tags'), (4, 13, 'Project', 'skills')",
        "INSERT INTO ci_sessions (session_id) VALUES ('a')",
        "INSERT INTO ci_jobs (project_id) VALUES (77)",
        "CREATE TABLE projects (id int PRIMARY KEY AUTO_INCREMENT, name varchar(20) NOT NULL)",
        "INSERT INTO projects (name) VALUES ('a'), ('b')",
    ] {
        scene.execute(sql);
    }
    scene
}

/// Plays what `ci:migrate` of GitLab 8.0.5 does to the database, in its order.
fn play_ci_migrate(scene: &MysqlScene, dump: &[u8]) {
    let enable = |enabled: u8| {
        scene.execute(&format!(
            "UPDATE application_settings SET ci_enabled = {enabled}, updated_at = '2015-10-02 00:00:00' ORDER BY id DESC LIMIT 1"
        ));
    };
    enable(0);
    let file = scene.path("played.sql");
    std::fs::write(&file, dump).unwrap();
    let mut client = mariadb_program("mariadb");
    client
        .arg(&scene.databases.live)
        .stdin(std::fs::File::open(&file).unwrap());
    expect_success(&client.output().unwrap());
    let mut conn = scene.conn();
    let names: Vec<String> = conn.query("SELECT name FROM ci_tags").unwrap();
    for name in names {
        // The error of a name that is there is ignored.
        let _ = conn.exec_drop("INSERT INTO tags (name) VALUES (?)", (name,));
    }
    for sql in [
        "DELETE FROM taggings WHERE context = 'tags' AND taggable_type LIKE 'Ci::%'",
        "INSERT INTO taggings (taggable_type, taggable_id, tag_id, context)
         SELECT CONCAT('Ci::', c.taggable_type), c.taggable_id, tags.id, 'tags'
         FROM ci_taggings c JOIN ci_tags ON ci_tags.id = c.tag_id JOIN tags ON tags.name = ci_tags.name",
        "UPDATE tags SET taggings_count = (SELECT COUNT(*) FROM taggings WHERE tags.id = taggings.tag_id)",
        "UPDATE ci_services SET type = CONCAT('Ci::', type) WHERE type NOT LIKE 'Ci::%'",
    ] {
        conn.query_drop(sql).unwrap();
    }
    enable(1);
}

#[test]
fn a_dump_of_mysql_leaves_what_ci_migrate_leaves() {
    let dump = fixture_dump(Dialect::Native);
    let (played, imported) = (gitlab(), gitlab());
    play_ci_migrate(&played, &dump);
    let stage = imported.stage();
    let packing = Scene::bare();
    let archive = packing.pack(&dump);
    run(command([
        archive.to_str().unwrap(),
        "--yes",
        "--database-url",
        &stage.url,
        "--builds-path",
        stage.builds.to_str().unwrap(),
    ]))
    .succeeds();
    let (played, imported) = (contents(&played), contents(&imported));
    assert_eq!(
        only(&played, &imported),
        [
            "row application_settings|1|10|1|1|2015-10-02 00:00:00",
            "row taggings|2|3|Ci::Build|~|~|tags|~",
            "row taggings|4|2|Ci::Runner|~|~|tags|~",
            "row taggings|5|2|Ci::Build|~|~|tags|~",
            "row tags|5|Ruby|1",
        ]
    );
    // For GitLab, Ruby and ruby are one tag here: the import keeps the taggings of both.
    assert_eq!(
        only(&imported, &played),
        [
            "row application_settings|1|10|1|1|2015-09-22 00:00:00",
            "row schema_migrations|20000101000001",
            "row schema_migrations|20000101000002",
            "row taggings|2|3|Ci::Build|~|~|tags|2015-03-01 00:00:00",
            "row taggings|4|2|Ci::Runner|~|~|tags|2015-03-01 00:00:00",
            "row taggings|5|1|Ci::Runner|~|~|tags|2015-01-01 00:00:00",
            "row taggings|5|2|Ci::Build|~|~|tags|2015-02-01 00:00:00",
            "row tags|5|ruby|2",
        ]
    );
}
