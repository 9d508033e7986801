use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;

use super::*;

/// How an entry is written.
#[derive(Clone, Copy)]
struct Form {
    is_stored: bool,
    flags: u16,
    /// Whether the sizes have 64 bits.
    is_64: bool,
    /// Whether the descriptor has a signature.
    is_signed: bool,
}

const PLAIN: Form = Form {
    is_stored: false,
    flags: 0,
    is_64: false,
    is_signed: true,
};

const WITH_DESCRIPTOR: Form = Form {
    flags: HAS_DESCRIPTOR,
    ..PLAIN
};

fn checksum(content: &[u8]) -> u32 {
    let mut checksum = Crc::new();
    checksum.update(content);
    checksum.sum()
}

fn entry(name: &str, content: &[u8], form: Form) -> Vec<u8> {
    let compressed = if form.is_stored {
        content.to_vec()
    } else {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    };
    let checksum = checksum(content);
    let sizes = [compressed.len() as u64, content.len() as u64];
    let has_descriptor = form.flags & HAS_DESCRIPTOR != 0;
    let mut bytes = MAGIC.to_vec();
    bytes.extend([20, 0]);
    bytes.extend(form.flags.to_le_bytes());
    bytes.extend([if form.is_stored { 0 } else { 8 }, 0, 0, 0, 0, 0]);
    bytes.extend(if has_descriptor { 0 } else { checksum }.to_le_bytes());
    for size in sizes {
        let short = u32::try_from(size).unwrap();
        let written = match form {
            Form { is_64: true, .. } => SIZE_64,
            _ if has_descriptor && !form.is_stored => 0,
            _ => short,
        };
        bytes.extend(written.to_le_bytes());
    }
    bytes.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
    // An unknown extra field stands before that of the sizes.
    let mut extra = vec![0x55, 0x54, 1, 0, 7];
    if form.is_64 {
        extra.extend([1, 0, 16, 0]);
        for size in [sizes[1], sizes[0]] {
            extra.extend(if has_descriptor { 0 } else { size }.to_le_bytes());
        }
    }
    bytes.extend(u16::try_from(extra.len()).unwrap().to_le_bytes());
    bytes.extend(name.as_bytes());
    bytes.extend(extra);
    bytes.extend(compressed);
    if has_descriptor {
        if form.is_signed {
            bytes.extend(DATA_DESCRIPTOR.to_le_bytes());
        }
        bytes.extend(checksum.to_le_bytes());
        for size in sizes {
            if form.is_64 {
                bytes.extend(size.to_le_bytes());
            } else {
                bytes.extend(u32::try_from(size).unwrap().to_le_bytes());
            }
        }
    }
    bytes
}

/// The directory behind the entries: as much as is read of it.
fn directory(count: usize, is_64: bool, comment: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..count {
        bytes.extend(CENTRAL_HEADER.to_le_bytes());
        let mut fixed = [0; 42];
        fixed[24] = 5;
        fixed[26] = 2;
        bytes.extend(fixed);
        bytes.extend(b"a.sqlxx");
    }
    if is_64 {
        bytes.extend(END_64.to_le_bytes());
        bytes.extend(44u64.to_le_bytes());
        bytes.extend([0; 44]);
        bytes.extend(LOCATOR_64.to_le_bytes());
        bytes.extend([0; 16]);
    }
    bytes.extend(END.to_le_bytes());
    bytes.extend([0; 16]);
    bytes.extend(u16::try_from(comment.len()).unwrap().to_le_bytes());
    bytes.extend(comment);
    bytes
}

fn read(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    let buffered = io::BufReader::with_capacity(7, bytes);
    Zip::new(buffered)
        .read_to_end(&mut content)
        .map(|_| content)
}

fn fails(bytes: &[u8], expected: &str) {
    let error = read(bytes).expect_err("an error");
    assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{error}");
    assert!(error.to_string().contains(expected), "{error}");
}

const CONTENT: &[u8] = b"CREATE TABLE t (id int); -- PK\x03\x04 PK\x07\x08";

