//! The programs of PostgreSQL on this machine: where they are, and what to install if they are not there.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Where systems put the programs of a version: a directory, the beginning of a name that ends with the version, and the
/// directory below it.
const PLACES: [(&str, &str, &str); 8] = [
    // Debian and Ubuntu.
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr/local/lib/postgresql", "", "bin"),
    ("/opt/postgresql", "", "bin"),
    // PostgreSQL's own packages for Red Hat: /usr/pgsql-17/bin.
    ("/usr", "pgsql-", "bin"),
    // openSUSE.
    ("/usr/lib", "postgresql", "bin"),
    // Alpine.
    ("/usr/libexec", "postgresql", ""),
    // Homebrew.
    ("/opt/homebrew/opt", "postgresql@", "bin"),
    ("/usr/local/opt", "postgresql@", "bin"),
];

/// How to install the server, by the names in `ID` and `ID_LIKE` of os-release(5).
const INSTALL: [(&[&str], &str); 5] = [
    (&["debian", "ubuntu"], "apt-get install postgresql"),
    (
        &["fedora", "rhel", "centos"],
        "dnf install postgresql-server",
    ),
    (&["alpine"], "apk add postgresql"),
    (&["arch"], "pacman -S postgresql"),
    (
        &["suse", "opensuse", "sles"],
        "zypper install postgresql-server",
    ),
];

/// The directories with programs of PostgreSQL on this machine, those of the newest version first.
pub(super) fn program_directories() -> Vec<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = Vec::new();
    for (parent, start, below) in PLACES {
        for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some(rest) = name.strip_prefix(start) else {
                continue;
            };
            // "9.6" is older than all others.
            let version = rest.parse().ok();
            if let Some(version) = version.or(start.is_empty().then_some(0)) {
                found.push((version, entry.path().join(below)));
            }
        }
    }
    found.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    found.into_iter().map(|(_, directory)| directory).collect()
}

/// The directory with the newest server programs on this machine.
pub(super) fn find_programs() -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    program_directories()
        .into_iter()
        .chain(std::env::split_paths(&path))
        .find(|directory| {
            ["initdb", "pg_ctl", "postgres"]
                .iter()
                .all(|name| directory.join(name).is_file())
        })
        .ok_or_else(|| {
            Error::target("no PostgreSQL server is installed, and no target is named").hint(
                format!(
                    "{}, or name a target with --database-url",
                    how_to_install_here()
                ),
            )
        })
}

/// What to do on this system.
fn how_to_install_here() -> String {
    if cfg!(target_os = "macos") {
        return "brew install postgresql@17".to_owned();
    }
    // The second is where the first is a link to, mostly: os-release(5).
    ["/etc/os-release", "/usr/lib/os-release"]
        .iter()
        .find_map(|path| fs::read_to_string(Path::new(path)).ok())
        .as_deref()
        .and_then(how_to_install)
        .unwrap_or_else(|| {
            "install the server of PostgreSQL with the package manager of this system".to_owned()
        })
}

/// The command for the system that `os_release` describes. Its own name counts first, then those that it resembles.
fn how_to_install(os_release: &str) -> Option<String> {
    let id = value_of(os_release, "ID").unwrap_or("linux");
    let resembled = value_of(os_release, "ID_LIKE").unwrap_or_default();
    let command = std::iter::once(id)
        .chain(resembled.split_whitespace())
        .find_map(|name| INSTALL.iter().find(|(names, _)| names.contains(&name)))?
        .1;
    // Red Hat's systems have dnf since 8.
    let has_yum = id != "fedora" && value_of(os_release, "VERSION_ID").is_some_and(is_seven);
    let command = match command.strip_prefix("dnf ") {
        Some(rest) if has_yum => format!("yum {rest}"),
        _ => command.to_owned(),
    };
    Some(command)
}

fn is_seven(version: &str) -> bool {
    version.split('.').next() == Some("7")
}

/// The value of a variable: `ID=fedora`, `ID="rocky"` or `ID='rocky'`.
fn value_of<'a>(os_release: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = os_release.lines();
    let value = lines.find_map(|line| line.trim().strip_prefix(name)?.strip_prefix('='))?;
    let inner = |mark| value.strip_prefix(mark)?.strip_suffix(mark);
    Some(inner('"').or_else(|| inner('\'')).unwrap_or(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_system_has_its_command() {
        for (os_release, expected) in [
            (
                "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\nID=debian\n",
                "apt-get install postgresql",
            ),
            (
                "NAME=\"Linux Mint\"\nID=linuxmint\nID_LIKE=\"ubuntu debian\"\n",
                "apt-get install postgresql",
            ),
            (
                "NAME=\"Fedora Linux\"\nID=fedora\nVERSION_ID=42\n",
                "dnf install postgresql-server",
            ),
            (
                "NAME=\"Rocky Linux\"\nID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\nVERSION_ID=\"9.4\"\n",
                "dnf install postgresql-server",
            ),
            (
                "ID=\"centos\"\nID_LIKE=\"rhel fedora\"\nVERSION_ID=\"7\"\n",
                "yum install postgresql-server",
            ),
            ("ID=alpine\nVERSION_ID=3.20.3\n", "apk add postgresql"),
            ("ID=arch\nBUILD_ID=rolling\n", "pacman -S postgresql"),
            ("ID=manjaro\nID_LIKE=arch\n", "pacman -S postgresql"),
            (
                "ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\n",
                "zypper install postgresql-server",
            ),
            (
                "  ID='sles'\n# ID=debian\n",
                "zypper install postgresql-server",
            ),
        ] {
            let found = how_to_install(os_release);
            assert_eq!(found.as_deref(), Some(expected), "{os_release}");
        }
        for unknown in ["", "ID=nixos\n", "ID=\nID_LIKE=\n", "no variable"] {
            assert_eq!(how_to_install(unknown), None, "{unknown}");
        }
    }
}
