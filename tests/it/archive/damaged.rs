//! Damaged archives: cut, flipped, with members missing or of wrong lengths, and bombs. Each is refused
//! with its own reason, within the memory budget, and changes nothing.

use tar::EntryType;

use crate::support::archives::{
    BLOCK, END, Entry, INFORMATION, SMALL_DUMP, archive, entry, gzip, gzip_bomb, members,
    pax_record, small_traces, tar,
};
use crate::support::program::run;
use crate::support::unwelcome::{Case, Ground, count_different};

const DUMP: &str = "db/database.sql.gz";
const TRACES: &str = "builds/builds.tar.gz";

/// The groups, each a test of its own, so that they run at the same time.
const GROUPS: [fn() -> Vec<Case>; 10] = [
    cut_archives,
    headers_of_members,
    members_not_as_they_should_be,
    damaged_streams,
    cut_traces,
    entries_of_traces,
    extended_headers,
    information_files,
    dumps,
    bombs,
];

#[test]
fn there_are_more_than_a_hundred() {
    let cases: Vec<Case> = GROUPS.iter().flat_map(|group| group()).collect();
    let count = count_different(&cases);
    println!("{count} damaged archives");
    assert!(count >= 100, "{count}");
}

#[test]
fn a_cut_archive() {
    Ground::new().refuses(&cut_archives());
}

#[test]
fn a_wrong_header_of_a_member() {
    Ground::new().refuses(&headers_of_members());
}

#[test]
fn a_member_that_is_missing_or_another() {
    Ground::new().refuses(&members_not_as_they_should_be());
}

#[test]
fn a_damaged_stream_of_gzip() {
    Ground::new().refuses(&damaged_streams());
}

#[test]
fn a_cut_tar_of_traces() {
    Ground::new().refuses(&cut_traces());
}

#[test]
fn a_wrong_entry_of_the_traces() {
    Ground::new().refuses(&entries_of_traces());
}

#[test]
fn a_damaged_extended_header() {
    Ground::new().refuses(&extended_headers());
}

#[test]
fn a_damaged_information_file() {
    Ground::new().refuses(&information_files());
}

#[test]
fn a_damaged_dump() {
    Ground::new().refuses(&dumps());
}

#[test]
fn a_bomb() {
    Ground::new().refuses(&bombs());
}

/// What inflates to more than any ratio is no truncation; who knows what it is can have it.
#[test]
fn a_bomb_that_is_wanted() {
    let ground = Ground::new();
    let path = ground.scene.path("bomb.tar");
    let padding = gzip_bomb(&small_traces(), 0, 600);
    std::fs::write(&path, members(&gzip(SMALL_DUMP), &padding, INFORMATION)).unwrap();
    let import = |options: &[&str]| {
        let mut import = ground.import(path.to_str().unwrap());
        import.args(options);
        run(import)
    };
    import(&["--allow-truncated-traces"])
        .exits(3)
        .says("builds/builds.tar.gz: it inflates to more than 200 times its size")
        .says("hint: do not trust this archive; if you made it yourself, --max-inflation");
    import(&["--max-inflation", "500"])
        .exits(3)
        .says("more than 500 times its size");
    import(&["--max-inflation", "1100"]).succeeds();
    import(&["--max-inflation", "0"]).exits(2);
}

/// A good archive, and where its parts begin.
struct Good {
    bytes: Vec<u8>,
    dump_header: usize,
    dump: usize,
    traces_header: usize,
    traces: usize,
    information_header: usize,
    information: usize,
}

fn good() -> Good {
    let (dump, traces) = (gzip(SMALL_DUMP), gzip(&small_traces()));
    let dump_header = BLOCK;
    let traces_header = dump_header + 2 * BLOCK + dump.len().next_multiple_of(BLOCK);
    let information_header = traces_header + BLOCK + traces.len().next_multiple_of(BLOCK);
    Good {
        bytes: members(&dump, &traces, INFORMATION),
        dump_header,
        dump: dump_header + BLOCK,
        traces_header,
        traces: traces_header + BLOCK,
        information_header,
        information: information_header + BLOCK,
    }
}

