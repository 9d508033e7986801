//! The targets of the contract. A further one implements [`Target`], and has its line in the list of
//! `contract`.

use std::path::PathBuf;

use mysql::Value;
use mysql::prelude::Queryable;

use crate::support::compare::Meant;
use crate::support::mysql_scene::MysqlScene;
use crate::support::mysql_state::MysqlState;
use crate::support::scene::{Scene, TABLES, fixture_database};
use crate::support::servers::connect_mariadb;
use crate::support::state::{LiveState, State};

/// The kinds of server that the manual's matrix knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Server {
    Postgresql,
    Mysql,
}

/// Fails if what was remembered is not so any more; it is told after what.
pub(crate) type Unchanged<'a> = Box<dyn Fn(&str) + 'a>;

/// The database of a GitLab 8.0 and its builds directory.
pub(crate) trait Target {
    const SERVER: Server;
    /// A URL where no server listens.
    const NOBODY: &'static str;
    /// What has the numbers of `ci_projects` be given twice, and what `verify` calls it.
    const NUMBERED_TWICE: (&'static str, &'static str);

    /// One of its own, with a trace.
    fn gitlab() -> Self;
    fn url(&self) -> String;
    fn builds(&self) -> PathBuf;
    fn execute(&self, sql: &str);
    /// The rows that `sql` gives, columns joined by `|`.
    fn values(&self, sql: &str) -> Vec<String>;
    /// Every value of the 15 tables is that of the fixture's rows in MariaDB, but for what is `meant` to
    /// differ.
    fn assert_same_values(&self, meant: &[Meant]);
    /// The number that the next row of `table` gets, which is given by what belongs to its column `id`.
    fn next_number(&self, table: &str) -> i64;
    /// Remembers all that is in the server and the directories: live, aside, and anything left behind.
    fn remember(&self) -> Unchanged<'_>;
    /// Remembers what users see.
    fn remember_live(&self) -> Unchanged<'_>;
}

pub(crate) struct Postgresql(Scene);

impl Target for Postgresql {
    const SERVER: Server = Server::Postgresql;
    const NOBODY: &'static str = "postgresql://nobody@127.0.0.1:1/none";
    const NUMBERED_TWICE: (&'static str, &'static str) = (
        "SELECT setval('ci_projects_id_seq', 1, false)",
        "its sequence gives 1 next, which is not above the largest id",
    );

    fn gitlab() -> Self {
        Postgresql(Scene::gitlab())
    }

    fn url(&self) -> String {
        self.0.url()
    }

    fn builds(&self) -> PathBuf {
        self.0.builds()
    }

    fn execute(&self, sql: &str) {
        self.0.connect().batch_execute(sql).unwrap();
    }

    fn values(&self, sql: &str) -> Vec<String> {
        self.0.values(sql)
    }

    fn assert_same_values(&self, meant: &[Meant]) {
        self.0.assert_same_values(meant);
    }

    fn next_number(&self, table: &str) -> i64 {
        let sequence = format!("pg_get_serial_sequence('{table}', 'id')");
        let sequence = self.0.value(&format!("SELECT {sequence}"));
        assert_eq!(sequence, format!("public.{table}_id_seq"));
        let next = format!("SELECT last_value + is_called::int FROM {sequence}");
        self.0.value(&next).parse().unwrap()
    }

    fn remember(&self) -> Unchanged<'_> {
        let before = State::of(&self.0);
        Box::new(move |what| {
            eprintln!("after {what}:");
            before.assert_same(&State::of(&self.0));
        })
    }

    fn remember_live(&self) -> Unchanged<'_> {
        let before = LiveState::of(&self.0);
        Box::new(move |what| {
            eprintln!("after {what}:");
            before.assert_same(&LiveState::of(&self.0));
        })
    }
}

pub(crate) struct Mariadb(MysqlScene);

impl Target for Mariadb {
    const SERVER: Server = Server::Mysql;
    const NOBODY: &'static str = "mysql://nobody@127.0.0.1:1/none";
    const NUMBERED_TWICE: (&'static str, &'static str) = (
        "ALTER TABLE ci_projects MODIFY id int(11) NOT NULL",
        "its column id has no AUTO_INCREMENT",
    );

    fn gitlab() -> Self {
        let scene = MysqlScene::gitlab();
        // What tables get of which a dump does not say it, as `--compatible` has it: all of the fixture's
        // characters.
        scene.execute(&format!(
            "ALTER DATABASE {} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
            scene.databases.live
        ));
        Mariadb(scene)
    }

    fn url(&self) -> String {
        self.0.stage().url
    }

    fn builds(&self) -> PathBuf {
        self.0.builds()
    }

    fn execute(&self, sql: &str) {
        self.0.execute(sql);
    }

    fn values(&self, sql: &str) -> Vec<String> {
        self.0.values(sql)
    }

    fn assert_same_values(&self, meant: &[Meant]) {
        let mut source = connect_mariadb(fixture_database());
        let mut target = self.0.conn();
        let mut values = 0;
        for table in TABLES {
            let columns = "SELECT GROUP_CONCAT(column_name ORDER BY ordinal_position)
                           FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ?";
            let known: Option<String> = source.exec_first(columns, (table,)).unwrap();
            let found: Option<String> = target.exec_first(columns, (table,)).unwrap();
            assert_eq!(known, found, "the columns of {table}");
            let mut expected = rows(&mut source, table);
            let known = known.unwrap();
            for (of, column, change) in meant.iter().filter(|(of, ..)| *of == table) {
                let at = known.split(',').position(|name| name == *column);
                let at = at.unwrap_or_else(|| panic!("{of}.{column} is not there"));
                for row in &mut expected {
                    row[at] = change(row[at].take());
                }
            }
            let found = rows(&mut target, table);
            values += expected.iter().map(Vec::len).sum::<usize>();
            assert!(
                expected == found,
                "{table}: expected {expected:?}, found {found:?}"
            );
        }
        assert!(values > 300, "{values}");
    }

    fn next_number(&self, table: &str) -> i64 {
        let next = self.0.values(&format!(
            "SELECT AUTO_INCREMENT FROM information_schema.TABLES
             WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '{table}'"
        ));
        next[0]
            .parse()
            .unwrap_or_else(|_| panic!("{table}: {next:?}"))
    }

    fn remember(&self) -> Unchanged<'_> {
        let all = || {
            let aside = (self.0.databases_beside(), self.0.beside());
            (MysqlState::of(&self.0), aside)
        };
        let (before, aside) = all();
        Box::new(move |what| {
            let (after, aside_after) = all();
            before.assert_same(&after, what);
            assert_eq!(aside, aside_after, "{what}");
        })
    }

    fn remember_live(&self) -> Unchanged<'_> {
        let before = MysqlState::of(&self.0);
        Box::new(move |what| before.assert_live(&MysqlState::of(&self.0), what))
    }
}

/// The rows of `table`, in order, values as the server writes them.
fn rows(conn: &mut mysql::Conn, table: &str) -> Vec<Vec<Option<Vec<u8>>>> {
    let found: Vec<mysql::Row> = conn
        .query(format!("SELECT * FROM {table} ORDER BY id"))
        .unwrap();
    let value = |value: Value| match value {
        Value::NULL => None,
        Value::Bytes(bytes) => Some(bytes),
        other => panic!("the text protocol sends text, not {other:?}"),
    };
    let row = |row: mysql::Row| row.unwrap().into_iter().map(value).collect();
    found.into_iter().map(row).collect()
}
