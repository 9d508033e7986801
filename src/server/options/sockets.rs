//! Which sockets are taken if none is named.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::files::{ids_of, is_stranger};

/// Whether the socket at `path` may be that of the server, which runs as the user `server`. In a directory where everybody
/// can make files, such as /tmp, anybody could wait there for passwords: so it must be root's, the server's or one's own.
pub(crate) fn is_believable(path: &Path, server: &str) -> bool {
    let Ok(socket) = std::fs::symlink_metadata(path) else {
        return false;
    };
    let directory = path
        .parent()
        .and_then(|parent| std::fs::metadata(parent).ok());
    let is_open = directory.is_none_or(|directory| directory.mode() & 0o002 != 0);
    let is_servers = || ids_of(server).is_some_and(|(user, _)| user == socket.uid());
    !is_open || !is_stranger(socket.uid()) || is_servers()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, chown};
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn a_strangers_socket_where_everybody_may_make_one_is_not_believed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s");
        assert!(!is_believable(&path, "root"));
        let _listener = UnixListener::bind(&path).unwrap();
        assert!(is_believable(&path, "postgres"));
        let all = std::fs::Permissions::from_mode(0o1777);
        std::fs::set_permissions(directory.path(), all).unwrap();
        assert!(is_believable(&path, "postgres"));
        if rustix::process::geteuid().is_root() {
            chown(&path, Some(4321), None).unwrap();
            assert!(!is_believable(&path, "postgres"));
            let only_roots = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(directory.path(), only_roots).unwrap();
            assert!(is_believable(&path, "postgres"));
        }
    }
}
