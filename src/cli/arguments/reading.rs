//! `convert` and `inspect`, which need no database.

use std::path::PathBuf;

use clap::Args;

use super::{ArchiveArgs, ConversionArgs, InflationArgs};

/// The arguments of `convert`.
#[derive(Debug, Args)]
pub struct ConvertArgs {
    /// The input
    #[command(flatten)]
    pub archive: ArchiveArgs,
    /// The output file, compressed if its name ends in .gz; "-" for standard output
    ///
    /// It may be an object in an object storage: s3://BUCKET/KEY, gs://…, az://….
    #[arg(long, short, value_name = "OUTPUT")]
    pub output: Option<PathBuf>,
    /// Replace the object of --output, if it exists; a file is always replaced
    #[arg(long, requires = "output")]
    pub overwrite: bool,
    /// The memory limit of the conversion, in MiB [default: 128]
    #[arg(long, value_name = "MIB")]
    pub memory: Option<u64>,
    /// The limit of inflation
    #[command(flatten)]
    pub inflation: InflationArgs,
    /// Convert MySQL to PostgreSQL; always on, as it is the only conversion
    #[arg(long)]
    pub mysql_to_postgresql: bool,
    /// Print only errors
    #[arg(long, short)]
    pub quiet: bool,
    /// How values and types are converted
    #[command(flatten)]
    pub conversion: ConversionArgs,
}

/// The arguments of `inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// The input
    #[command(flatten)]
    pub archive: ArchiveArgs,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
    /// The memory limit, in MiB [default: 128]
    #[arg(long, value_name = "MIB")]
    pub memory: Option<u64>,
    /// Which database to inspect, if the dump has several
    #[arg(long, value_name = "NAME")]
    pub from_database: Option<String>,
    /// Print only the options that an import needs, and what each of them changes
    #[arg(long)]
    pub suggest: bool,
    /// Write a mapping file for --map with what --suggest finds, for each column; "-" for standard output
    #[arg(
        long,
        short,
        value_name = "FILE",
        requires = "suggest",
        conflicts_with = "json"
    )]
    pub output: Option<PathBuf>,
    /// The limit of inflation
    #[command(flatten)]
    pub inflation: InflationArgs,
}
