//! XML of mysqldump and mariadb-dump (`--xml`) becomes a stream of SQL, so that everything after it reads a dump as any
//! other ([0074](../../../docs/decisions/0074-xml-is-read-byte-by-byte.md)).

mod stream;
mod table;
#[cfg(test)]
mod tests;
mod tokens;

use std::io::{self, BufReader, Chain, Cursor, Read};

use crate::archive::{self, BLOCK_BYTES};
use crate::dump::{is_utf16, is_xml_of_mysqldump};
use stream::XmlStream;

/// So many bytes show whether it is XML of mysqldump, after the lines of a program.
const START_BYTES: usize = 4096;

/// A dump as SQL, whether it was SQL or XML.
pub(super) enum AsSql<R> {
    /// Nothing of it was read.
    New(R),
    /// It is SQL, or something else that is not read here.
    Sql(Whole<R>),
    /// It is XML.
    Xml(Box<XmlStream<BufReader<Whole<R>>>>),
    /// It could not be read.
    Ended,
}

type Whole<R> = Chain<Cursor<Vec<u8>>, R>;

impl<R: Read> AsSql<R> {
    /// Of a dump that was not compressed, or was decompressed.
    pub(super) fn of(reader: R) -> AsSql<R> {
        AsSql::New(reader)
    }

    fn begin(mut reader: R) -> io::Result<AsSql<R>> {
        let mut start = vec![0; START_BYTES];
        let count = archive::read_block(&mut reader, &mut start)?;
        start.truncate(count);
        // What is in UTF-16 is refused when it was decoded.
        let is_xml = is_xml_of_mysqldump(&start) && !is_utf16(&start);
        let whole = Cursor::new(start).chain(reader);
        Ok(if is_xml {
            let whole = BufReader::with_capacity(BLOCK_BYTES, whole);
            AsSql::Xml(Box::new(XmlStream::of(whole)))
        } else {
            AsSql::Sql(whole)
        })
    }
}

impl<R: Read> Read for AsSql<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match self {
                AsSql::Sql(reader) => return reader.read(into),
                AsSql::Xml(reader) => return reader.read(into),
                AsSql::Ended => return Ok(0),
                AsSql::New(_) => {}
            }
            if let AsSql::New(reader) = std::mem::replace(self, AsSql::Ended) {
                *self = AsSql::begin(reader)?;
            }
        }
    }
}
