//! Plain dumps into MariaDB: what mysqldump writes of the target is what it writes of the source, byte for
//! byte, or differs as is said here.

use std::fs;

use mysql::prelude::Queryable;

use crate::postgresql::memory::{large_dump, peak_of};
use crate::support::mysql_shop::{Shop, hard_server};
use crate::support::program::project;
use crate::support::servers::{
    MARIADB_USER, connect_mariadb_in, mariadb, run_mariadb, server_directory, user_ids,
};

fn in_shared(name: &str) -> Shop {
    Shop::of_fixture(&mariadb().directory, name)
}

#[test]
fn every_type_arrives_as_it_was() {
    let shop = in_shared("every_type.sql");
    let dump = shop.dump(&[]);
    shop.arrives(&dump, &[]).reports("no value was changed");
    // As many connections, and chunks, as there may be.
    let options = ["--replace", "--jobs", "8", "--memory", "52"];
    shop.arrives(&dump, &options);
}

#[test]
fn every_key_default_and_name_is_kept() {
    let shop = in_shared("every_key.sql");
    let outcome = shop.import(&shop.dump(&[]), &[]).succeeds();
    println!("{}", outcome.stdout);
    shop.assert_same();
}

/// Keys that the server builds one at a time are in the order of the dump, however many could build them.
#[test]
fn keys_that_are_built_one_at_a_time_keep_their_order() {
    let keys =
        "FULLTEXT KEY f1 (a), FULLTEXT KEY f2 (b), FULLTEXT KEY f3 (a, b), FULLTEXT KEY f4 (b, a)";
    let shop = Shop::new(
        &mariadb().directory,
        &format!(
            "CREATE TABLE t (id int, a text, b text, {keys}); INSERT INTO t VALUES (1, 'a', 'b')"
        ),
    );
    let dump = shop.dump(&[]);
    for _ in 0..3 {
        shop.arrives(&dump, &["--replace", "--jobs", "8"]);
    }
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

/// Eight connections share the least there can be, and INSERTs need little more than LOAD DATA.
#[test]
fn the_budget_is_kept_however_rows_are_loaded() {
    let directory = tempfile::tempdir().unwrap();
    let (dump, rows) = (directory.path().join("large.sql.gz"), 60_000);
    large_dump(&dump, rows);
    let peaks = [&mariadb().directory, hard_server()].map(|server| {
        let shop = Shop::new(server, "");
        let mut import = shop.command(&[]);
        import.arg(&dump).args(["--jobs", "8", "--memory", "52"]);
        let peak = peak_of(import);
        assert!(peak <= 46 << 20, "{}: {} KiB", server.display(), peak >> 10);
        let counted = "SELECT COUNT(*) FROM ci_builds WHERE LENGTH(trace) > 700";
        let mut conn = connect_mariadb_in(server, &shop.target());
        assert_eq!(conn.query_first(counted).unwrap(), Some(rows));
        peak
    });
    let [by_load_data, by_inserts] = peaks.map(|peak| peak >> 20);
    assert!(
        by_inserts <= by_load_data + 10,
        "{by_inserts}, {by_load_data}"
    );
}

#[test]
fn a_server_that_keeps_names_in_lower_case() {
    let directory = server_directory("low", user_ids(MARIADB_USER));
    run_mariadb(
        &directory,
        &["--skip-networking", "--lower-case-table-names=1"],
    );
    let shop = Shop::new(
        &directory,
        "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)",
    );
    let dump = shop.dump(&[]);
    shop.arrives(&dump, &[]);
    let other = String::from_utf8(dump).unwrap().replace("`t`", "`T`");
    shop.import(other.as_bytes(), &["--replace"])
        .exits(4)
        .says("in lower case (lower_case_table_names = 1), and the dump has T")
        .says("hint: --skip-table T leaves it out");
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
  `q` varchar(30) NOT NULL DEFAULT (concat(_utf8mb4'it\\'s \\\\',_latin1'\\'')),
  `d` datetime(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (`id`),
  UNIQUE KEY `a` (`a`),
  UNIQUE KEY `low` ((lower(`u`))),
  KEY `v` (`d`) /*!80000 INVISIBLE */,
  CONSTRAINT `t_chk_1` CHECK ((`i` > 0)),
  CONSTRAINT `t_chk_2` CHECK ((`q` <> _utf8mb4'it\\'s')),
  CONSTRAINT `t_chk_3` CHECK (regexp_like(`q`,_utf8mb4'^')),
  CONSTRAINT `t_chk_4` CHECK ((`q` = _utf8mb4'none')) /*!80016 NOT ENFORCED */
) ENGINE=InnoDB AUTO_INCREMENT=4 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci;
INSERT INTO `t` (`id`, `a`, `j`, `u`, `g`, `p`, `i`, `d`) VALUES (1,'Ä','{\\\"a\\\": \\\"x\\\"}','u1',NULL,NULL,5,'2015-10-01 00:00:00.000001'),(2,'ä','null','u2',NULL,NULL,NULL,'2015-10-01 00:00:00.000000');
-- Dump completed on 2015-10-01 12:00:00
";
    shop.import(dump.as_bytes(), &[])
        .succeeds()
        .reports("t: the server does not have the collation utf8mb4_0900_ai_ci; the default collation is used")
        .reports("t.a: the server does not have the collation utf8mb4_0900_as_cs; utf8mb4_bin is used")
        .reports("t.low: the index was left out: the server has no indexes over expressions")
        .reports("t.p: its SRID 4326 was left out")
        .reports("t.v: the index was not used, and is now")
        .reports("t.t_chk_3: CHECK (regexp_like(`q`,_utf8mb4'^')) left out: the server refuses it")
        .reports("t.t_chk_4: CHECK ((`q` = _utf8mb4'none')) was left out: it was not enforced");
    let mut conn = connect_mariadb_in(&shop.server, &shop.target());
    let rows: Vec<String> = conn
        .query(
            "SELECT CONCAT_WS('|', id, a, IFNULL(k, '~'), IFNULL(i, '~'), q, d) FROM t ORDER BY id",
        )
        .unwrap();
    let expected = [
        "1|Ä|x|5|it's \\'|2015-10-01 00:00:00.000001",
        "2|ä|~|~|it's \\'|2015-10-01 00:00:00.000000",
    ];
    assert_eq!(rows, expected);
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
        .reports("t: timestamps are read as UTC, but the dump does not say that they are");
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
        .reports("the view seen was left out")
        .reports("  split: its partitions were left out")
        .reports("  packed: KEY_BLOCK_SIZE=4 was left out")
        .reports("  packed: STATS_PERSISTENT=1 was left out")
        .reports("  packed.a: COMPRESSED was left out")
        .reports("  packed.k: the index was not used, and is now")
        .reports("  of_old: WITH SYSTEM VERSIONING was left out");
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
        .says("incorrect string value for the column ")
        .says("hint: if the dump does not name the tables' character sets, ");
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
