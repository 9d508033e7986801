//! Reads the key out of a file: a `secrets.yml`, Omnibus' `gitlab-secrets.json` or `gitlab.rb`, or what the task
//! `show_secrets` printed. The content decides which it is.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use zeroize::Zeroizing;

use super::key::Key;
use super::ruby;
use crate::error::{Error, Result};
use crate::gitlab::yaml::of_settings;

/// The largest file. A `gitlab.rb` with all its comments has about 100 KiB.
const MAX_BYTES: u64 = 1024 * 1024;

/// The environment of a `secrets.yml` that GitLab and GitLab CI use.
const ENVIRONMENT: &str = "production";

/// The sections of Omnibus with a key. In version 8.0, the key of GitLab CI is the one that counts.
const SECTIONS: [&str; 2] = ["gitlab_ci", "gitlab_rails"];

/// A file with the key.
#[derive(Debug, Clone)]
pub struct SecretsFile {
    /// Its path.
    pub path: PathBuf,
    /// The key.
    pub key: Key,
    /// Whether other users can read it, or its group can.
    pub others_can_read: bool,
    /// Whether the key is in a line that Omnibus 8.0 ignores.
    pub omnibus_ignores_it: bool,
}

/// A section or an environment. Other keys may have any value.
#[derive(Deserialize)]
struct Section {
    db_key_base: Option<String>,
}

#[derive(Deserialize)]
struct Json {
    gitlab_ci: Option<Section>,
    gitlab_rails: Option<Section>,
}

/// Reads the key out of the file at `path`.
pub fn read(path: &Path) -> Result<SecretsFile> {
    let (text, others_can_read) = text_of(path)?;
    let key = parse(&text).map_err(|error| error.at(path.display()))?;
    Ok(SecretsFile {
        omnibus_ignores_it: omnibus_ignores_it(&text),
        path: path.to_owned(),
        key,
        others_can_read,
    })
}

/// The text of a file, and whether others can read it.
pub(super) fn text_of(path: &Path) -> Result<(Zeroizing<String>, bool)> {
    let unreadable = |cause: std::io::Error| {
        Error::usage(format!("cannot read {}: {cause}", path.display()))
            .caused_by(cause)
            .hint_if_denied(|| {
                "only root and GitLab's user may read it: run it with sudo".to_owned()
            })
    };
    let mut file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    let mut text = Zeroizing::new(String::new());
    // It is not moved while it grows, so that no copy stays in memory.
    text.reserve(usize::try_from(metadata.len().min(MAX_BYTES) + 1).unwrap_or_default());
    let read = (&mut file).take(MAX_BYTES + 1).read_to_string(&mut text);
    read.map_err(unreadable)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(Error::usage(format!(
            "{} is larger than {} MiB, so it is not a file of secrets",
            path.display(),
            MAX_BYTES / 1024 / 1024
        )));
    }
    Ok((text, metadata.is_file() && metadata.mode() & 0o044 != 0))
}

/// The key in `text`.
pub(super) fn parse(text: &str) -> Result<Key> {
    if text.trim_start().starts_with('{') {
        return json(text)?.ok_or_else(|| no_key("a section gitlab_ci with db_key_base"));
    }
    for section in SECTIONS {
        if let Some(key) = ruby::assigned(text, section)? {
            return Key::new(key);
        }
    }
    yaml(text)
}

/// Whether `text` is a `gitlab.rb` that sets only `gitlab_rails['db_key_base']`. The output of `show_secrets` has a
/// `secrets.yml` above that line.
fn omnibus_ignores_it(text: &str) -> bool {
    let is_set = |section| matches!(ruby::assigned(text, section), Ok(Some(_)));
    is_set("gitlab_rails")
        && !is_set("gitlab_ci")
        && !text.lines().any(|line| line.starts_with("production:"))
}

/// The key in a `gitlab-secrets.json`.
pub(super) fn json(text: &str) -> Result<Option<Key>> {
    let read: Json = serde_json::from_str(text).map_err(|error| {
        // The parser's message may quote a secret.
        let (line, column) = (error.line(), error.column());
        Error::usage(format!(
            "it cannot be read as JSON: line {line}, column {column}"
        ))
    })?;
    let key = [read.gitlab_ci, read.gitlab_rails]
        .into_iter()
        .find_map(|section| section?.db_key_base);
    key.map(Key::new).transpose()
}

