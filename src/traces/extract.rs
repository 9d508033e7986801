//! Reads the tar of the traces and hands its files to the writers.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::ScopedJoinHandle;

use tar::{EntryType, Header};
use tracing::debug;

use super::digest::TraceDigest;
use super::directory::StagedDirectory;
use super::room::Room;
use super::writer::{Attributes, Order, Writer, umask};
use crate::archive::{
    BLOCK_BYTES, BUILDS, Entry, InOrder, for_each_entry, inflation_failure, read_ahead, read_block,
    read_failure, refused, refused_kind, safe_path, shown,
};
use crate::cancellation::Cancellation;
use crate::error::{Doing, Error, Kind, Result};
use crate::failpoint;
use crate::resources::Resources;
use crate::ui::counts::Counts;

/// The unit of a tar.
const TAR_BLOCK: usize = 512;

/// So many months are kept for a report.
const MAX_MONTHS: usize = 1000;

/// What was unpacked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TraceSummary {
    /// Files.
    pub files: u64,
    /// Bytes of their content.
    pub bytes: u64,
    /// Their checksum, if it was asked for.
    pub digest: Option<TraceDigest>,
    /// Where the tar ended too early, if that happened and was allowed. The traces before that are written.
    pub truncated: Option<String>,
}

/// Options of the extraction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wanted {
    /// A tar that ends too early is no error; the complete traces are taken.
    pub allow_truncated: bool,
    /// It is no error either if there is no complete trace.
    pub allow_none: bool,
    /// Take a checksum of the written files.
    pub digest: bool,
    /// Do not check the free space of the file system.
    pub ignore_room: bool,
}

/// What a tar of traces holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TraceSurvey {
    /// Files.
    pub files: u64,
    /// Bytes of their content.
    pub bytes: u64,
    /// The directories at the top: `2015_10`.
    pub months: BTreeSet<String>,
    /// The largest file and its size.
    pub largest: Option<(String, u64)>,
}

/// Reads `inflated`, a tar of traces, to its end without writing anything.
pub fn survey(inflated: &mut dyn Read) -> Result<TraceSurvey> {
    let mut found = TraceSurvey::default();
    for_each_trace_entry(inflated, |name, entry| {
        let path = safe_path(name)?;
        match entry.kind() {
            EntryType::Directory => return Ok(()),
            EntryType::Regular | EntryType::Continuous => {}
            _ => return Err(refused_kind(name, entry)),
        }
        let size = entry.size();
        found.files += 1;
        found.bytes = found.bytes.saturating_add(size);
        if found
            .largest
            .as_ref()
            .is_none_or(|(_, largest)| size > *largest)
        {
            found.largest = Some((path.display().to_string(), size));
        }
        let mut parts = path.components();
        if let (Some(month), Some(_)) = (parts.next(), parts.next())
            && found.months.len() < MAX_MONTHS
        {
            found
                .months
                .insert(month.as_os_str().to_string_lossy().into_owned());
        }
        let read = io::copy(entry, &mut io::sink()).map_err(|cause| damaged_trace(&path, cause))?;
        if read == size {
            return Ok(());
        }
        Err(Error::archive(format!(
            "the archive is truncated in the trace {}",
            shown(&path)
        )))
    })?;
    Ok(found)
}

/// Unpacks `inflated`, a tar of traces, into `staged` with a thread for each job. At the end the files are synced to
/// the disk.
pub(super) fn extract(
    inflated: &mut dyn Read,
    staged: &StagedDirectory,
    resources: &Resources,
    wanted: Wanted,
    counts: &Counts,
    cancellation: &Cancellation,
) -> Result<TraceSummary> {
    let summary = staged.work(|| write(inflated, staged, resources, wanted, counts))?;
    failpoint::reached("traces written");
    debug!(
        files = summary.files,
        bytes = summary.bytes,
        "traces written"
    );
    let doing = || format!("write into {}", staged.path().display());
    let root = staged.directory().try_clone_to_owned().doing(doing())?;
    // A slow disk may need minutes.
    counts.begin_phase("flushing the traces to the disk");
    let synced = cancellation.wait_for(move || {
        failpoint::reached("disk waited for");
        rustix::fs::syncfs(&root)
    });
    let synced = synced.ok_or_else(Error::interrupted)?;
    synced.map_err(io::Error::from).doing(doing())?;
    failpoint::reached("traces on the disk");
    Ok(summary)
}

