//! Reads a range of an object from its beginning to its end, with several requests on their way.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;

use bytes::{Buf, Bytes};
use tokio::task::JoinHandle;

use super::failure::as_io;
use super::pinned::Pinned;
use super::runtime::{begin, wait_a_moment_for};
use crate::error::{Error, Result};

/// The size of a request. Smaller ones wait longer than they read, larger ones need more memory.
const REQUEST_BYTES: u64 = 1024 * 1024;

/// So many requests are on their way. One reader has at most this many pieces, and the one that it reads.
const REQUESTS_AHEAD: usize = 4;

/// Reads ahead. Nothing is requested before the first read. A read that takes long is `Interrupted`, to be done again.
pub(super) struct ReadAhead {
    object: Arc<Pinned>,
    /// What is not requested yet.
    rest: Range<u64>,
    requests: VecDeque<JoinHandle<Result<Bytes>>>,
    piece: Bytes,
    failed: Option<Error>,
}

impl ReadAhead {
    pub(super) fn new(object: Arc<Pinned>, range: Range<u64>) -> ReadAhead {
        ReadAhead {
            object,
            rest: range,
            requests: VecDeque::new(),
            piece: Bytes::new(),
            failed: None,
        }
    }

    /// Keeps as many requests on their way as there may be.
    fn request(&mut self) -> Result<()> {
        while self.requests.len() < REQUESTS_AHEAD && !self.rest.is_empty() {
            let end = self.rest.end.min(self.rest.start + REQUEST_BYTES);
            let range = self.rest.start..end;
            let object = Arc::clone(&self.object);
            self.requests
                .push_back(begin(async move { object.get(range).await })?);
            self.rest.start = end;
        }
        Ok(())
    }

    /// The next piece, an empty one at the end; none if it takes long.
    fn next(&mut self) -> Result<Option<Bytes>> {
        self.request()?;
        let Some(request) = self.requests.front_mut() else {
            return Ok(Some(Bytes::new()));
        };
        let piece = wait_a_moment_for(request)?;
        if piece.is_some() {
            self.requests.pop_front();
        }
        Ok(piece)
    }
}

impl Read for ReadAhead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        // A reader that was told of a failure must not get what comes after it.
        if let Some(error) = &self.failed {
            return Err(as_io(error.clone()));
        }
        if self.piece.is_empty() {
            let next = self.next().map_err(|error| {
                self.failed = Some(error.clone());
                as_io(error)
            })?;
            // So that who reads can look whether the work was stopped.
            self.piece = next.ok_or(io::ErrorKind::Interrupted)?;
        }
        let count = buffer.len().min(self.piece.len());
        self.piece.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}

impl Drop for ReadAhead {
    fn drop(&mut self) {
        for request in &self.requests {
            request.abort();
        }
    }
}
