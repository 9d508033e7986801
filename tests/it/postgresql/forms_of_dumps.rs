//! Dumps in the forms in which they really come: with lines of the dump program, in UTF-16, with the line ends of Windows
//! and of an old Macintosh, of very old servers, and with the notations of other programs.

#![expect(
    clippy::too_many_lines,
    reason = "tables of cases are as long as they are"
)]

use std::fs;

use mysql::prelude::Queryable;

use super::edge_cases::Then::{Fails, Gives, Reports};
use super::edge_cases::{Case, case, check};
use crate::support::archives::{SMALL_DUMP, archive, gzip, small_traces};
use crate::support::mysql_shop::Shop;
use crate::support::program::{command, run};
use crate::support::scene::{
    Dialect, Scene, fixture_database, fixture_dump, load_into_mariadb, mysqldump,
};
use crate::support::servers::{
    connect_mariadb, mariadb, new_mariadb_database, new_postgresql_database,
};
use crate::support::state::State;

const COUNT: &str = "SELECT count(*) FROM $.t";
const TEXTS: &str = "SELECT id, c FROM $.t ORDER BY id";

/// A table `t` with texts, in the form of mysqldump.
const DUMP: &str = "-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)\n\
    -- Server version\t8.0.36\n\n\
    /*!50503 SET NAMES utf8mb4 */;\n\
    -- Table `t`; it's odd\n\
    CREATE TABLE `t` (\n  `id` int NOT NULL, -- it's; a number\n  `c` text,\n  PRIMARY KEY (`id`)\n);\n\
    INSERT INTO `t` VALUES\n(1,'é 日本 😀'),\n(2,'a\\r\\nb');\n\
    DELIMITER ;;\nCREATE TRIGGER `x` BEFORE INSERT ON `t` FOR EACH ROW BEGIN SET NEW.id = 1; END ;;\nDELIMITER ;\n\
    -- Dump completed on 2026-01-01  0:00:00\n";
const TEXTS_OF_DUMP: &[&str] = &["1|é 日本 😀", "2|a\r\nb"];

/// `text` in UTF-16 with a byte order mark.
fn utf16(text: &str, is_little: bool) -> Vec<u8> {
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    let bytes = |unit: u16| {
        if is_little {
            unit.to_le_bytes()
        } else {
            unit.to_be_bytes()
        }
    };
    units.flat_map(bytes).collect()
}

/// `lines` before the second line of the dump.
fn in_header(lines: &str) -> String {
    DUMP.replacen("-- Server", &format!("{lines}\n-- Server"), 1)
}

#[test]
fn each_form_is_taken_or_refused_by_name() {
    let database = new_postgresql_database();
    let cases: Vec<Case<'_>> = [
        lines_of_programs(),
        utf16_dumps(),
        line_ends(),
        old_servers(),
    ]
    .into_iter()
    .flatten()
    .collect();
    for (number, case) in cases.iter().enumerate() {
        check(&database, number, case);
    }
}