fn cut_archives() -> Vec<Case> {
    let good = good();
    let no_archive = "the input is neither a backup archive nor a dump of MySQL";
    let in_header = "the archive is damaged: failed to read entire block";
    let in_header_of_pipe = "the archive is damaged or ends too early: failed to read entire block";
    let in_member = |name: &str| format!("the archive is truncated: the member \"{name}\" has");
    let missing = |name: &str| format!("the archive has no member {name}");
    let information = "backup_information.yml";
    let cut = |name: &str, at: usize, says: &str, piped: &str| {
        let bytes = good.bytes[..at].to_vec();
        Case::new(format!("cut {name}"), bytes, 3, says).piped(piped)
    };
    let truncated = |name: &str| format!("{name}: it is truncated at inflated byte");
    let both = |name: &str, at: usize, says: &str| cut(name, at, says, says);
    vec![
        both("to nothing", 0, no_archive),
        both("to a byte", 1, no_archive),
        both("before the magic", 200, no_archive),
        cut("in the first header", 300, in_header, in_header_of_pipe),
        both("behind the first header", BLOCK, &missing(DUMP)),
        cut(
            "in the dump's header",
            good.dump_header + 1,
            in_header,
            in_header_of_pipe,
        ),
        cut(
            "behind its magic",
            good.dump_header + 300,
            in_header,
            in_header_of_pipe,
        ),
        cut(
            "before the dump",
            good.dump,
            &in_member(DUMP),
            &truncated(DUMP),
        ),
        cut(
            "in the dump's gzip header",
            good.dump + 4,
            &in_member(DUMP),
            &truncated(DUMP),
        ),
        cut(
            "in the dump",
            good.dump + 60,
            &in_member(DUMP),
            &truncated(DUMP),
        ),
        cut(
            "in the traces' header",
            good.traces_header + 9,
            in_header,
            in_header_of_pipe,
        ),
        both(
            "before the traces' header",
            good.traces_header,
            &missing(TRACES),
        ),
        cut(
            "before the traces",
            good.traces,
            &in_member(TRACES),
            &truncated(TRACES),
        ),
        cut(
            "in the traces",
            good.traces + 70,
            &in_member(TRACES),
            &truncated(TRACES),
        ),
        both(
            "before the information",
            good.information_header,
            &missing(information),
        ),
        cut(
            "in the information's header",
            good.information_header + 500,
            in_header,
            in_header_of_pipe,
        ),
        cut(
            "before the information's content",
            good.information,
            &in_member(information),
            "the archive is damaged or ends too early: unexpected end of file",
        ),
        cut(
            "in the information",
            good.information + 10,
            &in_member(information),
            "the archive is damaged or ends too early: unexpected end of file",
        ),
    ]
}

/// The archive whose dump has a header that `spoil` changes before its checksum is made.
fn with_dump_header(spoil: impl FnOnce(&mut tar::Header)) -> Vec<u8> {
    let dump = gzip(SMALL_DUMP);
    let mut bytes = entry(DUMP.as_bytes(), EntryType::Regular, &dump, spoil);
    bytes.extend(tar(
        &[
            (
                TRACES.as_bytes(),
                EntryType::Regular,
                &gzip(&small_traces()),
            ),
            (b"backup_information.yml", EntryType::Regular, INFORMATION),
        ],
        false,
    ));
    bytes
}

/// A size as it stands in a header, in octal digits or as GNU tar writes what is too large for them.
fn with_size(field: [u8; 12]) -> impl Fn(&mut tar::Header) {
    move |header| header.as_old_mut().size = field
}

fn headers_of_members() -> Vec<Case> {
    let good = good();
    let mut cases = Vec::new();
    for (name, at) in [
        ("name", 3),
        ("mode", 101),
        ("size", 130),
        ("checksum", 150),
        ("kind", 156),
        ("magic", 258),
        ("padding", 510),
    ] {
        let mut bytes = good.bytes.clone();
        bytes[good.dump_header + at] ^= 1;
        let sum = "archive header checksum mismatch";
        cases.push(Case::new(format!("the {name} flipped"), bytes, 3, sum));
    }
    let mut bytes = good.bytes.clone();
    bytes[257] ^= 1;
    let says = "the input is neither a backup archive nor a dump";
    cases.push(Case::new("the first magic flipped", bytes, 3, says));
    let mut bytes = good.bytes.clone();
    bytes[good.dump_header + 148..good.dump_header + 156].copy_from_slice(b"xxxxxx\0 ");
    let says = "numeric field was not a number";
    cases.push(Case::new("a checksum of letters", bytes, 3, says));
    let mut bytes = good.bytes.clone();
    bytes[good.information_header + 5] ^= 1;
    let says = "archive header checksum mismatch";
    cases.push(Case::new("the last name flipped", bytes, 3, says));

    let kinds = [
        (b'1', "it is a hard link"),
        (b'2', "it is a symbolic link"),
        (b'3', "it is a device"),
        (b'6', "it is a FIFO"),
        (b'S', "it is a sparse file"),
        (b'K', "the archive has no member db/database.sql.gz"),
        (b'M', "it is neither a file nor a directory"),
        (b'A', "it is neither a file nor a directory"),
    ];
    for (kind, says) in kinds {
        let bytes = with_dump_header(|header| header.set_entry_type(EntryType::new(kind)));
        let name = format!("a dump of kind {}", char::from(kind));
        cases.push(Case::new(name, bytes, 3, says));
    }
    let bytes = with_dump_header(|header| header.set_entry_type(EntryType::Directory));
    let says = "the archive has no member db/database.sql.gz";
    cases.push(Case::new("a dump that is a directory", bytes, 3, says));
    cases.extend(sizes_of_a_member());
    cases
}

