//! What is mounted where (/proc/self/mountinfo, proc(5)).

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// File systems that several machines can have mounted at once.
const SHARED: [&str; 13] = [
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "ceph",
    "fuse.ceph",
    "glusterfs",
    "fuse.glusterfs",
    "lustre",
    "gfs2",
    "ocfs2",
    "beegfs",
    "afs",
];

/// Whether something is mounted at `path`, also from the same file system.
pub(crate) fn is_mounted(path: &Path) -> bool {
    // Where there is no such file, the rename says it.
    lines()
        .iter()
        .any(|line| point(line) == Some(bytes_of(path)))
}

/// The kind of the file system at `path`, such as ext4.
pub(crate) fn file_system_of(path: &Path) -> Option<String> {
    let path = fs::canonicalize(path).ok()?;
    let lines = lines();
    let above = lines.iter().filter_map(|line| {
        let at = point(line)?;
        let is_above = path
            .ancestors()
            .any(|above| above.as_os_str().as_bytes() == at);
        let kind = line.split_once(" - ")?.1.split(' ').next()?;
        is_above.then_some((at.len(), kind))
    });
    // Of several mounts at one point, the last covers the others.
    let nearest = above.max_by_key(|(length, _)| *length);
    nearest.map(|(_, kind)| kind.to_owned())
}

/// Whether other machines can have a file system of this kind mounted, too.
pub(crate) fn is_shared(file_system: &str) -> bool {
    SHARED.contains(&file_system)
}

fn bytes_of(path: &Path) -> Vec<u8> {
    path.as_os_str().as_bytes().to_vec()
}

fn lines() -> Vec<String> {
    let text = fs::read("/proc/self/mountinfo").unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    text.lines().map(str::to_owned).collect()
}

/// The mount point of a line, its fifth field.
fn point(line: &str) -> Option<Vec<u8>> {
    line.split(' ').nth(4).map(unescaped)
}

/// The bytes of a path in /proc, where blanks and backslashes are octal numbers.
fn unescaped(path: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let octal = behind.get(..3).filter(|_| *first == b'\\');
        let octal = octal.and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some(byte) = octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            bytes.push(byte);
            rest = &behind[3..];
        } else {
            bytes.push(*first);
            rest = behind;
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_mounted() {
        assert!(is_mounted(Path::new("/proc")));
        assert!(!is_mounted(Path::new("/proc/self")));
        assert_eq!(
            file_system_of(Path::new("/proc/self/fd")).as_deref(),
            Some("proc")
        );
        assert_eq!(file_system_of(Path::new("/no such directory")), None);
        assert_eq!(unescaped("/a\\040b\\134"), b"/a b\\");
        assert!(is_shared("nfs4") && !is_shared("ext4"));
    }
}