fn lines_of_programs<'a>() -> Vec<Case<'a>> {
    let mut cases = Vec::new();
    for line in [
        "/usr/bin/mysqldump: Deprecated program name. It will be removed in a future release, use '/usr/bin/mariadb-dump' instead",
        "mysqldump: [Warning] Using a password on the command line interface can be insecure.",
        "Warning: Using a password on the command line interface can be insecure.",
        "C:\\Program Files\\MySQL\\bin\\mysqldump.exe: Error: 'Access denied; you need PROCESS'",
        "mysqldump.exe : mysqldump: [Warning] Using a password",
        "+ ~~~~~~~~~",
        "    + CategoryInfo          : NotSpecified: (mysqldump: [Warn...an be insecure.:String) [], RemoteException",
        "Enter password:",
    ] {
        let trimmed = line.trim_start();
        let reported = format!(
            "skipped a line that is not SQL: {}",
            &trimmed[..trimmed.len().min(60)]
        );
        let reported: &str = reported.leak();
        for dump in [
            format!("{line}\n{DUMP}"),
            format!("{line}\r\n{DUMP}"),
            in_header(line),
            // Without comments, too, the first line says nothing about the dump.
            format!(
                "{line}\nCREATE TABLE t (id int, c text);\nINSERT INTO t VALUES (1,'é 日本 😀'),(2,'a\\r\\nb');\n"
            ),
        ] {
            cases.push(case(
                "a line of a program",
                dump,
                &[],
                vec![Gives(TEXTS, TEXTS_OF_DUMP), Reports(reported)],
            ));
        }
    }
    cases.extend([
        case("-- Warning is a comment", in_header("-- Warning: column statistics not supported by the server."), &[], vec![
            Gives(TEXTS, TEXTS_OF_DUMP),
        ]),
        case(
            "what stands behind a prompt counts",
            b"Enter password: SET NAMES latin1;\nCREATE TABLE t (id int, c text);\nINSERT INTO t VALUES (1,'\xe9');\n",
            &[],
            vec![Gives(TEXTS, &["1|é"])],
        ),
        case("a line within rows", DUMP.replace("(2,", "mysqldump: [Warning] x\n(2,"), &[], vec![
            Fails(1, "t row 2"),
            Fails(1, "expected a row"),
        ]),
        case("a line within a definition", DUMP.replace("  `c`", "mysqldump: [Warning] x\n  `c`"), &[], vec![
            Fails(1, "column t.mysqldump: cannot read the definition"),
        ]),
        case("another line", in_header("/etc/passwd is s3cr3t;"), &[], vec![
            Fails(1, "the dump holds a statement that is not understood: it begins with no word of SQL"),
        ]),
        case("another line with a plus", in_header("+ s3cr3t;"), &[], vec![
            Fails(1, "the dump holds a statement that is not understood: it begins with no word of SQL"),
        ]),
    ]);
    cases
}

fn utf16_dumps<'a>() -> Vec<Case<'a>> {
    let mut cases = Vec::new();
    for is_little in [true, false] {
        for text in [DUMP.to_owned(), DUMP.replace('\n', "\r\n")] {
            let dump = utf16(&text, is_little);
            for dump in [gzip(&dump), dump] {
                cases.push(case(
                    "UTF-16",
                    dump,
                    &[],
                    vec![
                        Gives(TEXTS, TEXTS_OF_DUMP),
                        Reports("the dump was in UTF-16, as PowerShell writes it"),
                    ],
                ));
            }
        }
    }
    let with_bytes = "CREATE TABLE t (id int, b blob, c text);\nINSERT INTO t VALUES (1,'abc','é'),(2,'Θ',NULL),(3,0xe9,'');\n";
    let half = [
        utf16("CREATE TABLE t (c text);\nINSERT INTO t VALUES ('", true),
        vec![0x3d, 0xd8],
        utf16("');\n", true)[2..].to_vec(),
    ]
    .concat();
    let odd = {
        let mut bytes = utf16(DUMP, true);
        bytes.push(b'-');
        bytes
    };
    let long = format!(
        "CREATE TABLE t (id int, c mediumtext);\nINSERT INTO t VALUES (1,'{}');\n",
        "日本😀".repeat(200_000)
    );
    cases.extend([
        case("the characters count, not SET NAMES", utf16(&DUMP.replace("utf8mb4", "sjis"), true), &[], vec![
            Gives(TEXTS, TEXTS_OF_DUMP),
        ]),
        case("binary values that a shell has decoded", utf16(with_bytes, true), &[], vec![
            Gives("SELECT id, encode(b, 'hex'), c FROM $.t ORDER BY id", &["1|616263|é", "2|ce98|~", "3|e9|"]),
            Reports("t.b: 1 binary values may be damaged: the shell that wrote the dump in UTF-16 decoded them (rows 2)"),
        ]),
        case("characters that a shell has lost", utf16(&DUMP.replace("日本", "\u{fffd}\u{fffd}"), false), &[], vec![
            Gives(TEXTS, &["1|é \u{fffd}\u{fffd} 😀", "2|a\r\nb"]),
            Reports("the dump has 2 characters U+FFFD: the shell that wrote it may have lost characters"),
        ]),
        case("characters that a shell has lost are changes", utf16(&DUMP.replace("日本", "\u{fffd}"), false), &["--strict"], vec![
            Fails(5, ""),
        ]),
        case("half of a surrogate pair", half, &[], vec![
            Fails(3, "the dump: it is UTF-16, but has half of a surrogate pair at byte 98"),
            Fails(3, "hint: make the dump again with --result-file=FILE"),
        ]),
        case("a file that is cut", odd, &[], vec![
            Fails(3, "the dump: it is UTF-16, and ends in the middle of a character, at byte"),
        ]),
        case("many blocks", utf16(&long, true), &[], vec![Gives("SELECT char_length(c) FROM $.t", &["600000"])]),
        case(
            "a dump of PostgreSQL",
            utf16("--\n-- PostgreSQL database dump\n--\n\nSET client_encoding = 'UTF8';\nCREATE TABLE public.t (id integer, c text);\n\
                   COPY public.t (id, c) FROM stdin;\n1\té 日本 😀\n2\ta\\r\\nb\n\\.\n\n--\n-- PostgreSQL database dump complete\n--\n", true),
            &[],
            vec![Gives(TEXTS, TEXTS_OF_DUMP)],
        ),
    ]);
    cases
}

