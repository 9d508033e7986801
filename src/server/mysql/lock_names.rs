//! The names of locks that sessions take by `GET_LOCK`. They belong to the server, not to a database.

use twox_hash::XxHash3_128;

/// The name of the lock of a `kind` on `database`. The name of the database is hashed, because a lock's name
/// may have 64 characters (MySQL manual, 14.14), and so may a database's. The hash is computed here: MySQL
/// 9.6 has removed `SHA1`, and a server without TLS may lack `SHA2`. The case of the name is ignored, because
/// servers may ignore it.
#[must_use]
pub fn lock_name(kind: &str, database: &str) -> String {
    let hash = XxHash3_128::oneshot(database.to_lowercase().as_bytes());
    format!("ci_import {kind} {hash:032x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_longer_than_the_server_takes() {
        let name = lock_name("migration", &"x".repeat(64));
        assert!(name.len() <= 64, "{name}");
        assert_ne!(name, lock_name("migration", "x"));
        assert_ne!(name, lock_name("migrate", &"x".repeat(64)));
        assert_eq!(
            lock_name("publish", "GitLab"),
            lock_name("publish", "gitlab")
        );
    }
}
