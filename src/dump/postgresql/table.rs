//! `CREATE TABLE`.

use super::constraint::{check, constraint, references};
use super::default_value::default_value;
use super::definition::{
    ColumnDefinition, Constraint, ConstraintKind, DefaultValue, Definition, Generated,
    SequenceDefinition, TableDefinition,
};
use super::expression::expression;
use super::lexer::Token;
use super::parser::{Parser, not_understood, split_at_commas};
use crate::error::Result;

/// Words that end the default of a column.
const BEHIND_A_DEFAULT: [&str; 7] = [
    "not",
    "collate",
    "generated",
    "constraint",
    "primary",
    "unique",
    "check",
];

/// The types of columns that number themselves, and what they are (PostgreSQL manual, 8.1.4).
const SERIAL: [(&str, &str); 6] = [
    ("serial", "integer"),
    ("serial4", "integer"),
    ("bigserial", "bigint"),
    ("serial8", "bigint"),
    ("smallserial", "smallint"),
    ("serial2", "smallint"),
];

/// The table that `tokens` create.
pub(super) fn create_table(tokens: &[Token]) -> Result<TableDefinition> {
    let mut parser = Parser::new(tokens);
    parser.until(&["table"]);
    parser.take(&["table"]);
    parser.take(&["if", "not", "exists"]);
    let mut table = TableDefinition {
        name: parser.qualified()?,
        columns: Vec::new(),
        constraints: Vec::new(),
        unusual: None,
    };
    for item in split_at_commas(parser.parenthesised()?) {
        add_item(&mut table, item)
            .map_err(|error| error.at(format!("the table {}", table.name)))?;
    }
    let unusual = [
        ("inherits", "it inherits from another table"),
        ("partition", "it has partitions"),
    ];
    table.unusual = unusual
        .into_iter()
        .find(|(word, _)| parser.is(word))
        .map(|(_, what)| what);
    // Storage options may follow: `WITH (oids = false)`, `TABLESPACE`, `USING heap`.
    Ok(table)
}

fn add_item(table: &mut TableDefinition, item: &[Token]) -> Result<()> {
    let mut parser = Parser::new(item);
    if parser.take(&["constraint"]) {
        let name = parser.name()?;
        table.constraints.push(constraint(name, &mut parser)?);
        return Ok(());
    }
    let kinds = [
        ("primary", "pkey"),
        ("unique", "key"),
        ("foreign", "fkey"),
        ("check", "check"),
        ("exclude", "excl"),
    ];
    if let Some((_, suffix)) = kinds.iter().find(|(word, _)| parser.is(word)) {
        let name = format!("{}_{suffix}", table.name);
        table.constraints.push(constraint(name, &mut parser)?);
        return Ok(());
    }
    let column = column(table, parser)?;
    table.columns.push(column);
    Ok(())
}

fn column(table: &mut TableDefinition, mut parser: Parser<'_>) -> Result<ColumnDefinition> {
    let name = parser.name()?;
    let data_type = parser
        .type_name()
        .map_err(|error| error.at(format!("column {name}")))?;
    let mut column = ColumnDefinition {
        name,
        data_type,
        not_null: false,
        default: None,
        is_collated: false,
        generated: None,
        is_serial: false,
    };
    let serial = SERIAL
        .iter()
        .find(|(written, _)| *written == column.data_type.name);
    if let Some((_, integer)) = serial {
        (*integer).clone_into(&mut column.data_type.name);
        column.not_null = true;
        column.is_serial = true;
    }
    // The names that the server gives (PostgreSQL manual, "CREATE TABLE").
    let of_table = table.name.clone();
    let mut other = |kind: ConstraintKind| {
        let name = match &kind {
            ConstraintKind::PrimaryKey(_) => format!("{of_table}_pkey"),
            ConstraintKind::Unique(_) => format!("{of_table}_{}_key", column.name),
            _ => format!("{of_table}_{}_check", column.name),
        };
        table.constraints.push(Constraint {
            name,
            kind,
            has_more: false,
        });
    };
    let mut other_constraints = Vec::new();
    while !parser.at_end() {
        if parser.take(&["not", "null"]) {
            column.not_null = true;
            // No table inherits from it after the import.
            parser.take(&["no", "inherit"]);
        } else if parser.take(&["null"]) {
        } else if parser.take(&["default"]) {
            column.default = Some(default_value(parser.until(&BEHIND_A_DEFAULT)));
        } else if parser.take(&["collate"]) {
            let collation = parser.qualified()?;
            column.is_collated = collation != "default";
        } else if parser.take(&["generated"]) {
            column.generated = Some(generated(&mut parser)?);
        } else if parser.take(&["constraint"]) {
            parser.name()?;
        } else if parser.take(&["check"]) {
            other(check(parser.parenthesised()?));
        } else if parser.take(&["primary", "key"]) {
            column.not_null = true;
            other(ConstraintKind::PrimaryKey(vec![column.name.clone()]));
        } else if parser.take(&["unique"]) {
            other(ConstraintKind::Unique(vec![column.name.clone()]));
        } else if parser.is("references") {
            let name = format!("{of_table}_{}_fkey", column.name);
            let key = references(name, vec![column.name.clone()], &mut parser)?;
            other_constraints.push(key);
        } else {
            let what = format!("column {} has more than is known", column.name);
            return Err(not_understood(&what));
        }
    }
    table.constraints.append(&mut other_constraints);
    Ok(column)
}

