//! An archive that is compressed as a whole, as GitLab CI 7 wrote them (`.tar.gz`). Nothing in it can be
//! found without inflating all that comes before, so it is read in order, as a pipe is; one in a file
//! is read through once before, for what of a plain archive the headers tell.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use super::compression::{Compression, decompressed};
use super::extent::Extent;
use super::file::{MemberSize, SIZE_BYTES};
use super::inflate::{inflated, read_block, read_failure};
use super::inflation_limit::{Exceeded, Limit};
use super::member::DATABASE;
use super::pipe::{PassingMember, read_pipe};
use crate::error::{Doing, Error, Result};

/// What a backup holds is compressed already: as a whole it shrinks by its padding, and by what is
/// regular in it even so. The members have limits of their own, which multiply with this one.
const LIMIT: Limit = Limit {
    free: 1024 * 1024,
    ratio: 20,
};

/// The tar in `reader`. What is wrong with the compression is an [`Error`] within the reader's.
pub fn whole<'a, R: Read + 'a>(reader: R, compression: Compression) -> impl Read + 'a {
    Whole {
        inner: LIMIT.keep(reader, |counted| decompressed(counted, compression)),
        compression,
        given: 0,
    }
}

/// See [`whole`].
struct Whole<R> {
    inner: R,
    compression: Compression,
    given: u64,
}

impl<R: Read> Read for Whole<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer).map_err(|cause| {
            let error = self.failure(&cause);
            // Not that of a member which ends too early: that could be asked for.
            io::Error::new(io::ErrorKind::InvalidData, error)
        })?;
        self.given += count as u64;
        Ok(count)
    }
}

impl<R> Whole<R> {
    fn failure(&self, cause: &io::Error) -> Error {
        let name = format!("the archive's {} stream", self.compression);
        match Exceeded::behind(cause) {
            Some(exceeded) => Error::archive(format!("{name}: {exceeded}")).hint(
                "do not trust this archive: what a backup holds is compressed already. If you made \
                 it yourself, decompress it before",
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
    /// Its information file.
    pub information: Vec<u8>,
    /// The beginning of its dump, inflated.
    pub dump_start: Vec<u8>,
    /// The size of the dump.
    pub database: MemberSize,
    /// The size of the traces.
    pub builds: MemberSize,
}

impl CompressedArchive {
    /// The tar, from its beginning.
    #[must_use]
    pub fn open(&self) -> impl Read + use<> {
        whole(self.file.clone(), self.compression)
    }
}

/// Reads through the archive at `path`, which is compressed; `watch` may stop that. Of its information
/// file at most `information_limit` bytes are taken, of its dump the first `start_bytes`.
pub fn read_through<'a, R: Read + 'a>(
    path: &Path,
    compression: Compression,
    watch: impl FnOnce(Extent) -> R,
    information_limit: u64,
    start_bytes: usize,
) -> Result<CompressedArchive> {
    let shown = path.display();
    let file = File::open(path).doing(format!("read {shown}"))?;
    let length = file.metadata().doing(format!("read {shown}"))?.len();
    let file = Extent::new(Arc::new(file), 0, length);
    let mut survey = Survey {
        start: vec![0; start_bytes],
        ..Survey::default()
    };
    let tar = whole(watch(file.clone()), compression);
    read_pipe(tar, information_limit, |member| survey.take(member))?;
    Ok(CompressedArchive {
        file,
        compression,
        information: survey.information,
        dump_start: survey.start,
        database: survey.database,
        builds: survey.builds,
    })
}

/// What is seen of the members as they pass.
#[derive(Default)]
struct Survey {
    /// As long as it may be, then as long as it is.
    start: Vec<u8>,
    information: Vec<u8>,
    database: MemberSize,
    builds: MemberSize,
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
                self.builds = Tail::new(reader).finish(size)?;
            }
            PassingMember::Information(content) => content.clone_into(&mut self.information),
        }
        Ok(())
    }
}

/// Keeps the last bytes of a member.
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
