use super::{Consumer, Reader};
use crate::dump::Databases;
use crate::dump::converted::Part;
use crate::dump::events::{Facts, RowChunk};
use crate::dump::mysql::definition::TableDefinition;
use crate::error::Result;

#[derive(Default)]
struct Collected {
    tables: Vec<String>,
    altered: Vec<TableDefinition>,
    parts: Vec<Part>,
    rows: Vec<(String, String, u64, u64, u64)>,
}

impl Consumer for Collected {
    fn table(&mut self, table: TableDefinition, _: &Facts) -> Result<()> {
        self.tables.push(table.name);
        Ok(())
    }

    fn altered(&mut self, table: &TableDefinition, _: &Facts) -> Result<()> {
        self.altered.push(table.clone());
        Ok(())
    }

    fn rows(&mut self, rows: RowChunk) -> Result<()> {
        let text = String::from_utf8(rows.bytes).unwrap();
        self.rows.push((
            rows.insert.table.clone(),
            text,
            rows.offset,
            rows.first_row,
            rows.rows,
        ));
        Ok(())
    }

    fn converted(&mut self, part: Part, _: &Facts) -> Result<()> {
        self.parts.push(part);
        Ok(())
    }
}

const DUMP: &str = "-- MySQL dump 10.13  Distrib 5.5.44\n-- Server version\t5.5.44\n\
/*!40101 SET NAMES utf8 */;\nCREATE TABLE `t` (`a` int);\n\
INSERT INTO `t` VALUES (1),(2);\nINSERT INTO `t` VALUES (3);\n\
/*!50001 CREATE VIEW `v` AS SELECT 1 AS `a`*/;\n-- Dump completed on 2015-10-01\n";

fn read(dump: &[u8], cut: usize) -> Result<(Collected, Facts)> {
    let mut reader = Reader::new(
        Collected::default(),
        Databases::Single,
        Box::new(|_, _| true),
    );
    reader.feed(&dump[..cut])?;
    reader.feed(&dump[cut..])?;
    reader.finish()
}

#[test]
fn events_are_the_same_wherever_the_blocks_are_cut() {
    let first = DUMP.find("(1),(2)").unwrap() as u64;
    let second = DUMP.find("(3)").unwrap() as u64;
    for cut in 0..=DUMP.len() {
        let (collected, facts) = read(DUMP.as_bytes(), cut).unwrap();
        assert_eq!(collected.tables, ["t"]);
        let expected = [
            ("t".to_owned(), "(1),(2)".to_owned(), first, 1, 2),
            ("t".to_owned(), "(3)".to_owned(), second, 3, 1),
        ];
        assert_eq!(collected.rows, expected, "cut at {cut}");
        assert_eq!(facts.charset.as_deref(), Some("utf8"));
        assert_eq!(facts.server_version.as_deref(), Some("5.5.44"));
        assert_eq!(facts.left_out, [("view", "v".to_owned())]);
        assert_eq!(facts.bytes, DUMP.len() as u64);
    }
}

const CONVERTED: &str = "-- Converted by db_converter\nSTART TRANSACTION;\n\
SET standard_conforming_strings=off;\nDROP TABLE IF EXISTS \"t\";\nCREATE TABLE \"t\" (\n    \
\"id\" integer NOT NULL,\n    \"a\" varchar(20) \n);\n\n\
INSERT INTO \"t\" VALUES (1,'it''s\\\\'),(2,NULL);\n\n-- Post-data save --\nCOMMIT;\n\
START TRANSACTION;\n\n-- Indexes --\nCREATE INDEX \"i\" ON t (\"a\");\n\nCOMMIT;\n";

