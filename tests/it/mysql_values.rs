//! Plain dumps into MariaDB: what mysqldump writes of the target is what it writes of the source, byte for
//! byte, or differs as is said here.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use mysql::prelude::Queryable;
use tempfile::TempDir;

use crate::program::{Outcome, command, project, run};
use crate::servers::{
    MARIADB_USER, connect_mariadb_in, expect_success, mariadb, mariadb_program_in, next_number,
    run_mariadb, server_directory, user_ids,
};

/// Two databases of a MariaDB, of the same name but for its end: a source, and a target that is empty.
struct Shop {
    server: PathBuf,
    name: String,
    directory: TempDir,
}

impl Shop {
    /// With what `sql` makes in the source.
    fn new(server: &Path, sql: &str) -> Shop {
        let shop = Shop {
            server: server.to_owned(),
            name: format!("values_{}", next_number()),
            directory: tempfile::tempdir().unwrap(),
        };
        for database in [shop.source(), shop.target()] {
            let charset = "CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci";
            shop.execute(&format!("CREATE DATABASE {database} {charset}"));
        }
        let file = shop.directory.path().join("source.sql");
        fs::write(&file, sql).unwrap();
        let mut client = mariadb_program_in(server, "mariadb");
        client
            .arg(shop.source())
            .stdin(fs::File::open(file).unwrap());
        expect_success(&client.output().unwrap());
        shop
    }

    /// With what a file of the fixtures makes.
    fn of_fixture(server: &Path, name: &str) -> Shop {
        let file = project().join("fixtures").join(name);
        Shop::new(server, &fs::read_to_string(file).unwrap())
    }

    fn source(&self) -> String {
        format!("{}_source", self.name)
    }

    fn target(&self) -> String {
        format!("{}_target", self.name)
    }

    fn execute(&self, sql: &str) {
        let mut conn = connect_mariadb_in(&self.server, "mysql");
        conn.query_drop(sql)
            .unwrap_or_else(|cause| panic!("{sql}: {cause}"));
    }

    /// What mysqldump writes of the source, called so.
    fn dump(&self, options: &[&str]) -> Vec<u8> {
        let mut mysqldump = mariadb_program_in(&self.server, "mysqldump");
        mysqldump.args(options).arg(self.source());
        expect_success(&mysqldump.output().unwrap())
    }

    /// Imports `dump` into the target, and compares both.
    fn import(&self, dump: &[u8], options: &[&str]) -> Outcome {
        let file = self.directory.path().join("dump.sql");
        fs::write(&file, dump).unwrap();
        let mut import = self.command(&[]);
        import.arg(file).arg("--yes").args(options);
        if !options.contains(&"--verify") {
            import.args(["--verify", "full"]);
        }
        run(import)
    }

    fn verify(&self) -> Outcome {
        let mut verify = self.command(&["verify"]);
        run(verify.arg(self.directory.path().join("dump.sql")))
    }

    fn command(&self, verb: &[&str]) -> Command {
        let socket = self.server.join("socket");
        let url = format!(
            "mysql://root@localhost/{}?socket={}",
            self.target(),
            socket.display()
        );
        let mut it = command(verb);
        it.args(["--database-url", &url]);
        it
    }

    /// What a user would look at: all definitions and rows of a database, lines of comments apart.
    fn contents(&self, database: &str) -> Vec<u8> {
        let mut mysqldump = mariadb_program_in(&self.server, "mysqldump");
        mysqldump.args(["--skip-comments", "--order-by-primary", database]);
        expect_success(&mysqldump.output().unwrap())
    }

    /// The lines of the source's contents, and those of the target's, that the other does not have.
    fn differences(&self) -> (Vec<String>, Vec<String>) {
        let (source, target) = (self.contents(&self.source()), self.contents(&self.target()));
        let lines = |contents: &[u8]| -> Vec<String> {
            let lines = contents.split(|byte| *byte == b'\n');
            lines
                .map(|line| String::from_utf8_lossy(line).into_owned())
                .collect()
        };
        let (expected, found) = (lines(&source), lines(&target));
        let without = |one: &[String], other: &[String]| {
            let lines = one.iter().filter(|line| !other.contains(line));
            lines.cloned().collect::<Vec<_>>()
        };
        let differences = (without(&expected, &found), without(&found, &expected));
        let is_same = differences == (vec![], vec![]);
        assert_eq!(is_same, source == target, "lines are in another order");
        differences
    }

    /// Source and target are the same, to mysqldump and to `verify`.
    #[track_caller]
    fn assert_same(&self) {
        assert_eq!(self.differences(), (vec![], vec![]));
        self.verify().succeeds().reports("all agree");
    }

