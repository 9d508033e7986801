use std::sync::Arc;

use super::*;
use crate::dump::charset::{Charset, Multibyte};
use crate::dump::quoting::Quoting;
use crate::rows::format::Format;
use crate::rows::plan::{PlannedColumn, TranscodePlan, UnusualValues, Written};
use crate::rows::tally::{Change, Occurrences, Tally};
use crate::rows::value_kind::{Storage, ValueKind};
use crate::rows::value_policies::{ValuePolicies, ZeroDates};

fn plan(kinds: &[ValueKind]) -> TranscodePlan {
    let column = |(at, kind): (usize, &ValueKind)| PlannedColumn {
        name: format!("c{at}"),
        kind: *kind,
        storage: Storage::Text,
        null_is_zero_date: false,
        wider: None,
        unusual: 0,
        policies: ValuePolicies::default(),
    };
    TranscodePlan {
        columns: kinds.iter().enumerate().map(column).collect(),
        written: Written::Tuples,
        format: Format::Text,
        multibyte: Multibyte::None,
        is_decoded: false,
        unusual: Arc::default(),
        numbers_rows: false,
        quoting: Quoting::default(),
        layout: None,
    }
}

fn run(kinds: &[ValueKind], input: &[u8]) -> Result<(String, Tally), RowError> {
    let mut out = Vec::new();
    let mut tally = Tally::default();
    transcode(&plan(kinds), input, 1, &mut out, &mut tally)?;
    Ok((String::from_utf8(out).expect("COPY text is UTF-8"), tally))
}

fn check(kind: ValueKind, literal: &str, expected: &str) {
    let (line, _) = run(&[kind], format!("({literal})").as_bytes())
        .unwrap_or_else(|error| panic!("{literal}: {error:?}"));
    assert_eq!(line, format!("{expected}\n"), "{literal}");
}

fn fails(kind: ValueKind, literal: &[u8], message: &str) {
    let input = [b"(", literal, b")"].concat();
    let error = run(&[kind], &input).expect_err("an error");
    assert_eq!(error.message, message);
    assert_eq!((error.row, error.column.as_deref()), (0, Some("c0")));
}

