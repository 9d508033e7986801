//! The entries of a tar with their full names and sizes.
//!
//! A name that does not fit into a header is in a separate entry before it: GNU's long names
//! (type `L`) and POSIX.1-2001's extended headers (type `x`). They are read here with a size limit, since a hostile
//! archive may have large ones. A size above 8 GiB is in base 256 (GNU) or in an extended header (bsdtar).

use std::borrow::Cow;
use std::io::{self, Read};

use tar::{EntryType, Header};

use super::extent::Extent;
use super::member::refused;
use crate::error::{Error, Result};

/// The longest path of Linux is 4 KiB; an extended header holds little more.
const MAX_EXTENSION_BYTES: u64 = 64 * 1024;

/// The unit of a tar.
const BLOCK_BYTES: usize = 512;

/// Skipped bytes are read in pieces of this size.
const SKIP_BYTES: usize = 16 * 1024;

/// The bytes of a tar, in order.
pub trait Source: Read {
    /// Skips the next `count` bytes.
    fn pass(&mut self, count: u64) -> io::Result<()>;
}

/// A tar in a file: bytes are skipped without reading them.
impl Source for Extent {
    fn pass(&mut self, count: u64) -> io::Result<()> {
        self.skip(count);
        Ok(())
    }
}

/// A tar that can only be read.
pub struct InOrder<R>(pub R);

impl<R: Read> Read for InOrder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl<R: Read> Source for InOrder<R> {
    fn pass(&mut self, count: u64) -> io::Result<()> {
        let mut buffer = [0; SKIP_BYTES];
        let mut left = count;
        while left > 0 {
            let wanted = usize::try_from(left).unwrap_or(SKIP_BYTES).min(SKIP_BYTES);
            match self.0.read(&mut buffer[..wanted]) {
                Ok(0) => return Err(io::Error::other("unexpected EOF during skip")),
                Ok(read) => left -= read as u64,
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                Err(cause) => return Err(cause),
            }
        }
        Ok(())
    }
}

/// An entry of a tar. Reading it gives its content.
pub struct Entry<'a, S> {
    source: &'a mut S,
    header: Header,
    size: u64,
    position: u64,
    /// The bytes of the content that are not read yet.
    rest: u64,
    /// Where it leads, if a separate entry says so.
    link: Option<Vec<u8>>,
}

impl<S> Entry<'_, S> {
    /// The header, whose name and size may be replaced by an extended header.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> EntryType {
        self.header.entry_type()
    }

    /// The size of the content.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Whether the content was read to its end.
    #[must_use]
    pub fn is_read(&self) -> bool {
        self.rest == 0
    }

    /// Where a link leads.
    #[must_use]
    pub fn link(&self) -> Option<Vec<u8>> {
        let in_header = || self.header.link_name_bytes().map(Cow::into_owned);
        self.link.clone().or_else(in_header)
    }

    /// The first byte of the content, in the tar.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }
}

impl<S: Read> Read for Entry<'_, S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let limit = usize::try_from(self.rest).unwrap_or(usize::MAX);
        let limit = limit.min(buffer.len());
        if limit == 0 {
            return Ok(0);
        }
        let count = self.source.read(&mut buffer[..limit])?;
        self.rest -= count as u64;
        Ok(count)
    }
}

/// What the entries before an entry say about it.
#[derive(Default)]
struct Extended {
    name: Option<Vec<u8>>,
    size: Option<u64>,
    link: Option<Vec<u8>>,
}

