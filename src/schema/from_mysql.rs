//! Maps a MySQL table definition to the model, and decides how each column's values go.

use super::{
    Column, DataType, ForeignKey, Index, IndexPart, Names, Note, Prefix, PrimaryKey, Sequence,
    Table,
};
use crate::dump::definition::{
    ColumnDefinition, DefaultValue, KeyDefinition, KeyKind, KeyPart, KeyPartOf, TableDefinition,
};
use crate::error::{Error, Result};
use crate::rows::ValueKind;

/// The longest `varchar(n)` PostgreSQL takes (manual, 8.3).
const MAX_VARCHAR: u64 = 10_485_760;

/// A mapped table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapped {
    /// The table as it will be.
    pub table: Table,
    /// How the values of each column go, in the order of the table's columns.
    pub kinds: Vec<ValueKind>,
    /// What PostgreSQL gets differently.
    pub notes: Vec<Note>,
}

/// Maps `definition`. In a dump without AUTO_INCREMENT (`compatible`) an integer primary key
/// named `id` is taken for one, as Rails makes them. `names` holds the names given so far.
pub fn from_mysql(
    definition: &TableDefinition,
    compatible: bool,
    names: &mut Names,
) -> Result<Mapped> {
    if !names.reserve(&definition.name) {
        let name = &definition.name;
        return Err(Error::failed(format!(
            "the name {name} is defined twice in the dump"
        )));
    }
    let mut mapper = Mapper {
        definition,
        compatible,
        names,
        notes: Vec::new(),
    };
    mapper.map()
}

struct Mapper<'a> {
    definition: &'a TableDefinition,
    compatible: bool,
    names: &'a mut Names,
    notes: Vec<Note>,
}

