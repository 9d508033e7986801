//! A part of an object, and what identifies the object.

use bytes::Bytes;

/// What is the same as long as an object is the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pin {
    pub(super) etag: Option<String>,
    /// In the form of an HTTP date or of the storage; only compared.
    pub(super) modified: Option<String>,
    pub(super) size: u64,
}

/// A range of an object, and what identifies the object.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) bytes: Bytes,
    pub(super) pin: Pin,
}
