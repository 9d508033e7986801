//! What most tests begin with: the fixture's rows in MariaDB, their dump, traces, a target.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

use super::compare::{Comparison, Findings, Meant};
use super::program::{Outcome, command, project, run};
use super::servers::{
    connect_in, connect_mariadb, expect_success, mariadb_program, new_database_in,
    new_mariadb_database, postgresql, server_directory, url_in, watchdog,
};
use super::small_disk::SmallDisk;

/// How mysqldump writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Native,
    Compatible,
}

/// The MariaDB database that holds the fixture's rows; nobody changes it.
pub(crate) fn fixture_database() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        let name = new_mariadb_database();
        for file in ["gitlab_ci.sql", "awkward.sql"] {
            load_into_mariadb(&name, &project().join("fixtures").join(file));
        }
        name
    })
}

pub(crate) fn load_into_mariadb(database: &str, file: &Path) {
    let mut client = mariadb_program("mariadb");
    client.arg(database).stdin(fs::File::open(file).unwrap());
    expect_success(&client.output().unwrap());
}

/// What the real mysqldump writes of `database`.
pub(crate) fn mysqldump(database: &str, options: &[&str]) -> Vec<u8> {
    expect_success(
        &mariadb_program("mysqldump")
            .args(options)
            .arg(database)
            .output()
            .unwrap(),
    )
}

/// The dump of the fixture's rows.
pub(crate) fn fixture_dump(dialect: Dialect) -> Vec<u8> {
    static DUMPS: [OnceLock<Vec<u8>>; 2] = [const { OnceLock::new() }; 2];
    let (dump, options): (_, &[&str]) = match dialect {
        Dialect::Native => (&DUMPS[0], &[]),
        Dialect::Compatible => (&DUMPS[1], &["--compatible=postgresql"]),
    };
    dump.get_or_init(|| mysqldump(fixture_database(), options))
        .clone()
}

/// A directory for what is made once and used by many tests. It goes with this process.
fn directory_of_all() -> &'static Path {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(|| {
        let directory = server_directory("all", None);
        std::mem::forget(watchdog(&directory.join("no server"), &directory));
        directory
    })
}

/// Makes build traces in `directory`, as runners leave them.
pub(crate) fn make_traces(directory: &Path) {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let made = directory_of_all().join("traces");
        let mut script = Command::new(project().join("fixtures/traces"));
        expect_success(&script.arg(&made).output().unwrap());
        made
    });
    fs::create_dir_all(directory).unwrap();
    let mut copy = Command::new("cp");
    copy.arg("-a").arg(made.join(".")).arg(directory);
    expect_success(&copy.output().unwrap());
}

/// Packs the dump in the file `sql`, compressed or not, and the `traces` into `archive`, as GitLab CI of
/// this `version` did.
pub(crate) fn pack(sql: &Path, traces: &Path, archive: &Path, version: &str) {
    let mut pack = Command::new(project().join("fixtures/pack"));
    pack.arg(sql).arg(traces).arg(archive).arg(version);
    expect_success(&pack.output().unwrap());
}

/// A temporary directory with traces, an archive, and a database to import into.
pub(crate) struct Scene {
    pub(crate) directory: TempDir,
    /// Where the socket of the target's server is.
    pub(crate) server: PathBuf,
    pub(crate) database: String,
    /// What the directory of the builds directory is on, if that is small.
    pub(crate) disk: Option<SmallDisk>,
}

impl Scene {
    /// With an empty database as target.
    pub(crate) fn bare() -> Scene {
        Scene::bare_on(&postgresql().directory)
    }

    /// The same on the server whose socket is in the directory `server`.
    pub(crate) fn bare_on(server: &Path) -> Scene {
        let directory = tempfile::tempdir().unwrap();
        make_traces(&directory.path().join("source"));
        Scene {
            directory,
            server: server.to_owned(),
            database: new_database_in(server),
            disk: None,
        }
    }

    /// Its database, which stays.
    pub(crate) fn into_database(mut self) -> String {
        std::mem::take(&mut self.database)
    }

    /// With the database of a GitLab 8.0 as target, and some old traces.
    pub(crate) fn gitlab() -> Scene {
        Scene::gitlab_on(&postgresql().directory)
    }

    /// The same on the server whose socket is in the directory `server`.
    pub(crate) fn gitlab_on(server: &Path) -> Scene {
        let scene = Scene::bare_on(server);
        let sql = fs::read_to_string(project().join("fixtures/gitlab_target.sql")).unwrap();
        scene.connect().batch_execute(&sql).unwrap();
        scene.make_old_traces();
        scene
    }

    fn make_old_traces(&self) {
        fs::create_dir_all(self.builds_seen().join("2014_01/1")).unwrap();
        fs::write(self.builds_seen().join("2014_01/1/1.log"), "an old trace").unwrap();
    }