impl Mapper<'_> {
    fn map(&mut self) -> Result<Mapped> {
        let definition = self.definition;
        let mut columns = Vec::new();
        let mut kinds = Vec::new();
        for column in &definition.columns {
            let (mapped, kind) = self.column(column)?;
            columns.push(mapped);
            kinds.push(kind);
        }
        let sequence = self.sequence(&columns);
        let mut table = Table {
            name: definition.name.clone(),
            columns,
            primary_key: None,
            indexes: Vec::new(),
            foreign_keys: Vec::new(),
            sequence,
            comment: definition
                .options
                .comment
                .clone()
                .filter(|comment| !comment.is_empty()),
        };
        for key in &definition.keys {
            match key.kind {
                KeyKind::Primary => table.primary_key = Some(self.primary_key(key)?),
                KeyKind::Unique | KeyKind::Plain => {
                    let index = self.index(key, &table)?;
                    table.indexes.push(index);
                }
                KeyKind::Fulltext | KeyKind::Spatial => {
                    return Err(self.unmapped_key(key, "a fulltext or spatial index"));
                }
            }
        }
        for key in &definition.foreign_keys {
            let wanted = key
                .name
                .clone()
                .unwrap_or_else(|| format!("{}_fk", definition.name));
            table.foreign_keys.push(ForeignKey {
                name: self.names.give(&wanted, &definition.name),
                columns: key.columns.clone(),
                references: key.references.clone(),
                referenced_columns: key.referenced_columns.clone(),
                on_delete: key.on_delete.clone(),
                on_update: key.on_update.clone(),
            });
        }
        self.other_checks()?;
        let notes = std::mem::take(&mut self.notes);
        Ok(Mapped {
            table,
            kinds,
            notes,
        })
    }

    fn column(&mut self, column: &ColumnDefinition) -> Result<(Column, ValueKind)> {
        if column.generated.is_some() {
            return Err(self.unmapped_column(column, "a generated column"));
        }
        let (data_type, kind) = self.data_type(column)?;
        let default = self.default(column, data_type);
        if column.on_update {
            self.note(
                Some(&column.name),
                "ON UPDATE CURRENT_TIMESTAMP left out".to_owned(),
            );
        }
        let may_hold_zero_dates = matches!(kind, ValueKind::Date | ValueKind::Timestamp);
        let mapped = Column {
            name: column.name.clone(),
            data_type,
            not_null: !column.nullable,
            not_null_after_load: !column.nullable && may_hold_zero_dates,
            default,
            allowed: (column.data_type.name == "enum").then(|| column.data_type.values.clone()),
            comment: column.comment.clone().filter(|comment| !comment.is_empty()),
        };
        Ok((mapped, kind))
    }

    /// The design's table of types.
    fn data_type(&self, column: &ColumnDefinition) -> Result<(DataType, ValueKind)> {
        let written = &column.data_type;
        let number = |at: usize| written.numbers.get(at).copied();
        Ok(match (written.name.as_str(), written.unsigned) {
            ("tinyint", _) if number(0) == Some(1) => (DataType::Boolean, ValueKind::Boolean),
            ("bool" | "boolean", _) => (DataType::Boolean, ValueKind::Boolean),
            ("tinyint" | "year", _) | ("smallint", false) => {
                (DataType::Smallint, ValueKind::Integer)
            }
            ("smallint", true) | ("mediumint", _) | ("int" | "integer", false) => {
                (DataType::Integer, ValueKind::Integer)
            }
            ("int" | "integer", true) | ("bigint", false) => (DataType::Bigint, ValueKind::Integer),
            ("bigint", true) if column.auto_increment || self.is_in_a_key(&column.name) => {
                (DataType::Bigint, ValueKind::UnsignedToBigint)
            }
            ("bigint", true) => (DataType::Numeric(20, 0), ValueKind::Integer),
            ("float" | "double" | "real", _) => (DataType::DoublePrecision, ValueKind::Number),
            ("decimal" | "numeric" | "dec" | "fixed", _) => {
                let data_type = DataType::Numeric(number(0).unwrap_or(10), number(1).unwrap_or(0));
                (data_type, ValueKind::Number)
            }
            ("varchar", _) => match number(0) {
                Some(length @ 1..=MAX_VARCHAR) => (DataType::Varchar(length), ValueKind::Text),
                _ => (DataType::Text, ValueKind::Text),
            },
            ("char", _) => match number(0) {
                Some(0) => (DataType::Text, ValueKind::Text),
                length => (DataType::Char(length.unwrap_or(1)), ValueKind::Text),
            },
            ("longtext", _) if self.is_checked_json(&column.name) => {
                (DataType::Json, ValueKind::Text)
            }
            ("tinytext" | "text" | "mediumtext" | "longtext" | "enum" | "set", _) => {
                (DataType::Text, ValueKind::Text)
            }
            ("binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob", _) => {
                (DataType::Bytea, ValueKind::Bytes)
            }
            ("bit", _) => match number(0).unwrap_or(1) {
                1 => (DataType::Boolean, ValueKind::BitBoolean),
                width => {
                    let bits = u8::try_from(width).unwrap_or(u8::MAX).min(64);
                    (DataType::Bit(width), ValueKind::Bits { width: bits })
                }
            },
            ("json", _) => (DataType::Jsonb, ValueKind::Text),
            ("date", _) => (DataType::Date, ValueKind::Date),
            ("datetime" | "timestamp", _) => (DataType::Timestamp(number(0)), ValueKind::Timestamp),
            ("time", _) => (DataType::Time(number(0)), ValueKind::Time),
            (other, _) => {
                return Err(self.unmapped_column(column, &format!("the type {other}")));
            }
        })
    }

    /// The default as SQL, if it can be kept.
    fn default(&mut self, column: &ColumnDefinition, data_type: DataType) -> Option<String> {
        let sql = match column.default.as_ref()? {
            DefaultValue::Null => return None,
            DefaultValue::Text(text) | DefaultValue::Number(text) => {
                constant(text, data_type).ok_or(text)
            }
            DefaultValue::Bits(digits) => match data_type {
                DataType::Bit(width) => Ok(format!(
                    "B'{digits:0>width$}'",
                    width = usize::try_from(width).unwrap_or(0)
                )),
                _ => constant(digits.trim_start_matches('0'), data_type).ok_or(digits),
            },
            DefaultValue::Hex(digits) if data_type == DataType::Bytea => {
                Ok(format!("'\\x{digits}'::bytea"))
            }
            DefaultValue::Hex(digits) => Err(digits),
            DefaultValue::Expression(expression) => {
                current_time(expression, &column.data_type.name).ok_or(expression)
            }
        };
        match sql {
            Ok(sql) => Some(sql),
            Err(written) => {
                self.note(Some(&column.name), format!("default {written} left out"));
                None
            }
        }
    }

    fn sequence(&mut self, columns: &[Column]) -> Option<Sequence> {
        let definition = self.definition;
        let is_rails_id = |column: &ColumnDefinition| {
            let alone = definition.keys.iter().any(|key| {
                key.kind == KeyKind::Primary && key.parts.len() == 1 && indexes(&key.parts[0], "id")
            });
            self.compatible && column.name == "id" && alone
        };
        let at = definition
            .columns
            .iter()
            .position(|c| c.auto_increment || is_rails_id(c))?;
        let column = &columns[at];
        // An AUTO_INCREMENT may also be a floating-point number; no sequence is.
        let is_whole = matches!(
            column.data_type,
            DataType::Smallint | DataType::Integer | DataType::Bigint
        );
        let wanted = format!("{}_{}_seq", definition.name, column.name);
        is_whole.then(|| Sequence {
            name: self.names.give(&wanted, &definition.name),
            column: column.name.clone(),
            data_type: column.data_type,
            next_at_least: definition.options.auto_increment.unwrap_or(1),
        })
    }

    fn primary_key(&mut self, key: &KeyDefinition) -> Result<PrimaryKey> {
        let mut columns = Vec::new();
        for part in &key.parts {
            match &part.of {
                KeyPartOf::Column(name) if part.prefix.is_none() => columns.push(name.clone()),
                _ => return Err(self.unmapped_key(key, "a primary key over part of a column")),
            }
        }
        let wanted = format!("{}_pkey", self.definition.name);
        Ok(PrimaryKey {
            name: self.names.give(&wanted, &self.definition.name),
            columns,
        })
    }

    fn index(&mut self, key: &KeyDefinition, table: &Table) -> Result<Index> {
        let mut parts = Vec::new();
        for part in &key.parts {
            let KeyPartOf::Column(name) = &part.of else {
                return Err(self.unmapped_key(key, "an index over an expression"));
            };
            let column = table.columns.iter().find(|column| column.name == *name);
            let column = column.ok_or_else(|| self.unmapped_key(key, "an unknown column"))?;
            parts.push(IndexPart {
                column: name.clone(),
                prefix: part
                    .prefix
                    .and_then(|length| prefix(length, column.data_type)),
                descending: part.descending,
            });
        }
        let wanted = key
            .name
            .clone()
            .unwrap_or_else(|| format!("{}_index", table.name));
        let name = self.names.give(&wanted, &table.name);
        if name != wanted {
            self.note(Some(&wanted), format!("the index is named {name}"));
        }
        Ok(Index {
            name,
            unique: key.kind == KeyKind::Unique,
            parts,
            comment: key.comment.clone(),
        })
    }

    /// CHECKs beside the one that marks MariaDB's JSON are not mapped yet.
    fn other_checks(&self) -> Result<()> {
        let json = |check: &str| {
            self.definition
                .columns
                .iter()
                .any(|column| is_json_check(check, &column.name))
        };
        match self
            .definition
            .checks
            .iter()
            .find(|(_, check)| !json(check))
        {
            None => Ok(()),
            Some((_, check)) => Err(Error::failed(format!(
                "table {}: the constraint CHECK ({check}) is not supported yet",
                self.definition.name
            ))),
        }
    }

    fn is_checked_json(&self, column: &str) -> bool {
        self.definition
            .checks
            .iter()
            .any(|(_, check)| is_json_check(check, column))
    }

    fn is_in_a_key(&self, column: &str) -> bool {
        self.definition
            .keys
            .iter()
            .flat_map(|key| &key.parts)
            .any(|part| indexes(part, column))
    }

    fn note(&mut self, item: Option<&str>, what: String) {
        self.notes.push(Note {
            table: self.definition.name.clone(),
            item: item.map(str::to_owned),
            what,
        });
    }

    fn unmapped_column(&self, column: &ColumnDefinition, what: &str) -> Error {
        let table = &self.definition.name;
        Error::failed(format!(
            "column {table}.{}: {what} is not supported yet",
            column.name
        ))
    }

    fn unmapped_key(&self, key: &KeyDefinition, what: &str) -> Error {
        let name = key.name.as_deref().unwrap_or("PRIMARY");
        let table = &self.definition.name;
        Error::failed(format!(
            "key {name} of table {table}: {what} is not supported yet"
        ))
    }
}

