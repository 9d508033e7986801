//! An object that must stay what it was.

use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;

use super::piece::Pin;
use super::request::{Patience, with_patience};
use super::server::Server;
use super::url::ObjectUrl;
use crate::error::Result;

/// Where an object is, and which it was when it was opened.
#[derive(Debug)]
pub(super) struct Pinned {
    pub(super) server: Server,
    pub(super) url: ObjectUrl,
    pub(super) pin: Pin,
    /// How long a request is tried.
    pub(super) timeout: Duration,
}

impl Pinned {
    /// The bytes of `range`, all of them.
    pub(super) async fn get(&self, range: Range<u64>) -> Result<Bytes> {
        let patience = Patience::in_the_middle(self.timeout);
        let piece = with_patience(patience, "a request", || {
            self.server.get(&self.url, range.clone(), Some(&self.pin))
        });
        match piece.await {
            Ok(piece) => Ok(piece.bytes),
            Err(failure) => Err(failure.told(&self.url, self.server.tried())),
        }
    }
}
