//! Somebody else than the user of the tests.

use rustix::process::geteuid;

/// The number of a user without rights.
pub(crate) const EVE: u32 = 4321;

/// Fails unless the test may be two users.
#[track_caller]
pub(crate) fn need_root() {
    assert!(
        geteuid().is_root(),
        "the test is root and somebody else, so root must run it"
    );
}
