//! Maps a MySQL table definition to the model, and decides how each column's values go.

mod defaults;
pub(crate) mod expression;
mod keys;
mod types;

pub use types::text_kind;

use super::names::Names;
use super::names::fitting;
use super::policies::{Enums, Policies};
use super::{Check, Column, DataType, EnumType, Note, Sequence, Table};
use crate::dump::charset::Charset;
use crate::dump::mysql::definition::{
    ColumnDefinition, KeyKind, KeyPart, KeyPartOf, TableDefinition, is_json_check,
};
use crate::error::{Error, Result};
use crate::rows::ValueKind;
use expression::{Purpose, translate};

/// The longest `varchar(n)` PostgreSQL takes (manual, 8.3).
const MAX_VARCHAR: u64 = 10_485_760;

/// The most digits `numeric(p,s)` can be declared with (manual, 8.1).
const MAX_PRECISION: u64 = 1000;

/// A mapped table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapped {
    /// The table as it will be.
    pub table: Table,
    /// How the values of each column go, in the order of MySQL's columns.
    pub kinds: Vec<ValueKind>,
    /// MySQL's names of the columns, and theirs in the table if they are in it.
    pub names: Vec<(String, Option<String>)>,
    /// Generated columns that PostgreSQL cannot compute: their values must be in the dump.
    pub materialised: Vec<String>,
    /// What PostgreSQL gets differently.
    pub notes: Vec<Note>,
}

/// What the dump says of all its tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DumpFacts {
    /// Whether AUTO_INCREMENT is left out: an integer primary key named `id` is taken for one, as
    /// Rails makes them.
    pub compatible: bool,
    /// The character set texts are in.
    pub charset: Charset,
    /// Whether timestamps are in UTC.
    pub utc: bool,
}

/// Maps `definition` as `policies` say. `names` holds the names given so far.
pub fn from_mysql(
    definition: &TableDefinition,
    facts: DumpFacts,
    policies: &Policies,
    names: &mut Names,
) -> Result<Mapped> {
    let mut mapper = Mapper {
        definition,
        facts,
        policies,
        names,
        name: fitting(&definition.name),
        columns: Vec::new(),
        enum_types: Vec::new(),
        notes: Vec::new(),
    };
    mapper.map()
}

struct Mapper<'a> {
    definition: &'a TableDefinition,
    facts: DumpFacts,
    policies: &'a Policies,
    names: &'a mut Names,
    /// The table's name.
    name: String,
    /// The columns that are in the table, by MySQL's names.
    columns: Vec<(String, Column)>,
    enum_types: Vec<EnumType>,
    notes: Vec<Note>,
}

