//! Hands what an input holds to whoever takes it: the database and the traces, at the same time from
//! a file, in turn from a pipe.

use std::io::Read;

use super::open::Input;
use crate::archive::{self, ArchiveFile, Compression, DATABASE, Member, Visitor};
use crate::cancellation::Halt;
use crate::error::{Error, Result};
use crate::gitlab::information::{self, Information};

/// Takes what an input holds.
pub trait Takes: Sync {
    /// What comes of the database.
    type Database: Send;
    /// What comes of the traces.
    type Builds: Send;

    /// Takes the dump of `size` bytes, compressed as `compression` says; `name` is what errors call it.
    fn database(
        &self,
        name: &'static str,
        reader: &mut dyn Read,
        compression: Compression,
        size: u64,
    ) -> Result<Self::Database>;

    /// Takes the traces, compressed, of `size` bytes.
    fn builds(&self, reader: &mut dyn Read, size: u64) -> Result<Self::Builds>;
}

/// What came of an input; a plain dump has no information and no traces.
#[derive(Debug)]
pub struct Taken<D, B> {
    /// What a pipe said of itself; of a file it is known before.
    pub information: Option<Information>,
    /// What came of the database.
    pub database: D,
    /// What came of the traces.
    pub builds: Option<B>,
}

/// Has all of `input` taken. The first failure stops the rest.
pub fn take_members<T: Takes>(
    input: Input<'_>,
    taker: &T,
    halt: &Halt,
) -> Result<Taken<T::Database, T::Builds>> {
    match input {
        Input::ArchiveFile(file) => from_file(&file, taker, halt),
        Input::CompressedArchive(file) => halt.guard(|| from_pipe(halt.watch(file.open()), taker)),
        Input::ArchivePipe(pipe) => halt.guard(|| from_pipe(halt.watch(pipe), taker)),
        Input::Dump {
            mut reader,
            compression,
            size,
        } => Ok(Taken {
            information: None,
            database: halt.guard(|| taker.database("the dump", &mut reader, compression, size))?,
            builds: None,
        }),
    }
}

fn from_file<T: Takes>(
    file: &ArchiveFile,
    taker: &T,
    halt: &Halt,
) -> Result<Taken<T::Database, T::Builds>> {
    let (mut database, mut builds) = (file.open(Member::Database), file.open(Member::Builds));
    let (database_size, builds_size) = (database.remaining(), builds.remaining());
    let (database, builds) = std::thread::scope(|scope| {
        let taking = scope.spawn(move || halt.guard(|| taker.builds(&mut builds, builds_size)));
        let database = halt
            .guard(|| taker.database(DATABASE, &mut database, Compression::Gzip, database_size));
        let builds = taking.join();
        (
            database,
            builds.unwrap_or_else(|_| Err(Error::failed("the thread of the traces crashed"))),
        )
    });
    // Whichever failed first is the cause; `guard` returns it from both.
    Ok(Taken {
        information: None,
        database: database?,
        builds: Some(builds?),
    })
}

fn from_pipe<T: Takes>(pipe: impl Read, taker: &T) -> Result<Taken<T::Database, T::Builds>> {
    let mut parts = Parts {
        taker,
        information: None,
        database: None,
        builds: None,
    };
    archive::read_pipe(pipe, &mut parts, information::MAX_BYTES)?;
    let missing = || Error::archive(format!("the archive has no member {DATABASE}"));
    Ok(Taken {
        information: parts.information,
        database: parts.database.ok_or_else(missing)?,
        builds: parts.builds,
    })
}

/// What has come through a pipe so far.
struct Parts<'a, T: Takes> {
    taker: &'a T,
    information: Option<Information>,
    database: Option<T::Database>,
    builds: Option<T::Builds>,
}

impl<T: Takes> Visitor for Parts<'_, T> {
    fn database(&mut self, reader: &mut dyn Read, size: u64) -> Result<()> {
        self.database = Some(
            self.taker
                .database(DATABASE, reader, Compression::Gzip, size)?,
        );
        Ok(())
    }

    fn builds(&mut self, reader: &mut dyn Read, size: u64) -> Result<()> {
        self.builds = Some(self.taker.builds(reader, size)?);
        Ok(())
    }

    fn information(&mut self, content: &[u8]) -> Result<()> {
        self.information = Some(information::parse(content)?);
        Ok(())
    }
}
