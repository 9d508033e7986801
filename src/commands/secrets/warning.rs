//! Warnings about a file with the key.

use crate::error::codes::Code;
use crate::gitlab::secrets::SecretsFile;
use crate::ui::terminal;

/// Warns if others can read the file, or if GitLab does not take its key.
pub(in crate::commands) fn warn_of(secrets: &SecretsFile) {
    let path = secrets.path.display();
    if secrets.others_can_read {
        terminal::warn(
            Code::SecretsReadable,
            &format!(
                "others can read {path}, and with it all secret variables; chmod 600 keeps it to its owner"
            ),
        );
    }
    if secrets.omnibus_ignores_it {
        terminal::warn(
            Code::SecretsOfOmnibus,
            &format!(
                "{path} sets gitlab_rails['db_key_base'], which Omnibus 8.0 replaces by a generated key of gitlab_ci: set \
             gitlab_ci['db_key_base'] in the gitlab.rb of GitLab"
            ),
        );
    }
}
