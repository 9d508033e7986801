//! The record of a staging that is kept for a second try, because others held the live tables. The import that has loaded
//! and verified it writes the record into the target; `ci-import publish` follows it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::outcome::SchemaTables;
use crate::traces::KeptPlace;

/// What is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// The version of the program that has loaded it.
    pub program: String,
    /// The name of the archive or dump.
    pub input: String,
    /// What identifies it, if that is to be known later.
    #[serde(default)]
    pub identity: Option<String>,
    /// The time when it was loaded.
    pub loaded_at: String,
    /// Whether it is a backup of GitLab CI.
    pub is_backup: bool,
    /// The schema that the tables are for.
    pub schema: String,
    /// The staged tables, all of them.
    pub tables: Vec<KeptTable>,
    /// The staged traces.
    pub traces: Option<KeptTraces>,
    /// Whether the tables of a dump may replace others.
    pub replace: bool,
    /// Whether the version of the target's GitLab does not matter.
    pub ignore_target_version: bool,
    /// Whether tables that a cluster distributes may be replaced.
    #[serde(default)]
    pub undistribute: bool,
    /// Whether a changed value is a failure.
    pub strict: bool,
    /// What the report says of it.
    pub report: Value,
}

/// A table that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptTable {
    /// The schema that it is for, if the tables are for several.
    #[serde(default)]
    pub schema: Option<String>,
    /// Its name.
    pub name: String,
    /// The number of its rows.
    pub rows: u64,
    /// The column that gets its values from a sequence, or by AUTO_INCREMENT.
    pub numbered: Option<String>,
}

/// Traces that are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptTraces {
    /// Files.
    pub files: u64,
    /// Bytes of their content.
    pub bytes: u64,
    /// Where they are.
    #[serde(flatten)]
    pub place: KeptPlace,
}

impl Kept {
    /// The record as text.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The record in `text`, which [`Kept::to_json`] has written.
    #[must_use]
    pub fn from_json(text: &str) -> Option<Kept> {
        serde_json::from_str(text).ok()
    }

    /// What it is, in messages.
    #[must_use]
    pub fn told(&self) -> String {
        format!("what was loaded at {} from {}", self.loaded_at, self.input)
    }

    /// The names of the tables, those of other schemas by their schemas.
    #[must_use]
    pub fn sorted(&self) -> (Vec<&str>, Vec<SchemaTables<'_>>) {
        let tables = self.tables.iter();
        SchemaTables::sorted(tables.map(|table| (table.schema.as_deref(), table.name.as_str())))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_record_comes_back_from_its_text() {
        let kept = Kept {
            program: "1".to_owned(),
            input: "a \"b\" '".to_owned(),
            identity: Some("size 1".to_owned()),
            loaded_at: "now".to_owned(),
            is_backup: true,
            schema: "日本".to_owned(),
            tables: vec![KeptTable {
                schema: Some("s".to_owned()),
                name: "t".to_owned(),
                rows: u64::MAX,
                numbered: Some("id".to_owned()),
            }],
            traces: None,
            replace: false,
            ignore_target_version: true,
            undistribute: true,
            strict: false,
            report: json!({"tables": [1, null, "a"]}),
        };
        assert_eq!(Kept::from_json(&kept.to_json()), Some(kept));
        for text in ["", "{}", "{\"schema\":1}", "["] {
            assert_eq!(Kept::from_json(text), None, "{text}");
        }
    }
}
