//! Reads a dump in one thread, and scans and converts it in another.

use std::collections::HashSet;
use std::io::Read;
use std::sync::Arc;
use std::sync::mpsc::{channel, sync_channel};

use super::converter::{
    Accept, Conversion, ConvertedConverter, LatePrefix, Mapping, MysqlConverter,
    PostgresqlConverter, PostgresqlMapping,
};
use super::named_tables::NamedTables;
use super::sink::Sink;
use crate::archive::for_each_block;
use crate::dump::acceptance::{Asked, check_dialect};
use crate::dump::{self, Databases, Dialect, DumpLimits, Facts, Utf16Decoder, Utf16Facts, detect};
use crate::error::codes::Code;
use crate::error::{Error, Result};
use crate::schema::Note;
use crate::schema::policies::Policies;

/// The number of blocks that may wait for the scanner.
const BLOCKS_IN_FLIGHT: usize = 4;

/// A dump, and how to read it.
pub struct Dump<'a> {
    /// The name of the dump in errors.
    pub name: &'static str,
    /// The inflated bytes.
    pub reader: &'a mut dyn Read,
    /// The accepted kinds of dump.
    pub asked: Asked,
    /// How values and types are converted, and which database is taken if there are several.
    pub policies: Policies,
    /// Checks the names of tables.
    pub accept: Accept,
    /// Set if rows are hashed.
    pub late_prefix: Option<LatePrefix>,
    /// The limits of what is kept in memory.
    pub limits: DumpLimits,
}

/// The result of reading a dump.
#[derive(Debug)]
pub struct ReadDump<S> {
    /// The sink with the tables.
    pub sink: S,
    /// The differences in the target.
    pub notes: Vec<Note>,
    /// What the dump says about itself.
    pub facts: Facts,
}

impl Dump<'_> {
    /// Reads the dump to its end into `sink`, as tables of the neutral model.
    pub fn read_into<S: Sink + Send>(self, sink: S) -> Result<ReadDump<S>> {
        let (name, databases) = (self.name, self.policies.databases.clone());
        let named = NamedTables::of(&self.policies);
        let wanted = wanted(&self.policies, named.clone());
        let (reader, asked, limits) = (self.reader, self.asked, self.limits);
        let only_of_mysql = only_of_mysql(&self.policies);
        let check = |start: &[u8]| check_start(start, asked, only_of_mysql);
        let conversion = Conversion::new(sink, self.policies, self.accept, self.late_prefix);
        let begin =
            |start: Start<'_>| Reader::of_dialect(&start, conversion, databases, wanted, limits);
        let (reader, utf16) = scan(name, reader, check, begin, Reader::feed)?;
        ended(name, reader.finish(), utf16, named.as_deref())
    }

    /// Reads the dump, which must be a MySQL dump, to its end into `sink`, as tables of `mapping`.
    pub fn read_mapped<M, S>(self, mapping: M, sink: S) -> Result<ReadDump<S>>
    where
        M: Mapping<Table: Send> + Send,
        S: Sink<M::Table> + Send,
    {
        let (name, databases) = (self.name, self.policies.databases.clone());
        let named = NamedTables::of(&self.policies);
        let wanted = wanted(&self.policies, named.clone());
        let (reader, asked, limits) = (self.reader, self.asked, self.limits);
        let only_of_mysql = only_of_mysql(&self.policies);
        let check = |start: &[u8]| check_start(start, asked, only_of_mysql);
        let conversion = Conversion::new(sink, self.policies, self.accept, self.late_prefix);
        let converter = MysqlConverter::new(mapping, conversion);
        let begin = |start: Start<'_>| {
            let reader = dump::Reader::new(converter, databases, wanted).within(limits);
            reader.beginning_with(start.text, start.utf16)
        };
        let (reader, utf16) = scan(name, reader, check, begin, dump::Reader::feed)?;
        let read = reader.finish();
        ended(
            name,
            read.map(|(converter, facts)| (converter.into_inner(), facts)),
            utf16,
            named.as_deref(),
        )
    }
}

