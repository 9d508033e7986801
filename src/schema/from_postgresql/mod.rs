//! Maps definitions of a PostgreSQL dump to the model: types and defaults by lists of what is known, expressions word
//! by word, so that nothing else of a dump becomes SQL of the target.

pub(crate) mod expression;

use super::sql;
use super::{Check, Column, DataType, ForeignKey, Index, IndexKind, IndexPart, IndexPartOf, Table};
use crate::dump::postgresql::definition::{
    ColumnDefinition, DefaultValue, Expression, Generated, IndexDefinition, IndexMethod, Literal,
    TypeName,
};
use crate::error::{Error, Result};
use expression::{fulltext, generated_by, indexed, sql};

/// Built-in types that go as they are, and have no modifier here (PostgreSQL manual, chapter 8).
const PLAIN: [&str; 31] = [
    "numeric",
    "real",
    "character varying",
    "bit varying",
    "time with time zone",
    "xml",
    "money",
    "cidr",
    "macaddr",
    "macaddr8",
    "oid",
    "name",
    "\"char\"",
    "tsvector",
    "tsquery",
    "point",
    "line",
    "lseg",
    "box",
    "path",
    "polygon",
    "circle",
    "int4range",
    "int8range",
    "numrange",
    "tsrange",
    "tstzrange",
    "daterange",
    "pg_lsn",
    "jsonpath",
    "txid_snapshot",
];

/// Other names of types, as people write them.
const ALIASES: [(&str, &str); 16] = [
    ("bool", "boolean"),
    ("int2", "smallint"),
    ("int", "integer"),
    ("int4", "integer"),
    ("int8", "bigint"),
    ("float4", "real"),
    ("float8", "double precision"),
    ("decimal", "numeric"),
    ("varchar", "character varying"),
    ("char", "character"),
    ("varbit", "bit varying"),
    ("timestamp", "timestamp without time zone"),
    ("timestamptz", "timestamp with time zone"),
    ("time", "time without time zone"),
    ("timetz", "time with time zone"),
    ("bpchar", "character"),
];

/// The type that `written` names, if it is a known one.
#[must_use]
pub fn data_type(written: &TypeName) -> Option<DataType> {
    if written.is_array {
        return None;
    }
    let alias = ALIASES.iter().find(|(alias, _)| *alias == written.name);
    let name = alias.map_or(written.name.as_str(), |(_, name)| name);
    Some(match (name, written.modifiers.as_slice()) {
        ("boolean", []) => DataType::Boolean,
        ("smallint", []) => DataType::Smallint,
        ("integer", []) => DataType::Integer,
        ("bigint", []) => DataType::Bigint,
        ("numeric", [precision]) => DataType::Numeric(*precision, 0),
        ("numeric", [precision, scale]) => DataType::Numeric(*precision, *scale),
        ("double precision", []) => DataType::DoublePrecision,
        ("character varying", [length]) => DataType::Varchar(*length),
        ("character", [length]) => DataType::Char(*length),
        ("character", []) if written.name != "bpchar" => DataType::Char(1),
        ("text", []) => DataType::Text,
        ("bytea", []) => DataType::Bytea,
        ("bit", [width]) => DataType::Bit(*width),
        ("bit", []) => DataType::Bit(1),
        ("json", []) => DataType::Json,
        ("jsonb", []) => DataType::Jsonb,
        ("date", []) => DataType::Date,
        ("timestamp without time zone", []) => DataType::Timestamp(None),
        ("timestamp without time zone", [p]) => DataType::Timestamp(Some(*p)),
        ("timestamp with time zone", []) => DataType::Timestamptz(None),
        ("timestamp with time zone", [p]) => DataType::Timestamptz(Some(*p)),
        ("time without time zone", []) => DataType::Time(None),
        ("time without time zone", [p]) => DataType::Time(Some(*p)),
        ("interval", []) => DataType::Interval(None),
        ("interval", [p]) => DataType::Interval(Some(*p)),
        ("uuid", []) => DataType::Uuid,
        ("inet", []) => DataType::Inet,
        (name, []) => DataType::Plain(PLAIN.iter().copied().find(|plain| *plain == name)?),
        _ => return None,
    })
}

/// The column of `table` that `definition` defines, without its default and how it is computed; `is_enum` tells
/// whether the dump has a type of an enum of that name.
pub fn column(
    table: &str,
    definition: &ColumnDefinition,
    is_enum: impl Fn(&str) -> bool,
) -> Result<Column> {
    let name = &definition.name;
    let written = &definition.data_type;
    let brackets = if written.is_array { "[]" } else { "" };
    let of_enum = || {
        let is_plain = !written.is_array && written.modifiers.is_empty();
        let own_name = &written.own_name;
        (is_plain && is_enum(own_name)).then(|| DataType::Enum(own_name.clone()))
    };
    let data_type = data_type(written).or_else(of_enum).ok_or_else(|| {
        let what = format!("the type {}{brackets}", written.name);
        unsupported(table, name, &what)
    })?;
    Ok(Column {
        not_null: definition.not_null,
        ..Column::new(name, data_type)
    })
}

