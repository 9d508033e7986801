//! An archive through a pipe, and a tar of traces: no crash, nothing without bounds.
#![no_main]

use std::io::Read;

use ci_import::archive::{self, Compression, PassingMember};
use ci_import::error::Result;
use ci_import::gitlab::information;
use ci_import::traces;
use libfuzzer_sys::fuzz_target;

fn take(member: PassingMember<'_>) -> Result<()> {
    match member {
        PassingMember::Database { reader, .. } => {
            let mut inflated = archive::inflated(reader).take(1 << 20);
            archive::for_each_block("db", &mut inflated, |block| Ok(Some(block))).map(|_| ())
        }
        PassingMember::Builds { reader, .. } => {
            traces::survey(&mut archive::inflated(reader).take(1 << 20)).map(|_| ())
        }
        PassingMember::Information(content) => information::parse(content).map(|_| ()),
    }
}

fuzz_target!(|data: &[u8]| {
    let _ = archive::kind_of_input(data);
    let _ = archive::read_pipe(data, 65_536, take);
    let whole = archive::decompressed_archive(data, Compression::of(data));
    let _ = archive::read_pipe(whole.take(1 << 20), 65_536, take);
    let _ = traces::survey(&mut &*data);
});
