//! Detects the compression of an input from its first bytes, and decompresses it.

use std::fmt;
use std::io::{self, BufReader, Read};

use bzip2::bufread::MultiBzDecoder;

use super::inflate::{BLOCK_BYTES, inflated};
use super::inflation_limit::{Limit, error_behind};
use super::xz::Xz;
use super::zip::{self, Zip};
use crate::error::Error;

/// The supported compressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not compressed.
    None,
    /// gzip (RFC 1952).
    Gzip,
    /// Zstandard (RFC 8878).
    Zstd,
    /// bzip2.
    Bzip2,
    /// xz.
    Xz,
    /// A ZIP archive with one file.
    Zip,
}

/// The first bytes of gzip (RFC 1952, 2.3.1).
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];

/// The first bytes of bzip2; the size of its blocks follows, from `1` to `9`.
const BZIP2_MAGIC: &[u8] = b"BZh";

/// The first bytes of xz (The .xz File Format, 2.1.1.1).
const XZ_MAGIC: &[u8] = b"\xfd7zXZ\0";

/// The first bytes of a Zstandard frame (RFC 8878, 3.1.1).
const ZSTD_MAGIC: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// A skippable frame: its first byte is 0x50 to 0x5f, these three follow (RFC 8878, 3.1.2). pzstd begins with one.
const ZSTD_SKIPPABLE: (std::ops::RangeInclusive<u8>, &[u8]) = (0x50..=0x5f, &[0x2a, 0x4d, 0x18]);

/// The largest window, as a power of two: 8 MiB, which every decoder should have (RFC 8878,
/// 3.1.1.1.2), and which `zstd -1` to `-19` do not exceed. A hostile frame may ask for terabytes.
const ZSTD_WINDOW_LOG: u32 = 23;

/// The message of libzstd for a frame with a larger window.
const ZSTD_TOO_LARGE: &str = "too much memory";

impl Compression {
    /// The compression of the input that begins with `start`.
    #[must_use]
    pub fn of(start: &[u8]) -> Compression {
        let is_skippable = |start: &[u8]| {
            let (first, rest) = ZSTD_SKIPPABLE;
            start
                .split_first()
                .is_some_and(|(byte, behind)| first.contains(byte) && behind.starts_with(rest))
        };
        if start.starts_with(GZIP_MAGIC) {
            Compression::Gzip
        } else if start.starts_with(ZSTD_MAGIC) || is_skippable(start) {
            Compression::Zstd
        } else if start.starts_with(BZIP2_MAGIC) && matches!(start.get(3), Some(b'1'..=b'9')) {
            Compression::Bzip2
        } else if start.starts_with(XZ_MAGIC) {
            Compression::Xz
        } else if start.starts_with(zip::MAGIC) {
            Compression::Zip
        } else {
            Compression::None
        }
    }

    /// How many bytes of a compressed input are needed to decompress its first bytes: those of a block, which can only
    /// be read whole.
    pub(super) fn first_block_bytes(self) -> usize {
        match self {
            Compression::None | Compression::Gzip | Compression::Zip => 0,
            // A block has up to 128 KiB (RFC 8878, 3.1.1.2.4), a chunk of LZMA2 up to 64 KiB.
            Compression::Zstd | Compression::Xz => BLOCK_BYTES,
            // A block has up to 900,000 bytes, and may grow.
            Compression::Bzip2 => 4 * BLOCK_BYTES,
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Compression::None => "none",
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
            Compression::Bzip2 => "bzip2",
            Compression::Xz => "xz",
            Compression::Zip => "ZIP",
        })
    }
}

/// A reader of the decompressed content of `reader`. It checks each checksum when it reads the end of the stream.
/// Several streams in a row are read as one.
pub fn decompressed<'a, R: Read + 'a>(reader: R, compression: Compression) -> Box<dyn Read + 'a> {
    match compression {
        Compression::None => Box::new(reader),
        Compression::Gzip => Box::new(inflated(reader)),
        Compression::Zstd => Box::new(Zstd::new(reader)),
        Compression::Bzip2 => Box::new(Failing::of(MultiBzDecoder::new(buffered(reader)))),
        Compression::Xz => Box::new(Failing::of(Xz::new(buffered(reader)))),
        Compression::Zip => Box::new(Failing::of(Zip::new(buffered(reader)))),
    }
}

fn buffered<R: Read>(reader: R) -> BufReader<R> {
    BufReader::with_capacity(BLOCK_BYTES, reader)
}

/// As [`decompressed`], with the limit of [`inflated_within`](super::inflate::inflated_within).
pub fn decompressed_within<'a, R: Read + 'a>(
    reader: R,
    compression: Compression,
    ratio: u32,
) -> impl Read + 'a {
    Limit::of_data(ratio).keep(reader, |counted| decompressed(counted, compression))
}

/// A reader whose error comes again with each further read: some look at the beginning of a stream, whatever comes of it.
struct Failing<R> {
    inner: R,
    failed: Option<Failed>,
}

/// The error of a reader.
enum Failed {
    Own(Error),
    Other(io::ErrorKind, String),
}

impl<R> Failing<R> {
    fn of(inner: R) -> Self {
        Failing {
            inner,
            failed: None,
        }
    }
}

