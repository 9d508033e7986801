//! Damaged dumps: cut at every byte, or with bytes flipped. Never a short import, never a crash.

use ci_import::dump::{Consumer, Databases, Reader};
use ci_import::error::{Kind, Result};
use ci_import::pipeline::converter::{
    Accept, Conversion, ConvertedConverter, MysqlConverter, PostgresqlMapping,
};
use ci_import::pipeline::planned_rows::PlannedRows;
use ci_import::pipeline::sink::Sink;
use ci_import::rows::{Format, PlannedColumn, Tally, transcode};
use ci_import::schema::Table;
use ci_import::schema::ddl;
use ci_import::schema::policies::Policies;

use crate::support::converter::converted;
use crate::support::scene::{Dialect, fixture_database, fixture_dump, mysqldump};

/// A sink that transcodes and forgets.
struct Nowhere;

impl Sink for Nowhere {
    fn table(&mut self, table: &Table) -> Result<()> {
        let style = ddl::Style::in_schema("s");
        let statements = ddl::create_table(style, table);
        assert!(statements.iter().any(|sql| sql.starts_with("CREATE TABLE")));
        Ok(())
    }

    fn complete(&mut self, _: usize, _: &Table) -> Result<()> {
        Ok(())
    }

    fn rows(&mut self, rows: PlannedRows) -> Result<()> {
        let (chunk, mut out) = (&rows.chunk, Vec::new());
        // What is wrong with a value is of no concern here.
        let _ = transcode(
            &rows.plan,
            &chunk.bytes,
            chunk.first_row,
            &mut out,
            &mut Tally::default(),
        );
        Ok(())
    }

    const FORMAT: Format = Format::Text;

    fn statement(&self, table: &Table, _: &[PlannedColumn], _: Format) -> String {
        table.name.clone()
    }
}

fn conversion() -> Conversion<Nowhere> {
    Conversion::new(
        Nowhere,
        Policies::default(),
        Accept::by(|_, _| Ok(())),
        None,
    )
}

fn reader() -> Reader<MysqlConverter<PostgresqlMapping, Nowhere>> {
    let converter = MysqlConverter::new(PostgresqlMapping::default(), conversion());
    Reader::new(converter, Databases::Single, Box::new(|_, _| true))
}

fn reader_of_converted() -> Reader<ConvertedConverter<Nowhere>> {
    Reader::of_converted(ConvertedConverter::new(conversion()))
}

#[test]
fn a_dump_cut_at_any_byte_is_truncated() {
    let single_rows = mysqldump(
        fixture_database(),
        &["--skip-extended-insert", "--hex-blob"],
    );
    for dump in [
        fixture_dump(Dialect::Native),
        fixture_dump(Dialect::Compatible),
        single_rows,
    ] {
        let text = String::from_utf8_lossy(&dump);
        let first_line = text.find("-- MariaDB dump").unwrap();
        let header = first_line + text[first_line..].find('\n').unwrap() + 1;
        let last_line = text.rfind("-- Dump completed").unwrap() + "-- Dump completed".len();
        let mut reader = reader();
        for (at, byte) in dump.iter().enumerate() {
            // What is cut within its first line holds no table, which is refused as well.
            if (header..last_line).contains(&at) {
                let error = reader.check_end().err();
                let error =
                    error.unwrap_or_else(|| panic!("cut at byte {at} it was taken for whole"));
                assert_eq!(error.kind(), Kind::Archive);
            }
            reader.feed(&[*byte]).unwrap();
        }
        reader.finish().unwrap();
    }
}

#[test]
fn a_converted_dump_cut_at_any_byte_is_truncated() {
    let dump = converted(&fixture_dump(Dialect::Compatible));
    let last = String::from_utf8_lossy(&dump).rfind("COMMIT;").unwrap() + "COMMIT;".len();
    let mut reader = reader_of_converted();
    for (at, byte) in dump.iter().enumerate() {
        let error = reader.check_end().err();
        assert_eq!(
            error.map(|e| e.kind()),
            (at < last).then_some(Kind::Archive),
            "cut at byte {at}"
        );
        reader.feed(&[*byte]).unwrap();
    }
    reader.finish().unwrap();
}

#[test]
fn flipped_bytes_are_no_crash() {
    // Without the one table that is larger than all the others.
    let without = format!("--ignore-table={}.ci_builds", fixture_database());
    let native = mysqldump(fixture_database(), &["--hex-blob", &without]);
    flip_bytes(&native, reader);
    let compatible = mysqldump(fixture_database(), &["--compatible=postgresql", &without]);
    flip_bytes(&converted(&compatible), reader_of_converted);
}

fn flip_bytes<C: Consumer>(whole: &[u8], reader: impl Fn() -> Reader<C>) {
    let mut rng = fastrand::Rng::new();
    for _ in 0..2000 {
        let mut dump = whole.to_vec();
        for _ in 0..=rng.usize(..3) {
            let at = rng.usize(..dump.len());
            dump[at] = if rng.bool() {
                dump[at] ^ (1 << rng.u8(..8))
            } else {
                rng.u8(..)
            };
        }
        let cut = rng.usize(..dump.len());
        let mut reader = reader();
        let _ = reader
            .feed(&dump[..cut])
            .and_then(|()| reader.feed(&dump[cut..]))
            .map(|()| reader.finish());
    }
}
