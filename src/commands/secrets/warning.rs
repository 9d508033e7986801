//! The warning about a file of secrets that others can read.

use crate::gitlab::secrets::SecretsFile;
use crate::ui::terminal;

/// Warns if others can read the file.
pub(in crate::commands) fn warn_if_readable(secrets: &SecretsFile) {
    if secrets.others_can_read {
        let path = secrets.path.display();
        terminal::warn(&format!(
            "others can read {path}, and with it all secret variables; chmod 600 keeps it to its owner"
        ));
    }
}