fn indexes(part: &KeyPart, column: &str) -> bool {
    matches!(&part.of, KeyPartOf::Column(name) if name == column)
}

fn is_json_check(check: &str, column: &str) -> bool {
    let bare: String = check
        .chars()
        .filter(|c| !matches!(c, '`' | '"' | ' '))
        .collect();
    bare.eq_ignore_ascii_case(&format!("json_valid({column})"))
}

/// The prefix of an index, unless it covers the whole column anyway.
fn prefix(length: u64, data_type: DataType) -> Option<Prefix> {
    match data_type {
        DataType::Varchar(n) | DataType::Char(n) if n <= length => None,
        DataType::Bytea => Some(Prefix::Bytes(length)),
        _ => Some(Prefix::Characters(length)),
    }
}

/// A constant default as SQL, if it is one of `data_type`.
fn constant(text: &str, data_type: DataType) -> Option<String> {
    let is_number = text.parse::<f64>().is_ok_and(f64::is_finite);
    match data_type {
        DataType::Boolean => match text.trim_start_matches('0') {
            "" => Some("false".to_owned()),
            "1" => Some("true".to_owned()),
            _ => None,
        },
        DataType::Smallint
        | DataType::Integer
        | DataType::Bigint
        | DataType::Numeric(..)
        | DataType::DoublePrecision => is_number.then(|| text.to_owned()),
        DataType::Varchar(_)
        | DataType::Char(_)
        | DataType::Text
        | DataType::Json
        | DataType::Jsonb => Some(super::ddl::literal(text)),
        DataType::Bytea => {
            let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
            Some(format!("'\\x{hex}'::bytea"))
        }
        DataType::Date | DataType::Timestamp(_) => {
            // A date with a zero part is none; one without is left to PostgreSQL to judge.
            let has_zero_part = text
                .split([' ', '-'])
                .take(3)
                .any(|part| part.trim_matches('0').is_empty());
            (!has_zero_part).then(|| super::ddl::literal(text))
        }
        DataType::Time(_) => Some(super::ddl::literal(text)),
        DataType::Bit(_) => None,
    }
}

