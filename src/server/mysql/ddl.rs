//! Generates MySQL's DDL from the definitions of a dump. This is the only place that does (MySQL manual,
//! 15.1.20 "CREATE TABLE" and 15.1.9 "ALTER TABLE").

use std::collections::HashSet;

use super::expression::rewritten;
use super::lookup::Lookup;
use super::sql::{identifier, literal, qualified};
use crate::dump::mysql::definition::{
    ColumnDefinition, DataType, DefaultValue, ForeignKeyDefinition, KeyDefinition, KeyKind,
    KeyPart, KeyPartOf, TableDefinition,
};

/// The types that consist of a name and numbers (MySQL manual, chapter 13; MariaDB's knowledge base for
/// `uuid`, `inet4`, `inet6`).
const TYPES: &[&str] = &[
    "tinyint",
    "smallint",
    "mediumint",
    "int",
    "integer",
    "bigint",
    "float",
    "double",
    "real",
    "decimal",
    "numeric",
    "dec",
    "fixed",
    "bit",
    "bool",
    "boolean",
    "char",
    "varchar",
    "binary",
    "varbinary",
    "tinyblob",
    "blob",
    "mediumblob",
    "longblob",
    "tinytext",
    "text",
    "mediumtext",
    "longtext",
    "enum",
    "set",
    "json",
    "date",
    "datetime",
    "timestamp",
    "time",
    "year",
    "geometry",
    "point",
    "linestring",
    "polygon",
    "multipoint",
    "multilinestring",
    "multipolygon",
    "geometrycollection",
    "geomcollection",
    "uuid",
    "inet4",
    "inet6",
    "vector",
];

/// Whether this module can generate a column of this type.
pub(super) fn is_known_type(name: &str) -> bool {
    TYPES.contains(&name)
}

/// Whether values of this type are stored outside the row, or consist of several values.
pub(super) fn is_large_type(name: &str) -> bool {
    let shapes = ["point", "linestring", "polygon", "json"];
    [
        "text",
        "blob",
        "geometry",
        "geomcollection",
        "geometrycollection",
    ]
    .iter()
    .chain(&shapes)
    .any(|end| name.ends_with(end))
}

/// The statement that creates `table` in `database`, with its columns, its primary key or a substitute, and
/// the key that an AUTO_INCREMENT column needs. Everything else is added after the rows.
pub(super) fn create_table(database: &str, table: &TableDefinition) -> String {
    let lookup = Lookup::of(table);
    let mut elements: Vec<String> = table.columns.iter().map(|c| column(c, &lookup)).collect();
    elements.extend(early_keys(&lookup).filter_map(|at| key(&table.keys[at], &lookup)));
    let mut sql = format!(
        "CREATE TABLE {} (\n  {}\n)",
        qualified(database, &table.name),
        elements.join(",\n  ")
    );
    let options = &table.options;
    for (keyword, value) in [
        ("ENGINE", &options.engine),
        ("ROW_FORMAT", &options.row_format),
        ("DEFAULT CHARSET", &options.charset),
        ("COLLATE", &options.collation),
    ] {
        if let Some(value) = value.as_deref().and_then(word) {
            sql += &format!(" {keyword}={value}");
        }
    }
    if let Some(next) = options.auto_increment {
        sql += &format!(" AUTO_INCREMENT={next}");
    }
    if let Some(comment) = &options.comment {
        sql += &format!(" COMMENT={}", literal(comment));
    }
    sql
}

