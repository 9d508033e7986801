//! The version of the GitLab CI that is backed up.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Where GitLab CI is installed: from source, and from an Omnibus package.
const INSTALLATIONS: [&str; 2] = [
    "/home/gitlab_ci/gitlab-ci",
    "/opt/gitlab/embedded/service/gitlab-ci",
];

/// A file with a version is not longer.
const MOST_BYTES: u64 = 256;

/// The version of GitLab CI: as typed, of the installation that is named, or of one in a usual place. None if there is none.
pub(super) fn of_ci(typed: Option<&str>, install: Option<&Path>) -> Result<Option<String>> {
    if let Some(version) = typed {
        return check(version).map(Some);
    }
    if let Some(install) = install {
        let file = install.join("VERSION");
        let Some(version) = read(&file) else {
            return Err(Error::usage(format!("cannot read {}", file.display()))
                .hint("--install names the directory of GitLab CI; --ci-version its version"));
        };
        return check(&version).map(Some);
    }
    let found = INSTALLATIONS
        .iter()
        .find_map(|place| read(&PathBuf::from(place).join("VERSION")));
    found.map(|version| check(&version)).transpose()
}

fn read(file: &Path) -> Option<String> {
    let metadata = std::fs::metadata(file).ok()?;
    if !metadata.is_file() || metadata.len() > MOST_BYTES {
        return None;
    }
    let text = std::fs::read_to_string(file).ok()?;
    Some(text.trim().to_owned())
}

/// An error unless it is a version whose backup can be imported.
fn check(version: &str) -> Result<String> {
    let is_part = |character: char| character.is_ascii_alphanumeric() || ".-".contains(character);
    if version.is_empty() || !version.chars().all(is_part) {
        return Err(Error::usage(format!(
            "{version:?} is not a version of GitLab CI"
        )));
    }
    let rest = version.strip_prefix("8.0");
    if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-'])) {
        return Ok(version.to_owned());
    }
    Err(Error::usage(format!(
        "GitLab CI is {version}; only 8.0 can be imported into GitLab 8.0"
    ))
    .hint("upgrade GitLab CI to 8.0 first"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_8_0_is_backed_up() {
        assert_eq!(
            of_ci(Some("8.0.5"), None).unwrap().as_deref(),
            Some("8.0.5")
        );
        for wrong in ["7.14.3", "8.1.0", "8.00", "", "8.0.5\n:x: y"] {
            assert!(of_ci(Some(wrong), None).is_err(), "{wrong}");
        }
        let install = tempfile::tempdir().unwrap();
        assert!(of_ci(None, Some(install.path())).is_err());
        std::fs::write(install.path().join("VERSION"), "8.0.4\n").unwrap();
        let found = of_ci(None, Some(install.path())).unwrap();
        assert_eq!(found.as_deref(), Some("8.0.4"));
    }
}
