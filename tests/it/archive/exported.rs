//! What phpMyAdmin and Adminer, the real programs, export with each of their options: every value arrives, or the export is
//! refused by name.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use crate::support::archives::gzip;
use crate::support::compare::{Comparison, Meant};
use crate::support::php_tools::PhpTools;
use crate::support::program::{Outcome, command, project, run};
use crate::support::scene::{fixture_database, load_into_mariadb};
use crate::support::servers::{
    connect_mariadb, connect_postgresql, new_mariadb_database, new_postgresql_database,
    postgresql_url,
};

/// Besides `every_type.sql`: names, keys and texts that readers of SQL trip over, and what is no table.
const OBJECTS: &str = "
CREATE TABLE `a group` (
  `id` int unsigned NOT NULL AUTO_INCREMENT COMMENT 'it''s; \"the\" `id`',
  `na``me` varchar(30) NOT NULL DEFAULT 'it''s (;)', `order` int DEFAULT NULL, `flag` tinyint(1) NOT NULL DEFAULT 1,
  PRIMARY KEY (`id`), UNIQUE KEY `na``me` (`na``me`), KEY `k 2` (`order`,`flag`)
) AUTO_INCREMENT=42 COMMENT='a; -- table''s \"comment\" /* x */';
INSERT INTO `a group` VALUES (1, 'a -- no comment', NULL, 1), (2, '/* nor this */ ; DELIMITER ;;', 7, 0),
  (40, '#; \\\\''); DROP TABLE x', 7, 1);
CREATE TABLE child (
  id bigint NOT NULL AUTO_INCREMENT, parent int unsigned, n int,
  made timestamp NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(),
  twice bigint GENERATED ALWAYS AS (n * 2) STORED, note varchar(40), amount decimal(10,2) CHECK (amount >= 0),
  PRIMARY KEY (id), KEY parent (parent),
  CONSTRAINT `of a group` FOREIGN KEY (parent) REFERENCES `a group` (id) ON DELETE CASCADE,
  CONSTRAINT positive CHECK (amount < 1000000 or note <> 'x;y')
);
INSERT INTO child (parent, n, note, amount, made) VALUES (1, 5, 'A;B', 1.5, '2026-01-01 00:00:00'),
  (2, NULL, NULL, NULL, '2026-01-01 00:00:00'), (NULL, 7, '\u{c9}', 0, '2026-07-01 12:00:00');
CREATE TABLE parts (id int NOT NULL, day date NOT NULL, c text, PRIMARY KEY (id, day))
  PARTITION BY RANGE (year(day)) (PARTITION p0 VALUES LESS THAN (2020), PARTITION p1 VALUES LESS THAN MAXVALUE);
INSERT INTO parts VALUES (1, '2019-01-01', 'x'), (2, '2026-01-01', NULL);
CREATE TABLE old (id smallint NOT NULL AUTO_INCREMENT, t text, FULLTEXT KEY t (t), PRIMARY KEY (id))
  ENGINE=MyISAM DEFAULT CHARSET=latin1;
INSERT INTO old VALUES (1, '\u{e9}'), (2, '\u{ff}');
CREATE TABLE nokey (a int, b varchar(5));
INSERT INTO nokey VALUES (1, 'x'), (1, 'x'), (NULL, NULL);
CREATE TABLE empty (a int NOT NULL PRIMARY KEY);
CREATE TABLE longer (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, c longtext, b longblob, j json);
INSERT INTO longer (c, b, j) SELECT REPEAT(CONCAT('it''s \"', seq, '\" \\\\ ; -- \\n'), seq), REPEAT(CHAR(seq), seq * 3),
  JSON_OBJECT('a', seq, 'b', 'it''s \"q\" \\\\') FROM seq_1_to_150;
