//! Folders of mydumper and of TiDB's dumpling: `DB-schema-create.sql`, `DB.TABLE-schema.sql`, `DB.TABLE.sql` or
//! `DB.TABLE.00000.sql`, each compressed or not, and `metadata` (mydumper's documentation, "Files").

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::stream::Part;
use super::{description, has_extension, plain, use_database};
use crate::error::{Error, Result};

const METADATA: &str = "metadata";

const DATABASE: &str = "-schema-create.sql";
const TABLE: &str = "-schema.sql";

/// The extensions of rows that are not SQL.
const OTHER_ROWS: [&str; 4] = ["dat", "csv", "json", "parquet"];

/// The ends of names of rows that a statement in another file loads.
const LOADED_ROWS: [&str; 2] = [".dat", ".csv"];

/// What comes after the rows. The reader takes or leaves out what is in it.
const AFTER: [&str; 4] = [
    "-schema-triggers.sql",
    "-schema-view.sql",
    "-schema-post.sql",
    "-schema-sequence.sql",
];

/// Whether a folder with these files is of mydumper.
pub(super) fn wrote(names: &[String]) -> bool {
    let has_metadata = names
        .iter()
        .any(|name| name == METADATA || name == "metadata.partial");
    has_metadata
        && names
            .iter()
            .any(|name| plain(name).ends_with(TABLE) || plain(name).ends_with(DATABASE))
}

/// The files with lines of values, by the files with the statements that load them.
fn rows_by_chunk(names: &[String]) -> HashMap<String, &String> {
    let chunks: HashSet<&str> = names.iter().map(|name| plain(name)).collect();
    let loaded = names.iter().filter_map(|name| {
        let mut stems = LOADED_ROWS
            .iter()
            .filter_map(|kind| plain(name).strip_suffix(kind));
        let chunk = format!("{}.sql", stems.next()?);
        chunks.contains(&*chunk).then_some((chunk, name))
    });
    loaded.collect()
}

/// The parts: definitions, rows, and what comes after them.
pub(super) fn parts(folder: &Path, names: &[String]) -> Result<Vec<Part>> {
    let metadata = description(folder, names, METADATA).unwrap_or_default();
    // dumpling writes it without the comment.
    if !metadata.contains("Finished dump at") {
        return Err(Error::archive(
            "the dump is truncated: its metadata do not say that it was finished",
        )
        .hint("make the dump again; mydumper probably failed while it was made"));
    }
    let rows_of = rows_by_chunk(names);
    let is_other = |name: &&String| {
        let is_kind = OTHER_ROWS
            .iter()
            .any(|kind| has_extension(plain(name), kind));
        is_kind && !rows_of.values().any(|rows| rows == name)
    };
    if let Some(name) = names.iter().find(is_other) {
        return Err(Error::archive(format!(
            "{name}: rows of this kind are not read, or lack their .sql"
        ))
        .hint("make the dump with rows as SQL, by --format, --filetype or without it"));
    }
    let unread = names.iter().find(|name| {
        let rest = name.split(".sql").nth(1);
        rest.is_some_and(|rest| !rest.is_empty() && !has_extension(plain(name), "sql"))
    });
    if let Some(name) = unread {
        return Err(
            Error::archive(format!("{name}: this compression is not read"))
                .hint("decompress the files; gzip, zstd, bzip2 and xz are read"),
        );
    }
    let databases: HashSet<&str> = names
        .iter()
        .filter_map(|name| plain(name).strip_suffix(DATABASE))
        .collect();
    let database_of = |name: &str| {
        let ends = name.match_indices('.').map(|(at, _)| &name[..at]);
        let longest = ends.rev().find(|name| databases.contains(name));
        // Without the file of the database, its name ends at the first dot.
        longest
            .or_else(|| name.split_once('.').map(|(database, _)| database))
            .map(str::to_owned)
    };
    let mut sql = vec![Part::Text(
        "-- MySQL dump in a folder, by mydumper\n".to_owned(),
    )];
    let mut add = |belongs: &dyn Fn(&str) -> bool| {
        for name in names.iter().filter(|file| belongs(plain(file))) {
            sql.extend(database_of(name).as_deref().map(use_database));
            let statement = folder.join(name);
            sql.push(match rows_of.get(plain(name)) {
                Some(rows) => Part::Load {
                    statement,
                    rows: folder.join(rows),
                },
                None => Part::Sql(statement),
            });
        }
    };
    let is_after = |name: &str| AFTER.iter().any(|suffix| name.ends_with(suffix));
    let is_definition = |name: &str| name.ends_with(TABLE) || name.ends_with(DATABASE);
    add(&|name| name.ends_with(DATABASE));
    add(&|name| name.ends_with(TABLE));
    add(&|name| has_extension(name, "sql") && !is_definition(name) && !is_after(name));
    add(&|name| has_extension(name, "sql") && is_after(name));
    sql.push(Part::Text("-- Dump completed\n".to_owned()));
    Ok(sql)
}
