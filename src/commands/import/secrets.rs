//! The encrypted values of the staged tables: counted, and decrypted before the publish if the key is given.

use super::context::Import;
use super::encrypted::EncryptedValues;
use super::stage::Staged;
use crate::commands::secrets::{report, warn_of};
use crate::error::{Kind, Result};
use crate::gitlab::secrets::{Checking, Held, SecretsFile};
use crate::gitlab::tables::TABLES;
use crate::server::LockedTarget;

impl Import<'_> {
    /// Counts the encrypted values of the staged tables. With `--secrets`, an error if one does not decrypt.
    pub(super) fn check_secrets(
        &self,
        target: &mut dyn LockedTarget,
        staged: &Staged,
    ) -> Result<EncryptedValues> {
        let mut tables = staged.dump.tables.iter();
        if !tables.any(|table| TABLES.contains(&table.name.as_str())) {
            return Ok(EncryptedValues::default());
        }
        let held = target.count_encrypted()?;
        if let Some(secrets) = &self.settings.secrets {
            warn_of(secrets);
            self.decrypt(target, secrets, held)?;
        }
        let secrets = self.settings.secrets.as_ref();
        Ok(EncryptedValues {
            values: held.encrypted,
            never_encrypted: held.never_encrypted,
            secrets: secrets.map(|secrets| secrets.path.display().to_string()),
        })
    }

    fn decrypt(
        &self,
        target: &mut dyn LockedTarget,
        secrets: &SecretsFile,
        held: Held,
    ) -> Result<()> {
        if held.encrypted == 0 {
            return Ok(());
        }
        let meter = self.progress.steps("decrypting the encrypted values");
        let mut checking = Checking::with(&secrets.key);
        target.read_encrypted(&mut |row| {
            checking.add(row);
            self.cancellation.check()
        })?;
        let checked = checking.finish();
        meter.complete();
        let path = secrets.path.display().to_string();
        match report::not_decrypted(&checked, &path) {
            None => Ok(()),
            Some(error) => {
                let hint = error.hint_text().unwrap_or_default().to_owned();
                Err(error
                    .into_kind(Kind::Archive)
                    .adding("; nothing was published")
                    .hint(format!(
                        "{hint}; without --secrets they are imported as they are"
                    ))
                    .listing(report::project_lines(&checked)))
            }
        }
    }
}
