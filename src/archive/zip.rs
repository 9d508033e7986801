//! Reads the one file of a ZIP archive as a stream (PKWARE, APPNOTE.TXT 6.3.10): stored or deflated, with or without a data
//! descriptor, of any size.
//!
//! The local headers are read in order, so an archive can come through a pipe. Folders, and what macOS puts into the folder
//! `__MACOSX`, are passed over.

use std::io::{self, BufRead, Read};

use flate2::Crc;
use flate2::bufread::DeflateDecoder;

use crate::error::Error;

/// The first bytes of a local file header (4.3.7).
pub(super) const MAGIC: &[u8] = b"PK\x03\x04";

/// The same as a number, and those of the other records.
const LOCAL_HEADER: u32 = 0x0403_4b50;
const DATA_DESCRIPTOR: u32 = 0x0807_4b50;
const CENTRAL_HEADER: u32 = 0x0201_4b50;
const CENTRAL_SIGNATURE: u32 = 0x0505_4b50;
const END_64: u32 = 0x0606_4b50;
const LOCATOR_64: u32 = 0x0706_4b50;
const END: u32 = 0x0605_4b50;

/// Bits of the flags (4.4.4).
const ENCRYPTED: u16 = 1;
const HAS_DESCRIPTOR: u16 = 1 << 3;

/// The extra field with sizes of 64 bits (4.5.3), and what stands for such a size in a header.
const EXTRA_64: u16 = 1;
const SIZE_64: u32 = u32::MAX;

/// What macOS adds to the files.
const OF_MACOS: &[u8] = b"__MACOSX/";

/// So many characters of a name are shown.
const SHOWN_CHARACTERS: usize = 100;

/// Reads the file in a ZIP archive.
pub(super) struct Zip<R> {
    state: State<R>,
    /// The file that was found.
    name: Option<String>,
}

enum State<R> {
    /// Before a header.
    Between(R),
    /// In the content of an entry.
    In(Box<Content<R>>),
    /// Behind the last record, or behind an error.
    Ended,
}

/// The content of an entry.
struct Content<R> {
    data: Data<R>,
    header: Header,
    checksum: Crc,
    /// Whether it is passed over.
    is_skipped: bool,
}

enum Data<R> {
    Stored(io::Take<R>),
    Deflated(DeflateDecoder<R>),
}

/// What a local header says.
struct Header {
    name: Vec<u8>,
    flags: u16,
    method: u16,
    checksum: u32,
    compressed: u64,
    size: u64,
    /// Whether sizes have 64 bits.
    is_64: bool,
}

impl<R: BufRead> Zip<R> {
    pub(super) fn new(reader: R) -> Self {
        Zip {
            state: State::Between(reader),
            name: None,
        }
    }

    /// Goes to the content of the next entry, or to the end.
    fn next(&mut self, mut reader: R) -> io::Result<State<R>> {
        match read_u32(&mut reader)? {
            LOCAL_HEADER => {}
            record => {
                read_directory(&mut reader, record)?;
                return match self.name {
                    Some(_) => Ok(State::Ended),
                    None => Err(refused("the ZIP archive has no file", HINT)),
                };
            }
        }
        let header = Header::read(&mut reader)?;
        let is_skipped = header.name.ends_with(b"/") || header.name.starts_with(OF_MACOS);
        if !is_skipped {
            let name = shown(&header.name);
            if let Some(first) = &self.name {
                let what = format!("the ZIP archive has several files: {first} and {name}");
                return Err(refused(
                    &what,
                    "name the one with the dump: unzip -p FILE NAME | ci-import - …, or unpack all of them (unzip FILE)",
                ));
            }
            self.name = Some(name);
        }
        let data = header.data(reader)?;
        Ok(State::In(Box::new(Content {
            data,
            header,
            checksum: Crc::new(),
            is_skipped,
        })))
    }
}

impl<R: BufRead> Read for Zip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            match std::mem::replace(&mut self.state, State::Ended) {
                State::Between(reader) => self.state = self.next(reader)?,
                State::In(mut content) => {
                    let count = content.read(buffer)?;
                    if count == 0 {
                        self.state = State::Between(content.end()?);
                        continue;
                    }
                    let is_skipped = content.is_skipped;
                    self.state = State::In(content);
                    if !is_skipped {
                        return Ok(count);
                    }
                }
                State::Ended => return Ok(0),
            }
        }
    }
}

impl<R: BufRead> Content<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match &mut self.data {
            Data::Stored(stored) => stored.read(buffer)?,
            Data::Deflated(deflated) => deflated.read(buffer)?,
        };
        self.checksum.update(&buffer[..count]);
        Ok(count)
    }

    /// Checks what the archive says about the content, and returns the reader.
    fn end(self) -> io::Result<R> {
        let (mut reader, compressed, size) = match self.data {
            Data::Stored(stored) => {
                if stored.limit() > 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                (
                    stored.into_inner(),
                    self.header.compressed,
                    self.header.size,
                )
            }
            Data::Deflated(deflated) => {
                let (compressed, size) = (deflated.total_in(), deflated.total_out());
                (deflated.into_inner(), compressed, size)
            }
        };
        let checksum = if self.header.flags & HAS_DESCRIPTOR == 0 {
            let Header {
                compressed: stated,
                size: stated_size,
                ..
            } = self.header;
            if (stated, stated_size) != (compressed, size) {
                return Err(damaged("the size of the file is not the one of its header"));
            }
            self.header.checksum
        } else {
            read_descriptor(&mut reader, compressed, size, self.header.is_64)?
        };
        if checksum != self.checksum.sum() {
            return Err(damaged("the checksum of the file is another one"));
        }
        Ok(reader)
    }
}

