//! What tests of publishes into MariaDB begin with: the database of a GitLab 8.0, old traces, and a way to
//! stage two imports that differ in all that matters.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ci_import::error::{Error, Kind, Result};
use ci_import::gitlab::live::LiveChanges;
use ci_import::publish::outcome::{Discarded, Publication, Published, Recovered, RolledBack};
use ci_import::server::mysql::gitlab::{Exchange, Publishing, undo};
use ci_import::server::mysql::publish::{discard, publish, recover, rollback};
use ci_import::server::mysql::{ConnectionOptions, Databases};
use ci_import::traces::{Builds, BuildsDirectory};
use mysql::prelude::Queryable;
use mysql::{Conn, Value};
use tempfile::TempDir;

use super::own_mariadb::OwnMariadb;
use super::program::{command, project};
use super::scene::{Dialect, fixture_database, fixture_dump, pack};
use super::servers::{
    connect_mariadb_in, expect_success, mariadb, mariadb_program_in, new_mariadb_database,
};

/// The staged tables: those of which something depends on their rows, and one more.
pub(crate) const STAGED: [&str; 4] = ["ci_builds", "ci_services", "ci_taggings", "ci_tags"];

/// What the second import has instead of the first one's.
const CHANGES: [&str; 4] = [
    "UPDATE ci_builds SET trace = CONCAT(COALESCE(trace, ''), ' again')",
    "UPDATE ci_services SET type = 'HipChatService'",
    "UPDATE ci_tags SET name = 'rust' WHERE name = 'ruby'",
    "DELETE FROM ci_taggings ORDER BY id LIMIT 1",
];

/// A database of GitLab's, and its builds directory.
pub(crate) struct MysqlScene {
    directory: TempDir,
    /// Where the socket of the server is.
    server: PathBuf,
    /// The database with the fixture's rows on the same server.
    fixture: String,
    pub(crate) target: ConnectionOptions,
    pub(crate) databases: Databases,
}

/// Where a target is, for a process of its own.
#[derive(Clone)]
pub(crate) struct Stage {
    pub(crate) url: String,
    pub(crate) builds: PathBuf,
}

impl MysqlScene {
    pub(crate) fn gitlab() -> MysqlScene {
        MysqlScene::bare().with_gitlab()
    }

    /// On a server that has no databases yet.
    pub(crate) fn gitlab_on(server: &OwnMariadb) -> MysqlScene {
        let server = &server.directory;
        let mut conn = connect_mariadb_in(server, "mysql");
        for name in ["fixture", "gitlab"] {
            let charset = "CHARACTER SET utf8 COLLATE utf8_unicode_ci";
            conn.query_drop(format!("CREATE DATABASE {name} {charset}"))
                .unwrap();
        }
        for file in ["gitlab_ci.sql", "awkward.sql"] {
            load(server, "fixture", file);
        }
        MysqlScene::of(server, "gitlab", "fixture").with_gitlab()
    }

    fn with_gitlab(self) -> MysqlScene {
        let scene = self;
        load(
            &scene.server,
            &scene.databases.live,
            "gitlab_target_mysql.sql",
        );
        fs::create_dir_all(scene.builds().join("2014_01/1")).unwrap();
        fs::write(scene.builds().join("2014_01/1/1.log"), "an old trace").unwrap();
        scene
    }

    /// With an empty database, and no builds directory.
    pub(crate) fn bare() -> MysqlScene {
        let server = &mariadb().directory;
        MysqlScene::of(server, &new_mariadb_database(), fixture_database())
    }

    fn of(server: &Path, name: &str, fixture: &str) -> MysqlScene {
        MysqlScene {
            directory: tempfile::tempdir().unwrap(),
            server: server.to_owned(),
            fixture: fixture.to_owned(),
            target: ConnectionOptions::from_url(&url(server, name)).unwrap(),
            databases: Databases::of(name).unwrap(),
        }
    }

