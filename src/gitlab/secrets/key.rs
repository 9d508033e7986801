//! The key.

use std::fmt;

use zeroize::Zeroizing;

use crate::error::{Error, Result};

/// The key `db_key_base`. It is overwritten in memory when it is dropped, and no message shows it.
#[derive(Clone)]
pub struct Key(Zeroizing<String>);

impl Key {
    /// The key that is written as `text`.
    pub fn new(text: String) -> Result<Key> {
        let key = Key(Zeroizing::new(text));
        if key.0.is_empty() {
            return Err(Error::usage("db_key_base is empty"));
        }
        if key.0.contains("<%") {
            return Err(
                Error::usage("db_key_base has ERB (<% … %>), which only Ruby can run")
                    .hint("write a file with the key that ERB inserts"),
            );
        }
        Ok(key)
    }

    /// The key itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}
