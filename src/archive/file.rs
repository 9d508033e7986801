//! An archive that can be read in any order: the headers are read first, then the members.

use std::io::Read;

use super::entries::for_each_entry;
use super::extent::Extent;
use super::inflation_limit::error_behind;
use super::layout::Layout;
use super::member::Member;
use super::packed::as_tar;
use crate::error::{Error, Result};

/// The members of an archive in a file, in a folder or in an object storage.
#[derive(Debug)]
pub struct ArchiveFile {
    whole: Whole,
    members: [Extent; 3],
}

/// Where the members are.
#[derive(Debug)]
enum Whole {
    /// In a tar.
    Tar(Extent),
    /// In a folder; the times at which the members were modified.
    Folder([u64; 3]),
}

impl ArchiveFile {
    /// The archive whose members were unpacked, with their times.
    pub(super) fn unpacked(members: [Extent; 3], times: [u64; 3]) -> ArchiveFile {
        let whole = Whole::Folder(times);
        ArchiveFile { whole, members }
    }

    /// Whether its members were unpacked.
    #[must_use]
    pub fn is_unpacked(&self) -> bool {
        matches!(self.whole, Whole::Folder(_))
    }

    /// A reader of the whole archive as a tar, from its beginning.
    #[must_use]
    pub fn whole(&self) -> Box<dyn Read + Send> {
        match &self.whole {
            Whole::Tar(tar) => tar.clone().read_through(),
            Whole::Folder(times) => as_tar(&self.members, times),
        }
    }

    /// A reader of `member`, from its beginning.
    #[must_use]
    pub fn open(&self, member: Member) -> Extent {
        self.members[member as usize].clone()
    }
}

/// Reads the headers of the archive `whole`; the data of the members is skipped.
pub fn index(whole: Extent) -> Result<ArchiveFile> {
    let length = whole.remaining();
    let empty = || whole.part(0, 0);
    let mut members = [empty(), empty(), empty()];
    let mut layout = Layout::default();
    let mut tar = whole.clone();
    let damaged = |cause: std::io::Error| {
        error_behind(&cause).unwrap_or_else(|| {
            Error::archive(format!("the archive is damaged: {cause}"))
                .hint("check that the file is a tar file and was copied completely")
        })
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
        if let Some(member) = layout.member(name, entry)? {
            members[member as usize] = whole.part(offset, size);
        }
        Ok(())
    })?;
    layout.check()?;
    let whole = Whole::Tar(whole);
    Ok(ArchiveFile { whole, members })
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
