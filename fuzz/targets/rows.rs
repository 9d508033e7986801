//! Rows of every kind of column: no crash, and a line for each row.
#![no_main]

use ci_import::charset::{Charset, Multibyte};
use ci_import::rows::{
    InvalidUtf8, Nul, Plan, PlannedColumn, Tally, ValueKind, ValuePolicies, ZeroDates, transcode,
};
use libfuzzer_sys::fuzz_target;

fn kind(byte: u8) -> ValueKind {
    match byte % 15 {
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
        12 => ValueKind::Time,
        13 => ValueKind::Skipped,
        _ => ValueKind::Text,
    }
}

fuzz_target!(|data: &[u8]| {
    let [a, b, policy, rows @ ..] = data else { return };
    let column = |byte: u8| PlannedColumn { name: "c".to_owned(), kind: kind(byte) };
    let plan = Plan {
        columns: vec![column(*a), column(*b)],
        policies: ValuePolicies {
            zero_dates: [ZeroDates::Null, ZeroDates::Error, ZeroDates::Infinity][usize::from(policy % 3)],
            nul: [Nul::Strip, Nul::Error, Nul::Replace][usize::from(policy / 3 % 3)],
            invalid_utf8: [InvalidUtf8::Error, InvalidUtf8::Replace, InvalidUtf8::Latin1]
                [usize::from(policy / 9 % 3)],
        },
        multibyte: if *policy > 127 { Multibyte::ShiftJis } else { Multibyte::None },
    };
    let mut out = Vec::new();
    if let Ok(count) = transcode(&plan, rows, 1, &mut out, &mut Tally::default()) {
        let text = std::str::from_utf8(&out).expect("COPY text is UTF-8");
        assert_eq!(text.matches('\n').count() as u64, count);
        assert!(!text.contains('\0') && !text.contains('\r'));
    }
});