fn sizes_of_a_member() -> Vec<Case> {
    let size = gzip(SMALL_DUMP).len();
    let octal = |size: usize| {
        let mut field = [0; 12];
        field[..11].copy_from_slice(format!("{size:011o}").as_bytes());
        field
    };
    let truncated = "db/database.sql.gz: it is truncated at inflated byte";
    let sizes: [(&str, [u8; 12], &str, &str); 9] = [
        ("a byte too small", octal(size - 1), truncated, truncated),
        (
            "nothing",
            octal(0),
            "error: the archive is damaged: ",
            truncated,
        ),
        (
            "a block too large",
            octal(size + BLOCK),
            "error: the archive is damaged: ",
            "db/database.sql.gz: it is damaged (other bytes follow the zeros",
        ),
        (
            "8 GiB",
            octal((1 << 33) - 1),
            "the archive is truncated: the member \"db/database.sql.gz\" has 8589934591 bytes",
            "db/database.sql.gz: it is damaged (other bytes follow the zeros",
        ),
        (
            "4 EiB",
            [0x80, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0],
            "the archive is truncated: the member \"db/database.sql.gz\" has 4611686018427387904",
            "db/database.sql.gz: it is damaged (other bytes follow the zeros",
        ),
        (
            "less than nothing",
            [0xff; 12],
            "size overflow",
            "size overflow",
        ),
        (
            "letters",
            *b"zzzzzzzzzzz\0",
            "numeric field was not a number: zzz",
            "numeric field was not a number: zzz",
        ),
        (
            "not there",
            [0; 12],
            "numeric field was not a number",
            "numeric field was not a number",
        ),
        (
            "a control sequence",
            *b"\x1b[2J\x1b[31m\x07\0\0",
            "numeric field was not a number: \\u{1b}[2J",
            "numeric field was not a number: \\u{1b}[2J",
        ),
    ];
    sizes
        .into_iter()
        .map(|(name, field, says, piped)| {
            let bytes = with_dump_header(with_size(field));
            Case::new(format!("a size of {name}"), bytes, 3, says).piped(piped)
        })
        .collect()
}

fn members_not_as_they_should_be() -> Vec<Case> {
    let (dump, traces) = (gzip(SMALL_DUMP), gzip(&small_traces()));
    let good: [Entry<'_>; 3] = [
        (DUMP.as_bytes(), EntryType::Regular, &dump),
        (TRACES.as_bytes(), EntryType::Regular, &traces),
        (b"backup_information.yml", EntryType::Regular, INFORMATION),
    ];
    let mut cases = Vec::new();
    for (at, member) in good.iter().enumerate() {
        let name = String::from_utf8_lossy(member.0).into_owned();
        let mut without = good.to_vec();
        without.remove(at);
        let says = format!("the archive has no member {name}");
        cases.push(Case::new(
            format!("no {name}"),
            tar(&without, false),
            3,
            says,
        ));

        let mut twice = good.to_vec();
        twice.push(*member);
        let says = format!("the member \"{name}\" is refused: it is in the archive twice");
        cases.push(Case::new(
            format!("{name} twice"),
            tar(&twice, false),
            3,
            says,
        ));

        let mut empty = good.to_vec();
        empty[at].2 = b"";
        let says = if at == 2 {
            format!("{name}: it has no :gitlab_version")
        } else {
            format!("{name}: it is truncated at inflated byte 0")
        };
        cases.push(Case::new(
            format!("{name} empty"),
            tar(&empty, false),
            3,
            says,
        ));

        let alone = tar(&[*member], false);
        let missing = if at == 0 { TRACES } else { DUMP };
        let says = format!("the archive has no member {missing}");
        cases.push(Case::new(format!("{name} alone"), alone, 3, says));
    }
    let says = "the archive has no member db/database.sql.gz";
    let only_directories: [Entry<'_>; 2] = [
        (b"db/", EntryType::Directory, b""),
        (b"builds/", EntryType::Directory, b""),
    ];
    cases.push(Case::new(
        "only directories",
        tar(&only_directories, false),
        3,
        says,
    ));
    let swapped = members(&traces, &dump, INFORMATION);
    let says = "db/database.sql.gz: it is no dump of MySQL";
    cases.push(Case::new("traces and dump swapped", swapped, 3, says));
    // The traces come first, and are whole; the dump, which is cut, comes last.
    let mut backwards = good;
    backwards.reverse();
    let mut bytes = tar(&backwards, true);
    bytes.truncate(bytes.len() - BLOCK + 60);
    let says = "the archive is truncated: the member \"db/database.sql.gz\" has";
    let piped = "db/database.sql.gz: it is truncated at inflated byte";
    cases.push(Case::new("cut, and in another order", bytes, 3, says).piped(piped));
    cases
}

