//! Every statement that meets many rows or many tables has a plan that is fit for them, also while the server knows nothing of
//! the tables.

use std::fs;
use std::process::Command;

use crate::support::many_rows::{MANY, Pace, many_of_ci};
use crate::support::mysql_scene::MysqlScene;
use crate::support::program::{Outcome, command, run};
use crate::support::scene::Scene;

/// The numbers from 1 to [`MANY`].
fn numbers() -> String {
    let digits: Vec<String> = (0..10)
        .map(|digit| format!("SELECT {digit} AS d"))
        .collect();
    let digits = digits.join(" UNION ALL ");
    format!(
        "(SELECT 1 + a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d AS n
          FROM ({digits}) a, ({digits}) b, ({digits}) c, ({digits}) e, ({digits}) f) numbers"
    )
}

fn pace(scene: &MysqlScene) -> Pace {
    let numbers = numbers();
    Pace::of(|| {
        scene.execute("CREATE TABLE copied (n int PRIMARY KEY, name varchar(50), KEY (name))");
        scene.execute(&format!(
            "INSERT INTO copied SELECT n, CONCAT('tag ', n) FROM {numbers} ORDER BY n"
        ));
        scene.execute("DROP TABLE copied");
    })
}

fn with_target(scene: &MysqlScene, arguments: &[&str]) -> Command {
    let stage = scene.stage();
    let mut command = command(arguments.iter());
    command.args(["--database-url", &stage.url]);
    command
}

fn of(scene: &MysqlScene, arguments: &[&str]) -> Outcome {
    let mut command = with_target(scene, arguments);
    run(command.arg("--builds-path").arg(scene.builds()))
}

#[test]
fn tags_services_jobs_and_builds() {
    assert_eq!(MANY, 100_000);
    let scene = MysqlScene::gitlab();
    let numbers = numbers();
    for table in ["tags", "taggings"] {
        scene.execute(&format!("ALTER TABLE {table} STATS_AUTO_RECALC=0"));
    }
    scene.execute(&format!(
        "INSERT INTO tags (name) SELECT CONCAT('tag ', 2 * n) FROM {numbers} ORDER BY n"
    ));
    scene.execute(&format!(
        "INSERT INTO taggings (tag_id, taggable_id, taggable_type, context)
         SELECT 1 + n % {MANY}, n, IF(n % 3 = 0, 'Project', 'Ci::Build'), CONCAT('c', n % 1000) FROM {numbers}"
    ));
    let packing = Scene::bare();
    let archive = packing.pack(&many_of_ci());
    let archive = archive.to_str().unwrap();
    let pace = pace(&scene);
    pace.step("import", || of(&scene, &[archive, "--yes"]).succeeds());
    let count = |sql: &str| {
        scene
            .values(&format!("SELECT COUNT(*) FROM {sql}"))
            .remove(0)
    };
    let many = MANY.to_string();
    assert_eq!(count("ci_services WHERE type = 'Ci::SlackService'"), many);
    let taggings = "taggings WHERE taggable_type = 'Ci::Build' AND created_at IS NOT NULL";
    assert_eq!(count(taggings), many);
    pace.step("check", || of(&scene, &["check", archive]).succeeds());
    pace.step("verify", || of(&scene, &["verify", archive]).succeeds());
    for _ in 0..2 {
        pace.step("rollback", || of(&scene, &["rollback", "--yes"]).succeeds());
    }
    assert_eq!(count(taggings), many);
    for version in ["20000101000011", "20000101000012"] {
        pace.step(version, || {
            run(with_target(&scene, &["migrate", "up", version])).succeeds()
        });
    }
    pace.step("migrate", || {
        run(with_target(&scene, &["migrate"])).succeeds()
    });
    pace.step("discard", || of(&scene, &["discard", "--yes"]).succeeds());
}

#[test]
fn many_tables() {
    const TABLES: usize = 1000;
    let scene = MysqlScene::bare();
    let mut dump = String::from("-- MySQL dump 10.13\n");
    for n in 1..=TABLES {
        dump += &format!(
            "CREATE TABLE `t{n}` (`id` int NOT NULL AUTO_INCREMENT, `a` int, PRIMARY KEY (`id`), KEY `a` (`a`)) ENGINE=InnoDB;\n\
             INSERT INTO `t{n}` VALUES (1,1);\n"
        );
    }
    dump += "-- Dump completed\n";
    let file = scene.path("tables.sql");
    fs::write(&file, dump).unwrap();
    let file = file.to_str().unwrap();
    // As many tables, made by the server's own means.
    let pace = Pace::of(|| {
        let mut conn = scene.conn();
        for n in 1..=TABLES {
            use mysql::prelude::Queryable;
            conn.query_drop(format!(
                "CREATE TABLE copied{n} (id int PRIMARY KEY AUTO_INCREMENT, a int, KEY (a))"
            ))
            .unwrap();
        }
    });
    let of = |arguments: &[&str]| run(with_target(&scene, arguments).arg("--quiet"));
    pace.step("import", || of(&[file, "--yes"]).succeeds());
    pace.step("replace", || of(&[file, "--yes", "--replace"]).succeeds());
    pace.step("verify", || of(&["verify", file]).succeeds());
    pace.step("rollback", || of(&["rollback", "--yes"]).succeeds());
    pace.step("discard", || of(&["discard", "--yes"]).succeeds());
}