    /// `dump` arrives as it is in the source.
    #[track_caller]
    fn arrives(&self, dump: &[u8], options: &[&str]) -> Outcome {
        let outcome = self.import(dump, options).succeeds();
        self.assert_same();
        outcome
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        let mut conn = connect_mariadb_in(&self.server, "mysql");
        let target = self.target();
        for database in [
            self.source(),
            format!("{target}_ci_import_previous"),
            target,
        ] {
            let _ = conn.query_drop(format!("DROP DATABASE IF EXISTS {database}"));
        }
    }
}

fn in_shared(name: &str) -> Shop {
    Shop::of_fixture(&mariadb().directory, name)
}

#[test]
fn every_type_arrives_as_it_was() {
    let shop = in_shared("every_type.sql");
    let dump = shop.dump(&[]);
    shop.arrives(&dump, &[]).reports("no value was changed");
    // As many connections, and chunks, as there may be.
    let options = ["--replace", "--jobs", "8", "--memory", "48"];
    shop.arrives(&dump, &options);
}

#[test]
fn every_key_default_and_name_is_kept() {
    let shop = in_shared("every_key.sql");
    let outcome = shop.import(&shop.dump(&[]), &[]).succeeds();
    println!("{}", outcome.stdout);
    shop.assert_same();
}

/// However mysqldump writes it.
#[test]
fn every_notation_arrives() {
    let layouts: [&[&str]; 5] = [
        &["--hex-blob"],
        &["--skip-extended-insert", "--complete-insert"],
        &["--skip-tz-utc", "--no-autocommit"],
        &["--default-character-set=binary"],
        &[
            "--replace",
            "--skip-quote-names",
            "--skip-comments",
            "--compact",
        ],
    ];
    for layout in layouts {
        let shop = in_shared("every_type.sql");
        println!("{layout:?}");
        shop.arrives(&shop.dump(layout), &[]);
    }
}

/// A dump holds what its character set has.
#[test]
fn dumps_in_other_character_sets() {
    for (charset, text) in [
        ("latin1", "€ é \\\\ Ÿ"),
        ("sjis", "表ソ\\\\能 ｱ"),
        ("gbk", "中国\\\\誠"),
    ] {
        let shop = Shop::new(
            &mariadb().directory,
            &format!(
                "SET NAMES utf8mb4;
                 CREATE TABLE t (id int PRIMARY KEY, a text COMMENT '{text}', b varchar(30) CHARACTER SET {charset},
                                 c enum('{text}') DEFAULT '{text}', d blob);
                 INSERT INTO t VALUES (1, '{text}', '{text}''', '{text}', x'5c27955c'), (2, '{text}', NULL, NULL, NULL)"
            ),
        );
        let option = format!("--default-character-set={charset}");
        for more in ["--hex-blob", "--skip-hex-blob"] {
            shop.arrives(&shop.dump(&[&option, more]), &["--replace"]);
        }
    }
}

/// The directory of a server as strict as can be, without LOAD DATA LOCAL, with small packets, in another time
/// zone. It ends as that of all tests does.
fn hard_server() -> &'static Path {
    static SERVER: OnceLock<PathBuf> = OnceLock::new();
    SERVER.get_or_init(|| {
        let directory = server_directory("hard", user_ids(MARIADB_USER));
        let arguments = [
            "--skip-networking",
            "--local-infile=OFF",
            "--max-allowed-packet=1M",
            "--default-time-zone=+05:30",
            "--sql-mode=TRADITIONAL,ANSI,NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH",
            "--innodb-strict-mode=ON",
            "--explicit-defaults-for-timestamp=OFF",
            "--character-set-server=latin1",
        ];
        run_mariadb(&directory, &arguments);
        directory
    })
}

#[test]
fn a_server_that_makes_it_hard() {
    let server = hard_server();
    for fixture in ["every_type.sql", "every_key.sql"] {
        let sql = fs::read_to_string(project().join("fixtures").join(fixture)).unwrap();
        let shop = Shop::new(server, &format!("SET sql_mode = '';\n{sql}"));
        shop.arrives(&shop.dump(&[]), &[]);
    }
    let rows = "SET sql_mode = '';
        CREATE TABLE large (id int PRIMARY KEY, a longtext, b longblob);
        INSERT INTO large SELECT seq, REPEAT(CONCAT(seq, '\\n''日本'), 40000), REPEAT(CHAR(seq, 0, 39, 92), 60000) FROM seq_1_to_9;
        INSERT INTO large VALUES (10, REPEAT('x', 1040000), NULL), (11, '', '')";
    let shop = Shop::new(server, rows);
    shop.arrives(&shop.dump(&[]), &["--jobs", "3"]);
    // What the server takes of nobody is an error that says so, and nothing is left behind.
    let row = format!("(12,'{}',NULL);", "y".repeat(1_100_000));
    let larger = String::from_utf8_lossy(&shop.dump(&["--hex-blob"]))
        .replace("(11,'','');", &format!("(11,'',''),\n{row}"));
    assert!(larger.contains(&row));
    shop.import(larger.as_bytes(), &["--replace"])
        .exits(4)
        .says("large row 12: its INSERT has 1,100,0")
        .says("hint: raise max_allowed_packet of the server, or switch its local_infile on");
    assert_eq!(shop.differences(), (vec![], vec![]));
}