/// What can happen to a stream of gzip, and what is said of it. `place` is the member.
fn streams(place: &str, plain: &[u8]) -> Vec<(String, Vec<u8>, String)> {
    let good = gzip(plain);
    let end = good.len();
    let truncated = format!("{place}: it is truncated at inflated byte");
    let damaged = |what: &str| format!("{place}: it is damaged ({what}");
    let mut found = Vec::new();
    for (name, length) in [
        ("in its header", 5),
        ("behind its header", 10),
        ("in its middle", end / 2),
        ("before its checksum", end - 8),
        ("in its checksum", end - 6),
        ("in its length", end - 1),
    ] {
        found.push((
            format!("cut {name}"),
            good[..length].to_vec(),
            truncated.clone(),
        ));
    }
    let invalid_header = "invalid gzip header";
    let corrupt = "corrupt";
    for (name, at, mask, says) in [
        ("magic", 0, 1, invalid_header),
        ("method", 2, 4, invalid_header),
        ("flags", 3, 0xe0, invalid_header),
        ("checksum", end - 6, 1, corrupt),
        ("length", end - 2, 1, corrupt),
    ] {
        let mut flipped = good.clone();
        flipped[at] ^= mask;
        found.push((format!("{name} flipped"), flipped, damaged(says)));
    }
    // The first block of the stream is of a kind that there is not.
    let mut flipped = good.clone();
    flipped[10] |= 0b110;
    found.push((
        "first block flipped".to_owned(),
        flipped,
        damaged("corrupt deflate stream"),
    ));
    let with = |more: &[u8]| [good.as_slice(), more].concat();
    found.push((
        "garbage behind it".to_owned(),
        with(b"garbage behind it"),
        damaged(invalid_header),
    ));
    found.push((
        "zeros and garbage behind it".to_owned(),
        with(&[&[0; BLOCK][..], b"garbage"].concat()),
        damaged("other bytes follow the zeros"),
    ));
    found.push((
        "a stream behind zeros".to_owned(),
        with(&[&[0; BLOCK][..], &good].concat()),
        damaged("other bytes follow the zeros"),
    ));
    found.push((
        "half a stream behind it".to_owned(),
        with(&good[..20]),
        truncated,
    ));
    found.push((
        "not compressed".to_owned(),
        plain.to_vec(),
        damaged(invalid_header),
    ));
    found
}

fn damaged_streams() -> Vec<Case> {
    let (dump, traces) = (gzip(SMALL_DUMP), gzip(&small_traces()));
    let mut cases = Vec::new();
    for (name, bytes, says) in streams(DUMP, SMALL_DUMP) {
        let archive = members(&bytes, &traces, INFORMATION);
        cases.push(Case::new(format!("dump {name}"), archive, 3, says));
    }
    for (name, bytes, says) in streams(TRACES, &small_traces()) {
        let archive = members(&dump, &bytes, INFORMATION);
        cases.push(Case::new(format!("traces {name}"), archive, 3, says));
    }
    let twice = members(&gzip(&dump), &traces, INFORMATION);
    let says = "db/database.sql.gz: it is no dump of MySQL, MariaDB or PostgreSQL";
    cases.push(Case::new("a dump compressed twice", twice, 3, says));
    let twice = members(&dump, &gzip(&traces), INFORMATION);
    let says = "builds/builds.tar.gz: it is damaged (failed to read entire block)";
    cases.push(Case::new("traces compressed twice", twice, 3, says));
    cases
}

fn cut_traces() -> Vec<Case> {
    let traces = small_traces();
    let first = 3 * BLOCK;
    let second = first + BLOCK + 2048;
    let end = traces.len() - END.len();
    let cases = [
        ("to nothing", 0, "builds/builds.tar.gz: it is empty"),
        ("in its first header", 100, "failed to read entire block"),
        (
            "behind its directories",
            first,
            "truncated at byte 1536 (after \"./2015_10/1/\")",
        ),
        (
            "in a header",
            first + 300,
            "after the trace \"./2015_10/1/\"",
        ),
        (
            "behind a header",
            first + BLOCK,
            "truncated in the trace \"2015_10/1/1.log\" at its byte 0 of 2000",
        ),
        (
            "in a trace",
            first + BLOCK + 1999,
            "truncated in the trace \"2015_10/1/1.log\" at its byte 1999 of 2000",
        ),
        (
            "in the padding of a trace",
            first + BLOCK + 2001,
            "after the trace",
        ),
        (
            "between two traces",
            second,
            "truncated at byte 4096 (after \"./2015_10/1/1.log\")",
        ),
        (
            "in the last header",
            second + 511,
            "after the trace \"./2015_10/1/1.log\"",
        ),
        (
            "in the last trace",
            second + BLOCK,
            "truncated in the trace \"2015_10/1/2.log\" at its byte 0 of 1",
        ),
        (
            "before its end",
            end,
            "truncated at byte 5120 (after \"./2015_10/1/2.log\")",
        ),
        ("in its end", end + 100, "failed to read entire block"),
        (
            "behind a block of its end",
            end + BLOCK,
            "truncated at byte 5632",
        ),
        (
            "in the last block",
            end + BLOCK + 511,
            "truncated at byte 6143",
        ),
    ];
    let case = |(name, length, says): (&str, usize, &str)| {
        let bytes = archive(&traces[..length], SMALL_DUMP);
        Case::new(format!("traces cut {name}"), bytes, 3, says)
    };
    cases.into_iter().map(case).collect()
}

/// The archive of traces with one whose header `spoil` changes.
fn with_trace(spoil: impl FnOnce(&mut tar::Header)) -> Vec<u8> {
    let mut traces = entry(b"./1.log", EntryType::Regular, &[b'x'; 700], spoil);
    traces.extend(tar(&[(b"./2.log", EntryType::Regular, b"y")], false));
    archive(&traces, SMALL_DUMP)
}