/// Reads the tar and has its files written.
fn write(
    inflated: &mut dyn Read,
    staged: &StagedDirectory,
    resources: &Resources,
    wanted: Wanted,
    counts: &Counts,
) -> Result<TraceSummary> {
    let root = staged.directory();
    let mask = umask();
    std::thread::scope(|scope| {
        let mut channels = Vec::new();
        let mut threads = Vec::new();
        for _ in 0..resources.jobs {
            let (sender, receiver): (SyncSender<Order>, Receiver<Order>) =
                sync_channel(resources.blocks_per_writer);
            let mut writer = Writer::new(root, (staged.owner(), mask), wanted.digest);
            threads.push(scope.spawn(move || writer.run(&receiver)));
            channels.push(sender);
        }
        let mut dispatcher = Dispatcher {
            channels,
            summary: TraceSummary::default(),
            counts,
            room: if wanted.ignore_room {
                Room::unknown(&staged.path())
            } else {
                Room::of(root, &staged.path())
            },
        };
        let read = for_each_trace_entry(inflated, |name, entry| dispatcher.entry(name, entry));
        let mut summary = std::mem::take(&mut dispatcher.summary);
        drop(dispatcher);
        // If a writer fails, the reader fails because of it: report the writer's error.
        for thread in threads {
            let written = join(thread)?;
            if wanted.digest {
                summary.digest.get_or_insert_default().merge(written);
            }
        }
        end_of(read, &mut summary, wanted)?;
        Ok(summary)
    })
}

/// Judges how the tar of the traces of `summary` was `read`.
pub(super) fn end_of(read: Result<()>, summary: &mut TraceSummary, wanted: Wanted) -> Result<()> {
    summary.truncated = truncation(read, summary.files, wanted)?;
    Ok(())
}

/// Where a tar with so many complete traces ended too early, if it did and that is allowed.
pub(super) fn truncation(read: Result<()>, files: u64, wanted: Wanted) -> Result<Option<String>> {
    match read {
        Err(error) if error.is_truncation() => {
            let shown = error.to_string();
            refuse_truncated(error, files, wanted)?;
            Ok(Some(shown))
        }
        read => read.map(|()| None),
    }
}

/// Refuses a truncated tar, unless the user wants the traces that are complete.
fn refuse_truncated(error: Error, files: u64, wanted: Wanted) -> Result<()> {
    if files == 0 && !wanted.allow_none {
        if error.hint_text() == Some(EMPTY_HINT) {
            return Err(error);
        }
        return Err(error.adding(", before the first trace").hint(
            "make the backup again; --allow-no-traces imports the archive without any trace",
        ));
    }
    if files > 0 && !wanted.allow_truncated {
        return Err(error.hint(
            "make the backup again; --allow-truncated-traces imports the traces that are complete",
        ));
    }
    Ok(())
}

/// What to do if the archive of the traces is empty; from GitLab's manual of the migration.
const EMPTY_HINT: &str = "on the CI server: sudo chown -R gitlab_ci:gitlab_ci /home/gitlab_ci/gitlab-ci/builds (of an \
    Omnibus package: sudo chown -R gitlab-ci:gitlab-ci /var/opt/gitlab/gitlab-ci/builds), then make the backup again; \
    --allow-no-traces imports the archive without any trace";

/// The error for an archive of traces without a single byte.
#[must_use]
pub fn empty_traces() -> Error {
    Error::archive(format!(
        "{BUILDS}: it is empty: GitLab CI could not read its builds directory when it made the backup"
    ))
    .hint(EMPTY_HINT)
}

fn join(thread: ScopedJoinHandle<'_, Result<TraceDigest>>) -> Result<TraceDigest> {
    thread
        .join()
        .unwrap_or_else(|_| Err(Error::failed("a writer of traces crashed")))
}

struct Dispatcher<'a> {
    channels: Vec<SyncSender<Order>>,
    summary: TraceSummary,
    counts: &'a Counts,
    room: Room,
}