#[test]
fn a_row_larger_than_a_chunk() {
    let shop = Shop::new(
        &mariadb().directory,
        "CREATE TABLE t (id int PRIMARY KEY, a longtext, b longblob);
         INSERT INTO t VALUES (1, REPEAT('日本\\n\\\\''', 600000), NULL), (2, 'x', REPEAT(x'00275c0a', 1000000)), (3, NULL, '')",
    );
    shop.arrives(
        &shop.dump(&["--max-allowed-packet=256M"]),
        &["--memory", "64"],
    );
}

/// What MySQL 8 writes and MariaDB does not know: rows are as they were, the rest is told.
#[test]
fn a_dump_of_mysql_8() {
    type Row = (u64, String, Option<String>, Option<i32>, String);
    let shop = Shop::new(&mariadb().directory, "");
    let dump = "-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)
/*!50503 SET NAMES utf8mb4 */;
/*!40103 SET TIME_ZONE='+00:00' */;
CREATE TABLE `t` (
  `id` bigint unsigned NOT NULL AUTO_INCREMENT,
  `a` varchar(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_as_cs DEFAULT NULL,
  `j` json DEFAULT NULL,
  `k` varchar(20) GENERATED ALWAYS AS (json_unquote(json_extract(`j`,_utf8mb4'$.a'))) VIRTUAL,
  `u` char(36) NOT NULL DEFAULT (uuid()),
  `g` geomcollection DEFAULT NULL,
  `p` point /*!80003 SRID 4326 */ DEFAULT NULL,
  `i` int DEFAULT NULL /*!80023 INVISIBLE */,
  `d` datetime(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (`id`),
  UNIQUE KEY `a` (`a`),
  UNIQUE KEY `low` ((lower(`u`))),
  KEY `v` (`d`) /*!80000 INVISIBLE */,
  CONSTRAINT `t_chk_1` CHECK ((`i` > 0))
) ENGINE=InnoDB AUTO_INCREMENT=4 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;
INSERT INTO `t` (`id`, `a`, `j`, `u`, `g`, `p`, `i`, `d`) VALUES (1,'Ä','{\\\"a\\\": \\\"x\\\"}','u1',NULL,NULL,5,'2015-10-01 00:00:00.000001'),(2,'ä','null','u2',NULL,NULL,NULL,'2015-10-01 00:00:00.000000');
-- Dump completed on 2015-10-01 12:00:00
";
    shop.import(dump.as_bytes(), &[])
        .succeeds()
        .reports("t: the collation utf8mb4_0900_ai_ci is not known here; it has the default one")
        .reports("t.a: the collation utf8mb4_0900_as_cs is not known here; it has utf8mb4_bin")
        .reports("t.low: the index was left out: the server has none over expressions");
    let mut conn = connect_mariadb_in(&shop.server, &shop.target());
    let rows: Vec<Row> = conn
        .query("SELECT id, a, k, i, CAST(d AS CHAR) FROM t ORDER BY id")
        .unwrap();
    let text = str::to_owned;
    assert_eq!(
        rows,
        [
            (
                1,
                text("Ä"),
                Some(text("x")),
                Some(5),
                text("2015-10-01 00:00:00.000001")
            ),
            (2, text("ä"), None, None, text("2015-10-01 00:00:00.000000")),
        ]
    );
    shop.verify().succeeds().reports("all agree");
}

/// Times of a dump that does not say that they are in UTC are taken for it, and that is told.
#[test]
fn timestamps_of_who_knows_which_zone() {
    let shop = Shop::new(
        hard_server(),
        "SET time_zone = '+00:00'; CREATE TABLE t (id int PRIMARY KEY, a timestamp(2) NULL, b datetime);
         INSERT INTO t VALUES (1, '2015-10-01 12:00:00.25', '2015-10-01 12:00:00')",
    );
    shop.arrives(&shop.dump(&[]), &[]);
    shop.import(&shop.dump(&["--skip-tz-utc"]), &["--replace"])
        .succeeds()
        .reports("t: timestamps are taken as UTC, though the dump does not say that they are");
    let (source, target) = shop.differences();
    assert_eq!(
        source,
        ["(1,'2015-10-01 12:00:00.25','2015-10-01 12:00:00');"]
    );
    assert_eq!(
        target,
        ["(1,'2015-10-01 17:30:00.25','2015-10-01 12:00:00');"]
    );
}

/// How a server keeps rows, and which of them it has kept, is its own affair: rows and columns arrive.
#[test]
fn storage_is_the_targets_affair() {
    let shop = Shop::new(
        &mariadb().directory,
        "CREATE TABLE split (id int PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 3;
         INSERT INTO split VALUES (1), (2), (3);
         CREATE TABLE packed (id int PRIMARY KEY, a longtext COMPRESSED, KEY k (id) IGNORED) ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=4 STATS_PERSISTENT=1;
         INSERT INTO packed VALUES (1, 'x');
         CREATE TABLE of_old (id int PRIMARY KEY, a int) WITH SYSTEM VERSIONING;
         INSERT INTO of_old VALUES (1, 2);
         UPDATE of_old SET a = 3;
         CREATE VIEW seen AS SELECT id FROM split;
         CREATE TRIGGER told BEFORE INSERT ON split FOR EACH ROW SET NEW.id = NEW.id",
    );
    let dump = shop.dump(&[]);
    shop.import(&dump, &[])
        .succeeds()
        .reports("the trigger told was left out")
        .reports("the view seen was left out");
    shop.execute(&format!("DROP VIEW {}.seen", shop.source()));
    shop.execute(&format!("DROP TRIGGER {}.told", shop.source()));
    let (source, target) = shop.differences();
    let table = ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci";
    let expected = [
        format!("{table} WITH SYSTEM VERSIONING;"),
        "  `a` longtext /*M!100301 COMPRESSED*/ DEFAULT NULL,".to_owned(),
        "  KEY `k` (`id`) IGNORED".to_owned(),
        format!("{table} STATS_PERSISTENT=1 ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=4;"),
        table.to_owned(),
        " PARTITION BY HASH (`id`)".to_owned(),
        "PARTITIONS 3;".to_owned(),
    ];
    assert_eq!(source, expected);
    let expected = [
        format!("{table};"),
        "  `a` longtext DEFAULT NULL,".to_owned(),
        "  KEY `k` (`id`)".to_owned(),
        format!("{table} ROW_FORMAT=COMPRESSED;"),
        format!("{table};"),
    ];
    assert_eq!(target, expected);
    shop.verify().succeeds().reports("all agree");
}

/// What a server would change in silence, or with a warning, is an error with its place, by LOAD DATA and
/// by INSERT.
#[test]
fn what_the_server_would_change_is_refused() {
    for server in [&mariadb().directory, hard_server()] {
        let shop = Shop::new(
            server,
            "CREATE TABLE t (id int PRIMARY KEY, a enum('x') NOT NULL, b tinyint, c varchar(3), d date NOT NULL);
             INSERT IGNORE INTO t VALUES (1, 'no such', 1, 'abc', '2015-10-01'), (2, 'x', 2, '', '0000-00-00')",
        );
        let dump = String::from_utf8(shop.dump(&[])).unwrap();
        shop.arrives(dump.as_bytes(), &[]);
        for (value, other, message) in [
            ("(2,'x',", "(2,'y',", "column 'a'"),
            ("(1,'',1", "(1,'',400", "column 'b'"),
            ("'abc'", "'abcd'", "column 'c'"),
            ("'0000-00-00'", "'2015-13-01'", "column 'd'"),
            ("(2,'x',2", "(2,'x','2x'", "column b: "),
        ] {
            let broken = dump.replace(value, other);
            assert_ne!(broken, dump, "{value}");
            for verify in ["full", "none"] {
                shop.import(broken.as_bytes(), &["--replace", "--verify", verify])
                    .exits(1)
                    .says(message);
            }
        }
        assert_eq!(shop.differences(), (vec![], vec![]));
    }
}

/// A dump that does not say the character sets of its tables has them made in that of the database.
#[test]
fn a_database_that_cannot_hold_all_characters() {
    let shop = Shop::new(
        &mariadb().directory,
        "SET NAMES utf8mb4; CREATE TABLE t (id int PRIMARY KEY, a text); INSERT INTO t VALUES (1, '🚀')",
    );
    let to = |charset| {
        let target = shop.target();
        shop.execute(&format!("ALTER DATABASE {target} CHARACTER SET {charset}"));
    };
    let dump = shop.dump(&["--compatible=postgresql"]);
    to("utf8mb3");
    shop.import(&dump, &[])
        .exits(1)
        .says("Incorrect string value: '\\xF0\\x9F\\x9A\\x80'")
        .says("hint: is it that the dump does not say the character sets of its tables?");
    to("utf8mb4 COLLATE utf8mb4_unicode_ci");
    shop.import(&dump, &[]).succeeds();
    let rows = |database: String| {
        let contents = shop.contents(&database);
        String::from_utf8(contents)
            .unwrap()
            .split_once("INSERT INTO")
            .unwrap()
            .1
            .to_owned()
    };
    assert_eq!(rows(shop.source()), rows(shop.target()));
}
