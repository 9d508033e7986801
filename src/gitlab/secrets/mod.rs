//! The secrets of GitLab CI: its key `db_key_base`, the files that contain the key, and the values of rows that are
//! encrypted with it. Neither the key nor a decrypted value is in any message.

mod base64;
mod checking;
mod columns;
mod encrypted;
mod file;
mod install;
mod key;
mod ruby;
mod show;

pub use checking::{Checked, Checking, EncryptedRow, Held};
pub use columns::{EncryptedColumn, encrypted_columns};
pub use encrypted::{Encrypted, Fault};
pub use file::{SecretsFile, read};
pub use install::{Installed, find};
pub use key::Key;
pub use show::instructions;
