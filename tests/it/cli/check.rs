//! `check` says beforehand what an import would say, and changes nothing.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::program::{Outcome, command, run};
use crate::support::scene::{Dialect, Scene, fixture_dump};
use crate::support::servers::postgresql_url;
use crate::support::state::State;

fn check_command(scene: &Scene, archive: &Path) -> Command {
    let mut check = command(["check", "--mysql-to-postgresql", "--builds-path"]);
    check
        .arg(scene.builds())
        .args(["--database-url", &postgresql_url(&scene.database)])
        .arg(archive);
    check
}

fn check(scene: &Scene, archive: &Path) -> Outcome {
    run(check_command(scene, archive))
}

#[test]
fn all_is_well_and_nothing_is_changed() {
    let scene = Scene::gitlab();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    let before = State::of(&scene);
    let outcome = check(&scene, &archive)
        .succeeds()
        .reports("ok      GitLab CI 8.0.5, made 20")
        .reports("ok      PostgreSQL ")
        .reports("ok      no other import is running")
        .reports("ok      CI is switched on")
        .reports("will be kept aside")
        .reports("MB needed, ")
        .reports("ready to import; nothing was changed");
    assert!(!outcome.stdout.contains("FAILED"), "{outcome:?}");
    before.assert_same(&State::of(&scene));
    let mut json = check_command(&scene, &archive);
    json.arg("--json");
    let report: serde_json::Value = serde_json::from_str(&run(json).succeeds().stdout).unwrap();
    assert_eq!(report["ready"], true);
    assert!(report["checks"].as_array().unwrap().len() >= 10, "{report}");
    scene.import(&archive).succeeds();
    check(&scene, &archive)
        .succeeds()
        .reports("note    are moved to ci_import_previous: ci_application_settings, ci_b")
        .reports(
            "note    the tables that the previous import kept in ci_import_previous are dropped",
        );
}

#[test]
fn every_failure_is_told_and_has_the_code_of_the_import() {
    let scene = Scene::gitlab();
    let dump = fixture_dump(Dialect::Native);
    let old = scene.pack_version(&dump, "7.14.3");
    scene
        .connect()
        .batch_execute("CREATE VIEW mine AS SELECT id FROM ci_builds")
        .unwrap();
    check(&scene, &old)
        .exits(3)
        .reports("FAILED  the archive was made by GitLab CI 7.14.3")
        .reports("the view public.mine")
        .reports("not ready: the import would fail");
    scene.import(&old).exits(3);
    let archive = scene.pack(&dump);
    check(&scene, &archive)
        .exits(4)
        .reports("the view public.mine");
    scene.import(&archive).exits(4);
    scene.connect().batch_execute("DROP VIEW mine").unwrap();
    check(&scene, &archive).succeeds();
    let with = |builds: &Path, url: &str| {
        let mut check = command(["check", "--mysql-to-postgresql", "--builds-path"]);
        check
            .arg(builds)
            .args(["--database-url", url])
            .arg(&archive);
        run(check)
    };
    let url = postgresql_url(&scene.database);
    with(&scene.builds(), "postgresql://nobody@%2Fnowhere/x")
        .exits(4)
        .reports("FAILED  cannot connect to database x");
    with(&scene.path("no/where"), &url)
        .exits(2)
        .reports("its parent directory must exist");
    with(Path::new("/proc/builds"), &url)
        .exits(1)
        .reports("FAILED  cannot write into /proc");
    let mut without = command(["check", "--database-url", &url, "--builds-path"]);
    without.arg(scene.builds()).arg(&archive);
    run(without)
        .exits(2)
        .reports("hint: add --mysql-to-postgresql");
    fs::write(scene.path("nothing"), "nothing of the kind").unwrap();
    check(&scene, &scene.path("nothing")).exits(3);
    check(&scene, Path::new("-")).exits(3);
    check(&scene, &scene.path("missing")).exits(2);
}

#[test]
fn others_who_hold_the_tables_are_named() {
    let scene = Scene::gitlab();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    let mut holder = scene.connect();
    let mut transaction = holder.transaction().unwrap();
    transaction
        .batch_execute("LOCK TABLE ci_runners IN ROW EXCLUSIVE MODE")
        .unwrap();
    check(&scene, &archive)
        .succeeds()
        .reports("note    other sessions use the tables")
        .reports("of postgres (ci_runners)");
    drop(transaction);
    let outcome = check(&scene, &archive).succeeds();
    assert!(
        !outcome.stdout.contains("other sessions use"),
        "{outcome:?}"
    );
}

/// In a copy of a database the tables have the same numbers.
#[test]
fn who_holds_the_tables_of_another_database_is_not_named() {
    let scene = Scene::gitlab();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    let copy = format!("{}_copy", scene.value("SELECT current_database()"));
    let name = scene.value("SELECT quote_ident(current_database())");
    let server = scene
        .url()
        .replacen(&copy.replace("_copy", ""), "postgres", 1);
    let mut postgres = postgres::Client::connect(&server, postgres::NoTls).unwrap();
    postgres
        .batch_execute(&format!("CREATE DATABASE {copy} TEMPLATE {name}"))
        .unwrap();
    let url = scene.url().replacen(&copy.replace("_copy", ""), &copy, 1);
    let mut holder = postgres::Client::connect(&url, postgres::NoTls).unwrap();
    let mut transaction = holder.transaction().unwrap();
    transaction.batch_execute("LOCK TABLE ci_runners").unwrap();
    let outcome = check(&scene, &archive).succeeds();
    drop(transaction);
    drop(holder);
    postgres
        .batch_execute(&format!("DROP DATABASE {copy}"))
        .unwrap();
    assert!(
        !outcome.stdout.contains("other sessions use"),
        "{outcome:?}"
    );
}

#[test]
fn without_a_target_the_private_one_is_not_made() {
    let scene = Scene::bare();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    let private = scene.path("private");
    let mut check = command(["check", "--mysql-to-postgresql", "--private-dir"]);
    check.arg(&private).arg(&archive);
    run(check)
        .succeeds()
        .reports("ok      a private PostgreSQL will be created in ");
    assert!(!private.exists());
}

#[test]
fn a_dump_is_checked_as_well() {
    let scene = Scene::bare();
    let path = scene.path("dump.sql");
    fs::write(&path, fixture_dump(Dialect::Native)).unwrap();
    let mut check = command(["check", "--database-url", &postgresql_url(&scene.database)]);
    check.arg(&path);
    run(check)
        .succeeds()
        .reports("ok      a dump")
        .reports("may create schemas, and tables in public");
}
