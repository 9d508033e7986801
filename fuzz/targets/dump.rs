//! A dump, whole and in two pieces: no crash, and the same rows wherever it is cut.
#![no_main]

use ci_import::dump::converted::Part;
use ci_import::dump::mysql::definition::TableDefinition;
use ci_import::dump::{Consumer, Databases, Dialect, Facts, Reader, RowChunk, detect};
use ci_import::error::Result;
use ci_import::schema::policies::Policies;
use ci_import::schema::{DumpFacts, GivenRows, Names, from_mysql};
use ci_import::schema::ddl;
use libfuzzer_sys::fuzz_target;

#[derive(Default, PartialEq, Debug)]
struct Seen {
    tables: Vec<String>,
    parts: Vec<Part>,
    rows: Vec<u8>,
    count: u64,
}

impl Consumer for Seen {
    fn table(&mut self, table: TableDefinition, facts: &Facts) -> Result<()> {
        let facts = DumpFacts {
            compatible: facts.compatible,
            charset: ci_import::dump::charset::Charset::Utf8,
            utc: facts.utc,
            axes_by_system: false,
            keys_follow: facts.keys_follow,
        };
        if let Ok(mapped) = from_mysql(&table, facts, GivenRows::whole(), &Policies::default(), &mut Names::default()) {
            self.tables.push(ddl::create_table(ddl::Style::in_schema("s"), &mapped.table).concat());
        }
        Ok(())
    }

    fn altered(&mut self, table: &TableDefinition, facts: &Facts) -> Result<()> {
        self.table(table.clone(), facts)
    }

    fn rows(&mut self, rows: RowChunk) -> Result<()> {
        self.rows.extend_from_slice(&rows.bytes);
        self.count += rows.rows;
        Ok(())
    }

    fn converted(&mut self, part: Part, facts: &Facts) -> Result<()> {
        if let Part::Table(table, _) = &part {
            self.table(table.clone(), facts)?;
        }
        self.parts.push(part);
        Ok(())
    }
}

fn read(pieces: [&[u8]; 2], is_converted: bool) -> Option<Seen> {
    let mut reader = if is_converted {
        Reader::of_converted(Seen::default())
    } else {
        Reader::new(Seen::default(), Databases::Single, Box::new(|_, _| true))
    };
    for piece in pieces {
        reader.feed(piece).ok()?;
    }
    reader.finish().ok().map(|(seen, _)| seen)
}

fuzz_target!(|data: &[u8]| {
    let Some((cut, dump)) = data.split_first() else { return };
    let at = usize::from(*cut) * dump.len() / 256;
    let is_converted = detect(dump) == Some(Dialect::ConvertedMysql);
    let whole = read([dump, b""], is_converted);
    assert_eq!(whole, read([&dump[..at], &dump[at..]], is_converted));
});