fn line_ends<'a>() -> Vec<Case<'a>> {
    let on_windows = DUMP.replace('\n', "\r\n");
    vec![
        case("CRLF", &on_windows, &[], vec![Gives(TEXTS, TEXTS_OF_DUMP)]),
        case(
            "CRLF and a byte order mark",
            format!("\u{feff}{on_windows}"),
            &[],
            vec![Gives(TEXTS, TEXTS_OF_DUMP)],
        ),
        case(
            "CRLF within a text",
            "CREATE TABLE t (id int,\r\n c text);\r\nINSERT INTO t VALUES (1,'a\r\nb')\r\n,\r\n(2,'\r');\r\n",
            &[],
            vec![Gives(TEXTS, &["1|a\r\nb", "2|\r"])],
        ),
        case(
            "CR",
            DUMP.replace('\n', "\r"),
            &[],
            vec![
                Gives(TEXTS, TEXTS_OF_DUMP),
                Gives(
                    "SELECT count(*) FROM pg_trigger WHERE tgrelid = '$.t'::regclass",
                    &["0"],
                ),
            ],
        ),
        case(
            "CR and a line of a program",
            DUMP.replace('\n', "\r")
                .replacen("-- Server", "mysqldump: it's\r-- Server", 1),
            &[],
            vec![
                Gives(TEXTS, TEXTS_OF_DUMP),
                Reports("skipped a line that is not SQL: mysqldump: it's"),
            ],
        ),
        // A server goes on to LF: what stands behind the CR is a part of the comment.
        case(
            "CR in a comment",
            DUMP.replace("it's odd", "\rINSERT INTO `t` VALUES (3,'x');"),
            &[],
            vec![Gives(TEXTS, TEXTS_OF_DUMP)],
        ),
    ]
}

