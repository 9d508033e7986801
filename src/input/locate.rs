//! Finds the named archive: a file, a pipe, an object, or an archive in a folder or a prefix of backups.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::backups::Backups;
use super::dump_folder::DumpFolder;
use super::source::{Source, Wanted};
use crate::archive::is_unpacked;
use crate::error::{Error, Result};
use crate::storage::{self, ObjectUrl};

/// The input to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Located {
    /// A file, or anything with a path that is not a folder.
    Path(PathBuf),
    /// A folder that is a dump.
    DumpFolder(DumpFolder),
    /// Several files, which are read as one dump.
    Several(Vec<PathBuf>),
    /// An object in an object storage, or a file of a web server.
    Object {
        /// Its URL.
        url: ObjectUrl,
        /// How long a request is tried.
        timeout: Duration,
    },
    /// Standard input.
    Stdin,
}

impl Located {
    /// The name in reports.
    #[must_use]
    pub fn name(&self) -> String {
        let of_path = |path: &Path| {
            let name = path.file_name().unwrap_or(path.as_os_str());
            name.display().to_string()
        };
        match self {
            Located::Stdin => "standard input".to_owned(),
            Located::Path(path) => of_path(path),
            Located::Object { url, .. } => url.name().to_owned(),
            Located::DumpFolder(folder) => of_path(folder.path()),
            Located::Several(paths) => paths
                .iter()
                .map(|path| of_path(path))
                .collect::<Vec<_>>()
                .join(", "),
        }
    }
}

/// Finds `source`. In a folder of backups, the selected archive, or the only one.
pub fn locate(source: &Source) -> Result<Located> {
    let (path, wanted) = match source {
        Source::Path { path, wanted } => (path, wanted),
        Source::Several(paths) => return Ok(Located::Several(paths.clone())),
        Source::Stdin => return Ok(Located::Stdin),
        Source::Object {
            url,
            wanted,
            timeout,
        } => return in_storage(url, wanted.as_ref(), *timeout),
    };
    if path.is_dir() {
        return in_folder(path, wanted.as_ref());
    }
    match wanted {
        // A file and --backup contradict each other; the variable in the environment is meant for folders.
        Some(Wanted::Option(epoch)) => Err(Error::usage(format!(
            "--backup {epoch} selects an archive in a folder, but {} is not a folder",
            path.display()
        ))
        .hint("name the folder, or omit --backup")),
        Some(Wanted::Environment(_)) | None => Ok(Located::Path(path.clone())),
    }
}

/// The selected archive of `folder`, or the folder itself if it is an unpacked archive or a dump.
fn in_folder(folder: &Path, wanted: Option<&Wanted>) -> Result<Located> {
    let backups = Backups::in_folder(folder)?;
    if backups.is_empty() && is_unpacked(folder) {
        return match wanted {
            Some(wanted @ Wanted::Option(_)) => Err(Error::usage(format!(
                "{wanted} selects an archive in a folder, but {} is an unpacked archive",
                folder.display()
            ))
            .hint("omit --backup")),
            Some(Wanted::Environment(_)) | None => Ok(Located::Path(folder.to_owned())),
        };
    }
    if backups.is_empty()
        && wanted.is_none()
        && let Some(dump) = DumpFolder::at(folder)?
    {
        return Ok(Located::DumpFolder(dump));
    }
    let name = backups.choose(&folder.display(), wanted)?;
    Ok(Located::Path(folder.join(name)))
}

/// The object itself, or the selected archive of a bucket or prefix.
fn in_storage(url: &ObjectUrl, wanted: Option<&Wanted>, timeout: Duration) -> Result<Located> {
    let is_selected = matches!(wanted, Some(Wanted::Option(_)));
    if !url.is_prefix() && !is_selected {
        return Ok(Located::Object {
            url: url.clone(),
            timeout,
        });
    }
    let prefix = url.as_prefix();
    let listed = storage::list(&prefix, timeout)?;
    let objects = listed.iter();
    let backups = Backups::of(objects.map(|object| (object.name.as_str(), object.size)));
    let name = backups.choose(&prefix, wanted)?;
    let found = listed.into_iter().find(|object| object.name == name);
    let found = found.map(|object| Located::Object {
        url: object.url,
        timeout,
    });
    found.ok_or_else(|| Error::failed(format!("{prefix} has no {name}")))
}
