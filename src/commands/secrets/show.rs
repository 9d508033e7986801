//! `ci-import secrets show`: what to write where, so that GitLab has the key of GitLab CI.

use super::warn_of;
use crate::cli::arguments::ShowSecretsArgs;
use crate::error::{Error, Result};
use crate::gitlab::secrets::{find, instructions, read};
use crate::ui::shown::Shown;

/// The steps, with the key.
pub fn run(arguments: &ShowSecretsArgs) -> Result<String> {
    let (file, key) = match (&arguments.install, &arguments.secrets) {
        (Some(directory), _) => {
            let installed = find(directory)?;
            (installed.file, installed.key)
        }
        (None, Some(file)) => {
            let secrets = read(file)?;
            warn_of(&secrets);
            (secrets.path, secrets.key)
        }
        (None, None) => return Err(Error::usage("neither --install nor --secrets is given")),
    };
    Ok(format!(
        "The key of GitLab CI, from {}. Keep this text secret.\n\n{}",
        Shown(file.display()),
        instructions(&key)
    ))
}
