//! Folders of MySQL Shell: `@.json`, `SCHEMA.json`, `SCHEMA@TABLE.json` and `.sql`, and the rows in `SCHEMA@TABLE.tsv.zst` or,
//! in chunks, `SCHEMA@TABLE@0.tsv.zst` up to `SCHEMA@TABLE@@9.tsv.zst` (MySQL Shell manual, 11.5).

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

use super::stream::Part;
use super::tuples::Decode;
use super::{description, file_of, has, has_extension, plain, use_database};
use crate::dump::mysql::sql::identifier;
use crate::error::{Error, Result};

const INSTANCE: &str = "@.json";
const DONE: &str = "@.done.json";

/// MySQL has at most 4096 columns with names of 64 characters.
const MAX_HEAD_BYTES: usize = 2 << 20;

/// What `@.json` says.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Instance {
    #[serde(default)]
    dumper: String,
    #[serde(default)]
    server_version: String,
    schemas: Vec<String>,
    #[serde(default)]
    basenames: BTreeMap<String, String>,
    #[serde(default = "yes")]
    tz_utc: bool,
    #[serde(default = "utf8mb4")]
    default_character_set: String,
}

/// What `SCHEMA.json` says.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Schema {
    #[serde(default)]
    tables: Vec<String>,
    #[serde(default)]
    views: Vec<String>,
    #[serde(default)]
    basenames: BTreeMap<String, String>,
}

/// What `SCHEMA@TABLE.json` says.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Table {
    options: Options,
    #[serde(default = "yes")]
    includes_data: bool,
    #[serde(default = "yes")]
    includes_ddl: bool,
    #[serde(default)]
    extension: String,
    /// Of a partitioned table, what the files of each partition begin with.
    #[serde(default)]
    basenames: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Options {
    columns: Vec<String>,
    #[serde(default)]
    decode_columns: BTreeMap<String, String>,
    #[serde(default = "tab")]
    fields_terminated_by: String,
    #[serde(default)]
    fields_enclosed_by: String,
    #[serde(default = "backslash")]
    fields_escaped_by: String,
    #[serde(default = "line_end")]
    lines_terminated_by: String,
    #[serde(default = "utf8mb4")]
    default_character_set: String,
}

fn yes() -> bool {
    true
}

fn utf8mb4() -> String {
    "utf8mb4".to_owned()
}

fn tab() -> String {
    "\t".to_owned()
}

fn backslash() -> String {
    "\\".to_owned()
}

fn line_end() -> String {
    "\n".to_owned()
}

/// Whether a folder with these files is of MySQL Shell.
pub(super) fn wrote(names: &[String]) -> bool {
    has(names, INSTANCE)
}

/// The parts: for each schema its tables and their rows, then its views.
pub(super) fn parts(folder: &Path, names: &[String]) -> Result<Vec<Part>> {
    if !has(names, DONE) {
        return Err(
            Error::archive(format!("the dump is truncated: {DONE} is missing"))
                .hint("make the dump again, or copy it again"),
        );
    }
    let instance: Instance = read(folder, names, INSTANCE)?;
    check_charset(&instance.default_character_set, INSTANCE)?;
    // Both are shown, so they must be single lines.
    let line = |text: &str| text.replace(['\n', '\r'], " ");
    let mut head = format!(
        "-- MySQL dump in a folder, by {}\n-- Server version\t{}\nSET NAMES utf8mb4;\n",
        line(&instance.dumper),
        line(&instance.server_version)
    );
    if instance.tz_utc {
        head += "SET time_zone = '+00:00';\n";
    }
    let mut parts = vec![Part::Text(head)];
    let has_any_rows = names.iter().any(|name| has_extension(plain(name), "tsv"));
    if !has_any_rows {
        // A line of a program, which the report shows.
        let told = "mysqlsh: the folder has no file with rows, only definitions\n";
        parts.push(Part::Text(told.to_owned()));
    }
    let mut known = HashSet::new();
    for schema in &instance.schemas {
        let base = instance.basenames.get(schema).unwrap_or(schema);
        let about: Schema = read(folder, names, &format!("{base}.json"))?;
        let of = |name: &String| {
            let given = about.basenames.get(name).cloned();
            given.unwrap_or_else(|| format!("{base}@{name}"))
        };
        for table in &about.tables {
            if !known.insert((schema.clone(), table.clone())) {
                return Err(Error::archive(format!(
                    "{base}.json names the table {table:?} twice"
                )));
            }
            parts.push(use_database(schema));
            table_parts(
                folder,
                names,
                (schema, table, &of(table)),
                has_any_rows,
                &mut parts,
            )?;
        }
        for view in &about.views {
            let name = format!("{}.sql", of(view));
            if has(names, &name) {
                parts.extend([use_database(schema), Part::Sql(folder.join(name))]);
            }
        }
    }
    parts.push(Part::Text("-- Dump completed\n".to_owned()));
    Ok(parts)
}

