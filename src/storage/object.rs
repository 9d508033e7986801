//! An object that is open: pinned, read in ranges.

use std::io::{self, Read};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;

use super::failure::{Failure, as_io};
use super::pinned::Pinned;
use super::read_ahead::ReadAhead;
use super::request::{Patience, silence, with_patience};
use super::runtime::wait_for;
use super::server::Server;
use super::url::ObjectUrl;
use super::web::Download;
use crate::archive::{Extent, RandomAccess};
use crate::error::Result;

/// A request for a few bytes takes as long as one for so many.
const SMALL_BYTES: u64 = 64 * 1024;

/// So many bytes before the wanted ones are read with them: the end of the member before a header.
const BYTES_BEFORE: u64 = 4096;

/// So many small pieces are kept: the headers of an archive, and what follows them.
const MOST_PIECES: usize = 8;

/// An object, as it was when it was opened.
#[derive(Debug)]
pub struct Object {
    pinned: Arc<Pinned>,
    /// Small pieces that were read, with their offsets. The first is the beginning.
    pieces: Mutex<Vec<(u64, Bytes)>>,
}

/// What is at a URL.
#[derive(Debug)]
pub enum Opened {
    /// An object that can be read in any order.
    Object(Arc<Object>),
    /// A file of a web server that can only be read once, in order.
    Stream(Box<Download>),
}

/// Opens what is at `url`. A request is tried for as long as `timeout`.
pub fn open(url: &ObjectUrl, timeout: Duration) -> Result<Opened> {
    let server = Server::of(url, silence(timeout))?;
    let at_first = Patience::at_first(timeout);
    let failed = |failure: Failure| failure.told(url, server.tried());
    if let Server::Web(web) = &server
        && let Some(download) = wait_for(web.download(at_first))?.map_err(failed)?
    {
        return Ok(Opened::Stream(Box::new(download)));
    }
    let first = with_patience(at_first, "the first request", || {
        server.get(url, 0..SMALL_BYTES, None)
    });
    let first = wait_for(first)?.map_err(failed)?;
    Ok(Opened::Object(Arc::new(Object {
        pieces: Mutex::new(vec![(0, first.bytes)]),
        pinned: Arc::new(Pinned {
            pin: first.pin,
            url: url.clone(),
            timeout,
            server,
        }),
    })))
}

impl Object {
    /// All its bytes.
    #[must_use]
    pub fn whole(self: &Arc<Self>) -> Extent {
        Extent::new(
            Arc::clone(self) as Arc<dyn RandomAccess>,
            0,
            self.pinned.pin.size,
        )
    }

    /// How many bytes it has.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.pinned.pin.size
    }

    /// Where it is. It is shown without what may be secret.
    #[must_use]
    pub fn url(&self) -> &ObjectUrl {
        &self.pinned.url
    }

    /// Its ETag, if that changes with each byte (RFC 9110, 8.8.1).
    #[must_use]
    pub fn strong_etag(&self) -> Option<&str> {
        let etag = self.pinned.pin.etag.as_deref()?;
        (!etag.starts_with("W/")).then_some(etag)
    }

    /// The kept bytes from `offset` on.
    fn kept(&self, offset: u64) -> Option<Bytes> {
        let pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        pieces.iter().find_map(|(at, bytes)| {
            let skipped = usize::try_from(offset.checked_sub(*at)?).ok()?;
            (skipped < bytes.len()).then(|| bytes.slice(skipped..))
        })
    }

    /// Reads the bytes around `offset`, and keeps them.
    fn fetch_around(&self, offset: u64) -> Result<()> {
        let start = offset - offset.min(BYTES_BEFORE);
        let end = self.pinned.pin.size.min(start + SMALL_BYTES);
        let bytes = wait_for(self.pinned.get(start..end))??;
        let mut pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        if pieces.len() == MOST_PIECES {
            pieces.remove(1);
        }
        pieces.push((start, bytes));
        Ok(())
    }
}

impl RandomAccess for Object {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        if buffer.is_empty() || offset >= self.pinned.pin.size {
            return Ok(0);
        }
        loop {
            if let Some(bytes) = self.kept(offset) {
                let count = buffer.len().min(bytes.len());
                buffer[..count].copy_from_slice(&bytes[..count]);
                return Ok(count);
            }
            self.fetch_around(offset).map_err(as_io)?;
        }
    }

    fn read_ahead(self: Arc<Self>, range: Range<u64>) -> Option<Box<dyn Read + Send>> {
        // What is kept already needs no request.
        let kept = self.kept(range.start).map_or(0, |bytes| bytes.len() as u64);
        if range.end - range.start <= kept {
            return None;
        }
        Some(Box::new(ReadAhead::new(Arc::clone(&self.pinned), range)))
    }
}
