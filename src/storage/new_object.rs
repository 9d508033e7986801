//! An object that is to be written: the requests that make it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use object_store::multipart::PartId;
use object_store::path::Path;
use object_store::{MultipartId, ObjectMeta, ObjectStoreExt, PutMode, PutOptions, PutPayload};

use super::bucket::{Bucket, Use, path_of};
use super::failure::{Failure, Meaning};
use super::parts::{memory_bytes, part_bytes};
use super::request::{Patience, with_patience};
use super::server::bucket_of;
use super::url::ObjectUrl;
use crate::error::{Error, Result};

/// How objects are written.
#[derive(Debug, Clone, Copy)]
pub struct Writing {
    /// Whether an object that is there is replaced; otherwise it is an error.
    pub replaces: bool,
    /// How long a request is tried.
    pub timeout: Duration,
    /// The size of a part of a large object.
    part_bytes: usize,
}

impl Writing {
    /// If the program may take so much memory, in MiB.
    #[must_use]
    pub fn within(memory: Option<u64>, replaces: bool, timeout: Duration) -> Writing {
        Writing {
            replaces,
            timeout,
            part_bytes: part_bytes(memory),
        }
    }

    /// What an upload takes, in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        memory_bytes(self.part_bytes)
    }
}

/// So often, and with such pauses, it looks for an object that an attempt without an answer may have made.
const MOST_LOOKS: usize = 3;
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// Makes the error for an object that is there already.
pub(super) type Exists = fn(&str) -> Error;

/// See the module.
#[derive(Debug)]
pub(super) struct NewObject {
    bucket: Bucket,
    path: Path,
    url: ObjectUrl,
    writing: Writing,
    /// How long looks, the beginning and the end of an upload are tried.
    at_first: Patience,
    /// How long the request that makes it is tried.
    at_the_end: Patience,
    /// The error if it is there already, made of its name; the usual one if there is none.
    exists: Option<Exists>,
    name: String,
}

impl NewObject {
    /// The one at `url`. Nothing is asked yet.
    pub(super) fn of(url: &ObjectUrl, writing: &Writing) -> Result<NewObject> {
        let purpose = Use {
            // A part is on its way before the storage answers.
            silence: writing.timeout,
            keeps_objects: !writing.replaces,
        };
        let Some(bucket) = bucket_of(url, purpose)? else {
            return Err(
                Error::usage(format!("cannot write {url}: a web server takes no files")).hint(
                    "name a file, or an object in an object storage: s3://BUCKET/KEY, gs://…, az://…",
                ),
            );
        };
        NewObject::in_bucket(&bucket, url, writing)
    }

    /// The one at `url`, which is in `bucket`.
    pub(super) fn in_bucket(
        bucket: &Bucket,
        url: &ObjectUrl,
        writing: &Writing,
    ) -> Result<NewObject> {
        if url.is_prefix() {
            return Err(
                Error::usage(format!("cannot write {url}: it names no object"))
                    .hint("add the name of the object"),
            );
        }
        Ok(NewObject {
            bucket: bucket.clone(),
            path: path_of(url)?,
            url: url.clone(),
            writing: *writing,
            at_first: Patience::at_first(writing.timeout),
            at_the_end: Patience::in_the_middle(writing.timeout),
            exists: None,
            name: String::new(),
        })
    }

    pub(super) fn url(&self) -> &ObjectUrl {
        &self.url
    }

    /// The size of a part.
    pub(super) fn part_bytes(&self) -> usize {
        self.writing.part_bytes
    }

    /// The same as one of many: all its requests but its parts are tried with `patience`, and there may be another error if
    /// it is there already.
    pub(super) fn among_many(
        self,
        patience: Patience,
        exists: Option<Exists>,
        name: &str,
    ) -> NewObject {
        NewObject {
            at_first: patience,
            at_the_end: patience,
            exists,
            name: name.to_owned(),
            ..self
        }
    }

    fn told(&self, failure: &Failure) -> Error {
        if let (Meaning::Exists, Some(exists)) = (failure.meaning, self.exists) {
            return exists(&self.name);
        }
        failure.told_of_writing(&self.url, &self.bucket.tried)
    }

    /// What is there now; nothing, too, if one may not look.
    async fn found(&self) -> std::result::Result<Option<ObjectMeta>, Failure> {
        let look = || async {
            match self.bucket.store.head(&self.path).await {
                Ok(found) => Ok(Some(found)),
                Err(error) => match failed(&error) {
                    Failure {
                        meaning: Meaning::NoObject | Meaning::NoBucket | Meaning::Denied,
                        ..
                    } => Ok(None),
                    failure => Err(failure),
                },
            }
        };
        with_patience(self.at_first, "a look at the object", look).await
    }

    /// An error if it exists and must not be replaced.
    pub(super) async fn refuse_existing(&self) -> Result<()> {
        if self.writing.replaces {
            return Ok(());
        }
        let failure = match self.found().await {
            Ok(None) => return Ok(()),
            Ok(Some(_)) => Failure::new(Meaning::Exists, "it exists"),
            Err(failure) => failure,
        };
        Err(self.told(&failure))
    }

