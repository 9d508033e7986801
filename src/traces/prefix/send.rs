//! Reads the tar of the traces, and writes each as an object.

use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use tar::EntryType;

use super::manifest::{MANIFEST, Manifest, upload_failure};
use super::staged::StagedPrefix;
use crate::archive::{BLOCK_BYTES, Entry, refused, refused_kind, safe_path};
use crate::cancellation::Cancellation;
use crate::error::{Error, Result};
use crate::failpoint;
use crate::storage::{Objects, Puts, SMALL_OBJECT_BYTES};
use crate::traces::digest::TraceHasher;
use crate::traces::extract::{
    TraceSummary, Wanted, end_of, for_each_trace_entry, modified_at, read_of_trace,
};
use crate::ui::counts::Counts;

/// Writes the traces of `inflated`, a tar, below `staged`, and then their manifest. Small ones are on their way together.
pub(in crate::traces) fn send(
    inflated: &mut dyn Read,
    staged: &StagedPrefix,
    wanted: Wanted,
    counts: &Counts,
    cancellation: &Cancellation,
) -> Result<TraceSummary> {
    let objects = staged.objects();
    let mut sender = Sender {
        objects,
        puts: Puts::to(objects),
        manifest: staged.manifest()?,
        summary: TraceSummary {
            digest: wanted.digest.then(Default::default),
            ..TraceSummary::default()
        },
        counts,
    };
    let read = for_each_trace_entry(inflated, |name, entry| {
        cancellation.check()?;
        sender.entry(name, entry)
    });
    let mut summary = std::mem::take(&mut sender.summary);
    end_of(read, &mut summary, wanted)?;
    let Sender {
        mut puts, manifest, ..
    } = sender;
    puts.end()?;
    failpoint::reached("traces written");
    check_count(objects, summary.files)?;
    manifest.end(summary.files, summary.bytes)?;
    Ok(summary)
}

/// An error unless there are so many objects. Not every storage says that there is one with a name already.
fn check_count(objects: &Objects, files: u64) -> Result<()> {
    let mut found = 0;
    objects.for_each(&mut |_, _| {
        found += 1;
        Ok(())
    })?;
    if found == files {
        return Ok(());
    }
    Err(Error::archive(format!(
        "{} has {found} objects for {files} traces: the archive may have a trace twice",
        objects.prefix()
    )))
}

struct Sender<'a> {
    objects: &'a Objects,
    puts: Puts,
    manifest: Manifest,
    summary: TraceSummary,
    counts: &'a Counts,
}

/// A trace of the tar.
struct Trace {
    path: PathBuf,
    size: u64,
    modified: i64,
    sum: Sha256,
    hasher: Option<TraceHasher>,
}

impl Sender<'_> {
    fn entry<S: Read>(&mut self, name: &[u8], entry: &mut Entry<'_, S>) -> Result<()> {
        let path = safe_path(name)?;
        let shown = || String::from_utf8_lossy(name);
        match entry.kind() {
            // There are no directories in an object storage.
            EntryType::Directory => return Ok(()),
            EntryType::Regular | EntryType::Continuous if path.as_os_str().is_empty() => {
                return Err(refused(&shown(), "a file needs a name"));
            }
            EntryType::Regular | EntryType::Continuous if path == Path::new(MANIFEST) => {
                return Err(refused(
                    &shown(),
                    "the manifest of the traces has this name",
                ));
            }
            EntryType::Regular | EntryType::Continuous => {}
            _ => return Err(refused_kind(name, entry)),
        }
        let hasher = self.summary.digest.map(|_| TraceHasher::new(&path));
        let trace = Trace {
            size: entry.size(),
            modified: modified_at(entry.header()),
            path,
            sum: Sha256::new(),
            hasher,
        };
        if trace.size <= SMALL_OBJECT_BYTES {
            self.small(trace, entry)
        } else {
            self.large(trace, entry)
        }
    }

    fn small<S: Read>(&mut self, mut trace: Trace, entry: &mut Entry<'_, S>) -> Result<()> {
        let length = usize::try_from(trace.size).unwrap_or(usize::MAX);
        let mut content = vec![0; length];
        read_of_trace(entry, &mut content, &trace.path, (0, trace.size))?;
        trace.take(&content);
        self.puts.begin(&trace.key(), content)?;
        self.ended(trace)
    }

    fn large<S: Read>(&mut self, mut trace: Trace, entry: &mut Entry<'_, S>) -> Result<()> {
        let mut upload = self.objects.upload(&trace.key())?;
        let mut block = vec![0; BLOCK_BYTES];
        let mut at = 0;
        while at < trace.size {
            let length = usize::try_from(trace.size - at).unwrap_or(usize::MAX);
            let block = &mut block[..length.min(BLOCK_BYTES)];
            read_of_trace(entry, block, &trace.path, (at, trace.size))?;
            trace.take(block);
            let written = upload.write_all(block);
            written.map_err(|cause| upload_failure(&cause))?;
            at += block.len() as u64;
        }
        upload.keep()?;
        self.ended(trace)
    }

    /// Takes note of a trace that is written, or on its way.
    fn ended(&mut self, trace: Trace) -> Result<()> {
        self.summary.files += 1;
        self.summary.bytes += trace.size;
        self.counts.add(1);
        if let (Some(digest), Some(hasher)) = (&mut self.summary.digest, &trace.hasher) {
            digest.add(hasher.finish());
        }
        let Trace {
            path,
            size,
            modified,
            sum,
            ..
        } = trace;
        self.manifest.add(&path, size, modified, sum)
    }
}

impl Trace {
    fn take(&mut self, bytes: &[u8]) {
        self.sum.update(bytes);
        if let Some(hasher) = &mut self.hasher {
            hasher.update(bytes);
        }
    }

    /// Its path below the prefix, which is UTF-8.
    fn key(&self) -> String {
        self.path.to_string_lossy().into_owned()
    }
}
