//! What a user of a MariaDB must be allowed to do: no more than the book says. And what may not be asked
//! of a MySQL target.

use crate::support::mysql_instead;
use crate::support::mysql_scene::MysqlScene;
use crate::support::program::{command, run};
use crate::support::scene::{Dialect, Scene, fixture_dump};

#[test]
fn rights_on_the_databases_beside_the_live_one_are_enough() {
    let packed = Scene::bare();
    let archive = packed.pack(&fixture_dump(Dialect::Native));
    let archive = archive.to_str().unwrap();
    let scene = MysqlScene::gitlab();
    let live = &scene.databases.live;
    let user = format!("{live}_user");
    scene.execute(&format!("CREATE USER {user} IDENTIFIED BY 'p4ss'"));
    scene.execute(&format!("GRANT ALL ON {live}.* TO {user}"));
    let stage = scene.stage();
    let url = stage
        .url
        .replace("root@localhost", &format!("{user}:p4ss@localhost"));
    let builds = stage.builds.to_str().unwrap();
    let of_target = ["--database-url", &url, "--builds-path", builds];
    let import = || {
        let mut import = command([archive, "--yes"]);
        import.args(of_target);
        run(import)
    };
    let check = || {
        let mut check = command(["check", archive]);
        check.args(of_target);
        run(check)
    };
    let pattern = format!("{}\\_ci\\_import\\_%", live.replace('_', "\\_"));
    let hint = format!("hint: grant the user all rights on them: GRANT ALL ON `{pattern}`.* TO …");
    check()
        .exits(4)
        .reports("rights             FAILED  the user may not create the database ")
        .reports(&hint);
    import()
        .exits(4)
        .says("Access denied")
        .says("hint: the import needs databases with the name of the live one");
    assert!(scene.databases_beside().is_empty());
    // A right that comes with a role is not listed.
    let role = format!("{live}_role");
    scene.execute(&format!("CREATE ROLE {role}"));
    scene.execute(&format!("GRANT ALL ON `{pattern}`.* TO {role}"));
    scene.execute(&format!("GRANT {role} TO {user}"));
    let of = if mysql_instead::folder().is_some() {
        "TO"
    } else {
        "FOR"
    };
    scene.execute(&format!("SET DEFAULT ROLE {role} {of} {user}"));
    check().succeeds().reports(
        "rights             note    cannot be determined: the user must be allowed to create",
    );
    scene.execute(&format!("DROP ROLE {role}"));
    scene.execute(&format!("GRANT ALL ON `{pattern}`.* TO {user}"));
    check().succeeds().reports("may create the database");
    import().succeeds();
    for action in ["rollback", "discard"] {
        let mut it = command([action, "--yes"]);
        it.args(of_target);
        run(it).succeeds();
    }
    scene.execute(&format!("DROP USER {user}"));
}

#[test]
fn what_is_for_postgresql_only_is_refused() {
    let packed = Scene::bare();
    let archive = packed.pack(&fixture_dump(Dialect::Native));
    let scene = MysqlScene::gitlab();
    let stage = scene.stage();
    let with = |option: &str, value: &str| {
        let mut import = command([archive.to_str().unwrap(), "--yes", option, value]);
        import.args(["--database-url", &stage.url]);
        import.arg("--builds-path").arg(&stage.builds);
        run(import).exits(2)
    };
    for (option, value) in [
        ("--tinyint1", "truthy"),
        ("--enum", "type"),
        ("--time", "interval"),
        ("--timestamps", "tz"),
        ("--geometry", "wkb"),
        ("--vector", "real"),
        ("--on-update", "none"),
        ("--zero-dates", "error"),
        ("--nul", "error"),
    ] {
        with(option, value).says(&format!("{option} is only for PostgreSQL"));
    }
    with("--schema", "shop")
        .says("in MySQL a schema is a database")
        .says("hint: name the database in the URL or the database.yml of the target");
    assert_eq!(scene.values("SELECT COUNT(*) FROM ci_builds"), ["0"]);
    assert!(scene.databases_beside().is_empty());
}
