//! What is live in a target in MariaDB, whole: to see that nothing of it has changed, or all.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::mysql_scene::MysqlScene;
use super::trees::tree;

type Tree = BTreeMap<PathBuf, (Option<Vec<u8>>, u32, i64)>;

/// What users of the target see, whole, and what is kept aside. A tagging is made anew by each import: it
/// counts whose it is, and which tag it gives, not its number.
#[derive(Debug, PartialEq, Eq, Clone)]
pub(crate) struct MysqlState {
    pub(crate) live: Vec<String>,
    pub(crate) aside: Vec<String>,
    builds: Tree,
}

impl MysqlState {
    pub(crate) fn of(scene: &MysqlScene) -> MysqlState {
        let builds = scene.builds();
        MysqlState {
            live: contents(scene, &scene.databases.live),
            aside: contents(scene, &scene.databases.previous),
            builds: if builds.exists() {
                tree(&builds)
            } else {
                Tree::new()
            },
        }
    }

    /// What is live is the same.
    #[track_caller]
    pub(crate) fn assert_live(&self, after: &MysqlState, what: &str) {
        assert_same(&self.live, &after.live, what);
        let names = |tree: &Tree| tree.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&self.builds), names(&after.builds), "{what}");
        assert!(self.builds == after.builds, "{what}: a trace differs");
    }

    /// What is live and what is aside is the same.
    #[track_caller]
    pub(crate) fn assert_same(&self, after: &MysqlState, what: &str) {
        self.assert_live(after, what);
        assert_same(&self.aside, &after.aside, what);
    }
}

#[track_caller]
fn assert_same(before: &[String], after: &[String], what: &str) {
    let missing = |one: &[String], other: &[String]| {
        let lines = one.iter().filter(|line| !other.contains(line));
        lines.cloned().collect::<Vec<_>>()
    };
    assert!(
        before == after,
        "{what}: gone {:#?}, new {:#?}",
        missing(before, after),
        missing(after, before)
    );
}

/// Definitions and rows of the tables in `database`. Where tags and taggings go on counting is left out:
/// a transaction that is rolled back leaves gaps.
fn contents(scene: &MysqlScene, database: &str) -> Vec<String> {
    let tables = scene.values(&format!(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = '{database}'"
    ));
    let mut lines = Vec::new();
    for table in &tables {
        let name = format!("{database}.{table}");
        let mut definition = scene.values(&format!("SHOW CREATE TABLE {name}")).remove(0);
        if table.ends_with("taggings") || table.ends_with("tags") {
            definition = without_place(&definition);
        }
        lines.push(definition);
        lines.extend(match table.as_str() {
            "tags" => scene.values(&format!("SELECT 'tag', name, taggings_count FROM {name}")),
            "taggings" => scene.values(&format!(
                "SELECT 'tagging', t.name, u.taggable_id, u.taggable_type, u.context, u.created_at
                 FROM {name} u LEFT JOIN {database}.tags t ON t.id = u.tag_id"
            )),
            // What counts is what comes back of them, and whose record it is.
            "ci_import_kept_tags" | "ci_import_kept_taggings" | "ci_import_record" => Vec::new(),
            _ => scene.values(&format!("CHECKSUM TABLE {name} EXTENDED")),
        });
    }
    lines.sort();
    lines
}

fn without_place(definition: &str) -> String {
    let words = definition.split(' ');
    let words = words.filter(|word| !word.starts_with("AUTO_INCREMENT="));
    words.collect::<Vec<_>>().join(" ")
}
