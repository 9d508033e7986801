//! A column goes without downtime, as GitLab's documentation of post-deployment migrations has it: the
//! code that uses it runs through the deployment, and is gone before the column is.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mysql::prelude::Queryable;
use postgres::Client;

use crate::migrations::mysql::MysqlMigrations;
use crate::migrations::postgresql::Migrations;
use crate::support::program::run;

/// What an application does, in a session `C` of a server.
type Work<'a, C> = &'a (dyn Fn(&mut C) -> Result<(), String> + Sync);

/// An application of several sessions, each doing `work` again and again until it is stopped. A single
/// error fails the test.
struct Application<'a, C> {
    stopped: AtomicBool,
    rounds: AtomicU64,
    work: Work<'a, C>,
}

impl<'a, C> Application<'a, C> {
    fn new(work: Work<'a, C>) -> Application<'a, C> {
        Application {
            stopped: AtomicBool::new(false),
            rounds: AtomicU64::new(0),
            work,
        }
    }

    fn run(&self, mut client: C) {
        while !self.stopped.load(Ordering::Relaxed) {
            (self.work)(&mut client)
                .unwrap_or_else(|error| panic!("the application fails: {error:?}"));
            self.rounds.fetch_add(1, Ordering::Relaxed);
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// It has done some work since.
    fn works(&self) {
        let before = self.rounds.load(Ordering::Relaxed);
        let started = Instant::now();
        while self.rounds.load(Ordering::Relaxed) < before + 10 {
            assert!(
                started.elapsed() < Duration::from_secs(30),
                "the application stands still"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }
}

impl<C> Drop for Application<'_, C> {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Ends the applications also where the test fails, so that it can be told.
struct StopAtEnd<'a, 'b, C>(&'a [&'a Application<'b, C>]);

impl<C> Drop for StopAtEnd<'_, '_, C> {
    fn drop(&mut self) {
        self.0.iter().for_each(|application| application.stop());
    }
}

/// What can migrate, and be migrated meanwhile.
trait Deployed: Sync {
    type Session;
    fn connect(&self) -> Self::Session;
    fn migrate(&self, skip: bool) -> crate::support::program::Outcome;
}

impl Deployed for Migrations {
    type Session = Client;

    fn connect(&self) -> Client {
        self.scene.connect()
    }

    fn migrate(&self, skip: bool) -> crate::support::program::Outcome {
        run(with_variable(self.command(&[]), skip))
    }
}

impl Deployed for MysqlMigrations {
    type Session = mysql::Conn;

    fn connect(&self) -> mysql::Conn {
        self.scene.conn()
    }

    fn migrate(&self, skip: bool) -> crate::support::program::Outcome {
        run(with_variable(self.command(&[]), skip))
    }
}

fn with_variable(mut migrate: std::process::Command, skip: bool) -> std::process::Command {
    if skip {
        migrate.env("SKIP_POST_DEPLOYMENT_MIGRATIONS", "1");
    }
    migrate
}

const OLD_CODE: [&str; 3] = [
    "INSERT INTO builds (name, legacy_state) VALUES ('old', 'running')",
    "UPDATE builds SET legacy_state = 'done' WHERE name = 'old' AND legacy_state = 'running'",
    "SELECT id, legacy_state FROM builds ORDER BY id DESC LIMIT 3",
];

const NEW_CODE: [&str; 2] = [
    "INSERT INTO builds (name, state) VALUES ('new', 2)",
    "SELECT id, state FROM builds ORDER BY id DESC LIMIT 3",
];

fn on_postgresql(client: &mut Client, code: &[&str]) -> Result<(), String> {
    code.iter()
        .try_for_each(|sql| client.execute(*sql, &[]).map(drop))
        .map_err(|error| format!("{error:?}"))
}

fn on_mariadb(conn: &mut mysql::Conn, code: &[&str]) -> Result<(), String> {
    code.iter()
        .try_for_each(|sql| conn.query_drop(*sql))
        .map_err(|error| error.to_string())
}

/// The deployment: what the new code needs comes, and nothing goes; when the new code runs everywhere, the
/// column goes.
fn deploy<D: Deployed>(it: &D, old_code: Work<'_, D::Session>, new_code: Work<'_, D::Session>) {
    let (old, new) = (Application::new(old_code), Application::new(new_code));
    std::thread::scope(|scope| {
        let all = [&old, &new];
        let _stop = StopAtEnd(&all);
        let olds = [0, 1].map(|_| scope.spawn(|| old.run(it.connect())));
        old.works();
        it.migrate(true)
            .succeeds()
            .reports("drop_legacy_state: left for after the deployment");
        old.works();
        // Machine by machine the new code takes over.
        let news = [0, 1].map(|_| scope.spawn(|| new.run(it.connect())));
        new.works();
        old.works();
        old.stop();
        for thread in olds {
            thread.join().unwrap();
        }
        it.migrate(false)
            .succeeds()
            .reports("drop_legacy_state: migrated in");
        new.works();
        new.stop();
        for thread in news {
            thread.join().unwrap();
        }
    });
}

#[test]
fn a_column_goes_without_one_error() {
    let it = Migrations::of(&[
        (
            "migrate/20260101000000_add_state.sql",
            "ALTER TABLE builds ADD COLUMN state integer;
             CREATE FUNCTION fill_state() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN
               IF NEW.legacy_state IS NOT NULL THEN NEW.state := length(NEW.legacy_state); END IF;
               RETURN NEW;
             END $$;
             CREATE TRIGGER fill_state BEFORE INSERT OR UPDATE ON builds
               FOR EACH ROW EXECUTE PROCEDURE fill_state();
             UPDATE builds SET state = length(legacy_state);",
        ),
        (
            "migrate/20260101000001_index_state.sql",
            "-- migrate:no-transaction
             DROP INDEX CONCURRENTLY IF EXISTS index_builds_on_state;
             CREATE INDEX CONCURRENTLY index_builds_on_state ON builds (state);",
        ),
        (
            "post_migrate/20260101000002_drop_legacy_state.sql",
            "DROP TRIGGER fill_state ON builds; DROP FUNCTION fill_state();
             ALTER TABLE builds DROP COLUMN legacy_state;",
        ),
    ]);
    it.scene
        .connect()
        .batch_execute(
            "CREATE TABLE builds (id serial PRIMARY KEY, name text, legacy_state text);
             INSERT INTO builds (name, legacy_state) SELECT 'before', 'done' FROM generate_series(1, 1000)",
        )
        .unwrap();
    deploy(&it, &|client| on_postgresql(client, &OLD_CODE), &|client| {
        on_postgresql(client, &NEW_CODE)
    });
    let column = "SELECT count(*) FROM information_schema.columns WHERE table_name = 'builds' AND column_name = 'legacy_state'";
    assert_eq!(it.scene.value(column), "0");
    // What the old code wrote while the new code ran is all there.
    assert_eq!(
        it.scene
            .value("SELECT count(*) FROM builds WHERE state IS NULL"),
        "0"
    );
    assert_eq!(
        it.scene
            .value("SELECT count(*) >= 30 FROM builds WHERE name = 'old'"),
        "t"
    );
    assert_eq!(it.versions().len(), 3);
}

/// The same on MariaDB, whose old code finds its column wherever it asks for it.
#[test]
fn a_column_goes_without_one_error_on_mariadb() {
    let it = MysqlMigrations::of(&[
        (
            "migrate/20260101000000_add_state.sql",
            "ALTER TABLE builds ADD COLUMN state int;
             CREATE TRIGGER fill_state BEFORE INSERT ON builds FOR EACH ROW BEGIN
               IF NEW.legacy_state IS NOT NULL THEN SET NEW.state = CHAR_LENGTH(NEW.legacy_state); END IF;
             END;
             CREATE TRIGGER keep_state BEFORE UPDATE ON builds FOR EACH ROW BEGIN
               IF NEW.legacy_state IS NOT NULL THEN SET NEW.state = CHAR_LENGTH(NEW.legacy_state); END IF;
             END;
             UPDATE builds SET state = CHAR_LENGTH(legacy_state) WHERE state IS NULL;",
        ),
        (
            "migrate/20260101000001_index_state.sql",
            "CREATE INDEX index_builds_on_state ON builds (state);",
        ),
        (
            "post_migrate/20260101000002_drop_legacy_state.sql",
            "DROP TRIGGER fill_state; DROP TRIGGER keep_state;
             ALTER TABLE builds DROP COLUMN legacy_state;",
        ),
    ]);
    it.scene.execute(
        "CREATE TABLE builds (id int AUTO_INCREMENT PRIMARY KEY, name text, legacy_state text) ENGINE=InnoDB",
    );
    it.scene.execute(
        "INSERT INTO builds (name, legacy_state) SELECT 'before', 'done' FROM seq_1_to_1000",
    );
    deploy(&it, &|conn| on_mariadb_again(conn, &OLD_CODE), &|conn| {
        on_mariadb_again(conn, &NEW_CODE)
    });
    let column = "SELECT count(*) FROM information_schema.columns
                  WHERE table_schema = DATABASE() AND table_name = 'builds' AND column_name = 'legacy_state'";
    assert_eq!(it.scene.values(column), ["0"]);
    // What the old code wrote while the new code ran is all there.
    assert_eq!(
        it.scene
            .values("SELECT count(*) FROM builds WHERE state IS NULL"),
        ["0"]
    );
    assert_eq!(
        it.scene
            .values("SELECT count(*) >= 30 FROM builds WHERE name = 'old'"),
        ["1"]
    );
    assert_eq!(it.versions().len(), 3);
}

/// Of two who lock rows of each other's the server ends one's statement, deployment or not: whoever writes
/// to InnoDB runs that again.
fn on_mariadb_again(conn: &mut mysql::Conn, code: &[&str]) -> Result<(), String> {
    for _ in 0..20 {
        match on_mariadb(conn, code) {
            Err(error) if error.contains("Deadlock found") => {}
            done => return done,
        }
    }
    Err("deadlocks without an end".to_owned())
}
