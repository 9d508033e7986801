//! A PostgreSQL dump, whole and in two pieces: no crash, the same events wherever it is cut, and rows
//! that are whole lines.
#![no_main]

use ci_import::dump::RowChunk;
use ci_import::dump::postgresql::definition::Definition;
use ci_import::dump::postgresql::{Consumer, Reader};
use ci_import::error::Result;
use ci_import::schema::from_postgresql;
use libfuzzer_sys::fuzz_target;

#[derive(Default, PartialEq, Debug)]
struct Seen {
    definitions: Vec<Definition>,
    rows: Vec<u8>,
    count: u64,
}

impl Consumer for Seen {
    fn definition(&mut self, definition: Definition) -> Result<()> {
        if let Definition::Table(table) = &definition {
            for column in &table.columns {
                let Ok(known) = from_postgresql::column(column, |_| true) else { continue };
                let default = column.default.as_ref();
                let _ = default.map(|default| from_postgresql::default_sql(default, &known.data_type));
                let generated = column.generated.as_ref();
                let _ = generated.map(|by| from_postgresql::generated(&table.name, &[known], 0, by));
            }
        }
        self.definitions.push(definition);
        Ok(())
    }

    fn rows(&mut self, rows: RowChunk) -> Result<()> {
        let lines = rows.bytes.iter().filter(|byte| **byte == b'\n').count();
        assert_eq!(u64::try_from(lines).ok(), Some(rows.rows));
        assert!(rows.bytes.ends_with(b"\n"));
        self.rows.extend_from_slice(&rows.bytes);
        self.count += rows.rows;
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        Ok(())
    }
}

fn read(pieces: [&[u8]; 2]) -> Option<Seen> {
    let mut reader = Reader::new(Seen::default());
    for piece in pieces {
        reader.feed(piece).ok()?;
    }
    reader.finish().ok().map(|(seen, _)| seen)
}

fuzz_target!(|data: &[u8]| {
    let Some((cut, dump)) = data.split_first() else { return };
    let at = usize::from(*cut) * dump.len() / 256;
    assert_eq!(read([dump, b""]), read([&dump[..at], &dump[at..]]));
});
