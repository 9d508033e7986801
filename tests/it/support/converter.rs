//! What GitLab CI made of a dump of `mysqldump --compatible=postgresql` under `MYSQL_TO_POSTGRESQL=1`, with
//! all its damage: the tests' own, after the notation of its output.

use std::fmt::Write;

/// Where the converter writes what it keeps for the end.
#[derive(Default)]
struct Ending {
    casts: Vec<String>,
    foreign_keys: Vec<String>,
    sequences: Vec<String>,
    indexes: Vec<String>,
    dropped: Vec<String>,
}

/// The dump, converted.
pub(crate) fn converted(compatible: &[u8]) -> Vec<u8> {
    let dump = one_line_each(std::str::from_utf8(compatible).unwrap());
    let (mut tables, mut ending) = (String::new(), Ending::default());
    let mut lines = dump.lines();
    while let Some(line) = lines.next() {
        if let Some(name) = line.strip_prefix("CREATE TABLE \"") {
            let name = name.split('"').next().unwrap();
            let body: Vec<&str> = lines.by_ref().take_while(|line| *line != ");").collect();
            tables += &table(name, &body, &mut ending);
        } else if line.starts_with("INSERT INTO ") {
            tables += &rows(line);
            tables.push('\n');
        }
    }
    format!(
        "-- Converted by db_converter\nSTART TRANSACTION;\nSET standard_conforming_strings=off;\n\
         SET escape_string_warning=off;\nSET CONSTRAINTS ALL DEFERRED;\n\n-- Drop indexes --\n{}\n{tables}\n\
         -- Post-data save --\nCOMMIT;\nSTART TRANSACTION;\n\n-- Typecasts --\n{}\n-- Foreign keys --\n{}\n\
         -- Sequences --\n{}\n-- Indexes --\n{}\nCOMMIT;\n\n",
        statements(&ending.dropped),
        statements(&ending.casts),
        statements(&ending.foreign_keys),
        statements(&ending.sequences),
        statements(&ending.indexes),
    )
    .into_bytes()
}

/// The dump with all rows of an INSERT in its line, as the servers of that time wrote them.
pub(crate) fn one_line_each(dump: &str) -> String {
    let dump = dump.replace(" VALUES\n(", " VALUES (");
    dump.replace("),\n(", "),(")
}

fn statements(statements: &[String]) -> String {
    statements
        .iter()
        .map(|statement| format!("{statement};\n"))
        .collect()
}

/// A line of rows: NUL is gone, a quote is doubled, what reads as a zero date and time is NULL.
fn rows(line: &str) -> String {
    let mut found = String::new();
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match (letter, if letter == '\\' { letters.next() } else { None }) {
            ('\\', Some('0')) => {}
            ('\\', Some('\'')) => found += "''",
            ('\\', Some(escaped)) => found.extend(['\\', escaped]),
            (letter, _) => found.push(letter),
        }
    }
    for before in ["(", ","] {
        let zero = format!("{before}'0000-00-00 00:00:00'");
        found = found.replace(&zero, &format!("{before}NULL"));
    }
    found
}

