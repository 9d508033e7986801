//! Refuses inputs of compressions and archives that are not supported, and says how to unpack them.

use crate::error::{Error, Result};

/// The first bytes of a format, its name, and what to do.
const FORMATS: [(&[u8], &str, &str); 8] = [
    (
        b"\x5d\0\0",
        "compressed with lzma",
        "decompress it: xz -dc FILE | ci-import - …",
    ),
    (
        b"LZIP",
        "compressed with lzip",
        "decompress it: lzip -dc FILE | ci-import - …",
    ),
    (
        b"\x04\x22\x4d\x18",
        "compressed with lz4",
        "decompress it: lz4 -dc FILE | ci-import - …",
    ),
    (
        b"\x1f\x9d",
        "compressed with compress",
        "decompress it: gzip -dc FILE | ci-import - …",
    ),
    (
        b"PK\x05\x06",
        "a ZIP archive without a file",
        "check that the file is the right one and was copied completely",
    ),
    (
        b"PK\x07\x08",
        "a ZIP archive in several parts",
        "unpack it (7z x FILE), and name the file that was in it",
    ),
    (
        b"7z\xbc\xaf\x27\x1c",
        "a 7z archive",
        "unpack it (7z x FILE), and name the file or the folder that was in it",
    ),
    (
        b"Rar!\x1a\x07",
        "a RAR archive",
        "unpack it (7z x FILE), and name the file or the folder that was in it",
    ),
];

/// The first words of pgloader's command file.
const PGLOADER: &[u8] = b"LOAD DATABASE";

/// An error if the input that begins with `start` has one of these formats.
pub fn refuse_foreign(start: &[u8]) -> Result<()> {
    let text = start.trim_ascii_start();
    if text
        .get(..PGLOADER.len())
        .is_some_and(|word| word.eq_ignore_ascii_case(PGLOADER))
    {
        return Err(Error::archive("the input is a command file of pgloader, not a dump").hint(
            "dump the database: mysqldump --single-transaction DATABASE | ci-import - --database-url URL, with the URL \
             of the target",
        ));
    }
    let mut formats = FORMATS.iter();
    match formats.find(|(magic, ..)| start.starts_with(magic)) {
        Some((_, what, how)) => Err(Error::archive(format!(
            "the input is {what}; only gzip, bzip2, xz, zstd, ZIP and tar are supported"
        ))
        .hint(*how)),
        None => Ok(()),
    }
}
