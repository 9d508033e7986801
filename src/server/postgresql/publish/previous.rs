//! The schema of the replaced tables, whose comment stores the [`Record`] of the publish.

use postgres::{GenericClient, Transaction};

use super::part::PREVIOUS_SCHEMA;
use super::relations::{enum_types, functions, relations, unowned_sequences};
use crate::error::{Error, Result};
use crate::publish::record::Record;
use crate::schema::sql::{identifier, literal, qualified};
use crate::server::postgresql::error::failure;

/// The prefix of the schema's comment, which marks the schema as ours. The record follows, in JSON.
const COMMENT: &str = "tables replaced by ci-import";

impl Record {
    /// The record in the target, if there is one; an error if the schema is not ours.
    pub(super) fn read(client: &mut impl GenericClient) -> Result<Option<Record>> {
        let doing = || failure("look for the tables of the previous import");
        let found = client
            .query_opt(
                "SELECT COALESCE(obj_description(n.oid, 'pg_namespace'), ''), pg_get_userbyid(n.nspowner)::text,
                        n.nspowner::bigint, r.rolsuper OR r.rolname = current_user
                 FROM pg_namespace n LEFT JOIN pg_roles r ON r.oid = n.nspowner WHERE n.nspname = $1",
                &[&PREVIOUS_SCHEMA],
            )
            .map_err(doing())?;
        let Some(found) = found else {
            return Ok(None);
        };
        let record = Record::parse(&found.get::<_, String>(0))?;
        if found.get::<_, Option<bool>>(3) != Some(true) {
            let (owner, number): (String, i64) = (found.get(1), found.get(2));
            record.refuse_others_tables(client, (&owner, number))?;
        }
        Ok(Some(record))
    }

    /// An error if the record names tables that do not belong to `owner`, of the schema that has the record: whoever owns
    /// the schema could have written it, and may only decide about what is his own.
    fn refuse_others_tables(
        &self,
        client: &mut impl GenericClient,
        owner: (&str, i64),
    ) -> Result<()> {
        let sql = "SELECT n.nspname::text || '.' || c.relname::text FROM pg_class c
                   JOIN pg_namespace n ON n.oid = c.relnamespace
                   WHERE c.relowner::bigint <> $1
                     AND (n.nspname = $2 OR n.nspname = $3 AND c.relname = ANY($4)) ORDER BY 1 LIMIT 1";
        let (owner, number) = owner;
        let mut found = None;
        for (schemas, of_schema) in self.parts() {
            let has_tables = !of_schema.published.is_empty() || !of_schema.replaced.is_empty();
            if has_tables || self.others.is_empty() {
                refuse_others_schema(client, schemas.live, (owner, number))?;
            }
            let names = of_schema.published.iter().chain(&of_schema.replaced);
            let names: Vec<&String> = names.collect();
            let previous = schemas.previous();
            found = client
                .query_opt(sql, &[&number, &&*previous, &schemas.live, &names])
                .map_err(failure(
                    "look whose tables the previous import has replaced",
                ))?;
            if found.is_some() {
                break;
            }
        }
        let what = match found {
            Some(found) => format!("the table {}", found.get::<_, String>(0)),
            // What lies beside the builds directory, or in the storage, is not his.
            None if self.builds.is_some() || !self.prefixes.is_empty() => "traces".to_owned(),
            None => return Ok(()),
        };
        Err(Error::target(format!(
            "the record of the last import, in the schema {PREVIOUS_SCHEMA}, belongs to {owner} and decides about {what}"
        ))
        .hint(format!(
            "connect as {owner}; or if the record can be trusted: ALTER SCHEMA {PREVIOUS_SCHEMA} OWNER TO CURRENT_USER"
        )))
    }

    /// The record that the schema's `comment` holds.
    pub(super) fn parse(comment: &str) -> Result<Record> {
        let text = comment.strip_prefix(COMMENT);
        text.and_then(|text| Record::from_json(text.trim()))
            .ok_or_else(|| {
                Error::target(format!(
                    "the target has a schema {PREVIOUS_SCHEMA} that ci-import did not create"
                ))
                .hint("rename it: the replaced tables are kept in a schema with this name")
            })
    }

    fn comment(&self) -> String {
        format!("{COMMENT}\n{}", self.to_json())
    }

    /// The statement that stores the record as the comment on the schema.
    pub(super) fn statement(&self) -> String {
        format!(
            "COMMENT ON SCHEMA {} IS {}",
            identifier(PREVIOUS_SCHEMA),
            literal(&self.comment())
        )
    }

    /// Stores the record as the comment on the schema.
    pub(super) fn write(&self, transaction: &mut Transaction<'_>) -> Result<()> {
        transaction
            .batch_execute(&self.statement())
            .map_err(failure("keep the record of the publish"))
    }
}

