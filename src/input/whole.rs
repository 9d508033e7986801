//! What identifies an input among all others: the bytes of a file, or what a storage says of an object.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use sha2::{Digest, Sha256};

use crate::archive::Extent;
use crate::error::{Doing, Error, Result};
use crate::storage::Object;

/// So many bytes are read at a time.
const BLOCK_BYTES: usize = 256 * 1024;

/// All bytes of an input, which can be read again.
#[derive(Debug, Clone)]
pub enum Whole {
    /// A file.
    File(Extent),
    /// An object.
    Object(Arc<Object>),
}

impl Whole {
    /// How each identity of an input of this size begins: that another one has another size is known at once.
    #[must_use]
    pub fn beginning(&self) -> String {
        let size = match self {
            Whole::File(extent) => extent.remaining(),
            Whole::Object(object) => object.size(),
        };
        format!("size {size}, ")
    }

    /// Whether an identity can be known: a storage may not say which version of an object it has.
    #[must_use]
    pub fn is_identified(&self) -> bool {
        match self {
            Whole::File(_) => true,
            Whole::Object(object) => object.strong_etag().is_some(),
        }
    }

    /// Begins to find out the identity, beside the work.
    pub fn identify(self) -> Result<Identifying> {
        let beginning = self.beginning();
        let extent = match self {
            Whole::Object(object) => {
                let etag = object.strong_etag().ok_or_else(|| {
                    Error::failed("the storage does not say which version of the object it has")
                })?;
                return Ok(Identifying::Known(format!(
                    "{beginning}ETag {etag} of {}",
                    object.url()
                )));
            }
            Whole::File(extent) => extent,
        };
        let stopped = Arc::new(AtomicBool::new(false));
        let is_stopped = Arc::clone(&stopped);
        let thread = std::thread::Builder::new()
            .name("identity".to_owned())
            .spawn(move || sha256(extent, &is_stopped))
            .doing("start a thread")?;
        Ok(Identifying::Reading {
            beginning,
            thread: Some(thread),
            stopped,
        })
    }
}

/// The identity of an input, as soon as it is known.
#[derive(Debug)]
pub enum Identifying {
    /// It is known.
    Known(String),
    /// A thread reads the file.
    Reading {
        /// See [`Whole::beginning`].
        beginning: String,
        /// The thread, which returns the checksum.
        thread: Option<JoinHandle<Result<String>>>,
        /// Tells it that nobody wants to know any more.
        stopped: Arc<AtomicBool>,
    },
}

impl Identifying {
    /// Waits for it.
    pub fn known(mut self) -> Result<String> {
        match &mut self {
            Identifying::Known(identity) => Ok(std::mem::take(identity)),
            Identifying::Reading {
                beginning, thread, ..
            } => {
                let crashed = |_| Error::failed("the thread that reads the input crashed");
                let ended = thread.take().map(JoinHandle::join).transpose();
                let sum = ended.map_err(crashed)?.transpose()?.unwrap_or_default();
                Ok(format!("{beginning}SHA-256 {sum}"))
            }
        }
    }
}

impl Drop for Identifying {
    fn drop(&mut self) {
        if let Identifying::Reading {
            thread, stopped, ..
        } = self
        {
            stopped.store(true, Ordering::Relaxed);
            // It notices that after a block.
            let _ = thread.take().map(JoinHandle::join);
        }
    }
}

/// The SHA-256 of `bytes`.
#[must_use]
pub fn checksum(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The checksum of all bytes of `extent`.
fn sha256(mut extent: Extent, stopped: &AtomicBool) -> Result<String> {
    let mut sum = Sha256::new();
    let mut block = vec![0; BLOCK_BYTES];
    while !stopped.load(Ordering::Relaxed) {
        let count = extent.read(&mut block).doing("read the input")?;
        if count == 0 {
            return Ok(hexadecimal(&sum.finalize()));
        }
        sum.update(&block[..count]);
    }
    Err(Error::interrupted())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_file_has_the_checksum_of_its_bytes() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"abc").unwrap();
        let whole = Whole::File(Extent::new(Arc::new(file), 0, 3));
        assert!(whole.is_identified());
        // FIPS 180-2, appendix B.1.
        assert_eq!(
            whole.identify().unwrap().known().unwrap(),
            "size 3, SHA-256 ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