impl Mapper<'_> {
    fn map(&mut self) -> Result<Mapped> {
        let definition = self.definition;
        if !self.names.reserve(&self.name) {
            return Err(
                Error::failed(format!("the name {} is defined twice", self.name)).hint(
                    "a dump of one database defines a table once; --skip-table leaves one out",
                ),
            );
        }
        if self.name != definition.name {
            self.note(None, format!("the table was named {}", definition.name));
        }
        let mut kinds = Vec::new();
        let mut names = Vec::new();
        let mut column_names = Names::default();
        let mut checks = Vec::new();
        for column in &definition.columns {
            if !self.policies.takes_column(&definition.name, &column.name) {
                self.note(Some(&column.name), "the column was skipped".to_owned());
                kinds.push(ValueKind::Skipped);
                names.push((column.name.clone(), None));
                continue;
            }
            let (mut mapped, kind) = match self.column(column) {
                Err(error) if self.policies.skip_unsupported => {
                    self.note(Some(&column.name), error.to_string());
                    kinds.push(ValueKind::Skipped);
                    names.push((column.name.clone(), None));
                    continue;
                }
                mapped => mapped?,
            };
            mapped.name = column_names.give(&column.name, "column");
            if mapped.name != column.name {
                self.note(
                    Some(&mapped.name),
                    format!("the column was named {}", column.name),
                );
            }
            if column.data_type.name == "enum" && self.policies.enums == Enums::Text {
                checks.push(enum_check(
                    &self.name,
                    &mapped.name,
                    &column.data_type.values,
                ));
            }
            kinds.push(kind);
            names.push((column.name.clone(), Some(mapped.name.clone())));
            self.columns.push((column.name.clone(), mapped));
        }
        let materialised = self.generated_columns(&mut kinds);
        let mut table = Table {
            name: self.name.clone(),
            columns: self
                .columns
                .iter()
                .map(|(_, column)| column.clone())
                .collect(),
            primary_key: None,
            indexes: Vec::new(),
            foreign_keys: Vec::new(),
            checks,
            enum_types: std::mem::take(&mut self.enum_types),
            sequence: self.sequence(),
            comment: definition
                .options
                .comment
                .clone()
                .filter(|comment| !comment.is_empty()),
        };
        for key in &definition.keys {
            self.key(key, &mut table)?;
        }
        self.foreign_keys(&mut table);
        self.checks(&mut table);
        for (item, what) in &definition.left_out {
            self.note(item.as_deref(), what.clone());
        }
        let notes = std::mem::take(&mut self.notes);
        Ok(Mapped {
            table,
            kinds,
            names,
            materialised,
            notes,
        })
    }

    fn column(&mut self, column: &ColumnDefinition) -> Result<(Column, ValueKind)> {
        let (data_type, kind) = self.data_type(column)?;
        let default = self.default(column, &data_type);
        if column.on_update {
            self.note(
                Some(&column.name),
                "ON UPDATE CURRENT_TIMESTAMP left out".to_owned(),
            );
        }
        let may_hold_zero_dates = matches!(
            kind,
            ValueKind::Date | ValueKind::Timestamp | ValueKind::LocalTimestamp
        );
        let comment = column.comment.clone().filter(|comment| !comment.is_empty());
        let mapped = Column {
            not_null: !column.nullable,
            not_null_after_load: !column.nullable && may_hold_zero_dates,
            default,
            comment,
            ..Column::new(&column.name, data_type)
        };
        Ok((mapped, kind))
    }

    /// Lets PostgreSQL compute the generated columns it can; of the others the dump's values are
    /// taken. Returns the names of the latter.
    fn generated_columns(&mut self, kinds: &mut [ValueKind]) -> Vec<String> {
        let plain: Vec<Column> = self
            .columns
            .iter()
            .filter(|(name, _)| {
                self.definition_of(name)
                    .is_some_and(|c| c.generated.is_none())
            })
            .map(|(name, column)| Column {
                name: name.clone(),
                ..column.clone()
            })
            .collect();
        let mut materialised = Vec::new();
        for (at, definition) in self.definition.columns.iter().enumerate() {
            let Some(generated) = &definition.generated else {
                continue;
            };
            let Some((_, column)) = self
                .columns
                .iter_mut()
                .find(|(name, _)| *name == definition.name)
            else {
                continue;
            };
            column.default = None;
            let of_text = matches!(column.data_type, DataType::Char(_) | DataType::Enum(_));
            let may_be_computed = !of_text && !self.policies.materialise_generated;
            let what = match translate(&generated.expression, &plain, Purpose::Value) {
                Some(expression) if may_be_computed => {
                    column.generated = Some(expression);
                    kinds[at] = ValueKind::Skipped;
                    if generated.stored {
                        continue;
                    }
                    "a virtual column, is stored".to_owned()
                }
                _ => {
                    materialised.push(definition.name.clone());
                    column.not_null = false;
                    column.not_null_after_load = false;
                    format!(
                        "generated as {}, is an ordinary column now",
                        generated.expression
                    )
                }
            };
            self.note(Some(&definition.name), what);
        }
        materialised
    }

    fn definition_of(&self, name: &str) -> Option<&ColumnDefinition> {
        self.definition
            .columns
            .iter()
            .find(|column| column.name == name)
    }

    fn sequence(&mut self) -> Option<Sequence> {
        let definition = self.definition;
        // --skip-create-options and its kin leave it out as well, and the engine with it.
        let has_none = self.facts.compatible || definition.options.engine.is_none();
        let is_rails_id = |column: &ColumnDefinition| {
            let alone = definition.keys.iter().any(|key| {
                key.kind == KeyKind::Primary && key.parts.len() == 1 && indexes(&key.parts[0], "id")
            });
            has_none && column.name == "id" && alone
        };
        let found = definition
            .columns
            .iter()
            .find(|c| c.auto_increment || is_rails_id(c))?;
        let (_, column) = self.columns.iter().find(|(name, _)| *name == found.name)?;
        // An AUTO_INCREMENT may also be a floating-point number; no sequence is.
        let is_whole = matches!(
            column.data_type,
            DataType::Smallint | DataType::Integer | DataType::Bigint
        );
        let wanted = format!("{}_{}_seq", self.name, column.name);
        let (column, data_type) = (column.name.clone(), column.data_type.clone());
        is_whole.then(|| Sequence {
            name: self.names.give(&wanted, &self.name),
            column,
            data_type,
            next_at_least: definition.options.auto_increment.unwrap_or(1),
        })
    }

    fn is_checked_json(&self, column: &str) -> bool {
        self.definition
            .checks
            .iter()
            .any(|(_, check)| is_json_check(check, column))
    }

    fn is_in_a_key(&self, column: &str) -> bool {
        let in_index = self
            .definition
            .keys
            .iter()
            .flat_map(|key| &key.parts)
            .any(|part| indexes(part, column));
        in_index
            || self
                .definition
                .foreign_keys
                .iter()
                .any(|key| key.columns.iter().any(|c| c == column))
    }

    fn note(&mut self, item: Option<&str>, what: String) {
        self.notes.push(Note {
            table: self.name.clone(),
            item: item.map(str::to_owned),
            what,
        });
    }
}