fn old_servers<'a>() -> Vec<Case<'a>> {
    let rows = "CREATE TABLE t (\n  id int(11) NOT NULL auto_increment,\n  c varchar(9) NOT NULL default '',\n  \
        d decimal(5,2) NOT NULL default '0.00',\n  PRIMARY KEY  (id),\n  KEY c (c)\n) TYPE=MyISAM;\n\
        INSERT INTO t VALUES (1,'it\\'s',\"5.00\");\nINSERT INTO t VALUES (2,\"b\",\"12.50\");\n";
    let all = "SELECT id, c, d FROM $.t ORDER BY id";
    let expected: &[&str] = &["1|it's|5.00", "2|b|12.50"];
    let incomplete = "the dump does not end with \"-- Dump completed\", so it may be incomplete";
    let mut cases: Vec<Case<'_>> = [
        "# MySQL dump 8.14\n#\n# Host: localhost    Database: it's\n#-----------------\n# Server version\t3.23.40-log\n\n",
        "-- MySQL dump 9.08\n--\n-- Host: localhost    Database: it's\n---------------------------------------------------------\n\
         -- Server version\t4.0.15a-log\n\n",
        "-- MySQL dump 10.2\n--\n-- Server version\t4.1.1-alpha-log\n\n/*!40101 SET NAMES latin1*/;\n\
         /*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE=NO_AUTO_VALUE_ON_ZERO */;\n",
        "# MySQL-Front Dump 1.16 beta\n#\n# Host: localhost Database: x\n#--------------------------------------------------------\n",
    ]
    .into_iter()
    .map(|header| {
        case("an old program", format!("{header}{rows}"), &[], vec![Gives(all, expected), Reports(incomplete)])
    })
    .collect();
    cases.extend([
        case("a newer program writes a last line", format!("-- MySQL dump 10.10\n{rows}"), &[], vec![
            Fails(3, "its last line, \"-- Dump completed\", is missing"),
        ]),
        case("texts are in latin1, perhaps", b"# MySQL dump 8.14\nCREATE TABLE t (c text);\nINSERT INTO t VALUES ('\xe9');\n", &[], vec![
            Fails(1, "hint: --invalid-utf8 replace or latin1 takes it"),
        ]),
        case("HeidiSQL restores the mode", format!(
            "/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;\n{rows}\
             /*!40101 SET SQL_MODE=IFNULL(@OLD_SQL_MODE, '') */;\n"
        ), &[], vec![Gives(COUNT, &["2"])]),
    ]);
    cases
}

/// What programs other than mysqldump write.
const NOTATIONS: &str = "-- Adminer 4.8.1 MySQL 10.11.19-MariaDB dump

