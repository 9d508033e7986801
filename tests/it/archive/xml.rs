//! XML of the real mariadb-dump (`--xml`): every value arrives, and what the XML does not have is told.

use std::fs;

use mysql::prelude::Queryable;

use crate::support::archives::gzip;
use crate::support::compare::Comparison;
use crate::support::program::{Outcome, command, project, run};
use crate::support::scene::{Scene, load_into_mariadb};
use crate::support::servers::{
    connect_mariadb, expect_success, mariadb_program, new_mariadb_database,
};

/// What the program asks for: times that are none of a day, and geometries without PostGIS.
const OPTIONS: [&str; 6] = [
    "--time",
    "interval",
    "--geometry",
    "wkb",
    "--verify",
    "full",
];

/// Names, defaults and texts that readers of XML trip over, and what is no table.
const OBJECTS: &str = "
CREATE TABLE `n\"am<e&'` (
  `c<\"&` int NOT NULL AUTO_INCREMENT COMMENT 'it''s; \"the\" <&>', `na``me` varchar(30) NOT NULL DEFAULT 'it''s (;)',
  a varchar(20) DEFAULT 'NULL', b varchar(20) DEFAULT '', c varchar(40) DEFAULT 'current_timestamp()', d int DEFAULT 5,
  e timestamp NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(), f datetime DEFAULT current_timestamp(),
  g enum('<','&amp;','it''s') NOT NULL DEFAULT '<', h varchar(20) NOT NULL,
  PRIMARY KEY (`c<\"&`), UNIQUE KEY `na``me` (`na``me`(5)), KEY `k 2` (a, d)
) AUTO_INCREMENT=42 COMMENT='two\\nlines; -- \"<&>';
INSERT INTO `n\"am<e&'` (`c<\"&`, `na``me`, a, g, h) VALUES (1, '<a>&amp;]]>', NULL, '&amp;', 'a\\r\\nb\\rc\\n'),
  (2, '\\0 \\\\ '' -- ', ' ', 'it''s', ''), (7, '\u{1f680}', '\\\\N', '<', '\\Z\\t');
CREATE TABLE child (id int PRIMARY KEY, parent int, twice bigint GENERATED ALWAYS AS (parent * 2) STORED,
  half int AS (parent DIV 2), amount int CHECK (amount > 0), KEY (parent),
  FOREIGN KEY (parent) REFERENCES `n\"am<e&'` (`c<\"&`));
INSERT INTO child (id, parent) SELECT seq, 1 FROM seq_1_to_30000;
CREATE TABLE longer (id int PRIMARY KEY, c longtext, b longblob);
INSERT INTO longer SELECT seq, REPEAT(CONCAT('<it''s> \\\\ & \\n', seq), seq * 999), REPEAT(CHAR(seq), seq * 3000)
  FROM seq_1_to_50;
CREATE TABLE empty (a int NOT NULL PRIMARY KEY);
CREATE VIEW `a view` AS SELECT id FROM child;
CREATE TRIGGER `a trigger` BEFORE INSERT ON child FOR EACH ROW SET NEW.amount = 7;
CREATE PROCEDURE `a proc` (IN x int) COMMENT ']] > ;' SELECT ']]', x;
CREATE FUNCTION f (a int) RETURNS int DETERMINISTIC RETURN a * 2;
CREATE EVENT e ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01' DO DELETE FROM empty";

/// The fixture, without what is meant to differ in PostgreSQL.
fn fixture() -> String {
    let database = new_mariadb_database();
    load_into_mariadb(&database, &project().join("fixtures/every_type.sql"));
    let sql = "DROP TABLE shapes; DELETE FROM times WHERE id = 3";
    connect_mariadb(&database).query_drop(sql).unwrap();
    database
}

fn objects() -> String {
    let database = new_mariadb_database();
    let mut client = connect_mariadb(&database);
    for statement in OBJECTS.split(";\n") {
        client.query_drop(statement).unwrap();
    }
    database
}

fn dump(words: &[&str]) -> Vec<u8> {
    let mut program = mariadb_program("mariadb-dump");
    expect_success(&program.arg("--xml").args(words).output().unwrap())
}

fn import(scene: &Scene, dump: &[u8], options: &[&str]) -> Outcome {
    let file = scene.path("dump");
    fs::write(&file, dump).unwrap();
    let mut import = command([file.to_str().unwrap(), "--database-url", &scene.url()]);
    run(import.args(OPTIONS).args(options))
}

#[track_caller]
fn assert_same(scene: &Scene, source: &str, schema: &str, tables: usize) {
    let mut comparison = Comparison {
        source: connect_mariadb(source),
        target: scene.connect(),
        schema,
        meant: &[],
        renamed: &[],
    };
    let findings = comparison.all_tables();
    assert_eq!(findings.differences, Vec::<String>::new());
    assert_eq!(findings.tables, tables);
}

#[test]
fn every_value_arrives() {
    let source = fixture();
    for options in [
        &[&*source][..],
        &["--hex-blob", &source],
        &["--databases", &source],
    ] {
        let scene = Scene::bare();
        import(&scene, &gzip(&dump(options)), &["--nul", "strip"])
            .succeeds()
            .reports("from MySQL dump in XML, by mysqldump")
            .reports("the dump is XML, which has no foreign keys");
        let findings = scene.assert_same_tables(&source);
        assert!(
            findings.tables >= 6 && findings.values > 200,
            "{findings:?}"
        );
    }
}

