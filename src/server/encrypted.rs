//! The encrypted values in the tables of CI: of the live ones, or of the staged ones.

use crate::error::Result;
use crate::gitlab::secrets::{EncryptedRow, Held};

/// Receives encrypted values.
pub type TakeEncrypted<'a> = dyn FnMut(EncryptedRow) -> Result<()> + 'a;

/// Reads the encrypted values of a target.
pub trait ReadsEncrypted {
    /// Counts the encrypted values in the tables of CI in `schema`.
    fn count_encrypted(&mut self, schema: &str) -> Result<Held>;

    /// Hands the encrypted values in the tables of CI in `schema` to `take`.
    fn read_encrypted(&mut self, schema: &str, take: &mut TakeEncrypted<'_>) -> Result<()>;
}
