//! `ci-import convert`: a dump becomes a PostgreSQL dump, an archive an archive with one.

use std::io::Read;
use std::path::Path;

use super::import::report::Changes;
use crate::archive::{self, Compression};
use crate::cancellation::Halt;
use crate::dump::acceptance::Asked;
use crate::error::{Error, Result};
use crate::input::locate::{Located, locate};
use crate::input::open::Input;
use crate::input::source::Source;
use crate::output::{DumpWriter, Limits, OutputFile, convert_archive};
use crate::pipeline::reading::{Dump, ReadDump};
use crate::schema::policies::Policies;

/// Converts `source` to `output`, or to standard output. Returns what was changed on the way.
pub fn run(
    source: &Source,
    output: Option<&Path>,
    policies: &Policies,
    limits: &Limits,
    halt: &Halt,
) -> Result<Changes> {
    let located = locate(source)?;
    let output = OutputFile::create(output)?;
    let (tables, notes, facts) = halt.guard(|| match Input::open(&located, halt)? {
        Input::Dump {
            reader,
            compression,
            ..
        } => convert_dump(halt.watch(reader), compression, &output, policies, limits),
        Input::CompressedArchive(file) => {
            convert_archive(halt.watch(file.open()), output.writer()?, policies, limits)
        }
        Input::ArchivePipe(pipe) => {
            convert_archive(halt.watch(pipe), output.writer()?, policies, limits)
        }
        Input::ArchiveFile(_) => {
            let Located::Path(path) = &located else {
                return Err(Error::failed("an archive in a file has a name"));
            };
            let file = std::fs::File::open(path).map_err(|cause| {
                Error::usage(format!("cannot read {}: {cause}", path.display()))
            })?;
            let file = std::io::BufReader::with_capacity(archive::BLOCK_BYTES, file);
            convert_archive(halt.watch(file), output.writer()?, policies, limits)
        }
    })?;
    output.keep()?;
    let tables = tables
        .into_iter()
        .map(|written| (written.table.name, written.rows, written.tally));
    Ok(Changes {
        tables: tables.collect(),
        notes,
        facts,
    })
}

type Converted = (
    Vec<crate::output::WrittenTable>,
    Vec<crate::schema::Note>,
    crate::dump::Facts,
);

fn convert_dump(
    reader: impl Read,
    compression: Compression,
    output: &OutputFile,
    policies: &Policies,
    limits: &Limits,
) -> Result<Converted> {
    let name = "the dump";
    let writer = DumpWriter::start(output.writer()?, output.is_compressed(), &limits.resources)?;
    let dump = Dump {
        name,
        reader: &mut archive::decompressed_within(reader, compression, limits.max_inflation),
        asked: Asked::Conversion,
        policies: policies.clone(),
        accept: Box::new(|_| Ok(())),
        late_prefix: None,
    };
    let ReadDump {
        sink,
        mut notes,
        facts,
    } = dump.read_into(writer)?;
    let (tables, late) = sink.finish().map_err(|error| error.at(name))?;
    if tables.is_empty() {
        return Err(Error::archive("the dump holds no table"));
    }
    notes.extend(late);
    Ok((tables, notes, facts))
}
