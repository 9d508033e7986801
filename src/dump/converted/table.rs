//! Converts the converter's `CREATE TABLE` back to MySQL's. Each column has a line: name, type and attributes, with one
//! blank between them. Two blanks show that the converter removed a word.

use std::collections::HashMap;

use super::part::Damage;
use crate::dump::bounds::refused_definition;
use crate::dump::mysql::definition::{KeyKind, KeyPartOf, TableDefinition, create_table};
use crate::error::Result;

/// The table of `statement` as MySQL had it, and the columns whose definition was damaged. `enums` are
/// the values of the types that came before, by their names.
pub(super) fn as_it_was(
    statement: &str,
    enums: &HashMap<String, String>,
) -> Result<(TableDefinition, Vec<(Damage, String)>)> {
    let mut undone = String::with_capacity(statement.len());
    let mut damages = Vec::new();
    let table = statement.split('"').nth(1).unwrap_or_default();
    let is_doubled = statement.lines().all(may_be_doubled);
    for line in statement.lines() {
        match column(line) {
            None => undone += line,
            Some((name, definition)) => {
                let (definition, damage) = match enum_values(enums, table, name, definition) {
                    Some((values, rest)) => (
                        format!("enum({values}){rest}"),
                        is_bare(rest).then_some(Damage::Bare).into_iter().collect(),
                    ),
                    None => definition_as_it_was(definition, is_doubled),
                };
                undone += &format!("\"{name}\" {definition}");
                damages.extend(damage.into_iter().map(|damage| (damage, name.to_owned())));
            }
        }
        undone.push('\n');
    }
    let mut table = create_table(&undone)?;
    name_keys(&mut table);
    Ok((table, damages))
}

/// Name and values of `t_c AS ENUM ('a','b')`.
pub(super) fn enum_type(definition: &str) -> Result<(String, String)> {
    let parts = definition.trim().split_once(" AS ENUM (");
    let parts = parts.and_then(|(name, values)| Some((name, values.strip_suffix(')')?)));
    let (name, values) = parts.ok_or_else(|| {
        refused_definition(definition, |shown| {
            format!("a type is not understood: {shown}")
        })
    })?;
    Ok((name.to_owned(), values.to_owned()))
}

/// Name and definition of the column in `line`, if there is one.
fn column(line: &str) -> Option<(&str, &str)> {
    let (name, definition) = line.trim_start().strip_prefix('"')?.split_once('"')?;
    Some((name, definition.strip_prefix(' ')?))
}

/// The values of an enum, and what follows its type.
fn enum_values<'a>(
    enums: &'a HashMap<String, String>,
    table: &str,
    column: &str,
    definition: &'a str,
) -> Option<(&'a str, &'a str)> {
    let name = format!("{table}_{column}");
    let rest = definition.strip_prefix(&name)?;
    let values = enums.get(&name)?;
    (rest.is_empty() || rest.starts_with([' ', ','])).then_some((values, rest))
}

/// Whether the line may come from GitLab's converter, which doubles the length of each varchar. An odd length comes from
/// another converter.
fn may_be_doubled(line: &str) -> bool {
    let definition = column(line).and_then(|(_, definition)| varchar(definition));
    definition.is_none_or(|(length, _)| length % 2 == 0)
}

/// The length of a varchar, and what follows.
fn varchar(definition: &str) -> Option<(u64, &str)> {
    let (length, rest) = definition.strip_prefix("varchar(")?.split_once(')')?;
    Some((length.parse().ok()?, rest))
}

/// Whether nothing stands behind a type. MySQL always writes NOT NULL or a default, if only NULL, except for texts and
/// blobs, which may have no default.
fn is_bare(rest: &str) -> bool {
    rest.trim_end_matches([',', ' ']).is_empty()
}

/// The definition of a column, behind its name, in MySQL's notation.
fn definition_as_it_was(definition: &str, is_doubled: bool) -> (String, Vec<Damage>) {
    if let Some((length, rest)) = varchar(definition).filter(|_| is_doubled) {
        let undone = format!("varchar({}){rest}", length / 2);
        return (undone, vec![Damage::DoubledLength]);
    }
    if let Some(rest) = definition.strip_prefix("timestamp with time zone") {
        let lost_not_null = rest.starts_with("  ") || is_bare(rest);
        return if lost_not_null {
            let damages = vec![Damage::TimeZone, Damage::Nullable];
            (format!("datetime NOT NULL{rest}"), damages)
        } else {
            (format!("datetime{rest}"), vec![Damage::TimeZone])
        };
    }
    let types = [
        ("int4", "tinyint(1)"),
        ("integer", "int"),
        ("bigint", "bigint"),
        ("int2", "smallint"),
        ("bytea", "longblob"),
    ];
    let rest_of = |name: &str| {
        let rest = definition.strip_prefix(name)?;
        (rest.is_empty() || rest.starts_with([' ', ','])).then_some(rest)
    };
    for (name, mysql) in types {
        let Some(rest) = rest_of(name) else {
            continue;
        };
        // A bigint keeps its sign, since PostgreSQL has no larger type; a boolean has no sign.
        return if rest.starts_with("  ") && matches!(mysql, "int" | "smallint") {
            (format!("{mysql} unsigned{rest}"), vec![Damage::Signed])
        } else {
            let is_lost = is_bare(rest) && mysql != "longblob";
            let damage = is_lost.then_some(Damage::Bare);
            (format!("{mysql}{rest}"), damage.into_iter().collect())
        };
    }
    (definition.to_owned(), Vec::new())
}