#[test]
fn each_form_of_an_entry() {
    for is_stored in [false, true] {
        for flags in [0, HAS_DESCRIPTOR, 1 << 11] {
            for is_64 in [false, true] {
                for is_signed in [false, true] {
                    let form = Form {
                        is_stored,
                        flags,
                        is_64,
                        is_signed,
                    };
                    if is_stored && is_64 && flags == HAS_DESCRIPTOR {
                        continue;
                    }
                    for content in [CONTENT, b""] {
                        if is_stored && content.is_empty() && flags == HAS_DESCRIPTOR {
                            continue;
                        }
                        let bytes = [entry("a.sql", content, form), directory(1, is_64, b"")];
                        let found = read(&bytes.concat());
                        let shown = format!("{is_stored} {flags} {is_64} {is_signed}");
                        assert_eq!(found.expect(&shown), content, "{shown}");
                    }
                }
            }
        }
    }
}

#[test]
fn folders_and_what_macos_adds_are_passed_over() {
    let stored = Form {
        is_stored: true,
        ..PLAIN
    };
    let bytes = [
        entry("backup/", b"", stored),
        entry("__MACOSX/backup/._a.sql", b"of the Finder", WITH_DESCRIPTOR),
        entry("backup/a.sql", CONTENT, WITH_DESCRIPTOR),
        entry("__MACOSX/._backup", b"of the Finder", PLAIN),
        directory(4, false, b"made by hand"),
    ];
    assert_eq!(read(&bytes.concat()).expect("one file"), CONTENT);
}

#[test]
fn what_is_refused_is_named() {
    let end = directory(1, false, b"");
    let with = |form| [entry("a.sql", CONTENT, form), end.clone()].concat();
    let two = [
        entry("a.sql", CONTENT, PLAIN),
        entry("b\n.sql", CONTENT, PLAIN),
        end.clone(),
    ];
    fails(
        &two.concat(),
        "the ZIP archive has several files: \"a.sql\" and \"b\\n.sql\"",
    );
    fails(&end, "the ZIP archive has no file");
    fails(
        &[entry("a/", b"", PLAIN), end.clone()].concat(),
        "the ZIP archive has no file",
    );
    fails(
        &with(Form {
            flags: ENCRYPTED,
            ..PLAIN
        }),
        "the file in the ZIP archive is encrypted",
    );
    fails(
        &[
            entry(
                "a.sql",
                b"",
                Form {
                    is_stored: true,
                    ..WITH_DESCRIPTOR
                },
            ),
            end.clone(),
        ]
        .concat(),
        "is stored without its size",
    );
    let mut method = with(PLAIN);
    method[8] = 12;
    fails(&method, "has the compression method 12, not 8 (deflate)");
    for form in [PLAIN, WITH_DESCRIPTOR] {
        let mut bytes = entry("a.sql", CONTENT, form);
        // The checksum, and the size behind it.
        let at = if form.flags == 0 {
            14
        } else {
            bytes.len() - 12
        };
        bytes[at] ^= 1;
        fails(
            &[&bytes[..], &end].concat(),
            "the checksum of the file is another one",
        );
        bytes[at] ^= 1;
        bytes[at + 4] ^= 1;
        fails(
            &[&bytes[..], &end].concat(),
            "the size of the file is not the one",
        );
    }
    fails(
        &[with(PLAIN), b"x".to_vec()].concat(),
        "other bytes follow the end of the ZIP archive",
    );
    fails(
        &[entry("a.sql", CONTENT, PLAIN), b"garbage".to_vec()].concat(),
        "a record of the ZIP archive has an unknown signature",
    );
}

#[test]
fn what_is_cut_is_truncated() {
    for form in [
        PLAIN,
        WITH_DESCRIPTOR,
        Form {
            is_64: true,
            ..WITH_DESCRIPTOR
        },
    ] {
        let whole = [
            entry("a.sql", CONTENT, form),
            directory(1, form.is_64, b"xy"),
        ]
        .concat();
        for cut in 0..whole.len() {
            let error = read(&whole[..cut]).expect_err("it is cut");
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{cut}: {error}");
        }
    }
}
