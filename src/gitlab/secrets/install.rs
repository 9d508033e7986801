//! Finds the key of a GitLab CI in the directories of its installation.

use std::path::{Path, PathBuf};

use super::file::{json, text_of, yaml};
use super::key::Key;
use super::ruby;
use crate::error::{Error, Result};

/// An installation, with its key.
#[derive(Debug)]
pub struct Installed {
    /// The file with the key.
    pub file: PathBuf,
    /// The key.
    pub key: Key,
}

/// Where a `secrets.yml` of GitLab CI is, below its own directory, the home directory of its user, `/opt/gitlab`,
/// `/var/opt/gitlab` or a copy of the whole machine.
const SECRETS_YML: [&str; 10] = [
    "config/secrets.yml",
    "gitlab-ci/config/secrets.yml",
    "secrets.yml",
    "etc/secrets.yml",
    "gitlab-ci/etc/secrets.yml",
    "embedded/service/gitlab-ci/config/secrets.yml",
    "gitlab/gitlab-ci/etc/secrets.yml",
    "var/opt/gitlab/gitlab-ci/etc/secrets.yml",
    "home/gitlab_ci/gitlab-ci/config/secrets.yml",
    "home/gitlab-ci/gitlab-ci/config/secrets.yml",
];

/// Where Omnibus has its two files: `/etc/gitlab`, or a copy of `/etc` or of the whole machine.
const OMNIBUS: [&str; 3] = ["", "gitlab", "etc/gitlab"];

/// The installation in `directory`.
pub fn find(directory: &Path) -> Result<Installed> {
    if !directory.is_dir() {
        return Err(Error::usage(format!(
            "{} is not a directory that can be read",
            directory.display()
        ))
        .hint("--secrets FILE takes a file"));
    }
    for below in OMNIBUS {
        if let Some(found) = omnibus(&directory.join(below))? {
            return Ok(found);
        }
    }
    let files = SECRETS_YML.iter().map(|name| directory.join(name));
    let Some(file) = files.into_iter().find(|file| file.exists()) else {
        return Err(Error::usage(format!(
            "there is no config/secrets.yml and no gitlab-secrets.json in {}",
            directory.display()
        ))
        .hint(
            "from source it is /home/gitlab_ci/gitlab-ci, of an Omnibus package /etc/gitlab; only root may read \
             them",
        ));
    };
    let (text, _) = text_of(&file)?;
    let key = yaml(&text).map_err(|error| error.at(file.display()))?;
    Ok(Installed { file, key })
}

/// What Omnibus has in `directory`: a key in `gitlab.rb` counts before the generated one in `gitlab-secrets.json`.
fn omnibus(directory: &Path) -> Result<Option<Installed>> {
    let installed = |file: &Path, key: Key| Installed {
        file: file.to_owned(),
        key,
    };
    let configuration = directory.join("gitlab.rb");
    if configuration.exists() {
        let (text, _) = text_of(&configuration)?;
        let key = ruby::assigned(&text, "gitlab_ci").and_then(|key| key.map(Key::new).transpose());
        if let Some(key) = key.map_err(|error| error.at(configuration.display()))? {
            return Ok(Some(installed(&configuration, key)));
        }
    }
    let generated = directory.join("gitlab-secrets.json");
    if !generated.exists() {
        return Ok(None);
    }
    let (text, _) = text_of(&generated)?;
    let key = json(&text).map_err(|error| error.at(generated.display()))?;
    Ok(key.map(|key| installed(&generated, key)))
}
