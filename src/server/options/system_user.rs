//! The user of the operating system that the program runs as.

use crate::files::user_name;

/// The name of the user that the program runs as, the default user of clients.
pub(crate) fn system_user() -> Option<String> {
    let id = rustix::process::geteuid().as_raw();
    user_name(id).or_else(|| std::env::var("USER").ok())
}
