//! Writes an archive with a converted dump. It has the members of a backup and their directories, under GitLab's names
//! and in headers of its own, with their times and their permissions; the traces are copied unread.

use std::io::{Read, Seek, Write};

use tar::{Builder, EntryType, Header};

use super::converted::{Converted, convert_dump};
use super::limits::Limits;
use crate::archive::{
    self, DATABASE, Entry, InOrder, Layout, Member, damaged, for_each_entry, safe_path, shown,
};
use crate::error::codes::Code;
use crate::error::{Doing, Error, Result};
use crate::gitlab::information;
use crate::gitlab::tables::check_table;
use crate::schema::Note;
use crate::schema::policies::Policies;

/// The directories of the members.
const DIRECTORIES: [&str; 2] = ["db/", "builds/"];

/// So many names of entries that are left out are in the report.
const SHOWN_NAMES: usize = 3;

type Out = Builder<Box<dyn Write + Send>>;

/// Reads the archive `input`, converts its dump, and writes it to `out`. The converted dump is kept in a temporary file
/// until it is complete, since a tar has the size before the content.
pub fn convert_archive(
    input: impl Read,
    out: Box<dyn Write + Send>,
    policies: &Policies,
    limits: &Limits,
) -> Result<Converted> {
    let mut builder = Builder::new(out);
    let mut done = None;
    let mut input = InOrder(input);
    let mut layout = Layout::default();
    let mut others = Others::default();
    for_each_entry(&mut input, damaged, |name, entry| {
        match layout.member(name, entry)? {
            Some(Member::Database) => done = Some(database(entry, &mut builder, policies, limits)?),
            Some(member) => copied(entry, member, &mut builder)?,
            None => others.take(name, entry, &mut builder)?,
        }
        Ok(())
    })?;
    layout.check()?;
    // Read to the end, where a compressed archive has its checksum.
    std::io::copy(&mut input, &mut std::io::sink()).map_err(damaged)?;
    let mut out = builder.into_inner().doing("write the archive")?;
    out.flush().doing("write the archive")?;
    let missing = || Error::archive(format!("the archive has no member {DATABASE}"));
    let (tables, mut notes, facts) = done.ok_or_else(missing)?;
    notes.extend(others.note());
    Ok((tables, notes, facts))
}

/// Converts the dump in `entry`, and appends it.
fn database<S: Read>(
    entry: &mut Entry<'_, S>,
    builder: &mut Out,
    policies: &Policies,
    limits: &Limits,
) -> Result<Converted> {
    policies.refuse_map()?;
    let mut header = header(DATABASE, entry)?;
    let mut spool = tempfile::tempfile().doing("create a temporary file")?;
    let copy = spool.try_clone().doing("create a temporary file")?;
    let mut inflated = archive::inflated_within(&mut *entry, limits.max_inflation);
    let converted = convert_dump(
        (DATABASE, &mut inflated),
        Box::new(copy),
        true,
        policies.for_tables(true),
        check_table,
        limits,
    )?;
    let size = spool.stream_position().doing("read a temporary file")?;
    spool.rewind().doing("read a temporary file")?;
    header.set_size(size);
    header.set_cksum();
    builder
        .append(&header, spool.take(size))
        .doing("write the archive")?;
    Ok(converted)
}

/// Copies a member unread.
fn copied<S: Read>(entry: &mut Entry<'_, S>, member: Member, builder: &mut Out) -> Result<()> {
    let mut header = header(member.name(), entry)?;
    let size = entry.size();
    if member == Member::Information && size > information::MAX_BYTES {
        let (name, most) = (member.name(), information::MAX_BYTES);
        return Err(Error::archive(format!(
            "the member {name} is larger than {most} bytes"
        )));
    }
    header.set_size(size);
    header.set_cksum();
    let mut content = Counting {
        inner: &mut *entry,
        count: 0,
        has_failed: false,
    };
    let appended = builder.append(&header, &mut content);
    if content.has_failed {
        appended.map_err(damaged)?;
    } else {
        appended.doing("write the archive")?;
    }
    if content.count != size {
        return Err(damaged(std::io::ErrorKind::UnexpectedEof.into()));
    }
    Ok(())
}

/// A header with this name, and with the time and the permissions of `entry`. Nothing else of a header from outside is
/// passed on: who unpacks the archive would follow it.
fn header<S>(name: &str, entry: &Entry<'_, S>) -> Result<Header> {
    let mut header = Header::new_gnu();
    let permissions = entry.header().mode().unwrap_or(0);
    if entry.kind().is_dir() {
        header.set_entry_type(EntryType::Directory);
        header.set_mode(permissions & 0o777 | 0o700);
    } else {
        header.set_entry_type(EntryType::Regular);
        header.set_mode(permissions & 0o666 | 0o600);
    }
    header.set_path(name).doing("write the archive")?;
    header.set_mtime(entry.header().mtime().unwrap_or(0));
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(0);
    header.set_cksum();
    Ok(header)
}

/// The entries that are no members.
#[derive(Default)]
struct Others {
    /// Which of [`DIRECTORIES`] are written.
    written: [bool; 2],
    /// How many files are left out, and the first of them.
    left_out: u64,
    names: Vec<String>,
}

impl Others {
    /// Writes the directory of a member; notes a file, which is left out as an import leaves it out.
    fn take<S>(&mut self, name: &[u8], entry: &Entry<'_, S>, builder: &mut Out) -> Result<()> {
        let path = safe_path(name)?;
        if !entry.kind().is_dir() {
            self.left_out += 1;
            if self.names.len() < SHOWN_NAMES {
                self.names.push(shown(&path));
            }
            return Ok(());
        }
        let mut known = DIRECTORIES.iter();
        let Some(place) = known.position(|directory| path.ends_with(directory)) else {
            return Ok(());
        };
        if std::mem::replace(&mut self.written[place], true) {
            return Ok(());
        }
        builder
            .append(&header(DIRECTORIES[place], entry)?, std::io::empty())
            .doing("write the archive")
    }

    /// The note about what is left out.
    fn note(self) -> Option<Note> {
        let (count, names) = (self.left_out, self.names.join(", "));
        let more = if count > self.names.len() as u64 {
            ", …"
        } else {
            ""
        };
        (count > 0).then(|| Note {
            code: Code::FilesLeftOut,
            table: "the archive".to_owned(),
            item: None,
            what: format!("{count} files left out, because a backup of GitLab CI has no such members: {names}{more}"),
        })
    }
}

/// Counts the bytes that are read, and records whether that failed: a copy may also fail because of its output.
struct Counting<R> {
    inner: R,
    count: u64,
    has_failed: bool,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer);
        self.has_failed |= read.is_err();
        let count = read?;
        self.count += count as u64;
        Ok(count)
    }
}
