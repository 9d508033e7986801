//! The schema of the tables that a publish has replaced, and the record of that publish: what came,
//! what went, and where the old builds directory is. `rollback` and `discard` go by it.

use std::path::PathBuf;

use postgres::{GenericClient, Transaction};
use serde_json::{Value, json};

use super::relations::{enum_types, relations, unowned_sequences};
use crate::error::{Error, Result};
use crate::load::failure;
use crate::schema::ddl::{identifier, literal, qualified};
use crate::traces::BuildsDirectory;

/// Where the tables go that were live before.
pub const PREVIOUS_SCHEMA: &str = "ci_import_previous";

/// Begins the comment on the schema, and so marks it as ours. The record follows, in JSON.
const COMMENT: &str = "tables replaced by ci-import";

/// What a publish did. It is the comment on [`PREVIOUS_SCHEMA`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Record {
    /// The schema of the live tables.
    pub(super) schema: String,
    /// The tables that came.
    pub(super) published: Vec<String>,
    /// The tables that went, and are in [`PREVIOUS_SCHEMA`].
    pub(super) replaced: Vec<String>,
    /// The builds directory, if the publish had traces.
    pub(super) builds: Option<BuildsRecord>,
    /// The epochs of older builds directories, whose tables are gone.
    pub(super) older_builds: Vec<u64>,
}

/// What a publish did to the builds directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct BuildsRecord {
    /// Its path, as far as that is text.
    pub(super) path: String,
    /// The directory that was live before is `builds.<epoch>` now; there may have been none.
    pub(super) previous: Option<u64>,
}

impl Record {
    /// The record in the target, if there is one; an error if the schema is not ours.
    pub(super) fn read(client: &mut impl GenericClient) -> Result<Option<Record>> {
        let found = client
            .query_opt(
                "SELECT COALESCE(obj_description(oid, 'pg_namespace'), '') FROM pg_namespace
                 WHERE nspname = $1",
                &[&PREVIOUS_SCHEMA],
            )
            .map_err(failure("look for the tables of the import before"))?;
        let Some(found) = found else {
            return Ok(None);
        };
        Record::parse(&found.get::<_, String>(0)).map(Some)
    }

    /// The record that the schema's `comment` holds.
    pub(super) fn parse(comment: &str) -> Result<Record> {
        let not_ours = || {
            Error::target(format!(
                "the target has a schema {PREVIOUS_SCHEMA} that is not ours"
            ))
            .hint("rename it: the replaced tables are kept in a schema of that name")
        };
        let text = comment.strip_prefix(COMMENT).ok_or_else(not_ours)?;
        let value: Value = serde_json::from_str(text.trim()).map_err(|_| not_ours())?;
        let names = |value: &Value| -> Option<Vec<String>> {
            let names = value.as_array()?.iter();
            names.map(|name| name.as_str().map(str::to_owned)).collect()
        };
        let record = || {
            let builds = &value["builds"];
            let epochs = value["older_builds"].as_array()?.iter();
            Some(Record {
                schema: value["schema"].as_str()?.to_owned(),
                published: names(&value["published"])?,
                replaced: names(&value["replaced"])?,
                builds: match builds {
                    Value::Null => None,
                    builds => Some(BuildsRecord {
                        path: builds["path"].as_str()?.to_owned(),
                        previous: builds["previous"].as_u64(),
                    }),
                },
                older_builds: epochs.map(Value::as_u64).collect::<Option<_>>()?,
            })
        };
        record().ok_or_else(not_ours)
    }

    fn comment(&self) -> String {
        let builds = self
            .builds
            .as_ref()
            .map(|builds| json!({"path": builds.path, "previous": builds.previous}));
        let record = json!({
            "schema": self.schema,
            "published": self.published,
            "replaced": self.replaced,
            "builds": builds,
            "older_builds": self.older_builds,
        });
        format!("{COMMENT}\n{record}")
    }

    /// Makes it the comment on the schema.
    pub(super) fn write(&self, transaction: &mut Transaction<'_>) -> Result<()> {
        let sql = format!(
            "COMMENT ON SCHEMA {} IS {}",
            identifier(PREVIOUS_SCHEMA),
            literal(&self.comment())
        );
        transaction
            .batch_execute(&sql)
            .map_err(failure("keep the record of the publish"))
    }

    /// Whether it is the record of a publish, and not what a cut discard has left of one.
    pub(super) fn can_be_undone(&self) -> bool {
        !self.published.is_empty() || !self.replaced.is_empty()
    }

