//! Tests of the reader.

use super::*;

#[derive(Default)]
struct Collected {
    definitions: Vec<Definition>,
    rows: Vec<(String, String, u64, u64, u64)>,
    ended: bool,
}

impl Consumer for Collected {
    fn definition(&mut self, definition: Definition) -> Result<()> {
        self.definitions.push(definition);
        Ok(())
    }

    fn rows(&mut self, rows: RowChunk) -> Result<()> {
        let text = String::from_utf8(rows.bytes).unwrap();
        let table = rows.insert.table.clone();
        self.rows
            .push((table, text, rows.offset, rows.first_row, rows.rows));
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        self.ended = true;
        Ok(())
    }
}

const DUMP: &str = "--\n-- PostgreSQL database dump\n--\n\n\\restrict Ab1\n\n\
    -- Dumped from database version 15.18\n-- Dumped by pg_dump version 17.1\n\n\
    SET client_encoding = 'UTF8';\nSET standard_conforming_strings = on;\n\
    SELECT pg_catalog.set_config('search_path', '', false);\n\
    DROP TABLE public.t;\n\
    CREATE TABLE public.t (\n    a integer NOT NULL,\n    b text DEFAULT 'x'::text\n);\n\
    CREATE VIEW public.v AS SELECT ';';\n\
    COPY public.t (a, b) FROM stdin;\n1\ta\\\\.\n2\t\\N\n\\.\n\n\
    INSERT INTO public.u VALUES (1, 'it''s\t\\');\nINSERT INTO public.u VALUES (2, NULL);\n\
    SELECT pg_catalog.setval('public.t_id_seq', 3, true);\n\
    --\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict Ab1\n\n";

fn read(dump: &[u8], cut: usize) -> Result<(Collected, Facts)> {
    let mut reader = Reader::new(Collected::default());
    reader.feed(&dump[..cut])?;
    reader.feed(&dump[cut..])?;
    reader.finish()
}

#[test]
fn events_are_the_same_wherever_the_blocks_are_cut() {
    let lines = DUMP.find("1\ta").unwrap() as u64;
    let tuple = DUMP.find("(1, 'it").unwrap() as u64;
    for cut in 0..=DUMP.len() {
        let (collected, facts) = read(DUMP.as_bytes(), cut).unwrap();
        let row =
            |table: &str, text: &str, offset| (table.to_owned(), text.to_owned(), offset, 1, 2);
        let expected = [
            row("t", "1\ta\\\\.\n2\t\\N\n", lines),
            row("u", "1\tit's\\t\\\\\n2\t\\N\n", tuple),
        ];
        assert_eq!(collected.rows, expected, "cut at {cut}");
        assert!(collected.ended);
        assert_eq!(collected.definitions.len(), 3, "cut at {cut}");
        let set = Definition::SetValue {
            sequence: "t_id_seq".to_owned(),
            next: 4,
        };
        assert_eq!(collected.definitions[2], set);
        assert_eq!(facts.written_by.as_deref(), Some("pg_dump 17.1"));
        assert_eq!(facts.server_version.as_deref(), Some("15.18"));
        assert_eq!(facts.left_out, [("view", "v".to_owned())]);
        assert_eq!(facts.bytes, DUMP.len() as u64);
        assert!(facts.completed);
    }
}

#[test]
fn a_dump_cut_anywhere_is_truncated() {
    let begin = DUMP.find(BEGIN).unwrap() + BEGIN.len() + 1;
    let complete = DUMP.find(COMPLETE).unwrap() + COMPLETE.len();
    for end in begin..complete {
        let error = read(&DUMP.as_bytes()[..end], 0)
            .err()
            .unwrap_or_else(|| panic!("a dump cut at byte {end} was taken for a whole one"));
        assert_eq!(error.kind(), crate::error::Kind::Archive, "{error}");
    }
    assert!(read(&DUMP.as_bytes()[..complete], 0).is_ok());
}

