//! The members that a backup archive has, and those that are refused.

use std::path::{Component, Path, PathBuf};

use tar::EntryType;

use crate::error::{Error, Result};

/// The SQL dump, compressed with gzip.
pub const DATABASE: &str = "db/database.sql.gz";
/// A tar of the build traces, compressed with gzip.
pub const BUILDS: &str = "builds/builds.tar.gz";
/// Versions and times, as YAML; the last member.
pub const INFORMATION: &str = "backup_information.yml";

/// The members that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Member {
    /// [`DATABASE`]
    Database,
    /// [`BUILDS`]
    Builds,
    /// [`INFORMATION`]
    Information,
}

impl Member {
    /// All of them, in the order a backup has them.
    pub const ALL: [Member; 3] = [Member::Database, Member::Builds, Member::Information];

    /// The name of the member in the archive.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Member::Database => DATABASE,
            Member::Builds => BUILDS,
            Member::Information => INFORMATION,
        }
    }

    /// The name of the member if it was decompressed.
    pub(super) fn plain(self) -> Option<&'static str> {
        self.name().strip_suffix(".gz")
    }

    /// The member that was decompressed to `path`, if there is one, and its name without compression.
    pub(super) fn plain_of(path: &Path) -> Option<(Member, &'static str)> {
        let mut plain = Member::ALL
            .into_iter()
            .filter_map(|member| Some((member, member.plain()?)));
        plain.find(|(_, plain)| path.ends_with(plain))
    }
}

/// The limits of Linux (limits.h): a file with a longer name could not be made.
const MAX_NAME_BYTES: usize = 255;
const MAX_PATH_BYTES: usize = 4096;

/// The path of a trace has only a month, a project and a name.
const MAX_PARTS: usize = 32;

/// The path of a member below the directory it is unpacked to, without `.` parts. A path is refused if it is absolute,
/// leads outside, is not UTF-8, has a NUL, or is too long or too deep.
pub fn safe_path(name: &[u8]) -> Result<PathBuf> {
    let shown = String::from_utf8_lossy(name);
    let text = std::str::from_utf8(name).map_err(|_| refused(&shown, "its name is not UTF-8"))?;
    if text.contains('\0') {
        return Err(refused(&shown, "its name has a NUL character"));
    }
    if text.len() > MAX_PATH_BYTES {
        let start: String = text.chars().take(MAX_NAME_BYTES).collect();
        return Err(refused(&start, "its name is longer than 4096 bytes"));
    }
    let mut path = PathBuf::new();
    let mut parts = 0;
    for component in Path::new(text).components() {
        match component {
            Component::Normal(part) if part.len() > MAX_NAME_BYTES => {
                return Err(refused(
                    &shown,
                    "its name has a part of more than 255 bytes",
                ));
            }
            Component::Normal(part) => {
                parts += 1;
                path.push(part);
            }
            Component::CurDir => {}
            Component::ParentDir => return Err(refused(&shown, "its name has a part \"..\"")),
            Component::RootDir | Component::Prefix(_) => {
                return Err(refused(&shown, "its name is absolute"));
            }
        }
    }
    if parts > MAX_PARTS {
        return Err(refused(&shown, "its name has more than 32 parts"));
    }
    Ok(path)
}

/// A path of an archive for messages: in quotes, without control characters.
pub(crate) fn shown(path: &Path) -> String {
    format!("{:?}", path.to_string_lossy())
}

/// The reason why an entry of this kind is refused.
pub(super) fn kind_of(kind: EntryType) -> &'static str {
    match kind {
        EntryType::Symlink => "it is a symbolic link",
        EntryType::Link => "it is a hard link",
        EntryType::Char | EntryType::Block => "it is a device",
        EntryType::Fifo => "it is a FIFO",
        EntryType::GNUSparse => "it is a sparse file",
        _ => "it is neither a file nor a directory",
    }
}

/// The error for a member that is refused.
pub(crate) fn refused(name: &str, why: &str) -> Error {
    Error::archive(format!("the member {name:?} is refused: {why}"))
        .hint("a backup made by GitLab CI has no such member; do not trust this archive")
}

/// The error for a file that the archive has twice.
pub(crate) fn twice(name: &str) -> Error {
    refused(name, "it is in the archive twice").hint(
        "the archive was changed after GitLab CI made it (tar -r adds a second file): make the backup again, or \
         unpack the archive and name the folder",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_members() {
        assert_eq!(
            safe_path(b"./2015_10/1/2.log").unwrap(),
            Path::new("2015_10/1/2.log")
        );
        assert_eq!(safe_path(b"./").unwrap(), Path::new(""));
        for (name, why) in [
            (&b"../x"[..], "its name has a part \"..\""),
            (b"a/../../x", "its name has a part \"..\""),
            (b"/etc/passwd", "its name is absolute"),
            (b"a\xff", "its name is not UTF-8"),
            (b"a\0b", "its name has a NUL character"),
        ] {
            let error = safe_path(name).unwrap_err().to_string();
            assert!(error.ends_with(why), "{error}");
        }
    }

    #[test]
    fn names_that_are_too_long() {
        let part = "x".repeat(255);
        let path = [part.as_str(); 16].join("/");
        assert_eq!(path.len(), 4095);
        safe_path(path.as_bytes()).unwrap();
        safe_path(format!("./{}/", vec!["d"; 32].join("/")).as_bytes()).unwrap();
        for (name, why) in [
            (format!("{part}x"), "a part of more than 255 bytes"),
            (format!("a/{part}x/b"), "a part of more than 255 bytes"),
            (format!("{path}/x"), "its name is longer than 4096 bytes"),
            (vec!["d"; 33].join("/"), "its name has more than 32 parts"),
        ] {
            let error = safe_path(name.as_bytes()).unwrap_err().to_string();
            assert!(error.ends_with(why), "{error}");
            assert!(error.len() < 600, "{error}");
        }
    }
}
