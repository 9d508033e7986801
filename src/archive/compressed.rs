//! An archive that is compressed as a whole, as GitLab CI 7 wrote it (`.tar.gz`).
//!
//! A member can only be found by inflating everything before it. So the archive is read in order, as a pipe is. If it is
//! in a file, it is read once in advance, for the facts that the headers of a plain archive tell.

use std::io::{self, Read};

use super::compression::{Compression, decompressed};
use super::extent::Extent;
use super::file::{MemberSize, SIZE_BYTES};
use super::inflate::{inflated, is_empty_gzip, read_block, read_failure};
use super::inflation_limit::{Exceeded, Limit};
use super::member::DATABASE;
use super::pipe::{PassingMember, read_pipe};
use crate::error::{Error, Result};

/// The members of a backup are compressed already, so the whole shrinks little. The members have limits of their own,
/// and the ratios multiply.
const LIMIT: Limit = Limit {
    free: 1024 * 1024,
    ratio: 20,
};

/// A reader of the tar in `reader`. If the compression is damaged, the reader's error contains an [`Error`].
pub fn decompressed_archive<'a, R: Read + 'a>(
    reader: R,
    compression: Compression,
) -> impl Read + 'a {
    DecompressedArchive {
        inner: LIMIT.keep(reader, |counted| decompressed(counted, compression)),
        compression,
        given: 0,
    }
}

/// See [`decompressed_archive`].
struct DecompressedArchive<R> {
    inner: R,
    compression: Compression,
    given: u64,
}

impl<R: Read> Read for DecompressedArchive<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer).map_err(|cause| {
            let error = self.failure(&cause);
            // Not `UnexpectedEof`: a member that ends too early may be accepted.
            io::Error::new(io::ErrorKind::InvalidData, error)
        })?;
        self.given += count as u64;
        Ok(count)
    }
}

impl<R> DecompressedArchive<R> {
    fn failure(&self, cause: &io::Error) -> Error {
        let name = format!("the archive's {} stream", self.compression);
        match Exceeded::behind(cause) {
            Some(exceeded) => Error::archive(format!("{name}: {exceeded}")).hint(
                "do not trust this archive: the members of a backup are already compressed. If you made it \
                 yourself, decompress it first",
            ),
            None => read_failure(&name, self.given, cause),
        }
    }
}

/// An archive in a file that is compressed as a whole.
#[derive(Debug)]
pub struct CompressedArchive {
    file: Extent,
    compression: Compression,
    /// The information file.
    pub information: Vec<u8>,
    /// The beginning of the dump, inflated.
    pub dump_start: Vec<u8>,
    /// The size of the dump.
    pub database: MemberSize,
    /// The size of the traces.
    pub builds: MemberSize,
    /// Whether the archive of the traces has not a single byte.
    pub has_empty_traces: bool,
}

impl CompressedArchive {
    /// A reader of the tar, from its beginning; `watch` may stop that.
    #[must_use]
    pub fn open<'a, R: Read + 'a>(
        &self,
        watch: impl FnOnce(Box<dyn Read + Send>) -> R,
    ) -> Box<dyn Read + 'a> {
        let whole = watch(self.file.clone().read_through());
        Box::new(decompressed_archive(whole, self.compression))
    }
}

/// Reads the compressed archive `file` once; `watch` may stop that. The information file may have at most
/// `information_limit` bytes. The first `start_bytes` of the dump are kept.
pub fn read_through<'a, R: Read + 'a>(
    file: Extent,
    compression: Compression,
    watch: impl FnOnce(Box<dyn Read + Send>) -> R,
    information_limit: u64,
    start_bytes: usize,
) -> Result<CompressedArchive> {
    let mut survey = Survey {
        start: vec![0; start_bytes],
        ..Survey::default()
    };
    let tar = decompressed_archive(watch(file.clone().read_through()), compression);
    read_pipe(tar, information_limit, |member| survey.take(member))?;
    Ok(CompressedArchive {
        file,
        compression,
        information: survey.information,
        dump_start: survey.start,
        database: survey.database,
        builds: survey.builds,
        has_empty_traces: survey.has_empty_traces,
    })
}

/// What is kept of the members.
#[derive(Default)]
struct Survey {
    /// The beginning of the dump: first a buffer of the wanted length, then the bytes that there are.
    start: Vec<u8>,
    information: Vec<u8>,
    database: MemberSize,
    builds: MemberSize,
    has_empty_traces: bool,
}

impl Survey {
    fn take(&mut self, member: PassingMember<'_>) -> Result<()> {
        match member {
            PassingMember::Database { reader, size } => {
                let mut reader = Tail::new(reader);
                let count = read_block(&mut inflated(&mut reader), &mut self.start)
                    .map_err(|cause| read_failure(DATABASE, 0, &cause))?;
                self.start.truncate(count);
                self.database = reader.finish(size)?;
            }
            PassingMember::Builds { reader, size } => {
                let mut reader = Tail::new(reader);
                self.has_empty_traces = is_empty_gzip(&mut reader);
                self.builds = reader.finish(size)?;
            }
            PassingMember::Information(content) => content.clone_into(&mut self.information),
        }
        Ok(())
    }
}

/// Reads a member, and keeps its last bytes.
struct Tail<'a> {
    inner: &'a mut dyn Read,
    last: [u8; SIZE_BYTES],
}

impl Tail<'_> {
    fn new(inner: &mut dyn Read) -> Tail<'_> {
        Tail {
            inner,
            last: [0; SIZE_BYTES],
        }
    }

    /// Reads the member, of `size` bytes, to its end.
    fn finish(mut self, size: u64) -> Result<MemberSize> {
        io::copy(&mut self, &mut io::sink()).map_err(super::pipe::damaged)?;
        Ok(MemberSize {
            compressed: size,
            in_trailer: if size < SIZE_BYTES as u64 {
                0
            } else {
                u32::from_le_bytes(self.last)
            },
        })
    }
}

impl Read for Tail<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let new = &buffer[..count];
        if let Some(last) = new.last_chunk() {
            self.last = *last;
        } else {
            self.last.rotate_left(count);
            self.last[SIZE_BYTES - count..].copy_from_slice(new);
        }
        Ok(count)
    }
}
