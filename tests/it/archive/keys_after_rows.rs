//! Dumps whose keys come after the rows, as phpMyAdmin and others write them: all comes out as if the keys had been in
//! CREATE TABLE.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::mysql_shop::{Shop, hard_server};
use crate::support::program::{Outcome, command, run};
use crate::support::scene::{Dialect, Scene, fixture_dump};
use crate::support::servers::{expect_success, mariadb, postgresql};
use crate::support::state::pg_dump;

/// A table: with all that it has at once, or with its columns, and what brings the rest.
struct Case {
    at_once: &'static str,
    bare: &'static str,
    rows: &'static str,
    later: &'static str,
}

const CASES: &[Case] = &[
    Case {
        at_once: "CREATE TABLE orders (id int(11) NOT NULL AUTO_INCREMENT, name varchar(40) NOT NULL, paid tinyint(1) NOT NULL DEFAULT 0, made timestamp NOT NULL DEFAULT current_timestamp(), PRIMARY KEY (id), UNIQUE KEY name (name), KEY paid (paid)) ENGINE=InnoDB AUTO_INCREMENT=9 DEFAULT CHARSET=utf8mb4",
        bare: "CREATE TABLE orders (id int(11) NOT NULL, name varchar(40) NOT NULL, paid tinyint(1) NOT NULL DEFAULT 0, made timestamp NOT NULL DEFAULT current_timestamp()) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4",
        rows: "INSERT INTO orders VALUES (1, 'a', 0, '2026-01-01 09:00:00'), (2, 'b; (c)', 1, '2026-01-02 09:00:00')",
        later: "ALTER TABLE `orders`\n  ADD PRIMARY KEY (`id`),\n  ADD UNIQUE KEY `name` (`name`),\n  ADD KEY `paid` (`paid`);\nALTER TABLE `orders`\n  MODIFY `id` int(11) NOT NULL AUTO_INCREMENT, AUTO_INCREMENT=9",
    },
    // A truth value that is a number, and one that another table refers to; the next number is after the largest one.
    Case {
        at_once: "CREATE TABLE sizes (id tinyint(1) NOT NULL AUTO_INCREMENT, PRIMARY KEY (id)) ENGINE=InnoDB",
        bare: "CREATE TABLE sizes (id tinyint(1) NOT NULL) ENGINE=InnoDB",
        rows: "INSERT INTO sizes VALUES (0), (1)",
        later: "ALTER TABLE sizes ADD PRIMARY KEY (id); ALTER TABLE sizes MODIFY id tinyint(1) NOT NULL AUTO_INCREMENT",
    },
    Case {
        at_once: "CREATE TABLE weights (id tinyint(1) NOT NULL AUTO_INCREMENT, is_heavy tinyint(1) DEFAULT NULL, n tinyint(1) DEFAULT 1, PRIMARY KEY (id), UNIQUE KEY n (n)) ENGINE=InnoDB AUTO_INCREMENT=3",
        bare: "CREATE TABLE weights (id tinyint(1) NOT NULL, is_heavy tinyint(1) DEFAULT NULL, n tinyint(1) DEFAULT 1) ENGINE=InnoDB",
        rows: "INSERT INTO weights VALUES (7, 0, 1), (8, 1, NULL)",
        later: "ALTER TABLE weights ADD PRIMARY KEY (id), ADD UNIQUE KEY n (n); ALTER TABLE weights MODIFY id tinyint(1) NOT NULL AUTO_INCREMENT, AUTO_INCREMENT=3",
    },
    Case {
        at_once: "CREATE TABLE shirts (size tinyint(1) NOT NULL, weight tinyint(1), KEY size (size), KEY weight (weight), CONSTRAINT of_size FOREIGN KEY (size) REFERENCES sizes (id) ON DELETE CASCADE, CONSTRAINT of_weight FOREIGN KEY (weight) REFERENCES weights (id) ON DELETE SET NULL ON UPDATE CASCADE) ENGINE=InnoDB",
        bare: "CREATE TABLE shirts (size tinyint(1) NOT NULL, weight tinyint(1)) ENGINE=InnoDB",
        rows: "INSERT INTO shirts VALUES (0, NULL), (1, 7)",
        later: "ALTER TABLE shirts ADD KEY size (size), ADD KEY weight (weight); ALTER TABLE shirts ADD CONSTRAINT of_size FOREIGN KEY (size) REFERENCES sizes (id) ON DELETE CASCADE, ADD CONSTRAINT of_weight FOREIGN KEY (weight) REFERENCES weights (id) ON DELETE SET NULL ON UPDATE CASCADE",
    },
    // Numbers that are a bigint in a key, if they fit, and otherwise numeric.
    Case {
        at_once: "CREATE TABLE large (id bigint(20) unsigned NOT NULL AUTO_INCREMENT, n bigint(20) unsigned DEFAULT NULL, o bigint(20) unsigned DEFAULT 5, u bigint(20) unsigned, PRIMARY KEY (id), UNIQUE KEY u (u)) ENGINE=InnoDB AUTO_INCREMENT=70",
        bare: "CREATE TABLE large (id bigint(20) unsigned NOT NULL, n bigint(20) unsigned DEFAULT NULL, o bigint(20) unsigned DEFAULT 5, u bigint(20) unsigned) ENGINE=InnoDB",
        rows: "INSERT INTO large VALUES (1, 18446744073709551615, 1, 18446744073709551615), (2, 3, 4, 5)",
        later: "ALTER TABLE large ADD PRIMARY KEY (id), ADD UNIQUE KEY u (u); ALTER TABLE large MODIFY id bigint(20) unsigned NOT NULL AUTO_INCREMENT, AUTO_INCREMENT=70",
    },
    Case {
        at_once: "CREATE TABLE texts (a varchar(100) NOT NULL, b text, c text, KEY k (a(10), b(20) DESC) COMMENT 'it''s; \"k\"', FULLTEXT KEY f (b, c), UNIQUE KEY u (a) USING BTREE, KEY b (b(5)), KEY b_2 (b(6))) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4",
        bare: "CREATE TABLE texts (a varchar(100) NOT NULL, b text, c text) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4",
        rows: "INSERT INTO texts VALUES ('a', 'b', 'c'), ('d', NULL, '')",
        later: "ALTER TABLE texts ADD KEY k (a(10), b(20) DESC) COMMENT 'it''s; \"k\"'; ALTER TABLE texts ADD FULLTEXT KEY f (b, c); ALTER TABLE texts ADD UNIQUE KEY u (a) USING BTREE, ADD KEY (b(5)), ADD INDEX (b(6))",
    },
    // The same names of keys, and one that a table has.
    Case {
        at_once: "CREATE TABLE texts_too (a varchar(100), KEY k (a), KEY name (a), KEY orders (a)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4",
        bare: "CREATE TABLE texts_too (a varchar(100)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4",
        rows: "INSERT INTO texts_too VALUES ('a')",
        later: "ALTER TABLE texts_too ADD KEY k (a), ADD KEY name (a), ADD KEY orders (a)",
    },
    Case {
        at_once: "CREATE TABLE days (day datetime NOT NULL, other date NOT NULL, PRIMARY KEY (day), UNIQUE KEY o (other)) ENGINE=InnoDB",
        bare: "CREATE TABLE days (day datetime NOT NULL, other date NOT NULL) ENGINE=InnoDB",
        rows: "INSERT INTO days VALUES ('0000-00-00 00:00:00', '2026-01-01'), ('2026-01-02 03:04:05', '2026-01-02')",
        later: "ALTER TABLE days ADD PRIMARY KEY (day), ADD UNIQUE KEY o (other)",
    },
    // What is no key.
    Case {
        at_once: "CREATE TABLE others (a int(11) NOT NULL DEFAULT 3 COMMENT 'c', b varchar(9) NOT NULL, c int(11) DEFAULT NULL, d tinyint(1) DEFAULT NULL, CONSTRAINT positive CHECK (a > 0), CONSTRAINT other CHECK (b <> 'x')) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='it''s'",
        bare: "CREATE TABLE others (a int(11), b varchar(9) DEFAULT 'b', c int(11) NOT NULL DEFAULT 1 COMMENT 'd', d tinyint(1) DEFAULT 1) ENGINE=MyISAM DEFAULT CHARSET=utf8mb4",
        rows: "INSERT INTO others VALUES (1, 'y', 2, 0)",
        later: "ALTER TABLE others MODIFY a int(11) NOT NULL DEFAULT 3 COMMENT 'c', CHANGE b b varchar(9) NOT NULL, MODIFY COLUMN c int DEFAULT NULL; ALTER TABLE others ALTER d SET DEFAULT 0; ALTER TABLE others ALTER COLUMN d DROP DEFAULT; ALTER TABLE others MODIFY d tinyint(1) DEFAULT NULL; ALTER TABLE others ENGINE=InnoDB COMMENT='it''s'; ALTER TABLE others ADD CONSTRAINT positive CHECK (a > 0), ADD CONSTRAINT other CHECK (b <> 'x'); ALTER TABLE others ORDER BY b; ALTER TABLE others DISABLE KEYS; ALTER TABLE others ENABLE KEYS",
    },
    // A table that follows the ones that refer to it, and refers to itself.
    Case {
        at_once: "CREATE TABLE children (id int(11) NOT NULL, parent int(11) DEFAULT NULL, PRIMARY KEY (id), KEY parent (parent), CONSTRAINT children_ibfk_1 FOREIGN KEY (parent) REFERENCES parents (id)) ENGINE=InnoDB",
        bare: "CREATE TABLE children (id int(11) NOT NULL, parent int(11) DEFAULT NULL, PRIMARY KEY (id)) ENGINE=InnoDB",
        rows: "INSERT INTO children VALUES (1, 1)",
        later: "ALTER TABLE children ADD KEY parent (parent); ALTER TABLE children ADD CONSTRAINT children_ibfk_1 FOREIGN KEY (parent) REFERENCES parents (id)",
    },
    Case {
        at_once: "CREATE TABLE parents (id int(11) NOT NULL, parent int(11) DEFAULT NULL, PRIMARY KEY (id), KEY p (parent), CONSTRAINT itself FOREIGN KEY (parent) REFERENCES parents (id)) ENGINE=InnoDB",
        bare: "CREATE TABLE parents (id int(11) NOT NULL, parent int(11) DEFAULT NULL, KEY p (parent)) ENGINE=InnoDB",
        rows: "INSERT INTO parents VALUES (1, NULL), (2, 1)",
        later: "ALTER TABLE parents ADD PRIMARY KEY (id); ALTER TABLE parents ADD CONSTRAINT itself FOREIGN KEY (parent) REFERENCES parents (id)",
    },
    Case {
        at_once: "CREATE TABLE empty (id int(10) unsigned NOT NULL AUTO_INCREMENT, PRIMARY KEY (id)) ENGINE=InnoDB AUTO_INCREMENT=5",
        bare: "CREATE TABLE empty (id int(10) unsigned NOT NULL) ENGINE=InnoDB",
        rows: "",
        later: "ALTER TABLE empty ADD PRIMARY KEY (id); ALTER TABLE empty MODIFY id int(10) unsigned NOT NULL AUTO_INCREMENT, AUTO_INCREMENT=5",
    },
    Case {
        at_once: "CREATE TABLE computed (a int(11) NOT NULL, b int(11) GENERATED ALWAYS AS (a + 1) STORED, PRIMARY KEY (a), UNIQUE KEY b (b)) ENGINE=InnoDB",
        bare: "CREATE TABLE computed (a int(11) NOT NULL, b int(11) GENERATED ALWAYS AS (a + 1) STORED) ENGINE=InnoDB",
        rows: "INSERT INTO computed (a) VALUES (1), (2)",
        later: "ALTER TABLE computed ADD PRIMARY KEY (a), ADD UNIQUE KEY b (b)",
    },
    Case {
        at_once: "CREATE TABLE counted (kind char(3) NOT NULL, n int(11) NOT NULL AUTO_INCREMENT, e enum('x','y') DEFAULT 'x', PRIMARY KEY (kind, n), KEY e (e)) ENGINE=MyISAM DEFAULT CHARSET=utf8mb4",
        bare: "CREATE TABLE counted (kind char(3) NOT NULL, n int(11) NOT NULL, e enum('x','y') DEFAULT 'x') ENGINE=MyISAM DEFAULT CHARSET=utf8mb4",
        rows: "INSERT INTO counted VALUES ('a', 1, 'x'), ('a', 2, 'y'), ('b', 1, NULL)",
        later: "ALTER TABLE counted ADD PRIMARY KEY (kind, n), ADD KEY e (e); ALTER TABLE counted MODIFY n int(11) NOT NULL AUTO_INCREMENT",
    },
];

