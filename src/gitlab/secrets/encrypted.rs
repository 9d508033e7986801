//! Decrypts a value, in memory, to know whether the key is right.
//!
//! GitLab CI 8.0 has attr_encrypted 1.3.4 in the mode `per_attribute_iv_and_salt`, and encryptor 1.3.0: the key of a value is
//! PBKDF2-HMAC-SHA1 of `db_key_base` and the value's salt, with 2000 rounds, and the cipher is AES-256-CBC with the padding
//! of PKCS #7. Value and IV are in Base64. The salt is 16 hexadecimal digits, used as they are; later versions of
//! attr_encrypted write `_` and Base64 of random bytes.

use aes::Aes256;
use cbc::Decryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit};
use pbkdf2::pbkdf2_hmac;
use sha1::Sha1;
use zeroize::Zeroizing;

use super::base64::decode;
use super::key::Key;

const ROUNDS: u32 = 2000;
const KEY_BYTES: usize = 32;
const BLOCK_BYTES: usize = 16;

/// An encrypted value, as it is in the columns of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encrypted {
    /// The encrypted value.
    pub value: Vec<u8>,
    /// The IV.
    pub iv: Option<Vec<u8>>,
    /// The salt.
    pub salt: Option<Vec<u8>>,
}

/// Why a value does not decrypt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is damaged, or its IV or salt is: no key decrypts it.
    Damaged,
    /// It was encrypted with another key, or its bytes were changed.
    OtherKey,
}

impl Encrypted {
    /// Tries to decrypt the value. With a wrong key, one of about 256 values ends with a padding by chance, so the result must
    /// be UTF-8, too, as all texts of GitLab CI are.
    pub fn decrypt(&self, key: &Key) -> Result<(), Fault> {
        let salt = self.salt.as_deref().filter(|salt| !salt.is_empty());
        let salt = match salt.ok_or(Fault::Damaged)?.split_first() {
            Some((b'_', encoded)) => decode(encoded),
            _ => self.salt.clone().unwrap_or_default(),
        };
        let iv = decode(self.iv.as_deref().unwrap_or_default());
        let iv = iv.first_chunk::<BLOCK_BYTES>().ok_or(Fault::Damaged)?;
        let mut value = Zeroizing::new(decode(&self.value));
        if value.is_empty() || !value.len().is_multiple_of(BLOCK_BYTES) {
            return Err(Fault::Damaged);
        }
        let mut derived = Zeroizing::new([0; KEY_BYTES]);
        pbkdf2_hmac::<Sha1>(key.expose().as_bytes(), &salt, ROUNDS, &mut *derived);
        let cipher = Decryptor::<Aes256>::new((&*derived).into(), iv.into());
        let text = cipher.decrypt_padded::<Pkcs7>(&mut value);
        match text.map(std::str::from_utf8) {
            Ok(Ok(_)) => Ok(()),
            _ => Err(Fault::OtherKey),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values that attr_encrypted 1.3.4 and encryptor 1.3.0 made with the key `a key`, of texts with 1, 15 and 16 bytes.
    const OF_THAT_TIME: [[&str; 3]; 3] = [
        [
            "AOhhtH3VJKkee9cZfND84w==\n",
            "nutwIzoDl73ApYRiPnTRxA==\n",
            "af05c7d3ac3dfebf",
        ],
        [
            "QuKoDqSrn9+fBDArygXtqw==\n",
            "XJDBnZ7pZgz+j0BkoLRhWA==\n",
            "5680a5498befded6",
        ],
        [
            "6j7AZoF/Pt/14/e8bm9pbEgnCkFG4A8jPOlTWKMVcw0=\n",
            "SiM5UXvao6VnuRA9zvdBbQ==\n",
            "ff237a9ae29d73a4",
        ],
    ];

    fn encrypted([value, iv, salt]: [&str; 3]) -> Encrypted {
        Encrypted {
            value: value.into(),
            iv: Some(iv.into()),
            salt: Some(salt.into()),
        }
    }

    fn key(text: &str) -> Key {
        Key::new(text.to_owned()).unwrap()
    }

    #[test]
    fn the_right_key_decrypts_and_no_other_one() {
        for value in OF_THAT_TIME {
            let encrypted = encrypted(value);
            assert_eq!(encrypted.decrypt(&key("a key")), Ok(()));
            // One of 256 of them leads to a padding.
            for number in 0..600 {
                let wrong = key(&format!("key {number}"));
                assert_eq!(encrypted.decrypt(&wrong), Err(Fault::OtherKey), "{number}");
            }
        }
    }

    #[test]
    fn what_no_key_decrypts_is_damaged() {
        let [value, iv, salt] = OF_THAT_TIME[1];
        for damaged in [
            [&value[..16], iv, salt],
            ["====", iv, salt],
            [value, "", salt],
            [value, &iv[..12], salt],
            [value, iv, ""],
        ] {
            let damaged = encrypted(damaged);
            assert_eq!(damaged.decrypt(&key("a key")), Err(Fault::Damaged));
        }
        let mut without = encrypted(OF_THAT_TIME[1]);
        without.salt = None;
        assert_eq!(without.decrypt(&key("a key")), Err(Fault::Damaged));
    }
}