    /// The builds directory that it speaks of, which must be `builds`; none if it had no traces.
    pub(super) fn builds<'a>(
        &self,
        builds: Option<&'a BuildsDirectory>,
    ) -> Result<Option<&'a BuildsDirectory>> {
        let Some(record) = &self.builds else {
            return Ok(None);
        };
        let path = &record.path;
        match builds {
            Some(builds) if builds.path().to_string_lossy() == *path => Ok(Some(builds)),
            Some(builds) => Err(Error::usage(format!(
                "the import put its build traces into {path}, not into {}",
                builds.path().display()
            ))),
            None => Err(
                Error::usage(format!("the import put its build traces into {path}"))
                    .hint("add --builds-path"),
            ),
        }
    }

    /// All builds directories it knows of, but the live one: `builds.<epoch>`.
    pub(super) fn builds_aside(&self, builds: &BuildsDirectory) -> Vec<PathBuf> {
        let previous = self.builds.as_ref().and_then(|builds| builds.previous);
        let epochs = previous.iter().chain(&self.older_builds);
        epochs.map(|epoch| aside(builds, *epoch)).collect()
    }
}

/// The path of the builds directory that was put aside at `epoch`.
pub(super) fn aside(builds: &BuildsDirectory, epoch: u64) -> PathBuf {
    builds.beside(&format!(".{epoch}"))
}

/// Makes the schema, in place of that of the publish before, whose tables are dropped.
pub(super) fn make(transaction: &mut Transaction<'_>, record: &Record) -> Result<()> {
    let sql = format!("CREATE SCHEMA {}", identifier(PREVIOUS_SCHEMA));
    transaction
        .batch_execute(&sql)
        .map_err(failure("make the schema for the old tables"))?;
    record.write(transaction)?;
    let Some(table) = record.replaced.first() else {
        return Ok(());
    };
    own(transaction, &record.schema, table)
}

/// Gives the schema to the owner of the old tables, who will drop it one day.
fn own(transaction: &mut Transaction<'_>, schema: &str, table: &str) -> Result<()> {
    let sql = "SELECT pg_get_userbyid(c.relowner)::text, pg_get_userbyid(c.relowner) = current_user
               FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = $1 AND c.relname = $2";
    let doing = || failure("make the schema for the old tables");
    let row = transaction
        .query_one(sql, &[&schema, &table])
        .map_err(doing())?;
    if row.get::<_, bool>(1) {
        return Ok(());
    }
    let owner = identifier(&row.get::<_, String>(0));
    let sql = format!(
        "ALTER SCHEMA {} OWNER TO {owner}",
        identifier(PREVIOUS_SCHEMA)
    );
    transaction.batch_execute(&sql).map_err(doing())
}

/// Drops what is in `schema`, which must be ours, and if `schema_too` the schema. Nothing that
/// depends on it from outside is dropped; that is an error.
pub(super) fn drop_contents(
    transaction: &mut Transaction<'_>,
    schema: &str,
    schema_too: bool,
) -> Result<()> {
    let mut sql = String::new();
    let tables: Vec<String> = relations(transaction, schema, "r")?
        .iter()
        .map(|name| qualified(schema, name))
        .collect();
    if !tables.is_empty() {
        sql = format!("DROP TABLE {}; ", tables.join(", "));
    }
    for name in unowned_sequences(transaction, schema)? {
        sql += &format!("DROP SEQUENCE {}; ", qualified(schema, &name));
    }
    for name in enum_types(transaction, schema)? {
        sql += &format!("DROP TYPE {}; ", qualified(schema, &name));
    }
    if schema_too {
        sql += &format!("DROP SCHEMA {}", identifier(schema));
    }
    transaction
        .batch_execute(&sql)
        .map_err(failure("drop the tables of the import before"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_comes_back_from_its_comment() {
        let record = Record {
            schema: "a \"b\" '".to_owned(),
            published: vec!["t".to_owned(), "日本".to_owned()],
            replaced: vec!["t".to_owned()],
            builds: Some(BuildsRecord {
                path: "/a/builds".to_owned(),
                previous: Some(1_443_700_800),
            }),
            older_builds: vec![1, 2],
        };
        assert_eq!(Record::parse(&record.comment()).unwrap(), record);
        let empty = Record::default();
        assert_eq!(Record::parse(&empty.comment()).unwrap(), empty);
    }

    #[test]
    fn a_foreign_comment_is_refused() {
        let with = |rest: &str| Record::parse(&format!("{COMMENT}{rest}"));
        for comment in ["", "my tables", "{}"] {
            assert!(Record::parse(comment).is_err(), "{comment}");
        }
        for rest in ["", "\n{}", "\n{\"schema\":1}", "\n["] {
            let error = with(rest).unwrap_err().to_string();
            assert!(error.ends_with("that is not ours"), "{error}");
        }
    }
}
