//! What is read: an archive or a dump, and the limits for it.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::{PathBufValueParser, TypedValueParser as _};

use crate::archive::DEFAULT_MAX_INFLATION;
use crate::cli::guesses::hint_for;
use crate::input::source::Named;
use crate::storage::DEFAULT_SECONDS;

/// An archive or a dump.
#[derive(Debug, Args)]
pub struct ArchiveArgs {
    /// A backup archive, a MySQL or PostgreSQL dump, or a folder of these; "-" for a pipe
    ///
    /// It may be in an object storage or on a web server: s3://BUCKET/KEY, gs://…, az://…, https://…. A bucket, or a
    /// prefix that ends with a slash, is as a folder of archives.
    ///
    /// An archive is EPOCH_gitlab_ci_backup.tar, or the folder that it was unpacked to. A dump may be a folder that
    /// mydumper, dumpling, MySQL Shell or mysqldump has written.
    ///
    /// Archives and dumps may be compressed with gzip, bzip2, xz or zstd, or be the only file in a ZIP archive. The
    /// compression is detected from the content, not from the name.
    ///
    /// Several dumps of MySQL are read as one, in this order: schema.sql data.sql.gz.
    #[arg(value_name = "ARCHIVE", value_parser = PathBufValueParser::new().try_map(input_path))]
    pub archive: Vec<PathBuf>,
    /// Which archive of the folder to use (also with BACKUP=EPOCH in the environment)
    #[arg(long, value_name = "EPOCH")]
    pub backup: Option<String>,
    /// The object storage, if it is there
    #[command(flatten)]
    pub storage: StorageArgs,
}

/// How an object storage is used.
#[derive(Debug, Clone, Copy, Args)]
pub struct StorageArgs {
    /// How long a request to an object storage or a web server is tried
    #[arg(long, value_name = "SECONDS", default_value_t = StorageArgs::default().storage_timeout)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub storage_timeout: u32,
}

impl Default for StorageArgs {
    fn default() -> StorageArgs {
        StorageArgs {
            storage_timeout: DEFAULT_SECONDS,
        }
    }
}

impl StorageArgs {
    /// How long a request is tried.
    #[must_use]
    pub fn timeout(self) -> Duration {
        Duration::from_secs(self.storage_timeout.into())
    }
}

impl From<ArchiveArgs> for Named {
    fn from(arguments: ArchiveArgs) -> Named {
        Named {
            archives: arguments.archive,
            backup: arguments.backup,
            timeout: arguments.storage.timeout(),
        }
    }
}

/// The path of an input. Variables of GitLab's rake tasks are none (`force=yes`); they get a hint.
fn input_path(path: PathBuf) -> Result<PathBuf, String> {
    let text = path.to_string_lossy();
    let is_variable = text.contains('=') && !text.starts_with("BACKUP=");
    if is_variable && hint_for(&text).is_some() && !path.exists() {
        return Err("it is a variable of GitLab's tasks, not a file".to_owned());
    }
    Ok(path)
}

/// The limit of inflation of an archive or dump.
#[derive(Debug, Clone, Copy, Args)]
pub struct InflationArgs {
    /// The largest ratio by which the dump or the traces may inflate; the first 512 MiB are not limited
    #[arg(long, value_name = "RATIO", default_value_t = DEFAULT_MAX_INFLATION)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub max_inflation: u32,
}
