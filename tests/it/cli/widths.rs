//! No line of a message or report is too long to be read: not of the reports with many notes, and not of the errors.

use std::fs;

use crate::support::program::{Outcome, command, project, run};
use crate::support::scene::{Dialect, Scene, fixture_dump, load_into_mariadb, mysqldump};
use crate::support::servers::new_mariadb_database;

const WIDEST: usize = 100;

/// A line may only be longer if it is one word, such as a path.
#[track_caller]
fn fits(outcome: &Outcome) {
    let lines = outcome.stdout.lines().chain(outcome.stderr.lines());
    let is_long = |line: &&str| line.chars().count() > WIDEST && line.trim().contains(' ');
    let long: Vec<&str> = lines.filter(is_long).collect();
    assert!(long.is_empty(), "{long:#?}\n{}", outcome.whole());
}

#[test]
fn of_everything_about_an_archive() {
    let scene = Scene::gitlab();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    let archive = archive.to_str().unwrap();
    let unconfirmed = run(scene.command([archive, "--mysql-to-postgresql"])).exits(2);
    fits(&unconfirmed);
    fits(&run(scene.command(["check", archive, "--mysql-to-postgresql"])).succeeds());
    fits(&run(scene.command(["check", archive])).exits(2));
    let imported = scene.import(archive.as_ref()).succeeds();
    assert!(imported.stdout.contains("changed during the import"));
    fits(&imported);
    let unconfirmed = run(scene.command([archive, "--mysql-to-postgresql"])).exits(2);
    assert!(unconfirmed.stderr.lines().count() > 3, "{unconfirmed:?}");
    fits(&unconfirmed);
    fits(&scene.import(archive.as_ref()).succeeds());
    fits(&run(scene.command(["verify", archive])).succeeds());
    let changes =
        "DELETE FROM ci_builds WHERE id < 3; DELETE FROM taggings; DROP TABLE ci_variables";
    scene.connect().batch_execute(changes).unwrap();
    fs::remove_dir_all(scene.builds().join("2015_09")).unwrap();
    fits(&run(scene.command(["verify", archive])).exits(1));
    fits(&run(scene.command(["rollback"])).exits(2));
    fits(&run(scene.command(["rollback", "--yes"])).succeeds());
    fits(&run(scene.command(["discard", "--yes"])).succeeds());
    fits(&run(scene.command(["recover"])).succeeds());
    let url = scene.url();
    let migrate = |arguments: &[&str]| {
        let mut migrate = command(["migrate"]);
        run(migrate.args(arguments).args(["--database-url", &url]))
    };
    fits(&migrate(&["status"]).succeeds());
    fits(&migrate(&[]));
}

#[test]
fn of_a_dump_with_many_notes() {
    let scene = Scene::bare();
    let source = new_mariadb_database();
    for fixture in ["every_type.sql", "every_key.sql"] {
        load_into_mariadb(&source, &project().join("fixtures").join(fixture));
    }
    let dump = scene.path("dump.sql");
    fs::write(&dump, mysqldump(&source, &[])).unwrap();
    let dump = dump.to_str().unwrap();
    fits(&run(command(["inspect", dump])));
    let options = [
        "--time",
        "interval",
        "--invalid-dates",
        "null",
        "--skip-table",
        "parts",
        "--skip-table",
        "shapes",
    ];
    let converted = run(command(["convert", dump, "-o", "/dev/null"]).args(options));
    assert!(converted.stderr.lines().count() > 10, "{converted:?}");
    fits(&converted);
    fits(&run(scene.command([dump]).args(options)));
    fits(&run(scene.command([dump])));
}