SET NAMES utf8mb4;
CREATE TABLE `bits` (
  `id` int(11) NOT NULL,
  `ten` bit(10) DEFAULT b'101',
  `one` bit(1) DEFAULT NULL,
  `raw` varbinary(20) DEFAULT NULL,
  PRIMARY KEY (`id`)
);
INSERT INTO `bits` (`id`, `ten`, `one`, `raw`) VALUES
(1,\tCONV('1000000001', 2, 10) + 0,\tCONV('1', 2, 10) + 0,\tUNHEX('00ff27')),
(2,\tNULL,\tNULL,\tx'00FF'),
(b'11',\tDEFAULT,\tTRUE,\t_binary 'a;(b'),
(0x04,\t0b101,\tFALSE,\t0x6162),
(+5,\tb'1111111111',\tb'0',\tDEFAULT);
CREATE TABLE `others` (
  `id` int(11) NOT NULL,
  `s` varchar(20) NOT NULL DEFAULT 'it''s \\\\ 日本',
  `n` decimal(6,2) DEFAULT 1.50,
  `d` date DEFAULT '2020-02-29',
  `e` enum('1','b') DEFAULT 'b',
  `t` tinyint(1) NOT NULL DEFAULT 0,
  PRIMARY KEY (`id`)
);
INSERT INTO others (id, s, n, d, e, t) VALUES
(1, DEFAULT, DEFAULT, default, DEFAULT, DEFAULT),
(2, N'日本', +2.5, '2021-01-01', '1', true),
(3, n'it''s', -2.5, NULL, NULL, false),
(4, _utf8mb4'é', b'11', DEFAULT, 'b', 1),
(5, 17, 0x0a, DEFAULT, 'b', b'1'),
(6, -1.5, TRUE, DEFAULT, 'b', 0),
(7, _latin1 0xe9, '4.25', DEFAULT, 'b', 0);
INSERT INTO others SET id = 8, s = 'a, b = (;)', others.t = 1;
INSERT INTO `others` SET `id`=9,`n`=NULL;
CREATE TABLE `upserted` (`id` int NOT NULL, `c` text, PRIMARY KEY (`id`));
INSERT INTO `upserted` (`id`, `c`) VALUES
(1, 'a (;) VALUES(1)'),
(2, 'b'),
(1, 'c')
ON DUPLICATE KEY UPDATE `id` = VALUES(`id`), `c` = VALUES(`c`);
INSERT INTO `upserted` (`id`, `c`) VALUES (3, 'd') ON DUPLICATE KEY UPDATE `id` = VALUES(`id`), `c` = VALUES(`c`);
INSERT INTO `upserted` (`id`, `c`) VALUES (3, 'e'), (2, 'f') ON DUPLICATE KEY UPDATE id = VALUE(id), c = VALUES(c);
CREATE TABLE `kept` (`id` int NOT NULL, `c` text, PRIMARY KEY (`id`));
INSERT INTO `kept` VALUES (1, 'a'), (2, 'b'), (1, 'c') ON DUPLICATE KEY UPDATE id = id;
INSERT INTO `kept` VALUES (2, 'x'), (3, 'd') ON DUPLICATE KEY UPDATE id = id;
CREATE TABLE `computed` (`id` int NOT NULL, `g` int GENERATED ALWAYS AS (`id` + 1) STORED, `c` text, PRIMARY KEY (`id`));
INSERT INTO `computed` (`C`, `id`) VALUES ('a', 1), ('b', 2), ('c', 1) ON DUPLICATE KEY UPDATE id = VALUES(id), c = VALUES(c);
INSERT INTO `computed` (`C`, `id`) VALUES ('d', 2) ON DUPLICATE KEY UPDATE id = VALUES(id), c = VALUES(c);
";

#[test]
fn notations_of_other_programs_mean_the_same_in_mariadb() {
    let long: Vec<String> = (0..9000)
        .map(|id| format!("({}, '{}')", id % 8000, "long ".repeat(id % 30)))
        .collect();
    let long = format!(
        "CREATE TABLE `long` (`id` int NOT NULL, `c` text, PRIMARY KEY (`id`));
INSERT INTO `long` (`id`, `c`) VALUES {}
ON DUPLICATE KEY UPDATE `id` = VALUES(`id`), `c` = VALUES(`c`);
",
        long.join(",\n")
    );
    let scene = Scene::bare();
    let path = scene.path("notations.sql");
    fs::write(&path, format!("{NOTATIONS}{long}")).unwrap();
    let source = new_mariadb_database();
    load_into_mariadb(&source, &path);
    run(command([
        path.to_str().unwrap(),
        "--database-url",
        &scene.url(),
    ]))
    .succeeds();
    let findings = scene.assert_same_tables(&source);
    assert_eq!((findings.tables, findings.rows), (6, 8022), "{findings:?}");
}

