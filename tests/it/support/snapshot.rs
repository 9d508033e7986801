//! What users of the target see, whole, read by two queries: a pg_dump takes longer than the import
//! of a small archive.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::scene::Scene;
use super::trees::tree;

/// Definitions, in the schema that the tables are live in. Where tags and taggings go on counting is
/// left out: an aborted transaction leaves gaps in their sequences.
const DEFINITIONS: &str = "
WITH relation AS (
  SELECT oid, relkind, relname, relowner, relacl FROM pg_class WHERE relnamespace = 'public'::regnamespace)
SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname !~ '^ci_import'
UNION ALL
SELECT concat_ws(' ', relkind, relname, relowner::regrole, relacl, obj_description(oid, 'pg_class'))
FROM relation
UNION ALL
SELECT concat_ws(' ', 'column', relname, attname, format_type(atttypid, atttypmod), attnotnull,
                 pg_get_expr(adbin, adrelid))
FROM relation JOIN pg_attribute ON attrelid = relation.oid AND attnum > 0 AND NOT attisdropped
LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
UNION ALL
SELECT concat_ws(' ', 'index', indisvalid, pg_get_indexdef(indexrelid))
FROM pg_index JOIN relation ON relation.oid = indrelid
UNION ALL
SELECT concat_ws(' ', 'constraint', relname, conname, convalidated, pg_get_constraintdef(pg_constraint.oid))
FROM pg_constraint JOIN relation ON relation.oid = conrelid
UNION ALL
SELECT concat_ws(' ', 'sequence', sequencename, data_type, start_value, increment_by,
                 CASE WHEN sequencename !~ '^(tags|taggings)_' THEN last_value END)
FROM pg_sequences WHERE schemaname = 'public'
UNION ALL
SELECT concat_ws(' ', 'owned', objid::regclass, refobjid::regclass, refobjsubid)
FROM pg_depend JOIN relation ON relation.oid = objid AND relkind = 'S'
WHERE classid = 'pg_class'::regclass AND deptype IN ('a', 'i')
UNION ALL
SELECT concat_ws(' ', 'type', typname) FROM pg_type
WHERE typnamespace = 'public'::regnamespace AND typtype = 'e'";

/// The definitions, the rows, and the builds directory.
#[derive(PartialEq, Clone)]
pub(crate) struct Snapshot {
    database: Vec<String>,
    builds: BTreeMap<PathBuf, (Option<Vec<u8>>, u32, i64)>,
}

impl Snapshot {
    pub(crate) fn of(scene: &Scene) -> Snapshot {
        let mut database = scene.values(DEFINITIONS);
        database.extend(rows(scene));
        database.sort();
        let builds = scene.builds_seen();
        Snapshot {
            database,
            builds: if builds.exists() {
                tree(&builds)
            } else {
                BTreeMap::new()
            },
        }
    }

    /// In what they differ; nothing if they are the same.
    pub(crate) fn difference(&self, other: &Snapshot) -> String {
        let missing = |one: &Snapshot, other: &Snapshot| {
            let lines = one.database.iter().filter(|l| !other.database.contains(l));
            lines.cloned().collect::<Vec<_>>()
        };
        let names = |one: &Snapshot, other: &Snapshot| {
            let files = one.builds.iter();
            let files = files.filter(|(path, found)| other.builds.get(*path) != Some(*found));
            files.map(|(path, _)| path.clone()).collect::<Vec<_>>()
        };
        if self == other {
            return String::new();
        }
        format!(
            "gone {:#?}\nnew {:#?}\nfiles gone {:?}, new {:?}",
            missing(self, other),
            missing(other, self),
            names(self, other),
            names(other, self)
        )
    }
}

/// The rows of all tables. A tagging is made anew by each import: it counts whose it is, and which
/// tag it gives, not its number.
fn rows(scene: &Scene) -> Vec<String> {
    let tables = scene.values("SELECT tablename FROM pg_tables WHERE schemaname = 'public'");
    let selects: Vec<String> = tables
        .iter()
        .map(|table| {
            let row = match table.as_str() {
                "taggings" => {
                    "((to_jsonb(t) - 'id' - 'tag_id')::text
                      || (SELECT name FROM public.tags WHERE tags.id = t.tag_id))"
                }
                _ => "t::text",
            };
            format!("SELECT '{table} ' || {row} FROM public.{table} t")
        })
        .collect();
    if selects.is_empty() {
        return Vec::new();
    }
    scene.values(&selects.join(" UNION ALL "))
}