/// The positions of the keys that CREATE TABLE gets.
fn early_keys(lookup: &Lookup<'_>) -> impl Iterator<Item = usize> {
    let table = lookup.table;
    let primary = table
        .keys
        .iter()
        .position(|key| key.kind == KeyKind::Primary);
    let primary = primary.or_else(|| {
        table
            .keys
            .iter()
            .position(|key| is_unambiguous(key, lookup))
    });
    let numbered = table.columns.iter().find(|column| column.auto_increment);
    let begins_with = move |key: &KeyDefinition, column: &ColumnDefinition| {
        matches!(&key.parts[..], [KeyPart { of: KeyPartOf::Column(name), .. }, ..]
            if name.eq_ignore_ascii_case(&column.name))
    };
    let has = move |key: &KeyDefinition, column: &ColumnDefinition| {
        key.parts.iter().any(|part| {
            matches!(&part.of, KeyPartOf::Column(name) if name.eq_ignore_ascii_case(&column.name))
        })
    };
    // In InnoDB the column must be the first of a key; in MyISAM any position is allowed.
    let its_key = numbered.and_then(|column| {
        let keys = || table.keys.iter().enumerate();
        keys()
            .find(|(_, key)| begins_with(key, column))
            .or_else(|| keys().find(|(_, key)| has(key, column)))
            .map(|(at, _)| at)
    });
    (0..table.keys.len()).filter(move |at| primary == Some(*at) || its_key == Some(*at))
}

/// Whether the key identifies each row. InnoDB clusters the rows of a table without a primary key by the
/// first such key, and servers with `sql_require_primary_key` accept it as a primary key.
fn is_unambiguous(key: &KeyDefinition, lookup: &Lookup<'_>) -> bool {
    let is_filled = |name: &str| {
        let column = lookup.column(name);
        column.is_some_and(|column| !column.nullable && column.generated.is_none())
    };
    let is_whole = |part: &KeyPart| {
        part.prefix.is_none() && matches!(&part.of, KeyPartOf::Column(name) if is_filled(name))
    };
    key.kind == KeyKind::Unique && key.parts.iter().all(is_whole)
}

/// The statements that add the other keys of `table`, and the names of the keys that cannot be added. Most
/// keys are in one statement, so that the rows are read once; InnoDB builds one fulltext index at a time.
pub(super) fn late_keys(database: &str, table: &TableDefinition) -> (Vec<String>, Vec<String>) {
    let lookup = Lookup::of(table);
    let early: HashSet<usize> = early_keys(&lookup).collect();
    let keys = table.keys.iter().enumerate();
    let late = keys.filter(|(at, _)| !early.contains(at));
    let late: Vec<&KeyDefinition> = late.map(|(_, key)| key).collect();
    add_keys(database, &lookup, &late, Vec::new())
}

/// The statements that make the table `before`, which may have rows, the table `after`, except for its constraints; and the
/// names of keys likewise.
pub(super) fn alter_table(
    database: &str,
    before: &TableDefinition,
    after: &TableDefinition,
) -> (Vec<String>, Vec<String>) {
    let lookup = Lookup::of(after);
    let columns = before.columns.iter().zip(&after.columns);
    let modified = columns.filter(|(before, after)| before != after);
    let mut changes: Vec<String> = modified
        .map(|(_, after)| format!("MODIFY {}", column(after, &lookup)))
        .collect();
    for (keyword, before, after) in [
        ("ENGINE", &before.options.engine, &after.options.engine),
        (
            "ROW_FORMAT",
            &before.options.row_format,
            &after.options.row_format,
        ),
    ] {
        if let Some(value) = after.as_deref().and_then(word)
            && before != after
        {
            changes.push(format!("{keyword}={value}"));
        }
    }
    let (options, known) = (&after.options, &before.options);
    if let Some(next) = options.auto_increment
        && known.auto_increment != Some(next)
    {
        changes.push(format!("AUTO_INCREMENT={next}"));
    }
    if options.comment != known.comment {
        let comment = options.comment.as_deref().unwrap_or_default();
        changes.push(format!("COMMENT={}", literal(comment)));
    }
    let new: Vec<&KeyDefinition> = after.keys.iter().skip(before.keys.len()).collect();
    add_keys(database, &lookup, &new, changes)
}

