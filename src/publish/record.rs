//! The record of a publish: the published tables, the replaced tables, and the place of the old builds
//! directory. `rollback` and `discard` use it. It is the same for all targets; each target stores it in its
//! own way.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::outcome::{InputRecord, LiveInput};
use super::prefixes::PrefixRecord;
use crate::error::{Error, Result};
use crate::traces::BuildsDirectory;

/// What a publish has done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Record {
    /// The schema of the live tables; in MySQL, the database.
    pub(crate) schema: String,
    /// The published tables.
    pub(crate) published: Vec<String>,
    /// The replaced tables, which are kept aside.
    pub(crate) replaced: Vec<String>,
    /// The builds directory, if the publish had traces.
    pub(crate) builds: Option<BuildsRecord>,
    /// The epochs of older builds directories, whose tables were dropped.
    pub(crate) older_builds: Vec<u64>,
    /// Older directories beside other builds directories.
    pub(crate) elsewhere: Vec<DirectoriesRecord>,
    /// The prefixes of an object storage with traces.
    pub(crate) prefixes: PrefixRecord,
    /// The archive or dump that is live, if the publish knew which it is.
    pub(crate) input: Option<InputRecord>,
    /// What it did in other schemas, if each database of a dump has one.
    pub(crate) others: Vec<RecordOfSchema>,
}

/// What a publish has done in another schema.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RecordOfSchema {
    /// The schema of the live tables.
    pub(crate) schema: String,
    /// The published tables.
    pub(crate) published: Vec<String>,
    /// The replaced tables, which are kept aside.
    pub(crate) replaced: Vec<String>,
}

/// Replaced directories beside a builds directory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DirectoriesRecord {
    /// Its path.
    pub(crate) path: String,
    /// Their epochs.
    pub(crate) epochs: Vec<u64>,
}

/// What a publish did to the builds directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct BuildsRecord {
    /// The path, if it is text.
    pub(crate) path: String,
    /// The epoch of `builds.<epoch>`, the directory that was live before, if there was one.
    pub(crate) previous: Option<u64>,
}

impl Record {
    /// The record in `text`, which [`Record::to_json`] has written.
    pub(crate) fn from_json(text: &str) -> Option<Record> {
        let value: Value = serde_json::from_str(text).ok()?;
        let names = |value: &Value| -> Option<Vec<String>> {
            let names = value.as_array()?.iter();
            names.map(|name| name.as_str().map(str::to_owned)).collect()
        };
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
            // An earlier version of the program recorded none of these.
            input: match &value["input"] {
                Value::Null => None,
                input => Some(serde_json::from_value(input.clone()).ok()?),
            },
            elsewhere: match &value["elsewhere"] {
                Value::Null => Vec::new(),
                elsewhere => serde_json::from_value(elsewhere.clone()).ok()?,
            },
            prefixes: match &value["prefixes"] {
                Value::Null => PrefixRecord::default(),
                prefixes => {
                    let prefixes = serde_json::from_value::<PrefixRecord>(prefixes.clone());
                    prefixes.ok()?.canonical()
                }
            },
            others: match &value["others"] {
                Value::Null => Vec::new(),
                others => serde_json::from_value(others.clone()).ok()?,
            },
        })
    }

    /// The record as text.
    pub(crate) fn to_json(&self) -> String {
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
            "elsewhere": (!self.elsewhere.is_empty()).then_some(&self.elsewhere),
            "prefixes": (!self.prefixes.is_empty()).then_some(&self.prefixes),
            "input": self.input,
            "others": self.others,
        });
        record.to_string()
    }

    /// What is live by this record, if that is known and nobody has discarded what it replaced.
    pub(crate) fn live_input(self) -> Option<LiveInput> {
        if !self.can_be_undone() {
            return None;
        }
        Some(LiveInput {
            input: self.input?,
            schema: self.schema,
            builds: self
                .prefixes
                .of_publish()
                .or(self.builds.map(|builds| builds.path)),
        })
    }

    /// The record of a publish whose replaced tables were dropped. It cannot be undone; only its traces are still to be
    /// removed.
    pub(crate) fn without_tables(&self) -> Record {
        Record {
            published: Vec::new(),
            replaced: Vec::new(),
            others: Vec::new(),
            ..self.clone()
        }
    }

    /// What is left of it when all that was replaced is removed: which prefix is live, if one is.
    pub(crate) fn at_rest(&self) -> Option<Record> {
        let prefixes = self.prefixes.only_live();
        let rest = Record {
            schema: self.schema.clone(),
            prefixes,
            ..Record::default()
        };
        (!rest.knows_nothing()).then_some(rest)
    }

    /// Whether it only says which prefix is live.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.at_rest().is_some_and(|rest| rest == *self)
    }

    /// Whether traces were moved aside, or replaced by others.
    pub(crate) fn has_builds_aside(&self) -> bool {
        !self.directories().is_empty() || self.prefixes.aside().next().is_some()
    }

    /// Whether it is the record of a publish, not the rest of an interrupted discard.
    pub(crate) fn can_be_undone(&self) -> bool {
        let is_something = |published: &[String], replaced: &[String]| {
            !published.is_empty() || !replaced.is_empty()
        };
        let mut others = self.others.iter();
        is_something(&self.published, &self.replaced)
            || others.any(|other| is_something(&other.published, &other.replaced))
    }

    /// The builds directory of the record, which must be `builds`; none if the publish had no traces.
    pub(crate) fn builds<'a>(
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

    /// Whether it leads to nothing.
    pub(super) fn knows_nothing(&self) -> bool {
        self.prefixes.is_empty() && self.builds.is_none() && self.elsewhere.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_comes_back_from_its_text() {
        let record = Record {
            schema: "a \"b\" '".to_owned(),
            published: vec!["t".to_owned(), "日本".to_owned()],
            replaced: vec!["t".to_owned()],
            builds: Some(BuildsRecord {
                path: "/a/builds".to_owned(),
                previous: Some(1_443_700_800),
            }),
            older_builds: vec![1, 2],
            elsewhere: vec![DirectoriesRecord {
                path: "/b".to_owned(),
                epochs: vec![3],
            }],
            prefixes: PrefixRecord {
                live: Some("s3://b/p/import-2/".to_owned()),
                previous: Some("s3://b/p/import-1/".to_owned()),
                older: Vec::new(),
            },
            input: Some(InputRecord {
                name: "a.tar".to_owned(),
                identity: "size 1".to_owned(),
            }),
            others: vec![RecordOfSchema {
                schema: "b".to_owned(),
                published: vec!["t".to_owned()],
                replaced: Vec::new(),
            }],
        };
        for record in [record, Record::default()] {
            assert_eq!(Record::from_json(&record.to_json()), Some(record));
        }
        for text in ["", "{}", "{\"schema\":1}", "["] {
            assert_eq!(Record::from_json(text), None, "{text}");
        }
    }
}