    /// Begins an upload in parts.
    pub(super) async fn begin(&self) -> Result<MultipartId> {
        let begin = || async {
            let begun = self.bucket.store.create_multipart(&self.path).await;
            begun.map_err(|error| failed(&error))
        };
        let id = with_patience(self.at_first, "the first request", begin).await;
        id.map_err(|failure| self.told(&failure))
    }

    /// Sends the part `number`, from 0, of the upload `id`.
    pub(super) async fn send(
        &self,
        id: &MultipartId,
        number: usize,
        content: Bytes,
    ) -> Result<PartId> {
        let attempt = || async {
            let payload = PutPayload::from(content.clone());
            let store = &self.bucket.store;
            let sent = store.put_part(&self.path, id, number, payload).await;
            sent.map_err(|error| failed(&error))
        };
        let sent = with_patience(
            Patience::in_the_middle(self.writing.timeout),
            "a part",
            attempt,
        )
        .await;
        sent.map_err(|failure| self.told(&failure))
    }

    /// Makes an object of `parts`, which have so many bytes.
    pub(super) async fn complete(
        &self,
        id: &MultipartId,
        parts: Vec<PartId>,
        bytes: u64,
    ) -> Result<()> {
        let complete = || async {
            let store = &self.bucket.store;
            let parts = parts.clone();
            let completed = store.complete_multipart(&self.path, id, parts).await;
            completed.map_err(|error| failed(&error))
        };
        // Not every storage looks itself.
        self.refuse_existing().await?;
        let made = self.made_by(complete, bytes).await;
        made.map_err(|failure| self.told(&failure))
    }

    /// Makes an object with this content, in one request.
    pub(super) async fn put(&self, content: Bytes) -> Result<()> {
        // Not every storage looks itself.
        self.refuse_existing().await?;
        self.put_new(content).await
    }

    /// The same, without our own look whether there is one.
    pub(super) async fn put_new(&self, content: Bytes) -> Result<()> {
        let put = self.put_at_once(content).await;
        put.map_err(|failure| self.told(&failure))
    }

    async fn put_at_once(&self, content: Bytes) -> std::result::Result<(), Failure> {
        let mode = if self.writing.replaces {
            PutMode::Overwrite
        } else {
            PutMode::Create
        };
        let put = || async {
            let (payload, options) = (
                PutPayload::from(content.clone()),
                PutOptions::from(mode.clone()),
            );
            let store = &self.bucket.store;
            let put = store.put_opts(&self.path, payload, options).await;
            put.map_err(|error| failed(&error))
        };
        self.made_by(put, content.len() as u64).await
    }

    /// Does the request that makes the object. If an attempt got no answer, it may have made it, and the next one fails
    /// because of that.
    async fn made_by<T, W>(
        &self,
        request: impl Fn() -> W,
        bytes: u64,
    ) -> std::result::Result<(), Failure>
    where
        W: Future<Output = std::result::Result<T, Failure>>,
    {
        // One that is given up, since it takes too long, does not come to its end here.
        let attempts = AtomicU32::new(0);
        let attempt = || {
            attempts.fetch_add(1, Ordering::Relaxed);
            request()
        };
        for _ in 0..MOST_LOOKS {
            let done = with_patience(self.at_the_end, "the end of an upload", attempt).await;
            let Err(failure) = done else {
                return Ok(());
            };
            let may_be_done = matches!(failure.meaning, Meaning::NoObject | Meaning::Exists);
            let is_unclear = attempts.load(Ordering::Relaxed) > 1;
            if !may_be_done || !is_unclear {
                return Err(failure);
            }
            match self.found().await.ok().flatten() {
                Some(found) if found.size == bytes => return Ok(()),
                Some(_) => return Err(failure),
                // The attempt that got no answer may still be at work.
                None => tokio::time::sleep(BETWEEN_LOOKS).await,
            }
        }
        Err(Failure::new(
            Meaning::Unreachable,
            "nobody knows whether it was written",
        ))
    }

    /// Has the storage forget the upload `id`.
    pub(super) async fn abort(&self, id: &MultipartId) -> std::result::Result<(), Failure> {
        let abort = || async {
            let aborted = self.bucket.store.abort_multipart(&self.path, id).await;
            match aborted.map_err(|error| failed(&error)) {
                Err(failure) if failure.meaning == Meaning::NoObject => Ok(()),
                aborted => aborted,
            }
        };
        with_patience(self.at_first, "the end of an upload", abort).await
    }
}

/// The failure of a request that writes: a condition that does not hold means that there is an object.
fn failed(error: &object_store::Error) -> Failure {
    let failure = Failure::of_bucket(error);
    match failure.meaning {
        Meaning::Changed => Failure::new(Meaning::Exists, failure.said),
        _ => failure,
    }
}
