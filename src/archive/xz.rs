//! Reads xz (The .xz File Format 1.2.1), one or several streams in a row.

use std::io::{self, Read};

use lzma_rust2::XzReader;

use super::inflate::read_block;
use crate::error::Error;

/// The memory that the decoder may have, in KiB: `xz -9` has a dictionary of 64 MiB, and the decoder needs some more. A
/// hostile block may ask for 4 GiB.
const MEMORY_KIB: u32 = 66 * 1024;

/// Reads streams of xz.
pub(super) struct Xz<R: Read>(XzReader<Whole<R>>);

impl<R: Read> Xz<R> {
    pub(super) fn new(reader: R) -> Self {
        Xz(XzReader::new_mem_limit(Whole(reader), true, MEMORY_KIB))
    }
}

impl<R: Read> Read for Xz<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|cause| match cause.kind() {
            io::ErrorKind::OutOfMemory => {
                let error = Error::archive("the xz stream wants a dictionary of more than 64 MiB")
                    .hint("decompress it first: xz -dc FILE | ci-import - …");
                io::Error::new(io::ErrorKind::InvalidData, error)
            }
            // Filters and checks that the decoder does not know.
            io::ErrorKind::Unsupported => io::Error::new(io::ErrorKind::InvalidData, cause),
            _ => cause,
        })
    }
}

/// Fills each buffer as far as there are bytes: the decoder takes a shorter read for the end.
struct Whole<R>(R);

impl<R: Read> Read for Whole<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        read_block(&mut self.0, buffer)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use lzma_rust2::{XzOptions, XzWriter};

    use super::*;

    fn xz(content: &[u8]) -> Vec<u8> {
        let mut writer = XzWriter::new(Vec::new(), XzOptions::with_preset(1)).expect("it starts");
        writer.write_all(content).expect("it takes it");
        writer.finish().expect("it ends")
    }

    fn read(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        Xz::new(bytes).read_to_end(&mut content).map(|_| content)
    }

    /// `bytes` with another size of the dictionary in its first block header, as the format encodes it.
    fn with_dictionary(bytes: &[u8], size: u8) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        let header = &mut bytes[12..];
        let length = usize::from(header[0]) * 4;
        assert_eq!(header[2..4], [0x21, 1], "LZMA2 is the first filter");
        header[4] = size;
        let mut checksum = flate2::Crc::new();
        checksum.update(&header[..length]);
        header[length..length + 4].copy_from_slice(&checksum.sum().to_le_bytes());
        bytes
    }

    #[test]
    fn streams_in_a_row_and_zeros_behind_them_are_one() {
        let bytes = [&xz(b"ab")[..], &[0; 4], &xz(b"cd"), &[0; 8]].concat();
        assert_eq!(read(&bytes).expect("it reads"), b"abcd");
        // However the bytes come.
        let bytes = &bytes[..];
        for cut in 0..bytes.len() {
            let mut content = Vec::new();
            let mut reader = Xz::new(bytes[..cut].chain(&bytes[cut..]));
            reader.read_to_end(&mut content).expect("it reads");
            assert_eq!(content, b"abcd", "cut at {cut}");
        }
    }

    #[test]
    fn what_is_cut_or_changed_is_an_error() {
        let whole = xz(&b"some text, ".repeat(100));
        for cut in 1..whole.len() {
            let error = read(&whole[..cut]).expect_err("it is cut");
            let kinds = [io::ErrorKind::UnexpectedEof, io::ErrorKind::InvalidData];
            assert!(kinds.contains(&error.kind()), "{cut}: {error}");
        }
        for at in 6..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 4;
            assert!(read(&changed).is_err(), "{at}");
        }
    }

    #[test]
    fn a_large_dictionary_is_refused() {
        let bytes = xz(b"some text");
        // 64 MiB and 96 MiB: (2 or 3) << (size / 2 + 11).
        assert_eq!(
            read(&with_dictionary(&bytes, 28)).expect("64 MiB"),
            b"some text"
        );
        for size in [29, 30, 40] {
            let error = read(&with_dictionary(&bytes, size)).expect_err("more");
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
            let text = "the xz stream wants a dictionary of more than 64 MiB";
            assert!(error.to_string().contains(text), "{error}");
        }
    }
}