CREATE TABLE spots (id int NOT NULL PRIMARY KEY, p point NOT NULL, l linestring);
INSERT INTO spots VALUES (1, POINT(1, -2.5), ST_GeomFromText('LINESTRING(0 0,1e10 1)')), (2, POINT(39, 92), NULL);
CREATE VIEW `a view` AS SELECT id, `na``me` AS n FROM `a group` WHERE `na``me` <> ';';
CREATE ALGORITHM=MERGE SQL SECURITY INVOKER VIEW v2 AS SELECT n, 'DELIMITER ;;' AS d FROM `a view`;
DELIMITER ;;
CREATE TRIGGER `a trigger` BEFORE INSERT ON child FOR EACH ROW
  BEGIN IF NEW.note = ';' THEN SET NEW.note = '--'; END IF; END;;
CREATE TRIGGER short AFTER DELETE ON nokey FOR EACH ROW DELETE FROM empty WHERE a = OLD.a;;
CREATE PROCEDURE `a proc` (IN x int, OUT y varchar(20)) COMMENT 'it''s; a proc'
  BEGIN DECLARE i int DEFAULT 0; WHILE i < x DO SET i = i + 1; /* ; */ END WHILE; SET y = 'done; //'; END;;
CREATE FUNCTION f (a int) RETURNS int DETERMINISTIC RETURN a * 2;;
CREATE EVENT e ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01' DO BEGIN DELETE FROM nokey; INSERT INTO empty VALUES (1); END;;
DELIMITER ;
DROP TABLE shapes;
DELETE FROM times WHERE id = 3;
-- Neither program writes more bits exactly, nor all digits of a FLOAT.
UPDATE bits SET e = 5 WHERE id = 1;
";

/// What the program asks for: times that are none of a day, and geometries without PostGIS.
const OPTIONS: [&str; 4] = ["--time", "interval", "--geometry", "wkb"];

/// The database with these; nobody changes it.
fn objects() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        let name = new_mariadb_database();
        load_into_mariadb(&name, &project().join("fixtures/every_type.sql"));
        let script = tempfile::NamedTempFile::new().unwrap();
        fs::write(script.path(), format!("SET NAMES utf8mb4;{OBJECTS}")).unwrap();
        load_into_mariadb(&name, script.path());
        name
    })
}

fn import(files: &[&Path]) -> (String, Outcome) {
    let database = new_postgresql_database();
    let mut import = command(files);
    let url = postgresql_url(&database);
    let outcome = run(import.args(["--database-url", &url]).args(OPTIONS));
    (database, outcome)
}

fn without_srid(value: Option<Vec<u8>>) -> Option<Vec<u8>> {
    value.map(|value| value[4..].to_vec())
}

/// What differs between `source` in MariaDB and what `files` became in PostgreSQL.
fn differences(source: &str, files: &[&Path]) -> Vec<String> {
    let (database, outcome) = import(files);
    outcome.succeeds();
    let meant: [Meant; 2] = [("spots", "p", without_srid), ("spots", "l", without_srid)];
    let mut comparison = Comparison {
        source: connect_mariadb(source),
        target: connect_postgresql(&database),
        schema: "public",
        meant: &meant,
        renamed: &[],
    };
    let findings = comparison.all_tables();
    assert!(
        findings.tables >= 15 && findings.values > 300,
        "{findings:?}"
    );
    let mut target = comparison.target;
    let is_of_objects = "SELECT to_regclass('\"a group\"') IS NOT NULL";
    if target.query_one(is_of_objects, &[]).unwrap().get(0) {
        let next = "SELECT nextval(pg_get_serial_sequence('\"a group\"', 'id'))";
        let next: i64 = connect_postgresql(&database)
            .query_one(next, &[])
            .unwrap()
            .get(0);
        assert!(next == 41 || next == 42, "{next}");
    }
    findings.differences
}

/// What MariaDB makes of an export: not always what it was.
fn restored(file: &Path) -> String {
    let name = new_mariadb_database();
    load_into_mariadb(&name, file);
    name
}