const HEAD: &str = "SET SQL_MODE = \"NO_AUTO_VALUE_ON_ZERO\";\nSTART TRANSACTION;\nSET time_zone = \"+00:00\";\n\
    SET NAMES utf8mb4;\nSET foreign_key_checks = 0;\n";

fn dump(parts: impl Fn(&Case) -> Vec<&'static str>, end: impl Fn(&Case) -> &'static str) -> String {
    let mut dump = HEAD.to_owned();
    for statement in CASES.iter().flat_map(parts).chain(CASES.iter().map(end)) {
        if !statement.is_empty() {
            writeln!(dump, "{statement};").unwrap();
        }
    }
    dump + "COMMIT;\n"
}

fn at_once() -> String {
    dump(|case| vec![case.at_once, case.rows], |_| "")
}

/// As phpMyAdmin does.
fn later() -> String {
    let head = "-- phpMyAdmin SQL Dump\n-- version 5.2.1\n--\n-- Server version: 10.4.32-MariaDB\n";
    head.to_owned() + &dump(|case| vec![case.bare, case.rows], |case| case.later)
}

/// Before any row.
fn before() -> String {
    dump(|case| vec![case.bare, case.later, case.rows], |_| "")
}

fn import(scene: &Scene, dump: &[u8], options: &[&str]) -> Outcome {
    let file = scene.path("dump.sql");
    fs::write(&file, dump).unwrap();
    let mut import = command([file.to_str().unwrap(), "--verify", "full", "--yes"]);
    import.args(["--database-url", &scene.url()]).args(options);
    let outcome = run(import).succeeds();
    let mut verify = command(["verify", file.to_str().unwrap()]);
    verify
        .args(["--database-url", &scene.url()])
        .args(options.iter().filter(|option| **option != "--jobs=1"));
    run(verify).succeeds().reports("all agree");
    outcome
}