/// Calls `take` with each entry and its name, up to the end of the tar: a block of zeros. `damaged` makes an error of
/// the cause why an entry cannot be read.
pub fn for_each_entry<S: Source>(
    source: &mut S,
    damaged: impl Fn(io::Error) -> Error,
    mut take: impl FnMut(&[u8], &mut Entry<'_, S>) -> Result<()>,
) -> Result<()> {
    let mut extended = Extended::default();
    let mut position = 0;
    let damaged = |cause| damaged(without_lines(cause));
    while let Some(header) = next_header(source).map_err(&damaged)? {
        position += BLOCK_BYTES as u64;
        let kind = header.entry_type();
        let is_extension = kind.is_gnu_longname()
            || kind.is_gnu_longlink()
            || kind.is_pax_local_extensions()
            || kind.is_pax_global_extensions();
        let stated = header.entry_size().map_err(&damaged)?;
        let size = extended.size.filter(|_| !is_extension).unwrap_or(stated);
        let next = size
            .checked_next_multiple_of(BLOCK_BYTES as u64)
            .and_then(|padded| padded.checked_add(position))
            .ok_or_else(|| damaged(io::Error::other("size overflow")))?;
        let mut entry = Entry {
            source,
            header,
            size,
            position,
            rest: size,
            link: None,
        };
        if is_extension {
            extended.read(&mut entry, damaged)?;
        } else {
            let Extended { name, link, .. } = std::mem::take(&mut extended);
            entry.link = link;
            let name = name.unwrap_or_else(|| entry.header.path_bytes().into_owned());
            take(&name, &mut entry)?;
        }
        let passed = position + (size - entry.rest);
        source.pass(next - passed).map_err(&damaged)?;
        position = next;
    }
    if extended.name.is_some() || extended.size.is_some() {
        return Err(Error::archive(
            "the tar ends after an entry's name; the entry is missing",
        ));
    }
    Ok(())
}

/// The next header, or none at the end of the tar.
fn next_header(source: &mut impl Read) -> io::Result<Option<Header>> {
    let mut header = Header::new_old();
    let bytes = header.as_mut_bytes();
    let mut count = 0;
    while count < bytes.len() {
        match source.read(&mut bytes[count..]) {
            Ok(0) if count == 0 => return Ok(None),
            Ok(0) => return Err(io::Error::other("failed to read entire block")),
            Ok(read) => count += read,
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            Err(cause) => return Err(cause),
        }
    }
    if bytes.iter().all(|byte| *byte == 0) {
        return Ok(None);
    }
    // The field of the checksum counts as spaces (POSIX.1-1988, 10.1.1).
    let fields = bytes[..148].iter().chain(&bytes[156..]);
    let sum = fields.fold(8 * 32, |sum: u32, byte| sum + u32::from(*byte));
    if header.cksum()? != sum {
        return Err(io::Error::other("archive header checksum mismatch"));
    }
    Ok(Some(header))
}

/// `cause` without control characters: the tar reader quotes header fields that it cannot read.
fn without_lines(cause: io::Error) -> io::Error {
    let text = cause.to_string();
    if text.contains(char::is_control) {
        return io::Error::new(cause.kind(), text.escape_debug().to_string());
    }
    cause
}

impl Extended {
    /// Reads `entry`, which describes the entry after it.
    fn read<S: Read>(
        &mut self,
        entry: &mut Entry<'_, S>,
        damaged: impl Fn(io::Error) -> Error,
    ) -> Result<()> {
        let kind = entry.kind();
        let mut content = extension(entry, damaged)?;
        if kind.is_gnu_longname() || kind.is_gnu_longlink() {
            while content.last() == Some(&0) {
                content.pop();
            }
            let of_name = kind.is_gnu_longname();
            let said = if of_name {
                &mut self.name
            } else {
                &mut self.link
            };
            *said = Some(content);
        } else if kind.is_pax_local_extensions() {
            let records = Extended::of_records(&content)?;
            self.name = records.name.or(self.name.take());
            self.size = records.size.or(self.size);
            self.link = records.link.or(self.link.take());
        } else if kind.is_pax_global_extensions() {
            let records = Extended::of_records(&content)?;
            if records.name.is_some() {
                return Err(refused("?", "its name is in a global header"));
            }
            if records.size.is_some() {
                return Err(refused("?", "its size is in a global header"));
            }
        }
        Ok(())
    }

    /// The records of an extended header (POSIX.1-2001, pax). The map of a sparse file is refused, since the following
    /// bytes would be read wrongly.
    fn of_records(records: &[u8]) -> Result<Extended> {
        let mut found = Extended::default();
        let damaged = || Error::archive("an extended header of the tar is damaged");
        let mut rest = records;
        while !rest.is_empty() {
            let space = rest.iter().position(|byte| *byte == b' ').unwrap_or(0);
            let length = number(&rest[..space]).unwrap_or(0);
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            let record = rest
                .get(space + 1..length)
                .and_then(|record| record.strip_suffix(b"\n"));
            let pair = record.and_then(|record| {
                let at = record.iter().position(|byte| *byte == b'=')?;
                Some((&record[..at], &record[at + 1..]))
            });
            match pair.ok_or_else(damaged)? {
                (b"path", value) => found.name = Some(value.to_vec()),
                (b"linkpath", value) => found.link = Some(value.to_vec()),
                (b"size", value) => found.size = Some(number(value).ok_or_else(damaged)?),
                (key, _) if key.starts_with(b"GNU.sparse") => {
                    return Err(refused("?", "it is a sparse file"));
                }
                _ => {}
            }
            rest = &rest[length..];
        }
        Ok(found)
    }
}

/// A decimal number without a sign.
fn number(digits: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(digits).ok()?;
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

fn extension<S: Read>(
    entry: &mut Entry<'_, S>,
    damaged: impl Fn(io::Error) -> Error,
) -> Result<Vec<u8>> {
    if entry.size() > MAX_EXTENSION_BYTES {
        let name = String::from_utf8_lossy(&entry.header.path_bytes()).into_owned();
        return Err(refused(
            &name,
            "the header of its name is larger than 64 KiB",
        ));
    }
    let mut content = Vec::new();
    entry.read_to_end(&mut content).map_err(&damaged)?;
    if content.len() as u64 != entry.size() {
        return Err(damaged(io::ErrorKind::UnexpectedEof.into()));
    }
    Ok(content)
}