impl Dispatcher<'_> {
    fn entry<S: Read>(&mut self, name: &[u8], entry: &mut Entry<'_, S>) -> Result<()> {
        let header = entry.header();
        let kind = header.entry_type();
        let path = safe_path(name)?;
        let mode = header.mode().unwrap_or(0o600);
        match kind {
            EntryType::Directory if path.as_os_str().is_empty() => Ok(()),
            EntryType::Directory => {
                self.room.announce_directory(&path)?;
                let mode = mode & 0o777 | 0o700;
                self.send(&path.clone(), Order::Directory { path, mode })
            }
            EntryType::Regular | EntryType::Continuous if path.as_os_str().is_empty() => Err(
                refused(&String::from_utf8_lossy(name), "a file needs a name"),
            ),
            EntryType::Regular | EntryType::Continuous => {
                let attributes = Attributes {
                    mode: mode & 0o666 | 0o600,
                    modified: modified_at(header),
                };
                self.room.announce(&path, entry.size())?;
                self.file(&path, attributes, entry)
            }
            _ => Err(refused_kind(name, entry)),
        }
    }

    fn file<S: Read>(
        &mut self,
        path: &Path,
        attributes: Attributes,
        entry: &mut Entry<'_, S>,
    ) -> Result<()> {
        let size = entry.size();
        let parent = path.parent().unwrap_or(Path::new("")).to_owned();
        let mut read = 0;
        let mut next = |entry: &mut Entry<'_, S>| -> Result<Vec<u8>> {
            let length = usize::try_from(size - read)
                .unwrap_or(usize::MAX)
                .min(BLOCK_BYTES);
            let mut block = vec![0; length];
            read_of_trace(entry, &mut block, path, (read, size))?;
            read += length as u64;
            Ok(block)
        };
        let start = next(entry)?;
        let mut sent = start.len() as u64;
        self.send(
            &parent,
            Order::File {
                path: path.to_owned(),
                attributes,
                start,
            },
        )?;
        while sent < size {
            let block = match next(entry) {
                Ok(block) => block,
                Err(error) => {
                    self.send(&parent, Order::Abandon)?;
                    return Err(error);
                }
            };
            sent += block.len() as u64;
            self.send(&parent, Order::More(block))?;
        }
        self.summary.files += 1;
        self.counts.add(1);
        self.summary.bytes += size;
        self.send(&parent, Order::End)
    }

    /// Sends an order to the writer of `directory`.
    fn send(&self, directory: &Path, order: Order) -> Result<()> {
        let mut hasher = DefaultHasher::new();
        directory.hash(&mut hasher);
        let number = usize::try_from(hasher.finish() % self.channels.len() as u64).unwrap_or(0);
        self.channels[number]
            .send(order)
            .map_err(|_| Error::failed("a writer of traces has stopped"))
    }
}

/// When a file of a tar was changed last, in seconds since 1970.
pub(super) fn modified_at(header: &Header) -> i64 {
    let time = header.mtime().ok();
    time.and_then(|time| i64::try_from(time).ok()).unwrap_or(0)
}

/// Fills `block` with the bytes from `at` on of the trace at `path`, which has `size`.
pub(super) fn read_of_trace(
    entry: &mut dyn Read,
    block: &mut [u8],
    path: &Path,
    (at, size): (u64, u64),
) -> Result<()> {
    let count = read_block(entry, block).map_err(|cause| damaged_trace(path, cause))?;
    if count == block.len() {
        return Ok(());
    }
    Err(Error::archive(format!(
        "the archive is truncated in the trace {} at its byte {} of {size}",
        shown(path),
        at + count as u64
    )))
}

/// The error for a trace that cannot be read to its end.
pub(super) fn damaged_trace(path: &Path, cause: io::Error) -> Error {
    let cause = as_damage(cause);
    inflation_failure(BUILDS, &cause).unwrap_or_else(|| {
        Error::archive(format!(
            "the trace {} is truncated or damaged: {cause}",
            shown(path)
        ))
    })
}

/// The error for a damaged header: the tar reader gives it the kind "other".
fn as_damage(cause: io::Error) -> io::Error {
    match cause.kind() {
        io::ErrorKind::Other => io::Error::new(io::ErrorKind::InvalidData, cause),
        _ => cause,
    }
}

