//! All objects below a prefix, however many there are, a page at a time.

use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore as _};

use super::bucket::{Bucket, path_of};
use super::failure::{Failure, Meaning};
use super::request::{Attempts, Patience, with_patience};
use super::url::ObjectUrl;
use crate::error::Result;

/// So many objects are in a page, as in an answer of S3.
const PAGE: usize = 1000;

/// A walk through the objects, in the order of their keys.
pub(super) struct Walk<'a> {
    bucket: &'a Bucket,
    prefix: Option<Path>,
    patience: Patience,
    objects: Option<BoxStream<'static, object_store::Result<ObjectMeta>>>,
    /// The last one of the page before.
    last: Option<Path>,
}

impl<'a> Walk<'a> {
    /// Begins before the first object below `prefix`.
    pub(super) fn below(
        bucket: &'a Bucket,
        prefix: &ObjectUrl,
        patience: Patience,
    ) -> Result<Walk<'a>> {
        let path = path_of(prefix)?;
        Ok(Walk {
            bucket,
            prefix: (!prefix.key().is_empty()).then_some(path),
            patience,
            objects: None,
            last: None,
        })
    }

    /// The next objects; none at the end.
    pub(super) async fn page(&mut self) -> std::result::Result<Vec<ObjectMeta>, Failure> {
        let mut attempts = Attempts::new(self.patience, "a list of objects");
        loop {
            match attempts.attempt(self.read()).await {
                Ok(page) => return Ok(page),
                Err(failure) => {
                    // The next attempt begins where this one did.
                    self.objects = None;
                    attempts.pause_after(failure).await?;
                }
            }
        }
    }

    async fn read(&mut self) -> std::result::Result<Vec<ObjectMeta>, Failure> {
        let (store, prefix) = (&self.bucket.store, self.prefix.as_ref());
        // It is asked again after its end.
        let objects = self.objects.get_or_insert_with(|| match &self.last {
            None => store.list(prefix).fuse().boxed(),
            Some(last) => store.list_with_offset(prefix, last).fuse().boxed(),
        });
        let mut page = Vec::new();
        while page.len() < PAGE {
            match objects.next().await {
                None => break,
                Some(Ok(found)) => page.push(found),
                Some(Err(error)) => return Err(Failure::of_bucket(&error)),
            }
        }
        if let Some(last) = page.last() {
            self.last = Some(last.location.clone());
        }
        Ok(page)
    }
}

/// Removes the objects of a page.
pub(super) async fn remove_page(
    bucket: &Bucket,
    page: &[ObjectMeta],
    patience: Patience,
) -> std::result::Result<(), Failure> {
    with_patience(patience, "a removal", || remove_once(bucket, page)).await
}

async fn remove_once(bucket: &Bucket, page: &[ObjectMeta]) -> std::result::Result<(), Failure> {
    let paths: Vec<_> = page
        .iter()
        .map(|found| Ok(found.location.clone()))
        .collect();
    let mut removed = bucket.store.delete_stream(stream::iter(paths).boxed());
    while let Some(one) = removed.next().await {
        match one.map_err(|error| Failure::of_bucket(&error)) {
            Err(failure) if failure.meaning != Meaning::NoObject => return Err(failure),
            _ => {}
        }
    }
    Ok(())
}
