//! An archive in a file: the headers are read first, then the members in any order.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use super::entries::for_each_entry;
use super::extent::Extent;
use super::member::{Member, classify_entry, missing, twice};
use crate::error::{Doing, Error, Result};

/// The members of an archive in a file.
#[derive(Debug)]
pub struct ArchiveFile {
    whole: Extent,
    members: [Extent; 3],
}

impl ArchiveFile {
    /// A reader of the whole archive, from its beginning.
    #[must_use]
    pub fn whole(&self) -> Extent {
        self.whole.clone()
    }

    /// A reader of `member`, from its beginning.
    #[must_use]
    pub fn open(&self, member: Member) -> Extent {
        self.members[member as usize].clone()
    }
}

/// Reads the headers of the archive at `path`; the data of the members is skipped.
pub fn index(path: &Path) -> Result<ArchiveFile> {
    let file = File::open(path).doing(format!("read {}", path.display()))?;
    let length = file
        .metadata()
        .doing(format!("read {}", path.display()))?
        .len();
    let file = Arc::new(file);
    let mut found: [Option<Extent>; 3] = [None, None, None];
    let mut tar = Extent::new(Arc::clone(&file), 0, length);
    let damaged = |cause: std::io::Error| {
        Error::archive(format!("the archive is damaged: {cause}"))
            .hint("check that the file is a tar file and was copied completely")
    };
    for_each_entry(&mut tar, damaged, |name, entry| {
        let (offset, size) = (entry.position(), entry.size());
        if offset.checked_add(size).is_none_or(|end| end > length) {
            let name = String::from_utf8_lossy(name).into_owned();
            return Err(Error::archive(format!(
                "the archive is truncated: the member {name:?} has {size} bytes from byte \
                 {offset} on, the file only {length}"
            )));
        }
        if let Some(member) = classify_entry(name, entry.kind())? {
            let extent = Extent::new(Arc::clone(&file), offset, size);
            if found[member as usize].replace(extent).is_some() {
                return Err(twice(member));
            }
        }
        Ok(())
    })?;
    let member = |found: &mut [Option<Extent>; 3], member: Member| {
        found[member as usize].take().ok_or_else(|| missing(member))
    };
    Ok(ArchiveFile {
        whole: Extent::new(file, 0, length),
        members: [
            member(&mut found, Member::Database)?,
            member(&mut found, Member::Builds)?,
            member(&mut found, Member::Information)?,
        ],
    })
}

impl ArchiveFile {
    /// The whole of a small member, at most `limit` bytes.
    pub fn read_small(&self, member: Member, limit: u64) -> Result<Vec<u8>> {
        read_small(member, self.open(member), limit)
    }
}

/// The size of a member, as the archive states it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemberSize {
    /// Compressed.
    pub compressed: u64,
    /// Inflated, modulo 2^32, from the last four bytes of the member (RFC 1952, 2.3.1); 0 if it has fewer bytes.
    pub in_trailer: u32,
}

/// The bytes of the size at the end of a gzip stream (RFC 1952, 2.3.1).
pub(super) const SIZE_BYTES: usize = 4;

impl ArchiveFile {
    /// The size of `member`.
    pub fn size(&self, member: Member) -> Result<MemberSize> {
        let mut extent = self.open(member);
        let compressed = extent.remaining();
        let mut size = [0; SIZE_BYTES];
        if let Some(before) = compressed.checked_sub(SIZE_BYTES as u64) {
            extent.skip(before);
            extent
                .read_exact(&mut size)
                .map_err(|cause| super::inflate::read_failure(member.name(), 0, &cause))?;
        }
        Ok(MemberSize {
            compressed,
            in_trailer: u32::from_le_bytes(size),
        })
    }
}

pub(super) fn read_small(member: Member, reader: impl Read, limit: u64) -> Result<Vec<u8>> {
    let mut content = Vec::new();
    let read = reader.take(limit + 1).read_to_end(&mut content);
    read.map_err(|cause| super::inflate::read_failure(member.name(), 0, &cause))?;
    if content.len() as u64 > limit {
        let name = member.name();
        return Err(Error::archive(format!(
            "the member {name} is larger than {limit} bytes"
        )));
    }
    Ok(content)
}