#[test]
fn a_converted_dump_is_the_same_wherever_it_is_cut_and_truncated_before_its_end() {
    let read = |blocks: [&str; 2]| {
        let mut reader = Reader::of_converted(Collected::default());
        for block in blocks {
            reader.feed(block.as_bytes())?;
        }
        reader.finish()
    };
    let first = CONVERTED.find("(1,").unwrap() as u64;
    for cut in 0..=CONVERTED.len() {
        let (begin, end) = CONVERTED.split_at(cut);
        let (collected, facts) = read([begin, end]).unwrap();
        let rows = "(1,'it''s\\\\'),(2,NULL)".to_owned();
        assert_eq!(
            collected.rows,
            [("t".to_owned(), rows, first, 1, 2)],
            "cut at {cut}"
        );
        assert!(matches!(
            &collected.parts[..],
            [Part::Table(table, _), Part::Key(of, _), Part::End]
                if table.columns[1].data_type.numbers == [10] && of == "t"
        ));
        assert!(facts.completed && facts.converted);
        let is_cut = cut + 1 < CONVERTED.len();
        assert_eq!(read([begin, ""]).is_err(), is_cut, "cut at {cut}");
    }
}

#[test]
fn a_dump_cut_anywhere_is_truncated() {
    let completed = DUMP.find("Dump completed").unwrap() + "Dump completed".len();
    for end in DUMP.find('\n').unwrap() + 1..completed {
        let error = read(&DUMP.as_bytes()[..end], 0)
            .err()
            .unwrap_or_else(|| panic!("a dump cut at byte {end} was taken for a whole one"));
        assert_eq!(error.kind(), crate::error::Kind::Archive, "{error}");
    }
}

#[test]
fn large_rows_are_handed_on_in_chunks_of_whole_rows() {
    let value = "x".repeat(100_000);
    let rows = vec![format!("('{value}')"); 20].join(",\n");
    let dump = format!("CREATE TABLE t (a text);\nINSERT INTO t VALUES {rows};\n");
    let mut reader = Reader::new(
        Collected::default(),
        Databases::Single,
        Box::new(|_, _| true),
    );
    for block in dump.as_bytes().chunks(65_536) {
        reader.feed(block).unwrap();
    }
    let (collected, _) = reader.finish().unwrap();
    assert!(collected.rows.len() > 4);
    assert_eq!(collected.rows.iter().map(|chunk| chunk.4).sum::<u64>(), 20);
    let mut next = 1;
    for (_, text, offset, first_row, rows) in &collected.rows {
        assert_eq!(*first_row, next);
        next += rows;
        let offset = usize::try_from(*offset).unwrap();
        assert_eq!(&dump[offset..offset + text.len()], text);
    }
}

#[test]
fn a_statement_that_might_change_data_is_refused() {
    let error = read(b"UPDATE t SET a = 1;", 3).err().unwrap();
    assert_eq!(
        error.to_string(),
        "byte 3: the dump holds a statement that is not understood: UPDATE …"
    );
}

#[test]
fn one_of_several_databases_is_taken() {
    let dump = b"USE a; CREATE TABLE t (x int); INSERT INTO t VALUES (1); USE empty; USE b; \
             CREATE TABLE t (x int); INSERT INTO t VALUES (2),(3); USE a;";
    let read = |database: Option<&str>| {
        let mut reader = Reader::new(
            Collected::default(),
            database.map_or(Databases::Single, |name| Databases::Named(name.to_owned())),
            Box::new(|_, _| true),
        );
        reader.feed(dump)?;
        reader
            .finish()
            .map(|(collected, _)| collected.rows[0].1.clone())
    };
    assert_eq!(read(Some("a")).unwrap(), "(1)");
    assert_eq!(read(Some("b")).unwrap(), "(2),(3)");
    assert_eq!(
        read(None).unwrap_err().to_string(),
        "the dump holds several databases: a, b"
    );
    let none = read(Some("c")).unwrap_err().to_string();
    assert_eq!(none, "the dump holds no database c, but a, b");
}

#[test]
fn compatible_modes_are_recognised() {
    let dump = b"/*!40101 SET SQL_MODE='NO_AUTO_VALUE_ON_ZERO,POSTGRESQL' */;";
    assert!(read(dump, 0).unwrap().1.compatible);
    let dump = b"/*!40101 SET SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;";
    assert!(!read(dump, 0).unwrap().1.compatible);
}

/// The error for a dump, or what is left out of it.
fn outcome(dump: &str) -> String {
    match read(dump.as_bytes(), 0) {
        Ok((_, facts)) => {
            let left_out = facts.left_out.iter();
            let left_out: Vec<String> = left_out
                .map(|(kind, name)| format!("{kind} {name}"))
                .collect();
            format!("ok: {}", left_out.join(", "))
        }
        Err(error) => {
            let error = error.to_string();
            let (_, error) = error.split_once(": ").unwrap();
            error.to_owned()
        }
    }
}

