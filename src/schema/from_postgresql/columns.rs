//! Columns, their defaults, and how generated ones are computed.

use super::expression::generated_by;
use super::types::data_type;
use crate::dump::postgresql::definition::{ColumnDefinition, DefaultValue, Generated, Literal};
use crate::error::{Error, Result};
use crate::schema::model::{Column, DataType};
use crate::schema::sql;

/// The column that `definition` defines, without its default and its expression; or the name of its type, if that is not
/// supported. `is_enum` tells whether the dump has an enum type of that name.
pub fn column(
    definition: &ColumnDefinition,
    is_enum: impl Fn(&str) -> bool,
) -> std::result::Result<Column, String> {
    let name = &definition.name;
    let written = &definition.data_type;
    let brackets = if written.is_array { "[]" } else { "" };
    let of_enum = || {
        let is_plain = !written.is_array && written.modifiers.is_empty();
        let own_name = &written.own_name;
        (is_plain && is_enum(own_name)).then(|| DataType::Enum(own_name.clone()))
    };
    let data_type = data_type(written)
        .or_else(of_enum)
        .ok_or_else(|| format!("{}{brackets}", written.name))?;
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

/// The default of a column of type `of` as SQL, if it is one of the known ones.
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
                // Without the cast, which has the schema of the dump.
                Some(cast) if matches!(of, DataType::Enum(name) if *name == cast.own_name) => {
                    Some(sql)
                }
                // This is how servers write a bit string. `"bit"` has no width, unlike `bit`, which is `bit(1)`.
                Some(cast) if cast.name == "\"bit\"" => match constant {
                    Literal::Text(digits) | Literal::Bits(digits)
                        if digits.bytes().all(|digit| matches!(digit, b'0' | b'1')) =>
                    {
                        Some(format!("B'{digits}'"))
                    }
                    _ => None,
                },
                // In parentheses, since a cast binds stronger than a sign.
                Some(cast) => Some(format!("({sql})::{}", data_type(cast)?)),
            }
        }
        DefaultValue::Moment(sql) => Some((*sql).to_owned()),
        DefaultValue::NextValue(_) | DefaultValue::Other => None,
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
            "public.evil[]",
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