impl<R: Read> Read for Failing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &self.failed {
            Some(Failed::Own(error)) => {
                return Err(io::Error::new(io::ErrorKind::InvalidData, error.clone()));
            }
            Some(Failed::Other(kind, text)) => return Err(io::Error::new(*kind, text.clone())),
            None => {}
        }
        let read = self.inner.read(buffer);
        if let Err(cause) = &read
            && cause.kind() != io::ErrorKind::Interrupted
        {
            self.failed = Some(match error_behind(cause) {
                Some(error) => Failed::Own(error),
                None => Failed::Other(cause.kind(), cause.to_string()),
            });
        }
        read
    }
}

/// Reads frames of Zstandard.
struct Zstd<'a, R> {
    /// An error if there was no memory; the first read returns it.
    decoder: io::Result<zstd::Decoder<'a, BufReader<R>>>,
}

impl<R: Read> Zstd<'_, R> {
    fn new(reader: R) -> Self {
        let decoder = zstd::Decoder::with_buffer(buffered(reader)).and_then(|mut decoder| {
            decoder.window_log_max(ZSTD_WINDOW_LOG)?;
            Ok(decoder)
        });
        Zstd { decoder }
    }
}

impl<R: Read> Read for Zstd<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.decoder {
            Ok(decoder) => decoder.read(buffer).map_err(as_damage),
            Err(cause) => Err(io::Error::new(cause.kind(), cause.to_string())),
        }
    }
}

/// The error of libzstd as one of damaged data: libzstd gives all its errors the kind "other".
fn as_damage(cause: io::Error) -> io::Error {
    if cause.kind() != io::ErrorKind::Other {
        return cause;
    }
    let text = cause.to_string();
    if text.contains(ZSTD_TOO_LARGE) {
        let error = Error::archive("the zstd frame wants a window of more than 8 MiB")
            .hint("decompress it first: zstd --long=31 -dc FILE | ci-import - …");
        return io::Error::new(io::ErrorKind::InvalidData, error);
    }
    io::Error::new(io::ErrorKind::InvalidData, cause)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn read(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        let mut reader = decompressed(bytes, Compression::of(bytes));
        reader.read_to_end(&mut content).map(|_| content)
    }

    fn zstd(content: &[u8], window_log: u32) -> Vec<u8> {
        let mut encoder = zstd::Encoder::new(Vec::new(), 3).expect("it starts");
        encoder.window_log(window_log).expect("a window");
        encoder.include_checksum(true).expect("a checksum");
        encoder.write_all(content).expect("it takes it");
        encoder.finish().expect("it ends")
    }

    #[test]
    fn it_is_told_by_the_first_bytes() {
        for (start, compression) in [
            (&b"\x1f\x8b\x08"[..], Compression::Gzip),
            (b"\x28\xb5\x2f\xfd\x00", Compression::Zstd),
            (b"\x50\x2a\x4d\x18\x04", Compression::Zstd),
            (b"\x5f\x2a\x4d\x18", Compression::Zstd),
            (b"\x60\x2a\x4d\x18", Compression::None),
            (b"\x28\xb5\x2f", Compression::None),
            (b"BZh91AY&SY", Compression::Bzip2),
            (b"BZh0", Compression::None),
            (b"\xfd7zXZ\0\0\x04", Compression::Xz),
            (b"PK\x03\x04\x14\0", Compression::Zip),
            (b"PK\x05\x06", Compression::None),
            (b"-- MySQL dump", Compression::None),
            (b"", Compression::None),
        ] {
            assert_eq!(Compression::of(start), compression, "{start:x?}");
        }
    }

    #[test]
    fn frames_in_a_row_are_one() {
        let mut bytes = b"\x50\x2a\x4d\x18\x03\0\0\0xyz".to_vec();
        bytes.extend(zstd(b"ab", 20));
        bytes.extend(b"\x5f\x2a\x4d\x18\0\0\0\0");
        bytes.extend(zstd(b"cd", 20));
        assert_eq!(read(&bytes).expect("it reads"), b"abcd");
    }

    #[test]
    fn what_is_cut_or_changed_or_followed_is_an_error() {
        let whole = zstd(&b"some text, ".repeat(100), 20);
        for cut in 5..whole.len() {
            let error = read(&whole[..cut]).expect_err("it is cut");
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{cut}");
        }
        let mut changed = whole.clone();
        *changed.last_mut().expect("a checksum") ^= 1;
        let garbage = [&whole[..], b"garbage"].concat();
        for bytes in [changed, garbage] {
            let error = read(&bytes).expect_err("it is damaged");
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{error}");
        }
    }

    #[test]
    fn an_error_comes_again() {
        let truncated: [(&[u8], _); 3] = [
            (b"BZh91AY&SY", Compression::Bzip2),
            (b"\xfd7zXZ\0\0\x04", Compression::Xz),
            (b"PK\x03\x04\x14\0", Compression::Zip),
        ];
        for (bytes, compression) in truncated {
            let mut reader = decompressed(bytes, compression);
            for _ in 0..3 {
                let error = reader.read(&mut [0; 10]).expect_err("it is cut");
                assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{compression}");
            }
        }
    }

    #[test]
    fn a_large_window_is_refused() {
        let content = vec![b'x'; 1000];
        assert_eq!(read(&zstd(&content, 23)).expect("8 MiB"), content);
        let error = read(&zstd(&content, 24)).expect_err("16 MiB");
        assert!(error.to_string().contains("more than 8 MiB"), "{error}");
    }
}
