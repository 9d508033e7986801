//! A mapping file with the policies that a dump needs.

use std::collections::BTreeMap;
use std::path::Path;

use super::Findings;
use super::suggest::{NEEDED, values};
use crate::error::{Doing, Error, Result};
use crate::output::OutputFile;

impl Findings {
    /// Writes the mapping file to a new file at `path`, or to standard output for `-`.
    pub fn write_map(&self, path: &Path) -> Result<()> {
        if self.information.is_some() {
            return Err(Error::usage(
                "a mapping file is for a dump, and this is an archive of GitLab CI",
            ));
        }
        if self.facts.postgresql || self.facts.converted {
            return Err(Error::usage("a mapping file is for a dump of MySQL"));
        }
        let shown = path.display();
        if path.is_file() {
            return Err(Error::usage(format!("{shown} exists already"))
                .hint("name another file, or - for standard output"));
        }
        let output = OutputFile::create(Some(path))?;
        let written = output.fill(self.map().as_bytes());
        written.doing(format!("write {shown}"))?;
        output.keep_new()
    }

    /// The mapping file.
    fn map(&self) -> String {
        let mut text = "# What tables and columns become, for ci-import --map. What is not here becomes what the\n\
                        # options say. Keys of a table: name, schema, skip. Of a column: name, type, skip.\n\
                        # Of both: the policies.\n"
            .to_owned();
        if let Some(databases) = self.databases_to_choose() {
            text.push_str("# Besides this file the import needs --databases-to-schemas.\n");
            for name in databases {
                let key = quoted(name);
                text.push_str(&format!("\n[databases.{key}]\nschema = {key}\n"));
            }
        }
        for ((table, column), lines) in self.columns() {
            let (table, column) = (quoted(table), quoted(column));
            text.push_str(&format!("\n[tables.{table}.columns.{column}]\n"));
            for line in lines {
                text.push_str(&line);
                text.push('\n');
            }
        }
        text
    }

    /// The lines for each column that needs some.
    fn columns(&self) -> BTreeMap<(&str, &str), Vec<String>> {
        let mut columns: BTreeMap<_, Vec<String>> = BTreeMap::new();
        for needed in NEEDED {
            for (table, column, found) in self.with_change(needed.change) {
                let ((name, choice), what) = (needed.policy, needed.what);
                let lines = columns.entry((table, column)).or_default();
                lines.push(format!("# {} {what}", values(needed.change, found)));
                lines.push(format!("{name} = \"{choice}\""));
            }
        }
        for (table, column, why) in self.unsupported() {
            let lines = columns.entry((table, column)).or_default();
            lines.push(format!("# {}", in_line(why)));
            lines.push("skip = true".to_owned());
        }
        columns
    }
}

/// A basic string of TOML, which has the escapes of JSON.
fn quoted(name: &str) -> String {
    let json = serde_json::Value::String(name.to_owned()).to_string();
    json.replace('\u{7f}', "\\u007f")
}

/// `text` for a comment.
fn in_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}