    /// A path in the directory of the scene.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn builds(&self) -> PathBuf {
        self.path("builds")
    }

    pub(crate) fn stage(&self) -> Stage {
        Stage {
            url: url(&self.server, &self.databases.live),
            builds: self.builds(),
        }
    }

    /// The program with `arguments`, and those that name this scene's target.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut it = command(arguments);
        it.args(["--database-url", &self.stage().url, "--builds-path"]);
        it.arg(self.builds());
        it
    }

    /// An archive of the fixture's rows with one trace.
    pub(crate) fn archive(&self) -> PathBuf {
        let (sql, source) = (self.path("dump.sql"), self.path("source"));
        let archive = self.path("1443700800_gitlab_ci_backup.tar");
        fs::write(&sql, fixture_dump(Dialect::Native)).unwrap();
        fs::create_dir_all(source.join("2015_10/1")).unwrap();
        fs::write(source.join("2015_10/1/1.log"), "a trace").unwrap();
        pack(&sql, &source, &archive, "8.0.5");
        archive
    }

    /// A session of the tests' own, in the live database.
    pub(crate) fn conn(&self) -> Conn {
        connect_mariadb_in(&self.server, &self.databases.live)
    }

    #[track_caller]
    pub(crate) fn execute(&self, sql: &str) {
        let mut conn = self.conn();
        conn.query_drop(sql)
            .unwrap_or_else(|cause| panic!("{sql}: {cause}"));
    }

    /// The rows that `sql` gives, columns joined by `|`.
    #[track_caller]
    pub(crate) fn values(&self, sql: &str) -> Vec<String> {
        let rows: Vec<mysql::Row> = self
            .conn()
            .query(sql)
            .unwrap_or_else(|cause| panic!("{sql}: {cause}"));
        let shown = |value: Value| match value {
            Value::NULL => "~".to_owned(),
            Value::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            other => panic!("{other:?}"),
        };
        let row = |row: mysql::Row| row.unwrap().into_iter().map(shown).collect::<Vec<_>>();
        rows.into_iter().map(|one| row(one).join("|")).collect()
    }

    /// Makes the staging database in place of what is left of one, with the tables of the import `which`,
    /// 0 or 1.
    pub(crate) fn stage_tables(&self, which: usize) {
        let staging = &self.databases.staging;
        let fixture = &self.fixture;
        let mut conn = self.conn();
        let mut run = |sql: String| {
            conn.query_drop(&sql)
                .unwrap_or_else(|cause| panic!("{sql}: {cause}"));
        };
        run(format!("DROP DATABASE IF EXISTS {staging}"));
        run(format!("CREATE DATABASE {staging}"));
        for table in STAGED {
            run(format!(
                "CREATE TABLE {staging}.{table} LIKE {fixture}.{table}"
            ));
            run(format!(
                "INSERT INTO {staging}.{table} SELECT * FROM {fixture}.{table}"
            ));
        }
        if which == 1 {
            run(format!("USE {staging}"));
            for change in CHANGES {
                run(change.to_owned());
            }
        }
    }

    /// Publishes the import `which`, with traces.
    pub(crate) fn publish(&self, which: usize) -> Result<Published<Option<LiveChanges>>> {
        self.stage_tables(which);
        self.stage().publish(which)
    }

    pub(crate) fn recover(&self) -> Result<Recovered> {
        self.stage().recover()
    }

    pub(crate) fn rollback(&self) -> Result<RolledBack> {
        self.stage().rollback()
    }

    pub(crate) fn discard(&self) -> Result<Discarded> {
        self.stage().discard()
    }

    /// The directories beside the builds directory.
    pub(crate) fn beside(&self) -> Vec<String> {
        let entries = fs::read_dir(self.directory.path()).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "builds")
            .collect();
        names.sort();
        names
    }

    /// Which of the databases beside the live one are there.
    pub(crate) fn databases_beside(&self) -> Vec<String> {
        let live = &self.databases.live;
        self.values(&format!(
            "SELECT REPLACE(schema_name, '{live}_ci_import_', '') FROM information_schema.schemata
             WHERE schema_name LIKE '{live}\\_ci\\_import\\_%' ORDER BY 1"
        ))
    }
}