#[test]
fn what_xml_does_not_have_is_told() {
    let source = objects();
    let dump = dump(&["--hex-blob", "--routines", "--events", &source]);
    let scene = Scene::bare();
    let plain = "a plain column instead of a generated one: XML does not have the expression";
    import(&scene, &dump, &["--nul", "strip"])
        .succeeds()
        .reports(&format!("child.twice: {plain}"))
        .reports(&format!("child.half: {plain}"))
        .reports("the view a view was left out")
        .reports("the trigger a trigger was left out")
        .reports("the procedure a proc was left out")
        .reports("the function f was left out")
        .reports("the event e was left out");
    assert_same(&scene, &source, "public", 4);
    let defaults =
        "SELECT string_agg(pg_get_expr(adbin, adrelid), ' | ' ORDER BY adnum) FROM pg_attrdef
                    WHERE adrelid = '\"n\"\"am<e&''\"'::regclass AND adnum BETWEEN 2 AND 9";
    assert_eq!(
        scene.value(defaults),
        "'it''s (;)'::character varying | 'NULL'::character varying | ''::character varying | \
         'current_timestamp()'::character varying | 5 | timezone('UTC'::text, now()) | LOCALTIMESTAMP | '<'::text"
    );
    let next = "SELECT nextval(pg_get_serial_sequence('\"n\"\"am<e&''\"', 'c<\"&'))::text";
    assert_eq!(scene.value(next), "42");
    // A table that is left out is not spoken of.
    let skipped = Scene::bare();
    let outcome = import(
        &skipped,
        &dump,
        &["--nul", "strip", "--skip-table", "child"],
    )
    .succeeds();
    assert!(!outcome.whole().contains("child."), "{}", outcome.whole());
}

#[test]
fn several_databases_in_xml() {
    let sources = [new_mariadb_database(), new_mariadb_database()];
    for (source, value) in sources.iter().zip(["1", "2"]) {
        let sql = format!(
            "CREATE TABLE t (id int, twice int AS (id * 2)); INSERT INTO t (id) VALUES ({value})"
        );
        connect_mariadb(source).query_drop(sql).unwrap();
    }
    let [one, two] = &sources;
    let dump = dump(&["--databases", one, two]);
    let scene = Scene::bare();
    import(&scene, &dump, &[])
        .exits(2)
        .says("the dump holds several databases");
    import(&scene, &dump, &["--databases-to-schemas"])
        .succeeds()
        .reports(&format!(
            "{two}.t.twice: a plain column instead of a generated one"
        ));
    for source in &sources {
        assert_same(&scene, source, source, 1);
    }
    let other = Scene::bare();
    import(&other, &dump, &["--from-database", two]).succeeds();
    assert_same(&other, two, "public", 1);
}

/// Definitions and rows apart, and a file of each kind.
#[test]
fn several_files_one_of_them_xml() {
    let source = objects();
    let definitions = dump(&["--no-data", &source]);
    let rows = dump(&["--no-create-info", "--skip-triggers", "--hex-blob", &source]);
    let mut program = mariadb_program("mariadb-dump");
    let sql = program.args(["--no-create-info", "--skip-triggers", "--hex-blob", &source]);
    let sql = expect_success(&sql.output().unwrap());
    for rows in [&rows, &sql] {
        let scene = Scene::bare();
        let [first, second] = ["a.xml", "b"].map(|name| scene.path(name));
        fs::write(&first, &definitions).unwrap();
        fs::write(&second, rows).unwrap();
        let mut import = command([&first, &second]);
        import.args(["--nul", "strip", "--database-url", &scene.url()]);
        run(import.args(OPTIONS)).succeeds();
        assert_same(&scene, &source, "public", 4);
    }
}

#[test]
fn xml_that_is_truncated_or_of_others() {
    let source = objects();
    let dump = dump(&["--hex-blob", &source]);
    let text = String::from_utf8_lossy(&dump).into_owned();
    let scene = Scene::bare();
    let rows = text.find("<table_data name=\"child\">").unwrap();
    for (cut, says) in [
        (dump.len() - 3, "the XML is truncated"),
        (rows + 200, "the XML is truncated: the rows of child"),
        (rows - 300, "the XML is truncated: the definition of child"),
    ] {
        import(&scene, &dump[..cut], &[]).exits(3).says(says);
    }
    assert_eq!(
        scene.values("SELECT relname::text FROM pg_class WHERE relname IN ('child', 'longer')"),
        [""; 0]
    );
    for (from, to, says) in [
        (
            "<table_data",
            "<!DOCTYPE x><table_data",
            "it has a declaration, which mysqldump does not write",
        ),
        (
            "<table_data",
            "<data",
            "it has an element that mysqldump does not write there",
        ),
        (
            "</row>",
            "",
            "it has an element that mysqldump does not write there: the rows of child",
        ),
        (
            "<row>\n\t\t<field name=\"id\">1</field>\n",
            "<row>\n",
            "a row has other columns than the definition of its table: the rows of child",
        ),
        ("</mysqldump>", "", "the XML is truncated"),
    ] {
        let changed = text.replacen(from, to, 1);
        import(&scene, changed.as_bytes(), &[]).exits(3).says(says);
    }
    let other = "<?xml version=\"1.0\"?>\n<resultset statement=\"SELECT 1\"></resultset>\n";
    import(&scene, other.as_bytes(), &[])
        .exits(3)
        .says("the dump is XML; only that of mysqldump is supported");
    let utf16: Vec<u8> = std::iter::once(0xfeff)
        .chain(text.encode_utf16().take(4000))
        .flat_map(u16::to_le_bytes)
        .collect();
    import(&scene, &utf16, &[])
        .exits(3)
        .says("the dump is XML in UTF-16");
    // What a program says beside its dump is told, as in SQL.
    let noisy = format!("mysqldump: [Warning] a password\n{text}");
    import(&scene, noisy.as_bytes(), &["--nul", "strip"])
        .succeeds()
        .reports("skipped a line that is not SQL: mysqldump: [Warning] a password");
}
