//! Packs a builds directory into a tar, while CI may go on writing to it.

use std::cmp::Ordering;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fd::AsFd;
use rustix::fs::{CWD, Mode, OFlags, Stat, fstat, openat};
use tar::{Builder, EntryType, Header};

use super::compare::Names;
use super::directory::BuildsDirectory;
use crate::archive::shown;
use crate::cancellation::Cancellation;
use crate::error::codes::Code;
use crate::error::{Doing, Error, Result};
use crate::files::{Found, for_each_entry};
use crate::ui::counts::Counts;

/// Traces up to this size are read before their header is written: it then has their true size.
const READ_AT_ONCE: u64 = 1 << 20;

/// The longest name that a header has room for.
const NAME_BYTES: usize = 100;

/// What was packed, and what was noticed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Packed {
    /// Files, and their bytes.
    pub files: u64,
    /// See `files`.
    pub bytes: u64,
    /// Those that became longer while they were read: the archive may lack what came last.
    pub grown: Names,
    /// Those that became shorter: zeros stand for the rest of a large one.
    pub shrunk: Names,
    /// Those that were gone when they were to be read.
    pub vanished: Names,
    /// What is neither a file nor a directory, and left out.
    pub others: Names,
}

impl Packed {
    /// Sentences about what was noticed.
    #[must_use]
    pub fn notes(&self) -> Vec<(Code, String)> {
        let kinds = [
            (
                Code::TracesChanged,
                &self.grown,
                "grew while they were packed; the archive may lack their ends",
            ),
            (
                Code::TracesChanged,
                &self.shrunk,
                "became shorter while they were packed; zeros may stand for the rest",
            ),
            (
                Code::TracesChanged,
                &self.vanished,
                "were removed while the traces were packed, and are left out",
            ),
            (
                Code::FilesLeftOut,
                &self.others,
                "are neither files nor directories, and are left out",
            ),
        ];
        let found = kinds.into_iter().filter(|(_, names, _)| names.count > 0);
        found
            .map(|(code, names, what)| {
                let more = if names.count > names.first.len() as u64 {
                    ", …"
                } else {
                    ""
                };
                let what = format!(
                    "{} traces {what}: {}{more}",
                    names.count,
                    names.first.join(", ")
                );
                (code, what)
            })
            .collect()
    }
}

/// Packs what is in the directory `builds` into a tar, which is written to `out`. Names begin with `./`, as those of
/// `tar -C builds -cf - -- .` do. Directories come before what is in them. Root reads with the rights of whoever owns the
/// way to the directory, who could lead it elsewhere.
pub fn pack<W: Write>(
    builds: &BuildsDirectory,
    out: W,
    counts: &Counts,
    cancellation: &Cancellation,
) -> Result<(Packed, W)> {
    let (root, place) = (builds.path(), builds.place());
    let packed = place.worker().run(|| {
        let open = place.live().map_err(|cause| unreadable(root, &cause))?;
        let open = open.ok_or_else(|| unreadable(root, &io::ErrorKind::NotFound.into()))?;
        let mut packing = Packing {
            root,
            builder: Builder::new(out),
            packed: Packed::default(),
            buffer: Vec::new(),
        };
        let own = fstat(&open).map_err(|cause| unreadable(root, &cause.into()))?;
        packing.directory(b"./", &own)?;
        for_each_entry(
            open.as_fd(),
            |name| place.is_ours(name),
            |found| {
                cancellation.check()?;
                packing.take(found)?;
                counts.add(1);
                Ok(())
            },
        )
        .map_err(|error| error.hint_if_denied(|| hint(root)))?;
        let out = packing.builder.into_inner().doing("write the archive")?;
        Ok((packing.packed, out))
    });
    packed.doing(format!(
        "take the rights of the owner of {}",
        root.display()
    ))?
}

/// The number of files below `root`, and their bytes.
pub fn traces_in(root: &Path) -> Result<(u64, u64)> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let open = openat(CWD, root, flags, Mode::empty());
    let open = open.map_err(|cause| unreadable(root, &cause.into()))?;
    let (mut files, mut bytes) = (0, 0);
    for_each_entry(
        open.as_fd(),
        |_| false,
        |found| {
            if !found.is_directory {
                files += 1;
                bytes += found.size().unwrap_or(0);
            }
            Ok(())
        },
    )
    .map_err(|error| error.hint_if_denied(|| hint(root)))?;
    Ok((files, bytes))
}

fn hint(root: &Path) -> String {
    format!(
        "run ci-import as root, or give the directory to CI's user: sudo chown -R gitlab_ci:gitlab_ci {0} (of an Omnibus \
         package: sudo chown -R gitlab-ci:gitlab-ci {0})",
        root.display()
    )
}

fn unreadable(path: &Path, cause: &io::Error) -> Error {
    let error = Error::usage(format!("cannot read {}: {cause}", path.display()));
    if cause.kind() == io::ErrorKind::PermissionDenied {
        return error.hint(hint(path));
    }
    error.hint("--builds-path names the directory of the build traces")
}

struct Packing<'a, W: Write> {
    root: &'a Path,
    builder: Builder<W>,
    packed: Packed,
    /// The content of a small file.
    buffer: Vec<u8>,
}

