//! Compares the traces on the disk with those in the archive.

use std::io::{self, Read};
use std::path::Path;

use rustix::fd::{AsFd, BorrowedFd};
use tar::EntryType;

use super::digest::{TraceDigest, TraceHasher};
use super::directory::BuildsDirectory;
use super::extract::{Wanted, damaged_trace, for_each_trace_entry, truncation};
use crate::archive::{BLOCK_BYTES, read_block, safe_path, shown};
use crate::error::{Doing, Error, Result};
use crate::files::{Found, for_each_file, open_below};
use crate::ui::counts::Counts;

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
    pub(super) fn add(&mut self, path: &Path) {
        self.count += 1;
        if self.first.len() < NAMES_TOLD {
            self.first.push(path.display().to_string());
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
    /// Where the archive ended too early, if it did and that was allowed.
    pub truncated: Option<String>,
}

impl TraceFindings {
    /// Whether the directory has exactly the traces of the archive.
    #[must_use]
    pub fn agree(&self) -> bool {
        self.missing.count == 0 && self.different.count == 0 && self.found == self.files
    }
}

/// Compares `inflated`, a tar of traces, with those of `builds`, byte for byte. `check` can stop it.
pub(super) fn compare(
    inflated: &mut dyn Read,
    builds: &BuildsDirectory,
    wanted: Wanted,
    check: &(dyn Fn() -> Result<()> + Sync),
    counts: &Counts,
) -> Result<TraceFindings> {
    let doing = || format!("read {}", builds.path().display());
    let place = builds.place();
    let root = place
        .live()
        .doing(doing())?
        .ok_or_else(|| Error::failed(format!("cannot {}: it does not exist", doing())))?;
    let mut findings = TraceFindings::default();
    let mut blocks = (vec![0; BLOCK_BYTES], vec![0; BLOCK_BYTES]);
    let read = for_each_trace_entry(inflated, |name, entry| {
        check()?;
        let path = safe_path(name)?;
        if !matches!(entry.kind(), EntryType::Regular | EntryType::Continuous) {
            return Ok(());
        }
        let reading = || format!("read {}", builds.path().join(&path).display());
        let file = open_below(root.as_fd(), &path).doing(reading())?;
        let is_missing = file.is_none();
        let is_same = match file {
            Some(mut file) => same(entry, &mut file, &mut blocks, &path)?,
            None => false,
        };
        // Only a trace that the archive has to its end was imported.
        io::copy(entry, &mut io::sink()).map_err(|cause| damaged_trace(&path, cause))?;
        if !entry.is_read() {
            let shown = shown(&path);
            let error = format!("the archive is truncated in the trace {shown}");
            return Err(Error::archive(error));
        }
        findings.files += 1;
        findings.bytes += entry.size();
        counts.add(1);
        if is_missing {
            findings.missing.add(&path);
        } else if !is_same {
            findings.different.add(&path);
        }
        Ok(())
    });
    findings.truncated = truncation(read, findings.files, wanted)?;
    for_each_file(
        root.as_fd(),
        |name| place.is_ours(name),
        |_| {
            findings.found += 1;
            check()
        },
    )?;
    Ok(findings)
}

pub(super) fn same(
    entry: &mut impl Read,
    file: &mut impl Read,
    (expected, found): &mut (Vec<u8>, Vec<u8>),
    path: &Path,
) -> Result<bool> {
    loop {
        let count = read_block(entry, expected).map_err(|cause| damaged_trace(path, cause))?;
        let there = read_block(file, found).doing(format!("read {}", path.display()))?;
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

/// Measures the traces below the open directory `root`; with `digest` it reads them. `check` can stop it.
pub(super) fn measure(
    root: BorrowedFd<'_>,
    digest: bool,
    check: &dyn Fn() -> Result<()>,
) -> Result<Measured> {
    let mut measured = Measured {
        digest: digest.then(TraceDigest::default),
        ..Measured::default()
    };
    let mut block = vec![0; BLOCK_BYTES];
    for_each_file(
        root,
        |_| false,
        |found| {
            check()?;
            measured.files += 1;
            measured.bytes += match &mut measured.digest {
                None => found.size().doing(reading(found))?,
                Some(digest) => read_into(digest, found, &mut block)?,
            };
            Ok(())
        },
    )?;
    Ok(measured)
}

fn reading(found: &Found<'_>) -> String {
    format!("read the trace {}", shown(&found.path))
}

/// Adds the hash of a trace to `digest`. Returns its bytes.
fn read_into(digest: &mut TraceDigest, found: &Found<'_>, block: &mut [u8]) -> Result<u64> {
    let mut hasher = TraceHasher::new(&found.path);
    let Some(mut file) = found.open().doing(reading(found))? else {
        return Err(Error::failed(format!(
            "cannot {}: it is no file",
            reading(found)
        )));
    };
    let bytes = hasher.read(&mut file, block).doing(reading(found))?;
    digest.add(hasher.finish());
    Ok(bytes)
}
