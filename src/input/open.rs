//! The kinds of input: an archive or a plain dump, from a file or a pipe.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::locate::Located;
use super::packing::{BytesOfFiles, PackedFile, Packing};
use super::whole::Whole;
use crate::archive::{
    self, ArchiveFile, CompressedArchive, Compression, DATABASE, Extent, InputKind, Member,
    MemberSize,
};
use crate::cancellation::Cancellation;
use crate::dump::acceptance::{
    Asked, DIALECT_BYTES, check_dialect, looks_like_sql, refuse_xml, refuse_xml_in_utf16,
};
use crate::dump::{Dialect, beginning_in_utf8, detect, is_xml_of_mysqldump};
use crate::error::{Doing, Error, Result};
use crate::gitlab::content::Content;
use crate::gitlab::information::{self, Information};
use crate::storage::{self, Object, Opened};
use crate::ui::progress::Progress;

/// An opened input.
pub enum Input<'a> {
    /// An archive in a file, whose members can be read at the same time.
    ArchiveFile(ArchiveFile),
    /// An archive in a file that is compressed as a whole: its members are read in order.
    CompressedArchive(CompressedArchive),
    /// An archive in a pipe: its members are read once, in order.
    ArchivePipe(Box<dyn Read + 'a>),
    /// A dump.
    Dump {
        /// The bytes, compressed or not.
        reader: Box<dyn Read + 'a>,
        /// How the bytes are packed.
        packing: Packing,
        /// The number of bytes, or 0 if it is not known.
        size: u64,
    },
}