/// An export with fields of the form changed, and what of it is meant to differ.
type Export = (
    &'static [(&'static str, &'static str)],
    &'static [&'static str],
);

const CHOSEN: &str = "something";

#[test]
fn of_phpmyadmin() {
    let tools = PhpTools::start();
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = directory.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let custom = ("quick_or_custom", "custom");
    // The last one is the one of the objects.
    let mut restored_of = String::new();
    for source in [fixture_database(), objects()] {
        let quick = file("quick.sql", &tools.phpmyadmin(source).exported());
        restored_of = restored(&quick);
        assert_eq!(differences(&restored_of, &[&quick]), Vec::<String>::new());
        let form = |fields| {
            tools
                .phpmyadmin(source)
                .with(&[custom])
                .with(fields)
                .exported()
        };
        let definitions = form(&[("sql_structure_or_data", "structure")]);
        let rows = form(&[("sql_structure_or_data", "data")]);
        let (definitions, rows) = (file("a.sql", &definitions), file("b.sql", &rows));
        assert_eq!(
            differences(&restored_of, &[&definitions, &rows]),
            Vec::<String>::new()
        );
    }
    let exports: [Export; 19] = [
        (&[("sql_drop_table", CHOSEN)], &[]),
        (
            &[("sql_drop_table", CHOSEN), ("sql_if_not_exists", CHOSEN)],
            &[],
        ),
        (
            &[("sql_if_not_exists", CHOSEN), ("sql_auto_increment", "")],
            &[],
        ),
        (
            &[
                ("sql_create_database", CHOSEN),
                ("sql_drop_database", CHOSEN),
            ],
            &[],
        ),
        (&[("sql_insert_syntax", "complete")], &[]),
        (
            &[("sql_truncate", CHOSEN), ("sql_max_query_size", "300")],
            &[],
        ),
        (&[("sql_delayed", CHOSEN)], &[]),
        (&[("sql_ignore", CHOSEN)], &[]),
        (&[("sql_type", "REPLACE")], &[]),
        (&[("sql_hex_for_binary", "")], &[]),
        (&[("sql_utc_time", "")], &[]),
        (
            &[("sql_use_transaction", ""), ("sql_disable_fk", CHOSEN)],
            &[],
        ),
        (&[("sql_include_comments", "")], &[]),
        (
            &[
                ("sql_dates", CHOSEN),
                ("sql_relation", CHOSEN),
                ("sql_mime", CHOSEN),
                ("sql_metadata", CHOSEN),
            ],
            &[],
        ),
        (
            &[("sql_views_as_tables", CHOSEN)],
            &[
                "the table a view is not in MariaDB",
                "the table v2 is not in MariaDB",
            ],
        ),
        (
            &[
                ("sql_simple_view_export", CHOSEN),
                ("sql_or_replace_view", CHOSEN),
                ("sql_view_current_user", CHOSEN),
            ],
            &[],
        ),
        (&[("sql_compatibility", "MYSQL40")], &[]),
        (&[("sql_compatibility", "TRADITIONAL")], &[]),
        (&[("compression", "gzip")], &[]),
    ];
    for (fields, meant) in exports {
        println!("{fields:?}");
        let exported = tools
            .phpmyadmin(objects())
            .with(&[custom])
            .with(fields)
            .exported();
        assert_eq!(
            differences(&restored_of, &[&file("export.sql", &exported)]),
            meant
        );
    }
    // Names without quotes must need none, and rows without columns have no generated ones.
    for fields in [
        [("sql_backquotes", ""), ("compression", "zip")],
        [("sql_insert_syntax", "extended"), ("charset", "iso-8859-1")],
        [("sql_insert_syntax", "none"), ("charset", "utf-8")],
    ] {
        println!("{fields:?}");
        let exported = tools
            .phpmyadmin(fixture_database())
            .with(&[custom])
            .with(&fields)
            .exported();
        let found = differences(fixture_database(), &[&file("export", &exported)]);
        // A character that latin1 does not have is lost in the export.
        let is_lost =
            |difference: &&String| difference.contains(" became ") && fields[1].1 == "iso-8859-1";
        let kept: Vec<&String> = found
            .iter()
            .filter(|difference| !is_lost(difference))
            .collect();
        assert_eq!(kept, Vec::<&String>::new());
    }
    for (fields, code, says) in [
        (
            [("sql_type", "UPDATE"), ("what", "sql")],
            1,
            [
                "the dump holds a statement that is not understood: UPDATE",
                "hint: make the dump again with INSERT",
            ],
        ),
        (
            [("sql_compatibility", "ANSI"), ("what", "sql")],
            1,
            [
                "the definition has no columns",
                "hint: phpMyAdmin writes such definitions",
            ],
        ),
        (
            [("what", "xml"), ("xml_export_contents", CHOSEN)],
            3,
            [
                "the dump is XML of phpMyAdmin",
                "hint: export it again with the format SQL",
            ],
        ),
        (
            [("what", "csv"), ("csv_columns", CHOSEN)],
            3,
            [
                "the input is neither a backup archive nor a dump",
                "hint: check that the file is the right one",
            ],
        ),
    ] {
        println!("{fields:?}");
        let exported = tools
            .phpmyadmin(fixture_database())
            .with(&[custom])
            .with(&fields)
            .exported();
        let (_, outcome) = import(&[&file("export", &exported)]);
        outcome.exits(code).says(says[0]).says(says[1]);
    }
}

