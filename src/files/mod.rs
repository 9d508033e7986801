//! Directories of which somebody else may own a part: held open, never looked up twice, changed with the rights of
//! whoever could steer them anyway.

mod lock;
mod locked;
mod mounts;
mod place;
mod tree;
mod users;
mod walk;
mod worker;

pub(crate) use lock::PlaceLock;
pub(crate) use locked::LockedFile;
pub(crate) use mounts::{file_system_of, is_shared};
pub(crate) use place::Place;
pub(crate) use tree::{Found, for_each_entry, for_each_file, open_below, open_regular};
pub use users::Owner;
pub(crate) use users::{ids_of, user_name};
pub(crate) use walk::{is_stranger, stranger_at};
pub(crate) use worker::Worker;