fn entries_of_traces() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, at) in [("name", 2), ("size", 130), ("time", 140), ("magic", 257)] {
        let mut traces = small_traces();
        traces[3 * BLOCK + at] ^= 1;
        let says = "after the trace \"./2015_10/1/\": builds/builds.tar.gz: it is damaged \
                    (archive header checksum mismatch)";
        cases.push(Case::new(
            format!("a trace's {name} flipped"),
            archive(&traces, SMALL_DUMP),
            3,
            says,
        ));
    }
    let no_number = "it is damaged (numeric field was not a number";
    let sizes: [(&str, [u8; 12], i32, &str); 10] = [
        (
            "nothing",
            *b"00000000000\0",
            3,
            "after the trace \"./1.log\"",
        ),
        (
            "a block too little",
            *b"00000000200\0",
            3,
            "after the trace \"./1.log\"",
        ),
        (
            "a block too much",
            *b"00000002274\0",
            3,
            "builds/builds.tar.gz: ",
        ),
        (
            "a megabyte",
            *b"00004000000\0",
            3,
            "truncated in the trace \"1.log\"",
        ),
        (
            "1 PiB",
            [0x80, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0],
            1,
            "up to \"1.log\", they are 1125899906842624 bytes, and",
        ),
        (
            "8 EiB",
            [0x80, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0],
            1,
            "not enough space for the traces in",
        ),
        ("less than nothing", [0xff; 12], 3, "size overflow"),
        ("letters", *b"0000000007x\0", 3, no_number),
        ("a sign", *b"-0000000001\0", 3, no_number),
        ("two numbers", *b"00001 00001\0", 3, no_number),
    ];
    for (name, field, code, says) in sizes {
        let bytes = with_trace(with_size(field));
        cases.push(Case::new(format!("a trace of {name}"), bytes, code, says));
    }
    let garbage: Vec<u8> = (0..4096_u32).map(|n| (n * 37 % 251) as u8).collect();
    let hidden = [small_traces(), small_traces()].concat();
    let mut zeroed = small_traces();
    zeroed[3 * BLOCK..4 * BLOCK].fill(0);
    let zeros = [0; 3 * BLOCK];
    let more: [(&str, &[u8], &str); 6] = [
        ("text", b"this is no tar", "failed to read entire block"),
        ("garbage", &garbage, "builds/builds.tar.gz: it is damaged ("),
        (
            "another tar behind its end",
            &hidden,
            "ends, but more data follows at byte 6144",
        ),
        ("a header that is lost", &zeroed, "is truncated at byte"),
        (
            "a letter behind its end",
            &[&small_traces(), &zeros[..], b"x"].concat(),
            "more data follows at byte",
        ),
        (
            "one block of zeros",
            &zeros[..BLOCK],
            "is truncated at byte 512",
        ),
    ];
    for (name, traces, says) in more {
        let bytes = archive(traces, SMALL_DUMP);
        cases.push(Case::new(format!("traces: {name}"), bytes, 3, says));
    }
    cases
}

/// Traces of which one comes behind an extension of `kind` with this content.
fn behind(kind: EntryType, extension: &[u8]) -> Vec<u8> {
    let mut traces = entry(b"extension", kind, extension, |_| ());
    traces.extend(tar(&[(b"1.log", EntryType::Regular, b"x")], false));
    archive(&traces, SMALL_DUMP)
}

fn extended_headers() -> Vec<Case> {
    use EntryType::{GNULongName, XGlobalHeader, XHeader};
    let large = vec![b'x'; 65_537];
    let too_large = "the header of its name is larger than 64 KiB";
    let damaged = "builds/builds.tar.gz: an extended header of the tar is damaged";
    let mut cases = vec![
        Case::new(
            "a long name of 64 KiB",
            behind(GNULongName, &large),
            3,
            too_large,
        ),
        Case::new("records of 64 KiB", behind(XHeader, &large), 3, too_large),
        Case::new(
            "global records of 64 KiB",
            behind(XGlobalHeader, &large),
            3,
            too_large,
        ),
    ];
    for (name, records) in [
        ("no length", &b"path=x\n"[..]),
        ("no space", b"9path=x\n"),
        ("a length that is too large", b"99 path=x\n"),
        ("a length that is too small", b"9 path=abc\n"),
        ("a length of nothing", b"0 path=x\n"),
        ("a length below nothing", b"-9 path=x\n"),
        (
            "a length beyond all numbers",
            b"99999999999999999999999 path=x\n",
        ),
        ("no value", b"7 path\n"),
        ("no end", b"9 path=xx"),
        ("zeros behind them", b"9 path=x\n\0\0\0"),
    ] {
        cases.push(Case::new(
            format!("records with {name}"),
            behind(XHeader, records),
            3,
            damaged,
        ));
    }
    for size in [
        "",
        "x",
        "-1",
        "+1",
        " 1",
        "1 ",
        "0x1",
        "18446744073709551616",
    ] {
        let record = pax_record("size", size.as_bytes());
        cases.push(Case::new(
            format!("a size {size:?} in a record"),
            behind(XHeader, &record),
            3,
            damaged,
        ));
    }
    for (size, says) in [
        ("18446744073709551615", "size overflow"),
        (
            "9000000000",
            "the archive is truncated in the trace \"1.log\" at its byte",
        ),
    ] {
        let record = pax_record("size", size.as_bytes());
        let traces = behind(XHeader, &record);
        cases.push(Case::new(format!("a size of {size}"), traces, 3, says));
    }
    for key in [
        "GNU.sparse.major",
        "GNU.sparse.map",
        "GNU.sparse.realsize",
        "GNU.sparse.name",
    ] {
        let record = pax_record(key, b"1");
        cases.push(Case::new(
            key,
            behind(XHeader, &record),
            3,
            "it is a sparse file",
        ));
    }
    let global = pax_record("path", b"1.log");
    let says = "its name is in a global header";
    cases.push(Case::new(
        "a global path",
        behind(XGlobalHeader, &global),
        3,
        says,
    ));
    let global = pax_record("size", b"1");
    let says = "its size is in a global header";
    cases.push(Case::new(
        "a global size",
        behind(XGlobalHeader, &global),
        3,
        says,
    ));
    let says = "it is a sparse file";
    cases.push(Case::new(
        "a sparse file",
        behind(EntryType::GNUSparse, b"x"),
        3,
        says,
    ));
    let long_link = entry(b"long", EntryType::GNULongLink, b"/etc/passwd\0", |_| ());
    let link = entry(b"1.log", EntryType::Symlink, b"", |_| ());
    let long_link = archive(&[long_link, link, END.to_vec()].concat(), SMALL_DUMP);
    let says = "it is a symbolic link";
    cases.push(Case::new("the long name of a link", long_link, 3, says));
    cases.extend(extensions_of_nothing());
    cases
}

