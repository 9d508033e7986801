//! The files of a folder as one stream of SQL.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::OFlags;

use super::load_data::LoadData;
use super::names::plain;
use super::tuples::{Decode, Tuples};
use crate::archive::{self, Compression, DEFAULT_MAX_INFLATION, InputKind};
use crate::error::Error;

/// No definition, and no file with what a program says about its dump, is longer.
const MAX_TEXT_BYTES: u64 = 16 << 20;

/// No statement that loads a file is longer: MySQL has at most 4096 columns with names of 64 characters, each three times.
const MAX_LOAD_BYTES: u64 = 4 << 20;

/// So many bytes are read at a time.
const BLOCK_BYTES: usize = 256 * 1024;

/// A part of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// This text.
    Text(String),
    /// A file with SQL.
    Sql(PathBuf),
    /// A file with the definition of one table, whose rows are in the character sets of their columns.
    Definition(PathBuf),
    /// A file with the statement that loads another one, with lines of values.
    Load { statement: PathBuf, rows: PathBuf },
    /// A file with lines of values.
    Rows {
        path: PathBuf,
        /// The INSERT, to VALUES.
        head: Arc<str>,
        /// How the values of each column are written, in order; a column that is not there is text.
        columns: Arc<[Decode]>,
    },
}

/// A stream of SQL.
pub(in crate::input) struct FolderStream {
    parts: VecDeque<Part>,
    current: Option<Current>,
}

enum Current {
    Text(Box<dyn Read>),
    Rows(Box<Tuples<BufReader<Box<dyn Read>>>>),
}

impl FolderStream {
    pub(super) fn of(parts: Vec<Part>) -> FolderStream {
        FolderStream {
            parts: parts.into(),
            current: None,
        }
    }
}

impl Current {
    fn open(part: Part) -> io::Result<Current> {
        Ok(match part {
            Part::Text(text) => Current::Text(Box::new(Cursor::new(text.into_bytes()))),
            // Definitions are UTF-8 whatever these settings say.
            Part::Definition(path) => {
                let text = text_of(&path)?.replace("SET NAMES utf8mb4", "SET NAMES binary");
                Current::Text(Box::new(Cursor::new(text.into_bytes())))
            }
            // The last line of a file may have no end.
            Part::Sql(path) => Current::Text(Box::new(named(&path)?.chain(Cursor::new(b"\n")))),
            Part::Load { statement, rows } => Current::Text(loaded(&statement, &rows)?),
            Part::Rows {
                path,
                head,
                columns,
            } => {
                let lines = BufReader::with_capacity(BLOCK_BYTES, named(&path)?);
                let tuples = Tuples::new(lines, head, columns, shown(&path));
                Current::Rows(Box::new(tuples))
            }
        })
    }
}

impl Read for FolderStream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        loop {
            let count = match &mut self.current {
                Some(Current::Text(reader)) => reader.read(into)?,
                Some(Current::Rows(tuples)) => tuples.read(into)?,
                None => match self.parts.pop_front() {
                    None => return Ok(0),
                    Some(part) => {
                        self.current = Some(Current::open(part)?);
                        continue;
                    }
                },
            };
            if count > 0 {
                return Ok(count);
            }
            self.current = None;
        }
    }
}

/// The SQL of a file `rows`, which the file `statement` loads.
fn loaded(statement: &Path, rows: &Path) -> io::Result<Box<dyn Read>> {
    let name = shown(statement);
    let wrong = |what: &str| {
        let error = Error::archive(format!("{name}: {what}"))
            .hint("make the dump with rows as SQL, or with the default marks of values and lines");
        io::Error::new(io::ErrorKind::InvalidData, error)
    };
    let mut text = Vec::new();
    named(statement)?
        .take(MAX_LOAD_BYTES)
        .read_to_end(&mut text)?;
    let text = String::from_utf8(text).map_err(|_| wrong("it is not UTF-8"))?;
    let LoadData {
        settings,
        file,
        head,
        columns,
        format,
    } = LoadData::of(&text).map_err(|what| wrong(&what))?;
    if plain(&file) != plain(&shown(rows)) {
        return Err(wrong("it loads another file than the one with its name"));
    }
    let lines = BufReader::with_capacity(BLOCK_BYTES, named(rows)?);
    let tuples = Tuples::new(lines, head, columns, shown(rows)).in_format(format);
    Ok(Box::new(Cursor::new(settings.into_bytes()).chain(tuples)))
}

/// The content of a file, decompressed. Its errors have its name.
fn named(path: &Path) -> io::Result<Box<dyn Read>> {
    let name = shown(path);
    let with_name = |cause: io::Error| io::Error::new(cause.kind(), format!("{name}: {cause}"));
    let file = open_file(path).map_err(with_name)?;
    let (start, whole) = archive::sniff(file).map_err(with_name)?;
    let compression = match archive::kind_of_input(&start) {
        InputKind::Other(compression) => compression,
        _ => Compression::None,
    };
    let reader = archive::decompressed_within(whole, compression, DEFAULT_MAX_INFLATION);
    Ok(Box::new(Named { reader, name }))
}

/// The text of a file that is not long.
pub(super) fn text_of(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let read = open_file(path)?
        .take(MAX_TEXT_BYTES)
        .read_to_string(&mut text)?;
    if read as u64 == MAX_TEXT_BYTES {
        let what = format!("{} is longer than 16 MiB", shown(path));
        return Err(io::Error::new(io::ErrorKind::InvalidData, what));
    }
    Ok(text)
}

/// Opens a file that was one when the folder was read. Nobody waits for the other end of a pipe that has come in its place.
pub(super) fn open_file(path: &Path) -> io::Result<File> {
    let nonblocking = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    let file = File::options()
        .read(true)
        .custom_flags(nonblocking)
        .open(path)?;
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"))
}

fn shown(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.display().to_string()
}

struct Named<R> {
    reader: R,
    name: String,
}

impl<R: Read> Read for Named<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.reader
            .read(into)
            .map_err(|cause| io::Error::new(cause.kind(), format!("{}: {cause}", self.name)))
    }
}
