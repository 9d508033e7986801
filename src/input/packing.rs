//! How the bytes of a dump are packed: one file, compressed or not, or several files that are read as one dump.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Cursor, Read, Take};
use std::path::PathBuf;
use std::rc::Rc;

use super::xml_dump::AsSql;
use crate::archive::{self, BLOCK_BYTES, Compression};
use crate::dump::{beginning_of_files, end_of_file, has_lines_of_cr, is_utf16};
use crate::error::Error;

/// The byte order mark of UTF-8.
const MARK_OF_UTF8: &[u8] = b"\xef\xbb\xbf";

/// How the bytes of a dump are packed.
#[derive(Debug, Clone)]
pub enum Packing {
    /// A file, or a pipe.
    One(Compression),
    /// Several files, whose bytes follow each other.
    Several(Vec<PackedFile>),
}

/// A file of several.
#[derive(Debug, Clone)]
pub struct PackedFile {
    /// Its name in errors.
    pub name: String,
    /// The compression of its bytes.
    pub compression: Compression,
    /// How many bytes it has.
    pub size: u64,
}

/// A reader of what is packed in `reader`. It fails as soon as a file inflates to more than 512 MiB and to more than `ratio`
/// times its size.
pub fn unpacked<'a, R: Read + 'a>(reader: R, packing: Packing, ratio: u32) -> Box<dyn Read + 'a> {
    match packing {
        Packing::One(compression) => Box::new(AsSql::of(archive::decompressed_within(
            reader,
            compression,
            ratio,
        ))),
        Packing::Several(files) => Box::new(Several {
            source: Source(Rc::new(RefCell::new(reader))),
            text: Cursor::new(beginning_of_files(files.len()).into_bytes()),
            count: files.len(),
            files: files.into_iter(),
            number: 0,
            current: None,
            ratio,
        }),
    }
}

/// The bytes of several files, of each as many as it had when it was looked at. One is open at a time.
#[derive(Debug)]
pub struct BytesOfFiles {
    files: std::vec::IntoIter<(PathBuf, u64)>,
    current: Option<(PathBuf, Take<File>)>,
}

impl BytesOfFiles {
    /// Of these files, with their sizes.
    pub fn of(files: impl Iterator<Item = (PathBuf, u64)>) -> BytesOfFiles {
        BytesOfFiles {
            files: files.collect::<Vec<_>>().into_iter(),
            current: None,
        }
    }
}

impl Read for BytesOfFiles {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if let Some((path, file)) = &mut self.current {
                let count = file.read(buffer)?;
                if count > 0 {
                    return Ok(count);
                }
                // The next bytes would be taken for those of this file.
                if file.limit() > 0 {
                    let what = format!("{} has become shorter while it was read", path.display());
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, what));
                }
            }
            let Some((path, size)) = self.files.next() else {
                self.current = None;
                return Ok(0);
            };
            let file = File::open(&path)?.take(size);
            self.current = Some((path, file));
        }
    }
}

/// The bytes of all files. The decompressor of each reads its part.
struct Source<R>(Rc<RefCell<R>>);

impl<R: Read> Read for Source<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.borrow_mut().read(buffer)
    }
}

/// Reads several files as one dump, with comments where each ends.
struct Several<'a, R> {
    source: Source<R>,
    /// What is read next.
    text: Cursor<Vec<u8>>,
    files: std::vec::IntoIter<PackedFile>,
    count: usize,
    /// The number of the current file, from 1.
    number: usize,
    current: Option<CurrentFile<'a>>,
    ratio: u32,
}

struct CurrentFile<'a> {
    name: String,
    reader: Box<dyn Read + 'a>,
    given: u64,
}

impl<'a, R: Read + 'a> Read for Several<'a, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let count = self.text.read(buffer)?;
            if count > 0 {
                return Ok(count);
            }
            if let Some(current) = &mut self.current {
                let count = current.read(buffer)?;
                if count > 0 {
                    return Ok(count);
                }
                self.current = None;
                if self.number < self.count {
                    self.text = Cursor::new(end_of_file(self.number).into_bytes());
                }
            } else if let Some(file) = self.files.next() {
                self.begin(file)?;
            } else {
                return Ok(0);
            }
        }
    }
}

impl<'a, R: Read + 'a> Several<'a, R> {
    /// Begins to read `file`.
    fn begin(&mut self, file: PackedFile) -> io::Result<()> {
        let part = Source(Rc::clone(&self.source.0)).take(file.size);
        let mut current = CurrentFile {
            name: file.name,
            reader: Box::new(AsSql::of(archive::decompressed_within(
                part,
                file.compression,
                self.ratio,
            ))),
            given: 0,
        };
        let mut start = vec![0; BLOCK_BYTES];
        let count = archive::read_block(&mut current, &mut start)?;
        start.truncate(count);
        if let Some(what) = not_taken(&start) {
            let error = Error::archive(format!("{}: {what}", current.name)).hint(
                "import the file alone, or change it: iconv -f UTF-16 -t UTF-8, dos2unix -c mac",
            );
            return Err(io::Error::new(io::ErrorKind::InvalidData, error));
        }
        if start.starts_with(MARK_OF_UTF8) {
            start.drain(..MARK_OF_UTF8.len());
        }
        self.number += 1;
        self.text = Cursor::new(start);
        self.current = Some(current);
        Ok(())
    }
}

/// Why a file that begins with `start` cannot be one of several: all have the encoding and the line ends of the first one.
fn not_taken(start: &[u8]) -> Option<&'static str> {
    if is_utf16(start) {
        return Some("it is UTF-16, which is not supported for one of several files");
    }
    has_lines_of_cr(start)
        .then_some("its lines end with CR, which is not supported for one of several files")
}

impl Read for CurrentFile<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer).map_err(|cause| {
            let error = archive::read_failure(&self.name, self.given, &cause);
            io::Error::new(io::ErrorKind::InvalidData, error)
        })?;
        self.given += count as u64;
        Ok(count)
    }
}
