//! `backup_information.yml`: the version that made the archive, and whether it may be imported.

use std::collections::HashMap;

use crate::archive::INFORMATION;
use crate::error::{Error, Result};

/// The largest file. The real one has four short lines.
pub const MAX_BYTES: u64 = 64 * 1024;

/// The only versions whose backups fit GitLab 8.0.
const ACCEPTED: &str = "8.0";

/// What the archive says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Information {
    /// The version of GitLab CI that made it: `8.0.5`.
    pub version: String,
    /// The time when it was made, as written.
    pub created_at: Option<String>,
    /// The last migration of the database it was made from.
    pub db_version: Option<String>,
}

/// Parses the file. It accepts only one kind of YAML: each line has a key, which is a Ruby symbol, and its plain or
/// quoted value (YAML 1.1, chapter 9.1). Anchors, lists and other forms of YAML are refused; they would let a
/// small file grow without bounds.
pub fn parse(content: &[u8]) -> Result<Information> {
    let damaged = |what: String| Error::archive(format!("{INFORMATION}: {what}"));
    let text = std::str::from_utf8(content).map_err(|_| damaged("it is not UTF-8".to_owned()))?;
    let mut values = HashMap::new();
    for line in text.lines() {
        if line.trim().is_empty() || line.starts_with('#') || line == "---" || line == "..." {
            continue;
        }
        let pair = line.strip_prefix(':').and_then(|rest| rest.split_once(':'));
        let Some((key, value)) = pair.filter(|(key, _)| !key.is_empty()) else {
            let shown: String = line.chars().take(40).collect();
            return Err(damaged(format!("{shown:?} is no key with a value")));
        };
        values.insert(key, scalar(value.trim()));
    }
    let mut value = |key: &str| values.remove(key).filter(|value| !value.is_empty());
    Ok(Information {
        version: value("gitlab_version")
            .ok_or_else(|| damaged("it has no :gitlab_version".to_owned()))?,
        created_at: value("backup_created_at"),
        db_version: value("db_version"),
    })
}

impl Information {
    /// Refuses a version with other tables.
    pub fn check_version(&self) -> Result<()> {
        let rest = self.version.strip_prefix(ACCEPTED);
        if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.')) {
            return Ok(());
        }
        Err(Error::archive(format!(
            "the archive was made by GitLab CI {}; only {ACCEPTED}.* can be imported",
            self.version
        ))
        .hint("upgrade GitLab CI to 8.0 first, then make the backup again"))
    }
}

/// A value without its quotes.
fn scalar(written: &str) -> String {
    let quoted = |quote| {
        written
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote))
    };
    match (quoted('\''), quoted('"')) {
        (Some(text), _) => text.replace("''", "'"),
        (None, Some(text)) => text.to_owned(),
        (None, None) => written.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_ruby_writes_it() {
        let lines = ":db_version: '20150921081619'\n\
            :backup_created_at: 2015-10-01 12:00:00.123456789 +00:00\n\
            :gitlab_version: 8.0.5\n:tar_version: tar (GNU tar) 1.27.1\n";
        for content in [lines.to_owned(), format!("---\n{lines}")] {
            let information = parse(content.as_bytes()).unwrap();
            assert_eq!(information.version, "8.0.5");
            assert_eq!(information.db_version.as_deref(), Some("20150921081619"));
            let created_at = information.created_at.unwrap();
            assert!(
                created_at.starts_with("2015-10-01 12:00:00"),
                "{created_at}"
            );
        }
    }

    #[test]
    fn what_is_no_information_is_refused() {
        let deep = "[".repeat(60_000);
        let many = "- ".repeat(32_000);
        let anchors = "a: &a [x]\nb: &b [*a,*a]\n:gitlab_version: 8.0.5\n";
        for content in ["", "hello", ":a: b", "[", "\u{1}", &deep, &many, anchors] {
            assert!(parse(content.as_bytes()).is_err(), "{content:.20}");
        }
        assert!(parse(b"\xff").is_err());
    }

    #[test]
    fn only_8_0_is_accepted() {
        for (version, accepted) in [
            ("8.0.0", true),
            ("8.0.5", true),
            ("8.0", true),
            ("8.0.0.rc1", true),
            ("7.14.3", false),
            ("8.1.0", false),
            ("8.00.1", false),
            ("18.0.1", false),
        ] {
            let content = format!(":gitlab_version: {version}\n");
            let information = parse(content.as_bytes()).unwrap();
            assert_eq!(information.check_version().is_ok(), accepted, "{version}");
        }
    }
}
