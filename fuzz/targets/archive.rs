//! An archive through a pipe, and a tar of traces: no crash, nothing without bounds.
#![no_main]

use std::io::Read;

use ci_import::archive::{self, Compression, Visitor};
use ci_import::error::Result;
use ci_import::traces;
use libfuzzer_sys::fuzz_target;

struct Nobody;

impl Visitor for Nobody {
    fn database(&mut self, reader: &mut dyn Read, _: u64) -> Result<()> {
        let mut inflated = archive::inflated(reader).take(1 << 20);
        archive::for_each_block("db", &mut inflated, |block| Ok(Some(block))).map(|_| ())
    }

    fn builds(&mut self, reader: &mut dyn Read, _: u64) -> Result<()> {
        traces::survey(&mut archive::inflated(reader).take(1 << 20)).map(|_| ())
    }

    fn information(&mut self, content: &[u8]) -> Result<()> {
        ci_import::gitlab::information::parse(content).map(|_| ())
    }
}

fuzz_target!(|data: &[u8]| {
    let _ = archive::kind_of_input(data);
    let _ = archive::read_pipe(data, &mut Nobody, 65_536);
    let whole = archive::whole(data, Compression::of(data));
    let _ = archive::read_pipe(whole.take(1 << 20), &mut Nobody, 65_536);
    let _ = traces::survey(&mut &*data);
});