    /// The same with the builds directory on a disk of its own.
    pub(crate) fn gitlab_with_small_disk(mebibytes: u32) -> Scene {
        let mut scene = Scene::gitlab();
        scene.disk = Some(SmallDisk::over(&scene.path("live"), mebibytes));
        scene.make_old_traces();
        scene
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The directory the archive's traces are made from.
    pub(crate) fn source(&self) -> PathBuf {
        self.path("source")
    }

    /// The builds directory of the target.
    pub(crate) fn builds(&self) -> PathBuf {
        let live = self.path("live");
        fs::create_dir_all(&live).unwrap();
        live.join("builds")
    }

    /// The same as the tests see it.
    pub(crate) fn builds_seen(&self) -> PathBuf {
        match &self.disk {
            Some(disk) => disk.seen().join("builds"),
            None => self.builds(),
        }
    }

    /// Packs `dump` and the traces as GitLab CI did.
    pub(crate) fn pack(&self, dump: &[u8]) -> PathBuf {
        self.pack_version(dump, "8.0.5")
    }

    pub(crate) fn pack_version(&self, dump: &[u8], version: &str) -> PathBuf {
        let sql = self.path("dump.sql");
        fs::write(&sql, dump).unwrap();
        self.pack_file_version(&sql, version)
    }

    /// The same with a dump in a file, compressed or not.
    pub(crate) fn pack_file(&self, sql: &Path) -> PathBuf {
        self.pack_file_version(sql, "8.0.5")
    }

    fn pack_file_version(&self, sql: &Path, version: &str) -> PathBuf {
        let archive = self.path("1443700800_gitlab_ci_backup.tar");
        pack(sql, &self.source(), &archive, version);
        archive
    }

    /// The import of `archive` into this scene's target. It drops no table afterwards: most tests look
    /// at all of them.
    pub(crate) fn import_command(&self, archive: &str) -> Command {
        self.command([archive, "--mysql-to-postgresql", "--yes"])
    }

    /// The program with `arguments`, and those that name this scene's target.
    pub(crate) fn command<const COUNT: usize>(&self, arguments: [&str; COUNT]) -> Command {
        let mut it = command(arguments);
        it.arg("--builds-path").arg(self.builds());
        it.arg("--database-url").arg(self.url());
        match &self.disk {
            Some(disk) => disk.inside(&it),
            None => it,
        }
    }

    pub(crate) fn url(&self) -> String {
        url_in(&self.server, &self.database)
    }

    pub(crate) fn import(&self, archive: &Path) -> Outcome {
        run(self.import_command(archive.to_str().unwrap()))
    }

    /// The same through a pipe.
    pub(crate) fn import_piped(&self, archive: &Path) -> Outcome {
        let mut cat = Command::new("cat")
            .arg(archive)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut import = self.import_command("-");
        import.stdin(cat.stdout.take().unwrap());
        let outcome = run(import);
        cat.wait().unwrap();
        outcome
    }

    pub(crate) fn connect(&self) -> postgres::Client {
        connect_in(&self.server, &self.database).unwrap()
    }

    /// Runs `sql` in the target.
    #[track_caller]
    pub(crate) fn execute(&self, sql: &str) {
        self.connect().batch_execute(sql).unwrap();
    }

    /// Asserts that the commands that only look at a dump take the one that was imported, and that `convert` takes it.
    #[track_caller]
    pub(crate) fn assert_taken_by_all(&self, dump: &str) {
        run(command(["verify", dump, "--database-url", &self.url()]))
            .succeeds()
            .reports("all agree");
        run(command(["inspect", dump])).succeeds();
        let mut convert = command(["convert", dump, "-o"]);
        run(convert.arg(self.path("converted.sql"))).succeeds();
    }

    /// Asserts that all tables of a database of the tests' MariaDB are here, with the same values.
    #[track_caller]
    pub(crate) fn assert_same_tables(&self, source: &str) -> Findings {
        let mut comparison = Comparison {
            source: connect_mariadb(source),
            target: self.connect(),
            schema: "public",
            meant: &[],
            renamed: &[],
        };
        let findings = comparison.all_tables();
        let differences = &findings.differences;
        assert!(differences.is_empty(), "{differences:#?}");
        findings
    }

    /// Every value of the fixture's rows is in this scene's database, but for what is `meant` to differ.
    #[track_caller]
    pub(crate) fn assert_same_values(&self, meant: &[Meant]) {
        let mut comparison = Comparison {
            source: connect_mariadb(fixture_database()),
            target: self.connect(),
            schema: "public",
            meant,
            renamed: &[],
        };
        let mut findings = Findings::default();
        for table in TABLES {
            comparison.table(table, &mut findings);
        }
        assert!(
            findings.differences.is_empty(),
            "{:#?}",
            findings.differences
        );
        assert!(findings.values > 300, "{findings:?}");
    }

    /// The first column of the first row that `sql` gives, as text.
    #[track_caller]
    pub(crate) fn value(&self, sql: &str) -> String {
        self.values(sql).into_iter().next().unwrap_or_default()
    }

    /// The rows that `sql` gives, columns joined by `|`, NULL as `~`.
    #[track_caller]
    pub(crate) fn values(&self, sql: &str) -> Vec<String> {
        let messages = self
            .connect()
            .simple_query(sql)
            .unwrap_or_else(|e| panic!("{sql}: {e:?}"));
        let rows = messages.into_iter().filter_map(|message| match message {
            postgres::SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        rows.map(|row| {
            let values: Vec<&str> = (0..row.len())
                .map(|at| row.get(at).unwrap_or("~"))
                .collect();
            values.join("|")
        })
        .collect()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if self.database.is_empty() {
            return;
        }
        // The server may be gone, or too old to end the sessions of others.
        if let Ok(mut client) = connect_in(&self.server, "postgres") {
            let drop = format!("DROP DATABASE IF EXISTS {}", self.database);
            if client
                .batch_execute(&format!("{drop} WITH (FORCE)"))
                .is_err()
            {
                let _ = client.batch_execute(&drop);
            }
        }
    }
}

/// The tables of GitLab CI, as the manual lists them.
pub(crate) const TABLES: [&str; 15] = [
    "ci_application_settings",
    "ci_builds",
    "ci_commits",
    "ci_events",
    "ci_jobs",
    "ci_projects",
    "ci_runner_projects",
    "ci_runners",
    "ci_services",
    "ci_tags",
    "ci_taggings",
    "ci_trigger_requests",
    "ci_triggers",
    "ci_variables",
    "ci_web_hooks",
];