fn table(table: &str, body: &[&str], ending: &mut Ending) -> String {
    let (mut types, mut lines) = (String::new(), Vec::new());
    for line in body {
        let line = line.trim().trim_end_matches(',');
        let quoted = |line: &str| line.split('"').nth(1).unwrap().to_owned();
        // As far as the first parenthesis closes.
        let columns = |line: &str| {
            let inside = line.split('(').nth(1).unwrap();
            inside.split(')').next().unwrap().to_owned()
        };
        if let Some(column) = line.strip_prefix('"') {
            let (name, definition) = column.split_once("\" ").unwrap();
            let (kind, rest) = definition.split_once(' ').unwrap_or((definition, ""));
            lines.push(self::column(table, name, kind, rest, &mut types, ending));
        } else if line.starts_with("PRIMARY KEY") {
            lines.push(line.to_owned());
        } else if let Some(constraint) = line.strip_prefix("CONSTRAINT ") {
            let key = format!(
                "ALTER TABLE \"{table}\" ADD CONSTRAINT {constraint} DEFERRABLE INITIALLY DEFERRED"
            );
            let columns = columns(constraint);
            ending
                .foreign_keys
                .extend([key, format!("CREATE INDEX ON \"{table}\" ({columns})")]);
        } else if line.starts_with("FULLTEXT KEY") {
            let columns = columns(line).replace('"', "").replace(',', " || ' ' || ");
            let using = format!("gin(to_tsvector('english', {columns}))");
            ending
                .indexes
                .push(format!("CREATE INDEX ON {table} USING {using}"));
        } else {
            let unique = if line.starts_with("UNIQUE") {
                "UNIQUE "
            } else {
                ""
            };
            let (name, columns) = (quoted(line), columns(line));
            let index = format!("CREATE {unique}INDEX \"{name}\" ON {table} ({columns})");
            ending.indexes.push(index);
            ending
                .dropped
                .push(format!("DROP INDEX IF EXISTS \"{name}\""));
        }
    }
    let lines: Vec<String> = lines.iter().map(|line| format!("    {line}")).collect();
    let lines = lines.join(",\n");
    format!("{types}DROP TABLE IF EXISTS \"{table}\";\nCREATE TABLE \"{table}\" (\n{lines}\n);\n\n")
}

/// The line of a column; its cast and its sequence go to the end.
fn column(
    table: &str,
    name: &str,
    kind: &str,
    rest: &str,
    types: &mut String,
    ending: &mut Ending,
) -> String {
    // A word that is taken out leaves the blank behind it.
    let mut rest = without(
        &without(&rest.replace("unsigned", ""), "CHARACTER SET "),
        "COLLATE ",
    );
    let (base, inside) = kind.split_once('(').unwrap_or((kind, ""));
    let inside = inside.trim_end_matches(')');
    let is_counter = ["tinyint", "int", "bigint", "smallint"].contains(&base);
    let kind = match (base, inside) {
        ("tinyint", "1") => {
            let place = format!("ALTER TABLE \"{table}\" ALTER COLUMN \"{name}\"");
            ending.casts.push(format!("{place} DROP DEFAULT"));
            let cast = format!("{place} TYPE boolean USING CAST(\"{name}\" as boolean)");
            ending.casts.push(cast);
            for (written, default) in [("'0'", "FALSE"), ("'1'", "TRUE")] {
                if rest.contains(&format!("DEFAULT {written}")) {
                    ending.casts.push(format!("{place} SET DEFAULT {default}"));
                }
            }
            "int4".to_owned()
        }
        ("int", _) => "integer".to_owned(),
        ("bigint", _) => "bigint".to_owned(),
        ("smallint", _) => "int2".to_owned(),
        ("varchar", length) => format!("varchar({})", 2 * length.parse::<u32>().unwrap()),
        ("longtext" | "mediumtext" | "tinytext", _) => "text".to_owned(),
        ("double", _) => "double precision".to_owned(),
        ("blob", _) => "bytea".to_owned(),
        ("datetime", "") => {
            rest = rest.replace("NOT NULL", "");
            "timestamp with time zone".to_owned()
        }
        ("enum" | "set", values) => {
            let _ = writeln!(types, "CREATE TYPE {table}_{name} AS ENUM ({values}); ");
            format!("{table}_{name}")
        }
        _ => kind.to_owned(),
    };
    if name == "id" && is_counter && base != "tinyint" {
        ending.sequences.extend([
            format!("DROP SEQUENCE IF EXISTS {table}_id_seq"),
            format!("CREATE SEQUENCE {table}_id_seq"),
            format!("SELECT setval('{table}_id_seq', max(id)) FROM {table}"),
            format!(
                "ALTER TABLE \"{table}\" ALTER COLUMN \"id\" SET DEFAULT nextval('{table}_id_seq')"
            ),
        ]);
    }
    format!("\"{name}\" {kind} {rest}")
}

/// `rest` without the word that follows `before`, and without that.
fn without(rest: &str, before: &str) -> String {
    let Some((begin, end)) = rest.split_once(before) else {
        return rest.to_owned();
    };
    format!("{begin}{}", end.split_once(' ').map_or("", |(_, end)| end))
}