/// `CURRENT_TIMESTAMP` in its many spellings. A timestamp is in UTC, as in the dump; a datetime
/// is in the time zone of whoever inserts.
fn current_time(expression: &str, mysql_type: &str) -> Option<String> {
    let name = expression
        .split('(')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let is_now =
        ["current_timestamp", "now", "localtime", "localtimestamp"].contains(&name.as_str());
    is_now.then(|| {
        if mysql_type == "timestamp" {
            "timezone('UTC', now())".to_owned()
        } else {
            "LOCALTIMESTAMP".to_owned()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::ddl;
    use super::*;
    use crate::dump::definition::create_table;

    fn mapped(sql: &str, compatible: bool) -> Result<Mapped> {
        from_mysql(&create_table(sql)?, compatible, &mut Names::default())
    }

    fn column_type(definition: &str) -> String {
        let mapped = mapped(&format!("CREATE TABLE t (c {definition})"), false);
        let mapped = mapped.unwrap_or_else(|error| panic!("{definition}: {error}"));
        mapped.table.columns[0].data_type.to_string()
    }

    #[test]
    fn types() {
        let cases = [
            ("tinyint(1)", "boolean"),
            ("tinyint(4)", "smallint"),
            ("tinyint(3) unsigned", "smallint"),
            ("smallint(5) unsigned", "integer"),
            ("mediumint(9)", "integer"),
            ("int", "integer"),
            ("int(11)", "integer"),
            ("int(10) unsigned", "bigint"),
            ("bigint(20)", "bigint"),
            ("bigint(20) unsigned", "numeric(20,0)"),
            ("bigint(20) unsigned UNIQUE", "bigint"),
            ("float", "double precision"),
            ("double(10,2)", "double precision"),
            ("decimal(65,30)", "numeric(65,30)"),
            ("decimal", "numeric(10,0)"),
            ("varchar(255)", "character varying(255)"),
            ("char(3)", "character(3)"),
            ("longtext", "text"),
            ("enum('a')", "text"),
            ("varbinary(10)", "bytea"),
            ("mediumblob", "bytea"),
            ("bit(1)", "boolean"),
            ("bit(9)", "bit(9)"),
            ("json", "jsonb"),
            ("longtext CHECK (json_valid(`c`))", "json"),
            ("date", "date"),
            ("datetime", "timestamp without time zone"),
            ("timestamp(3)", "timestamp(3) without time zone"),
            ("time(6)", "time(6) without time zone"),
            ("year(4)", "smallint"),
        ];
        for (mysql, postgresql) in cases {
            assert_eq!(column_type(mysql), postgresql, "{mysql}");
        }
    }

    #[test]
    fn what_is_not_mapped_is_an_error_naming_table_and_column() {
        let cases = [
            (
                "CREATE TABLE t (c geometry)",
                "column t.c: the type geometry is not supported yet",
            ),
            (
                "CREATE TABLE t (a int, c int AS (a))",
                "column t.c: a generated column is not supported yet",
            ),
            (
                "CREATE TABLE t (c text, FULLTEXT KEY f (c))",
                "key f of table t: a fulltext or spatial index is not supported yet",
            ),
            (
                "CREATE TABLE t (c int CHECK (c > 0))",
                "table t: the constraint CHECK (c > 0) is not supported yet",
            ),
        ];
        for (sql, message) in cases {
            assert_eq!(mapped(sql, false).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn defaults() {
        let cases = [
            ("tinyint(1) DEFAULT '0'", "false"),
            ("tinyint(1) DEFAULT 1", "true"),
            ("bit(1) DEFAULT b'0'", "false"),
            ("bit(4) DEFAULT b'101'", "B'0101'"),
            ("int DEFAULT '3600'", "3600"),
            ("int DEFAULT -1", "-1"),
            ("varchar(9) DEFAULT ''", "''"),
            (r"varchar(9) DEFAULT 'it\'s \\'", r"E'it''s \\'"),
            (
                "timestamp DEFAULT CURRENT_TIMESTAMP",
                "timezone('UTC', now())",
            ),
            ("datetime DEFAULT current_timestamp()", "LOCALTIMESTAMP"),
            ("date DEFAULT '2015-10-01'", "'2015-10-01'"),
        ];
        for (definition, expected) in cases {
            let mapped = mapped(&format!("CREATE TABLE t (c {definition})"), false).unwrap();
            assert_eq!(
                mapped.table.columns[0].default.as_deref(),
                Some(expected),
                "{definition}"
            );
        }
        for left_out in [
            "datetime DEFAULT '0000-00-00 00:00:00'",
            "char(36) DEFAULT (uuid())",
        ] {
            let mapped = mapped(&format!("CREATE TABLE t (c {left_out})"), false).unwrap();
            assert_eq!(mapped.table.columns[0].default, None);
            assert_eq!(mapped.notes.len(), 1, "{left_out}");
        }
    }

    #[test]
    fn sequences() {
        let native =
            "CREATE TABLE t (id int NOT NULL AUTO_INCREMENT, PRIMARY KEY (id)) AUTO_INCREMENT=7";
        let sequence = mapped(native, false).unwrap().table.sequence.unwrap();
        assert_eq!(
            (sequence.name.as_str(), sequence.next_at_least),
            ("t_id_seq", 7)
        );
        let bare = "CREATE TABLE t (\"id\" int(11) NOT NULL, PRIMARY KEY (\"id\"))";
        assert!(mapped(bare, false).unwrap().table.sequence.is_none());
        assert!(mapped(bare, true).unwrap().table.sequence.is_some());
        let text = "CREATE TABLE t (\"id\" varchar(9) NOT NULL, PRIMARY KEY (\"id\"))";
        assert!(mapped(text, true).unwrap().table.sequence.is_none());
        let two = "CREATE TABLE t (\"id\" int NOT NULL, b int, PRIMARY KEY (\"id\", b))";
        assert!(mapped(two, true).unwrap().table.sequence.is_none());
    }

    #[test]
    fn ddl_of_a_whole_table() {
        let table = mapped(
            "CREATE TABLE `t` (`id` int(11) NOT NULL AUTO_INCREMENT, `e` enum('a','b') COMMENT 'x',
             `d` datetime NOT NULL, `s` varchar(20), PRIMARY KEY (`id`),
             UNIQUE KEY `u` (`s`(10),`e` DESC), KEY `k` (`s`(20))) COMMENT='it''s'",
            false,
        )
        .unwrap()
        .table;
        assert_eq!(
            ddl::create_table("st", &table),
            "CREATE SEQUENCE \"st\".\"t_id_seq\" AS integer;\n\
             CREATE TABLE \"st\".\"t\" (\n  \
             \"id\" integer DEFAULT nextval('\"st\".\"t_id_seq\"'::regclass) NOT NULL,\n  \
             \"e\" text CHECK (\"e\" IN ('a', 'b')),\n  \
             \"d\" timestamp without time zone,\n  \
             \"s\" character varying(20)\n);\n\
             ALTER SEQUENCE \"st\".\"t_id_seq\" OWNED BY \"st\".\"t\".\"id\";\n\
             COMMENT ON TABLE \"st\".\"t\" IS 'it''s';\n\
             COMMENT ON COLUMN \"st\".\"t\".\"e\" IS 'x';\n"
        );
        assert_eq!(
            ddl::create_index("st", "t", &table.indexes[0])[0],
            "CREATE UNIQUE INDEX \"u\" ON \"st\".\"t\" USING btree (\"left\"(\"s\", 10), \"e\" DESC)"
        );
        assert!(ddl::create_index("st", "t", &table.indexes[1])[0].ends_with("(\"s\")"));
    }
}