/// The key in a `secrets.yml`.
pub(super) fn yaml(text: &str) -> Result<Key> {
    let environments: BTreeMap<String, Option<Section>> =
        serde_saphyr::from_str_with_options(text, of_settings()).map_err(|error| {
            let place = error.location().map_or_else(String::new, |location| {
                format!(": line {}, column {}", location.line(), location.column())
            });
            let error = Error::usage(format!(
                "it cannot be read as the YAML of a secrets.yml{place}"
            ));
            if text.contains("<%") {
                return error.hint("it has ERB (<% … %>), which only Ruby can run");
            }
            error.hint(ACCEPTED)
        })?;
    let mut environments = environments;
    let section = environments.remove(ENVIRONMENT).flatten();
    let key = section.and_then(|section| section.db_key_base);
    Key::new(key.ok_or_else(|| no_key("production: with db_key_base: below it"))?)
}

const ACCEPTED: &str = "the file can be a secrets.yml, Omnibus' gitlab-secrets.json or gitlab.rb, or the output of \
                        show_secrets";

fn no_key(expected: &str) -> Error {
    Error::usage(format!("it does not have the key: {expected}")).hint(ACCEPTED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_each_kind_of_file() {
        let shown = "\nIf you are moving to an installation from source, replace\n\n---\nproduction:\n  \
            db_key_base: \"k3y\"\n\nOmnibus:\n\ngitlab_rails['db_key_base'] = \"k3y\"\n\n";
        for text in [
            shown,
            "production:\n  db_key_base: k3y\n",
            "---\ndevelopment:\n  db_key_base: development\nproduction:\n  secret_key_base: x\n  db_key_base: 'k3y'\n",
            "base: &a\n  db_key_base: k3y\nproduction:\n  <<: *a\n",
            "{\"gitlab_rails\": {\"secret_token\": \"x\"}, \"gitlab_ci\": {\"db_key_base\": \"k3y\", \"list\": [1]}}",
            "{\"gitlab_rails\": {\"db_key_base\": \"k3y\"}}",
            "{\"gitlab_rails\": {\"db_key_base\": \"x\"}, \"gitlab_ci\": {\"db_key_base\": \"k3y\"}}",
            "external_url 'x'\ngitlab_rails['db_key_base'] = 'x'\ngitlab_ci['db_key_base'] = 'k3y'\n",
        ] {
            assert_eq!(parse(text).expect(text).expose(), "k3y", "{text}");
        }
    }

    #[test]
    fn a_line_that_omnibus_ignores() {
        let (rails, ci) = (
            "gitlab_rails['db_key_base'] = 'a'\n",
            "gitlab_ci['db_key_base'] = 'b'\n",
        );
        assert!(omnibus_ignores_it(rails));
        assert!(!omnibus_ignores_it(&format!("{rails}{ci}")));
        let shown = format!("production:\n  db_key_base: \"a\"\n\n{rails}");
        assert!(!omnibus_ignores_it(&shown));
    }

    #[test]
    fn errors_do_not_show_secrets() {
        for text in [
            "",
            "k3y",
            "k3y: [",
            "production: k3y",
            "production:\n  db_key_base:\n  other: k3y",
            "production:\n  db_key_base: ''\n  other: k3y",
            "production:\n  db_key_base: <%= 'k3y' %>",
            "<% k3y %>\nproduction:\n\tdb_key_base: x",
            "test:\n  db_key_base: k3y",
            "{\"gitlab_ci\": {\"db_key_base\": 5, \"x\": \"k3y\"}}",
            "{\"gitlab_ci\": \"k3y\"}",
            "{\"gitlab_ci\": {\"x\": \"k3y\"}}",
            "gitlab_ci['db_key_base'] = k3y",
        ] {
            let error = parse(text).expect_err(text);
            let hint = error.hint_text().unwrap_or_default();
            assert!(!format!("{error:?}{hint}").contains("k3y"), "{error:?}");
        }
        assert_eq!(
            format!("{:?}", Key::new("k3y".to_owned()).unwrap()),
            "Key(…)"
        );
    }
}