/// An error if `owner`, of the schema that has the record, may not create tables in the schema `live`.
fn refuse_others_schema(
    client: &mut impl GenericClient,
    live: &str,
    (owner, number): (&str, i64),
) -> Result<()> {
    let sql = "SELECT 1 FROM pg_namespace WHERE nspname = $1
                 AND (nspname ~ '^(pg_|information_schema$|ci_import_)'
                      OR NOT has_schema_privilege(($2::bigint)::oid, oid, 'CREATE'))";
    let refused = client
        .query_opt(sql, &[&live, &number])
        .map_err(failure("look at the schemas of the previous import"))?;
    if refused.is_none() {
        return Ok(());
    }
    Err(Error::target(format!(
        "the record of the last import, in the schema {PREVIOUS_SCHEMA}, belongs to {owner} and decides about the schema {live}"
    ))
    .hint(format!("connect as {owner}, or drop the schema {PREVIOUS_SCHEMA}")))
}

/// Creates the schema, which belongs to the user: who owned it could write another record. The schema of the previous
/// publish must have been dropped or renamed.
pub(super) fn make(transaction: &mut Transaction<'_>, record: &Record) -> Result<()> {
    for (at, (schemas, of_schema)) in record.parts().into_iter().enumerate() {
        // The first one has the record.
        if at > 0 && of_schema.replaced.is_empty() {
            continue;
        }
        let sql = format!("CREATE SCHEMA {}", identifier(&schemas.previous()));
        transaction
            .batch_execute(&sql)
            .map_err(failure("create the schema for the old tables"))?;
    }
    record.write(transaction)
}

/// The schemas with the tables that `record` says are replaced, but the first one, which has the record.
pub(super) fn schemas_beside(record: &Record) -> Vec<String> {
    let others = record.parts().into_iter().skip(1);
    let others = others.filter(|(_, of_schema)| !of_schema.replaced.is_empty());
    others
        .map(|(schemas, _)| schemas.previous().into_owned())
        .collect()
}

/// Drops all tables that `record` says are replaced, and with `schema_too` the schema with the record.
pub(super) fn drop_all(
    transaction: &mut Transaction<'_>,
    record: &Record,
    schema_too: bool,
) -> Result<()> {
    for schema in schemas_beside(record) {
        drop_contents(transaction, &schema, true)?;
    }
    drop_contents(transaction, PREVIOUS_SCHEMA, schema_too)
}

/// Drops the contents of `schema`, which must be ours, and with `schema_too` the schema. Objects outside that
/// depend on the contents are not dropped; they are an error.
pub(super) fn drop_contents(
    transaction: &mut Transaction<'_>,
    schema: &str,
    schema_too: bool,
) -> Result<()> {
    let statements = drop_statements(transaction, schema, schema_too)?;
    transaction
        .batch_execute(&statements.join("; "))
        .map_err(failure("drop the tables of the previous import"))
}

/// The statements of [`drop_contents`].
pub(super) fn drop_statements(
    transaction: &mut Transaction<'_>,
    schema: &str,
    schema_too: bool,
) -> Result<Vec<String>> {
    let mut statements = Vec::new();
    let tables: Vec<String> = relations(transaction, schema, "r")?
        .iter()
        .map(|name| qualified(schema, name))
        .collect();
    if !tables.is_empty() {
        statements.push(format!("DROP TABLE {}", tables.join(", ")));
    }
    for name in unowned_sequences(transaction, schema)? {
        statements.push(format!("DROP SEQUENCE {}", qualified(schema, &name)));
    }
    for name in enum_types(transaction, schema)? {
        statements.push(format!("DROP TYPE {}", qualified(schema, &name)));
    }
    for name in functions(transaction, schema)? {
        statements.push(format!("DROP FUNCTION {}()", qualified(schema, &name)));
    }
    if schema_too {
        statements.push(format!("DROP SCHEMA {}", identifier(schema)));
    }
    Ok(statements)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_comes_back_from_its_comment() {
        let record = Record {
            schema: "a".to_owned(),
            ..Record::default()
        };
        assert_eq!(Record::parse(&record.comment()).unwrap(), record);
    }

    #[test]
    fn a_foreign_comment_is_refused() {
        let with = |rest: &str| Record::parse(&format!("{COMMENT}{rest}"));
        for comment in ["", "my tables", "{}"] {
            assert!(Record::parse(comment).is_err(), "{comment}");
        }
        for rest in ["", "\n{}", "\n{\"schema\":1}", "\n["] {
            let error = with(rest).unwrap_err().to_string();
            assert!(error.ends_with("that ci-import did not create"), "{error}");
        }
    }
}
