//! A file with a lock of the kernel (flock), which is given back when the value goes.

use std::fs::File;

use rustix::fs::{FlockOperation, flock};

/// An open file of which this process has the lock.
///
/// Closing the file alone would not always give the lock back: a process that another thread starts has a copy of the
/// descriptor until it runs its program. The next attempt to lock the file would then fail although nobody has it.
#[derive(Debug)]
pub(crate) struct LockedFile(File);

impl LockedFile {
    /// Takes the lock of `file` for itself alone; None if somebody else has it.
    pub(crate) fn exclusive(file: File) -> Option<LockedFile> {
        LockedFile::take(file, FlockOperation::NonBlockingLockExclusive)
    }

    /// Takes the lock of `file` beside others who share it; None if somebody has it for itself alone.
    pub(crate) fn shared(file: File) -> Option<LockedFile> {
        LockedFile::take(file, FlockOperation::NonBlockingLockShared)
    }

    fn take(file: File, operation: FlockOperation) -> Option<LockedFile> {
        flock(&file, operation).is_ok().then(|| LockedFile(file))
    }

    pub(crate) fn file(&self) -> &File {
        &self.0
    }
}

impl Drop for LockedFile {
    fn drop(&mut self) {
        // Closing the file gives it back as well, later perhaps.
        let _ = flock(&self.0, FlockOperation::Unlock);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_is_given_back_although_a_started_process_has_the_file() {
        let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        let open = || File::open(&path).unwrap();
        let first = LockedFile::exclusive(open()).unwrap();
        let copy = first.file().try_clone().unwrap();
        assert!(LockedFile::exclusive(open()).is_none());
        assert!(LockedFile::shared(open()).is_none());
        drop(first);
        let shared = LockedFile::shared(open()).unwrap();
        assert!(LockedFile::shared(open()).is_some());
        assert!(LockedFile::exclusive(open()).is_none());
        drop((shared, copy));
    }
}