/// Gives the unique keys without a name the names that PostgreSQL would give them.
fn name_keys(table: &mut TableDefinition) {
    let name = &table.name;
    for key in &mut table.keys {
        if key.kind == KeyKind::Unique && key.name.is_none() {
            let columns = key.parts.iter().map(|part| match &part.of {
                KeyPartOf::Column(column) => column.as_str(),
                KeyPartOf::Expression(_) => "expr",
            });
            let columns: Vec<&str> = columns.collect();
            key.name = Some(format!("{name}_{}_key", columns.join("_")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn undone(column: &str) -> (String, Vec<Damage>) {
        definition_as_it_was(column, true)
    }

    #[test]
    fn each_type_is_what_it_was() {
        use Damage::{Bare, DoubledLength, Nullable, Signed, TimeZone};
        let cases: [(&str, &str, &[Damage]); 21] = [
            ("integer NOT NULL,", "int NOT NULL,", &[]),
            ("integer  NOT NULL,", "int unsigned  NOT NULL,", &[Signed]),
            (
                "int2  DEFAULT NULL",
                "smallint unsigned  DEFAULT NULL",
                &[Signed],
            ),
            ("int2 DEFAULT NULL", "smallint DEFAULT NULL", &[]),
            ("bigint  NOT NULL", "bigint  NOT NULL", &[]),
            ("int4 DEFAULT '0',", "tinyint(1) DEFAULT '0',", &[]),
            ("int4  NOT NULL,", "tinyint(1)  NOT NULL,", &[]),
            (
                "varchar(510) DEFAULT '',",
                "varchar(255) DEFAULT '',",
                &[DoubledLength],
            ),
            (
                "timestamp with time zone DEFAULT NULL",
                "datetime DEFAULT NULL",
                &[TimeZone],
            ),
            (
                "timestamp with time zone ,",
                "datetime NOT NULL ,",
                &[TimeZone, Nullable],
            ),
            (
                "timestamp with time zone ",
                "datetime NOT NULL ",
                &[TimeZone, Nullable],
            ),
            (
                "timestamp with time zone  DEFAULT '2015-01-01 00:00:00',",
                "datetime NOT NULL  DEFAULT '2015-01-01 00:00:00',",
                &[TimeZone, Nullable],
            ),
            (
                "timestamp with time zone DEFAULT '2015-01-01 00:00:00',",
                "datetime DEFAULT '2015-01-01 00:00:00',",
                &[TimeZone],
            ),
            (
                "timestamp with time zone NOT NULL",
                "datetime NOT NULL",
                &[TimeZone],
            ),
            ("bytea ,", "longblob ,", &[]),
            ("text ,", "text ,", &[]),
            ("integer ,", "int ,", &[Bare]),
            ("bigint ", "bigint ", &[Bare]),
            (
                "double precision DEFAULT NULL",
                "double precision DEFAULT NULL",
                &[],
            ),
            ("mediumint(8)  NOT NULL", "mediumint(8)  NOT NULL", &[]),
            ("datetime(6) NOT NULL", "datetime(6) NOT NULL", &[]),
        ];
        for (converted, mysql, damages) in cases {
            assert_eq!(
                undone(converted),
                (mysql.to_owned(), damages.to_vec()),
                "{converted}"
            );
        }
    }

    #[test]
    fn lengths_of_another_converter_are_left_alone() {
        let read = |length: &str| {
            let sql = format!(
                "CREATE TABLE \"t\" (\n    \"a\" varchar(20) ,\n    \"b\" varchar({length}) \n)"
            );
            let (table, _) = as_it_was(&sql, &HashMap::new()).unwrap();
            table.columns[0].data_type.numbers[0]
        };
        assert_eq!((read("510"), read("255")), (10, 20));
    }

    #[test]
    fn enums_and_keys() {
        let types = ["t_e AS ENUM ('a','it''s, b')", "t_f AS ENUM ('x')"];
        let enums = types
            .map(|definition| enum_type(definition).unwrap())
            .into();
        let sql = "CREATE TABLE \"t\" (\n    \"e\" t_e DEFAULT 'a',\n    \"x\" integer COMMENT 'a b',\n    \
                   \"f\" t_f ,\n    PRIMARY KEY (\"x\"),\n    UNIQUE (\"e\",\"x\")\n)";
        let (table, damages) = as_it_was(sql, &enums).unwrap();
        assert_eq!(table.columns[0].data_type.values, ["a", "it's, b"]);
        assert_eq!(table.columns[1].comment.as_deref(), Some("a b"));
        assert_eq!(table.keys[1].name.as_deref(), Some("t_e_x_key"));
        assert_eq!(damages, [(Damage::Bare, "f".to_owned())]);
        for wrong in ["t AS (a int)", "t AS ENUM ('a'", "t AS RANGE (subtype = x)"] {
            assert!(enum_type(wrong).is_err(), "{wrong}");
        }
    }
}
