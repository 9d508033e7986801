//! Small objects, many at a time: written, read, looked for.

use bytes::Bytes;

use super::failure::Meaning;
use super::flight::Flight;
use super::objects::{Objects, is_there};
use super::request::with_patience;
use super::server::Server;
use crate::error::Result;

/// Writes small objects.
#[derive(Debug)]
pub struct Puts {
    objects: Objects,
    flight: Flight<()>,
}

impl Puts {
    /// Writes into `objects`.
    #[must_use]
    pub fn to(objects: &Objects) -> Puts {
        Puts {
            objects: objects.clone(),
            flight: Flight::new(),
        }
    }

    /// Begins to write the object `name`, and does not wait for its end. An error may be about an earlier one.
    pub fn begin(&mut self, name: &str, content: Vec<u8>) -> Result<()> {
        let object = self.objects.new_object(name)?;
        let bytes = content.len();
        let put = async move { object.put_new(Bytes::from(content)).await };
        self.flight.begin(bytes, put, &mut Ok)
    }

    /// Waits until all are written.
    pub fn end(&mut self) -> Result<()> {
        self.flight.end(&mut Ok)
    }
}

/// Nothing is written any more after it: who removes what was written finds all of it.
impl Drop for Puts {
    fn drop(&mut self) {
        self.flight.settle();
    }
}

/// Reads small objects. With each comes what was said when it was asked for.
#[derive(Debug)]
pub struct Gets<T> {
    objects: Objects,
    flight: Flight<(T, Option<Vec<u8>>)>,
}

impl<T: Send + 'static> Gets<T> {
    /// Reads from `objects`.
    #[must_use]
    pub fn from(objects: &Objects) -> Gets<T> {
        Gets {
            objects: objects.clone(),
            flight: Flight::new(),
        }
    }

    /// Begins to read the object `name`, of which so many bytes are expected, beside so many that `with` holds, and hands those
    /// that have arrived to `take`: none if there is no such object, and one byte too many if it is larger.
    pub fn begin(
        &mut self,
        name: &str,
        (bytes, held): (usize, usize),
        with: T,
        take: &mut dyn FnMut((T, Option<Vec<u8>>)) -> Result<()>,
    ) -> Result<()> {
        let (url, bucket) = (self.objects.url_of(name), self.objects.bucket().clone());
        let (patience, tried) = (self.objects.patience(), bucket.tried.clone());
        let server = Server::Bucket(bucket);
        let get = async move {
            let got = with_patience(patience, "an object", || {
                server.get(&url, 0..bytes as u64 + 1, None)
            });
            match got.await {
                Ok(piece) => Ok((with, Some(piece.bytes.to_vec()))),
                Err(failure) if failure.meaning == Meaning::NoObject => Ok((with, None)),
                Err(failure) => Err(failure.told(&url, &tried)),
            }
        };
        self.flight.begin(bytes + held, get, take)
    }

    /// Waits for all, and hands them to `take`.
    pub fn end(&mut self, take: &mut dyn FnMut((T, Option<Vec<u8>>)) -> Result<()>) -> Result<()> {
        self.flight.end(take)
    }
}

/// Looks whether objects are there. With each answer comes what was said when it was asked for.
#[derive(Debug)]
pub struct Looks<T> {
    objects: Objects,
    flight: Flight<(T, bool)>,
}

impl<T: Send + 'static> Looks<T> {
    /// Looks into `objects`.
    #[must_use]
    pub fn into(objects: &Objects) -> Looks<T> {
        Looks {
            objects: objects.clone(),
            flight: Flight::new(),
        }
    }

    /// Begins to look for the object `name`, and hands the answers that have come to `take`.
    pub fn begin(
        &mut self,
        name: &str,
        with: T,
        take: &mut dyn FnMut((T, bool)) -> Result<()>,
    ) -> Result<()> {
        let (url, bucket) = (self.objects.url_of(name), self.objects.bucket().clone());
        let patience = self.objects.patience();
        let look = async move {
            let found = is_there(&bucket, &url, patience).await;
            let found = found.map_err(|failure| failure.told(&url, &bucket.tried))?;
            Ok((with, found))
        };
        self.flight.begin(0, look, take)
    }

    /// Waits for all answers, and hands them to `take`.
    pub fn end(&mut self, take: &mut dyn FnMut((T, bool)) -> Result<()>) -> Result<()> {
        self.flight.end(take)
    }
}