#[test]
fn what_a_dump_may_do_to_its_tables() {
    let create = "CREATE TABLE t (a int, b timestamp);";
    let rows = "INSERT INTO t VALUES (1,NULL);";
    for (dump, expected) in [
        (format!("DROP TABLE IF EXISTS t; {create} {rows}"), "ok: "),
        (format!("{create} DELETE FROM t; TRUNCATE t; {rows}"), "ok: "),
        (
            format!("{create} {rows} DELETE FROM t;"),
            "the dump deletes the rows that it has inserted: DELETE FROM …",
        ),
        (
            format!("{create} {rows} TRUNCATE TABLE t;"),
            "the dump deletes the rows that it has inserted: TRUNCATE TABLE …",
        ),
        (
            format!("{create} {rows} DROP TABLE t;"),
            "the dump drops the table t again",
        ),
        (
            format!("{create} CREATE OR REPLACE TABLE t (a int);"),
            "the dump drops the table t again",
        ),
        (format!("{create} CREATE TABLE IF NOT EXISTS t (b int); {rows}"), "ok: "),
        ("CREATE TABLE v (a int) ENGINE=MERGE UNION=(t); DROP TABLE v;".into(), "ok: MERGE table v"),
        (
            "CREATE TABLE v (a int) ENGINE=FEDERATED; INSERT INTO v VALUES (1);".into(),
            "the dump inserts rows into a table that is left out: INSERT INTO …",
        ),
        ("CREATE TABLE s (a int) ENGINE=InnoDB SEQUENCE=1; INSERT INTO s VALUES (1);".into(), "ok: sequence s"),
        ("USE mysql; INSERT INTO innodb_index_stats VALUES (1);".into(), "ok: system table innodb_index_stats"),
        ("CREATE DATABASE d; USE d; CREATE TABLE t (a int); DROP DATABASE d;".into(),
            "the dump drops a database whose table t it has created: DROP DATABASE …"),
        ("CREATE TABLE t LIKE u;".into(),
            "table t: the table is created LIKE another one: CREATE TABLE t LIKE u"),
        ("CREATE TABLE t (LIKE u);".into(),
            "table t: the table is created LIKE another one: CREATE TABLE t (LIKE u)"),
        ("CREATE TABLE t (a int) AS SELECT 1;".into(),
            "table t: the table is created by a SELECT, whose rows are not in the dump: CREATE TABLE t (a int) AS SELECT 1"),
        ("CREATE TABLE t SELECT 1;".into(),
            "table t: the table is created by a SELECT, whose rows are not in the dump: CREATE TABLE t SELECT 1"),
        ("CREATE TABLE t (SELECT 1);".into(),
            "table t: the table is created by a SELECT, whose rows are not in the dump: CREATE TABLE t (SELECT 1)"),
        (format!("SET TIME_ZONE='+00:00'; {create} SET TIME_ZONE='+02:00'; {rows}"),
            "the time zone of the dump changes between a table and its rows: INSERT INTO …"),
        (format!("SET NAMES latin1; {create} SET NAMES utf8; {rows}"),
            "the character set of the dump changes between a table and its rows: INSERT INTO …"),
        (format!("SET NAMES latin1; SET @c = @@character_set_client; SET character_set_client = utf8; {create} SET character_set_client = @c; {rows}"), "ok: "),
        (format!("SET sql_mode='EMPTY_STRING_IS_NULL'; {create} {rows}"),
            "sql_mode EMPTY_STRING_IS_NULL changes the rows: INSERT INTO …"),
        ("CREATE TABLE t (a int) WITH SYSTEM VERSIONING; SET @@session.system_versioning_insert_history=1; INSERT INTO t VALUES (1);".into(),
            "the dump holds the history of a system-versioned table: INSERT INTO …"),
        ("SET sql_mode='MYSQL40'; CREATE TABLE t (a int, CHECK (NOT a BETWEEN 1 AND 2));".into(),
            "table t: its expressions have a NOT under HIGH_NOT_PRECEDENCE, which is not supported"),
        ("SET sql_mode='MYSQL40'; CREATE TABLE IF NOT EXISTS t (a int NOT NULL);".into(), "ok: "),
        ("CREATE FUNCTION f () RETURNS int RETURN 1; SELECT f();".into(),
            "the dump calls a function of its own, which is not imported: SELECT …"),
    ] {
        assert_eq!(outcome(&dump), expected, "{dump}");
    }
}

