//! Archives and dumps that are not on this machine: in an object storage, on a web server.

mod azure;
mod faults;
mod measured;
mod memory;
mod outputs;
mod refusals;
mod s3;
mod traces;
mod web;

use std::sync::OnceLock;

use crate::support::archives::{archive, small_traces};

/// A dump whose rows do not compress to nothing, of so many MiB: it is read with several requests.
fn large_dump(mebibytes: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(7);
    let mut dump = b"-- MySQL dump 10.13\nCREATE TABLE `ci_tags` (\n  `id` int(11) NOT NULL,\n  \
        `name` text,\n  PRIMARY KEY (`id`)\n);\n"
        .to_vec();
    let mut id = 0;
    while dump.len() < mebibytes << 20 {
        dump.extend_from_slice(b"INSERT INTO `ci_tags` VALUES ");
        for row in 0..100 {
            id += 1;
            let text: String = std::iter::repeat_with(|| random.alphanumeric())
                .take(200)
                .collect();
            let comma = if row == 0 { "" } else { "," };
            dump.extend_from_slice(format!("{comma}({id},'{text}')").as_bytes());
        }
        dump.extend_from_slice(b";\n");
    }
    dump.extend_from_slice(b"-- Dump completed\n");
    dump
}

/// An archive with such a dump.
fn large_archive() -> &'static [u8] {
    static ARCHIVE: OnceLock<Vec<u8>> = OnceLock::new();
    ARCHIVE.get_or_init(|| archive(&small_traces(), &large_dump(12)))
}
