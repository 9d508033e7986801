//! `verify` sees all tables as they are at one moment, though others write meanwhile.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use mysql::prelude::Queryable;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::mysql_scene::MysqlScene;
use crate::support::paused::Paused;
use crate::support::program::{Outcome, command, run, unbroken};
use crate::support::scene::Scene;

/// Writers see to it that at each moment one of the two differs from the dump, and the other one does not.
const A_DIFFERS: [&str; 2] = ["UPDATE a SET n = -id", "UPDATE b SET n = id"];
const B_DIFFERS: [&str; 2] = ["UPDATE a SET n = id", "UPDATE b SET n = -id"];

/// A dump of two tables, the longer one first: so it is the first that is compared, in whatever order.
fn dump(engine: &str) -> String {
    let table = |name: &str, rows: u32| {
        let values: Vec<String> = (1..=rows).map(|id| format!("({id},{id})")).collect();
        format!(
            "CREATE TABLE `{name}` (`id` int NOT NULL, `n` int, PRIMARY KEY (`id`)) ENGINE={engine};\n\
             INSERT INTO `{name}` VALUES {};\n",
            values.join(",")
        )
    };
    table("a", 3000) + &table("b", 2000)
}

/// Runs statements, in one transaction.
type Write<'a> = dyn Fn(&[&str]) + Sync + 'a;

/// A target that the dump was imported into.
struct Imported<'a> {
    directory: TempDir,
    url: String,
    write: Box<Write<'a>>,
}

impl<'a> Imported<'a> {
    fn into(url: String, dump: &str, write: impl Fn(&[&str]) + Sync + 'a) -> Imported<'a> {
        let imported = Imported {
            directory: tempfile::tempdir().unwrap(),
            url,
            write: Box::new(write),
        };
        fs::write(imported.dump(), dump).unwrap();
        run(imported.command(&[])).succeeds();
        imported
    }

    fn dump(&self) -> PathBuf {
        self.directory.path().join("dump.sql")
    }

    fn command(&self, verb: &[&str]) -> Command {
        let mut command = command(verb);
        command.arg(self.dump()).args(["--database-url", &self.url]);
        command
    }

    fn verify(&self, jobs: &str) -> Command {
        let mut verify = self.command(&["verify"]);
        verify.args(["--jobs", jobs]);
        verify
    }

    /// What is written between two tables is not seen, neither where it makes one differ nor where it
    /// makes one the same.
    fn sees_what_was_there_when_it_began(&self) {
        let states = [(A_DIFFERS, "a"), (B_DIFFERS, "b"), (A_DIFFERS, "a")];
        (self.write)(&A_DIFFERS);
        for jobs in ["1", "3"] {
            for pair in states.windows(2) {
                let [(_, differs), (next, _)] = pair else {
                    unreachable!()
                };
                let paused = Paused::at(self.verify(jobs), "table compared");
                (self.write)(next);
                assert_eq!(differing(paused.finish()), [*differs], "{jobs} jobs");
            }
        }
    }

    /// However often somebody writes.
    fn sees_one_moment_of_a_writer_at_work(&self) {
        let ended = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !ended.load(Ordering::Relaxed) {
                    (self.write)(&A_DIFFERS);
                    (self.write)(&B_DIFFERS);
                }
            });
            // As long as it writes, nothing here may panic.
            let outcomes: Vec<Outcome> = (0..5).map(|_| run(self.verify("3"))).collect();
            ended.store(true, Ordering::Relaxed);
            for outcome in outcomes {
                assert_eq!(differing(outcome).len(), 1);
            }
        });
    }
}

/// The tables that differ.
#[track_caller]
fn differing(outcome: Outcome) -> Vec<String> {
    let outcome = outcome.exits(1);
    let lines = outcome.stdout.lines();
    let differing = lines.filter(|line| line.contains("DIFFERS"));
    let name = |line: &str| line.split(' ').next().unwrap().to_owned();
    differing.map(name).collect()
}

fn in_postgresql(scene: &Scene) -> Imported<'_> {
    Imported::into(scene.url(), &dump("InnoDB"), |statements| {
        let sql = format!("BEGIN; {}; COMMIT", statements.join("; "));
        scene.connect().batch_execute(&sql).unwrap();
    })
}

fn in_mariadb<'a>(scene: &'a MysqlScene, engine: &str) -> Imported<'a> {
    Imported::into(scene.stage().url, &dump(engine), |statements| {
        let mut conn = scene.conn();
        for sql in [&["BEGIN"], statements, &["COMMIT"]].concat() {
            conn.query_drop(sql).unwrap();
        }
    })
}

#[test]
fn of_a_postgresql() {
    let scene = Scene::bare();
    let imported = in_postgresql(&scene);
    imported.sees_what_was_there_when_it_began();
    imported.sees_one_moment_of_a_writer_at_work();
}

#[test]
fn of_a_mariadb() {
    let scene = MysqlScene::bare();
    let imported = in_mariadb(&scene, "InnoDB");
    imported.sees_what_was_there_when_it_began();
    imported.sees_one_moment_of_a_writer_at_work();
}

/// A table that cannot be seen so is named, be it the same or not.
#[test]
fn an_engine_without_transactions_is_told() {
    let scene = MysqlScene::bare();
    let imported = in_mariadb(&scene, "MyISAM");
    scene.execute("ALTER TABLE b ENGINE=InnoDB");
    let told = run(imported.verify("3")).succeeds().stdout;
    let later = "- same; read later than the others: its engine has no transactions b 2,000 2,000 - same all agree";
    assert!(unbroken(&told).ends_with(later), "{told}");
    let report = run(imported.verify("3").arg("--json")).succeeds().stdout;
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["tables"][0]["in_snapshot"], false);
    assert_eq!(report["tables"][1]["in_snapshot"], true);
}