/// The parts of one table: of a schema, with a name, whose files begin with the last one.
fn table_parts(
    folder: &Path,
    names: &[String],
    (schema, name, base): (&str, &str, &str),
    has_any_rows: bool,
    parts: &mut Vec<Part>,
) -> Result<()> {
    let about: Table = read(folder, names, &format!("{base}.json"))?;
    if about.includes_ddl {
        let definition = file_of(folder, names, &format!("{base}.sql"))?;
        parts.push(Part::Sql(definition));
    }
    if !about.includes_data {
        return Ok(());
    }
    let options = &about.options;
    check_charset(&options.default_character_set, base)?;
    let is_known = options.fields_terminated_by == "\t"
        && options.fields_enclosed_by.is_empty()
        && options.fields_escaped_by == "\\"
        && options.lines_terminated_by == "\n";
    if !is_known {
        return Err(
            Error::archive(format!("{base}.json: rows in this dialect are not read"))
                .hint("make the dump with the default dialect"),
        );
    }
    let columns = options.columns.iter().map(|column| {
        match options.decode_columns.get(column).map(String::as_str) {
            None => Ok(Decode::Text),
            Some("FROM_BASE64") => Ok(Decode::Base64),
            Some("UNHEX") => Ok(Decode::Hex),
            Some(_) => Err(Error::archive(format!(
                "{base}.json: a column is written in an unknown way"
            ))),
        }
    });
    let columns: Vec<Decode> = columns.collect::<Result<_>>()?;
    let quoted_columns: Vec<String> = options
        .columns
        .iter()
        .map(|column| identifier(column))
        .collect();
    let head = format!(
        "INSERT INTO {}.{} ({}) VALUES ",
        identifier(schema),
        identifier(name),
        quoted_columns.join(", ")
    );
    if head.len() > MAX_HEAD_BYTES {
        return Err(Error::archive(format!(
            "{base}.json: the names of the columns are too long"
        )));
    }
    let (head, columns): (Arc<str>, Arc<[Decode]>) = (head.into(), columns.into());
    let bases: Vec<&str> = if about.basenames.is_empty() {
        vec![base]
    } else {
        about.basenames.values().map(String::as_str).collect()
    };
    for base in bases {
        let files = row_files(names, base, &about.extension);
        // A folder without any rows was copied for its definitions.
        if has_any_rows && !files.are_all {
            return Err(
                Error::archive(format!("rows of {schema}.{name} are missing"))
                    .hint("copy all files of the folder again"),
            );
        }
        parts.extend(files.names.into_iter().map(|file| Part::Rows {
            path: folder.join(file),
            head: Arc::clone(&head),
            columns: Arc::clone(&columns),
        }));
    }
    Ok(())
}

/// The files with the rows of a table.
struct RowFiles<'a> {
    /// In the order of their numbers.
    names: Vec<&'a String>,
    /// Whether none is missing: they are numbered from 0, and the last one is marked.
    are_all: bool,
}

fn row_files<'a>(names: &'a [String], base: &str, extension: &str) -> RowFiles<'a> {
    let number = |name: &String| {
        let rest = name
            .strip_prefix(base)?
            .strip_suffix(extension)?
            .strip_suffix('.')?;
        if rest.is_empty() {
            return Some((0, true));
        }
        let (number, is_last) = match rest.strip_prefix("@@") {
            Some(number) => (number, true),
            None => (rest.strip_prefix('@')?, false),
        };
        Some((number.parse::<u64>().ok()?, is_last))
    };
    let begin = names.partition_point(|name| name.as_str() < base);
    let of_table = names[begin..]
        .iter()
        .take_while(|name| name.starts_with(base));
    let mut files: Vec<((u64, bool), &String)> = of_table
        .filter_map(|name| Some((number(name)?, name)))
        .collect();
    files.sort();
    let count = files.len() as u64;
    let mut numbered = (0..count).zip(&files);
    RowFiles {
        are_all: count > 0
            && numbered
                .all(|(at, ((number, is_last), _))| *number == at && *is_last == (at + 1 == count)),
        names: files.into_iter().map(|(_, name)| name).collect(),
    }
}

/// The texts of such a dump are in one character set.
fn check_charset(name: &str, place: &str) -> Result<()> {
    if ["utf8mb4", "utf8mb3", "utf8"].contains(&name) {
        return Ok(());
    }
    Err(
        Error::archive(format!("{place}: the character set {name:?} is not read"))
            .hint("make the dump with --defaultCharacterSet=utf8mb4"),
    )
}

fn read<T: for<'a> Deserialize<'a>>(folder: &Path, names: &[String], name: &str) -> Result<T> {
    let text = description(folder, names, name)?;
    serde_json::from_str(&text)
        .map_err(|cause| Error::archive(format!("{name} cannot be read: {cause}")))
}

#[cfg(test)]
mod tests {
    use super::row_files;

    #[test]
    fn chunks_are_in_the_order_of_their_numbers() {
        let mut names: Vec<String> = (0..11)
            .map(|number| format!("s@t@{number}.tsv.zst"))
            .collect();
        names.extend(
            [
                "s@t@@11.tsv.zst",
                "s@t@x.tsv.zst",
                "s@t@0.tsv.zst.idx",
                "s@tt@0.tsv.zst",
                "s@u.tsv.zst",
            ]
            .map(str::to_owned),
        );
        names.sort();
        let found = row_files(&names, "s@t", "tsv.zst");
        assert!(found.are_all);
        assert_eq!(
            (found.names.len(), found.names[2].as_str()),
            (12, "s@t@2.tsv.zst")
        );
        assert_eq!(found.names[11], "s@t@@11.tsv.zst");
        for missing in ["s@t@0.tsv.zst", "s@t@5.tsv.zst", "s@t@@11.tsv.zst"] {
            let names: Vec<String> = names
                .iter()
                .filter(|name| *name != missing)
                .cloned()
                .collect();
            assert!(!row_files(&names, "s@t", "tsv.zst").are_all, "{missing}");
        }
        assert!(row_files(&names, "s@u", "tsv.zst").are_all);
        assert!(!row_files(&names, "s@v", "tsv.zst").are_all);
    }
}
