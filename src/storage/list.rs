//! The objects below a prefix, as the files of a folder.

use std::time::Duration;

use object_store::ListResult;

use super::bucket::{Bucket, path_of};
use super::failure::{Failure, Meaning};
use super::request::{Patience, silence, with_patience};
use super::runtime::wait_for;
use super::server::Server;
use super::url::ObjectUrl;
use crate::error::{Error, Result};

/// An object below a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name below the prefix.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its URL.
    pub url: ObjectUrl,
}

/// The objects and the folders directly below `prefix` in `bucket`.
pub(super) fn directly_below(
    bucket: &Bucket,
    prefix: &ObjectUrl,
    timeout: Duration,
) -> Result<std::result::Result<ListResult, Failure>> {
    let path = path_of(prefix)?;
    let path = (!prefix.key().is_empty()).then_some(&path);
    let patience = Patience::at_first(timeout);
    let found = with_patience(patience, "a list of objects", || async {
        let found = bucket.store.list_with_delimiter(path).await;
        found.map_err(|error| Failure::of_bucket(&error))
    });
    Ok(wait_for(found)?.map_err(Failure::of_list))
}

/// The objects directly below `prefix`. A request is tried for as long as `timeout`.
pub fn list(prefix: &ObjectUrl, timeout: Duration) -> Result<Vec<Listed>> {
    let server = Server::of(prefix, silence(timeout))?;
    let Server::Bucket(bucket) = &server else {
        return Err(
            Error::usage(format!("{prefix}: a web server has no list of archives"))
                .hint("name the file itself"),
        );
    };
    let found = directly_below(bucket, prefix, timeout)?.map_err(|failure| {
        let error = failure.told(prefix, server.tried());
        match failure.meaning {
            // Mostly a key below it that object_store does not take.
            Meaning::Other => error.hint("name the object itself"),
            _ => error,
        }
    })?;
    let objects = found.objects.into_iter().filter_map(|meta| {
        let name = meta.location.filename()?.to_owned();
        Some(Listed {
            url: prefix.below(&name),
            size: meta.size,
            name,
        })
    });
    Ok(objects.collect())
}