#[test]
fn what_only_a_server_can_compute_is_refused() {
    let database = new_postgresql_database();
    let table = "CREATE TABLE t (id int NOT NULL AUTO_INCREMENT, c text, d datetime NOT NULL DEFAULT current_timestamp(), PRIMARY KEY (id));\n";
    let insert = |rows: &str| {
        format!("{table}INSERT INTO t (id, c, d) VALUES (1,'a','2020-01-01 00:00:00'),{rows};\n")
    };
    let place = |column: &str, what: &str| format!("column {column}: {what}");
    let hint =
        "hint: write the value itself into the dump, or leave the column out with --skip-column";
    let computed = "which only a server can compute";
    let cases: Vec<Case<'_>> = [
        (
            insert("(2,'b',NOW())"),
            place("d", &format!("the value is NOW(), {computed}")),
        ),
        (
            insert("(2,'b',CURRENT_TIMESTAMP)"),
            place(
                "d",
                &format!("the value is CURRENT_TIMESTAMP(), {computed}"),
            ),
        ),
        (
            insert("(2,CONCAT('s3cr3t','b'),'2020-01-01')"),
            place("c", &format!("the value is CONCAT(), {computed}")),
        ),
        (
            insert("(2,s3cr3t(1),'2020-01-01')"),
            place("c", &format!("the value is a function, {computed}")),
        ),
        (
            insert("(2,'b',DEFAULT)"),
            place(
                "d",
                "the value is DEFAULT, but the column has no constant default",
            ),
        ),
        (
            insert("(2,'b','2020-01-01')")
                .replace("c text", "c text AS (reverse(d)) VIRTUAL")
                .replace("'b'", "DEFAULT"),
            place(
                "c",
                "the value is DEFAULT, but the column has no constant default",
            ),
        ),
        (
            insert("(DEFAULT,'b','2020-01-01')"),
            place(
                "id",
                "the value is DEFAULT, but the column has no constant default",
            ),
        ),
    ]
    .into_iter()
    .map(|(dump, message)| {
        case(
            "a function",
            dump,
            &[],
            vec![
                Fails(1, "the dump: t row 2 (byte "),
                Fails(1, message.leak()),
                Fails(1, hint),
            ],
        )
    })
    .collect();
    let others = [
        case(
            "a comment between rows",
            insert("\n-- the second\n(2,'b','2020-01-01')"),
            &[],
            vec![
                Fails(1, "t row 2"),
                Fails(
                    1,
                    "a comment stands between the rows, which is not supported",
                ),
            ],
        ),
        case(
            "a part of the row is updated",
            insert("(2,'b','2020-01-01') ON DUPLICATE KEY UPDATE c = VALUES(c)"),
            &[],
            vec![
                Fails(
                    1,
                    "table t: ON DUPLICATE KEY UPDATE changes rows in a way that is not supported",
                ),
                Fails(1, "hint: --skip-table t leaves it out"),
            ],
        ),
        case(
            "a column of the table is not in the INSERT",
            format!(
                "{table}INSERT INTO t (id, c) VALUES (1,'a'),(1,'b') ON DUPLICATE KEY UPDATE id = VALUES(id), c = VALUES(c);\n"
            ),
            &[],
            vec![
                Fails(
                    1,
                    "table t: ON DUPLICATE KEY UPDATE keeps values of columns that the INSERT does not have",
                ),
                Fails(1, "hint: --skip-table t leaves it out"),
            ],
        ),
        case(
            "a column of an INSERT with SET comes twice",
            format!("{table}INSERT INTO t SET id = 1, c = 'a', C = 's3cr3t';\n"),
            &[],
            vec![Fails(
                1,
                "the dump inserts a row that has a column twice: INSERT INTO",
            )],
        ),
        case(
            "a value is computed",
            insert(
                "(2,'b','2020-01-01') ON DUPLICATE KEY UPDATE id = VALUES(id), c = 's3cr3t', d = VALUES(d)",
            ),
            &[],
            vec![Fails(
                1,
                "table t: ON DUPLICATE KEY UPDATE changes rows in a way that is not supported",
            )],
        ),
        case(
            "another clause",
            insert("(2,'b','2020-01-01 00:00:00') RETURNING id"),
            &[],
            vec![Fails(1, "t row 3 (byte"), Fails(1, "expected a row")],
        ),
        case(
            "a skipped table may have any clause",
            format!(
                "CREATE TABLE u (id int);\nINSERT INTO u VALUES (1);\n{}",
                insert("(2,'b','2020-01-01') ON DUPLICATE KEY UPDATE c = (1)")
            ),
            &["--skip-table", "t"],
            vec![Gives("SELECT count(*) FROM $.u", &["1"])],
        ),
        case(
            "a number for an enum is a place",
            "CREATE TABLE t (e enum('2','1'));\nINSERT INTO t VALUES (1);\n",
            &[],
            vec![Fails(1, "t row 1")],
        ),
    ];
    for (number, case) in cases.iter().chain(&others).enumerate() {
        check(&database, number, case);
    }
}

