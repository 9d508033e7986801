//! The causes behind an error.

use std::error::Error;
use std::io;

/// The `T` in the chain of causes of `error`, or `error` itself: readers wrap the errors of their sources.
pub(crate) fn behind<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(found) = cause.downcast_ref::<T>() {
            return Some(found);
        }
        // The source of an I/O error is the source of the error that it wraps.
        next = match cause.downcast_ref::<io::Error>() {
            Some(wrapper) => wrapper
                .get_ref()
                .map(|inner| inner as &(dyn Error + 'static)),
            None => cause.source(),
        };
    }
    None
}
