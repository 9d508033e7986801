//! Writes a backup archive: its members in GitLab CI's order, with headers that get their sizes when the members are
//! complete.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};

use tar::{EntryType, Header};

use super::gzip::Gzip;
use crate::archive::{BUILDS, DATABASE, INFORMATION};
use crate::error::{Doing, Result};

/// tar's block.
const BLOCK: u64 = 512;

/// GNU tar writes so many bytes at a time, and fills the last ones up.
const RECORD: u64 = 20 * BLOCK;

/// How much the dump is compressed, as in GitLab CI's own backup.
const DUMP_LEVEL: u32 = 1;

/// The same for the traces.
const TRACES_LEVEL: u32 = 2;

/// An archive that is being written into a file.
pub struct BackupArchive {
    file: File,
    /// The time in the headers, in seconds since 1970.
    time: u64,
    threads: usize,
}

impl BackupArchive {
    /// One in `file`, made at `time`. So many threads compress.
    #[must_use]
    pub fn new(file: File, time: u64, threads: usize) -> BackupArchive {
        BackupArchive {
            file,
            time,
            threads,
        }
    }

    /// Writes the dump: `write` gets an output that compresses.
    pub fn dump<T>(&mut self, write: impl FnOnce(&mut dyn Write) -> Result<T>) -> Result<T> {
        self.directory("db/")?;
        self.compressed(DATABASE, DUMP_LEVEL, write)
    }

    /// Writes the dump: `write` gets an output, and compresses itself.
    pub fn compressed_dump<T>(
        &mut self,
        write: impl FnOnce(Box<dyn Write + Send>) -> Result<T>,
    ) -> Result<T> {
        self.directory("db/")?;
        self.member(DATABASE, |file| write(Box::new(file)))
    }

    /// Writes the traces: `write` gets an output that compresses.
    pub fn traces<T>(&mut self, write: impl FnOnce(&mut dyn Write) -> Result<T>) -> Result<T> {
        self.directory("builds/")?;
        self.compressed(BUILDS, TRACES_LEVEL, write)
    }

    /// Writes the information file, and the end.
    pub fn finish(mut self, information: &str) -> Result<File> {
        self.member(INFORMATION, |mut file| {
            file.write_all(information.as_bytes())
                .doing("write the archive")
        })?;
        let at = self.position()?;
        let end = (at + 2 * BLOCK).next_multiple_of(RECORD);
        let zeros = vec![0; usize::try_from(end - at).unwrap_or_default()];
        self.file.write_all(&zeros).doing("write the archive")?;
        Ok(self.file)
    }

    fn compressed<T>(
        &mut self,
        name: &str,
        level: u32,
        write: impl FnOnce(&mut dyn Write) -> Result<T>,
    ) -> Result<T> {
        let threads = self.threads;
        self.member(name, |file| {
            let mut gzip = Gzip::new(file, level, threads).doing("start threads")?;
            let done = write(&mut gzip)?;
            gzip.finish().doing("write the archive")?;
            Ok(done)
        })
    }

    fn directory(&mut self, name: &str) -> Result<()> {
        let header = self.header(name, EntryType::Directory, 0o700, 0)?;
        self.file
            .write_all(header.as_bytes())
            .doing("write the archive")
    }

    /// Writes a member: its header comes before its content, and has its size.
    fn member<T>(&mut self, name: &str, write: impl FnOnce(File) -> Result<T>) -> Result<T> {
        let begin = self.position()?;
        self.file
            .write_all(Header::new_gnu().as_bytes())
            .doing("write the archive")?;
        // The clone has the same position.
        let clone = self.file.try_clone().doing("write the archive")?;
        let done = write(clone)?;
        let end = self.position()?;
        let size = end - begin - BLOCK;
        let header = self.header(name, EntryType::Regular, 0o600, size)?;
        let filled = end.next_multiple_of(BLOCK) - end;
        let zeros = vec![0; usize::try_from(filled).unwrap_or_default()];
        self.file.write_all(&zeros).doing("write the archive")?;
        self.file
            .seek(SeekFrom::Start(begin))
            .doing("write the archive")?;
        self.file
            .write_all(header.as_bytes())
            .doing("write the archive")?;
        self.file
            .seek(SeekFrom::End(0))
            .doing("write the archive")?;
        Ok(done)
    }

    fn position(&mut self) -> Result<u64> {
        self.file.stream_position().doing("write the archive")
    }

    fn header(&self, name: &str, kind: EntryType, mode: u32, size: u64) -> Result<Header> {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_path(name).doing("write the archive")?;
        header.set_mode(mode);
        header.set_mtime(self.time);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(size);
        header.set_cksum();
        Ok(header)
    }
}
