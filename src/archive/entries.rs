//! The entries of a tar with their full names.
//!
//! A name that does not fit into a header is in a separate entry before it: GNU's long names
//! (type `L`) and POSIX.1-2001's extended headers (type `x`). They are read here with a size limit, since a hostile
//! archive may have large ones.

use std::io::{self, Read};

use tar::{Entry, EntryType};

use super::member::refused;
use crate::error::{Error, Result};

/// The longest path of Linux is 4 KiB; an extended header holds little more.
const MAX_EXTENSION_BYTES: u64 = 64 * 1024;

/// Calls `take` with each entry and its name. `damaged` makes an error of the cause why an entry cannot be read.
pub fn for_each_entry<'a, R: Read + 'a>(
    entries: tar::Entries<'a, R>,
    damaged: impl Fn(io::Error) -> Error,
    mut take: impl FnMut(&[u8], &mut Entry<'a, R>) -> Result<()>,
) -> Result<()> {
    let mut long_name = None;
    for entry in entries.raw(true) {
        let mut entry = entry.map_err(|cause| damaged(without_lines(cause)))?;
        match entry.header().entry_type() {
            EntryType::GNULongName => {
                let mut name = extension(&mut entry, &damaged)?;
                while name.last() == Some(&0) {
                    name.pop();
                }
                long_name = Some(name);
            }
            EntryType::XHeader => {
                let records = extension(&mut entry, &damaged)?;
                long_name = pax_path(&records)?.or(long_name);
            }
            EntryType::XGlobalHeader => {
                let records = extension(&mut entry, &damaged)?;
                if pax_path(&records)?.is_some() {
                    return Err(refused("?", "its name is in a global header"));
                }
            }
            _ => {
                let name = long_name
                    .take()
                    .unwrap_or_else(|| entry.path_bytes().into_owned());
                take(&name, &mut entry)?;
            }
        }
    }
    if long_name.is_some() {
        return Err(Error::archive(
            "the tar ends after an entry's name; the entry is missing",
        ));
    }
    Ok(())
}

/// `cause` without control characters: the tar reader quotes header fields that it cannot read.
fn without_lines(cause: io::Error) -> io::Error {
    let text = cause.to_string();
    if text.contains(char::is_control) {
        return io::Error::new(cause.kind(), text.escape_debug().to_string());
    }
    cause
}

fn extension<R: Read>(
    entry: &mut Entry<'_, R>,
    damaged: impl Fn(io::Error) -> Error,
) -> Result<Vec<u8>> {
    if entry.size() > MAX_EXTENSION_BYTES {
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
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

/// The path in an extended header. A header with a different size or the map of a sparse file is refused, since the
/// following bytes would be read wrongly.
fn pax_path(records: &[u8]) -> Result<Option<Vec<u8>>> {
    let mut path = None;
    let mut rest = records;
    while !rest.is_empty() {
        let space = rest.iter().position(|byte| *byte == b' ').unwrap_or(0);
        let digits = std::str::from_utf8(&rest[..space]).unwrap_or_default();
        let length = digits.parse().unwrap_or(0);
        let record = rest
            .get(space + 1..length)
            .and_then(|record| record.strip_suffix(b"\n"));
        let pair = record.and_then(|r| {
            r.iter()
                .position(|byte| *byte == b'=')
                .map(|at| r.split_at(at))
        });
        let Some((key, value)) = pair else {
            return Err(Error::archive("an extended header of the tar is damaged"));
        };
        match key {
            b"path" => path = Some(value[1..].to_vec()),
            b"size" => return Err(refused("?", "its size is in an extended header")),
            _ if key.starts_with(b"GNU.sparse") => return Err(refused("?", "it is a sparse file")),
            _ => {}
        }
        rest = &rest[length..];
    }
    Ok(path)
}