/// The statements that add `keys` to a table, together with these other changes, and the names of the keys that cannot be
/// added.
fn add_keys(
    database: &str,
    lookup: &Lookup<'_>,
    keys: &[&KeyDefinition],
    changes: Vec<String>,
) -> (Vec<String>, Vec<String>) {
    let table = lookup.table;
    let (mut together, mut alone, mut left_out) = (changes, Vec::new(), Vec::new());
    for definition in keys {
        match (key(definition, lookup), definition.kind) {
            (None, _) => left_out.push(definition.name.clone().unwrap_or_default()),
            (Some(sql), KeyKind::Fulltext | KeyKind::Spatial) => alone.push(format!("ADD {sql}")),
            (Some(sql), _) => together.push(format!("ADD {sql}")),
        }
    }
    let alter = |what: String| format!("ALTER TABLE {} {what}", qualified(database, &table.name));
    let mut statements = Vec::new();
    if !together.is_empty() {
        statements.push(alter(together.join(", ")));
    }
    statements.extend(alone.into_iter().map(alter));
    (statements, left_out)
}

/// The statement that adds a foreign key.
pub(super) fn add_foreign_key(database: &str, table: &str, key: &ForeignKeyDefinition) -> String {
    let constraint = key.name.as_ref().map_or_else(String::new, |name| {
        format!("CONSTRAINT {} ", identifier(name))
    });
    let mut sql = format!(
        "ALTER TABLE {} ADD {constraint}FOREIGN KEY ({}) REFERENCES {} ({})",
        qualified(database, table),
        names(&key.columns),
        qualified(database, &key.references),
        names(&key.referenced_columns)
    );
    for (event, action) in [("DELETE", &key.on_delete), ("UPDATE", &key.on_update)] {
        let known = [
            "CASCADE",
            "SET NULL",
            "NO ACTION",
            "RESTRICT",
            "SET DEFAULT",
        ];
        if let Some(action) = action.as_deref().filter(|action| known.contains(action)) {
            sql += &format!(" ON {event} {action}");
        }
    }
    sql
}

fn names(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| identifier(name)).collect();
    names.join(", ")
}

/// A keyword from the dump, if it is a word.
fn word(text: &str) -> Option<&str> {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (!text.is_empty() && text.bytes().all(is_part)).then_some(text)
}

pub(super) fn column(column: &ColumnDefinition, lookup: &Lookup<'_>) -> String {
    let mut sql = format!(
        "{} {}",
        identifier(&column.name),
        data_type(&column.data_type)
    );
    let generated = column.generated.as_ref().and_then(|generated| {
        let stored = if generated.stored {
            "STORED"
        } else {
            "VIRTUAL"
        };
        let expression = rewritten(&generated.expression, lookup)?;
        Some(format!(" GENERATED ALWAYS AS ({expression}) {stored}"))
    });
    if let Some(generated) = &generated {
        sql += generated;
        if !column.nullable {
            sql += " NOT NULL";
        }
    } else {
        sql += if column.nullable {
            " NULL"
        } else {
            " NOT NULL"
        };
        if let Some(default) = column
            .default
            .as_ref()
            .and_then(|d| default(d, column, lookup))
        {
            sql += &format!(" DEFAULT {default}");
        }
        if column.on_update {
            sql += &format!(
                " ON UPDATE CURRENT_TIMESTAMP{}",
                fraction(&column.data_type)
            );
        }
        if column.auto_increment {
            sql += " AUTO_INCREMENT";
        }
    }
    if column.invisible {
        sql += " INVISIBLE";
    }
    if let Some(comment) = &column.comment {
        sql += &format!(" COMMENT {}", literal(comment));
    }
    if lookup.is_json(&column.name) {
        sql += &format!(" CHECK (json_valid({}))", identifier(&column.name));
    }
    sql
}

/// The digits of a second, in parentheses. More than six are a display width, as MySQL 4.0 wrote it.
fn fraction(data_type: &DataType) -> String {
    let digits = data_type
        .numbers
        .first()
        .filter(|digits| (1..=6).contains(*digits));
    digits.map_or_else(String::new, |digits| format!("({digits})"))
}