/// Only an import into PostgreSQL decides between rows with the same key: anywhere else they are an error, or the report
/// says that they will be.
#[test]
fn duplicates_are_not_decided_elsewhere() {
    let table = "CREATE TABLE t (id int NOT NULL, c text, PRIMARY KEY (id));\n";
    for clause in ["id = VALUES(id), c = VALUES(c)", "id = id"] {
        let insert = |rows: &str| {
            format!(
                "{table}INSERT INTO t (id, c) VALUES {rows} ON DUPLICATE KEY UPDATE {clause};\n"
            )
        };
        let shop = Shop::new(&mariadb().directory, "");
        let outcome = shop.import(insert("(1,'a'),(2,'b'),(1,'c')").as_bytes(), &[]);
        assert_ne!(outcome.code, Some(0), "{clause}");
        let exists = format!("SHOW TABLES FROM {}", shop.target());
        let mut target = connect_mariadb("mysql");
        assert_eq!(target.query::<String, _>(exists).unwrap(), [""; 0]);
        shop.import(insert("(1,'a'),(2,'b')").as_bytes(), &[])
            .succeeds();
        let scene = Scene::bare();
        let (file, out) = (scene.path("in.sql"), scene.path("out.sql"));
        fs::write(&file, insert("(1,'a'),(2,'b'),(1,'c')")).unwrap();
        run(command([
            "convert",
            file.to_str().unwrap(),
            "-o",
            out.to_str().unwrap(),
        ]))
        .succeeds()
        .says("t: its rows replace or keep others with the same key");
    }
}

/// The fixture has values of every kind; each is in MariaDB, too.
#[test]
fn the_fixture_in_other_forms() {
    let plain = fixture_dump(Dialect::Native);
    let hex = mysqldump(fixture_database(), &["--hex-blob"]);
    let hex = String::from_utf8(hex).expect("a dump without bytes is UTF-8");
    let on_windows: Vec<u8> = plain
        .iter()
        .flat_map(|byte| match byte {
            b'\n' => b"\r\n".to_vec(),
            byte => vec![*byte],
        })
        .collect();
    let lines = [
        b"/usr/bin/mysqldump: Deprecated program name\r\n",
        &plain[..],
    ]
    .concat();
    for (name, dump) in [
        ("little.sql", utf16(&hex, true)),
        ("big.sql", utf16(&hex.replace('\n', "\r\n"), false)),
        ("windows.sql", on_windows),
        ("lines.sql", lines),
    ] {
        let scene = Scene::bare();
        let path = scene.path(name);
        fs::write(&path, dump).unwrap();
        let path = path.to_str().unwrap();
        println!("{name}");
        run(command([path, "--database-url", &scene.url()])).succeeds();
        scene.assert_same_values(&[]);
        scene.assert_taken_by_all(path);
    }
}