impl Drop for MysqlScene {
    fn drop(&mut self) {
        let Databases {
            live,
            staging,
            previous,
            passing,
        } = &self.databases;
        let mut conn = connect_mariadb_in(&self.server, "mysql");
        for database in [passing, previous, staging, live] {
            let _ = conn.query_drop(format!("DROP DATABASE IF EXISTS {database}"));
        }
    }
}

fn load(server: &Path, database: &str, fixture: &str) {
    let file = fs::File::open(project().join("fixtures").join(fixture)).unwrap();
    let mut client = mariadb_program_in(server, "mariadb");
    expect_success(&client.arg(database).stdin(file).output().unwrap());
}

fn url(server: &Path, database: &str) -> String {
    let socket = server.join("socket");
    format!(
        "mysql://root@localhost/{database}?socket={}",
        socket.display()
    )
}

impl Stage {
    fn open(&self) -> (ConnectionOptions, Conn, Databases, Builds) {
        let target = ConnectionOptions::from_url(&self.url).unwrap();
        let conn = target.connect().unwrap();
        let databases = Databases::of(target.database()).unwrap();
        (
            target,
            conn,
            databases,
            Builds::Directory(BuildsDirectory::at(&self.builds).unwrap()),
        )
    }

    /// Publishes the tables that are staged, with the traces of the import `which`.
    pub(crate) fn publish(&self, which: usize) -> Result<Published<Option<LiveChanges>>> {
        let (target, mut conn, databases, builds) = self.open();
        let mut staged = builds.stage()?;
        let trace = staged.directory().unwrap().path().join("2015_10/2");
        fs::create_dir_all(&trace).unwrap();
        let trace = trace.join("5.log");
        fs::write(&trace, format!("the trace of import {which}")).unwrap();
        // The same at each time, as that of an archive's file.
        let file = fs::File::options().write(true).open(&trace).unwrap();
        file.set_modified(std::time::UNIX_EPOCH).unwrap();
        let publication = Publication {
            input: None,
            leaves_ci_off: false,
            undistribute: false,
            waiting: ci_import::publish::outcome::Waiting::silently(15),
            schema: &databases.live,
            tables: &STAGED,
            others: &[],
            builds: Some((&builds, &staged)),
        };
        let published = publish(
            &target,
            &mut conn,
            &publication,
            &mut Some(Publishing::default()),
            &undo,
            &mut || Ok(()),
        )?;
        staged.published();
        Ok(published)
    }

    pub(crate) fn recover(&self) -> Result<Recovered> {
        let (_, mut conn, databases, builds) = self.open();
        let recovered = recover(&mut conn, &databases, builds.directory(), &undo)?;
        builds.directory().unwrap().remove_stale()?;
        Ok(recovered)
    }

    pub(crate) fn rollback(&self) -> Result<RolledBack> {
        let (target, mut conn, databases, builds) = self.open();
        rollback(
            &target,
            &mut conn,
            &databases,
            Some(&builds),
            &mut Exchange,
            &undo,
        )
    }

    pub(crate) fn discard(&self) -> Result<Discarded> {
        let (_, mut conn, databases, builds) = self.open();
        discard(&mut conn, &databases, Some(&builds))
    }
}

/// The trace that is live in `builds`.
pub(crate) fn trace(builds: &Path) -> String {
    fs::read_to_string(builds.join("2015_10/2/5.log")).unwrap_or_default()
}

/// It failed, with an error of `kind` that contains `text`, in its hint perhaps.
#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(result: Result<T>, kind: Kind, text: &str) -> Error {
    let error = result.unwrap_err();
    let whole = format!("{error}\n{}", error.hint_text().unwrap_or_default());
    assert!(whole.contains(text), "{whole}");
    assert_eq!(error.kind(), kind, "{whole}");
    error
}