/// The lines of pg_dump, which writes rows in the order in which they are stored.
fn contents(scene: &Scene) -> Vec<String> {
    let dump = pg_dump(scene, &[]);
    let mut lines: Vec<String> = dump.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[track_caller]
fn assert_same(expected: &[String], found: &[String]) {
    let missing = |one: &[String], other: &[String]| {
        let lines = one.iter().filter(|line| !other.contains(line));
        lines.cloned().collect::<Vec<_>>()
    };
    let (lost, new) = (missing(expected, found), missing(found, expected));
    assert!(lost.is_empty() && new.is_empty(), "{lost:#?}\n{new:#?}");
    assert_eq!(expected.len(), found.len());
}

/// What the report says of tables, columns and keys.
fn notes(outcome: &Outcome) -> Vec<String> {
    let report = outcome.whole();
    let is_note = |line: &&str| line.starts_with("  ") && line.contains(": ");
    let mut notes: Vec<String> = report.lines().filter(is_note).map(str::to_owned).collect();
    notes.sort();
    notes
}

#[test]
fn keys_come_out_as_if_they_had_come_at_once() {
    let expected = Scene::bare();
    let report = import(&expected, at_once().as_bytes(), &[]);
    let all = contents(&expected);
    let has = |line: &str| all.iter().any(|known| known.contains(line));
    assert!(
        has("ADD CONSTRAINT orders_pkey PRIMARY KEY (id)"),
        "{all:#?}"
    );
    assert!(has("setval('public.orders_id_seq', 9, false)"));
    assert!(has("setval('public.weights_id_seq', 9, false)"));
    for (dump, options) in [
        (later(), &[][..]),
        (later(), &["--jobs=1"]),
        (before(), &[]),
    ] {
        let scene = Scene::bare();
        let outcome = import(&scene, dump.as_bytes(), options);
        assert_same(&all, &contents(&scene));
        assert_eq!(notes(&outcome), notes(&report));
    }
}

#[test]
fn a_converted_dump_has_them_too() {
    let converted = |dump: String| {
        let scene = Scene::bare();
        let (file, out) = (scene.path("in.sql"), scene.path("out.sql"));
        fs::write(&file, dump).unwrap();
        let mut convert = command(["convert", file.to_str().unwrap(), "-o"]);
        let outcome = run(convert.arg(&out)).succeeds();
        psql(&scene, &out);
        let again = Scene::bare();
        import(&again, &fs::read(&out).unwrap(), &[]);
        (contents(&scene), contents(&again), notes(&outcome))
    };
    let (expected, found) = (converted(at_once()), converted(later()));
    assert_same(&expected.0, &found.0);
    assert_same(&expected.1, &found.1);
    assert_eq!(expected.2, found.2);
    let scene = Scene::bare();
    let file = scene.path("in.sql");
    fs::write(&file, later()).unwrap();
    run(command(["inspect", file.to_str().unwrap()]))
        .succeeds()
        .reports("phpMyAdmin SQL Dump version 5.2.1")
        .reports("10.4.32-MariaDB");
}

fn psql(scene: &Scene, file: &Path) {
    let mut psql = Command::new("psql");
    psql.arg("-h").arg(&postgresql().directory);
    psql.args(["-U", "postgres", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f"]);
    psql.arg(file).arg(&scene.database).stdout(Stdio::null());
    expect_success(&psql.output().unwrap());
}

/// In MariaDB, a table can only refer to a key that is there: so the source has all at once.
#[test]
fn a_mysql_target_has_them_too() {
    let server = &mariadb().directory;
    for dump in [later(), before()] {
        let shop = Shop::new(server, &at_once());
        shop.arrives(dump.as_bytes(), &[]);
    }
}

/// phpMyAdmin writes a table in the place of a view, and drops it at the end.
#[test]
fn tables_in_the_place_of_views_are_dropped() {
    let dump = format!(
        "-- phpMyAdmin SQL Dump\n{HEAD}
         CREATE TABLE `v` (`id` int(11), `name` varchar(9));
         CREATE TABLE `t` (`id` int(11) NOT NULL, `name` varchar(9)) ENGINE=InnoDB;
         INSERT INTO `t` (`id`, `name`) VALUES (1, 'a');
         CREATE TABLE `w` (`id` int(11));
         DROP TABLE IF EXISTS `v`;
         CREATE ALGORITHM=UNDEFINED DEFINER=`root`@`localhost` SQL SECURITY DEFINER VIEW `v` AS SELECT * FROM `t`;
         DROP TABLE IF EXISTS `w`;
         CREATE VIEW `w` AS SELECT `id` FROM `t`;
         ALTER TABLE `t` ADD PRIMARY KEY (`id`);"
    );
    let scene = Scene::bare();
    import(&scene, dump.as_bytes(), &[])
        .reports("phpMyAdmin has not marked the end of the dump, so it may be incomplete");
    let tables = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace";
    assert_eq!(
        scene.values(&format!("{tables} ORDER BY 1")),
        ["t", "t_pkey"]
    );
    let create = "CREATE TABLE t (id int NOT NULL PRIMARY KEY, name varchar(9)) ENGINE=InnoDB; \
        INSERT INTO t VALUES (1, 'a')";
    Shop::new(&mariadb().directory, create).arrives(dump.as_bytes(), &[]);
}

/// What mysqldump writes, as phpMyAdmin writes it.
pub(crate) fn as_phpmyadmin(dump: &str) -> String {
    let (mut out, mut end) = ("-- phpMyAdmin SQL Dump\n".to_owned(), String::new());
    let mut table: Option<(String, Vec<String>, Vec<String>)> = None;
    for line in dump.lines() {
        if line.contains(" dump ") && line.starts_with("--")
            || line.starts_with("-- Dump completed")
        {
            continue;
        }
        if let Some(rest) = line.strip_prefix("CREATE TABLE ") {
            table = Some((rest.trim_end_matches(" (").to_owned(), vec![], vec![]));
            writeln!(out, "{line}").unwrap();
            continue;
        }
        let Some((name, columns, changes)) = &mut table else {
            writeln!(out, "{line}").unwrap();
            continue;
        };
        let element = line.trim_start().trim_end_matches(',');
        if let Some(options) = element.strip_prefix(") ") {
            let (before, later) = options
                .split_once(" AUTO_INCREMENT=")
                .unwrap_or((options, ""));
            let number = later.find([' ', ';']).map_or(later, |at| &later[..at]);
            let rest = later.strip_prefix(number).unwrap_or_default();
            writeln!(out, "{}\n) {before}{rest}", columns.join(",\n")).unwrap();
            let next = if number.is_empty() {
                String::new()
            } else {
                format!("AUTO_INCREMENT={number}")
            };
            changes.extend((!next.is_empty()).then_some(next));
            if !changes.is_empty() {
                writeln!(end, "ALTER TABLE {name}\n  {};", changes.join(",\n  ")).unwrap();
            }
            table = None;
        } else if element.starts_with('`') {
            let numbered = element.replacen(" AUTO_INCREMENT", "", 1);
            if numbered != element {
                changes.push(format!("MODIFY {element}"));
            }
            columns.push(format!("  {numbered}"));
        } else {
            changes.push(format!("ADD {element}"));
        }
    }
    out + &end
}

/// What mysqldump has written of real tables.
#[test]
fn dumps_of_mysqldump_are_the_same_as_phpmyadmin_writes_them() {
    let dump = String::from_utf8(fixture_dump(Dialect::Native)).unwrap();
    let later = as_phpmyadmin(&dump);
    assert!(later.matches("ADD KEY").count() > 20, "{later}");
    assert!(!later.contains("  KEY `"), "{later}");
    let (expected, scene) = (Scene::bare(), Scene::bare());
    let report = import(&expected, dump.as_bytes(), &[]);
    let outcome = import(&scene, later.as_bytes(), &[]);
    assert_same(&contents(&expected), &contents(&scene));
    assert_eq!(notes(&outcome).len(), notes(&report).len());

    let shop = Shop::of_fixture(&mariadb().directory, "every_key.sql");
    let later =
        as_phpmyadmin(&String::from_utf8(shop.dump(&["--skip-comments", "--hex-blob"])).unwrap());
    shop.import(later.as_bytes(), &[]).succeeds();
    let (lost, new) = shop.differences();
    assert_eq!((lost, new), (vec![], vec![]));
}

/// What mysqldump writes, with all keys but the primary ones after the rows of each table, between these comments.
fn with_secondary_keys_later(dump: &str, [first, last]: [&str; 2]) -> String {
    let (mut out, mut later, mut columns) = (format!("{first}\n"), Vec::new(), Vec::new());
    let mut table = None;
    for line in dump.lines() {
        if line.starts_with("-- MariaDB dump") || line.starts_with("-- Dump completed") {
            continue;
        }
        if let Some(rest) = line.strip_prefix("CREATE TABLE ") {
            table = Some(rest.trim_end_matches(" (").to_owned());
        } else if line.starts_with(") ") && !columns.is_empty() {
            let elements: Vec<String> = std::mem::take(&mut columns);
            writeln!(out, "{}", elements.join(",\n")).unwrap();
        } else if let (Some(name), true) = (&table, line.starts_with("  ")) {
            let element = line.trim_end_matches(',');
            let is_key = ["  KEY", "  UNIQUE KEY", "  CONSTRAINT"];
            if is_key.iter().any(|word| element.starts_with(word)) {
                later.push(format!("ALTER TABLE {name} ADD {};", element.trim_start()));
            } else {
                columns.push(element.to_owned());
            }
            continue;
        }
        writeln!(out, "{line}").unwrap();
        if line == "UNLOCK TABLES;" {
            let keys = later.iter().filter(|it| !it.contains("FOREIGN KEY"));
            keys.for_each(|key| writeln!(out, "{key}").unwrap());
            later.retain(|it| it.contains("FOREIGN KEY"));
            table = None;
        }
    }
    later.push(last.to_owned());
    out + &later.join("\n") + "\n"
}

/// mysqlpump, and the mysqldump of Percona with `--innodb-optimize-keys`.
#[test]
fn secondary_keys_may_follow_the_rows_of_each_table() {
    let dump = String::from_utf8(fixture_dump(Dialect::Native)).unwrap();
    let expected = Scene::bare();
    import(&expected, dump.as_bytes(), &[]);
    let contents_before = contents(&expected);
    for comments in [
        [
            "-- Dump created by MySQL pump utility, version: 5.7.29, Linux (x86_64)",
            "-- Dump end time: Thu Jan  1 12:00:01 2026",
        ],
        [
            "-- MySQL dump 10.13  Distrib 5.7.44-48, for Linux (x86_64)",
            "-- Dump completed on 2026-01-01  0:00:00",
        ],
    ] {
        let later = with_secondary_keys_later(&dump, comments);
        assert!(later.matches(" ADD KEY").count() > 20, "{later}");
        assert!(!later.contains("\n  KEY `"), "{later}");
        let scene = Scene::bare();
        import(&scene, later.as_bytes(), &[]);
        assert_same(&contents_before, &contents(&scene));
        let cut = later.rsplit_once(comments[1]).unwrap().0;
        let file = scene.path("cut.sql");
        fs::write(&file, cut).unwrap();
        let other = Scene::bare();
        run(other.command([file.to_str().unwrap(), "--yes"]))
            .exits(3)
            .says("the dump is truncated");
    }
}

/// Rows that follow a change find it.
#[test]
fn rows_may_follow_a_change() {
    let dump = format!(
        "{HEAD}CREATE TABLE t (id tinyint(1) NOT NULL, a varchar(9) DEFAULT 'x', n bigint unsigned) ENGINE=InnoDB;
         INSERT INTO t VALUES (1, 'a', 1);
         ALTER TABLE t ADD PRIMARY KEY (id), ADD KEY n (n), MODIFY a varchar(9) DEFAULT 'y';
         INSERT INTO t (id, n) VALUES (2, 2);
         ALTER TABLE t MODIFY id tinyint(1) NOT NULL AUTO_INCREMENT, ALTER a SET DEFAULT 'z';
         INSERT INTO t VALUES (100, 'b', 18446744073709551615);
         INSERT INTO t (id) VALUES (101);
         INSERT INTO t (id, a) VALUES (102, DEFAULT), (103, 4);
         CREATE TABLE u (id int NOT NULL, a int DEFAULT 1) ENGINE=InnoDB;
         INSERT INTO u VALUES (1, 5);
         INSERT INTO t (id, a) VALUES (104, 'c');
         ALTER TABLE t ALTER a DROP DEFAULT, ADD UNIQUE KEY n_2 (n), ADD FULLTEXT KEY f (a);
         INSERT INTO t (id, a) VALUES (105, 'd');
         INSERT INTO u (id) VALUES (2);
         ALTER TABLE u ALTER a SET DEFAULT 2, ADD KEY a (a);
         ALTER TABLE u ADD PRIMARY KEY (id);
         INSERT INTO u (id) VALUES (3);"
    );
    let scene = Scene::bare();
    import(&scene, dump.as_bytes(), &[]);
    assert_eq!(
        scene.values("SELECT id, a, n, pg_typeof(id), pg_typeof(n) FROM t ORDER BY id"),
        [
            "1|a|1|smallint|numeric",
            "2|y|2|smallint|numeric",
            "100|b|18446744073709551615|smallint|numeric",
            "101|z|~|smallint|numeric",
            "102|z|~|smallint|numeric",
            "103|4|~|smallint|numeric",
            "104|c|~|smallint|numeric",
            "105|d|~|smallint|numeric"
        ]
    );
    assert_eq!(
        scene.values("SELECT id, a FROM u ORDER BY id"),
        ["1|5", "2|1", "3|2"]
    );
    assert_eq!(
        scene.value("SELECT nextval(pg_get_serial_sequence('t', 'id'))"),
        "106"
    );
    for directory in [&mariadb().directory, hard_server()] {
        let shop = Shop::new(directory, &dump);
        for options in [&["--jobs=1"][..], &["--jobs=4", "--replace"]] {
            shop.arrives(dump.as_bytes(), options);
        }
    }
}

/// What would change rows is refused, and says what and what to do.
#[test]
fn what_changes_rows_is_refused() {
    let head = format!(
        "{HEAD}CREATE TABLE t (id int, a varchar(9)); INSERT INTO t VALUES (1, 'secret');\n"
    );
    for (alter, said) in [
        (
            "ADD COLUMN b int",
            "table t: the dump adds a column after the rows: ALTER TABLE t ADD COLUMN b int",
        ),
        (
            "MODIFY id bigint",
            "the dump changes the type or place of a column after the rows: ALTER TABLE t MODIFY id bigint",
        ),
        (
            "DROP COLUMN a",
            "the dump drops a key or column after the rows",
        ),
        (
            "CONVERT TO CHARACTER SET latin1",
            "the dump changes the character set of columns",
        ),
        ("CHANGE a b varchar(9)", "the dump renames a column"),
        (
            "RENAME TO u",
            "this change of a table is not supported: ALTER TABLE t RENAME TO u",
        ),
        ("ADD KEY k (nobody)", "there is no column nobody"),
    ] {
        let scene = Scene::bare();
        let file = scene.path("dump.sql");
        fs::write(&file, format!("{head}ALTER TABLE t {alter};\n")).unwrap();
        let import = |more: &[&str]| {
            let mut import = command([file.to_str().unwrap(), "--yes"]);
            import.args(["--database-url", &scene.url()]).args(more);
            run(import)
        };
        let outcome = import(&[]).exits(1).says(said);
        assert!(!outcome.whole().contains("secret"));
        if !alter.contains("nobody") {
            outcome.says("hint: --skip-table t leaves it out");
        }
        assert_eq!(
            scene.values("SELECT relname FROM pg_class WHERE relname = 't'"),
            [""; 0]
        );
        is_refused_by_mysql(&file, alter);
    }
}

fn is_refused_by_mysql(file: &Path, alter: &str) {
    let shop = Shop::new(&mariadb().directory, "");
    let mut import = shop.command(&[]);
    let outcome = run(import.arg(file).arg("--yes"));
    assert_ne!(outcome.code, Some(0), "{alter}");
}
