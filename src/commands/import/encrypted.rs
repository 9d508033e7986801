//! What the report of an import says of encrypted values.

use serde::{Deserialize, Serialize};

use crate::ui::numbers::grouped;

/// What the report says of encrypted values.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::commands) struct EncryptedValues {
    /// Their number.
    pub(super) values: u64,
    /// The number of values that were never encrypted.
    pub(super) never_encrypted: u64,
    /// The file with the key that decrypts all of them, if it was given.
    pub(super) secrets: Option<String>,
}

impl EncryptedValues {
    /// The lines of the report.
    pub(super) fn lines(&self) -> Vec<String> {
        let values = grouped(self.values);
        let mut lines = match &self.secrets {
            Some(secrets) => vec![format!(
                "all {values} decrypt with the key in {secrets}; GitLab needs the same key: ci-import secrets show \
                 --secrets FILE says where"
            )],
            None if self.values > 0 => vec![format!(
                "{values} values are encrypted with the key db_key_base of GitLab CI, which is not in the archive: copy it \
                 to GitLab (ci-import secrets show), then check it (ci-import secrets check)"
            )],
            None => Vec::new(),
        };
        if self.never_encrypted > 0 {
            let count = grouped(self.never_encrypted);
            lines.push(format!(
                "{count} values were never encrypted: GitLab takes them for empty"
            ));
        }
        lines
    }
}
