//! Rows of every kind of column: no crash, and a line for each row.
#![no_main]

use ci_import::dump::charset::{Charset, Multibyte};
use ci_import::dump::quoting::Quoting;
use ci_import::rows::{
    Format, InvalidDates, InvalidUtf8, Nul, TranscodePlan, UnusualValues, PlannedColumn, Storage, Tally, ValueKind, ValuePolicies, Written,
    ZeroDates, transcode,
};
use libfuzzer_sys::fuzz_target;

fn kind(byte: u8) -> ValueKind {
    match byte % 18 {
        0 => ValueKind::Boolean,
        1 => ValueKind::Truthy,
        2 => ValueKind::Integer,
        3 => ValueKind::UnsignedToBigint,
        4 => ValueKind::Number,
        5 => ValueKind::EncodedText(Charset::named("sjis").expect("it is known")),
        6 => ValueKind::Bytes,
        7 => ValueKind::BitBoolean,
        8 => ValueKind::Bits { width: byte % 64 + 1 },
        9 => ValueKind::Date,
        10 => ValueKind::Timestamp,
        11 => ValueKind::LocalTimestamp,
        12 if byte > 127 => ValueKind::Interval,
        12 => ValueKind::Time,
        13 => ValueKind::Skipped,
        14 => ValueKind::AsWritten,
        15 => ValueKind::Geometry { by_system: byte > 127 },
        16 => ValueKind::Vector { dimensions: (byte > 127).then_some(2) },
        _ => ValueKind::Text,
    }
}

/// What holds values of a kind in PostgreSQL.
fn storage(kind: ValueKind, byte: u8) -> Storage {
    match kind {
        ValueKind::Boolean | ValueKind::Truthy | ValueKind::BitBoolean => Storage::Boolean,
        ValueKind::Integer => [
            Storage::Smallint,
            Storage::Integer,
            Storage::Bigint,
            Storage::Numeric,
        ][usize::from(byte >> 6)],
        ValueKind::UnsignedToBigint => Storage::Bigint,
        ValueKind::Number => [Storage::Double, Storage::Numeric][usize::from(byte >> 7)],
        ValueKind::Bytes => Storage::Bytea,
        ValueKind::Geometry { .. } => [Storage::Geometry, Storage::Bytea][usize::from(byte >> 7)],
        ValueKind::Vector { .. } => [Storage::Vector, Storage::Reals][usize::from(byte >> 7)],
        ValueKind::Bits { .. } => Storage::Bit,
        ValueKind::Date => Storage::Date,
        ValueKind::Timestamp | ValueKind::LocalTimestamp => Storage::Timestamp,
        ValueKind::Time => Storage::Time,
        ValueKind::Interval => Storage::Interval,
        ValueKind::Text
        | ValueKind::EncodedText(_)
        | ValueKind::AsWritten
        | ValueKind::Skipped => Storage::Text,
    }
}

/// Reads over rows in the binary format; returns how many there are.
fn binary_rows(mut rows: &[u8], columns: u16) -> u64 {
    let mut count = 0;
    while let Some((fields, rest)) = rows.split_first_chunk() {
        assert_eq!(u16::from_be_bytes(*fields), columns);
        rows = rest;
        for _ in 0..columns {
            let (length, rest) = rows.split_first_chunk().expect("a length");
            let length = i32::from_be_bytes(*length);
            rows = &rest[usize::try_from(length).unwrap_or(0)..];
            assert!(length >= -1);
        }
        count += 1;
    }
    assert!(rows.is_empty());
    count
}

fuzz_target!(|data: &[u8]| {
    let [a, b, policy, rows @ ..] = data else { return };
    let policies = ValuePolicies {
        zero_dates: [ZeroDates::Null, ZeroDates::Error, ZeroDates::Infinity][usize::from(policy % 3)],
        invalid_dates: [InvalidDates::Error, InvalidDates::Null][usize::from(policy / 27 % 2)],
        nul: [Nul::Strip, Nul::Error, Nul::Replace][usize::from(policy / 3 % 3)],
        invalid_utf8: [InvalidUtf8::Error, InvalidUtf8::Replace, InvalidUtf8::Latin1]
            [usize::from(policy / 9 % 3)],
    };
    let column = |byte: u8| PlannedColumn {
        name: "c".to_owned(),
        kind: kind(byte),
        storage: storage(kind(byte), byte),
        null_is_zero_date: byte > 127,
        wider: None,
        unusual: u16::from(byte % 3),
        policies,
    };
    let mut plan = TranscodePlan {
        columns: vec![column(*a), column(*b)],
        written: Written::Tuples,
        format: Format::Text,
        multibyte: if *policy > 127 { Multibyte::ShiftJis } else { Multibyte::None },
        is_decoded: *policy % 5 == 0,
        unusual: vec![
            UnusualValues::default(),
            UnusualValues { default: Some("'0'".into()), takes_numbers: true },
        ]
        .into(),
        numbers_rows: false,
        quoting: Quoting {
            backslash_escapes: policy % 2 == 0,
            ansi_quotes: policy % 5 == 0,
        },
        layout: None,
    };
    let mut out = Vec::new();
    // Values as they are written are for LOAD DATA alone.
    if plan.columns.iter().all(|column| column.kind != ValueKind::AsWritten) {
        if let Ok(count) = transcode(&plan, rows, 1, &mut out, &mut Tally::default()) {
            let text = std::str::from_utf8(&out).expect("COPY text is UTF-8");
            assert_eq!(text.matches('\n').count() as u64, count);
            assert!(!text.contains('\0') && !text.contains('\r'));
        }
        plan.format = Format::Binary;
        out.clear();
        if let Ok(count) = transcode(&plan, rows, 1, &mut out, &mut Tally::default()) {
            let written = plan.columns.iter().filter(|column| column.kind != ValueKind::Skipped).count();
            assert_eq!(binary_rows(&out, written as u16), count);
        }
    }
    plan.format = Format::LoadData;
    out.clear();
    if let Ok(count) = transcode(&plan, rows, 1, &mut out, &mut Tally::default()) {
        let written = plan.columns.iter().filter(|column| column.kind != ValueKind::Skipped).count();
        let text = std::str::from_utf8(&out).expect("lines of LOAD DATA are UTF-8");
        let (lines, tabs) = (text.matches('\n').count(), text.matches('\t').count());
        assert_eq!(lines as u64, count);
        assert_eq!(tabs, lines * written.saturating_sub(1));
    }
});
