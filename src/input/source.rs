//! The archive or dump that the user names.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::storage::{self, ObjectUrl};

/// The source of the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A path: a file, a folder of archives, or something else.
    Path {
        /// The path.
        path: PathBuf,
        /// The selected archive of a folder.
        wanted: Option<Wanted>,
    },
    /// Several files, which are read as one dump.
    Several(Vec<PathBuf>),
    /// An object in an object storage, a bucket or prefix with archives, or a file of a web server.
    Object {
        /// Its URL.
        url: ObjectUrl,
        /// The selected archive of a bucket or prefix.
        wanted: Option<Wanted>,
        /// How long a request is tried.
        timeout: Duration,
    },
    /// Standard input.
    Stdin,
}

/// The selected archive of a folder: the epoch in its name, and how it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// By `--backup`.
    Option(String),
    /// By `BACKUP` in the environment, as GitLab's own tasks take it.
    Environment(String),
}

impl Wanted {
    /// The epoch.
    #[must_use]
    pub fn epoch(&self) -> &String {
        match self {
            Wanted::Option(epoch) | Wanted::Environment(epoch) => epoch,
        }
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wanted::Option(epoch) => write!(f, "--backup {epoch}"),
            Wanted::Environment(epoch) => write!(f, "BACKUP={epoch} of the environment"),
        }
    }
}

/// How a source is named on the command line.
#[derive(Debug)]
pub struct Named {
    /// The archive or dump, or several dumps.
    pub archives: Vec<PathBuf>,
    /// `--backup`.
    pub backup: Option<String>,
    /// `--storage-timeout`.
    pub timeout: Duration,
}

/// An input as people may see it: of a URL without what may be secret.
#[must_use]
pub fn shown(input: &Path) -> String {
    match input.to_str().and_then(ObjectUrl::parse) {
        Some(Ok(url)) => url.to_string(),
        Some(Err(_)) => "a URL".to_owned(),
        None => input.display().to_string(),
    }
}

/// Whether `path` is an argument of GitLab's rake task: `BACKUP=EPOCH`.
fn is_rake_backup(path: &Path) -> bool {
    let text = path.as_os_str().to_string_lossy();
    text.starts_with("BACKUP=") && !path.exists()
}

/// The error for an input that is the URL of a database, as pgloader takes it. It does not show the URL, which may
/// have a password.
#[must_use]
pub fn refuse_url(text: &str) -> Option<Error> {
    let (scheme, _) = text.split_once("://")?;
    let is = |names: &[&str]| names.iter().any(|name| scheme.eq_ignore_ascii_case(name));
    let error = Error::usage(format!(
        "{}://… names a database; the input must be an archive or a dump",
        scheme.escape_debug()
    ));
    if is(&["mysql", "mysql2", "mariadb"]) {
        return Some(error.hint(
            "dump it: mysqldump --single-transaction DATABASE | ci-import - --database-url URL, with the URL of the \
             target",
        ));
    }
    if is(&["postgresql", "postgres", "pgsql"]) {
        return Some(error.hint("--database-url URL names the target"));
    }
    None
}

impl Source {
    /// The source that is `named`, or selected by the environment. `variable` looks up a variable.
    pub fn named(
        named: impl Into<Named>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Source> {
        let Named {
            mut archives,
            backup,
            timeout,
        } = named.into();
        if archives.len() > 1 {
            return Source::several(archives, backup);
        }
        let archive = archives.pop();
        let option = backup.map(Wanted::Option);
        let from_environment = || variable("BACKUP").filter(|value| !value.is_empty());
        let wanted = option.or_else(|| from_environment().map(Wanted::Environment));
        match (archive, wanted) {
            (Some(path), Some(wanted @ Wanted::Option(_))) if path.as_os_str() == "-" => {
                Err(Error::usage(format!(
                    "{wanted} selects an archive in a folder, but \"-\" is a pipe"
                ))
                .hint("name the folder, or omit --backup"))
            }
            (Some(path), _) if path.as_os_str() == "-" => Ok(Source::Stdin),
            (Some(path), _) if is_rake_backup(&path) => Err(Error::usage(format!(
                "{} is no archive, and no such file exists",
                path.display()
            ))
            .hint("name the folder of the archives, and add --backup EPOCH")),
            (Some(path), wanted) => {
                let text = path.to_str().filter(|_| !path.exists());
                if let Some(url) = text.and_then(ObjectUrl::parse) {
                    return Ok(Source::Object {
                        url: url?,
                        wanted,
                        timeout,
                    });
                }
                match text.and_then(refuse_url) {
                    Some(refused) => Err(refused),
                    None => Ok(Source::Path { path, wanted }),
                }
            }
            (None, Some(wanted)) => Err(Error::usage(format!(
                "{wanted} needs a folder of archives"
            ))
            .hint(
                "GitLab's own is /var/opt/gitlab/backups of an Omnibus package, \
                 /home/git/gitlab/tmp/backups of an installation from source",
            )),
            (None, None) => Err(Error::usage("no archive is named").hint("see ci-import --help")),
        }
    }

    /// How many bytes reading it takes, beyond what reading a file takes.
    #[must_use]
    pub fn reserved_bytes(&self) -> usize {
        match self {
            Source::Object { .. } => storage::MEMORY_BYTES,
            Source::Path { .. } | Source::Several(_) | Source::Stdin => 0,
        }
    }

    /// Several files, which are read as one dump.
    fn several(paths: Vec<PathBuf>, backup: Option<String>) -> Result<Source> {
        if let Some(epoch) = backup {
            return Err(Error::usage(format!(
                "--backup {epoch} selects an archive in a folder, but several inputs are named"
            ))
            .hint("name the folder, or omit --backup"));
        }
        for path in &paths {
            if path.as_os_str() == "-" {
                return Err(
                    Error::usage("\"-\" is a pipe, and several inputs must be files")
                        .hint("send all of them through the pipe: cat FILE FILE | ci-import - …"),
                );
            }
            if is_rake_backup(path) {
                return Err(Error::usage(format!("{} is not a file", path.display())).hint(
                    "--backup EPOCH selects an archive of the folder; BACKUP=EPOCH before the command means the same",
                ));
            }
            let text = path.as_os_str().to_string_lossy();
            if let Some(url) = ObjectUrl::parse(&text)
                && !path.exists()
            {
                return Err(
                    Error::usage(format!("{} is not a file on this machine", url?))
                        .hint("several inputs must be files; import what has a URL alone"),
                );
            }
            match refuse_url(&text) {
                Some(refused) if !path.exists() => return Err(refused),
                _ => {}
            }
        }
        Ok(Source::Several(paths))
    }
}
