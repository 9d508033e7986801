//! Many objects below one prefix: written, read and looked for with several requests on their way, listed and removed.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use object_store::ObjectStoreExt as _;

use super::bucket::{Bucket, Use, path_of};
use super::failure::{Failure, Meaning};
use super::flight::MOST_BYTES;
use super::list::directly_below;
use super::new_object::{Exists, NewObject, Writing};
use super::pinned::Pinned;
use super::read_ahead::ReadAhead;
use super::remove::remove_from;
use super::request::{Patience, with_patience};
use super::runtime::{wait_at_most, wait_for, wait_for_end};
use super::server::{Server, bucket_of};
use super::upload::Upload;
use super::url::ObjectUrl;
use super::walk::{Walk, remove_page};
use super::watchdog::{self, Left, Watched};
use crate::cancellation::stop;
use crate::error::{Error, Result};

/// An object of at most so many bytes is written, and can be read, by one request.
pub const SMALL_OBJECT_BYTES: u64 = 1024 * 1024;

/// A request for a small object may take this part of the time: one of many connections may be dead.
const ATTEMPTS: u32 = 3;

/// The first request for a larger one.
const FIRST_BYTES: u64 = 64 * 1024;

/// So many are removed before a signal is noticed.
const REMOVED_AT_ONCE: usize = 250;

/// The objects below a prefix.
#[derive(Debug, Clone)]
pub struct Objects {
    bucket: Bucket,
    prefix: ObjectUrl,
    writing: Writing,
    /// The error for a name that one of them has already.
    exists: Option<Exists>,
}

impl Objects {
    /// Those below `prefix`, which are written as `writing` says. Nothing is asked yet.
    pub fn below(prefix: &ObjectUrl, writing: &Writing) -> Result<Objects> {
        let purpose = Use {
            // A part of a large one is on its way before the storage answers.
            silence: writing.timeout,
            keeps_objects: !writing.replaces,
        };
        let bucket = bucket_of(prefix, purpose)?.ok_or_else(|| {
            Error::usage(format!("{prefix} is on a web server, which takes no files"))
                .hint("name a prefix in an object storage: s3://BUCKET/PREFIX, gs://…, az://…")
        })?;
        Ok(Objects {
            bucket,
            prefix: prefix.as_prefix(),
            writing: *writing,
            exists: None,
        })
    }

    /// The same below the prefix `name` of this one.
    #[must_use]
    pub fn in_folder(&self, name: &str) -> Objects {
        Objects {
            prefix: self.prefix.below(name).as_prefix(),
            ..self.clone()
        }
    }

    /// The same, with another error for a name that one of them has already.
    #[must_use]
    pub fn with_exists(self, exists: fn(&str) -> Error) -> Objects {
        Objects {
            exists: Some(exists),
            ..self
        }
    }

    /// What they begin with.
    #[must_use]
    pub fn prefix(&self) -> &ObjectUrl {
        &self.prefix
    }

    /// What writing many of them takes, with a large one and another one beside it, in bytes.
    #[must_use]
    pub fn memory_bytes(writing: &Writing) -> usize {
        MOST_BYTES + 2 * writing.memory_bytes()
    }

    pub(super) fn patience(&self) -> Patience {
        Patience {
            longest: self.writing.timeout / ATTEMPTS,
            ..Patience::in_the_middle(self.writing.timeout)
        }
    }

    fn told(&self, failure: &Failure) -> Error {
        failure.told(&self.prefix, &self.bucket.tried)
    }

    pub(super) fn bucket(&self) -> &Bucket {
        &self.bucket
    }

    /// Where the object `name` is.
    pub(super) fn url_of(&self, name: &str) -> ObjectUrl {
        self.prefix.below(name)
    }

    pub(super) fn new_object(&self, name: &str) -> Result<NewObject> {
        let object = NewObject::in_bucket(&self.bucket, &self.url_of(name), &self.writing)?;
        Ok(object.among_many(self.patience(), self.exists, name))
    }

    /// Begins to write the object `name` in parts.
    pub fn upload(&self, name: &str) -> Result<Upload> {
        Upload::of(self.new_object(name)?)
    }

    /// The names of the folders directly below.
    pub fn folders(&self) -> Result<Vec<String>> {
        let found = directly_below(&self.bucket, &self.prefix, self.writing.timeout)?;
        let found = found.map_err(|failure| self.told(&failure))?;
        let folders = found.common_prefixes.iter();
        Ok(folders
            .filter_map(|folder| Some(folder.parts().next_back()?.as_ref().to_owned()))
            .collect())
    }

