//! `backup_information.yml`: the version that made the archive, and whether it may be imported.

use serde::Deserialize;

use super::yaml;

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

/// The keys are Ruby symbols. Other keys may have any value.
#[derive(Deserialize)]
struct Written {
    #[serde(rename = ":gitlab_version")]
    gitlab_version: Option<String>,
    #[serde(rename = ":backup_created_at")]
    backup_created_at: Option<String>,
    #[serde(rename = ":db_version")]
    db_version: Option<String>,
}

/// Parses the file: YAML as Ruby's Psych writes it, which folds long values and may quote them over several lines.
/// Anchors and deep nesting are refused; they would let a small file grow without bounds.
pub fn parse(content: &[u8]) -> Result<Information> {
    let damaged = |what: String| Error::archive(format!("{INFORMATION}: {what}"));
    let text = std::str::from_utf8(content).map_err(|_| damaged("it is not UTF-8".to_owned()))?;
    let written: Written =
        serde_saphyr::from_str_with_options(text, yaml::of_data()).map_err(|error| {
            let place = error.location().map_or_else(String::new, |location| {
                format!(" at line {}, column {}", location.line(), location.column())
            });
            damaged(format!(
                "it cannot be read as YAML with keys and values{place}"
            ))
        })?;
    let value = |key: &str, written: Option<String>| {
        let value = written.unwrap_or_default().trim().to_owned();
        if value.contains(char::is_control) {
            return Err(damaged(format!(
                "the value of :{key} has control characters"
            )));
        }
        Ok((!value.is_empty()).then_some(value))
    };
    Ok(Information {
        version: value("gitlab_version", written.gitlab_version)?
            .ok_or_else(|| damaged("it has no :gitlab_version".to_owned()))?,
        created_at: value("backup_created_at", written.backup_created_at)?,
        db_version: value("db_version", written.db_version)?,
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

    /// All of these are in the YAML that Ruby's Psych writes, from Ruby 1.9 to 3.
    #[test]
    fn values_in_all_styles_of_yaml() {
        let created = "2015-10-01 12:00:00.123456789 +00:00";
        for (written, value) in [
            ("8.0.5", "8.0.5"),
            ("'8.0.5'", "8.0.5"),
            ("\"8.0.5\"", "8.0.5"),
            ("! '8.0.5'", "8.0.5"),
            ("!str 8.0.5", "8.0.5"),
            ("8.0", "8.0"),
            ("8.0.5 # as always", "8.0.5"),
            ("8.0.5\n  on two lines", "8.0.5 on two lines"),
            ("'8.0.5\n  it''s quoted'", "8.0.5 it's quoted"),
            ("\"8.0.5\\\n  \\ and \\u00e9\"", "8.0.5 and é"),
            (">-\n  8.0.5\n  folded", "8.0.5 folded"),
            ("|-\n  8.0.5", "8.0.5"),
            ("|+\n  8.0.5\n\n", "8.0.5"),
            ("|2-\n  8.0.5", "8.0.5"),
            ("\n  8.0.5", "8.0.5"),
        ] {
            for (before, after) in [("", "\n"), ("---\n", "\n...\n"), ("--- \n# x\n", "\n")] {
                let content = format!(
                    "{before}:gitlab_version: {written}\n:backup_created_at: {created}{after}"
                );
                for content in [content.replace('\n', "\r\n"), content] {
                    let information = parse(content.as_bytes()).expect(&content);
                    assert_eq!(information.version, value, "{content}");
                    assert_eq!(information.created_at.as_deref(), Some(created));
                }
            }
        }
    }

    /// GNU tar's and bsdtar's versions as Psych writes them, and keys that other versions have.
    #[test]
    fn other_keys_may_have_any_value() {
        for other in [
            ":tar_version: bsdtar 3.7.2 - libarchive 3.7.2 zlib/1.2.13 liblzma/5.4.4 bz2lib/1.0.8\n  libb2/bundled",
            ":tar_version: |\n  tar (GNU tar) 1.29\n  Copyright: GPLv3+",
            ":tar_version: ! 'tar (GNU tar) 1.26

  Copyright'",
            ":tar_version: \"tar: x\\nCopyright (C) 2013\\n\"",
            ":folded: >\n  a\n\n  b\n   c\n",
            ":blank: \"a\n\n  b\"",
            ":skipped: ''",
            ":skipped:",
            ":list: [a, {b: c}]",
            ":list:\n- a\n- b",
        ] {
            let content = format!("{other}\n:gitlab_version: 8.0.5\n");
            let information = parse(content.as_bytes()).expect(other);
            assert_eq!(information.version, "8.0.5", "{other}");
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
