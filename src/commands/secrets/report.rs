//! The report of a check of encrypted values, as text and JSON.

use std::fmt;

use serde_json::{Value, json};

use crate::error::Error;
use crate::gitlab::secrets::Checked;
use crate::ui::numbers::grouped;
use crate::ui::shown::write_line;

/// The number of projects that a text names.
const MAX_PROJECTS: usize = 20;

/// The result of a check.
#[derive(Debug)]
pub struct Report {
    /// The archive or the database.
    pub(super) values_of: String,
    /// The file with the key.
    pub(super) secrets: String,
    /// What was found.
    pub(super) checked: Checked,
}

impl Report {
    /// The error if a value does not decrypt.
    #[must_use]
    pub fn failure(&self) -> Option<Error> {
        not_decrypted(&self.checked, &self.secrets)
    }

    /// The report as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let checked = &self.checked;
        let projects = checked.projects.iter();
        let projects: Vec<Value> = projects
            .map(|(project, values)| json!({"project_id": project, "values": values}))
            .collect();
        json!({
            "values_of": self.values_of,
            "secrets": self.secrets,
            "encrypted_values": checked.values(),
            "decrypt": checked.decrypt,
            "do_not_decrypt": checked.failed(),
            "damaged": checked.damaged,
            "never_encrypted": checked.never_encrypted,
            "projects": projects,
            "more_projects": checked.has_more_projects,
        })
    }
}

/// The error if a value does not decrypt with the key in the file `secrets`.
pub(in crate::commands) fn not_decrypted(checked: &Checked, secrets: &str) -> Option<Error> {
    let (failed, values) = (checked.failed(), checked.values());
    if failed == 0 {
        return None;
    }
    let message = format!(
        "{} of {} encrypted values do not decrypt with the key in {secrets}",
        grouped(failed),
        grouped(values)
    );
    let hint = if checked.decrypt == 0 && checked.other_key > 0 {
        "it is not the key of this GitLab CI: look for db_key_base on its server (ci-import secrets show --install DIR)"
    } else if checked.other_key > 0 {
        "other values were encrypted with another key; if GitLab CI still has this key, it cannot read them either"
    } else {
        "these values are damaged: no key decrypts them, and GitLab CI itself cannot read them"
    };
    Some(Error::failed(message).hint(hint))
}

/// The lines about the projects with values that do not decrypt.
pub(in crate::commands) fn project_lines(checked: &Checked) -> Vec<String> {
    let mut lines: Vec<String> = checked
        .projects
        .iter()
        .take(MAX_PROJECTS)
        .map(|(project, values)| match project {
            Some(id) => format!("project {id}: {}", grouped(*values)),
            None => format!("without a project: {}", grouped(*values)),
        })
        .collect();
    let more = checked.projects.len().saturating_sub(MAX_PROJECTS);
    if more > 0 {
        let at_least = if checked.has_more_projects {
            "at least "
        } else {
            ""
        };
        lines.push(format!("{at_least}{} more projects", grouped(more as u64)));
    }
    lines
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let checked = &self.checked;
        let (values, of) = (grouped(checked.values()), &self.values_of);
        write_line!(f, "{of}: {values} encrypted values")?;
        if checked.values() > 0 {
            let (decrypt, failed) = (grouped(checked.decrypt), grouped(checked.failed()));
            write_line!(f, "  {decrypt} decrypt with the key in {}", self.secrets)?;
            write_line!(f, "  {failed} do not decrypt")?;
        }
        for line in project_lines(checked) {
            write_line!(f, "    {line}")?;
        }
        if checked.damaged > 0 {
            let damaged = grouped(checked.damaged);
            write_line!(
                f,
                "  {damaged} of these are damaged, or lack an IV or a salt: no key decrypts them"
            )?;
        }
        if checked.never_encrypted > 0 {
            let count = grouped(checked.never_encrypted);
            write_line!(
                f,
                "  {count} values were never encrypted: GitLab takes them for empty"
            )?;
        }
        Ok(())
    }
}
