//! The folder of an admin's own migrations: `migrate/` and `post_migrate/` in it.

use std::convert::Infallible;
use std::fs;
use std::path::{Path, PathBuf};

use super::dialect::Dialect;
use super::file::{parse, parse_name};
use super::migration::{Body, Migration, Phase};
use crate::error::{Doing, Error, Result};

/// The folder where none is named.
pub const DEFAULT_FOLDER: &str = "migrations";

/// No migration is longer; what is longer is a dump.
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// The migrations in `directory`, written in `dialect`, in no order. Both folders may be missing, and what is no
/// `.sql` is not looked at; one beside the folders is an error, for it would be left out in silence.
pub fn read(directory: &Path, dialect: Dialect) -> Result<Vec<Migration<Infallible>>> {
    if !directory.is_dir() {
        return Err(Error::usage(format!(
            "there is no folder of migrations {}",
            directory.display()
        ))
        .hint("name it by --migrations; ci-import generate makes it"));
    }
    if let Some(stray) = files(directory)?.first() {
        return Err(Error::failed(format!(
            "{} is in neither folder of migrations",
            stray.display()
        ))
        .hint(
            "move it to migrate/ or post_migrate/ there; or name another folder by --migrations",
        ));
    }
    let mut migrations = Vec::new();
    for phase in Phase::ALL {
        for path in files(&directory.join(phase.folder()))? {
            migrations.push(read_file(&path, phase, dialect)?);
        }
    }
    Ok(migrations)
}

/// The migrations in order; an error if two have the same version.
pub fn ordered<B>(mut migrations: Vec<Migration<B>>) -> Result<Vec<Migration<B>>> {
    migrations.sort_by_key(|migration| migration.version);
    let twice = migrations
        .windows(2)
        .find(|two| two[0].version == two[1].version);
    let Some([one, other]) = twice else {
        return Ok(migrations);
    };
    let (one, other) = (place(one), place(other));
    Err(
        Error::failed(format!("{one} and {other} have the same version"))
            .hint("rename one of them: no two migrations may share one"),
    )
}

/// Where a migration is.
pub(crate) fn place<B>(migration: &Migration<B>) -> String {
    match &migration.body {
        Body::File(script) => script.path.display().to_string(),
        Body::BuiltIn(_) => format!("the built-in {migration}"),
    }
}

/// The `.sql` files in `folder`, in whatever case that is written; those whose names begin with a dot are
/// editors'.
pub(crate) fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let doing = || format!("list {}", folder.display());
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(cause) => return Err(cause).doing(doing()),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.doing(doing())?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.to_ascii_lowercase().ends_with(".sql") && !name.starts_with('.') {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn read_file(path: &Path, phase: Phase, dialect: Dialect) -> Result<Migration<Infallible>> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let folder = path.parent().unwrap_or(path).display().to_string();
    let (version, name) = parse_name(&name).map_err(|error| error.at(folder))?;
    let text = read_text(path)?;
    Ok(Migration {
        version,
        name,
        phase,
        body: Body::File(parse(path, &text, dialect)?),
    })
}

fn read_text(path: &Path) -> Result<String> {
    let shown = path.display();
    let doing = || format!("read {shown}");
    let metadata = fs::metadata(path).doing(doing())?;
    if !metadata.is_file() {
        // Of a pipe or a device no end may ever come.
        return Err(Error::failed(format!("{shown} is no file")));
    }
    let size = metadata.len();
    if size > MAX_FILE_BYTES {
        return Err(
            Error::failed(format!("{shown} has {size} bytes; 16 MiB is the most"))
                .hint("rows are loaded by other means than a migration"),
        );
    }
    let bytes = fs::read(path).doing(doing())?;
    if let Some(at) = memchr::memchr(0, &bytes) {
        return Err(Error::failed(format!("{shown} has a NUL at byte {at}")));
    }
    let text = String::from_utf8(bytes).map_err(|cause| {
        let at = cause.utf8_error().valid_up_to();
        Error::failed(format!("{shown} is not UTF-8 at byte {at}")).hint("save it as UTF-8")
    })?;
    // Some editors begin a file with a byte order mark.
    Ok(match text.strip_prefix('\u{feff}') {
        Some(behind) => behind.to_owned(),
        None => text,
    })
}
