//! Compares what is in MariaDB with what is in PostgreSQL, and directories with each other.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use mysql::Value;
use mysql::prelude::Queryable;

use crate::servers::{connect_mariadb, connect_postgresql};

/// A difference that is meant to be: table, column, and what becomes of a value.
pub(crate) type Meant = (
    &'static str,
    &'static str,
    fn(Option<String>) -> Option<String>,
);

/// Compares every value of every row of `table`, by primary key `id`. Returns how many values
/// there were.
#[track_caller]
pub(crate) fn same_rows(mariadb: &str, postgresql: &str, table: &str, meant: &[Meant]) -> usize {
    let mut source = connect_mariadb(mariadb);
    let rows: Vec<mysql::Row> = source
        .query(format!("SELECT * FROM `{table}` ORDER BY id"))
        .unwrap();
    let mut target = connect_postgresql(postgresql);
    let types: Vec<(String, String)> = target
        .query(
            "SELECT attname::text, format_type(atttypid, NULL) FROM pg_attribute
             WHERE attrelid = $1::text::regclass AND attnum > 0 ORDER BY attnum",
            &[&format!("public.{table}")],
        )
        .unwrap()
        .iter()
        .map(|row| (row.get(0), row.get(1)))
        .collect();
    let found: Vec<Vec<Option<String>>> = target
        .simple_query(&format!("SELECT * FROM public.{table} ORDER BY id"))
        .unwrap()
        .into_iter()
        .filter_map(|message| match message {
            postgres::SimpleQueryMessage::Row(row) => Some(
                (0..row.len())
                    .map(|at| row.get(at).map(str::to_owned))
                    .collect(),
            ),
            _ => None,
        })
        .collect();
    assert_eq!(rows.len(), found.len(), "rows of {table}");
    let mut values = 0;
    for (row, found) in rows.into_iter().zip(&found) {
        let columns: Vec<String> = row
            .columns_ref()
            .iter()
            .map(|column| column.name_str().into_owned())
            .collect();
        let source = row.unwrap();
        assert_eq!(source.len(), found.len(), "columns of {table}");
        let id = found[0].clone().unwrap_or_default();
        for (at, (value, found)) in source.into_iter().zip(found).enumerate() {
            let (column, kind) = &types[at];
            assert_eq!(*column, columns[at], "name of a column of {table}");
            let mut expected = text_of(value);
            for (_, _, change) in meant.iter().filter(|(t, c, _)| *t == table && c == column) {
                expected = change(expected);
            }
            let place = format!("{table}.{column} of the row with id {id}");
            assert_same(kind, expected, found.as_ref(), &place);
            values += 1;
        }
    }
    values
}

fn text_of(value: Value) -> Option<String> {
    match value {
        Value::NULL => None,
        Value::Bytes(bytes) => Some(String::from_utf8(bytes).expect("MariaDB sends UTF-8")),
        other => panic!("the text protocol sends text, not {other:?}"),
    }
}

/// Compares by the type that PostgreSQL gave the column.
#[track_caller]
fn assert_same(kind: &str, expected: Option<String>, found: Option<&String>, place: &str) {
    let expected = match (kind, expected) {
        ("boolean", Some(value)) => Some(match value.as_str() {
            "0" => "f".to_owned(),
            "1" => "t".to_owned(),
            other => panic!("{place}: {other} for a boolean"),
        }),
        ("timestamp without time zone", Some(value)) if value.starts_with("0000-00-00") => None,
        ("double precision", Some(value)) => {
            let number = |text: &str| text.parse::<f64>().unwrap();
            let same = found.is_some_and(|found| number(found).total_cmp(&number(&value)).is_eq());
            assert!(same, "{place}: {value} became {found:?}");
            return;
        }
        ("text" | "character varying", Some(value)) => Some(value.replace('\0', "")),
        (_, value) => value,
    };
    assert_eq!(expected.as_ref(), found, "{place}");
}

/// The files below `directory`: path, content, and for files mode and time of change.
pub(crate) fn tree(directory: &Path) -> BTreeMap<PathBuf, (Option<Vec<u8>>, u32, i64)> {
    let mut found = BTreeMap::new();
    let mut pending = vec![directory.to_owned()];
    while let Some(path) = pending.pop() {
        for entry in fs::read_dir(&path).unwrap() {
            let entry = entry.unwrap();
            let metadata = entry.metadata().unwrap();
            let path = entry.path();
            let relative = path.strip_prefix(directory).unwrap().to_owned();
            if metadata.is_dir() {
                found.insert(relative, (None, metadata.mode(), 0));
                pending.push(path);
            } else {
                let content = fs::read(&path).unwrap();
                found.insert(relative, (Some(content), metadata.mode(), metadata.mtime()));
            }
        }
    }
    found
}

/// Both directories hold the same files, byte for byte, with the same modes and times.
#[track_caller]
pub(crate) fn same_tree(expected: &Path, found: &Path) {
    let (expected, found) = (tree(expected), tree(found));
    let names = |tree: &BTreeMap<PathBuf, _>| tree.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&expected), names(&found));
    for (path, entry) in &expected {
        assert!(found[path] == *entry, "{} differs", path.display());
    }
}
