//! Writes an object in parts.

use std::io::{self, Write};
use std::sync::Arc;

use bytes::Bytes;
use object_store::MultipartId;
use object_store::multipart::PartId;
use tokio::task::JoinHandle;
use tracing::debug;

use super::failure::as_io;
use super::new_object::{NewObject, Writing};
use super::runtime::{TIME_TO_END, begin, wait_a_moment_for, wait_at_most, wait_for, wait_for_end};
use super::url::ObjectUrl;
use super::watchdog::{self, Left, Watched};
use crate::cancellation::stop::{self, Removal};
use crate::error::{Error, Result};

/// So many parts an object may have in S3 and in Google Cloud Storage.
const MOST_PARTS: usize = 10_000;

/// An object that is being written. It is there after [`Upload::keep`], not before; if that does not happen, nothing is left
/// of it.
#[derive(Debug)]
pub struct Upload {
    object: Arc<NewObject>,
    id: Arc<MultipartId>,
    /// What is written, and not yet on its way.
    part: Vec<u8>,
    sending: Option<JoinHandle<Result<PartId>>>,
    parts: Vec<PartId>,
    bytes: u64,
    failed: Option<Error>,
    /// The storage forgets it even if the process is ended by force.
    removal: Removal,
    /// And if the process is killed.
    watched: Watched,
    is_open: bool,
}

impl Upload {
    /// Begins to write the object at `url`. It is an error now if it cannot be written, or exists and must not be replaced.
    pub fn begin(url: &ObjectUrl, writing: &Writing) -> Result<Upload> {
        Upload::of(NewObject::of(url, writing)?)
    }

    /// The same of an object that is known.
    pub(super) fn of(object: NewObject) -> Result<Upload> {
        let object = Arc::new(object);
        wait_for(object.refuse_existing())??;
        watchdog::start();
        // It is not given up before the storage has said which upload is to be forgotten then.
        let id = Arc::new(wait_for_end(object.begin())??);
        let watched = watchdog::watch(Left::Upload {
            url: object.url().text().to_owned(),
            id: (*id).clone(),
        });
        let of_end = (Arc::clone(&object), Arc::clone(&id));
        let removal = stop::remove_at_end(move || {
            let (object, id) = &of_end;
            let _ = wait_at_most(TIME_TO_END, object.abort(id));
            true
        });
        let upload = Upload {
            object,
            id,
            part: Vec::new(),
            sending: None,
            parts: Vec::new(),
            bytes: 0,
            failed: None,
            removal,
            watched,
            is_open: true,
        };
        if stop::is_signalled() {
            return Err(Error::interrupted());
        }
        Ok(upload)
    }

    /// Takes note of the part that was on its way.
    fn arrived(&mut self) -> Result<()> {
        while let Some(sending) = &mut self.sending {
            if stop::is_signalled() {
                return Err(Error::interrupted());
            }
            if let Some(part) = wait_a_moment_for(sending)? {
                self.parts.push(part);
                self.sending = None;
            }
        }
        Ok(())
    }

    /// Sends what is written.
    fn send(&mut self) -> Result<()> {
        self.arrived()?;
        let number = self.parts.len();
        if number == MOST_PARTS {
            let most = (MOST_PARTS * self.object.part_bytes()) as u64 >> 30;
            return Err(Error::failed(format!(
                "the object is larger than {most} GiB, which is the most in parts of this size"
            ))
            .hint("give the program more --memory: a part takes a sixteenth of it"));
        }
        let content = Bytes::from(std::mem::take(&mut self.part));
        let (object, id) = (Arc::clone(&self.object), Arc::clone(&self.id));
        self.sending = Some(begin(
            async move { object.send(&id, number, content).await },
        )?);
        Ok(())
    }

    /// It is complete: from now on, it is there.
    pub fn keep(&mut self) -> Result<()> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let is_in_parts = !self.parts.is_empty() || self.sending.is_some();
        if !is_in_parts {
            let content = Bytes::from(std::mem::take(&mut self.part));
            return wait_for_end(self.object.put(content))?;
        }
        if !self.part.is_empty() {
            self.send()?;
        }
        self.arrived()?;
        let parts = std::mem::take(&mut self.parts);
        wait_for_end(self.object.complete(&self.id, parts, self.bytes))??;
        self.is_open = false;
        Ok(())
    }
}

impl Write for Upload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(error) = &self.failed {
            return Err(as_io(error.clone()));
        }
        let size = self.object.part_bytes();
        if self.part.capacity() == 0 {
            self.part.reserve_exact(size);
        }
        let count = bytes.len().min(size - self.part.len());
        self.part.extend_from_slice(&bytes[..count]);
        self.bytes += count as u64;
        if self.part.len() == size {
            self.send().map_err(|error| {
                self.failed = Some(error.clone());
                as_io(error)
            })?;
        }
        Ok(count)
    }

    /// Parts are sent when they are full.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if let Some(sending) = &self.sending {
            sending.abort();
        }
        if !self.is_open || forget(&self.object, &self.id) {
            self.watched.done();
        }
        stop::keep_at_end(self.removal);
    }
}

/// Has the storage forget an upload. Returns whether it has.
fn forget(object: &NewObject, id: &MultipartId) -> bool {
    match wait_for_end(object.abort(id)) {
        Ok(Ok(())) => true,
        Ok(Err(failure)) => {
            debug!(said = failure.said, "an open upload is left");
            false
        }
        Err(_) => false,
    }
}

/// Writes a small object at once.
pub fn put(url: &ObjectUrl, content: Vec<u8>, writing: &Writing) -> Result<()> {
    let object = NewObject::of(url, writing)?;
    wait_for_end(object.put(Bytes::from(content)))?
}