fn enum_check(table: &str, column: &str, values: &[String]) -> Check {
    let values: Vec<String> = values
        .iter()
        .map(|value| super::sql::literal(value))
        .collect();
    let column_name = super::sql::identifier(column);
    Check {
        name: fitting(&format!("{table}_{column}_check")),
        expression: format!("{column_name} IN ({})", values.join(", ")),
    }
}

fn indexes(part: &KeyPart, column: &str) -> bool {
    matches!(&part.of, KeyPartOf::Column(name) if name == column)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dump::mysql::definition::create_table;
    use crate::schema::ddl;

    fn mapped(sql: &str, compatible: bool) -> Result<Mapped> {
        mapped_by(sql, compatible, &Policies::default())
    }

    fn mapped_by(sql: &str, compatible: bool, policies: &Policies) -> Result<Mapped> {
        let facts = DumpFacts {
            compatible,
            charset: Charset::Utf8,
            utc: true,
        };
        from_mysql(&create_table(sql)?, facts, policies, &mut Names::default())
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
        let sql = "CREATE TABLE t (c geometry)";
        let error = mapped(sql, false).unwrap_err();
        assert_eq!(
            error.to_string(),
            "column t.c: the type geometry is not supported"
        );
        assert_eq!(error.hint_text(), Some("--skip-column t.c leaves it out"));
        let skip_columns = vec![("t".to_owned(), "c".to_owned())];
        let policies = Policies {
            skip_columns,
            ..Policies::default()
        };
        let mapped = mapped_by(sql, false, &policies).unwrap();
        assert_eq!(
            (mapped.table.columns.len(), mapped.kinds[0]),
            (0, ValueKind::Skipped)
        );
    }

    #[test]
    fn generated_columns() {
        let mapped = mapped(
            "CREATE TABLE t (a int, b int AS (`a` * 2) STORED, c varchar(9) AS (upper(`b`)))",
            false,
        )
        .unwrap();
        assert_eq!(
            mapped.table.columns[1].generated.as_deref(),
            Some("(\"a\" * 2)")
        );
        assert_eq!(
            mapped.kinds,
            [ValueKind::Integer, ValueKind::Skipped, ValueKind::Text]
        );
        assert_eq!(mapped.materialised, ["c"]);
        let policies = Policies {
            materialise_generated: true,
            ..Policies::default()
        };
        let sql = "CREATE TABLE t (a int, b int AS (`a` * 2) STORED)";
        let mapped = mapped_by(sql, false, &policies).unwrap();
        assert_eq!(mapped.table.columns[1].generated, None);
        assert_eq!(mapped.materialised, ["b"]);
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
        let complete = "CREATE TABLE t (id int NOT NULL, PRIMARY KEY (id)) ENGINE=InnoDB";
        assert!(mapped(bare, false).unwrap().table.sequence.is_some());
        assert!(mapped(complete, false).unwrap().table.sequence.is_none());
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
        let style = ddl::Style::in_schema("st");
        assert_eq!(
            ddl::create_table(style, &table).join(";\n"),
            "CREATE SEQUENCE \"st\".\"t_id_seq\" AS integer;\n\
             CREATE TABLE \"st\".\"t\" (\n  \
             \"id\" integer DEFAULT nextval('\"st\".\"t_id_seq\"'::regclass) NOT NULL,\n  \
             \"e\" text,\n  \
             \"d\" timestamp without time zone,\n  \
             \"s\" character varying(20)\n);\n\
             ALTER SEQUENCE \"st\".\"t_id_seq\" OWNED BY \"st\".\"t\".\"id\";\n\
             COMMENT ON TABLE \"st\".\"t\" IS 'it''s';\n\
             COMMENT ON COLUMN \"st\".\"t\".\"e\" IS 'x'"
        );
        assert_eq!(
            ddl::create_index(style, "t", &table.indexes[0], "u")[0],
            "CREATE UNIQUE INDEX \"u\" ON \"st\".\"t\" USING btree \
             (\"left\"(\"s\"::text, 10), \"e\" DESC)"
        );
        assert!(ddl::create_index(style, "t", &table.indexes[1], "k")[0].ends_with("(\"s\")"));
        assert_eq!(
            ddl::add_check(style, "t", &table.checks[0]),
            "ALTER TABLE \"st\".\"t\" ADD CONSTRAINT \"t_e_check\" CHECK (\"e\" IN ('a', 'b'))"
        );
    }
}
