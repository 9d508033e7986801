//! Service files (PostgreSQL manual, 34.17): parameters under a name.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::parameters::KNOWN;
use crate::error::{Error, Result};
use crate::server::options::reason::unreadable;
use crate::server::options::{Origin, Parameters};

/// The user's service file, in the home directory.
const IN_HOME: &str = ".pg_service.conf";

/// The global service file.
const FOR_ALL: &str = "pg_service.conf";

/// The directories of the global file in Debian's builds and in PostgreSQL's builds for Red Hat.
const DIRECTORIES: [&str; 2] = ["/etc/postgresql-common", "/etc/sysconfig/pgsql"];

/// The parameters of the service `name`, from the first file that has it.
pub(crate) fn parameters(
    name: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Parameters> {
    let mut missing = Vec::new();
    for file in files(variable) {
        match fs::read_to_string(&file) {
            Ok(text) => {
                if let Some(found) = find(&text, name, &file)? {
                    return Ok(found);
                }
                missing.push(format!("{} has no service of this name", file.display()));
            }
            Err(cause) if cause.kind() == ErrorKind::NotFound => {
                missing.push(format!("there is no {}", file.display()));
            }
            Err(cause) => return Err(unreadable(&file, &cause)),
        }
    }
    Err(Error::usage(format!(
        "the service {name:?} is not found: {}",
        missing.join(", ")
    ))
    .hint("PGSERVICEFILE names another file"))
}

fn files(variable: &dyn Fn(&str) -> Option<String>) -> Vec<PathBuf> {
    let own = variable("PGSERVICEFILE")
        .map(PathBuf::from)
        .or_else(|| Some(Path::new(&variable("HOME")?).join(IN_HOME)));
    let directories = match variable("PGSYSCONFDIR") {
        Some(directory) => vec![PathBuf::from(directory)],
        None => DIRECTORIES.map(PathBuf::from).to_vec(),
    };
    let for_all = directories.into_iter().map(|path| path.join(FOR_ALL));
    own.into_iter().chain(for_all).collect()
}

/// The parameters after `[name]` in `text`; none if the section does not exist.
fn find(text: &str, name: &str, file: &Path) -> Result<Option<Parameters>> {
    let mut found: Option<Parameters> = None;
    let mut is_inside = false;
    let origin = Origin::File(format!("the service {name} of {}", file.display()));
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(section) = line.strip_prefix('[') {
            if found.is_some() {
                break;
            }
            is_inside = section.strip_suffix(']') == Some(name);
            if is_inside {
                found = Some(Parameters::new(&KNOWN));
            }
            continue;
        }
        let Some(parameters) = found.as_mut().filter(|_| is_inside) else {
            continue;
        };
        let at = || format!("{} line {}", file.display(), number + 1);
        let (keyword, value) = line
            .split_once('=')
            .ok_or_else(|| Error::usage("it is not keyword=value").at(at()))?;
        if keyword == "service" {
            return Err(Error::usage("a service cannot name another one").at(at()));
        }
        parameters
            .set(keyword, value, &origin)
            .map_err(|error| error.at(at()))?;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_section_of_the_name_counts() {
        let text = "# mine\nhost=x\n[a]\nhost=h\n # no\n\n[b]\nhost=i\nport=6\n[b]\nport=7\n";
        let found = |name: &str| find(text, name, Path::new("/f")).unwrap();
        assert_eq!(found("a").unwrap().text("host"), Some("h"));
        assert_eq!(found("b").unwrap().text("port"), Some("6"));
        assert!(found("c").is_none());
        let origin = found("a").unwrap().origin("host").unwrap().to_string();
        assert_eq!(origin, "the service a of /f");
        for (line, message) in [
            ("hos=h", "/f line 2: the parameter hos, from the service a"),
            ("host", "/f line 2: it is not keyword=value"),
            ("service=b", "/f line 2: a service cannot name another"),
        ] {
            let text = format!("[a]\n{line}\n");
            let error = find(&text, "a", Path::new("/f")).err().unwrap();
            assert!(error.to_string().starts_with(message), "{error}");
        }
    }
}