/// Counts the bytes that are read, and records whether the end was reached.
pub(super) struct Counted<'a> {
    inner: &'a mut dyn Read,
    bytes: u64,
    ended: &'a Cell<bool>,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer);
        if let Err(cause) = &read {
            let cut = cause.kind() == io::ErrorKind::UnexpectedEof;
            self.ended.set(self.ended.get() || cut);
        }
        let count = read?;
        self.ended
            .set(self.ended.get() || count == 0 && !buffer.is_empty());
        self.bytes += count as u64;
        Ok(count)
    }
}

/// Calls `take` for each entry of a tar of traces. Checks that the tar, and the stream that contains it, are complete.
pub(super) fn for_each_trace_entry(
    inflated: &mut dyn Read,
    take: impl FnMut(&[u8], &mut Entry<'_, InOrder<Counted<'_>>>) -> Result<()> + Send,
) -> Result<()> {
    read_ahead(inflated, |tar| {
        let ended = Cell::new(false);
        let read = read_tar(tar, &ended, take);
        // The end is only seen by a read that wants more bytes. Then the error is that the tar ends too early.
        let is_cut = |error: &Error| ended.get() && error.kind() == Kind::Archive;
        read.map_err(|error| match error {
            error if is_cut(&error) => error.truncation(),
            error => error,
        })
    })
}

fn read_tar(
    inflated: &mut dyn Read,
    ended: &Cell<bool>,
    mut take: impl FnMut(&[u8], &mut Entry<'_, InOrder<Counted<'_>>>) -> Result<()>,
) -> Result<()> {
    let mut tar = InOrder(Counted {
        inner: inflated,
        bytes: 0,
        ended,
    });
    let damaged = |place: &str, at: u64, cause: &io::Error| {
        let error = read_failure(BUILDS, at, cause);
        if place.is_empty() {
            error
        } else {
            error.at(format!("after the trace {place:?}"))
        }
    };
    let place = RefCell::new((String::new(), 0));
    let damaged_entry = |cause| {
        let place = place.borrow();
        damaged(&place.0, place.1, &as_damage(cause))
    };
    for_each_entry(&mut tar, damaged_entry, |name, entry| {
        let padded = entry
            .size()
            .checked_next_multiple_of(TAR_BLOCK as u64)
            .unwrap_or(u64::MAX);
        let end = entry.position().saturating_add(padded);
        place.replace((String::from_utf8_lossy(name).into_owned(), end));
        take(name, entry)
    })
    .map_err(|error| {
        if error.to_string().starts_with(BUILDS) {
            error
        } else {
            error.at(BUILDS)
        }
    })?;
    let InOrder(mut input) = tar;
    if input.bytes == 0 {
        return Err(empty_traces());
    }
    let (place, end) = place.into_inner();
    // GNU tar ends with two blocks of zeros, unless it was killed. The reader has read the first of them.
    let mut second = [1; TAR_BLOCK];
    let has_first = input.bytes >= end.saturating_add(TAR_BLOCK as u64);
    let count = read_block(&mut input, &mut second)
        .map_err(|cause| read_failure(BUILDS, input.bytes, &cause))?;
    if !has_first || count < second.len() || second.iter().any(|byte| *byte != 0) {
        return Err(Error::archive(format!(
            "{BUILDS}: the tar in it is truncated at byte {} (after {place:?})",
            input.bytes
        ))
        .hint("tar probably failed while the backup was made; make the backup again"));
    }
    expect_padding(&mut input)
}

/// Reads to the end, where gzip has its checksum. All bytes before it must be zeros: entries behind the end of the tar
/// are an error.
fn expect_padding(input: &mut Counted<'_>) -> Result<()> {
    let mut block = vec![0; BLOCK_BYTES];
    loop {
        let at = input.bytes;
        let count = read_block(input, &mut block)
            .map_err(|cause| read_failure(BUILDS, input.bytes, &cause))?;
        if count == 0 {
            return Ok(());
        }
        if let Some(first) = block[..count].iter().position(|byte| *byte != 0) {
            return Err(Error::archive(format!(
                "{BUILDS}: the tar in it ends, but more data follows at byte {}",
                at + first as u64
            ))
            .hint("make the backup again; this data would be lost"));
        }
    }
}
