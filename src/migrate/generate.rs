//! Creates the file of a new migration.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::file::{is_name, parse_name};
use super::folder::files;
use super::migration::Phase;
use super::version::Version;
use crate::error::{Doing, Error, Result};

/// Creates a file for `name` in the folder of `phase` in `directory`, with a version later than all others.
/// Returns its path.
pub fn generate(directory: &Path, phase: Phase, name: &str) -> Result<PathBuf> {
    let name = file_name(name)?;
    let mut version = Version::now();
    for other in Phase::ALL {
        for path in files(&directory.join(other.folder()))? {
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            let (there, _) = parse_name(&file).map_err(|error| error.at(directory.display()))?;
            version = version.max(there.next());
        }
    }
    let folder = directory.join(phase.folder());
    fs::create_dir_all(&folder).doing(format!("make {}", folder.display()))?;
    let path = folder.join(format!("{version}_{name}.sql"));
    let doing = || format!("make {}", path.display());
    let mut file = fs::File::create_new(&path).doing(doing())?;
    file.write_all(template(phase, &name).as_bytes())
        .doing(doing())?;
    Ok(path)
}

/// The name in the form of file names: `Add index` becomes `add_index`.
fn file_name(name: &str) -> Result<String> {
    let name = name.trim().to_ascii_lowercase().replace([' ', '-'], "_");
    if is_name(&name) {
        return Ok(name);
    }
    Err(Error::usage(format!("{name} is no name for a migration"))
        .hint("a name has letters, digits and underscores, as in add_index_to_builds"))
}

fn template(phase: Phase, name: &str) -> String {
    let rule = match phase {
        Phase::Regular => {
            "-- Runs before the new code starts: the code that still runs must go on with what it leaves.\n\
             -- What takes something away that it uses is for a post-deployment migration."
        }
        Phase::PostDeployment | Phase::OnRequest => {
            "-- Runs when no running code depends on the old state any more; with\n\
             -- SKIP_POST_DEPLOYMENT_MIGRATIONS set, migrate leaves it for later."
        }
    };
    format!(
        "-- {name}\n--\n{rule}\n--\n\
         -- In PostgreSQL it is one transaction. A statement that must not be in one, such as CREATE INDEX\n\
         -- CONCURRENTLY, needs a line \"-- migrate:no-transaction\" below; then begin with what mends a\n\
         -- first try that failed, such as DROP INDEX IF EXISTS. In MySQL it goes on where it was cut.\n\n\
         -- migrate:up\n\n\n\
         -- migrate:down\n\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::{mysql::migrate as mysql, postgresql::migrate as postgresql};

    #[test]
    fn a_new_file_is_the_latest() {
        let directory = tempfile::tempdir().unwrap();
        let directory = directory.path().join("migrations");
        let first = generate(&directory, Phase::Regular, "Add index-to builds").unwrap();
        assert!(
            first
                .to_string_lossy()
                .ends_with("_add_index_to_builds.sql"),
            "{first:?}"
        );
        assert_eq!(first.parent().unwrap(), directory.join("migrate"));
        let later = directory.join("post_migrate/29991231235959_drop.sql");
        fs::create_dir(later.parent().unwrap()).unwrap();
        fs::write(&later, "").unwrap();
        let next = generate(&directory, Phase::Regular, "x").unwrap();
        assert!(next.ends_with("migrate/30000101000000_x.sql"), "{next:?}");
        let next = generate(&directory, Phase::PostDeployment, "x").unwrap();
        assert!(
            next.ends_with("post_migrate/30000101000001_x.sql"),
            "{next:?}"
        );
        for wrong in ["", "../x", "é", "a.b"] {
            assert!(
                generate(&directory, Phase::Regular, wrong).is_err(),
                "{wrong}"
            );
        }
    }

    /// A new file without statements is an error.
    #[test]
    fn what_is_made_is_to_be_filled_in() {
        for (phase, dialect) in Phase::ALL
            .into_iter()
            .flat_map(|phase| [postgresql::DIALECT, mysql::DIALECT].map(|dialect| (phase, dialect)))
        {
            let directory = tempfile::tempdir().unwrap();
            let path = generate(directory.path(), phase, "x").unwrap();
            let text = fs::read_to_string(&path).unwrap();
            let error = crate::migrate::file::parse(&path, &text, dialect).unwrap_err();
            assert!(
                error.to_string().ends_with("there is no statement to run"),
                "{error}"
            );
            let filled = text.replace("-- migrate:up\n", "-- migrate:up\nSELECT 1;\n");
            crate::migrate::file::parse(&path, &filled, dialect).unwrap();
        }
    }
}
