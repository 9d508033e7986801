//! What the target's server will not have of a definition is left out, and told, or an error that says what
//! to do: the rows are what must arrive.

use std::fs;

use crate::support::mysql_scene::MysqlScene;
use crate::support::program::{Outcome, command, run};
use crate::support::scene::Scene;

/// Imports `dump` into the database at `url`.
fn import(url: &str, dump: &str, options: &[&str]) -> Outcome {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("dump.sql");
    fs::write(&file, dump).unwrap();
    let mut import = command::<&str>([]);
    import.arg(file).args(["--database-url", url]).args(options);
    run(import)
}

/// MySQL 8 has functions that MariaDB does not have.
const OF_MYSQL_8: &str = "
    CREATE TABLE `t` (
      `id` int NOT NULL AUTO_INCREMENT,
      `u` binary(16) DEFAULT (uuid_to_bin(uuid())),
      `s` varchar(20) NOT NULL DEFAULT 'x' CHECK (regexp_like(`s`,_utf8mb4'^[a-z]')),
      `n` int DEFAULT (1 + 1),
      PRIMARY KEY (`id`),
      CONSTRAINT `letters` CHECK (regexp_like(`s`,_utf8mb4'[a-z]$')),
      CONSTRAINT `short` CHECK (char_length(`s`) < 10)
    ) ENGINE=InnoDB AUTO_INCREMENT=7;
    INSERT INTO `t` VALUES (1,0x00112233445566778899AABBCCDDEEFF,'a',5),(2,NULL,'b',NULL);";

#[test]
fn defaults_and_checks_that_a_mariadb_refuses_are_left_out() {
    let scene = MysqlScene::bare();
    import(&scene.stage().url, OF_MYSQL_8, &[])
        .succeeds()
        .reports("  t.u: the default was left out: the server refuses it: ")
        .reports("  t.letters: CHECK (regexp_like(`s`,_utf8mb4'[a-z]$')) left out: the server refuses it: ")
        .reports("  t: CHECK (regexp_like(`s`,_utf8mb4'^[a-z]')) left out: the server refuses it: ");
    assert_eq!(
        scene.values("SELECT id, HEX(u), s, n FROM t"),
        ["1|00112233445566778899AABBCCDDEEFF|a|5", "2|~|b|~"]
    );
    let constraints =
        "SELECT constraint_name, check_clause FROM information_schema.check_constraints
                       WHERE constraint_schema = DATABASE()";
    assert_eq!(scene.values(constraints), ["short|char_length(`s`) < 10"]);
    scene.execute("INSERT INTO t () VALUES ()");
    assert_eq!(
        scene.values("SELECT id, u, s, n FROM t WHERE id > 2"),
        ["7|~|x|2"]
    );
}

#[test]
fn a_generated_column_that_a_mariadb_refuses_is_an_error_that_names_it() {
    let scene = MysqlScene::bare();
    let dump = OF_MYSQL_8.replace(
        "`n` int DEFAULT (1 + 1)",
        "`n` int, `g` varchar(40) GENERATED ALWAYS AS (bin_to_uuid(`u`)) VIRTUAL",
    );
    let dump = dump.replace("INTO `t` VALUES", "INTO `t` (`id`,`u`,`s`,`n`) VALUES");
    import(&scene.stage().url, &dump, &[])
        .exits(1)
        .says("column t.g: the server refuses the expression of this generated column, bin_to_uuid(`u`): ")
        .says("hint: --skip-column t.g leaves it out");
    assert_eq!(scene.values("SHOW TABLES"), [""; 0]);
    assert_eq!(scene.databases_beside(), [""; 0]);
    import(&scene.stage().url, &dump, &["--skip-column", "t.g"])
        .succeeds()
        .reports("  t.u: the default was left out: the server refuses it: ");
    assert_eq!(scene.values("SELECT COUNT(*) FROM t"), ["2"]);
}

/// A table of which the rest is refused as well is an error, and not a table without defaults.
#[test]
fn a_table_that_a_mariadb_refuses_is_an_error() {
    let scene = MysqlScene::bare();
    let dump = "CREATE TABLE `t` (`a` varchar(9000) DEFAULT 'x', `b` varchar(9000)) ENGINE=InnoDB \
                DEFAULT CHARSET=utf8mb4;";
    import(&scene.stage().url, dump, &[])
        .exits(1)
        .says("cannot create the table t: Row size too large");
    assert_eq!(scene.databases_beside(), [""; 0]);
}

/// MySQL compares dates with what is none, and has times of many days.
#[test]
fn defaults_and_checks_that_a_postgresql_refuses_are_left_out() {
    let scene = Scene::bare();
    let dump = "
        CREATE TABLE `t` (
          `id` int NOT NULL AUTO_INCREMENT,
          `w` time DEFAULT '838:59:59',
          `s` varchar(20) NOT NULL DEFAULT 'x',
          `d` date DEFAULT '2015-10-01',
          PRIMARY KEY (`id`),
          CONSTRAINT `late` CHECK (`d` > '0000-00-00'),
          CONSTRAINT `short` CHECK (char_length(`s`) < 10)
        ) ENGINE=InnoDB AUTO_INCREMENT=7;
        INSERT INTO `t` VALUES (1,'01:00:00','a','2015-10-02'),(2,NULL,'b',NULL);";
    import(&scene.url(), dump, &[])
        .succeeds()
        .reports(
            "  t.w: the default '838:59:59' was left out: the server cannot set this default: ",
        )
        .reports("  t.late: CHECK ((\"d\" > '0000-00-00')) left out: cannot add the CHECK to t: ");
    assert_eq!(
        scene.values("SELECT id, w, s, d FROM t ORDER BY id"),
        ["1|01:00:00|a|2015-10-02", "2|~|b|~"]
    );
    assert_eq!(
        scene.values(
            "SELECT conname FROM pg_constraint WHERE conrelid = 't'::regclass AND contype = 'c'"
        ),
        ["short"]
    );
    assert_eq!(
        scene.values("INSERT INTO t DEFAULT VALUES RETURNING id, w, s, d"),
        ["7|~|x|2015-10-01"]
    );
}