impl<'a> Input<'a> {
    /// Opens the `located` input and detects its kind.
    pub fn open(
        located: &Located,
        progress: &Progress,
        cancellation: &'a Cancellation,
    ) -> Result<Input<'a>> {
        let (input, _) = Input::open_whole(located, progress, cancellation)?;
        Ok(input)
    }

    /// The same, with all its bytes, if it is one file or object.
    pub fn open_whole(
        located: &Located,
        progress: &Progress,
        cancellation: &'a Cancellation,
    ) -> Result<(Input<'a>, Option<Whole>)> {
        // The writer of a pipe may delay the reader.
        let from_pipe = |pipe| cancellation.guard(|| Input::from_pipe(pipe));
        let path = match located {
            Located::Path(path) => path,
            Located::DumpFolder(folder) => {
                let input = Input::Dump {
                    reader: Box::new(folder.open()?),
                    packing: Packing::One(Compression::None),
                    size: 0,
                };
                return Ok((input, None));
            }
            Located::Several(paths) => return Ok((Input::of_files(paths)?, None)),
            Located::Stdin => {
                let pipe = Box::new(cancellation.watch_pipe(std::io::stdin()));
                return Ok((from_pipe(pipe)?, None));
            }
            Located::Object { url, timeout } => {
                return match storage::open(url, *timeout)? {
                    Opened::Object(object) => {
                        let input = Input::of_object(&object, progress, cancellation)?;
                        Ok((input, Some(Whole::Object(object))))
                    }
                    Opened::Stream(file) => {
                        let pipe = Box::new(cancellation.watch_pipe(file));
                        Ok((from_pipe(pipe)?, None))
                    }
                };
            }
        };
        let cannot_read = |cause| cannot_read(path, cause);
        let metadata = std::fs::metadata(path).map_err(cannot_read)?;
        if metadata.is_dir() {
            let folder = Input::ArchiveFile(archive::open_folder(path)?);
            return Ok((folder, None));
        }
        let file = File::open(path).map_err(cannot_read)?;
        if !metadata.is_file() {
            let pipe = Box::new(cancellation.watch_pipe(file));
            return Ok((from_pipe(pipe)?, None));
        }
        let whole = Extent::of_open(&file)?;
        let (start, bytes) = archive::sniff(file).doing(format!("read {}", path.display()))?;
        let input = match archive::kind_of_input(&start) {
            InputKind::Archive(compression) => {
                Input::of_archive(whole.clone(), compression, progress, cancellation)
            }
            kind => Input::dump(kind, &start, Box::new(bytes), metadata.len()),
        };
        Ok((input?, Some(Whole::File(whole))))
    }

    fn of_object(
        object: &Arc<Object>,
        progress: &Progress,
        cancellation: &'a Cancellation,
    ) -> Result<Input<'a>> {
        let (start, _) = archive::sniff(object.whole()).map_err(|cause| {
            let other = || Error::failed(format!("cannot read the object: {cause}"));
            archive::error_behind(&cause).unwrap_or_else(other)
        })?;
        match archive::kind_of_input(&start) {
            InputKind::Archive(compression) => {
                Input::of_archive(object.whole(), compression, progress, cancellation)
            }
            kind => {
                let reader = object.whole().read_through();
                Input::dump(kind, &start, reader, object.size())
            }
        }
    }

    /// The archive in `whole`, which can be read in any order.
    fn of_archive(
        whole: Extent,
        compression: Compression,
        progress: &Progress,
        cancellation: &'a Cancellation,
    ) -> Result<Input<'a>> {
        if compression == Compression::None {
            return Ok(Input::ArchiveFile(archive::index(whole)?));
        }
        let meter = progress.member("checking the archive", whole.remaining(), "");
        let watch = |file| meter.watch(cancellation.watch(file));
        let limit = information::MAX_BYTES;
        let read = || archive::read_through(whole, compression, watch, limit, DIALECT_BYTES);
        Ok(Input::CompressedArchive(cancellation.guard(read)?))
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

    /// Several files, which are read as one dump.
    fn of_files(paths: &[PathBuf]) -> Result<Input<'a>> {
        let mut files = Vec::new();
        for path in paths {
            let name = path.display().to_string();
            let metadata = std::fs::metadata(path).map_err(|cause| cannot_read(path, cause))?;
            if !metadata.is_file() {
                return Err(Error::usage(format!("{name} is not a file"))
                    .hint("several inputs must be files with dumps"));
            }
            let file = File::open(path).map_err(|cause| cannot_read(path, cause))?;
            let (start, _) = archive::sniff(file).doing(format!("read {name}"))?;
            let kind = archive::kind_of_input(&start);
            if let InputKind::Archive(_) = kind {
                return Err(Error::usage(format!("{name} is an archive, not a dump"))
                    .hint("an archive is imported alone"));
            }
            let size = metadata.len();
            let opened = Input::dump(kind, &start, Box::new(std::io::empty()), size);
            if let Input::Dump {
                packing: Packing::One(compression),
                size,
                ..
            } = opened.map_err(|error| error.at(&name))?
            {
                files.push(PackedFile {
                    name,
                    compression,
                    size,
                });
            }
        }
        let sizes = files.iter().map(|file| file.size);
        Ok(Input::Dump {
            reader: Box::new(BytesOfFiles::of(paths.iter().cloned().zip(sizes))),
            size: files.iter().map(|file| file.size).sum(),
            packing: Packing::Several(files),
        })
    }

    /// The input if it is not an archive: a dump, or an error.
    fn dump(
        kind: InputKind,
        start: &[u8],
        reader: Box<dyn Read + 'a>,
        size: u64,
    ) -> Result<Input<'a>> {
        archive::refuse_foreign(start)?;
        if let InputKind::Other(Compression::None) = kind {
            refuse_xml_in_utf16(start)?;
            if !is_xml_of_mysqldump(start) {
                refuse_xml(start)?;
            }
        }
        match kind {
            InputKind::Other(Compression::None) if !is_dump(start) => Err(Error::archive(
                "the input is neither a backup archive nor a dump of MySQL or PostgreSQL",
            )
            .hint("check that the file is the right one and was copied completely")),
            InputKind::Archive(compression) | InputKind::Other(compression) => Ok(Input::Dump {
                reader,
                packing: Packing::One(compression),
                size,
            }),
            InputKind::Twice => Err(Error::archive("the input is compressed twice")
                .hint("decompress it once: gzip -dc FILE | ci-import - …")),
        }
    }

    /// A description for people; `name` is the input's name.
    #[must_use]
    pub fn shown(&self, name: &str) -> String {
        match self {
            Input::ArchiveFile(file) if file.is_unpacked() => {
                format!("{name}, an unpacked archive in a folder")
            }
            Input::ArchiveFile(_) => format!("{name}, an archive in a file"),
            Input::CompressedArchive(_) => format!("{name}, an archive in a file, compressed"),
            Input::ArchivePipe(_) => "an archive in a pipe".to_owned(),
            Input::Dump {
                packing: Packing::Several(files),
                ..
            } => format!("a dump in {} files", files.len()),
            Input::Dump { .. } => "a dump".to_owned(),
        }
    }

    /// Whether it is an archive that can be read only once.
    #[must_use]
    pub fn is_archive_pipe(&self) -> bool {
        matches!(self, Input::ArchivePipe(_))
    }

    /// Whether the input is a backup of GitLab CI, or a plain dump.
    #[must_use]
    pub fn content(&self) -> Content {
        match self {
            Input::Dump { .. } => Content::Dump,
            Input::ArchiveFile(_) | Input::CompressedArchive(_) | Input::ArchivePipe(_) => {
                Content::Backup
            }
        }
    }

    /// Checks an archive before anything is changed: version and dialect of a file, nothing of a pipe.
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

    /// Whether the archive of the traces has not a single byte, if that is known before it is read.
    #[must_use]
    pub fn has_empty_traces(&self) -> bool {
        match self {
            Input::ArchiveFile(file) => archive::is_empty_gzip(file.open(Member::Builds)),
            Input::CompressedArchive(file) => file.has_empty_traces,
            Input::ArchivePipe(_) | Input::Dump { .. } => false,
        }
    }

    /// The sizes of an archive's dump and traces, if they are known before it is read.
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

/// What people type before the file, as other programs have it.
const NO_COMMANDS: [&str; 3] = ["import", "load", "restore"];

fn cannot_read(path: &Path, cause: std::io::Error) -> Error {
    let shown = path.display();
    let error = Error::usage(format!("cannot read {shown}: {cause}"));
    let is_word = path
        .to_str()
        .is_some_and(|name| NO_COMMANDS.contains(&name));
    if is_word && cause.kind() == ErrorKind::NotFound {
        return error.hint(format!(
            "{shown} is no command, and none is needed: ci-import FILE"
        ));
    }
    error.caused_by(cause).hint_if_denied(|| {
        format!(
            "run ci-import as the owner of the file or as root, or give the file to your user: \
                 sudo chown \"$USER\" {shown}"
        )
    })
}

/// Whether a dump begins with `start`.
fn is_dump(start: &[u8]) -> bool {
    let start = beginning_in_utf8(start);
    detect(&start).is_some() || looks_like_sql(&start) || is_xml_of_mysqldump(&start)
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

/// What is known about an archive in a file before its rows are read.
#[derive(Debug, Clone)]
pub struct Judged {
    /// Its information file.
    pub information: Information,
    /// The dialect of its dump.
    pub dialect: Dialect,
}
