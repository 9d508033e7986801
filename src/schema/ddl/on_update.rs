//! The trigger that sets columns with `ON UPDATE CURRENT_TIMESTAMP`.
//!
//! The text of its function is recognised when a dump is read and when tables are replaced: `dump::postgresql` and
//! `server::postgresql::publish` know its form.

use std::fmt::Write as _;

use super::style::Style;
use crate::schema::model::{Table, UpdateTrigger};
use crate::schema::sql::{identifier, literal};

/// The statements that create `trigger` of `table`: its function, then the trigger itself. Only the server's own names are
/// found in the function, whoever runs it.
#[must_use]
pub fn create_update_trigger(
    style: Style<'_>,
    table: &Table,
    trigger: &UpdateTrigger,
) -> [String; 2] {
    let function = style.name(&trigger.name);
    // PostgreSQL 10 and earlier do not know EXECUTE FUNCTION.
    [
        format!(
            "CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql \
             SET search_path = pg_catalog, pg_temp AS {}",
            literal(&body(table, trigger))
        ),
        format!(
            "CREATE TRIGGER {} BEFORE UPDATE ON {} FOR EACH ROW EXECUTE PROCEDURE {function}()",
            identifier(&trigger.name),
            style.name(&table.name)
        ),
    ]
}

/// The statement that creates the same in a dump, both or nothing: a function of somebody else that has the name must not
/// be called instead.
#[must_use]
pub fn update_trigger_in_dump(style: Style<'_>, table: &Table, trigger: &UpdateTrigger) -> String {
    let [function, create] = create_update_trigger(style, table, trigger);
    let name = style.name(&trigger.name);
    let body = format!("BEGIN\nDROP FUNCTION IF EXISTS {name}();\n{function};\n{create};\nEND");
    format!("DO {}", literal(&body))
}

/// What the function does. A row is compared byte by byte, because not every type has an operator for that (PostgreSQL
/// manual, 9.25.6). A stored generated column has no value yet, and follows the others.
fn body(table: &Table, trigger: &UpdateTrigger) -> String {
    let mut body = "\nBEGIN\n".to_owned();
    for column in &table.columns {
        let generated = column.generated.as_ref();
        if generated.is_some_and(|generated| !generated.is_virtual) {
            let name = identifier(&column.name);
            let _ = writeln!(body, "  NEW.{name} := OLD.{name};");
        }
    }
    body += "  IF NEW *<> OLD THEN\n";
    for (column, now) in &trigger.columns {
        let name = identifier(column);
        let _ = writeln!(
            body,
            "    IF NEW.{name} IS NOT DISTINCT FROM OLD.{name} THEN NEW.{name} := {now}; END IF;"
        );
    }
    body + "  END IF;\n  RETURN NEW;\nEND\n"
}
