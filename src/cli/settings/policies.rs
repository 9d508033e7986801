//! The policies of a conversion, as they are named.

use crate::cli::arguments::ConversionArgs;
use crate::dump::Databases;
use crate::error::{Error, Result};
use crate::rows::{ValuePolicies, local_time_zone};
use crate::schema::policies::{Extension, GeneratedSupport, Policies, Timestamps};

/// The policies from the arguments.
pub fn policies(arguments: ConversionArgs) -> Result<Policies> {
    let skip_columns = arguments.skip_column.iter().map(|name| {
        let parts = name.split_once('.');
        parts
            .map(|(table, column)| (table.to_owned(), column.to_owned()))
            .ok_or_else(|| Error::usage(format!("--skip-column {name}: name it as TABLE.COLUMN")))
    });
    if arguments.timestamps == Timestamps::Local && local_time_zone().is_none() {
        let named = std::env::var("TZ").unwrap_or_default();
        return Err(Error::usage(format!(
            "--timestamps local: the time zone of this machine (TZ={named:?}) is not known"
        ))
        .hint(
            "set TZ to a name of the time zone database, which the package tzdata has (Europe/Berlin), or to the \
             rules of POSIX (CET-1CEST,M3.5.0,M10.5.0/3)",
        ));
    }
    Ok(Policies {
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
        skip_columns: skip_columns.collect::<Result<_>>()?,
        skip_tables: arguments.skip_table,
        only_tables: arguments.only_table,
        databases: match arguments.from_database {
            _ if arguments.databases_to_schemas => Databases::All,
            Some(name) => Databases::Named(name),
            None => Databases::Single,
        },
        skip_unsupported: false,
        generated: arguments.generated,
        generated_support: GeneratedSupport::default(),
        geometry: arguments.geometry,
        postgis: Extension::default(),
        vectors: arguments.vector,
        pgvector: Extension::default(),
        settles: false,
    })
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