fn data_type(data_type: &DataType) -> String {
    let name = &data_type.name;
    let arguments: Vec<String> = if !data_type.bytes.is_empty() {
        let hex = |value: &Vec<u8>| value.iter().map(|byte| format!("{byte:02x}")).collect();
        let quoted = |digits: String| format!("x'{digits}'");
        data_type.bytes.iter().map(hex).map(quoted).collect()
    } else if data_type.values.is_empty() {
        data_type.numbers.iter().map(u64::to_string).collect()
    } else {
        data_type
            .values
            .iter()
            .map(|value| literal(value))
            .collect()
    };
    // MySQL accepts both names and writes the short one; MariaDB accepts the long one.
    let mut sql = match name.as_str() {
        "geomcollection" => "geometrycollection".to_owned(),
        _ => name.clone(),
    };
    if name == "timestamp" {
        sql += &fraction(data_type);
    } else if !arguments.is_empty() {
        sql += &format!("({})", arguments.join(","));
    }
    if data_type.unsigned {
        sql += " UNSIGNED";
    }
    if data_type.zerofill {
        sql += " ZEROFILL";
    }
    for (keyword, value) in [
        ("CHARACTER SET", &data_type.charset),
        ("COLLATE", &data_type.collation),
    ] {
        if let Some(value) = value.as_deref().and_then(word) {
            sql += &format!(" {keyword} {value}");
        }
    }
    sql
}

/// The default as SQL; none if it is an expression that is not known to be safe.
pub(super) fn default(
    default: &DefaultValue,
    column: &ColumnDefinition,
    lookup: &Lookup<'_>,
) -> Option<String> {
    match default {
        DefaultValue::Null => Some("NULL".to_owned()),
        DefaultValue::Text(text) => Some(literal(text)),
        DefaultValue::Number(number) => {
            let is_part =
                |b: u8| b.is_ascii_digit() || matches!(b, b'-' | b'+' | b'.' | b'e' | b'E');
            number.bytes().all(is_part).then(|| number.clone())
        }
        DefaultValue::Bits(digits) => Some(format!("b'{digits}'")),
        DefaultValue::Hex(digits) => Some(format!("x'{digits}'")),
        DefaultValue::Expression(written) => {
            let name = written.split('(').next().unwrap_or_default().trim();
            let now = ["current_timestamp", "now", "localtime", "localtimestamp"];
            if now.iter().any(|word| word.eq_ignore_ascii_case(name)) {
                return Some(format!("CURRENT_TIMESTAMP{}", fraction(&column.data_type)));
            }
            rewritten(written, lookup).map(|expression| format!("({expression})"))
        }
    }
}

/// A key for CREATE TABLE and ALTER TABLE; none if a part is an expression that is not known to be safe.
fn key(key: &KeyDefinition, lookup: &Lookup<'_>) -> Option<String> {
    let parts: Option<Vec<String>> = key
        .parts
        .iter()
        .map(|part| key_part(part, lookup))
        .collect();
    let parts = parts?.join(", ");
    let keyword = match key.kind {
        KeyKind::Primary => "PRIMARY KEY",
        KeyKind::Unique => "UNIQUE KEY",
        KeyKind::Plain => "KEY",
        KeyKind::Fulltext => "FULLTEXT KEY",
        KeyKind::Spatial => "SPATIAL KEY",
    };
    let name = key.name.as_ref().filter(|_| key.kind != KeyKind::Primary);
    let name = name.map_or_else(String::new, |name| format!(" {}", identifier(name)));
    let comment = key
        .comment
        .as_ref()
        .map(|comment| format!(" COMMENT {}", literal(comment)));
    let using = key.using.as_deref();
    let using = using.filter(|using| ["BTREE", "HASH"].contains(using));
    let using = using.map_or_else(String::new, |using| format!(" USING {using}"));
    Some(format!(
        "{keyword}{name} ({parts}){using}{}",
        comment.unwrap_or_default()
    ))
}

