//! Makes a tar of the members of an unpacked archive, as a stream.

use std::io::{self, Cursor, Read};

use tar::{EntryType, Header};

use super::extent::Extent;
use super::member::Member;

/// The unit of a tar.
const BLOCK_BYTES: u64 = 512;

/// The members as a tar, in the order of GitLab CI.
pub(super) fn as_tar(members: &[Extent; 3], times: &[u64; 3]) -> Box<dyn Read + Send> {
    let mut tar: Box<dyn Read + Send> = Box::new(io::empty());
    for member in Member::ALL {
        let (extent, time) = (members[member as usize].clone(), times[member as usize]);
        if let Some((directory, _)) = member.name().split_once('/') {
            let header = header(&format!("{directory}/"), EntryType::Directory, 0, time);
            tar = Box::new(tar.chain(Cursor::new(header)));
        }
        let size = extent.remaining();
        let padding = size.next_multiple_of(BLOCK_BYTES) - size;
        let header = header(member.name(), EntryType::Regular, size, time);
        let content = Cursor::new(header).chain(extent.read_through());
        tar = Box::new(tar.chain(content).chain(io::repeat(0).take(padding)));
    }
    Box::new(tar.chain(io::repeat(0).take(2 * BLOCK_BYTES)))
}

fn header(name: &str, kind: EntryType, size: u64, time: u64) -> [u8; 512] {
    let mut header = Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_mode(if kind == EntryType::Directory {
        0o700
    } else {
        0o600
    });
    header.set_size(size);
    header.set_mtime(time);
    header.set_uid(0);
    header.set_gid(0);
    header.set_cksum();
    *header.as_bytes()
}
