//! Compares directories.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The files below `directory`: path, content, and for files mode and time of change.
pub(crate) fn tree(directory: &Path) -> BTreeMap<PathBuf, (Option<Vec<u8>>, u32, i64)> {
    let mut found = BTreeMap::new();
    let mut pending = vec![directory.to_owned()];
    while let Some(path) = pending.pop() {
        for entry in fs::read_dir(&path).unwrap() {
            let entry = entry.unwrap();
            let metadata = entry.metadata().unwrap();
            let path = entry.path();
            let relative = path.strip_prefix(directory).unwrap().to_owned();
            if metadata.is_dir() {
                found.insert(relative, (None, metadata.mode(), 0));
                pending.push(path);
            } else {
                let content = fs::read(&path).unwrap();
                found.insert(relative, (Some(content), metadata.mode(), metadata.mtime()));
            }
        }
    }
    found
}

/// Both directories hold the same files, byte for byte, with the same modes and times.
#[track_caller]
pub(crate) fn same_tree(expected: &Path, found: &Path) {
    let (expected, found) = (tree(expected), tree(found));
    let names = |tree: &BTreeMap<PathBuf, _>| tree.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&expected), names(&found));
    for (path, entry) in &expected {
        assert!(found[path] == *entry, "{} differs", path.display());
    }
}
