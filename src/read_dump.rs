//! Reads a dump in one thread, and scans and converts it in another.

use std::io::Read;
use std::sync::mpsc::{channel, sync_channel};

use crate::archive::for_each_block;
use crate::convert::{Converter, Sink};
use crate::dump::{Facts, Reader};
use crate::error::{Error, Result};

/// How many blocks may wait for the scanner.
const BLOCKS_IN_FLIGHT: usize = 4;

/// Reads all of `input`, a dump that errors call `name`, into `converter`. `judge` sees its
/// beginning first. Of several databases the one named is taken.
pub fn read_dump<S: Sink + Send>(
    name: &str,
    input: &mut dyn Read,
    converter: Converter<S>,
    database: Option<String>,
    judge: impl Fn(&[u8]) -> Result<()>,
) -> Result<(Converter<S>, Facts)> {
    let (blocks, scanned) = sync_channel::<Vec<u8>>(BLOCKS_IN_FLIGHT);
    let (give_back, spare) = channel();
    std::thread::scope(|scope| {
        let scanning = scope.spawn(move || {
            let mut reader = Reader::new(converter, database);
            for block in scanned {
                reader.feed(&block)?;
                let _ = give_back.send(block);
            }
            Ok(reader)
        });
        let mut is_first = true;
        let read = for_each_block(name, input, |block| {
            if std::mem::take(&mut is_first) {
                judge(&block).map_err(|error| error.at(name))?;
            }
            let taken = blocks.send(block).is_ok();
            // If the scanner has stopped, its own error says why.
            taken
                .then(|| spare.try_recv().ok())
                .ok_or_else(|| Error::failed("stopped"))
        });
        drop(blocks);
        let reader = scanning
            .join()
            .unwrap_or_else(|_| Err(Error::failed("scanning the dump crashed")));
        let reader = reader.map_err(|error: Error| error.at(name))?;
        if read? == 0 {
            return Err(Error::archive("it is empty").at(name));
        }
        reader.finish().map_err(|error| error.at(name))
    })
}