#[test]
fn a_converted_dump_is_known_and_has_an_end_of_its_own() {
    let dump = format!("-- {CONVERTED}1.2.3\n\nSET a = 1;\n\n-- {CONVERTED_COMPLETE}\n");
    let (_, facts) = read(dump.as_bytes(), 0).unwrap();
    assert_eq!(facts.written_by.as_deref(), Some("ci-import convert 1.2.3"));
    assert!(facts.completed);
    let begin = format!("-- {CONVERTED}1.2.3\n").len();
    let complete = dump.trim_end().len();
    for end in begin..complete {
        let error = read(&dump.as_bytes()[..end], 0)
            .err()
            .unwrap_or_else(|| panic!("a dump cut at byte {end} was taken for a whole one"));
        assert_eq!(error.kind(), crate::error::Kind::Archive, "{error}");
    }
    assert!(read(&dump.as_bytes()[..complete], 0).is_ok());
    // The end of another dump is not its end.
    let other = dump.replace(CONVERTED_COMPLETE, COMPLETE);
    assert!(read(other.as_bytes(), 0).is_err());
}

#[test]
fn large_rows_are_handed_on_in_chunks_of_whole_rows() {
    let line = format!("{}\n", "x".repeat(100_000));
    let dump = format!("COPY t (a) FROM stdin;\n{}\\.\n", line.repeat(20));
    let mut reader = Reader::new(Collected::default());
    for block in dump.as_bytes().chunks(65_536) {
        reader.feed(block).unwrap();
    }
    let (collected, _) = reader.finish().unwrap();
    assert!(collected.rows.len() > 4);
    let mut next = 1;
    for (_, text, offset, first_row, rows) in &collected.rows {
        assert_eq!(*first_row, next);
        next += rows;
        let offset = usize::try_from(*offset).unwrap();
        assert_eq!(&dump[offset..offset + text.len()], text);
    }
    assert_eq!(next, 21);
}

#[test]
fn what_might_change_data_or_run_something_is_refused() {
    for statement in [
        "UPDATE t SET a = 1",
        "DELETE FROM t",
        "TRUNCATE t",
        "DO $$BEGIN END$$",
        "DO 'BEGIN END'",
        "SELECT setval('s', 1, true) FROM evil()",
        "CALL f()",
        "SELECT evil()",
        "SELECT pg_catalog.setval('s', evil())",
        "COPY t FROM PROGRAM 'id'",
        "COPY t FROM '/etc/passwd'",
        "COPY t (a) TO PROGRAM 'id'",
        "COPY t FROM stdin WITH (FORMAT binary)",
        "COPY (SELECT 1) TO stdout",
        "INSERT INTO t SELECT 1",
        "INSERT INTO t DEFAULT VALUES",
        "INSERT INTO t VALUES (evil())",
        "INSERT INTO t VALUES (1) RETURNING evil()",
        "INSERT INTO t (a) VALUES (1, 2)",
        "WITH x AS (SELECT 1) INSERT INTO t VALUES (1)",
        "ALTER TABLE t DROP COLUMN a",
        "ALTER TABLE t ATTACH PARTITION u DEFAULT",
        "EXECUTE x",
        "LOAD 'x'",
        "ROLLBACK",
        "SET client_encoding = 'LATIN1'",
        "CREATE TEMP TABLE t (a int)",
    ] {
        let dump = format!("{statement};");
        for cut in [0, dump.len() / 2] {
            assert!(read(dump.as_bytes(), cut).is_err(), "{statement}");
        }
    }
}

#[test]
fn a_line_for_psql_may_only_name_a_database() {
    for (line, is_taken) in [
        ("\\connect shop", true),
        ("\\connect -reuse-previous=on \"dbname='a b'\"", true),
        ("\\connect shop host", false),
        ("\\connect `id`", false),
        ("\\c \\! id", false),
        (&format!("\\connect {}", "a".repeat(300)), false),
    ] {
        let dump = format!(
            "-- PostgreSQL database dump\n{line}\nCREATE TABLE t (a int);\n-- {COMPLETE}\n"
        );
        for cut in 0..=dump.len() {
            let mut reader = Reader::new(Collected::default());
            let (start, rest) = dump.as_bytes().split_at(cut);
            let read = reader
                .feed(start)
                .and_then(|()| reader.feed(rest))
                .and_then(|()| reader.finish());
            assert_eq!(read.is_ok(), is_taken, "{line} cut at {cut}");
        }
    }
}
