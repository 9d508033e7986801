//! Passes on the members of an input. This is the only place that knows how each kind of input is read.

use std::io::{BufReader, Read};

use super::open::Input;
use super::packing::Packing;
use crate::archive::{self, ArchiveFile, Compression, DATABASE, Member, PassingMember};
use crate::cancellation::Cancellation;
use crate::error::{Error, Result};
use crate::gitlab::information::{self, Information};

/// The dump of an input.
pub struct DumpMember<'a> {
    /// The name of the dump in errors.
    pub name: &'static str,
    /// The bytes.
    pub reader: &'a mut dyn Read,
    /// How the bytes are packed.
    pub packing: Packing,
    /// The number of bytes, or 0 if it is not known.
    pub size: u64,
}

/// The build traces of an input: a tar, compressed with gzip.
pub struct TracesMember<'a> {
    /// The bytes.
    pub reader: &'a mut dyn Read,
    /// The number of bytes.
    pub size: u64,
}

/// A part of an input.
pub enum Part<'a> {
    /// The dump.
    Dump(DumpMember<'a>),
    /// The traces of an archive.
    Traces(TracesMember<'a>),
    /// The information file of an archive.
    Information(Information),
}

/// An input as one stream.
pub enum Stream<'a> {
    /// The tar of an archive.
    Archive(Box<dyn Read + 'a>),
    /// A dump: its bytes, how they are packed, and their number if it is known, or else 0.
    Dump(Box<dyn Read + 'a>, Packing, u64),
}

/// The results of the parts of an input. A plain dump has no information and no traces.
#[derive(Debug)]
pub struct Taken<D, T> {
    /// The information of an archive in a pipe. That of a file was read before.
    pub information: Option<Information>,
    /// The result of the dump.
    pub dump: D,
    /// The result of the traces.
    pub traces: Option<T>,
}

/// The name of a plain dump in errors.
pub const DUMP: &str = "the dump";

impl<'a> Input<'a> {
    /// The input as one stream, which `cancellation` may stop.
    #[must_use]
    pub fn into_stream(self, cancellation: &'a Cancellation) -> Stream<'a> {
        match self {
            Input::ArchiveFile(file) => {
                let whole = BufReader::with_capacity(archive::BLOCK_BYTES, file.whole());
                Stream::Archive(Box::new(cancellation.watch(whole)))
            }
            Input::CompressedArchive(file) => {
                Stream::Archive(file.open(|whole| cancellation.watch(whole)))
            }
            Input::ArchivePipe(pipe) => Stream::Archive(Box::new(cancellation.watch(pipe))),
            Input::Dump {
                reader,
                packing,
                size,
            } => Stream::Dump(Box::new(cancellation.watch(reader)), packing, size),
        }
    }

    /// Passes on all parts, one after the other. The first failure stops the rest.
    pub fn for_each_part(
        self,
        cancellation: &'a Cancellation,
        mut take: impl FnMut(Part<'_>) -> Result<()>,
    ) -> Result<()> {
        cancellation.guard(|| match self {
            Input::ArchiveFile(file) => Member::ALL.into_iter().try_for_each(|member| {
                let member_in_it = file.open(member);
                let size = member_in_it.remaining();
                let reader = &mut cancellation.watch(member_in_it.read_through());
                match member {
                    Member::Database => take(Part::Dump(database(reader, size))),
                    Member::Builds => take(Part::Traces(TracesMember { reader, size })),
                    Member::Information => {
                        let content = file.read_small(member, information::MAX_BYTES)?;
                        take(Part::Information(information::parse(&content)?))
                    }
                }
            }),
            other => match other.into_stream(cancellation) {
                Stream::Dump(mut reader, packing, size) => take(Part::Dump(DumpMember {
                    name: DUMP,
                    reader: &mut reader,
                    packing,
                    size,
                })),
                Stream::Archive(tar) => {
                    archive::read_pipe(tar, information::MAX_BYTES, |member| match member {
                        PassingMember::Database { reader, size } => {
                            take(Part::Dump(database(reader, size)))
                        }
                        PassingMember::Builds { reader, size } => {
                            take(Part::Traces(TracesMember { reader, size }))
                        }
                        PassingMember::Information(content) => {
                            take(Part::Information(information::parse(content)?))
                        }
                    })
                }
            },
        })
    }

    /// Passes the dump to `dump` and the traces to `traces`: at the same time if the input is a file,
    /// otherwise in their order. The first failure stops the rest.
    pub fn take<D: Send, T: Send>(
        self,
        cancellation: &'a Cancellation,
        dump: impl Fn(DumpMember<'_>) -> Result<D> + Sync,
        traces: impl Fn(TracesMember<'_>) -> Result<T> + Sync,
    ) -> Result<Taken<D, T>> {
        if let Input::ArchiveFile(file) = self {
            return take_both(&file, cancellation, &dump, &traces);
        }
        let (mut taken_dump, mut taken_traces, mut information) = (None, None, None);
        self.for_each_part(cancellation, |part| {
            match part {
                Part::Dump(member) => taken_dump = Some(dump(member)?),
                Part::Traces(member) => taken_traces = Some(traces(member)?),
                Part::Information(parsed) => information = Some(parsed),
            }
            Ok(())
        })?;
        let missing = || Error::archive(format!("the archive has no member {DATABASE}"));
        Ok(Taken {
            information,
            dump: taken_dump.ok_or_else(missing)?,
            traces: taken_traces,
        })
    }
}

/// The dump of an archive.
fn database(reader: &mut dyn Read, size: u64) -> DumpMember<'_> {
    DumpMember {
        name: DATABASE,
        reader,
        packing: Packing::One(Compression::Gzip),
        size,
    }
}

fn take_both<D: Send, T: Send>(
    file: &ArchiveFile,
    cancellation: &Cancellation,
    dump: &(impl Fn(DumpMember<'_>) -> Result<D> + Sync),
    traces: &(impl Fn(TracesMember<'_>) -> Result<T> + Sync),
) -> Result<Taken<D, T>> {
    let (sql, tar) = (file.open(Member::Database), file.open(Member::Builds));
    let (sql_size, size) = (sql.remaining(), tar.remaining());
    let mut sql = cancellation.watch(sql.read_through());
    let mut tar = cancellation.watch(tar.read_through());
    let (taken, taken_traces) = std::thread::scope(|scope| {
        let taking = scope.spawn(move || {
            let reader = &mut tar;
            cancellation.guard(|| traces(TracesMember { reader, size }))
        });
        let taken = cancellation.guard(|| dump(database(&mut sql, sql_size)));
        let crashed = || Err(Error::failed("the thread of the traces crashed"));
        (taken, taking.join().unwrap_or_else(|_| crashed()))
    });
    // `guard` returns the first failure from both threads.
    Ok(Taken {
        information: None,
        dump: taken?,
        traces: Some(taken_traces?),
    })
}
