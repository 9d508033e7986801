//! Reads a dump in one thread, and scans and converts it in another.

use std::io::Read;
use std::sync::mpsc::{channel, sync_channel};

use super::converter::{Converter, PostgresConverter, Sink};
use crate::archive::for_each_block;
use crate::dump::{self, Consumer, Dialect, Facts, detect};
use crate::error::{Error, Result};

/// How many blocks may wait for the scanner.
const BLOCKS_IN_FLIGHT: usize = 4;

/// What a dump is fed to, a block at a time.
pub trait Reads: Sized {
    /// What it has become in the end.
    type Done;
    /// Takes the next block.
    fn feed(&mut self, block: &[u8]) -> Result<()>;
    /// Says that there are no more.
    fn finish(self) -> Result<(Self::Done, Facts)>;
}

/// Reads all of `input`, a dump that errors call `name`, into `converter`. `judge` sees its
/// beginning first. Of several databases the one named is taken.
pub fn read_dump<S: Sink + Send>(
    name: &str,
    input: &mut dyn Read,
    converter: Converter<S>,
    database: Option<String>,
    judge: impl Fn(&[u8]) -> Result<()>,
) -> Result<(Converter<S>, Facts)> {
    feed_dump(name, input, judge, |start| {
        Reader::of_dialect(start, converter, database)
    })
}

/// Reads all of `input`, a dump that errors call `name`. `judge` sees its beginning first, and then
/// `begin`, which makes what it is fed to.
pub fn feed_dump<R: Reads + Send>(
    name: &str,
    input: &mut dyn Read,
    judge: impl Fn(&[u8]) -> Result<()>,
    begin: impl FnOnce(&[u8]) -> R + Send,
) -> Result<(R::Done, Facts)> {
    let (blocks, scanned) = sync_channel::<Vec<u8>>(BLOCKS_IN_FLIGHT);
    let (give_back, spare) = channel();
    std::thread::scope(|scope| {
        let scanning = scope.spawn(move || {
            let mut begin = Some(begin);
            let mut reader: Option<R> = None;
            for block in scanned {
                if let Some(begin) = begin.take() {
                    reader = Some(begin(&block));
                }
                reader
                    .as_mut()
                    .map_or(Ok(()), |reader| reader.feed(&block))?;
                let _ = give_back.send(block);
            }
            Ok(reader)
        });
        let mut is_first = true;
        let read = for_each_block(name, input, |block| {
            if std::mem::take(&mut is_first) {
                judge(&block).map_err(|error| error.at(name))?;
            }
            let taken = blocks.send(block).is_ok();
            // If the scanner has stopped, its own error says why.
            taken
                .then(|| spare.try_recv().ok())
                .ok_or_else(|| Error::failed("stopped"))
        });
        drop(blocks);
        let reader = scanning
            .join()
            .unwrap_or_else(|_| Err(Error::failed("scanning the dump crashed")));
        let reader = reader.map_err(|error: Error| error.at(name))?;
        let empty = || Error::archive("it is empty");
        let reader = reader.filter(|_| !matches!(read, Ok(0)));
        read?;
        let finished = reader.ok_or_else(empty).and_then(R::finish);
        finished.map_err(|error| error.at(name))
    })
}

/// The reader of a dump for PostgreSQL, by who wrote it.
enum Reader<S> {
    Mysql(Box<dump::Reader<Converter<S>>>),
    Postgresql(Box<dump::postgresql::Reader<PostgresConverter<S>>>),
}

impl<S: Sink> Reader<S> {
    /// The reader of the dump that begins with `start`.
    fn of_dialect(start: &[u8], converter: Converter<S>, database: Option<String>) -> Reader<S> {
        match detect(start) {
            Some(Dialect::Postgresql) => {
                let converter = PostgresConverter::new(converter);
                Reader::Postgresql(dump::postgresql::Reader::new(converter).into())
            }
            Some(Dialect::ConvertedMysql) => {
                Reader::Mysql(dump::Reader::of_converted(converter).into())
            }
            Some(Dialect::Mysql) | None => {
                Reader::Mysql(dump::Reader::new(converter, database).into())
            }
        }
    }
}

impl<C: Consumer> Reads for dump::Reader<C> {
    type Done = C;

    fn feed(&mut self, block: &[u8]) -> Result<()> {
        dump::Reader::feed(self, block)
    }

    fn finish(self) -> Result<(C, Facts)> {
        dump::Reader::finish(self)
    }
}

impl<S: Sink> Reads for Reader<S> {
    type Done = Converter<S>;

    fn feed(&mut self, block: &[u8]) -> Result<()> {
        match self {
            Reader::Mysql(reader) => reader.feed(block),
            Reader::Postgresql(reader) => reader.feed(block),
        }
    }

    fn finish(self) -> Result<(Converter<S>, Facts)> {
        match self {
            Reader::Mysql(reader) => reader.finish(),
            Reader::Postgresql(reader) => {
                let (converter, facts) = reader.finish()?;
                Ok((converter.into_inner(), facts))
            }
        }
    }
}
