//! With whose rights files are changed.
//!
//! Whoever owns a directory on the way to another can put anything in its place. If root changed files there, the
//! owner could have root change others. So root does it with the rights of the owner, and then the kernel refuses what
//! the owner could not do alone.

use std::io;

use rustix::process::{Gid, Uid, getegid, geteuid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

/// The user with whose rights files are changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Worker {
    /// The user who runs the program.
    Oneself,
    /// Another user, and the groups of his that are needed; new files get the first. The program is run by root.
    Owner(Uid, [Gid; 2]),
}

impl Worker {
    /// Whether root does the work, who may give files to others.
    pub(crate) fn is_root(self) -> bool {
        self == Worker::Oneself && geteuid().is_root()
    }

    /// The user.
    pub(crate) fn user(self) -> Uid {
        match self {
            Worker::Oneself => geteuid(),
            Worker::Owner(user, _) => user,
        }
    }

    /// Does `work` with the rights of the user, also in the threads that it starts.
    pub(crate) fn run<T>(self, work: impl FnOnce() -> T) -> io::Result<T> {
        let _rights = match self {
            // A thread that was started within `run` has these rights already.
            Worker::Owner(user, groups) if geteuid() != user => Some(Rights::take(user, groups)?),
            _ => None,
        };
        Ok(work())
    }
}

/// The rights of root, while the thread has those of another.
struct Rights {
    group: Gid,
    groups: Vec<Gid>,
}

impl Rights {
    /// Takes the rights of `user` and `groups`. Only this thread changes: Linux has them for each thread, and only the C
    /// library changes all together (credentials(7), "The user IDs of threads"). Root stays the real user, so that the
    /// rights can be taken back and `user` can neither signal nor trace the process.
    fn take(user: Uid, groups: [Gid; 2]) -> io::Result<Rights> {
        let rights = Rights {
            group: getegid(),
            groups: rustix::process::getgroups()?,
        };
        set_thread_groups(&groups)?;
        set_thread_res_gid(None, groups[0], None)?;
        set_thread_res_uid(None, user, None)?;
        Ok(rights)
    }
}

impl Drop for Rights {
    fn drop(&mut self) {
        let taken = set_thread_res_uid(None, Uid::ROOT, None)
            .and_then(|()| set_thread_res_gid(None, self.group, None))
            .and_then(|()| set_thread_groups(&self.groups));
        if taken.is_err() {
            // Nobody knows whose rights the rest would have.
            std::process::abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn a_thread_has_the_rights_of_the_owner_and_the_others_do_not() {
        // Where tests are not run by root, there is nobody's rights to take.
        if !geteuid().is_root() {
            assert!(
                Worker::Owner(Uid::from_raw(4321), [Gid::from_raw(4321); 2])
                    .run(|| ())
                    .is_err()
            );
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        std::os::unix::fs::chown(directory.path(), Some(4321), Some(4322)).unwrap();
        let worker = Worker::Owner(Uid::from_raw(4321), [Gid::from_raw(4322); 2]);
        let made = directory.path().join("made");
        let denied = worker
            .run(|| {
                std::thread::scope(|scope| {
                    let nested = scope.spawn(|| worker.run(|| std::fs::create_dir(&made)));
                    nested.join().unwrap().unwrap().unwrap();
                });
                std::fs::create_dir("/ci_import_must_not_be_made")
            })
            .unwrap();
        assert_eq!(denied.unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        let made = std::fs::metadata(made).unwrap();
        assert_eq!((made.uid(), made.gid()), (4321, 4322));
        assert!(geteuid().is_root());
        assert!(getegid().as_raw() == 0);
    }
}