fn unsupported(table: &str, column: &str, what: &str) -> Error {
    Error::failed(format!("column {table}.{column}: {what} is not supported"))
        .hint("--skip-table leaves the table out")
}

/// The expression that the column `at` of `table` is computed by, over its other `columns`.
pub fn generated(
    table: &str,
    columns: &[Column],
    at: usize,
    generated: &Generated,
) -> Result<String> {
    let column = &columns[at];
    let expression = match generated {
        Generated::Stored(expression) => generated_by(expression, columns, &column.data_type),
        Generated::Other => None,
    };
    expression.ok_or_else(|| {
        let what = "a generated column, with an expression of which not all is understood,";
        unsupported(table, &column.name, what)
    })
}

/// The CHECK `name` over `columns`, if all of its expression is understood.
#[must_use]
pub fn check(name: &str, expression: &Expression, columns: &[Column]) -> Option<Check> {
    Some(Check {
        name: name.to_owned(),
        expression: sql(expression, columns)?,
    })
}

/// The default of a column of `data_type` as SQL, if it is one of those that are known to mean nothing else.
#[must_use]
pub fn default_sql(default: &DefaultValue, of: &DataType) -> Option<String> {
    match default {
        DefaultValue::Literal(constant, cast) => {
            let sql = match constant {
                Literal::Text(text) => sql::literal(text),
                Literal::Number(number) => number.clone(),
                Literal::Boolean(value) => value.to_string(),
                Literal::Bits(digits) => format!("B'{digits}'"),
                Literal::Null => "NULL".to_owned(),
            };
            match cast {
                None => Some(sql),
                // Which is where the schema is.
                Some(cast) if matches!(of, DataType::Enum(name) if *name == cast.own_name) => {
                    Some(sql)
                }
                // As servers write a bit string. Its type has no width, unlike `bit`, which is `bit(1)`.
                Some(cast) if cast.name == "\"bit\"" => match constant {
                    Literal::Text(digits) | Literal::Bits(digits)
                        if digits.bytes().all(|digit| matches!(digit, b'0' | b'1')) =>
                    {
                        Some(format!("B'{digits}'"))
                    }
                    _ => None,
                },
                // A sign binds less than a cast.
                Some(cast) => Some(format!("({sql})::{}", data_type(cast)?)),
            }
        }
        DefaultValue::Moment(sql) => Some((*sql).to_owned()),
        DefaultValue::NextValue(_) | DefaultValue::Other => None,
    }
}

/// The index of `table` that `definition` defines, or why there is none.
pub fn index(table: &Table, definition: &IndexDefinition) -> std::result::Result<Index, String> {
    let parts = definition.parts.as_ref().map_err(|why| (*why).to_owned())?;
    if definition.method == IndexMethod::Gin {
        let parts = match parts.as_slice() {
            [part] if !definition.is_unique => fulltext(&part.of, &table.columns),
            _ => None,
        };
        let parts = parts.ok_or("it is no btree, and none over the words of texts")?;
        let part = |of| IndexPart {
            of,
            descending: false,
            nulls_first: None,
            operator_class: None,
        };
        return Ok(Index {
            name: definition.name.clone(),
            kind: IndexKind::Fulltext,
            parts: parts.into_iter().map(part).collect(),
            comment: None,
        });
    }
    let parts = parts.iter().map(|part| {
        let unknown = "it is over a column, or an expression, that the table does not have";
        Ok(IndexPart {
            of: indexed(&part.of, &table.columns).ok_or(unknown)?,
            descending: part.descending,
            nulls_first: part.nulls_first,
            operator_class: part.operator_class,
        })
    });
    Ok(Index {
        name: definition.name.clone(),
        kind: kind(definition.is_unique),
        parts: parts.collect::<std::result::Result<_, String>>()?,
        comment: None,
    })
}

/// The unique index over `columns` of `table`, or why there is none.
pub fn unique_index(
    table: &Table,
    name: String,
    columns: &[String],
) -> std::result::Result<Index, String> {
    let parts = columns.iter().map(|column| {
        Ok(IndexPart {
            of: whole_column(table, column)?,
            descending: false,
            nulls_first: None,
            operator_class: None,
        })
    });
    Ok(Index {
        name,
        kind: IndexKind::Unique,
        parts: parts.collect::<std::result::Result<_, String>>()?,
        comment: None,
    })
}

fn kind(is_unique: bool) -> IndexKind {
    if is_unique {
        IndexKind::Unique
    } else {
        IndexKind::Plain
    }
}

