//! Archives and dumps in an object storage or on a web server: `s3://`, `gs://`, `az://`, `https://`.
//!
//! An object is opened by its first bytes, and is then read in ranges. Its ETag is pinned: what was opened is what is
//! read, or it is an error. One that is written is there when it is complete, and is not written over another one. All requests
//! run on one runtime with one thread; readers and writers wait for it. How to reach a storage is in the variables and files
//! that the programs `aws`, `gcloud` and `az` have.

mod aws;
mod azure;
mod bucket;
mod clean_up;
mod client;
mod failure;
mod flight;
mod google;
mod list;
mod new_object;
mod object;
mod objects;
mod parts;
mod piece;
mod pinned;
mod read_ahead;
mod remove;
mod request;
mod requests;
mod runtime;
mod server;
mod upload;
mod url;
mod variables;
mod walk;
pub mod watchdog;
mod web;

pub use clean_up::clean_up_after;
pub use list::{Listed, list};
pub use new_object::Writing;
pub use object::{Object, Opened, open};
pub use objects::{Objects, SMALL_OBJECT_BYTES};
pub use remove::remove;
pub use requests::{Gets, Looks, Puts};
pub use upload::{Upload, put};
pub use url::{ObjectUrl, Scheme};
pub use watchdog::Watched;

/// So many seconds a request is tried, if nobody says it.
pub const DEFAULT_SECONDS: u32 = 180;

/// What reading an archive takes: two readers with their requests, the client with its connections, TLS.
pub const MEMORY_BYTES: usize = 20 * 1024 * 1024;