fn extensions_of_nothing() -> Vec<Case> {
    let name = entry(b"long", EntryType::GNULongName, &[b'n'; 3000], |_| ());
    let alone = [name.as_slice(), &END].concat();
    let large = vec![b'x'; 65_537];
    let large = entry(b"long", EntryType::GNULongName, &large, |_| ());
    let records = entry(b"pax", EntryType::XHeader, b"5 x\n", |_| ());
    let before = |entry: Vec<u8>| [entry, archive(&small_traces(), SMALL_DUMP)].concat();
    vec![
        Case::new(
            "a long name that is cut",
            archive(&name[..2000], SMALL_DUMP),
            3,
            "builds/builds.tar.gz: it is truncated at inflated byte",
        ),
        Case::new(
            "a long name of nothing",
            archive(&alone, SMALL_DUMP),
            3,
            "the tar ends after an entry's name; the entry is missing",
        ),
        Case::new(
            "a long name of 64 KiB before the members",
            before(large),
            3,
            "the header of its name is larger than 64 KiB",
        ),
        Case::new(
            "damaged records before the members",
            before(records),
            3,
            "an extended header of the tar is damaged",
        ),
    ]
}

fn information_files() -> Vec<Case> {
    let (dump, traces) = (gzip(SMALL_DUMP), gzip(&small_traces()));
    let large = b":gitlab_version: 8.0.5\n".repeat(4000);
    let binary: Vec<u8> = (0..=127).collect();
    let cases: [(&str, &[u8], &str); 16] = [
        (
            "without a version",
            b":db_version: 1\n",
            "it has no :gitlab_version",
        ),
        (
            "with an empty version",
            b":gitlab_version: ''\n",
            "it has no :gitlab_version",
        ),
        (
            "of an older version",
            b":gitlab_version: 7.14.3\n",
            "made by GitLab CI 7.14.3; only",
        ),
        (
            "of a newer version",
            b":gitlab_version: 8.1.0\n",
            "made by GitLab CI 8.1.0; only",
        ),
        (
            "of a similar version",
            b":gitlab_version: 8.00.5\n",
            "made by GitLab CI 8.00.5; only",
        ),
        (
            "with a control sequence",
            b":gitlab_version: \x1b[2J\x1b]0;x\x07\n",
            "cannot be read as YAML with keys and values at line 1, column 18",
        ),
        (
            "with an escaped control sequence",
            b":gitlab_version: \"\\e[2J\"\n",
            "the value of :gitlab_version has control characters",
        ),
        (
            "with a time on two lines",
            b":gitlab_version: 8.0.5\n:backup_created_at: |\n  2015\n  10\n",
            "the value of :backup_created_at has control characters",
        ),
        (
            "with a version twice",
            b":gitlab_version: 7.14.3\n:gitlab_version: 8.0.5\n",
            "cannot be read as YAML with keys and values at line 2",
        ),
        (
            "with a list as the version",
            b":gitlab_version: [8.0.5]\n",
            "cannot be read as YAML with keys and values at line 1",
        ),
        (
            "with two documents",
            b":gitlab_version: 8.0.5\n---\n:gitlab_version: 8.0.5\n",
            "cannot be read as YAML with keys and values",
        ),
        (
            "not UTF-8",
            b":gitlab_version: 8.0.\xff\n",
            "backup_information.yml: it is not UTF-8",
        ),
        (
            "with a list",
            b"- 8.0.5\n",
            "cannot be read as YAML with keys and values at line 1",
        ),
        (
            "with an anchor",
            b"&a :gitlab_version: 8.0.5\n",
            "cannot be read as YAML with keys and values at line 1",
        ),
        ("binary", &binary, "cannot be read as YAML"),
        (
            "larger than 64 KiB",
            &large,
            "the member backup_information.yml is larger than 65536 bytes",
        ),
    ];
    let case = |(name, content, says): (&str, &[u8], &str)| {
        let bytes = members(&dump, &traces, content);
        Case::new(format!("information {name}"), bytes, 3, says)
    };
    cases.into_iter().map(case).collect()
}