/// The sequences of the `serial` columns of a table, and the defaults that take their values.
pub(super) fn numbered_columns(definition: &Definition) -> Vec<Definition> {
    let Definition::Table(table) = definition else {
        return Vec::new();
    };
    let serial = table.columns.iter().filter(|column| column.is_serial);
    let numbered = serial.flat_map(|column| {
        let name = format!("{}_{}_seq", table.name, column.name);
        [
            Definition::Sequence(SequenceDefinition {
                name: name.clone(),
                increment: None,
            }),
            Definition::Default {
                table: table.name.clone(),
                column: column.name.clone(),
                default: DefaultValue::NextValue(name),
            },
        ]
    });
    numbered.collect()
}

/// Reads how a column is computed, behind GENERATED.
fn generated(parser: &mut Parser<'_>) -> Result<Generated> {
    let mut of = None;
    if parser.take(&["always", "as"]) {
        let inside = parser.parenthesised()?;
        of = expression(inside).filter(|_| parser.take(&["stored"]));
    }
    parser.until(&["constraint", "not"]);
    Ok(of.map_or(Generated::Other, Generated::Stored))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dump::postgresql::lexer::tokens;

    fn table(statement: &str) -> TableDefinition {
        create_table(&tokens(statement, false).unwrap()).unwrap()
    }

    #[test]
    fn tables_that_are_more_than_tables() {
        assert!(
            table("CREATE TABLE t (a int) INHERITS (u)")
                .unusual
                .is_some()
        );
        assert!(
            table("CREATE TABLE t (a int) PARTITION BY RANGE (a)")
                .unusual
                .is_some()
        );
        assert!(
            table("CREATE TABLE t (a int)\nWITH (oids = false)")
                .unusual
                .is_none()
        );
        let generated = |how: &str| {
            let column = format!("CREATE TABLE t (b int, a int GENERATED {how} NOT NULL)");
            let column = table(&column).columns.remove(1);
            assert!(column.not_null, "{how}");
            column.generated
        };
        let by = expression(&tokens("(b + 1)::integer", false).unwrap()).unwrap();
        let stored = generated("ALWAYS AS ((b + 1)::integer) STORED");
        assert_eq!(stored, Some(Generated::Stored(by)));
        for other in [
            "ALWAYS AS (evil(b)) STORED",
            "ALWAYS AS (b)",
            "ALWAYS AS (b) VIRTUAL",
            "BY DEFAULT AS IDENTITY",
        ] {
            assert_eq!(generated(other), Some(Generated::Other), "{other}");
        }
        let nulls = table(
            "CREATE TABLE t (a int CONSTRAINT must NOT NULL, b int NOT NULL NO INHERIT, c int)",
        );
        let not_null: Vec<bool> = nulls.columns.iter().map(|column| column.not_null).collect();
        assert_eq!(not_null, [true, true, false]);
        assert_eq!(nulls.constraints.len(), 0);
        let constrained =
            table("CREATE TABLE t (a int, CONSTRAINT c CHECK ((a > 0)), PRIMARY KEY (a))");
        assert_eq!(constrained.constraints.len(), 2);
        let modifier = tokens("CREATE TABLE t (a numeric(evil()))", false).unwrap();
        assert!(create_table(&modifier).is_err());
        let of_select = tokens("CREATE TABLE t AS SELECT 1", false).unwrap();
        assert!(create_table(&of_select).is_err());
    }
}