#[test]
fn prepared_statements_are_taken_only_if_they_are_known() {
    let refused = "the dump executes a prepared statement, which may change data";
    for (dump, is_taken) in [
        (
            "SET @s='SET SESSION x = 1'; PREPARE s FROM @s; EXECUTE s; DEALLOCATE PREPARE s;",
            true,
        ),
        ("PREPARE s FROM 'SELECT 1'; EXECUTE s;", true),
        (
            "SELECT COUNT(*) INTO @is FROM x; SET @e = IF (@is, 'SET SESSION rocksdb_bulk_load = 1', \
             'SET @rocksdb_dummy_bulk_load = 0'); PREPARE s FROM @e; EXECUTE s;",
            true,
        ),
        (
            "SELECT CURRENT_ROLE() INTO @r; EXECUTE IMMEDIATE CONCAT('SET ROLE ', @r);",
            true,
        ),
        (
            "EXECUTE IMMEDIATE IF(@@LOG_OUTPUT='TABLE',\"SET GLOBAL LOG_OUTPUT='NONE'\", \"DO 0\");",
            true,
        ),
        (
            "SET @s='INSERT INTO t VALUES (1)'; PREPARE s FROM @s; EXECUTE s;",
            false,
        ),
        (
            "SELECT x INTO @s FROM y; PREPARE s FROM @s; EXECUTE s;",
            false,
        ),
        ("EXECUTE s;", false),
        ("EXECUTE IMMEDIATE CONCAT('SET @a = ', @r);", false),
        (
            "EXECUTE IMMEDIATE IF(@x, 'SET @a = 1', 'DROP TABLE t');",
            false,
        ),
        ("EXECUTE IMMEDIATE 'SET sql_mode = ANSI';", false),
    ] {
        let outcome = outcome(dump);
        assert_eq!(outcome == "ok: ", is_taken, "{dump}: {outcome}");
        assert_eq!(outcome.contains(refused), !is_taken, "{dump}: {outcome}");
    }
}

#[test]
fn a_skipped_table_may_be_anything() {
    let dump = b"CREATE TABLE `emb` (`v` vector(3), VECTOR KEY `v` (`v`) `M`=8, ???);\
        INSERT INTO emb (?) VALUES (1); ALTER TABLE emb ADD x; CREATE TABLE u (a int); \
        INSERT INTO u VALUES (2);";
    let wanted = Box::new(|_: Option<&str>, name: &str| name != "emb");
    let mut reader = Reader::new(Collected::default(), Databases::Single, wanted);
    reader.feed(dump).unwrap();
    let (collected, _) = reader.finish().unwrap();
    assert_eq!(collected.tables, ["u"]);
    assert_eq!(collected.rows.len(), 1);
    assert_eq!(collected.rows[0].1, "(2)");
}

#[test]
fn the_mode_around_a_trigger_is_restored() {
    let dump = "SET SQL_MODE='NO_AUTO_VALUE_ON_ZERO'; CREATE TABLE t (a text); \
        /*!50003 SET @saved_sql_mode = @@sql_mode */ ; \
        /*!50003 SET sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES' */ ;\nDELIMITER ;;\n\
        CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW SET NEW.a = '\\' ;;\nDELIMITER ;\n\
        /*!50003 SET sql_mode = @saved_sql_mode */ ; INSERT INTO t VALUES ('it\\'s;');";
    for cut in 0..dump.len() {
        let (collected, facts) = read(dump.as_bytes(), cut).unwrap();
        assert_eq!(collected.rows[0].1, "('it\\'s;')");
        assert_eq!(facts.left_out, [("trigger", "x".to_owned())]);
    }
    let dump =
        r"SET SQL_MODE='NO_BACKSLASH_ESCAPES'; INSERT INTO t VALUES ('a\'),('b;\'); SELECT 1;";
    for cut in 0..dump.len() {
        let (collected, _) = read(dump.as_bytes(), cut).unwrap();
        assert_eq!(collected.rows[0].1, r"('a\'),('b;\')");
    }
}