/// A dump of `ci_tags` with `rest` behind its definition.
fn dump_of(rest: &[u8]) -> Vec<u8> {
    let before =
        b"-- MySQL dump 10.13\nCREATE TABLE `ci_tags` (`id` int NOT NULL, `name` varchar(255));\n";
    [before, rest].concat()
}

/// A dump, which is damaged, the exit code it leads to, and what is said of it.
type Dump = (&'static str, Vec<u8>, i32, &'static str);

const IN_STATEMENT: &str = "it ends in the middle of a statement";

fn dumps() -> Vec<Case> {
    let empty = tar(&[], false);
    let cut = cut_dumps().into_iter().map(|dump| ("cut ", dump));
    let others = [wrong_dumps(), wrong_rows(), large_dumps()].concat();
    let others = others.into_iter().map(|dump| ("", dump));
    cut.chain(others)
        .map(|(how, (name, dump, code, says))| {
            let name = format!("a dump {how}{name}");
            Case::new(name, archive(&empty, &dump), code, says)
        })
        .collect()
}

fn cut_dumps() -> Vec<Dump> {
    let no_last_line = "its last line, \"-- Dump completed\", is missing";
    vec![
        (
            "in its first line",
            b"-- MySQL dump".to_vec(),
            3,
            "it holds no table",
        ),
        (
            "in a definition",
            SMALL_DUMP[..60].to_vec(),
            3,
            "it ends in the middle of a statement: the definition of ci_tags",
        ),
        ("behind a definition", dump_of(b""), 3, no_last_line),
        (
            "in a row",
            dump_of(b"INSERT INTO `ci_tags` VALUES (1,'a'),(2,"),
            3,
            "it ends in the middle of a statement: ci_tags row 2",
        ),
        (
            "in a text",
            dump_of(b"INSERT INTO `ci_tags` VALUES (1,'a"),
            3,
            IN_STATEMENT,
        ),
        (
            "in an escape",
            dump_of(b"INSERT INTO `ci_tags` VALUES (1,'a\\"),
            3,
            IN_STATEMENT,
        ),
        (
            "behind a row",
            dump_of(b"INSERT INTO `ci_tags` VALUES (1,'a')"),
            3,
            IN_STATEMENT,
        ),
        (
            "behind VALUES",
            dump_of(b"INSERT INTO `ci_tags` VALUES"),
            3,
            IN_STATEMENT,
        ),
        (
            "in a comment",
            dump_of(b"/* it has no end; -- Dump completed\n"),
            3,
            IN_STATEMENT,
        ),
        (
            "in a comment that is run",
            dump_of(b"/*!40101 SET NAMES utf8"),
            3,
            IN_STATEMENT,
        ),
        (
            "before its last line",
            dump_of(b"INSERT INTO `ci_tags` VALUES (1,'a');\n"),
            3,
            no_last_line,
        ),
        (
            "in its last line",
            dump_of(b"-- Dump comp"),
            3,
            no_last_line,
        ),
    ]
}

/// A dump of `ci_tags` with this in its parentheses.
fn definition(rest: &[u8]) -> Vec<u8> {
    [b"-- MySQL dump 10.13\nCREATE TABLE `ci_tags` (", rest].concat()
}

fn wrong_dumps() -> Vec<Dump> {
    let utf16: Vec<u8> = String::from_utf8_lossy(SMALL_DUMP)
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    vec![
        ("of nothing", Vec::new(), 3, "db/database.sql.gz"),
        ("of zeros", vec![0; 5000], 3, "it is no dump of MySQL"),
        ("in UTF-16", utf16, 3, "it is no dump of MySQL"),
        (
            "that is a page",
            b"<html>502 Bad Gateway</html>".to_vec(),
            3,
            "it is no dump of MySQL",
        ),
        (
            "that is an error",
            b"mysqldump: Got error: 2002: Can't connect to local MySQL server\n".to_vec(),
            3,
            "it holds no table of GitLab CI",
        ),
        (
            "with an open text",
            definition(b"`id` int COMMENT 'x);\n-- Dump completed\n"),
            3,
            IN_STATEMENT,
        ),
        (
            "with an open name",
            definition(b"`id int);\n-- Dump completed\n"),
            3,
            IN_STATEMENT,
        ),
        (
            "with an open parenthesis",
            definition(b"`id` int;\n-- Dump completed\n"),
            1,
            "column ci_tags.id: cannot read the definition from",
        ),
        (
            "with a column without a type",
            definition(b"`id`);\n-- Dump completed\n"),
            1,
            "column ci_tags.id: ",
        ),
        (
            "with a name that is not UTF-8",
            definition(b"`\xff` int);\n-- Dump completed\n"),
            3,
            "a definition is not valid UTF-8",
        ),
    ]
}

