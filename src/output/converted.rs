//! Converts one dump, wherever it comes from.

use std::io::{Read, Write};

use super::dump::{DumpWriter, WrittenTable};
use super::limits::Limits;
use crate::dump::Facts;
use crate::dump::acceptance::Asked;
use crate::error::Result;
use crate::pipeline::converter::Accept;
use crate::pipeline::reading::{Dump, ReadDump};
use crate::schema::Note;
use crate::schema::policies::Policies;

/// The tables of the dump, notes of what came out differently, and what the dump says about itself.
pub type Converted = (Vec<WrittenTable>, Vec<Note>, Facts);

/// Converts the dump that `reader` reads, called `name` in errors, and writes it to `out`. `accept` refuses tables by their
/// names.
pub fn convert_dump(
    (name, reader): (&'static str, &mut dyn Read),
    out: Box<dyn Write + Send>,
    is_compressed: bool,
    policies: Policies,
    accept: fn(&str) -> Result<()>,
    limits: &Limits,
) -> Result<Converted> {
    let writer = DumpWriter::start(out, is_compressed, &limits.resources)?;
    let dump = Dump {
        name,
        reader,
        asked: Asked::Conversion,
        policies,
        accept: Accept::by(move |_, table| accept(table)),
        late_prefix: None,
        limits: limits.resources.dump,
    };
    let ReadDump {
        sink,
        mut notes,
        facts,
    } = dump.read_into(writer)?;
    let (tables, late) = sink.finish().map_err(|error| error.at(name))?;
    notes.extend(late);
    Ok((tables, notes, facts))
}
