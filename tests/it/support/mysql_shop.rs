//! A source and a target in the same MariaDB, compared by mysqldump: what it writes of both is the same, byte
//! for byte, or differs in lines that a test can name.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use mysql::prelude::Queryable;
use tempfile::TempDir;

use super::program::{Outcome, command, project, run};
use super::servers::{
    MARIADB_USER, connect_mariadb_in, expect_success, mariadb_program_in, next_number, run_mariadb,
    server_directory, user_ids,
};

/// Two databases of a MariaDB, of the same name but for its end: a source, and a target that is empty.
pub(crate) struct Shop {
    pub(crate) server: PathBuf,
    name: String,
    directory: TempDir,
}

impl Shop {
    /// With what `sql` makes in the source.
    pub(crate) fn new(server: &Path, sql: &str) -> Shop {
        let shop = Shop {
            server: server.to_owned(),
            name: format!("values_{}", next_number()),
            directory: tempfile::tempdir().unwrap(),
        };
        for database in [shop.source(), shop.target()] {
            let charset = "CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci";
            shop.execute(&format!("CREATE DATABASE {database} {charset}"));
        }
        let file = shop.directory.path().join("source.sql");
        fs::write(&file, sql).unwrap();
        let mut client = mariadb_program_in(server, "mariadb");
        client
            .arg(shop.source())
            .stdin(fs::File::open(file).unwrap());
        expect_success(&client.output().unwrap());
        shop
    }

    /// With what a file of the fixtures makes.
    pub(crate) fn of_fixture(server: &Path, name: &str) -> Shop {
        let file = project().join("fixtures").join(name);
        Shop::new(server, &fs::read_to_string(file).unwrap())
    }

    pub(crate) fn source(&self) -> String {
        format!("{}_source", self.name)
    }

    pub(crate) fn target(&self) -> String {
        format!("{}_target", self.name)
    }

    pub(crate) fn execute(&self, sql: &str) {
        let mut conn = connect_mariadb_in(&self.server, "mysql");
        conn.query_drop(sql)
            .unwrap_or_else(|cause| panic!("{sql}: {cause}"));
    }

    /// What mysqldump writes of the source, called so.
    pub(crate) fn dump(&self, options: &[&str]) -> Vec<u8> {
        let mut mysqldump = mariadb_program_in(&self.server, "mysqldump");
        mysqldump.args(options).arg(self.source());
        expect_success(&mysqldump.output().unwrap())
    }

    /// Imports `dump` into the target, and compares both.
    pub(crate) fn import(&self, dump: &[u8], options: &[&str]) -> Outcome {
        let file = self.directory.path().join("dump.sql");
        fs::write(&file, dump).unwrap();
        let mut import = self.command(&[]);
        import.arg(file).arg("--yes").args(options);
        if !options.contains(&"--verify") {
            import.args(["--verify", "full"]);
        }
        run(import)
    }

    pub(crate) fn verify(&self) -> Outcome {
        let mut verify = self.command(&["verify"]);
        run(verify.arg(self.directory.path().join("dump.sql")))
    }

    pub(crate) fn command(&self, verb: &[&str]) -> Command {
        let socket = self.server.join("socket");
        let url = format!(
            "mysql://root@localhost/{}?socket={}",
            self.target(),
            socket.display()
        );
        let mut it = command(verb);
        it.args(["--database-url", &url]);
        it
    }

    /// What a user would look at: all definitions and rows of a database, lines of comments apart.
    pub(crate) fn contents(&self, database: &str) -> Vec<u8> {
        let mut mysqldump = mariadb_program_in(&self.server, "mysqldump");
        mysqldump.args(["--skip-comments", "--order-by-primary", database]);
        expect_success(&mysqldump.output().unwrap())
    }

    /// The lines of the source's contents, and those of the target's, that the other does not have.
    pub(crate) fn differences(&self) -> (Vec<String>, Vec<String>) {
        let (source, target) = (self.contents(&self.source()), self.contents(&self.target()));
        let lines = |contents: &[u8]| -> Vec<String> {
            let lines = contents.split(|byte| *byte == b'\n');
            lines
                .map(|line| String::from_utf8_lossy(line).into_owned())
                .collect()
        };
        let (expected, found) = (lines(&source), lines(&target));
        let without = |one: &[String], other: &[String]| {
            let lines = one.iter().filter(|line| !other.contains(line));
            lines.cloned().collect::<Vec<_>>()
        };
        let differences = (without(&expected, &found), without(&found, &expected));
        let is_same = differences == (vec![], vec![]);
        assert_eq!(is_same, source == target, "lines are in another order");
        differences
    }

    /// Source and target are the same, to mysqldump and to `verify`.
    #[track_caller]
    pub(crate) fn assert_same(&self) {
        assert_eq!(self.differences(), (vec![], vec![]));
        self.verify().succeeds().reports("all agree");
    }

    /// `dump` arrives as it is in the source.
    #[track_caller]
    pub(crate) fn arrives(&self, dump: &[u8], options: &[&str]) -> Outcome {
        let outcome = self.import(dump, options).succeeds();
        self.assert_same();
        outcome
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        let mut conn = connect_mariadb_in(&self.server, "mysql");
        let target = self.target();
        for database in [
            self.source(),
            format!("{target}_ci_import_previous"),
            target,
        ] {
            let _ = conn.query_drop(format!("DROP DATABASE IF EXISTS {database}"));
        }
    }
}

/// The directory of a server as strict as can be, without LOAD DATA LOCAL, with small packets, in another time
/// zone. It ends as that of all tests does.
pub(crate) fn hard_server() -> &'static Path {
    static SERVER: OnceLock<PathBuf> = OnceLock::new();
    SERVER.get_or_init(|| {
        let directory = server_directory("hard", user_ids(MARIADB_USER));
        let arguments = [
            "--skip-networking",
            "--local-infile=OFF",
            "--max-allowed-packet=1M",
            "--default-time-zone=+05:30",
            "--sql-mode=TRADITIONAL,ANSI,NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH",
            "--innodb-strict-mode=ON",
            "--explicit-defaults-for-timestamp=OFF",
            "--character-set-server=latin1",
        ];
        run_mariadb(&directory, &arguments);
        directory
    })
}
