//! `ci-import convert`: converts a dump to a PostgreSQL dump, or an archive to an archive with such a dump.

use std::io::Read;
use std::path::Path;

use super::import::report::Changes;
use crate::cancellation::Cancellation;
use crate::error::{Error, Result};
use crate::input::locate::locate;
use crate::input::members::{DUMP, Stream};
use crate::input::open::Input;
use crate::input::packing::{Packing, unpacked};
use crate::input::source::Source;
use crate::output::{Converted, Limits, OutputFile, convert_archive, convert_dump};
use crate::schema::policies::Policies;
use crate::storage::Writing;
use crate::ui::progress::Progress;

/// Converts `source` to `output`, or to standard output; an object is written as `writing` says. Returns the changes.
pub fn run(
    source: &Source,
    (output, writing): (Option<&Path>, &Writing),
    policies: &Policies,
    limits: &Limits,
    progress: &Progress,
    cancellation: &Cancellation,
) -> Result<Changes> {
    let located = locate(source)?;
    let output = OutputFile::create_anywhere(output, writing)?;
    let (tables, notes, facts) = cancellation.guard(|| {
        let input = Input::open(&located, progress, cancellation)?;
        match input.into_stream(cancellation) {
            Stream::Archive(tar) => {
                let meter = progress.member("converting the archive", 0, "");
                convert_archive(meter.watch(tar), output.writer()?, policies, limits)
            }
            Stream::Dump(reader, packing, size) => {
                let meter = progress.member("converting the dump", size, "");
                let reader = meter.watch(reader);
                convert_plain(reader, packing, &output, policies, limits)
            }
        }
    })?;
    output.keep()?;
    let tables = tables
        .into_iter()
        .map(|written| (written.table.shown(), written.rows, written.tally));
    Ok(Changes {
        tables: tables.collect(),
        notes,
        facts,
    })
}

fn convert_plain(
    reader: impl Read,
    packing: Packing,
    output: &OutputFile,
    policies: &Policies,
    limits: &Limits,
) -> Result<Converted> {
    let mut reader = unpacked(reader, packing, limits.max_inflation);
    let converted = convert_dump(
        (DUMP, &mut reader),
        output.writer()?,
        output.is_compressed(),
        policies.clone(),
        |_| Ok(()),
        limits,
    )?;
    if converted.0.is_empty() {
        return Err(Error::archive("the dump holds no table"));
    }
    Ok(converted)
}
