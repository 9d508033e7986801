//! The server that has an object: a bucket of a storage, or a web server.

use std::ops::Range;
use std::time::Duration;

use super::bucket::{Bucket, Use, path_of};
use super::failure::{Failure, Meaning};
use super::piece::{Piece, Pin};
use super::url::{ObjectUrl, Scheme};
use super::web::Web;
use super::{aws, azure, google};
use crate::error::Result;

/// The bucket of `url`, as the environment and the user's files describe it; none of the URL of a web server. Nothing is
/// asked yet.
pub(super) fn bucket_of(url: &ObjectUrl, purpose: Use) -> Result<Option<Bucket>> {
    if url.scheme() != Scheme::Web {
        path_of(url)?;
    }
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    match url.scheme() {
        Scheme::S3 => aws::bucket(url, purpose, &variable).map(Some),
        Scheme::Google => google::bucket(url, purpose, &variable).map(Some),
        Scheme::Azure => azure::bucket(url, purpose, &variable).map(Some),
        Scheme::Web => Ok(None),
    }
}

/// A server with objects.
#[derive(Debug, Clone)]
pub(super) enum Server {
    Bucket(Bucket),
    Web(Web),
}

impl Server {
    /// The server of `url`, to read from it; it may be silent for so long. See [`bucket_of`].
    pub(super) fn of(url: &ObjectUrl, silence: Duration) -> Result<Server> {
        Ok(match bucket_of(url, Use::reading(silence))? {
            Some(bucket) => Server::Bucket(bucket),
            None => Server::Web(Web::of(url, silence)?),
        })
    }

    /// The bytes of `range` of the object at `url`, fewer if it ends before. If `pin` is given, it must be that object.
    pub(super) async fn get(
        &self,
        url: &ObjectUrl,
        range: Range<u64>,
        pin: Option<&Pin>,
    ) -> std::result::Result<Piece, Failure> {
        let piece = match self {
            Server::Bucket(bucket) => bucket.get(url, range.clone(), pin).await?,
            Server::Web(web) => web.get(range.clone(), pin).await?,
        };
        if pin.is_some_and(|pin| *pin != piece.pin) {
            return Err(Failure::new(Meaning::Changed, "it is another object"));
        }
        let expected = range.end.min(piece.pin.size).saturating_sub(range.start);
        if piece.bytes.len() as u64 != expected {
            return Err(Failure::new(
                Meaning::Unreachable,
                "the connection broke off",
            ));
        }
        Ok(piece)
    }

    /// Where the storage and the credentials were taken from, for hints.
    pub(super) fn tried(&self) -> &str {
        match self {
            Server::Bucket(bucket) => &bucket.tried,
            Server::Web(_) => "",
        }
    }
}