impl Header {
    /// Reads a header behind its first four bytes.
    fn read(reader: &mut impl Read) -> io::Result<Header> {
        let mut fixed = [0; 26];
        reader.read_exact(&mut fixed)?;
        let u16_at = |at: usize| u16::from_le_bytes([fixed[at], fixed[at + 1]]);
        let u32_at = |at: usize| u32::from(u16_at(at)) | u32::from(u16_at(at + 2)) << 16;
        let mut name = vec![0; usize::from(u16_at(22))];
        reader.read_exact(&mut name)?;
        let mut extra = vec![0; usize::from(u16_at(24))];
        reader.read_exact(&mut extra)?;
        let (compressed, size) = (u32_at(14), u32_at(18));
        let mut header = Header {
            name,
            flags: u16_at(2),
            method: u16_at(4),
            checksum: u32_at(10),
            compressed: compressed.into(),
            size: size.into(),
            is_64: false,
        };
        if let Some(mut sizes) = field(&extra, EXTRA_64) {
            header.is_64 = true;
            if size == SIZE_64 {
                header.size = read_u64(&mut sizes)?;
            }
            if compressed == SIZE_64 {
                header.compressed = read_u64(&mut sizes)?;
            }
        }
        Ok(header)
    }

    /// The content of the entry.
    fn data<R: BufRead>(&self, reader: R) -> io::Result<Data<R>> {
        if self.flags & ENCRYPTED != 0 {
            return Err(refused("the file in the ZIP archive is encrypted", HINT));
        }
        match self.method {
            // Nobody knows where such a content ends.
            0 if self.flags & HAS_DESCRIPTOR != 0 && self.compressed == 0 => Err(refused(
                "the file in the ZIP archive is stored without its size",
                HINT,
            )),
            0 => Ok(Data::Stored(reader.take(self.compressed))),
            8 => Ok(Data::Deflated(DeflateDecoder::new(reader))),
            method => {
                let what = format!(
                    "the file in the ZIP archive has the compression method {method}, not 8 (deflate)"
                );
                Err(refused(&what, HINT))
            }
        }
    }
}

/// What to do with an archive that is refused.
const HINT: &str = "unpack it (7z x FILE), and name the file that was in it";

/// Reads the descriptor behind a content (4.3.9); returns the checksum. Its sizes must be the ones that were counted.
fn read_descriptor(
    reader: &mut impl Read,
    compressed: u64,
    size: u64,
    is_64: bool,
) -> io::Result<u32> {
    // The signature may be missing.
    let checksum = match read_u32(reader)? {
        DATA_DESCRIPTOR => read_u32(reader)?,
        checksum => checksum,
    };
    let first = read_u64(reader)?;
    // Two sizes of 32 bits, or the first one of 64.
    let both = (compressed & u64::from(u32::MAX)) | size << 32;
    let is_short = first == both && !(is_64 && compressed == both);
    if !is_short && (first, read_u64(reader)?) != (compressed, size) {
        return Err(damaged("the size of the file is not the one behind it"));
    }
    Ok(checksum)
}

/// Reads the directory behind the files, which begins with `record`, to the end of the archive.
fn read_directory(reader: &mut impl Read, mut record: u32) -> io::Result<()> {
    loop {
        match record {
            CENTRAL_HEADER => {
                let mut fixed = [0; 42];
                reader.read_exact(&mut fixed)?;
                let length = |at: usize| u64::from(u16::from_le_bytes([fixed[at], fixed[at + 1]]));
                skip(reader, length(24) + length(26) + length(28))?;
            }
            CENTRAL_SIGNATURE => {
                let length = read_u16(reader)?;
                skip(reader, length.into())?;
            }
            END_64 => {
                let length = read_u64(reader)?;
                skip(reader, length)?;
            }
            LOCATOR_64 => skip(reader, 16)?,
            END => {
                skip(reader, 16)?;
                let comment = read_u16(reader)?;
                skip(reader, comment.into())?;
                return match reader.read(&mut [0])? {
                    0 => Ok(()),
                    _ => Err(damaged("other bytes follow the end of the ZIP archive")),
                };
            }
            _ => {
                return Err(damaged(
                    "a record of the ZIP archive has an unknown signature",
                ));
            }
        }
        record = read_u32(reader)?;
    }
}

/// The extra field with this number.
fn field(mut extra: &[u8], wanted: u16) -> Option<&[u8]> {
    while let [a, b, c, d, rest @ ..] = extra {
        let length = usize::from(u16::from_le_bytes([*c, *d])).min(rest.len());
        let (content, behind) = rest.split_at(length);
        if u16::from_le_bytes([*a, *b]) == wanted {
            return Some(content);
        }
        extra = behind;
    }
    None
}

fn skip(reader: &mut impl Read, count: u64) -> io::Result<()> {
    match io::copy(&mut reader.take(count), &mut io::sink())? {
        skipped if skipped == count => Ok(()),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

fn read_u16(reader: &mut impl Read) -> io::Result<u16> {
    let mut bytes = [0; 2];
    reader.read_exact(&mut bytes)?;
    Ok(u16::from_le_bytes(bytes))
}

fn read_u32(reader: &mut impl Read) -> io::Result<u32> {
    let mut bytes = [0; 4];
    reader.read_exact(&mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}

fn read_u64(reader: &mut impl Read) -> io::Result<u64> {
    let mut bytes = [0; 8];
    reader.read_exact(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

/// The name of an entry for messages.
fn shown(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name);
    let name: String = name.chars().take(SHOWN_CHARACTERS).collect();
    format!("{name:?}")
}

fn refused(what: &str, hint: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, Error::archive(what).hint(hint))
}

fn damaged(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests;
