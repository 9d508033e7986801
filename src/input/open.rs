//! What is imported: an archive or a plain dump, from a file or from a pipe.

use std::fs::File;
use std::io::Read;

use super::locate::Located;
use crate::archive::{
    self, ArchiveFile, CompressedArchive, Compression, DATABASE, InputKind, Member, MemberSize,
};
use crate::cancellation::Halt;
use crate::dump::acceptance::{Asked, DIALECT_BYTES, check_dialect, looks_like_sql};
use crate::dump::{Dialect, detect};
use crate::error::{Doing, Error, Result};
use crate::gitlab::content::Content;
use crate::gitlab::information::{self, Information};

/// The input, opened.
pub enum Input<'a> {
    /// An archive whose members can be read at will, several at a time.
    ArchiveFile(ArchiveFile),
    /// An archive in a file, compressed as a whole: its members come in order.
    CompressedArchive(CompressedArchive),
    /// An archive whose members come once, in order.
    ArchivePipe(Box<dyn Read + 'a>),
    /// A dump.
    Dump {
        /// Its bytes, compressed or not.
        reader: Box<dyn Read + 'a>,
        /// How they are compressed.
        compression: Compression,
        /// How many there are, if that is known.
        size: u64,
    },
}

impl<'a> Input<'a> {
    /// Opens what was `located` and sees what it is.
    pub fn open(located: &Located, halt: &'a Halt) -> Result<Input<'a>> {
        // Whoever writes the pipe may keep it waiting.
        let from_pipe = |pipe| halt.guard(|| Input::from_pipe(pipe));
        let Located::Path(path) = located else {
            return from_pipe(Box::new(halt.watch_pipe(std::io::stdin())));
        };
        let cannot_read = |cause: std::io::Error| {
            Error::usage(format!("cannot read {}: {cause}", path.display())).caused_by(cause)
        };
        let metadata = std::fs::metadata(path).map_err(cannot_read)?;
        let file = File::open(path).map_err(cannot_read)?;
        if !metadata.is_file() {
            return from_pipe(Box::new(halt.watch_pipe(file)));
        }
        let (start, whole) = archive::sniff(file).doing(format!("read {}", path.display()))?;
        match archive::kind_of_input(&start) {
            InputKind::Archive(Compression::None) => Ok(Input::ArchiveFile(archive::index(path)?)),
            InputKind::Archive(compression) => {
                let watch = |file| halt.watch(file);
                let limit = information::MAX_BYTES;
                let read = || archive::read_through(path, compression, watch, limit, DIALECT_BYTES);
                Ok(Input::CompressedArchive(halt.guard(read)?))
            }
            kind => Input::dump(kind, &start, Box::new(whole), metadata.len()),
        }
    }

    fn from_pipe(pipe: Box<dyn Read + 'a>) -> Result<Input<'a>> {
        let (start, whole) = archive::sniff(pipe).doing("read the input")?;
        Ok(match archive::kind_of_input(&start) {
            InputKind::Archive(Compression::None) => Input::ArchivePipe(Box::new(whole)),
            InputKind::Archive(compression) => {
                Input::ArchivePipe(Box::new(archive::decompressed_archive(whole, compression)))
            }
            kind => Input::dump(kind, &start, Box::new(whole), 0)?,
        })
    }

    /// What is no archive: a dump, if it is anything.
    fn dump(
        kind: InputKind,
        start: &[u8],
        reader: Box<dyn Read + 'a>,
        size: u64,
    ) -> Result<Input<'a>> {
        match kind {
            InputKind::Other(Compression::None)
                if detect(start).is_none() && !looks_like_sql(start) =>
            {
                Err(Error::archive(
                    "the input is neither a backup archive nor a dump of MySQL or PostgreSQL",
                )
                .hint("check that the file is the right one and was copied completely"))
            }
            InputKind::Archive(compression) | InputKind::Other(compression) => Ok(Input::Dump {
                reader,
                compression,
                size,
            }),
            InputKind::Twice => Err(Error::archive("the input is compressed twice")
                .hint("decompress it once: gzip -dc FILE | ci-import - …")),
        }
    }

    /// What it is, for people; `name` is its name.
    #[must_use]
    pub fn shown(&self, name: &str) -> String {
        match self {
            Input::ArchiveFile(_) => format!("{name}, an archive in a file"),
            Input::CompressedArchive(_) => format!("{name}, an archive in a file, compressed"),
            Input::ArchivePipe(_) => "an archive in a pipe".to_owned(),
            Input::Dump { .. } => "a dump".to_owned(),
        }
    }

    /// Whether it is an archive that can be read only once.
    #[must_use]
    pub fn is_archive_pipe(&self) -> bool {
        matches!(self, Input::ArchivePipe(_))
    }

    /// Whether it brings a backup of GitLab CI, or a dump by itself.
    #[must_use]
    pub fn content(&self) -> Content {
        match self {
            Input::Dump { .. } => Content::Dump,
            Input::ArchiveFile(_) | Input::CompressedArchive(_) | Input::ArchivePipe(_) => {
                Content::Backup
            }
        }
    }

    /// Judges what can be known of an archive before anything is touched: in a file its version
    /// and dialect, in a pipe nothing.
    pub fn judge(&self, asked: Asked) -> Result<Option<Judged>> {
        match self {
            Input::ArchiveFile(file) => {
                let content = file.read_small(Member::Information, information::MAX_BYTES)?;
                judge(&content, || dump_start(file), asked).map(Some)
            }
            Input::CompressedArchive(file) => {
                let start = || Ok(file.dump_start.clone());
                judge(&file.information, start, asked).map(Some)
            }
            Input::ArchivePipe(_) | Input::Dump { .. } => Ok(None),
        }
    }

    /// The sizes of an archive's dump and traces, if they can be known before it is read.
    pub fn sizes(&self) -> Result<Option<(MemberSize, MemberSize)>> {
        Ok(match self {
            Input::ArchiveFile(file) => {
                Some((file.size(Member::Database)?, file.size(Member::Builds)?))
            }
            Input::CompressedArchive(file) => Some((file.database, file.builds)),
            Input::ArchivePipe(_) | Input::Dump { .. } => None,
        })
    }
}

fn judge(
    information: &[u8],
    dump_start: impl FnOnce() -> Result<Vec<u8>>,
    asked: Asked,
) -> Result<Judged> {
    let information = information::parse(information)?;
    information.check_version()?;
    let dialect = check_dialect(&dump_start()?, asked).map_err(|error| error.at(DATABASE))?;
    Ok(Judged {
        information,
        dialect,
    })
}

/// The beginning of an archive's dump.
fn dump_start(file: &ArchiveFile) -> Result<Vec<u8>> {
    let mut start = vec![0; DIALECT_BYTES];
    let mut inflated = archive::inflated(file.open(Member::Database));
    let count = archive::read_block(&mut inflated, &mut start)
        .map_err(|cause| archive::read_failure(DATABASE, 0, &cause))?;
    start.truncate(count);
    Ok(start)
}

/// What an archive in a file says before its rows are read.
#[derive(Debug, Clone)]
pub struct Judged {
    /// What it says about itself.
    pub information: Information,
    /// Who wrote its dump.
    pub dialect: Dialect,
}
