//! Removes objects.

use std::time::Duration;

use object_store::ObjectStoreExt;

use super::bucket::{Use, path_of};
use super::failure::Failure;
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
    let path = path_of(url)?;
    let removed = with_patience(Patience::at_first(timeout), "a removal", || async {
        let removed = bucket.store.delete(&path).await;
        removed.map_err(|error| Failure::of_bucket(&error))
    });
    let removed = wait_for(removed)?;
    removed.map_err(|failure| failure.told_of_writing(url, &bucket.tried))
}