#[test]
fn of_adminer() {
    let tools = PhpTools::start();
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = directory.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    // The last one is the one of the objects.
    let mut restored_of = String::new();
    for source in [fixture_database(), objects()] {
        let whole = file("whole.sql", &tools.adminer(source).exported());
        restored_of = restored(&whole);
        assert_eq!(differences(&restored_of, &[&whole]), Vec::<String>::new());
        let definitions = tools.adminer(source).with(&[("data_style", "")]).exported();
        let rows = tools
            .adminer(source)
            .with(&[("table_style", "")])
            .exported();
        let (_, outcome) = import(&[&file("rows.sql", &rows)]);
        outcome
            .exits(1)
            .says("but not its definition")
            .says("hint: name the file with the definitions before it");
        let (definitions, rows) = (file("a.sql", &definitions), file("b.sql.gz", &gzip(&rows)));
        assert_eq!(
            differences(&restored_of, &[&definitions, &rows]),
            Vec::<String>::new()
        );
    }
    let exports: [Export; 6] = [
        (
            &[
                ("table_style", "CREATE"),
                ("db_style", "CREATE"),
                ("auto_increment", "1"),
            ],
            &[],
        ),
        (
            &[
                ("db_style", "DROP+CREATE"),
                ("auto_increment", "1"),
                ("routines", ""),
                ("events", ""),
            ],
            &[],
        ),
        (
            &[("db_style", "USE"), ("triggers", ""), ("output", "file")],
            &[],
        ),
        (&[("data_style", "TRUNCATE+INSERT")], &[]),
        (&[("data_style", "INSERT+UPDATE")], &[]),
        (&[("output", "gz")], &[]),
    ];
    for (fields, meant) in exports {
        println!("{fields:?}");
        let exported = tools.adminer(objects()).with(fields).exported();
        assert_eq!(
            differences(&restored_of, &[&file("export.sql", &exported)]),
            meant
        );
    }
    for format in ["csv", "csv;", "tsv"] {
        let exported = tools
            .adminer(objects())
            .with(&[("format", format)])
            .exported();
        let (_, outcome) = import(&[&file("export", &exported)]);
        outcome
            .exits(3)
            .says("the input is neither a backup archive nor a dump of MySQL or PostgreSQL");
    }
}