fn wrong_rows() -> Vec<Dump> {
    vec![
        (
            "with a text that is not UTF-8",
            dump_of(b"INSERT INTO `ci_tags` VALUES (1,'a\xe2\x28\xa1');\n-- Dump completed\n"),
            1,
            "ci_tags row 1 (byte ",
        ),
        (
            "of a character set that is none",
            dump_of(b"/*!40101 SET NAMES klingon */;\n-- Dump completed\n"),
            1,
            "the character set klingon is not supported",
        ),
        (
            "with too few values",
            dump_of(b"INSERT INTO `ci_tags` VALUES (1,'a'),(2);\n-- Dump completed\n"),
            1,
            "ci_tags row 2 (byte ",
        ),
        (
            "with too many values",
            dump_of(b"INSERT INTO `ci_tags` VALUES (1,'a',3);\n-- Dump completed\n"),
            1,
            "ci_tags row 1 (byte ",
        ),
        (
            "with garbage between rows",
            dump_of(b"INSERT INTO `ci_tags` VALUES (1,'a')\x00\x01(2,'b');\n-- Dump completed\n"),
            1,
            "ci_tags row ",
        ),
        (
            "with a number that is none",
            dump_of(b"INSERT INTO `ci_tags` VALUES (1x,'a');\n-- Dump completed\n"),
            1,
            "ci_tags row 1 (byte ",
        ),
        (
            "with a number that is too large",
            dump_of(
                b"INSERT INTO `ci_tags` VALUES (99999999999999999999,'a');\n-- Dump completed\n",
            ),
            1,
            "ci_tags",
        ),
        (
            "with rows before their table",
            b"-- MySQL dump\nINSERT INTO `ci_tags` VALUES (1);\n-- Dump completed\n".to_vec(),
            1,
            "the dump has rows of ci_tags, but not its definition",
        ),
        (
            "with a table twice",
            dump_of(b"CREATE TABLE `ci_tags` (`id` int);\n-- Dump completed\n"),
            1,
            "the name ci_tags is defined twice",
        ),
    ]
}

fn large_dumps() -> Vec<Dump> {
    let many_columns = "`c` int,".repeat(6000) + "`c` int);";
    let many_words = "KEY (`a`),".repeat(40_000);
    let many_views: String = (0..10_001)
        .map(|n| format!("CREATE VIEW v{n} AS SELECT 1;"))
        .collect();
    let large_name = "n".repeat(3 << 20);
    vec![
        (
            "with too many columns",
            definition(many_columns.as_bytes()),
            1,
            "more than 5000 columns, keys and constraints",
        ),
        (
            "with too many words",
            definition(many_words.as_bytes()),
            3,
            IN_STATEMENT,
        ),
        (
            "with far too many words",
            definition(format!("{many_words}`a` int);").as_bytes()),
            3,
            "a definition has more than 100000 words",
        ),
        (
            "with a definition of 3 MiB",
            definition(format!("`{large_name}` int);").as_bytes()),
            3,
            "a definition has more than 2 MiB",
        ),
        (
            "with too many views",
            dump_of(many_views.as_bytes()),
            3,
            "more than 10000 views",
        ),
        (
            "with a database of a large name",
            dump_of(format!("USE `{}`;", "n".repeat(300)).as_bytes()),
            3,
            "a database has a name of more than 200 characters",
        ),
    ]
}

/// What is small here would not be small when it is read.
fn bombs() -> Vec<Case> {
    let (dump, traces) = (gzip(SMALL_DUMP), gzip(&small_traces()));
    let too_much =
        |member: &str| format!("{member}: it inflates to more than 200 times its size (byte 5368");
    let header = entry(b"1.log", EntryType::Regular, b"", |header| {
        header.set_size(600 << 20);
    });
    let trace = gzip_bomb(&header, 0, 600);
    let padding = gzip_bomb(&small_traces(), 0, 600);
    let gaps = gzip_bomb(&SMALL_DUMP[..20], b'\n', 600);
    // 17 MiB of what is no UTF-8, which takes three times the memory as text.
    let statement = gzip_bomb(&dump_of(b"/*!40101 CREATE VIEW "), 0xff, 32);
    let comment = gzip_bomb(&dump_of(b"/* "), 0xff, 32);
    let line = gzip_bomb(&dump_of(b"DELIMITER "), b'x', 32);
    let more_than_16 = "the dump has a statement of more than 16 MiB";
    let with_dump = |dump: &[u8]| members(dump, &traces, INFORMATION);
    vec![
        Case::new(
            "a trace of zeros",
            members(&dump, &trace, INFORMATION),
            3,
            too_much(TRACES),
        ),
        Case::new(
            "padding of zeros",
            members(&dump, &padding, INFORMATION),
            3,
            too_much(TRACES),
        ),
        Case::new("a dump of empty lines", with_dump(&gaps), 3, too_much(DUMP)),
        Case::new("a huge statement", with_dump(&statement), 3, more_than_16),
        Case::new("a huge comment", with_dump(&comment), 3, more_than_16),
        Case::new("a huge delimiter", with_dump(&line), 3, more_than_16),
    ]
}
