//! Makes archives that GitLab CI would never make.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{EntryType, Header};

pub(crate) const INFORMATION: &[u8] = b":gitlab_version: 8.0.5\n";

/// The unit of a tar.
pub(crate) const BLOCK: usize = 512;

/// The end of a tar: two blocks of zeros.
pub(crate) const END: [u8; 2 * BLOCK] = [0; 2 * BLOCK];

/// An entry of a tar: name, kind, content.
pub(crate) type Entry<'a> = (&'a [u8], EntryType, &'a [u8]);

/// A tar with `entries`, whatever their names; without its end if `cut`.
pub(crate) fn tar(entries: &[Entry<'_>], cut: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, kind, content) in entries {
        bytes.extend(entry(name, *kind, content, |_| ()));
    }
    if !cut {
        bytes.extend(END);
    }
    bytes
}

/// The bytes of one entry; `spoil` may change its header before the checksum is made.
pub(crate) fn entry(
    name: &[u8],
    kind: EntryType,
    content: &[u8],
    spoil: impl FnOnce(&mut Header),
) -> Vec<u8> {
    let mut header = Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_entry_type(kind);
    header.set_mode(0o600);
    header.set_size(content.len() as u64);
    if kind.is_symlink() || kind.is_hard_link() {
        header.set_link_name("/etc/passwd").unwrap();
    }
    spoil(&mut header);
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
    bytes
}

/// The bytes of an entry whose name stands in a GNU header of its own.
pub(crate) fn long_entry(name: &[u8], kind: EntryType, content: &[u8]) -> Vec<u8> {
    let mut bytes = entry(b"././@LongLink", EntryType::GNULongName, name, |_| ());
    bytes.extend(entry(b"short", kind, content, |_| ()));
    bytes
}

/// The bytes of an entry whose name stands in a record of an extended header.
pub(crate) fn pax_entry(name: &[u8], kind: EntryType, content: &[u8]) -> Vec<u8> {
    let records = pax_record("path", name);
    let mut bytes = entry(b"PaxHeaders/x", EntryType::XHeader, &records, |_| ());
    bytes.extend(entry(b"short", kind, content, |_| ()));
    bytes
}

/// A record of an extended header; its length counts its own digits (POSIX.1-2008, pax).
pub(crate) fn pax_record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let length = (1..).map(|digits| rest + digits);
    let length = length
        .take(8)
        .find(|length| length.to_string().len() + rest == *length)
        .unwrap();
    let mut record = format!("{length} {key}=").into_bytes();
    record.extend_from_slice(value);
    record.push(b'\n');
    record
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    compressed(bytes, Compression::fast())
}

fn compressed(bytes: &[u8], level: Compression) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), level);
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A gzip file of `before` and `mebibytes` of `byte`, in many streams: made fast, and small.
pub(crate) fn gzip_bomb(before: &[u8], byte: u8, mebibytes: usize) -> Vec<u8> {
    const STREAM: usize = 16;
    let mut bytes = gzip(before);
    let stream = compressed(&vec![byte; STREAM << 20], Compression::best());
    for _ in 0..mebibytes / STREAM {
        bytes.extend_from_slice(&stream);
    }
    bytes
}

/// A dump of one small table of CI.
pub(crate) const SMALL_DUMP: &[u8] = b"-- MySQL dump 10.13\nCREATE TABLE `ci_tags` (\n  \
    `id` int(11) NOT NULL AUTO_INCREMENT,\n  `name` varchar(255),\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB;\n\
    INSERT INTO `ci_tags` VALUES (1,'a');\n-- Dump completed\n";

/// A tar of two traces, as GNU tar makes it.
pub(crate) fn small_traces() -> Vec<u8> {
    tar(
        &[
            (b"./", EntryType::Directory, b""),
            (b"./2015_10/", EntryType::Directory, b""),
            (b"./2015_10/1/", EntryType::Directory, b""),
            (b"./2015_10/1/1.log", EntryType::Regular, &[b'x'; 2000]),
            (b"./2015_10/1/2.log", EntryType::Regular, b"y"),
        ],
        false,
    )
}

/// A whole archive with these traces and this dump.
pub(crate) fn archive(traces: &[u8], dump: &[u8]) -> Vec<u8> {
    members(&gzip(dump), &gzip(traces), INFORMATION)
}

/// A whole archive whose members have these bytes.
pub(crate) fn members(database: &[u8], builds: &[u8], information: &[u8]) -> Vec<u8> {
    tar(
        &[
            (b"db/", EntryType::Directory, b""),
            (b"db/database.sql.gz", EntryType::Regular, database),
            (b"builds/", EntryType::Directory, b""),
            (b"builds/builds.tar.gz", EntryType::Regular, builds),
            (b"backup_information.yml", EntryType::Regular, information),
        ],
        false,
    )
}
