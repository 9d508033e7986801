//! How many bytes per second the scanner and the transcoder take, on one core: rows of CI builds
//! as mysqldump writes them.

use ci_import::dump::charset::Multibyte;
use ci_import::dump::mysql::scanner::Scanner;
use ci_import::dump::quoting::Quoting;
use ci_import::rows::{
    Format, PlannedColumn, Storage, Tally, TranscodePlan, ValueKind, ValuePolicies, Written,
    transcode,
};
use divan::Bencher;
use divan::counter::BytesCount;

fn main() {
    divan::main();
}

/// About a megabyte of rows: numbers, dates, NULLs, and texts with some escapes.
fn rows() -> Vec<u8> {
    let mut rows = Vec::new();
    for id in 0..1600 {
        let separator = if id == 0 { "" } else { "," };
        let row = format!(
            "{separator}({id},1,'success','2015-10-01 12:00:00',NULL,'2015-10-01 11:58:{:02}',NULL,\
             95.5,{},'bundle install --path vendor/bundle\\nbundle exec rake spec\\necho \\\"it\\'s done\\\"',\
             0,'{}')",
            id % 60,
            id * 7,
            "a long line of a trace that was kept in the database \\n".repeat(8),
        );
        rows.extend_from_slice(row.as_bytes());
    }
    rows
}

#[divan::bench]
fn scan(bencher: Bencher<'_, '_>) {
    let mut dump = b"INSERT INTO `ci_builds` VALUES ".to_vec();
    dump.extend(rows());
    dump.push(b';');
    bencher
        .counter(BytesCount::new(dump.len()))
        .bench_local(|| {
            let mut scanner = Scanner::new();
            let mut rest = &dump[..];
            while !rest.is_empty() {
                rest = &rest[scanner.scan(divan::black_box(rest)).used..];
            }
        });
}

#[divan::bench]
fn transcode_to_text(bencher: Bencher<'_, '_>) {
    transcode_to(bencher, Format::Text);
}

#[divan::bench]
fn transcode_to_binary(bencher: Bencher<'_, '_>) {
    transcode_to(bencher, Format::Binary);
}

fn transcode_to(bencher: Bencher<'_, '_>, format: Format) {
    let integer = (ValueKind::Integer, Storage::Integer);
    let text = (ValueKind::Text, Storage::Text);
    let timestamp = (ValueKind::Timestamp, Storage::Timestamp);
    let columns = [
        integer,
        integer,
        text,
        timestamp,
        timestamp,
        timestamp,
        timestamp,
        (ValueKind::Number, Storage::Double),
        integer,
        text,
        (ValueKind::Boolean, Storage::Boolean),
        text,
    ];
    let plan = TranscodePlan {
        columns: columns
            .map(|(kind, storage)| PlannedColumn {
                name: "c".to_owned(),
                kind,
                storage,
                null_is_zero_date: false,
                wider: None,
                unusual: 0,
                policies: ValuePolicies::default(),
            })
            .to_vec(),
        written: Written::Tuples,
        format,
        multibyte: Multibyte::None,
        is_decoded: false,
        unusual: std::sync::Arc::default(),
        numbers_rows: false,
        quoting: Quoting::default(),
        layout: None,
    };
    let rows = rows();
    let mut out = Vec::with_capacity(2 * rows.len());
    let mut tally = Tally::default();
    bencher
        .counter(BytesCount::new(rows.len()))
        .bench_local(|| {
            out.clear();
            transcode(&plan, divan::black_box(&rows), 1, &mut out, &mut tally).expect("good rows")
        });
}
