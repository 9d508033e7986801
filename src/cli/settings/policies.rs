//! The policies of a conversion, as they are named.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::cli::arguments::ConversionArgs;
use crate::dump::Databases;
use crate::error::{Error, Result};
use crate::rows::{ValuePolicies, local_time_zone};
use crate::schema::Map;
use crate::schema::policies::{
    ColumnPolicies, Extension, GeneratedSupport, Policies, Policy, Timestamps,
};

/// A mapping file is not longer: it has a few lines for each column of a database.
const MAX_MAP_BYTES: u64 = 16 << 20;

/// The policies from the arguments.
pub fn policies(arguments: ConversionArgs) -> Result<Policies> {
    let skip_columns = arguments.skip_column.iter().map(|name| {
        let parts = name.split_once('.');
        parts
            .map(|(table, column)| (table.to_owned(), column.to_owned()))
            .ok_or_else(|| Error::usage(format!("--skip-column {name}: name it as TABLE.COLUMN")))
    });
    let map = arguments.map.as_deref().map(read_map).transpose()?;
    let map = map.unwrap_or_default();
    if map.has_databases() && !arguments.databases_to_schemas {
        return Err(
            Error::usage("--map: its [databases] are for dumps of several databases").hint(
                "add --databases-to-schemas; the schema of a single database is named by --schema",
            ),
        );
    }
    let is_local = arguments.timestamps == Timestamps::Local
        || map.has_policy(Policy::Timestamps(Timestamps::Local));
    if is_local && local_time_zone().is_none() {
        let named = std::env::var("TZ").unwrap_or_default();
        return Err(Error::usage(format!(
            "timestamps local: the time zone of this machine (TZ={named:?}) is not known"
        ))
        .hint(
            "set TZ to a name of the time zone database, which the package tzdata has (Europe/Berlin), or to the \
             rules of POSIX (CET-1CEST,M3.5.0,M10.5.0/3)",
        ));
    }
    Ok(Policies {
        columns: ColumnPolicies {
            values: ValuePolicies {
                zero_dates: arguments.zero_dates,
                invalid_dates: arguments.invalid_dates,
                nul: arguments.nul,
                invalid_utf8: arguments.invalid_utf8,
            },
            tinyint1: arguments.tinyint1,
            enums: arguments.enums,
            time: arguments.time,
            timestamps: arguments.timestamps,
            on_update: arguments.on_update,
            generated: arguments.generated,
            geometry: arguments.geometry,
            vectors: arguments.vector,
        },
        map: map.into(),
        skip_columns: skip_columns.collect::<Result<_>>()?,
        skip_tables: arguments.skip_table,
        only_tables: arguments.only_table,
        databases: match arguments.from_database {
            _ if arguments.databases_to_schemas => Databases::All,
            Some(name) => Databases::Named(name),
            None => Databases::Single,
        },
        skip_unsupported: false,
        generated_support: GeneratedSupport::default(),
        postgis: Extension::default(),
        pgvector: Extension::default(),
        settles: false,
    })
}

/// The mapping file at `path`.
fn read_map(path: &Path) -> Result<Map> {
    let shown = format!("--map {}", path.display());
    let mut text = String::new();
    let file = File::open(path);
    let read = file.and_then(|file| file.take(MAX_MAP_BYTES + 1).read_to_string(&mut text));
    read.map_err(|cause| Error::usage(format!("cannot read it: {cause}")).at(&shown))?;
    if text.len() as u64 > MAX_MAP_BYTES {
        let what = format!("it is longer than {} MiB", MAX_MAP_BYTES >> 20);
        return Err(Error::usage(what).at(&shown));
    }
    Map::parse(&text).map_err(|error| error.at(&shown))
}

/// The policies for tables that go to `schema`, if one is named.
pub(super) fn policies_for(arguments: ConversionArgs, schema: Option<&str>) -> Result<Policies> {
    match schema {
        Some(schema) if arguments.databases_to_schemas => Err(Error::usage(format!(
            "--schema {schema} is not possible with --databases-to-schemas"
        ))
        .hint("--from-database NAME imports one database into that schema")),
        _ => policies(arguments),
    }
}
