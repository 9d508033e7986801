//! CI's tags in a GitLab in MariaDB.

use ci_import::error::Kind;
use ci_import::server::mysql::gitlab::missing_taggings;

use crate::support::mysql_scene::{MysqlScene, refused};
use crate::support::mysql_state::MysqlState;

/// `tags.name` does not tell Ruby from ruby; CI's tags may, and may be in another character set.
#[test]
fn tags_are_the_same_where_gitlab_says_so() {
    let scene = MysqlScene::gitlab();
    scene.stage_tables(0);
    let staging = &scene.databases.staging;
    scene.execute("INSERT INTO tags (name) VALUES ('Backend-2')");
    for sql in [
        "ALTER TABLE {s}.ci_tags CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        "ALTER TABLE {s}.ci_taggings CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
        "DELETE FROM {s}.ci_tags",
        "DELETE FROM {s}.ci_taggings",
        "INSERT INTO {s}.ci_tags (id, name) VALUES
           (1, 'Ruby'), (2, 'ruby'), (3, 'BACKEND'), (4, 'Bär'), (5, NULL)",
        "INSERT INTO {s}.ci_taggings (tag_id, taggable_id, taggable_type, context) VALUES
           (1, 1, 'Build', 'tags'), (2, 1, 'Build', 'tags'), (2, 2, 'Runner', 'tags'),
           (3, 1, 'Build', NULL), (4, 3, 'Ci::Build', 'tags'), (5, 1, 'Build', 'tags'),
           (77, 1, 'Build', 'tags')",
    ] {
        scene.execute(&sql.replace("{s}", staging));
    }
    let merged = scene
        .stage()
        .publish(0)
        .unwrap()
        .finished
        .unwrap()
        .tags
        .unwrap();
    assert_eq!(
        (
            merged.new_tags,
            merged.taggings,
            merged.taggings_without_tag
        ),
        (2, 4, 2)
    );
    assert_eq!(
        scene.values("SELECT name, taggings_count FROM tags ORDER BY id"),
        [
            "backend|2",
            "shared|2",
            "unused|0",
            "Backend-2|0",
            "Ruby|2",
            "Bär|1"
        ]
    );
    assert_eq!(
        scene.values(
            "SELECT t.name, u.taggable_id, u.taggable_type, u.context FROM taggings u
             JOIN tags t ON t.id = u.tag_id WHERE taggable_type LIKE 'Ci::%' ORDER BY u.id"
        ),
        [
            "Ruby|1|Ci::Build|tags",
            "Ruby|2|Ci::Runner|tags",
            "backend|1|Ci::Build|tags",
            "Bär|3|Ci::Build|tags"
        ]
    );
    let missing = || missing_taggings(&mut scene.conn(), &scene.databases.live).unwrap();
    assert_eq!(missing(), Some(0));
    scene.execute("DELETE FROM taggings WHERE taggable_type = 'Ci::Runner'");
    assert_eq!(missing(), Some(1));
}

/// A name that GitLab's column cannot hold is an error, and not another name.
#[test]
fn a_tag_that_does_not_fit_fails_the_publish() {
    let scene = MysqlScene::gitlab();
    let before = MysqlState::of(&scene);
    scene.stage_tables(0);
    let staging = &scene.databases.staging;
    scene.execute(&format!(
        "ALTER TABLE {staging}.ci_tags CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
    ));
    scene.execute(&format!("UPDATE {staging}.ci_tags SET name = '🚀' LIMIT 1"));
    let error = refused(
        scene.stage().publish(0),
        Kind::Failed,
        "cannot merge the tags",
    );
    assert!(error.to_string().contains("name"), "{error}");
    before.assert_same(&MysqlState::of(&scene), "the tag");
}

#[test]
fn a_tag_that_others_use_by_then_stays() {
    let scene = MysqlScene::gitlab();
    scene.publish(0).unwrap();
    scene.execute(
        "INSERT INTO taggings (tag_id, taggable_id, taggable_type, context)
         SELECT MIN(id), 11, 'Project', 'tags' FROM tags WHERE id > 3",
    );
    scene.rollback().unwrap();
    assert_eq!(scene.values("SELECT COUNT(*) FROM tags"), ["4"]);
    assert_eq!(
        scene.values("SELECT taggings_count FROM tags WHERE id > 3"),
        ["1"]
    );
}