#[test]
fn a_foreign_key_to_another_database_is_left_out() {
    let key = |of: &str| format!("CONSTRAINT f FOREIGN KEY (a) REFERENCES {of}u (a)");
    let left_out = |use_it: &str, of: &str| {
        let dump = format!("{use_it} CREATE TABLE t (a int, {});", key(of));
        let mut tables = Tables::default();
        let mut reader = Reader::new(&mut tables, Databases::Single, Box::new(|_, _| true));
        reader.feed(dump.as_bytes()).unwrap();
        reader.finish().unwrap();
        let table = tables.0.remove(0);
        (table.foreign_keys.len(), table.left_out.len())
    };
    assert_eq!(left_out("", ""), (1, 0));
    assert_eq!(left_out("USE d;", "d."), (1, 0));
    assert_eq!(left_out("USE d;", "e."), (0, 1));
    assert_eq!(left_out("", "e."), (0, 1));
}

#[derive(Default)]
struct Tables(Vec<TableDefinition>);

impl Consumer for &mut Tables {
    fn table(&mut self, table: TableDefinition, _: &Facts) -> Result<()> {
        self.0.push(table);
        Ok(())
    }

    fn altered(&mut self, _: &TableDefinition, _: &Facts) -> Result<()> {
        Ok(())
    }

    fn rows(&mut self, _: RowChunk) -> Result<()> {
        Ok(())
    }

    fn converted(&mut self, _: Part, _: &Facts) -> Result<()> {
        Ok(())
    }
}

/// The names of the tables and how many keys they have, as they are passed on, with their rows.
#[derive(Default)]
struct Order(Vec<String>);

impl Consumer for Order {
    fn table(&mut self, table: TableDefinition, facts: &Facts) -> Result<()> {
        let follow = if facts.keys_follow { "+" } else { "" };
        self.0
            .push(format!("{} {}{follow}", table.name, table.keys.len()));
        Ok(())
    }

    fn altered(&mut self, table: &TableDefinition, facts: &Facts) -> Result<()> {
        let follow = if facts.keys_follow { "+" } else { "" };
        self.0
            .push(format!("then {} {}{follow}", table.name, table.keys.len()));
        Ok(())
    }

    fn rows(&mut self, rows: RowChunk) -> Result<()> {
        self.0.push(format!("rows of {}", rows.insert.table));
        Ok(())
    }

    fn converted(&mut self, _: Part, _: &Facts) -> Result<()> {
        Ok(())
    }

    fn dropped(&mut self, _: Option<&str>, table: &str) -> Result<()> {
        self.0.push(format!("no {table}"));
        Ok(())
    }
}

#[test]
fn tables_are_passed_on_before_their_rows_and_what_changes_them_later_at_the_end() {
    let (a, b) = (
        "CREATE TABLE a (x int);",
        "CREATE TABLE b (y bigint unsigned);",
    );
    let rows = |of: &str| format!("INSERT INTO {of} VALUES (1);");
    let key = |of: &str, column: &str| format!("ALTER TABLE {of} ADD KEY ({column});");
    for (dump, expected) in [
        (
            format!("{a}{}{b}{}{}", rows("a"), rows("b"), key("a", "x")),
            "a 0, rows of a, b 0+, rows of b, then b 0, then a 1",
        ),
        (
            format!("{a}{b}{}{}{}", key("a", "x"), rows("b"), key("a", "x")),
            "a 1, b 0+, rows of b, then b 0, then a 2",
        ),
        (
            format!("{a}{b}{}{}", key("b", "y"), key("a", "x")),
            "a 1, b 1",
        ),
        (
            format!(
                "{b}{}{}{}{}",
                rows("b"),
                key("b", "y"),
                rows("b"),
                key("b", "y")
            ),
            "b 0+, rows of b, then b 1+, rows of b, then b 2",
        ),
        (
            format!("-- MySQL dump 10\n{b}{}-- Dump completed", rows("b")),
            "b 0, rows of b",
        ),
        (
            format!("{a}{}{}DROP TABLE a;{a}", rows("a"), key("a", "x")),
            "a 0, rows of a, no a, a 0",
        ),
        (
            format!("{a}{b}DROP TABLE a;{}", rows("b")),
            "no a, b 0+, rows of b, then b 0",
        ),
    ] {
        let mut reader = Reader::new(Order::default(), Databases::Single, Box::new(|_, _| true));
        reader.feed(dump.as_bytes()).unwrap();
        let (Order(found), _) = reader.finish().unwrap();
        assert_eq!(found.join(", "), expected, "{dump}");
    }
}

