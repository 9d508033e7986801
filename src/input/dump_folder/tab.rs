//! Folders of `mysqldump --tab`: for each table `TABLE.sql` with its definition, and `TABLE.txt` with lines of values.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::stream::Part;
use super::{description, has, plain};
use crate::dump::mysql::sql::identifier;
use crate::error::{Error, Result};

/// Whether a folder with these files is of `mysqldump --tab`.
pub(super) fn wrote(names: &[String]) -> bool {
    let mut rows = names.iter().filter_map(|name| table_of_rows(name));
    let has_definition = |table: &str| has(names, &format!("{table}.sql"));
    rows.next().is_some_and(has_definition) && rows.all(has_definition)
}

/// The table whose rows the file `name` has.
fn table_of_rows(name: &str) -> Option<&str> {
    plain(name).strip_suffix(".txt")
}

/// The parts: each definition, and its rows.
pub(super) fn parts(folder: &Path, names: &[String]) -> Result<Vec<Part>> {
    let files_of_rows: HashMap<&str, &String> = names
        .iter()
        .filter_map(|name| Some((table_of_rows(name)?, name)))
        .collect();
    let mut parts = vec![Part::Text(
        "-- MySQL dump in a folder, by mysqldump --tab\n".to_owned(),
    )];
    for (file, table) in names
        .iter()
        .filter_map(|name| Some((name, name.strip_suffix(".sql")?)))
    {
        let definition = folder.join(file);
        let Some(rows) = files_of_rows.get(table) else {
            // A view has none.
            let is_table = |line: &str| line.starts_with("CREATE TABLE ");
            if description(folder, names, file)?.lines().any(is_table) {
                return Err(
                    Error::archive(format!("the file \"{table}.txt\" is missing"))
                        .hint("copy all files of the folder again"),
                );
            }
            parts.push(Part::Sql(definition));
            continue;
        };
        parts.push(Part::Definition(definition));
        // The definition has put the old settings back at its end.
        let settings = "SET NAMES binary;\nSET time_zone = '+00:00';\n";
        parts.push(Part::Text(settings.to_owned()));
        parts.push(Part::Rows {
            path: folder.join(rows),
            head: format!("INSERT INTO {} VALUES ", identifier(&decoded(table))).into(),
            columns: Arc::new([]),
        });
    }
    parts.push(Part::Text("-- Dump completed\n".to_owned()));
    Ok(parts)
}

/// The name of the table whose files have the name `file`: the server writes other characters than letters, digits and `_` as
/// `@` and four hexadecimal digits of UTF-16 (MySQL manual, 11.2.4, "Mapping of Identifiers to File Names").
fn decoded(file: &str) -> String {
    let mut units: Vec<u16> = Vec::new();
    let mut rest = file;
    while let Some(first) = rest.chars().next() {
        let code = rest.get(1..5).filter(|_| first == '@');
        if let Some(unit) = code.and_then(|code| u16::from_str_radix(code, 16).ok()) {
            units.push(unit);
            rest = &rest[5..];
        } else {
            units.extend(first.encode_utf16(&mut [0; 2]).iter());
            rest = &rest[first.len_utf8()..];
        }
    }
    String::from_utf16(&units).unwrap_or_else(|_| file.to_owned())
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn names_of_files() {
        for (file, table) in [
            ("t", "t"),
            ("odd@0020name", "odd name"),
            ("@0040", "@"),
            ("a@b", "a@b"),
            ("caf\u{e9}@002e", "caf\u{e9}."),
            ("@d83d@de80", "\u{1f680}"),
            ("@d83d", "@d83d"),
        ] {
            assert_eq!(decoded(file), table, "{file}");
        }
    }
}