/// Says which tables `policies` take: the others are not parsed.
fn wanted(policies: &Policies, named: Option<Arc<NamedTables>>) -> dump::Wanted {
    let policies = policies.clone();
    Box::new(move |database, table| {
        if let Some(named) = &named {
            named.see(database, table);
        }
        policies.takes_table(database, table)
    })
}

/// The option among `policies` that is for dumps of MySQL only, if there is one, and what is there instead.
fn only_of_mysql(policies: &Policies) -> Option<(&'static str, &'static str)> {
    if policies.databases == Databases::All {
        return Some((
            "--databases-to-schemas",
            "--from-database NAME takes one database of a dump of PostgreSQL",
        ));
    }
    (!policies.map.is_empty()).then_some(("--map", "tables of PostgreSQL are imported as they are"))
}

/// The beginning of a dump.
struct Start<'a> {
    /// The first bytes, in UTF-8.
    text: &'a [u8],
    /// Set if the dump is decoded from UTF-16.
    utf16: Option<Utf16Facts>,
}

/// The result for the dump whose name in errors is `name`.
fn ended<S>(
    name: &str,
    read: Result<(Conversion<S>, Facts)>,
    utf16: Option<Utf16Facts>,
    named: Option<&NamedTables>,
) -> Result<ReadDump<S>> {
    let (mut conversion, mut facts) = read.map_err(|error| error.at(name))?;
    let missing = named.map(|named| {
        // Not every reader asks before it reads a table.
        conversion.see_tables(|database, table| named.see(database, table));
        named.missing()
    });
    let views = facts.left_out.iter().filter(|(kind, _)| *kind == "view");
    let views: HashSet<&str> = views.map(|(_, name)| name.as_str()).collect();
    let dropped = conversion.take_dropped_empty(&views);
    let Conversion {
        sink, mut notes, ..
    } = conversion;
    notes.extend(missing.into_iter().flatten());
    facts.utf16 = utf16;
    notes.extend(dropped);
    notes.extend(facts.not_in_xml.drain(..).map(|noted| Note {
        code: Code::NotInXml,
        table: noted.table,
        item: Some(noted.item),
        what: noted.what,
    }));
    Ok(ReadDump { sink, notes, facts })
}

/// An error unless a dump that begins with `start` is one of the kinds in `asked`. With an option that is `only_of_mysql` it must
/// be one of MySQL.
fn check_start(
    start: &[u8],
    asked: Asked,
    only_of_mysql: Option<(&'static str, &'static str)>,
) -> Result<()> {
    let dialect = check_dialect(start, asked)?;
    if dialect == Dialect::Postgresql && dump::is_of_files(start) {
        return Err(
            Error::usage("several files are only supported for dumps of MySQL")
                .hint("send all of them through a pipe: cat FILE FILE | ci-import - …"),
        );
    }
    if let Some((option, hint)) = only_of_mysql.filter(|_| dialect != Dialect::Mysql) {
        let what = format!("{option} is only for dumps of MySQL and MariaDB");
        return Err(Error::usage(what).hint(hint));
    }
    Ok(())
}

