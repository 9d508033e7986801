//! A bucket of an object storage, whichever it is.

use std::fmt::Display;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use object_store::multipart::MultipartStore;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt, RetryConfig};

use super::failure::{Failure, Meaning};
use super::piece::{Piece, Pin};
use super::url::ObjectUrl;
use crate::error::{Error, Result};

/// What a storage can do.
pub(super) trait Store: ObjectStore + MultipartStore {}

impl<S: ObjectStore + MultipartStore> Store for S {}

/// What a bucket is used for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Use {
    /// How long the storage may be silent.
    pub(super) silence: Duration,
    /// Whether an upload must not replace an object.
    pub(super) keeps_objects: bool,
}

impl Use {
    /// To read from it.
    pub(super) fn reading(silence: Duration) -> Use {
        Use {
            silence,
            keeps_objects: false,
        }
    }
}

/// A bucket, with how it was found.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    pub(super) store: Arc<dyn Store>,
    /// Where the storage and the credentials were taken from, for hints.
    pub(super) tried: String,
}

impl Bucket {
    /// The one with this `store`; its settings are from `place` and `credentials`.
    pub(super) fn of(store: impl Store, place: &dyn Display, credentials: &str) -> Bucket {
        Bucket {
            store: Arc::new(store),
            tried: format!("{place}, with {credentials}"),
        }
    }

    /// A range of an object in it. See [`super::server::Server::get`].
    pub(super) async fn get(
        &self,
        url: &ObjectUrl,
        range: Range<u64>,
        pin: Option<&Pin>,
    ) -> std::result::Result<Piece, Failure> {
        let options = GetOptions {
            range: Some(GetRange::Bounded(range)),
            // A weak one never matches (RFC 9110, 13.1.1).
            if_match: pin
                .and_then(|pin| pin.etag.clone())
                .filter(|etag| !etag.starts_with("W/")),
            ..GetOptions::default()
        };
        let path = path_of(url).map_err(|error| Failure::new(Meaning::Other, error.to_string()))?;
        let failed = |error| Failure::of_bucket(&error);
        let found = self.store.get_opts(&path, options).await;
        let found = match found.map_err(failed) {
            // A range of an object without bytes is never valid.
            Err(failure) if failure.meaning == Meaning::Empty && pin.is_none() => {
                let meta = self.store.head(&path).await.map_err(failed)?;
                let pin = pin_of(&meta);
                if pin.size > 0 {
                    return Err(failure);
                }
                let bytes = Bytes::new();
                return Ok(Piece { bytes, pin });
            }
            // It has become shorter.
            Err(failure) if failure.meaning == Meaning::Empty => {
                return Err(Failure::new(Meaning::Changed, failure.said));
            }
            found => found?,
        };
        let pin = pin_of(&found.meta);
        if pin.etag.is_none() && found.meta.last_modified.timestamp() == 0 {
            let said = "the storage does not say which version of the object it sends";
            return Err(Failure::new(Meaning::Other, said));
        }
        let bytes = found.bytes().await.map_err(failed)?;
        Ok(Piece { bytes, pin })
    }
}

fn pin_of(meta: &ObjectMeta) -> Pin {
    Pin {
        etag: meta.e_tag.clone(),
        modified: Some(meta.last_modified.to_rfc3339()),
        size: meta.size,
    }
}

/// The key of `url` as the storages' code has it.
pub(super) fn path_of(url: &ObjectUrl) -> Result<Path> {
    let refused = || {
        Error::usage(format!(
            "{url}: keys with empty, . or .. parts, or with control characters, are not supported"
        ))
        .hint("copy the object to another key")
    };
    if url.key().starts_with('/') {
        return Err(refused());
    }
    Path::parse(url.key()).map_err(|_| refused())
}

/// Requests are tried again by us, who know what is read.
pub(super) fn no_retries() -> RetryConfig {
    RetryConfig {
        max_retries: 0,
        ..RetryConfig::default()
    }
}