#[test]
fn several_files_are_one_dump() {
    let scene = Scene::bare();
    let write = |name: &str, bytes: &[u8]| {
        let path = scene.path(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let schema = mysqldump(fixture_database(), &["--no-data"]);
    let data = mysqldump(fixture_database(), &["--no-create-info"]);
    let with_mark = [b"\xef\xbb\xbf", &data[..]].concat();
    let schema = write("schema.sql", &schema);
    let url = scene.url();
    let import = |files: &[&str]| {
        let mut import = command(files);
        import.args(["--database-url", &url, "--replace"]);
        run(import)
    };
    let packed = write("data.sql.gz", &gzip(&data));
    for data in [&packed, &write("data.sql", &with_mark)] {
        let name = data.rsplit('/').next().unwrap();
        import(&[&schema, data])
            .succeeds()
            .reports(&format!("imported schema.sql, {name}"));
        scene.assert_same_values(&[]);
        let files = [&schema[..], data];
        for what in ["verify", "check"] {
            let mut it = command([what]);
            it.args(files).args(["--database-url", &url]);
            run(it).succeeds();
        }
        let mut inspect = command(["inspect"]);
        run(inspect.args(files)).succeeds().reports("ci_builds");
        let converted = scene.path("converted.sql");
        let mut convert = command(["convert"]);
        run(convert.args(files).arg("-o").arg(converted)).succeeds();
    }
    let small = |rows: &str| format!("-- MySQL dump 10.13\n{rows}\n-- Dump completed\n");
    let table = "CREATE TABLE `t` (`id` int, `c` text);";
    let first = write("first.sql", small(table).as_bytes());
    let second = write(
        "second.sql",
        small("INSERT INTO `t` VALUES (1,'a');").as_bytes(),
    );
    import(&[&first, &second]).succeeds();
    assert_eq!(scene.values("SELECT * FROM t"), ["1|a"]);
    // More files than may be open at once.
    let names: Vec<String> = (0..100)
        .map(|number| write(&format!("{number}.sql"), small("").as_bytes()))
        .collect();
    let program = command(["convert"]);
    let mut limited = std::process::Command::new("sh");
    limited.args(["-c", "ulimit -n 60; exec \"$0\" \"$@\""]);
    limited.arg(program.get_program()).args(program.get_args());
    limited.arg(&first).args(&names).arg(&second);
    run(limited).succeeds();
    let in_text = format!("{table}\nINSERT INTO `t` VALUES (1,'a");
    let packed = gzip(small("INSERT INTO `t` VALUES (2,'b');").as_bytes());
    let before = State::of(&scene);
    for (name, bytes, code, says) in [
        (
            "cut.sql",
            in_text.as_bytes(),
            3,
            "the dump: file 1 of 2 is truncated: it ends in the middle of a statement",
        ),
        (
            "lastless.sql",
            format!("-- MySQL dump 10.13\n{table}\n").as_bytes(),
            3,
            "the dump: file 1 of 2 is truncated: its last line, \"-- Dump completed\", is missing",
        ),
        (
            "comment.sql",
            format!("{table}/* a").as_bytes(),
            3,
            "file 1 of 2 is truncated",
        ),
        (
            "cut.gz",
            &packed[..packed.len() - 1],
            3,
            "cut.gz: it is truncated at inflated byte",
        ),
        (
            "wide.sql",
            &utf16(table, true),
            3,
            "wide.sql: it is UTF-16, which is not supported for one of several files",
        ),
        (
            "mac.sql",
            format!("-- a\r{table}\r").as_bytes(),
            3,
            "mac.sql: its lines end with CR",
        ),
        (
            "tar.tar",
            &archive(&small_traces(), SMALL_DUMP),
            2,
            "tar.tar is an archive, not a dump",
        ),
        (
            "text",
            b"no dump",
            3,
            "text: the input is neither a backup archive nor a dump",
        ),
        (
            "of_pg.sql",
            b"--\n-- PostgreSQL database dump\n--\n",
            2,
            "several files are only supported for dumps of MySQL",
        ),
    ] {
        println!("{name}");
        let path = write(name, bytes);
        import(&[&path, &second]).exits(code).says(says);
        if name == "cut.gz" || name == "wide.sql" {
            import(&[&second, &path]).exits(code).says(says);
        }
    }
    import(&[&first, "/nowhere.sql"])
        .exits(2)
        .says("cannot read /nowhere.sql");
    before.assert_same(&State::of(&scene));
}