impl<W: Write> Packing<'_, W> {
    fn take(&mut self, found: &Found<'_>) -> Result<()> {
        let mut name = b"./".to_vec();
        name.extend_from_slice(found.path.as_os_str().as_bytes());
        if found.is_directory {
            name.push(b'/');
            return match found.stat() {
                Ok(stat) => self.directory(&name, &stat),
                Err(cause) => self.gone(found, &cause),
            };
        }
        match found.open() {
            Ok(Some(file)) => self.file(&name, file, found),
            Ok(None) => {
                self.packed.others.add(&found.path);
                Ok(())
            }
            Err(cause) => self.gone(found, &cause),
        }
    }

    /// What cannot be opened: it may have gone.
    fn gone(&mut self, found: &Found<'_>, cause: &io::Error) -> Result<()> {
        if cause.kind() == io::ErrorKind::NotFound {
            self.packed.vanished.add(&found.path);
            return Ok(());
        }
        let path = self.root.join(shown(&found.path));
        let error = Error::usage(format!("cannot read {}: {cause}", path.display()));
        Err(if cause.kind() == io::ErrorKind::PermissionDenied {
            error.hint(hint(self.root))
        } else {
            error
        })
    }

    fn directory(&mut self, name: &[u8], stat: &Stat) -> Result<()> {
        let mut header = header(stat, EntryType::Directory);
        self.append(&mut header, name, io::empty())
    }

    fn file(&mut self, name: &[u8], mut file: File, found: &Found<'_>) -> Result<()> {
        let reading = || format!("read {}", self.root.join(&found.path).display());
        let stat = fstat(&file).map_err(io::Error::from).doing(reading())?;
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        let mut header = header(&stat, EntryType::Regular);
        self.packed.files += 1;
        if size <= READ_AT_ONCE {
            self.buffer.clear();
            (&mut file)
                .take(READ_AT_ONCE)
                .read_to_end(&mut self.buffer)
                .doing(reading())?;
            header.set_size(self.buffer.len() as u64);
            self.packed.bytes += self.buffer.len() as u64;
            self.note(found, size, self.buffer.len() as u64);
            let content = std::mem::take(&mut self.buffer);
            let appended = self.append(&mut header, name, &content[..]);
            self.buffer = content;
            return appended;
        }
        header.set_size(size);
        self.packed.bytes += size;
        let mut content = Padded {
            inner: (&mut file).take(size),
            left: size,
            read: 0,
            failed: None,
        };
        let appended = self.append(&mut header, name, &mut content);
        let (read, failed) = (content.read, content.failed.take());
        if let Some(cause) = failed {
            return Err(cause).doing(reading());
        }
        appended?;
        let has_more = read == size && matches!(file.read(&mut [0]), Ok(1));
        self.note(found, size, read + u64::from(has_more));
        Ok(())
    }

    /// Notes a file of which there was more or less to be `read` than its `size` at first.
    fn note(&mut self, found: &Found<'_>, size: u64, read: u64) {
        match read.cmp(&size) {
            Ordering::Less => self.packed.shrunk.add(&found.path),
            Ordering::Greater => self.packed.grown.add(&found.path),
            Ordering::Equal => {}
        }
    }

    fn append(&mut self, header: &mut Header, name: &[u8], content: impl Read) -> Result<()> {
        let writing = "write the archive";
        if name.len() > NAME_BYTES {
            // GNU tar's way: the name is the content of an entry before.
            let mut long = Header::new_gnu();
            set_name(&mut long, b"././@LongLink");
            long.set_entry_type(EntryType::GNULongName);
            long.set_size(name.len() as u64 + 1);
            long.set_cksum();
            self.builder
                .append(&long, name.chain(&[0][..]))
                .doing(writing)?;
        }
        set_name(header, &name[..name.len().min(NAME_BYTES)]);
        header.set_cksum();
        self.builder.append(header, content).doing(writing)
    }
}

fn set_name(header: &mut Header, name: &[u8]) {
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
}

/// A header with what the system says of a file.
fn header(stat: &Stat, kind: EntryType) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(stat.st_mode & 0o7777);
    header.set_uid(stat.st_uid.into());
    header.set_gid(stat.st_gid.into());
    header.set_mtime(u64::try_from(stat.st_mtime).unwrap_or(0));
    header.set_size(0);
    header
}

/// A content that has as many bytes as its header says: zeros stand for what is gone.
struct Padded<R> {
    inner: R,
    /// The bytes that are still to come.
    left: u64,
    /// Those that came from the file.
    read: u64,
    /// Why reading failed; a copy may also fail because of its output.
    failed: Option<io::Error>,
}

impl<R: Read> Read for Padded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let count = match self.inner.read(&mut buffer[..most]) {
            Ok(0) => {
                buffer[..most].fill(0);
                most
            }
            Ok(count) => {
                self.read += count as u64;
                count
            }
            Err(cause) => {
                let kind = cause.kind();
                self.failed = Some(cause);
                return Err(kind.into());
            }
        };
        self.left -= count as u64;
        Ok(count)
    }
}