#[test]
fn texts() {
    use ValueKind::Text;
    check(Text, "NULL", r"\N");
    check(Text, "''", "");
    check(Text, "'NULL'", "NULL");
    check(Text, r"'\\N'", r"\\N");
    check(Text, r"'\\.'", r"\\.");
    check(Text, r#"'it\'s \"so\"'"#, r#"it's "so""#);
    check(Text, "'it''s'", "it's");
    check(Text, r#""it's ""so""""#, r#"it's "so""#);
    check(Text, "'a\tb\nc\rd'", r"a\tb\nc\rd");
    check(Text, r"'a\tb\nc\rd\be'", r"a\tb\nc\rd\be");
    check(Text, r"'\Z'", "\x1a");
    check(Text, r"'\x31\q'", "x31q");
    check(Text, r"'\%\_'", r"\\%\\_");
    check(Text, r"'\\0\\\''", r"\\0\\'");
    check(Text, "'\\\n\\\t'", r"\n\t");
    check(Text, "'日本 😀 é'", "日本 😀 é");
    check(Text, "_utf8mb4'x'", "x");
    check(Text, "0x6109E697A5", r"a\t日");
    check(
        Text,
        "'\x1b[0;32mok\x1b[0m and then a long plain run of text'",
        "\x1b[0;32mok\x1b[0m and then a long plain run of text",
    );
    check(Text, "'0000-00-00 00:00:00'", "0000-00-00 00:00:00");
}

#[test]
fn backslashes_and_double_quotes_are_read_as_the_mode_says() {
    let run = |quoting: Quoting, kinds: &[ValueKind], input: &[u8]| {
        let plan = TranscodePlan {
            quoting,
            ..plan(kinds)
        };
        let (mut out, mut tally) = (Vec::new(), Tally::default());
        transcode(&plan, input, 1, &mut out, &mut tally).map(|_| String::from_utf8(out).unwrap())
    };
    let plain = Quoting {
        backslash_escapes: false,
        ansi_quotes: false,
    };
    let long = r"C:\new\tab and a run of more bytes than are examined together, then \";
    let input = format!(r#"('{long}','a\'),("b\""c",'it''s\n')"#);
    let doubled = |text: &str| text.replace('\\', r"\\");
    let expected = format!(
        "{}\t{}\n{}\t{}\n",
        doubled(long),
        doubled(r"a\"),
        doubled(r#"b\"c"#),
        doubled(r"it's\n")
    );
    let kinds = [ValueKind::Text, ValueKind::Text];
    assert_eq!(run(plain, &kinds, input.as_bytes()).unwrap(), expected);
    let latin1 = Charset::named("latin1").unwrap();
    let kinds = [ValueKind::EncodedText(latin1), ValueKind::Bytes];
    assert_eq!(
        run(plain, &kinds, b"('\xe9\\n','\\0')").unwrap(),
        "é\\\\n\t\\\\x5c30\n"
    );
    let kinds = [ValueKind::Skipped, ValueKind::Integer];
    assert_eq!(run(plain, &kinds, br"('a\',1)").unwrap(), "1\n");
    let error = run(Quoting::ANSI, &[ValueKind::Text], b"(\"x\")").unwrap_err();
    assert_eq!(error.message, "expected a string");
}

#[test]
fn words_for_values_have_any_case_and_introducers_count() {
    check(ValueKind::Text, "null", r"\N");
    check(ValueKind::Integer, "Null", r"\N");
    check(ValueKind::Integer, "TRUE", "1");
    check(ValueKind::Boolean, "true", "t");
    check(ValueKind::Boolean, "False", "f");
    check(ValueKind::Bits { width: 3 }, "0b101", "101");
    check(ValueKind::Text, "x''", "");
    check(ValueKind::Text, "X'41'", "A");
    check(ValueKind::Text, "_latin1 0xe9", "é");
    check(ValueKind::Text, "_latin1 x'e9'", "é");
    let latin1 = ValueKind::EncodedText(Charset::named("latin1").unwrap());
    check(latin1, "_utf8mb4'é'", "é");
    check(latin1, "_binary 0xe9", "é");
    fails(
        ValueKind::Text,
        b"_dec8'x'",
        "the text has a character set that is not supported",
    );
    check(ValueKind::Text, "N'é'", "é");
    check(latin1, "n'é'", "é");
    check(ValueKind::Bytes, "N'a'", r"\\x61");
    fails(ValueKind::Text, b"DEFAULTS", "expected a string");
    fails(ValueKind::Integer, b"'true'", "expected a whole number");
}

#[test]
fn nul_is_stripped_and_counted() {
    let (line, tally) = run(&[ValueKind::Text], b"('a\\01'),('b\0c'),('d')").unwrap();
    assert_eq!(line, "a1\nbc\nd\n");
    let expected = Occurrences {
        count: 2,
        rows: vec![1, 2],
    };
    assert_eq!(
        tally.iter().collect::<Vec<_>>(),
        [("c0", Change::NulStripped, &expected)]
    );
}

#[test]
fn null_for_a_zero_date_is_counted_and_goes_the_way_of_one() {
    let mut plan = plan(&[ValueKind::Timestamp]);
    plan.columns[0].null_is_zero_date = true;
    let mut run = |policy| {
        plan.columns[0].policies.zero_dates = policy;
        let (mut out, mut tally) = (Vec::new(), Tally::default());
        let done = transcode(
            &plan,
            b"(NULL),('2015-10-01 00:00:00')",
            1,
            &mut out,
            &mut tally,
        );
        done.map(|_| (String::from_utf8(out).unwrap(), tally))
    };
    let (lines, tally) = run(ZeroDates::Null).unwrap();
    assert_eq!(lines, "\\N\n2015-10-01 00:00:00\n");
    assert!(tally.has("c0", Change::ZeroDateToNull));
    assert!(
        run(ZeroDates::Infinity)
            .unwrap()
            .0
            .starts_with("-infinity\n")
    );
    assert_eq!(run(ZeroDates::Error).unwrap_err().row, 0);
}

#[test]
fn numbers() {
    use ValueKind::{Integer, Number, UnsignedToBigint};
    for number in ["0", "-1", "4294967295", "18446744073709551615"] {
        check(Integer, number, number);
    }
    for number in ["1.50", "-0", "1e-7", "3.4e38", "-1.5E+10", ".5"] {
        check(Number, number, number);
    }
    check(Integer, "'12'", "12");
    check(
        UnsignedToBigint,
        "9223372036854775807",
        "9223372036854775807",
    );
    fails(
        UnsignedToBigint,
        b"9223372036854775808",
        "the number is out of the range of bigint",
    );
    fails(Integer, b"1.5", "expected a whole number");
    fails(Integer, b"'a'", "expected a whole number");
    fails(
        Number,
        b"pi()",
        "the value is a function, which only a server can compute",
    );
    fails(Integer, b"", "expected a whole number");
}

#[test]
fn booleans_and_bits() {
    use ValueKind::{BitBoolean, Bits, Boolean};
    check(Boolean, "0", "f");
    check(Boolean, "1", "t");
    check(Boolean, "'1'", "t");
    fails(
        Boolean,
        b"2",
        "the number in a tinyint(1) is neither 0 nor 1",
    );
    fails(
        Boolean,
        b"-1",
        "the number in a tinyint(1) is neither 0 nor 1",
    );
    check(BitBoolean, r"'\0'", "f");
    check(BitBoolean, "'\x01'", "t");
    check(BitBoolean, "b'1'", "t");
    check(Bits { width: 8 }, r"'\n'", "00001010");
    check(Bits { width: 3 }, "0x05", "101");
    check(Bits { width: 10 }, r"_binary '\0a'", "0001100001");
    fails(
        Bits { width: 2 },
        b"0x07",
        "the value does not fit into bit(2)",
    );
}

#[test]
fn every_byte_of_a_blob() {
    use ValueKind::Bytes;
    let mut literal = b"(_binary '".to_vec();
    for byte in 0..=255u8 {
        match byte {
            0 => literal.extend(b"\\0"),
            b'\'' | b'"' | b'\\' => literal.extend([b'\\', byte]),
            b'\n' => literal.extend(b"\\n"),
            0x1a => literal.extend(b"\\Z"),
            _ => literal.push(byte),
        }
    }
    literal.extend(b"')");
    let expected: String = (0..=255u8).map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        run(&[Bytes], &literal).unwrap().0,
        format!("\\\\x{expected}\n")
    );
    check(Bytes, "0xABC", r"\\x0abc");
    check(Bytes, "x'ab'", r"\\xab");
    check(Bytes, "''", r"\\x");
}

#[test]
fn dates() {
    use ValueKind::{Date, Time, Timestamp};
    check(Date, "'2015-10-01'", "2015-10-01");
    check(
        Timestamp,
        "'2015-10-01 12:00:00.5'",
        "2015-10-01 12:00:00.5",
    );
    check(Time, "'12:00:00'", "12:00:00");
    check(Timestamp, "'0000-00-00 00:00:00'", r"\N");
    check(Date, "'2015-00-00'", r"\N");
    fails(
        Date,
        b"'2015-02-31'",
        "the month of this date does not have this day",
    );
    fails(Time, b"'838:59:59'", "the value is not a time of day");
    let (_, tally) = run(&[Date], b"('0000-00-00')").unwrap();
    assert!(tally.has("c0", Change::ZeroDateToNull));
}

#[test]
fn rows_however_they_are_laid_out() {
    use ValueKind::{Integer, Text};
    let expected = "1\ta\n2\t\\N\n";
    for input in [
        "(1,'a'),(2,NULL)",
        "(1,'a'),\r\n(2,NULL)\n",
        " ( 1 , 'a' ) , ( 2 , NULL ) ",
    ] {
        assert_eq!(run(&[Integer, Text], input.as_bytes()).unwrap().0, expected);
    }
    assert_eq!(run(&[], b"(),()").unwrap().0, "\n\n");
}

#[test]
fn what_is_no_row_is_an_error() {
    use ValueKind::{Integer, Text};
    for input in [
        "(1)",
        "(1,'a','b')",
        "(1,'a'",
        "(1,_binary'a\\",
        "(1,'a",
        "(1 'a')",
        "(1,'a') x",
        "(1,'a'),,(1,'a')",
        "(1,",
        "(",
    ] {
        assert!(run(&[Integer, Text], input.as_bytes()).is_err(), "{input}");
    }
    let error = run(&[Integer, Text], b"(1)").unwrap_err();
    let what = "the row has fewer values than the table has columns";
    assert_eq!(error.message, what);
}

#[test]
fn bytes_that_are_no_utf8_are_named_with_their_place() {
    let error = run(
        &[ValueKind::Bytes, ValueKind::Text],
        b"('\xff','a'),('b','caf\xe9')",
    )
    .unwrap_err();
    assert_eq!(error.message, "byte 3 of the text is not valid UTF-8");
    assert_eq!((error.row, error.at), (1, 15));
}

#[test]
fn notations_of_other_programs() {
    use ValueKind::{BitBoolean, Bits, Boolean, Bytes, Integer, Number, Text, Timestamp};
    let run = |kind, literal: &str| {
        let mut plan = plan(&[kind, kind]);
        for column in &mut plan.columns {
            column.unusual = 1;
        }
        plan.unusual = Arc::new(vec![
            UnusualValues::default(),
            UnusualValues {
                default: Some("'2015-10-01 12:00:00'".to_owned()),
                takes_numbers: true,
            },
        ]);
        let input = format!("({literal} , {literal})");
        let (mut out, mut tally) = (Vec::new(), Tally::default());
        let done = transcode(&plan, input.as_bytes(), 1, &mut out, &mut tally);
        done.map(|_| String::from_utf8(out).unwrap())
            .map_err(|error| error.message)
    };
    for (kind, literal, expected) in [
        (
            Bits { width: 10 },
            "CONV('1000000001', 2, 10) + 0",
            "1000000001",
        ),
        (BitBoolean, "CONV('1', 2, 10) + 0", "t"),
        (BitBoolean, "TRUE", "t"),
        (Integer, "b'101'", "5"),
        (Integer, "0x1F", "31"),
        (Integer, "+7", "7"),
        (Boolean, "b'1'", "t"),
        (Number, "+1.5e3", "1.5e3"),
        (Bytes, "b'100000001'", r"\\x0101"),
        (Bytes, "UNHEX('4142')", r"\\x4142"),
        (Text, "b'01000001'", "A"),
        (Text, "0b1000001", "A"),
        (Text, "5", "5"),
        (Text, "-1.50", "-1.50"),
        (Text, "0.0", "0.0"),
        (Text, "TRUE", "1"),
        (Timestamp, "DEFAULT", "2015-10-01 12:00:00"),
        (Text, "default", "2015-10-01 12:00:00"),
    ] {
        let expected = format!("{expected}\t{expected}\n");
        assert_eq!(run(kind, literal), Ok(expected), "{literal}");
    }
    for (kind, literal, expected) in [
        (
            Timestamp,
            "NOW()",
            "the value is NOW(), which only a server can compute",
        ),
        (
            Text,
            "uuid()",
            "the value is UUID(), which only a server can compute",
        ),
        (
            Text,
            "s3cr3t('a')",
            "the value is a function, which only a server can compute",
        ),
        // MySQL would show another text.
        (Text, "1e3", "expected a string"),
        (Text, "007", "expected a string"),
        (Text, "5.", "expected a string"),
        (Text, "-0.0", "expected a string"),
        (Text, &"9".repeat(66), "expected a string"),
        (Integer, "x'010203040506070809'", "expected a whole number"),
        (Integer, "5 + 1", "expected \",\" before this column"),
    ] {
        assert_eq!(run(kind, literal), Err(expected.to_owned()), "{literal}");
    }
    // A number in an enum is the place of its value.
    fails(Text, b"2", "expected a string");
    fails(
        Timestamp,
        b"DEFAULT",
        "the value is DEFAULT, but the column has no constant default",
    );
}