fn key_part(part: &KeyPart, lookup: &Lookup<'_>) -> Option<String> {
    let mut sql = match &part.of {
        KeyPartOf::Column(name) => identifier(name),
        KeyPartOf::Expression(expression) => format!("({})", rewritten(expression, lookup)?),
    };
    if let Some(length) = part.prefix {
        sql += &format!("({length})");
    }
    if part.descending {
        sql += " DESC";
    }
    Some(sql)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dump::mysql::definition;

    fn table(sql: &str) -> TableDefinition {
        definition::create_table(sql).unwrap()
    }

    #[test]
    fn a_table_comes_as_it_was() {
        let table = table(
            "CREATE TABLE `ci_builds` (
               `id` int(11) NOT NULL AUTO_INCREMENT,
               `status` varchar(255) COLLATE utf8_unicode_ci DEFAULT NULL COMMENT 'it''s',
               `deploy` tinyint(1) DEFAULT '0',
               `n` int(5) unsigned zerofill NOT NULL,
               `e` enum('a','b\\\\') CHARACTER SET latin1 NOT NULL DEFAULT 'a',
               `at` timestamp(3) NOT NULL DEFAULT current_timestamp(3) ON UPDATE current_timestamp(3),
               `g` int(11) GENERATED ALWAYS AS (`id` + 1) STORED,
               PRIMARY KEY (`id`),
               UNIQUE KEY `u` (`status`(10),`deploy` DESC) COMMENT 'a',
               KEY `k` (`status`) USING BTREE, FULLTEXT KEY `f` (`status`)
             ) ENGINE=InnoDB AUTO_INCREMENT=4712 DEFAULT CHARSET=utf8 COLLATE=utf8_unicode_ci",
        );
        assert_eq!(
            create_table("s", &table),
            "CREATE TABLE `s`.`ci_builds` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `status` varchar(255) COLLATE utf8_unicode_ci NULL DEFAULT NULL COMMENT 'it''s',
  `deploy` tinyint(1) NULL DEFAULT '0',
  `n` int(5) UNSIGNED ZEROFILL NOT NULL,
  `e` enum('a','b\\\\') CHARACTER SET latin1 NOT NULL DEFAULT 'a',
  `at` timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
  `g` int(11) GENERATED ALWAYS AS (`id` + 1) STORED,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8 COLLATE=utf8_unicode_ci AUTO_INCREMENT=4712"
        );
        let (statements, left_out) = late_keys("s", &table);
        assert_eq!(
            statements,
            [
                "ALTER TABLE `s`.`ci_builds` ADD UNIQUE KEY `u` (`status`(10), `deploy` DESC) \
                 COMMENT 'a', ADD KEY `k` (`status`) USING BTREE",
                "ALTER TABLE `s`.`ci_builds` ADD FULLTEXT KEY `f` (`status`)"
            ]
        );
        assert!(left_out.is_empty());
    }

    #[test]
    fn an_auto_increment_has_its_key_from_the_start() {
        let table = table(
            "CREATE TABLE t (a int, n int AUTO_INCREMENT, KEY x (a), KEY y (n,a), PRIMARY KEY (a))",
        );
        let sql = create_table("s", &table);
        assert!(
            sql.contains("KEY `y` (`n`, `a`)") && sql.contains("PRIMARY KEY (`a`)"),
            "{sql}"
        );
        assert_eq!(
            late_keys("s", &table).0,
            ["ALTER TABLE `s`.`t` ADD KEY `x` (`a`)"]
        );
    }

    #[test]
    fn what_stands_for_a_primary_key_is_there_from_the_start() {
        let table = table(
            "CREATE TABLE t (a int, b varchar(9) NOT NULL, c int NOT NULL, UNIQUE KEY x (a,b), \
             UNIQUE KEY y (b(3)), UNIQUE KEY z (b,c), UNIQUE KEY w (c))",
        );
        let sql = create_table("s", &table);
        assert!(sql.contains("UNIQUE KEY `z` (`b`, `c`)"), "{sql}");
        let (late, _) = late_keys("s", &table);
        assert_eq!(late.len(), 1);
        assert!(
            !late[0].contains("`z`") && late[0].contains("`w`"),
            "{late:?}"
        );
    }

    #[test]
    fn nothing_of_a_dump_becomes_sql_unseen() {
        let table = table(
            "CREATE TABLE t (a int DEFAULT (sleep(9)), b int, CHECK (sleep(9)), KEY k ((sleep(9)))) \
             ENGINE='x y' COLLATE='a;b'",
        );
        let sql = create_table("s", &table);
        assert!(
            !sql.contains("sleep") && !sql.contains("x y") && !sql.contains("a;b"),
            "{sql}"
        );
        assert_eq!(late_keys("s", &table), (vec![], vec!["k".to_owned()]));
    }
}