fn whole_column(table: &Table, name: &str) -> std::result::Result<IndexPartOf, String> {
    let column = table.columns.iter().find(|column| column.name == name);
    let column = column.ok_or_else(|| format!("the table has no column {name}"))?;
    let data_type = column.data_type.clone();
    Ok(IndexPartOf::Column(name.to_owned(), None, data_type))
}

/// The foreign key of these parts.
#[must_use]
pub fn foreign_key(
    name: String,
    [columns, referenced_columns]: [Vec<String>; 2],
    references: String,
    [on_delete, on_update]: [Option<&'static str>; 2],
) -> ForeignKey {
    ForeignKey {
        name,
        columns,
        references,
        referenced_columns,
        on_delete: on_delete.map(str::to_owned),
        on_update: on_update.map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dump::RowChunk;
    use crate::dump::postgresql::definition::{Definition, TableDefinition};
    use crate::dump::postgresql::{Consumer, Reader};

    #[derive(Default)]
    struct Tables(Vec<TableDefinition>);

    impl Consumer for Tables {
        fn definition(&mut self, definition: Definition) -> Result<()> {
            if let Definition::Table(table) = definition {
                self.0.push(table);
            }
            Ok(())
        }

        fn rows(&mut self, _: RowChunk) -> Result<()> {
            Ok(())
        }

        fn end(&mut self) -> Result<()> {
            Ok(())
        }
    }

    fn table(statement: &str) -> TableDefinition {
        let mut reader = Reader::new(Tables::default());
        reader.feed(format!("{statement};").as_bytes()).unwrap();
        reader.finish().unwrap().0.0.remove(0)
    }

    #[test]
    fn columns_with_types_and_defaults() {
        let check = |column: &str, data_type_shown: &str, default: Option<&str>, not_null: bool| {
            let table = table(&format!("CREATE TABLE public.t (\n    {column}\n)"));
            let found = &table.columns[0];
            let known = data_type(&found.data_type).expect(column);
            assert_eq!(known.to_string(), data_type_shown, "{column}");
            let default_of = |default| default_sql(default, &known);
            let sql = found.default.as_ref().and_then(default_of);
            assert_eq!(sql.as_deref(), default, "{column}");
            assert_eq!(found.not_null, not_null, "{column}");
        };
        check("id integer NOT NULL", "integer", None, true);
        check(
            "a character varying(255) DEFAULT 'it''s'::character varying NOT NULL",
            "character varying(255)",
            Some("('it''s')::character varying"),
            true,
        );
        check(
            "a varchar DEFAULT NULL::character varying",
            "character varying",
            Some("(NULL)::character varying"),
            false,
        );
        check(
            "\"A\" timestamp(3) without time zone DEFAULT now()",
            "timestamp(3) without time zone",
            Some("now()"),
            false,
        );
        check(
            "a numeric(10,2) DEFAULT (-1.5)",
            "numeric(10,2)",
            Some("-1.5"),
            false,
        );
        check(
            "a bigint DEFAULT '-1'::integer NOT NULL",
            "bigint",
            Some("('-1')::integer"),
            true,
        );
        check("a boolean DEFAULT false", "boolean", Some("false"), false);
        check("a double precision", "double precision", None, false);
        check("a pg_catalog.int4 DEFAULT 3", "integer", Some("3"), false);
        check(
            "a text COLLATE pg_catalog.\"C\" DEFAULT pg_read_file('/etc/passwd'::text)",
            "text",
            None,
            false,
        );
        check("a text DEFAULT ('x'::text || evil())", "text", None, false);
        check("a text DEFAULT 'x'::public.evil", "text", None, false);
        check("a text DEFAULT (SELECT 1)", "text", None, false);
        for default in ["B'011'", "B'011'::\"bit\"", "'011'::\"bit\""] {
            let column = format!("a bit(3) DEFAULT {default}");
            check(&column, "bit(3)", Some("B'011'"), false);
        }
        check("a bit(3) DEFAULT 'x'::\"bit\"", "bit(3)", None, false);
        check(
            "a timestamp DEFAULT timezone('UTC'::text, now())",
            "timestamp without time zone",
            Some("timezone('UTC', now())"),
            false,
        );
        check(
            "a timestamp DEFAULT timezone('UTC', evil())",
            "timestamp without time zone",
            None,
            false,
        );
        check(
            "a text CONSTRAINT c CHECK (a > 'x') DEFAULT E'a\\'b\\\\'",
            "text",
            Some("E'a''b\\\\'"),
            false,
        );
    }

    #[test]
    fn types_that_are_not_known() {
        for written in [
            "public.evil",
            "hstore",
            "text[]",
            "integer(3)",
            "numeric(1,2,3)",
            "\"integer\"",
            "bpchar",
        ] {
            let table = table(&format!("CREATE TABLE t (a {written})"));
            assert_eq!(data_type(&table.columns[0].data_type), None, "{written}");
        }
    }
}
