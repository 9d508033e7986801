//! MySQL in the place of MariaDB: with `CI_IMPORT_TEST_MYSQL` in the environment, the folder that scripts/mysql
//! makes, each MariaDB of the tests is a MySQL, and what its clients do is done by MySQL's own.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::servers::{MARIADB_USER, as_user, expect_success, user_ids};

/// The folder, if it is to be so.
pub(crate) fn folder() -> Option<PathBuf> {
    std::env::var_os("CI_IMPORT_TEST_MYSQL").map(PathBuf::from)
}

/// The program of MySQL's in `folder` for one of MariaDB's, with what it needs first.
pub(crate) fn client(folder: &Path, program: &str) -> Command {
    let is_dump = program.ends_with("dump");
    let name = if is_dump { "mysqldump" } else { "mysql" };
    let mut command = Command::new(folder.join("bin").join(name));
    command.arg("--no-defaults");
    if is_dump {
        // Two databases of a server are compared, whose transactions are the same.
        command.arg("--set-gtid-purged=OFF");
    }
    command
}

/// Makes the data of a MySQL in `directory`.
pub(crate) fn install(folder: &Path, directory: &Path) {
    let mut install = server(folder, directory);
    install.arg("--initialize-insecure");
    expect_success(&install.output().unwrap());
}

/// The server, with global transaction identifiers, as replicas need them, whatever is its default. LOAD DATA LOCAL
/// is on, as it is with MariaDB.
pub(crate) fn server(folder: &Path, directory: &Path) -> Command {
    let usr = folder.join("root/usr");
    let mut mysqld = as_user(folder.join("bin/mysqld"), user_ids(MARIADB_USER));
    mysqld.args(["--no-defaults", "--mysqlx=OFF", "--secure-file-priv="]);
    mysqld.args([
        "--gtid-mode=ON",
        "--enforce-gtid-consistency=ON",
        "--local-infile=ON",
    ]);
    for (option, path) in [
        ("basedir", usr.clone()),
        ("lc-messages-dir", usr.join("share/mysql")),
        ("plugin-dir", usr.join("lib/mysql/plugin")),
        ("pid-file", directory.join("mysqld.pid")),
        ("datadir", directory.join("data")),
    ] {
        mysqld.arg(format!("--{option}={}", path.display()));
    }
    mysqld
}
