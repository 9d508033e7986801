//! Compares the traces on the disk with those in the archive.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use tar::EntryType;

use super::digest::{TraceDigest, TraceHasher};
use super::extract::{damaged_trace, for_each_trace_entry};
use crate::archive::{BLOCK_BYTES, read_block, safe_path};
use crate::error::{Doing, Result};

/// So many names are reported for each kind of difference.
const NAMES_TOLD: usize = 10;

/// Names of files: how many, and the first of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// How many.
    pub count: u64,
    /// The first of them.
    pub first: Vec<String>,
}

impl Names {
    fn add(&mut self, path: &Path) {
        self.count += 1;
        if self.first.len() < NAMES_TOLD {
            // Control characters must not reach a terminal.
            let name = path.display().to_string();
            self.first.push(name.escape_debug().to_string());
        }
    }
}

/// The result of a comparison of the traces of an archive with a builds directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TraceFindings {
    /// Traces in the archive, and their bytes.
    pub files: u64,
    /// See `files`.
    pub bytes: u64,
    /// Files in the directory.
    pub found: u64,
    /// Those that are not in the directory.
    pub missing: Names,
    /// Those whose size or content differs.
    pub different: Names,
}

impl TraceFindings {
    /// Whether the directory has exactly the traces of the archive.
    #[must_use]
    pub fn agree(&self) -> bool {
        self.missing.count == 0 && self.different.count == 0 && self.found == self.files
    }
}

/// Compares `inflated`, a tar of traces, with the directory at `builds`, byte for byte.
pub fn compare(inflated: &mut dyn Read, builds: &Path) -> Result<TraceFindings> {
    let mut findings = TraceFindings::default();
    let mut blocks = (vec![0; BLOCK_BYTES], vec![0; BLOCK_BYTES]);
    for_each_trace_entry(inflated, |name, entry| {
        let path = safe_path(name)?;
        if !matches!(entry.kind(), EntryType::Regular | EntryType::Continuous) {
            return Ok(());
        }
        findings.files += 1;
        findings.bytes += entry.size();
        let Some(mut file) = open(&builds.join(&path))? else {
            findings.missing.add(&path);
            return Ok(());
        };
        if !same(entry, &mut file, &mut blocks, &path)? {
            findings.different.add(&path);
        }
        Ok(())
    })?;
    walk(builds, |_, _| {
        findings.found += 1;
        Ok(())
    })?;
    Ok(findings)
}

/// Opens a file, but not through a link. None if it does not exist.
fn open(path: &Path) -> Result<Option<File>> {
    let no_follow = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or(0);
    match File::options()
        .read(true)
        .custom_flags(no_follow)
        .open(path)
    {
        Ok(file) => Ok(Some(file)),
        Err(cause) if is_not_there(&cause) => Ok(None),
        Err(cause) => Err(cause).doing(format!("read {}", path.display())),
    }
}

fn is_not_there(cause: &io::Error) -> bool {
    // A link in its place was not made by an import.
    let looped = rustix::io::Errno::LOOP.raw_os_error();
    matches!(
        cause.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    ) || cause.raw_os_error() == Some(looped)
}

fn same(
    entry: &mut impl Read,
    file: &mut File,
    (expected, found): &mut (Vec<u8>, Vec<u8>),
    path: &Path,
) -> Result<bool> {
    loop {
        let count = read_block(entry, expected).map_err(|cause| damaged_trace(path, cause))?;
        let there = match read_block(file, found) {
            Ok(there) => there,
            Err(cause) if cause.kind() == io::ErrorKind::IsADirectory => return Ok(false),
            Err(cause) => return Err(cause).doing(format!("read {}", path.display())),
        };
        if expected[..count] != found[..there] {
            return Ok(false);
        }
        if count == 0 {
            return Ok(true);
        }
    }
}

/// What is in a directory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Measured {
    /// Files.
    pub files: u64,
    /// Bytes of their content.
    pub bytes: u64,
    /// Their checksum, if it was asked for.
    pub digest: Option<TraceDigest>,
}

/// Measures the traces below `directory`; with `digest` it reads them.
pub fn measure(directory: &Path, digest: bool) -> Result<Measured> {
    let mut measured = Measured {
        digest: digest.then(TraceDigest::default),
        ..Measured::default()
    };
    let mut block = vec![0; BLOCK_BYTES];
    walk(directory, |path, entry| {
        measured.files += 1;
        let doing = || format!("read {}", entry.path().display());
        let Some(digest) = &mut measured.digest else {
            measured.bytes += entry.metadata().doing(doing())?.len();
            return Ok(());
        };
        let mut hasher = TraceHasher::new(path);
        let mut file = File::open(entry.path()).doing(doing())?;
        loop {
            let count = read_block(&mut file, &mut block).doing(doing())?;
            if count == 0 {
                break;
            }
            measured.bytes += count as u64;
            hasher.update(&block[..count]);
        }
        digest.add(hasher.finish());
        Ok(())
    })?;
    Ok(measured)
}

/// Calls `take` for everything below `root` that is not a directory, with its path relative to `root`.
fn walk(root: &Path, mut take: impl FnMut(&Path, &fs::DirEntry) -> Result<()>) -> Result<()> {
    let mut pending: Vec<PathBuf> = vec![PathBuf::new()];
    while let Some(path) = pending.pop() {
        let directory = root.join(&path);
        let doing = || format!("read {}", directory.display());
        for entry in fs::read_dir(&directory).doing(doing())? {
            let entry = entry.doing(doing())?;
            let path = path.join(entry.file_name());
            if entry.file_type().doing(doing())?.is_dir() {
                pending.push(path);
            } else {
                take(&path, &entry)?;
            }
        }
    }
    Ok(())
}