#[test]
fn changes_of_other_tables_are_not_looked_at() {
    let create = "USE d; CREATE TABLE t (a int);";
    for (alter, expected) in [
        ("ALTER TABLE e.t ADD KEY (?);", "ok"),
        (
            "ALTER TABLE nobody ADD KEY (a);",
            "the dump holds a statement that is not understood: ALTER TABLE …",
        ),
        (
            "ALTER TABLE t ADD KEY (a), ADD FOREIGN KEY (a) REFERENCES e.u (b);",
            "ok",
        ),
        (
            "CREATE TABLE m (a int) ENGINE=MERGE; ALTER TABLE m ADD KEY (?);",
            "ok",
        ),
        (
            "SET sql_mode='HIGH_NOT_PRECEDENCE'; ALTER TABLE t ADD CHECK (NOT a);",
            "table t: its expressions have a NOT under HIGH_NOT_PRECEDENCE, which is not supported",
        ),
        (
            "INSERT INTO t VALUES (1); ALTER TABLE t ADD b int;",
            "table t: the dump adds a column after the rows: ALTER TABLE t ADD b int",
        ),
    ] {
        let mut tables = Tables::default();
        let mut reader = Reader::new(&mut tables, Databases::Single, Box::new(|_, _| true));
        let fed = reader.feed(format!("{create}{alter}").as_bytes());
        let done = fed.and_then(|()| reader.finish().map(drop));
        match done {
            Ok(()) => assert_eq!(expected, "ok", "{alter}"),
            Err(error) => {
                assert_eq!(
                    error.hint_text().is_some(),
                    expected.starts_with("table t: the dump")
                );
                let error = error.to_string();
                assert_eq!(error.split_once(": ").unwrap().1, expected, "{alter}");
            }
        }
    }
    assert_eq!(
        outcome("USE d; CREATE TABLE t (a int); USE e; ALTER TABLE d.t ADD KEY (a);"),
        "ok: "
    );
}

#[test]
fn the_ends_of_other_programs() {
    let settings = "/*!40101 SET @OLD_COLLATION_CONNECTION=@@COLLATION_CONNECTION */;";
    let restored = "/*!40101 SET COLLATION_CONNECTION=@OLD_COLLATION_CONNECTION */;";
    for (dump, expected) in [
        (
            format!("-- phpMyAdmin SQL Dump\n{settings}\n{restored}"),
            Ok(true),
        ),
        (
            format!("-- phpMyAdmin SQL Dump\n{settings}\nCOMMIT;"),
            Err("which restores settings"),
        ),
        ("-- phpMyAdmin SQL Dump\nCOMMIT;".to_owned(), Ok(false)),
        (
            "-- Dump created by MySQL pump utility, version: 5.7.29\n-- Dump end time: Thu"
                .to_owned(),
            Ok(true),
        ),
        (
            "-- Dump created by MySQL pump utility, version: 5.7.29\n".to_owned(),
            Err("\"-- Dump end time\", is missing"),
        ),
        ("SELECT 1;".to_owned(), Ok(false)),
    ] {
        let found = read(dump.as_bytes(), 0).map(|(_, facts)| facts.completed);
        match (found, expected) {
            (Ok(found), expected) => assert_eq!(Ok(found), expected, "{dump}"),
            (Err(error), Err(what)) => assert!(error.to_string().contains(what), "{error}"),
            (Err(error), Ok(_)) => panic!("{dump}: {error}"),
        }
    }
}
