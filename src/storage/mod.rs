//! Archives and dumps in an object storage or on a web server: `s3://`, `gs://`, `az://`, `https://`.
//!
//! An object is opened by its first bytes, and is then read in ranges. Its ETag is pinned: what was opened is what is
//! read, or it is an error. One that is written is there when it is complete, and is not written over another one. All requests
//! run on one runtime with one thread; readers and writers wait for it. How to reach a storage is in the variables and files
//! that the programs `aws`, `gcloud` and `az` have.

mod aws;
mod azure;
mod bucket;
mod client;
mod failure;
mod google;
mod list;
mod new_object;
mod object;
mod parts;
mod piece;
mod pinned;
mod read_ahead;
mod remove;
mod request;
mod runtime;
mod server;
mod upload;
mod url;
mod variables;
mod web;

pub use list::{Listed, list};
pub use new_object::Writing;
pub use object::{Object, Opened, open};
pub use remove::remove;
pub use upload::{Upload, put};
pub use url::{ObjectUrl, Scheme};

/// What reading an archive takes: two readers with their requests, the client with its connections, TLS.
pub const MEMORY_BYTES: usize = 20 * 1024 * 1024;