/// Reads `input` to its end, if `check` accepts its beginning. `name` is its name in errors. A separate thread creates a reader by `begin`, which gets the first block, and passes all blocks to `feed`.
fn scan<R: Send>(
    name: &str,
    input: &mut dyn Read,
    check: impl Fn(&[u8]) -> Result<()>,
    begin: impl FnOnce(Start<'_>) -> R + Send,
    feed: impl Fn(&mut R, &[u8]) -> Result<()> + Send,
) -> Result<(R, Option<Utf16Facts>)> {
    let (blocks, scanned) = sync_channel::<(Vec<u8>, bool)>(BLOCKS_IN_FLIGHT);
    let (give_back, spare) = channel();
    std::thread::scope(|scope| {
        let scanning = scope.spawn(move || {
            let mut begin = Some(begin);
            let mut reader: Option<R> = None;
            for (block, is_decoded) in scanned {
                if let Some(begin) = begin.take() {
                    reader = Some(begin(Start {
                        text: &block,
                        utf16: is_decoded.then(Utf16Facts::default),
                    }));
                }
                reader
                    .as_mut()
                    .map_or(Ok(()), |reader| feed(reader, &block))?;
                let _ = give_back.send(block);
            }
            Ok(reader)
        });
        let mut is_first = true;
        let mut decoder = None;
        let read = for_each_block(name, input, |mut block| {
            let is_start = std::mem::take(&mut is_first);
            if is_start {
                decoder = Utf16Decoder::of(&block);
            }
            if let Some(decoder) = &mut decoder {
                block = decoder.decode(&block).map_err(|error| error.at(name))?;
            }
            if is_start {
                check(&block).map_err(|error| error.at(name))?;
            }
            let taken = blocks.send((block, decoder.is_some())).is_ok();
            // If the scanner has stopped, it reports the cause.
            taken
                .then(|| spare.try_recv().ok())
                .ok_or_else(|| Error::failed("stopped"))
        });
        drop(blocks);
        let reader = scanning
            .join()
            .unwrap_or_else(|_| Err(Error::failed("scanning the dump crashed")));
        let reader = reader.map_err(|error: Error| error.at(name))?;
        let is_empty = read? == 0;
        let utf16 = decoder.map(Utf16Decoder::finish).transpose();
        let utf16 = utf16.map_err(|error| error.at(name))?;
        let reader = reader.filter(|_| !is_empty);
        let reader = reader.ok_or_else(|| Error::archive("it is empty").at(name))?;
        Ok((reader, utf16))
    })
}

/// The reader for the neutral model, by the dialect of the dump.
enum Reader<S> {
    Mysql(Box<dump::Reader<MysqlConverter<PostgresqlMapping, S>>>),
    Converted(Box<dump::Reader<ConvertedConverter<S>>>),
    Postgresql(Box<dump::postgresql::Reader<PostgresqlConverter<S>>>),
}

impl<S: Sink> Reader<S> {
    /// The reader for the dump that begins with `start`.
    fn of_dialect(
        start: &Start<'_>,
        conversion: Conversion<S>,
        databases: Databases,
        wanted: dump::Wanted,
        limits: DumpLimits,
    ) -> Self {
        match detect(start.text) {
            Some(Dialect::Postgresql) => {
                // Its tables are told apart by their schemas.
                let databases = match databases {
                    Databases::Seen => Databases::Single,
                    databases => databases,
                };
                let converter = PostgresqlConverter::new(conversion);
                Reader::Postgresql(
                    dump::postgresql::Reader::new(converter)
                        .of_databases(databases)
                        .within(limits)
                        .into(),
                )
            }
            Some(Dialect::ConvertedMysql) => {
                let converter = ConvertedConverter::new(conversion);
                Reader::Converted(dump::Reader::of_converted(converter).within(limits).into())
            }
            Some(Dialect::Mysql) | None => {
                let converter = MysqlConverter::new(PostgresqlMapping::default(), conversion);
                let reader = dump::Reader::new(converter, databases, wanted);
                let reader = reader.within(limits);
                Reader::Mysql(reader.beginning_with(start.text, start.utf16).into())
            }
        }
    }

    fn feed(&mut self, block: &[u8]) -> Result<()> {
        match self {
            Reader::Mysql(reader) => reader.feed(block),
            Reader::Converted(reader) => reader.feed(block),
            Reader::Postgresql(reader) => reader.feed(block),
        }
    }

    fn finish(self) -> Result<(Conversion<S>, Facts)> {
        Ok(match self {
            Reader::Mysql(reader) => {
                let (converter, facts) = reader.finish()?;
                (converter.into_inner(), facts)
            }
            Reader::Converted(reader) => {
                let (converter, facts) = reader.finish()?;
                (converter.into_inner(), facts)
            }
            Reader::Postgresql(reader) => {
                let (converter, facts) = reader.finish()?;
                (converter.into_inner(), facts)
            }
        })
    }
}