    /// Hands each object, by its name below the prefix and its size, to `take`.
    pub fn for_each(&self, take: &mut dyn FnMut(&str, u64) -> Result<()>) -> Result<()> {
        let mut walk = Walk::below(&self.bucket, &self.prefix, self.patience())?;
        loop {
            let page = wait_for(walk.page())?.map_err(|failure| self.told(&failure.of_list()))?;
            if page.is_empty() {
                return Ok(());
            }
            for found in page {
                let key = found.location.as_ref();
                let name = key.strip_prefix(self.prefix.key()).unwrap_or(key);
                take(name, found.size)?;
            }
        }
    }

    /// Removes the object `name`, if there is one.
    pub fn remove(&self, name: &str) -> Result<()> {
        let url = self.url_of(name);
        let removed = wait_for_end(remove_from(&self.bucket, &url, self.patience()))?;
        removed.map_err(|failure| failure.told_of_writing(&url, &self.bucket.tried))
    }

    /// Removes all of them. It goes on after a first signal, as long as it comes on.
    pub fn remove_all(&self) -> Result<()> {
        let _unhurried = stop::unhurried();
        let told = |failure: Failure| {
            let failure = failure.of_list();
            failure.told_of_writing(&self.prefix, &self.bucket.tried)
        };
        let mut walk = Walk::below(&self.bucket, &self.prefix, self.patience())?;
        loop {
            let page = wait_for_end(walk.page())?.map_err(told)?;
            if page.is_empty() {
                return Ok(());
            }
            // Not every storage removes many with one request.
            for some in page.chunks(REMOVED_AT_ONCE) {
                let removal = remove_page(&self.bucket, some, self.patience());
                wait_for_end(removal)?.map_err(told)?;
            }
        }
    }

    /// Removes as many of them as it can in this time, the object `first` before the others, and those that come meanwhile, too. It
    /// ends at what cannot be removed. It does not look at signals, and can be used when the process ends.
    pub fn remove_within(&self, limit: Duration, first: &str) {
        let remove = async {
            let _ = remove_from(&self.bucket, &self.url_of(first), self.patience()).await;
            let mut empty = 0;
            while empty < 2 {
                let mut walk = Walk::below(&self.bucket, &self.prefix, self.patience()).ok()?;
                let page = walk.page().await.ok()?;
                empty = if page.is_empty() { empty + 1 } else { 0 };
                for some in page.chunks(REMOVED_AT_ONCE) {
                    let removed = remove_page(&self.bucket, some, self.patience()).await;
                    removed.ok()?;
                }
            }
            Some(())
        };
        let _ = wait_at_most(limit, remove);
    }

    /// Has all of them removed, the object `first` before the others, if this process is killed before that is
    /// [done](Watched::done) with.
    #[must_use]
    pub fn watched(&self, first: &str) -> Watched {
        watchdog::start();
        watchdog::watch(Left::Objects {
            prefix: self.prefix.text().to_owned(),
            first: first.to_owned(),
        })
    }

    /// Whether there is an object `name`.
    pub fn has(&self, name: &str) -> Result<bool> {
        let url = self.url_of(name);
        let found = wait_for(is_there(&self.bucket, &url, self.patience()))?;
        found.map_err(|failure| self.told(&failure))
    }

    /// The bytes of the object `name`, from the beginning to the end; none if there is no such object.
    pub fn open(&self, name: &str) -> Result<Option<impl Read + use<>>> {
        let url = self.url_of(name);
        let server = Server::Bucket(self.bucket.clone());
        let first = with_patience(self.patience(), "the first request", || {
            server.get(&url, 0..FIRST_BYTES, None)
        });
        let first = match wait_for(first)? {
            Err(failure) if failure.meaning == Meaning::NoObject => return Ok(None),
            first => first.map_err(|failure| failure.told(&url, &self.bucket.tried))?,
        };
        let size = first.pin.size;
        let rest = Arc::new(Pinned {
            pin: first.pin,
            url: url.clone(),
            timeout: self.writing.timeout,
            server: server.clone(),
        });
        let (begin, bytes) = (first.bytes.len() as u64, first.bytes);
        Ok(Some(
            std::io::Cursor::new(bytes).chain(ReadAhead::new(rest, begin..size)),
        ))
    }
}

/// Whether there is an object at `url`.
pub(super) async fn is_there(
    bucket: &Bucket,
    url: &ObjectUrl,
    patience: Patience,
) -> std::result::Result<bool, Failure> {
    let path = path_of(url).map_err(|error| Failure::new(Meaning::Other, error.to_string()))?;
    let look = || async {
        match bucket.store.head(&path).await {
            Ok(_) => Ok(true),
            Err(error) => match Failure::of_bucket(&error) {
                failure if failure.meaning == Meaning::NoObject => Ok(false),
                failure => Err(failure),
            },
        }
    };
    with_patience(patience, "a look at an object", look).await
}
