//! Writes an archive with a converted dump. Members, modes and times are the same; the traces are copied unread.

use std::io::{Read, Seek, Write};

use super::dump::{DumpWriter, WrittenTable};
use super::limits::Limits;
use crate::archive::{
    self, DATABASE, Entry, InOrder, Layout, Member, damaged, for_each_entry, safe_path,
};
use crate::dump::Facts;
use crate::dump::acceptance::Asked;
use crate::error::{Doing, Error, Result};
use crate::gitlab::tables::check_table;
use crate::pipeline::reading::{Dump, ReadDump};
use crate::schema::Note;
use crate::schema::policies::Policies;

/// Reads the archive `input`, converts its dump, and writes it to `out`. The converted dump is kept in a temporary file
/// until it is complete, since a tar has the size before the content.
pub fn convert_archive(
    input: impl Read,
    out: Box<dyn Write + Send>,
    policies: &Policies,
    limits: &Limits,
) -> Result<(Vec<WrittenTable>, Vec<Note>, Facts)> {
    let mut builder = tar::Builder::new(out);
    let mut done = None;
    let mut input = InOrder(input);
    let mut layout = Layout::default();
    for_each_entry(&mut input, damaged, |name, entry| {
        let member = layout.member(name, entry)?;
        let mut header = named(name, entry, member)?;
        if member != Some(Member::Database) {
            let size = entry.size();
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
            return Ok(());
        }
        let spool = tempfile::tempfile().doing("create a temporary file")?;
        let copy = spool.try_clone().doing("create a temporary file")?;
        let writer = DumpWriter::start(Box::new(copy), true, &limits.resources)?;
        let dump = Dump {
            name: DATABASE,
            reader: &mut archive::inflated_within(&mut *entry, limits.max_inflation),
            asked: Asked::Conversion,
            policies: policies.for_tables(true),
            accept: Box::new(check_table),
            late_prefix: None,
        };
        let ReadDump {
            sink,
            mut notes,
            facts,
        } = dump.read_into(writer)?;
        let (tables, late) = sink.finish()?;
        notes.extend(late);
        let mut spool = spool;
        let size = spool.stream_position().doing("read a temporary file")?;
        spool.rewind().doing("read a temporary file")?;
        header.set_size(size);
        header.set_cksum();
        builder
            .append(&header, spool.take(size))
            .doing("write the archive")?;
        done = Some((tables, notes, facts));
        Ok(())
    })?;
    // Read to the end, where a compressed archive has its checksum.
    std::io::copy(&mut input, &mut std::io::sink()).map_err(damaged)?;
    let mut out = builder.into_inner().doing("write the archive")?;
    out.flush().doing("write the archive")?;
    done.ok_or_else(|| Error::archive(format!("the archive has no member {DATABASE}")))
}

/// The header of `entry`, if it is a member or its directory with the name that GitLab looks for: the archive that is
/// read may have them in a folder.
fn named<S>(name: &[u8], entry: &Entry<'_, S>, member: Option<Member>) -> Result<tar::Header> {
    let mut header = entry.header().clone();
    let path = safe_path(name)?;
    let directories = ["db/", "builds/"].into_iter();
    let mut directories = directories.filter(|_| entry.kind().is_dir());
    let directory = directories.find(|directory| path.ends_with(directory));
    if let Some(name) = member.map(Member::name).or(directory) {
        header.set_path(name).doing("write the archive")?;
    }
    Ok(header)
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
