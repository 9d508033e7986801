//! An archive that was unpacked: a folder with the three members.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use super::extent::Extent;
use super::file::ArchiveFile;
use super::member::Member;
use crate::error::{Doing, Error, Result};

/// Whether the folder at `path` is an unpacked archive, or what is left of one.
#[must_use]
pub fn is_unpacked(path: &Path) -> bool {
    let is_file = |name: &str| fs::metadata(path.join(name)).is_ok_and(|found| found.is_file());
    Member::ALL
        .iter()
        .any(|member| is_file(member.name()) || member.plain().is_some_and(is_file))
}

/// Opens the members in the folder at `path`. Links are followed, as in any path; only files are opened.
pub fn open_folder(path: &Path) -> Result<ArchiveFile> {
    let open = |member: Member| {
        let file = path.join(member.name());
        let doing = || format!("read {}", file.display());
        let metadata = match fs::metadata(&file) {
            Ok(metadata) if metadata.is_file() => metadata,
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                return Err(cause).doing(doing());
            }
            _ => return Err(missing(path, member)),
        };
        let opened = File::open(&file).doing(doing())?;
        let extent = Extent::new(Arc::new(opened), 0, metadata.len());
        Ok((extent, u64::try_from(metadata.mtime()).unwrap_or(0)))
    };
    let [database, builds, information] = Member::ALL.map(open);
    let members = [database?, builds?, information?];
    let times = [members[0].1, members[1].1, members[2].1];
    Ok(ArchiveFile::unpacked(
        members.map(|(extent, _)| extent),
        times,
    ))
}

fn missing(folder: &Path, member: Member) -> Error {
    let (folder, name) = (folder.display(), member.name());
    let plain = member
        .plain()
        .filter(|plain| Path::new(&folder.to_string()).join(plain).is_file());
    let error = Error::archive(format!("the folder {folder} has no file {name}"));
    error.hint(match plain {
        Some(plain) => format!("compress it again: gzip {folder}/{plain}"),
        None => "check that the folder is a backup of GitLab CI, and complete".to_owned(),
    })
}
