//! Makes archives that GitLab CI would never make.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{EntryType, Header};

pub(crate) const INFORMATION: &[u8] = b":gitlab_version: 8.0.5\n";

/// An entry of a tar: name, kind, content.
pub(crate) type Entry<'a> = (&'a [u8], EntryType, &'a [u8]);

/// A tar with `entries`, whatever their names; without its end if `cut`.
pub(crate) fn tar(entries: &[Entry<'_>], cut: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, kind, content) in entries {
        let mut header = Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name);
        header.set_entry_type(*kind);
        header.set_mode(0o600);
        header.set_size(content.len() as u64);
        if kind.is_symlink() || kind.is_hard_link() {
            header.set_link_name("/etc/passwd").unwrap();
        }
        header.set_cksum();
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(content);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    if !cut {
        bytes.resize(bytes.len() + 1024, 0);
    }
    bytes
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A dump of one small table of CI.
pub(crate) const SMALL_DUMP: &[u8] = b"-- MySQL dump 10.13\nCREATE TABLE `ci_tags` (\n  \
    `id` int(11) NOT NULL AUTO_INCREMENT,\n  `name` varchar(255),\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB;\n\
    INSERT INTO `ci_tags` VALUES (1,'a');\n-- Dump completed\n";

/// A whole archive with these traces and this dump.
pub(crate) fn archive(traces: &[u8], dump: &[u8]) -> Vec<u8> {
    tar(
        &[
            (b"db/", EntryType::Directory, b""),
            (b"db/database.sql.gz", EntryType::Regular, &gzip(dump)),
            (b"builds/", EntryType::Directory, b""),
            (b"builds/builds.tar.gz", EntryType::Regular, &gzip(traces)),
            (b"backup_information.yml", EntryType::Regular, INFORMATION),
        ],
        false,
    )
}
