//! A column goes without downtime, as GitLab's documentation of post-deployment migrations has it: the
//! code that uses it runs through the deployment, and is gone before the column is.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use postgres::Client;

use crate::migrations::Migrations;
use crate::program::run;

/// An application of several sessions, each doing `work` again and again until it is stopped. A single
/// error fails the test.
struct Application<'a> {
    stopped: AtomicBool,
    rounds: AtomicU64,
    work: &'a (dyn Fn(&mut Client) -> Result<(), postgres::Error> + Sync),
}

impl<'a> Application<'a> {
    fn new(
        work: &'a (dyn Fn(&mut Client) -> Result<(), postgres::Error> + Sync),
    ) -> Application<'a> {
        Application {
            stopped: AtomicBool::new(false),
            rounds: AtomicU64::new(0),
            work,
        }
    }

    fn run(&self, mut client: Client) {
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

impl Drop for Application<'_> {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Ends the applications also where the test fails, so that it can be told.
struct StopAtEnd<'a, 'b>(&'a [&'a Application<'b>]);

impl Drop for StopAtEnd<'_, '_> {
    fn drop(&mut self) {
        self.0.iter().for_each(|application| application.stop());
    }
}

fn old_code(client: &mut Client) -> Result<(), postgres::Error> {
    let sql = "INSERT INTO builds (name, legacy_state) VALUES ($1, $2)";
    client.execute(sql, &[&"old", &"running"])?;
    let sql = "UPDATE builds SET legacy_state = 'done' WHERE id = (SELECT max(id) FROM builds WHERE name = 'old')";
    client.execute(sql, &[])?;
    client.query(
        "SELECT id, legacy_state FROM builds ORDER BY id DESC LIMIT 3",
        &[],
    )?;
    Ok(())
}

fn new_code(client: &mut Client) -> Result<(), postgres::Error> {
    client.execute(
        "INSERT INTO builds (name, state) VALUES ($1, $2)",
        &[&"new", &2_i32],
    )?;
    client.query("SELECT id, state FROM builds ORDER BY id DESC LIMIT 3", &[])?;
    Ok(())
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
    let (old, new) = (Application::new(&old_code), Application::new(&new_code));
    std::thread::scope(|scope| {
        let all = [&old, &new];
        let _stop = StopAtEnd(&all);
        let olds = [0, 1].map(|_| scope.spawn(|| old.run(it.scene.connect())));
        old.works();
        // The deployment: what the new code needs comes, and nothing goes.
        let mut deployment = it.command(&[]);
        deployment.env("SKIP_POST_DEPLOYMENT_MIGRATIONS", "1");
        run(deployment)
            .succeeds()
            .reports("drop_legacy_state: left for after the deployment");
        old.works();
        // Machine by machine the new code takes over.
        let news = [0, 1].map(|_| scope.spawn(|| new.run(it.scene.connect())));
        new.works();
        old.works();
        old.stop();
        for thread in olds {
            thread.join().unwrap();
        }
        // When nobody uses the column any more, it goes.
        it.migrate(&[])
            .succeeds()
            .reports("drop_legacy_state: migrated in");
        new.works();
        new.stop();
        for thread in news {
            thread.join().unwrap();
        }
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
