//! The folder of an admin's own migrations, with `migrate/` and `post_migrate/`.

use std::convert::Infallible;
use std::fs;
use std::path::{Path, PathBuf};

use super::dialect::Dialect;
use super::file::{parse, parse_name};
use super::migration::{Migration, MigrationBody, Phase};
use crate::error::{Doing, Error, Result};
use crate::files::stranger_at;

/// The folder if none is given.
pub const DEFAULT_FOLDER: &str = "migrations";

/// The longest file. A longer one is a dump.
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// Reads the migrations in `directory`, written in `dialect`, in no order. Both folders may be missing; other
/// files than `.sql` are ignored. A `.sql` file beside the folders is an error, since it would never run.
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

/// An error if somebody else than root and the user could have put a migration into `folder`. It is for a folder that the
/// user has not named: its statements run with the user's rights.
pub fn refuse_strangers(folder: &Path) -> Result<()> {
    let mut all = vec![folder.to_owned()];
    for phase in Phase::ALL {
        let folder = folder.join(phase.folder());
        if folder.is_dir() {
            all.extend(files(&folder)?);
            all.push(folder);
        }
    }
    for path in all {
        let shown = path.display();
        if let Some(why) = stranger_at(&path).doing(format!("look at {shown}"))? {
            return Err(Error::usage(format!(
                "the migrations in {} are not run unasked: of {shown}, {why}",
                folder.display()
            ))
            .hint(format!(
                "if you trust them, name the folder: --migrations {}",
                folder.display()
            )));
        }
    }
    Ok(())
}

/// Sorts migrations by their versions. Two with the same version are an error.
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

/// The place of a migration, for messages.
pub(crate) fn place<B>(migration: &Migration<B>) -> String {
    match &migration.body {
        MigrationBody::File(script) => script.path.display().to_string(),
        MigrationBody::BuiltIn(_) => format!("the built-in {migration}"),
    }
}

/// The `.sql` files in `folder`, sorted. The extension may be in upper case. Names that begin with a dot belong
/// to editors and are ignored.
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
        body: MigrationBody::File(parse(path, &text, dialect)?),
    })
}

fn read_text(path: &Path) -> Result<String> {
    let shown = path.display();
    let doing = || format!("read {shown}");
    let metadata = fs::metadata(path).doing(doing())?;
    if !metadata.is_file() {
        // A pipe or a device may never end.
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
