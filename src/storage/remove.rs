//! Removes objects.

use std::time::Duration;

use object_store::ObjectStoreExt;

use super::bucket::{Bucket, Use, path_of};
use super::failure::{Failure, Meaning};
use super::request::{Patience, silence, with_patience};
use super::runtime::wait_for;
use super::server::bucket_of;
use super::url::ObjectUrl;
use crate::error::{Error, Result};

/// Removes the object at `url`. A request is tried for as long as `timeout`.
pub fn remove(url: &ObjectUrl, timeout: Duration) -> Result<()> {
    let Some(bucket) = bucket_of(url, Use::reading(silence(timeout)))? else {
        return Err(Error::usage(format!(
            "cannot remove {url}: it is on a web server"
        )));
    };
    let removed = wait_for(remove_from(&bucket, url, Patience::at_first(timeout)))?;
    removed.map_err(|failure| failure.told_of_writing(url, &bucket.tried))
}

/// Removes the object at `url` from `bucket`, if there is one.
pub(super) async fn remove_from(
    bucket: &Bucket,
    url: &ObjectUrl,
    patience: Patience,
) -> std::result::Result<(), Failure> {
    let path = path_of(url).map_err(|error| Failure::new(Meaning::Other, error.to_string()))?;
    let remove = || async {
        match bucket.store.delete(&path).await {
            Ok(()) => Ok(()),
            Err(error) => match Failure::of_bucket(&error) {
                failure if failure.meaning == Meaning::NoObject => Ok(()),
                failure => Err(failure),
            },
        }
    };
    with_patience(patience, "a removal", remove).await
}
