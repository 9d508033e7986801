//! Archives and dumps made by the real pg_dump: all values arrive, in whatever style they are written,
//! and nothing of a dump is executed.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::support::archives::gzip;
use crate::support::program::{Outcome, command, run, run_watched};
use crate::support::scene::{Dialect, Scene, TABLES, fixture_dump};
use crate::support::servers::{
    connect_postgresql, expect_success, new_postgresql_database, postgresql, postgresql_programs,
    postgresql_url,
};
use crate::support::state::State;

/// What hostile dumps here would write.
const WAS_HERE: &str = "/tmp/ci-import-was-here";

/// Values that readers of dumps trip over.
pub(crate) const AWKWARD: &str = r"
INSERT INTO ci_builds (id, project_id, name, trace, commands, coverage, finished_at, created_at, deploy) VALUES
  (1001, 1, E'\\.', E'\\.\n\\.\n', E'a\tb\\tc', 'NaN', 'infinity', '-infinity', NULL),
  (1002, 1, '', E'it''s \\ \\\\ \\'' \\n', E'\b\f\v\r\n\x01\x7f', 'Infinity', '0044-03-15 12:00:00 BC', '2015-10-01 00:00:00.123456', true),
  (1003, 1, '\N', 'NULL', '-- PostgreSQL database dump complete', '-Infinity', '294276-12-31 23:59:59', NULL, false),
  (1004, 1, '日本 🚀 é', E'$$ $x$ ; ); ('',(;', '\restrict x', 0.1, NULL, NULL, NULL),
  (1005, 1, 'x', repeat('long line ', 300000), repeat(E'\\''\t\n', 50000), 1e-300, NULL, NULL, NULL),
  (1006, 1, NULL, (SELECT string_agg(chr(n), '') FROM generate_series(1, 2000) n WHERE n < 127 OR n > 160), 'COPY t FROM stdin;', 1.0/3, NULL, NULL, NULL),
  (1007, 1, ' ', '/* -- */', E'\\copy x\n\\! id', 1.7976931348623157e308, NULL, NULL, NULL),
  (1008, 1, 'e', E'E\\''', '\x41', -0.0, NULL, NULL, NULL);
INSERT INTO ci_builds (id, project_id, name, trace) SELECT 2000 + n, n % 7, 'many ' || n, repeat(md5(n::text), 20) FROM generate_series(1, 2000) n;
SELECT setval('ci_builds_id_seq', 9000);
SELECT setval('ci_jobs_id_seq', 77, false);";

/// The database that dumps are taken from; nobody changes it.
fn source() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        let scene = Scene::gitlab();
        let archive = scene.pack(&fixture_dump(Dialect::Native));
        scene.import(&archive).succeeds();
        scene.connect().batch_execute(AWKWARD).unwrap();
        scene.into_database()
    })
}

/// What the real pg_dump writes of CI's tables in `database`, as GitLab CI called it.
pub(crate) fn pg_dump(database: &str, options: &[&str]) -> Vec<u8> {
    let mut command = Command::new(postgresql_programs().join("pg_dump"));
    command.arg("-h").arg(&postgresql().directory);
    command.args(["-U", "postgres", "--no-owner", "--clean"]);
    command.args(TABLES.map(|table| format!("--table={table}")));
    command.args(options.iter().filter(|option| option.starts_with("--")));
    if options.contains(&"standard_conforming_strings=off") {
        command.env("PGOPTIONS", "-c standard_conforming_strings=off");
    }
    expect_success(&command.arg(database).output().unwrap())
}

/// A dump as the servers of 2015 wrote it: names without schema, options of storage, no types of
/// sequences.
pub(crate) fn old_style(dump: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(dump.to_vec()).unwrap();
    let mut in_rows = false;
    let mut old = String::new();
    for line in text.split_inclusive('\n') {
        if in_rows {
            in_rows = line != "\\.\n";
            old += line;
            continue;
        }
        in_rows = line.starts_with("COPY ");
        if line.starts_with("SELECT pg_catalog.set_config('search_path'") {
            old += "SET search_path = public, pg_catalog;\nSET default_with_oids = false;\n";
        } else if line == ");\n" {
            old += ")\nWITH (oids = false);\n";
        } else if !line.starts_with("\\restrict ")
            && !line.starts_with("\\unrestrict ")
            && line != "    AS integer\n"
        {
            old += &line.replace("public.", "").replace("ONLY ", "");
        }
    }
    assert!(old.contains("WITH (oids = false)") && !old.contains("\nCREATE TABLE public."));
    old.into_bytes()
}

fn import_command(scene: &Scene, archive: &str) -> Command {
    let mut import = command([archive, "--yes", "--builds-path"]);
    // All 15 tables are looked at.
    import.arg(scene.builds());
    import.args(["--database-url", &postgresql_url(&scene.database)]);
    import
}

fn import(scene: &Scene, archive: &Path) -> Outcome {
    let mut import = import_command(scene, archive.to_str().unwrap());
    import.args(["--verify", "full"]);
    run(import)
}

fn import_piped(scene: &Scene, archive: &Path) -> Outcome {
    let mut import = import_command(scene, "-");
    let mut cat = Command::new("cat")
        .arg(archive)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    import.stdin(cat.stdout.take().unwrap());
    let outcome = run(import);
    cat.wait().unwrap();
    outcome
}

fn verify(scene: &Scene, archive: &Path) -> Outcome {
    let mut verify = command(["verify", archive.to_str().unwrap(), "--builds-path"]);
    verify.arg(scene.builds());
    verify.args(["--database-url", &postgresql_url(&scene.database)]);
    run(verify)
}

/// The rows of `table`, as the server writes them.
fn rows(database: &str, table: &str) -> Vec<u8> {
    let mut client = connect_postgresql(database);
    let sql = format!("COPY (SELECT * FROM {table} ORDER BY id) TO STDOUT");
    let mut rows = Vec::new();
    client
        .copy_out(&sql)
        .unwrap()
        .read_to_end(&mut rows)
        .unwrap();
    rows
}

/// The catalog as the real pg_dump sees it.
fn catalog(database: &str) -> Vec<String> {
    let dump = String::from_utf8(pg_dump(database, &["--schema-only"])).unwrap();
    let is_key = |line: &&str| line.starts_with("\\restrict") || line.starts_with("\\unrestrict");
    let lines = dump.lines().filter(|line| !is_key(line));
    lines.map(str::to_owned).collect()
}

#[track_caller]
fn assert_same_as_source(scene: &Scene, source: &str, what: &str) {
    for table in TABLES {
        let (expected, found) = (rows(source, table), rows(&scene.database, table));
        assert!(expected == found, "{what}: the rows of {table} differ");
        let sequence = format!("SELECT last_value + is_called::int FROM {table}_id_seq");
        let expected: i64 = connect_postgresql(source)
            .query_one(&sequence.replace("int FROM", "int::bigint FROM"), &[])
            .unwrap()
            .get(0);
        assert_eq!(
            scene.value(&sequence),
            expected.to_string(),
            "{what}: {table}"
        );
        let owned = scene.value(&format!("SELECT pg_get_serial_sequence('{table}', 'id')"));
        assert_eq!(owned, format!("public.{table}_id_seq"), "{what}");
    }
}

#[test]
fn every_style_arrives_whole() {
    let styles: [&[&str]; 7] = [
        &[],
        &["--inserts"],
        &["--column-inserts"],
        &["--rows-per-insert=100"],
        &[
            "--column-inserts",
            "--rows-per-insert=7",
            "--on-conflict-do-nothing",
        ],
        &["--inserts", "standard_conforming_strings=off"],
        &["standard_conforming_strings=off"],
    ];
    for style in styles {
        let scene = Scene::gitlab();
        let dump = pg_dump(source(), style);
        let has_inserts =
            String::from_utf8_lossy(&dump).contains("\nINSERT INTO public.ci_builds ");
        let asked = style.iter().any(|option| option.contains("insert"));
        assert_eq!(has_inserts, asked, "{style:?}");
        let archive = scene.pack(&dump);
        import(&scene, &archive)
            .succeeds()
            .reports("from pg_dump 1")
            .reports("no value was changed");
        let what = format!("{style:?}");
        assert_same_as_source(&scene, source(), &what);
        assert_eq!(catalog(source()), catalog(&scene.database), "{what}");
        verify(&scene, &archive).succeeds().reports("all agree");
    }
}

#[test]
fn old_dumps_and_pipes() {
    for options in [&[][..], &["--inserts"]] {
        let scene = Scene::gitlab();
        let archive = scene.pack(&old_style(&pg_dump(source(), options)));
        import_piped(&scene, &archive).succeeds();
        assert_same_as_source(&scene, source(), "old style");
        assert_eq!(catalog(source()), catalog(&scene.database));
        verify(&scene, &archive).succeeds().reports("all agree");
    }
}

#[test]
fn verify_finds_a_changed_value() {
    let scene = Scene::gitlab();
    let archive = scene.pack(&pg_dump(source(), &[]));
    import(&scene, &archive).succeeds();
    let changes = [
        (
            "ci_builds",
            "UPDATE ci_builds SET coverage = 0.10000000000000002 WHERE id = 1004",
        ),
        (
            "ci_builds",
            "UPDATE ci_builds SET commands = overlay(commands placing 'X' from 70000 for 1) WHERE id = 1005",
        ),
        (
            "ci_builds",
            "UPDATE ci_builds SET name = NULL WHERE id = 1002",
        ),
        (
            "ci_builds",
            "UPDATE ci_builds SET finished_at = '0044-03-15 12:00:00' WHERE id = 1002",
        ),
        (
            "ci_variables",
            "UPDATE ci_variables SET value = '' WHERE id = 1",
        ),
        (
            "ci_projects",
            "UPDATE ci_projects SET public = NOT public WHERE id = 1",
        ),
    ];
    for (table, sql) in changes {
        let undone = rows(&scene.database, table);
        let mut client = scene.connect();
        client
            .batch_execute(&format!("CREATE TABLE kept AS TABLE {table}"))
            .unwrap();
        assert_eq!(client.execute(sql, &[]).unwrap(), 1, "{sql}");
        let outcome = verify(&scene, &archive).exits(1);
        let lines: Vec<&str> = outcome
            .stdout
            .lines()
            .filter(|line| line.contains("DIFFER"))
            .collect();
        assert!(
            lines.len() == 1 && lines[0].starts_with(table),
            "{sql}: {lines:?}"
        );
        client
            .batch_execute(&format!(
                "DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept; DROP TABLE kept"
            ))
            .unwrap();
        assert!(undone == rows(&scene.database, table));
        verify(&scene, &archive).succeeds();
    }
}

/// The manual's troubleshooting case: a database that was converted by hand, whose sequences are
/// nobody's, so that pg_dump leaves them out.
#[test]
fn sequences_that_are_missing_are_made() {
    let database = new_postgresql_database();
    let whole = pg_dump(source(), &[]);
    let mut client = connect_postgresql(&database);
    let restore = Command::new(postgresql_programs().join("psql"))
        .arg("-h")
        .arg(&postgresql().directory)
        .args(["-U", "postgres", "-q", &database])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .and_then(|mut child| {
            std::io::Write::write_all(child.stdin.as_mut().unwrap(), &whole)?;
            drop(child.stdin.take());
            child.wait()
        });
    assert!(restore.unwrap().success());
    for table in TABLES {
        client
            .batch_execute(&format!(
                "ALTER SEQUENCE public.{table}_id_seq OWNED BY NONE"
            ))
            .unwrap();
    }
    let dump = pg_dump(&database, &[]);
    let text = String::from_utf8_lossy(&dump);
    assert!(!text.contains("CREATE SEQUENCE"));
    assert!(
        text.contains("id integer DEFAULT nextval('public.ci_builds_id_seq'::regclass) NOT NULL")
    );
    let scene = Scene::gitlab();
    let archive = scene.pack(&dump);
    import(&scene, &archive)
        .succeeds()
        .reports("ci_builds.id: the dump has no sequence ci_builds_id_seq; it was created");
    assert_eq!(catalog(source()), catalog(&scene.database));
    for table in TABLES {
        let next = scene.value(&format!("SELECT nextval('{table}_id_seq')"));
        let largest = format!("SELECT COALESCE(max(id), 0) + 1 FROM {table}");
        assert_eq!(next, scene.value(&largest), "{table}");
        assert!(
            rows(source(), table) == rows(&scene.database, table),
            "{table}"
        );
    }
    verify(&scene, &archive).succeeds();
}

#[test]
fn a_dump_cut_anywhere_leaves_the_old_state() {
    let scene = Scene::gitlab();
    let database = new_postgresql_database();
    let mut client = connect_postgresql(&database);
    client
        .batch_execute("CREATE TABLE ci_tags (id serial PRIMARY KEY, name varchar); INSERT INTO ci_tags (name) VALUES ('a'), ('b')")
        .unwrap();
    let mut command = Command::new(postgresql_programs().join("pg_dump"));
    command.arg("-h").arg(&postgresql().directory);
    let dump = expect_success(
        &command
            .args(["-U", "postgres", &database])
            .output()
            .unwrap(),
    );
    let complete = String::from_utf8_lossy(&dump)
        .find("dump complete")
        .unwrap();
    let before = State::of(&scene);
    let step = complete / 12;
    for cut in (100..complete).step_by(step).chain([complete + 12]) {
        let archive = scene.pack(&dump[..cut]);
        import(&scene, &archive)
            .exits(3)
            .says("db/database.sql.gz: the dump is truncated");
        import_piped(&scene, &archive).exits(3);
    }
    before.assert_same(&State::of(&scene));
    import(&scene, &scene.pack(&dump)).succeeds();
}

const HEAD: &str = "--\n-- PostgreSQL database dump\n--\n\n\
    CREATE TABLE public.ci_tags (\n    id integer NOT NULL,\n    name text\n);\n";
const TAIL: &str = "\n--\n-- PostgreSQL database dump complete\n--\n\n";

#[test]
fn what_runs_something_is_refused() {
    let scene = Scene::gitlab();
    let before = State::of(&scene);
    let cases = [
        (3, "\\! touch /tmp/ci-import-was-here\n"),
        (
            3,
            "\\copy ci_tags from program 'touch /tmp/ci-import-was-here'\n",
        ),
        (3, "\\restrict x\\! touch /tmp/ci-import-was-here\n"),
        (3, "SELECT 1 \\g |touch /tmp/ci-import-was-here\n"),
        (
            3,
            "COPY public.ci_tags FROM stdin;\n1\ta\n\\.\n\\! touch /tmp/ci-import-was-here\n",
        ),
        (
            3,
            "COPY public.ci_tags FROM PROGRAM 'touch /tmp/ci-import-was-here';\n",
        ),
        (3, "COPY public.ci_tags FROM '/etc/passwd';\n"),
        (
            3,
            "COPY public.ci_tags TO PROGRAM 'touch /tmp/ci-import-was-here';\n",
        ),
        (
            1,
            "DO $$BEGIN COPY tags TO '/tmp/ci-import-was-here'; END$$;\n",
        ),
        (1, "DELETE FROM tags;\n"),
        (1, "SELECT pg_catalog.pg_read_file('/etc/passwd');\n"),
        (
            1,
            "INSERT INTO public.ci_tags VALUES (1, pg_read_file('/etc/passwd'));\n",
        ),
        (
            1,
            "INSERT INTO public.ci_tags VALUES (1, 'a'), (2, (SELECT 'b'));\n",
        ),
        (
            1,
            "INSERT INTO public.ci_tags VALUES (1, 'a') RETURNING evil();\n",
        ),
        (1, "CREATE TABLE public.ci_jobs (a public.evil);\n"),
        (
            1,
            "CREATE TABLE public.ci_jobs (a int GENERATED ALWAYS AS (evil()) STORED);\n",
        ),
        (3, "CREATE TABLE public.users (a int);\n"),
        (4, "COPY public.ci_tags FROM stdin;\nx\ta\n\\.\n"),
        (4, "COPY public.ci_tags FROM stdin;\n1\n\\.\n"),
        (4, "COPY public.ci_tags FROM stdin;\n1\t\\xff\n\\.\n"),
    ];
    for (code, hostile) in cases {
        let archive = scene.pack(format!("{HEAD}{hostile}{TAIL}").as_bytes());
        let outcome = import(&scene, &archive);
        assert!(
            outcome.code == Some(code) || code == 4 && outcome.code == Some(1),
            "{hostile}: {}",
            outcome.whole()
        );
        assert!(!Path::new(WAS_HERE).exists(), "{hostile}");
    }
    before.assert_same(&State::of(&scene));
}

/// Definitions that would fill the memory.
#[test]
fn definitions_without_bounds() {
    let scene = Scene::gitlab();
    let columns: Vec<String> = (0..1601).map(|n| format!("c{n} int")).collect();
    let indexes = "CREATE INDEX i ON public.ci_tags USING btree (id);\n".repeat(200_000);
    let functions: String = (0..10_001)
        .map(|n| format!("CREATE FUNCTION f{n}() RETURNS int AS '';\n"))
        .collect();
    let cases = [
        (
            format!("CREATE TABLE public.ci_jobs ({});\n", columns.join(", ")),
            "has more than 1600 columns",
        ),
        (
            indexes,
            "have more than 3072 KiB, their limit with --memory 48",
        ),
        (functions, "has more than 10000 views"),
        (
            format!("SELECT '{}';\n", "x".repeat(17 << 20)),
            "a statement has more than 16 MiB",
        ),
        (
            format!("CREATE TABLE public.ci_jobs ({});\n", "a ".repeat(100_001)),
            "a definition has more than 100000 words",
        ),
    ];
    for (hostile, message) in cases {
        let archive = scene.pack(format!("{HEAD}{hostile}{TAIL}").as_bytes());
        let mut import = import_command(&scene, archive.to_str().unwrap());
        import.args(["--jobs", "2", "--memory", "48"]);
        let (outcome, peak) = run_watched(import);
        outcome.exits(3).says(message);
        assert!(peak < 160 << 20, "{message}: {} MiB", peak >> 20);
    }
}

#[test]
fn expressions_are_left_out_and_told() {
    let scene = Scene::gitlab();
    let more = "CREATE TYPE public.mood AS ENUM ('it''s', 'b');\nCREATE TYPE public.unused AS ENUM ();\n\
        CREATE TYPE public.composite AS (a text);\nCREATE TABLE public.ci_jobs (\n    id integer NOT NULL,\n    a text DEFAULT pg_read_file('/etc/passwd'::text),\n\
        b text DEFAULT ('x'::text || 'y'::text),\n    c character varying DEFAULT 'it''s; DROP TABLE tags; --'::character varying,\n\
        d numeric DEFAULT '-1'::integer,\n    e boolean DEFAULT true,\n    f timestamp without time zone DEFAULT now(),\n\
        g public.mood DEFAULT 'it''s'::public.mood NOT NULL,\n    h integer GENERATED ALWAYS AS ((id * 2)) STORED,\n\
        CONSTRAINT evil CHECK ((pg_read_file(a) IS NOT NULL)),\n    CONSTRAINT unknown CHECK ((other > 0)),\n\
        CONSTRAINT good CHECK (((c)::text = ANY ((ARRAY['it''s; DROP TABLE tags; --'::character varying, 'x'::character varying])::text[]))),\n\
        CONSTRAINT broken CHECK (((id >= 0) AND (id <> 7)))\n);\n\
        CREATE FUNCTION public.evil() RETURNS trigger LANGUAGE plpgsql AS $_$BEGIN; END;$_$;\n\
        CREATE VIEW public.v AS SELECT 1;\n\
        CREATE TRIGGER t BEFORE INSERT ON public.ci_jobs FOR EACH ROW EXECUTE FUNCTION public.evil();\n\
        ALTER TABLE public.ci_jobs OWNER TO somebody;\nGRANT ALL ON TABLE public.ci_jobs TO PUBLIC;\n\
        COMMENT ON COLUMN public.ci_jobs.a IS 'it''s';\n\
        COPY public.ci_jobs (id, a, g) FROM stdin;\n7\tx\tb\n\\.\n\
        CREATE INDEX i1 ON public.ci_jobs USING btree (evil(a));\n\
        CREATE INDEX i2 ON public.ci_jobs USING btree (a) WHERE (id > 1);\n\
        CREATE INDEX i3 ON public.ci_jobs USING btree (a varchar_pattern_ops, id DESC NULLS LAST);\n\
        CREATE INDEX i4 ON public.ci_jobs USING btree (lower(a), ((id + 1)) DESC);\n\
        CREATE INDEX i5 ON public.ci_jobs USING gin (to_tsvector('english'::regconfig, a));\n\
        CREATE INDEX i6 ON public.ci_jobs USING gin (to_tsvector('simple'::regconfig, COALESCE(a, ''::text)));\n\
        CREATE INDEX \"i\"\"; DROP TABLE tags\" ON public.ci_jobs USING btree (a);\n\
        ALTER TABLE ONLY public.ci_jobs ADD CONSTRAINT jobs_unique UNIQUE (id);\n";
    let archive = scene.pack(format!("{HEAD}{more}{TAIL}").as_bytes());
    import(&scene, &archive)
        .succeeds()
        .reports("ci_jobs.a: its default was left out")
        .reports("ci_jobs.b: its default was left out")
        .reports("ci_jobs.broken: CHECK left out: existing rows violate it")
        .reports("ci_jobs.evil: left out: the CHECK has unknown words")
        .reports("ci_jobs.unknown: left out: the CHECK has unknown words")
        .reports("ci_jobs.i1: the index is left out")
        .reports("ci_jobs.i2: the index is left out")
        .reports("ci_jobs.i5: the index is left out")
        .reports("unused: the type was left out")
        .reports("the type composite was left out")
        .reports("the function evil was left out")
        .reports("the view v was left out")
        .reports("the trigger t was left out")
        .reports("2 sequences have an owner now; 2 were created, 1 set");
    let defaults = scene.values(
        "SELECT a.attname, pg_get_expr(d.adbin, d.adrelid) FROM pg_attribute a
         JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
         WHERE a.attrelid = 'ci_jobs'::regclass ORDER BY 1",
    );
    let expected = [
        "c|'it''s; DROP TABLE tags; --'::character varying",
        "d|'-1'::integer",
        "e|true",
        "f|now()",
        "g|'it''s'::mood",
        "h|(id * 2)",
        // GitLab could not insert without it.
        "id|nextval('ci_jobs_id_seq'::regclass)",
    ];
    assert_eq!(defaults, expected);
    let indexes = scene
        .values("SELECT indexdef FROM pg_indexes WHERE tablename = 'ci_jobs' AND schemaname = 'public' ORDER BY indexname");
    assert_eq!(
        indexes,
        [
            "CREATE INDEX \"i\"\"; DROP TABLE tags\" ON public.ci_jobs USING btree (a)",
            "CREATE INDEX i3 ON public.ci_jobs USING btree (a varchar_pattern_ops, id DESC NULLS LAST)",
            "CREATE INDEX i4 ON public.ci_jobs USING btree (lower(a), ((id + 1)) DESC)",
            "CREATE INDEX i6 ON public.ci_jobs USING gin (to_tsvector('simple'::regconfig, COALESCE(a, ''::text)))",
            "CREATE UNIQUE INDEX jobs_unique ON public.ci_jobs USING btree (id)",
        ]
    );
    assert_eq!(
        scene.value("SELECT col_description('ci_jobs'::regclass, 2)"),
        "it's"
    );
    let checks = scene.values(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
         WHERE conrelid = 'ci_jobs'::regclass AND contype = 'c' ORDER BY 1",
    );
    // As it is after a restore by psql.
    let good = "good|CHECK (((c)::text = ANY (ARRAY[('it''s; DROP TABLE tags; --'::character varying)::text, ('x'::character varying)::text])))";
    assert_eq!(checks, [good]);
    assert_eq!(scene.value("SELECT g, h FROM ci_jobs"), "b|14");
    assert_eq!(scene.value("SELECT count(*) FROM tags"), "3");
}

#[test]
fn the_option_and_the_other_commands() {
    let scene = Scene::gitlab();
    let dump = pg_dump(source(), &[]);
    let archive = scene.pack(&dump);
    let before = State::of(&scene);
    scene
        .import(&archive)
        .exits(2)
        .says("the dump is one of PostgreSQL; there is nothing to convert")
        .says("without --mysql-to-postgresql");
    let path = archive.to_str().unwrap();
    run(command(["convert", path]))
        .exits(2)
        .says("there is nothing to convert");
    before.assert_same(&State::of(&scene));
    let inspected = run(command(["inspect", path, "--json"])).succeeds();
    let found: serde_json::Value = serde_json::from_str(&inspected.stdout).unwrap();
    assert_eq!(found["dialect"], "postgresql");
    assert_eq!(found["tables"].as_array().unwrap().len(), 15);
    assert_eq!(found["completed"], true);
    run(command(["inspect", path]))
        .succeeds()
        .reports("PostgreSQL");
    let mut check = command(["check", path, "--builds-path"]);
    check.arg(scene.builds());
    check.args(["--database-url", &postgresql_url(&scene.database)]);
    run(check).succeeds().reports("PostgreSQL, unchanged");
}

/// A plain dump of any tables, with types that CI does not have.
#[test]
fn other_types_in_a_plain_dump() {
    let database = new_postgresql_database();
    connect_postgresql(&database)
        .batch_execute(
            "CREATE TABLE kinds (id bigserial PRIMARY KEY, a smallint, b numeric(10,2), c numeric, d real,
               e char(5), f bytea, g bit(3), h json, i jsonb, j date, k timestamptz, l time, m interval,
               n uuid, o inet, p varchar(20), q money, r xml, s timestamp(3), t bit varying, \"Odd name\" \"char\");
             COMMENT ON TABLE kinds IS 'it''s'; COMMENT ON COLUMN kinds.a IS 'a\\b';
             INSERT INTO kinds VALUES (1, -5, 1.50, 'NaN', 0.1, 'ab', '\\x00ff5c', B'101', '{\"a\": 1}', '{\"b\": [1, null]}',
               '4000-01-01 BC', '2015-01-01 00:00:00+03', '23:59:59.5', '1 year -2 days 3:04:05', gen_random_uuid(),
               '10.0.0.0/8', 'x', '12.34', '<a/>', '2015-01-01 00:00:00.125', B'1', 'c'),
               (2, NULL, 1e7, 1e-20, 'Infinity', '', '', NULL, NULL, NULL, 'infinity', '-infinity', NULL, '-1 mon', NULL,
               '::1', '', NULL, NULL, NULL, NULL, NULL);
             CREATE TABLE other (id int GENERATED BY DEFAULT AS IDENTITY, kind bigint);
             INSERT INTO other (kind) VALUES (1), (2);
             ALTER TABLE other ADD PRIMARY KEY (id), ADD CONSTRAINT fk FOREIGN KEY (kind) REFERENCES kinds (id) ON DELETE CASCADE",
        )
        .unwrap();
    for options in [&[][..], &["--inserts"], &["--column-inserts"]] {
        let mut dump = Command::new(postgresql_programs().join("pg_dump"));
        dump.arg("-h")
            .arg(&postgresql().directory)
            .args(["-U", "postgres"]);
        let dump = expect_success(&dump.args(options).arg(&database).output().unwrap());
        let scene = Scene::bare();
        let file = scene.path("dump.sql.gz");
        fs::write(&file, gzip(&dump)).unwrap();
        let url = postgresql_url(&scene.database);
        let arguments = [file.to_str().unwrap(), "--database-url", &url];
        run(command(arguments.into_iter().chain(["--verify", "full"])))
            .succeeds()
            .reports("other.id: the identity column became");
        for table in ["kinds", "other"] {
            assert!(
                rows(&database, table) == rows(&scene.database, table),
                "{options:?}: {table}"
            );
        }
        run(command(["verify"].into_iter().chain(arguments))).succeeds();
        assert_eq!(
            scene.value("INSERT INTO other (kind) VALUES (1) RETURNING id"),
            "3"
        );
        assert_eq!(
            scene.value("SELECT obj_description('kinds'::regclass)"),
            "it's"
        );
        scene
            .connect()
            .batch_execute("DELETE FROM kinds WHERE id = 2")
            .unwrap();
        assert_eq!(scene.value("SELECT count(*) FROM other"), "2");
    }
}

#[test]
fn memory_is_bounded() {
    let line = |n: u32| format!("{n}\t{}\n", "some text \\\\ ".repeat(20));
    let tuple = |n: u32| format!("({n}, '{}')", "some text \\ ".repeat(20));
    let lines: String = (0..200_000).map(line).collect();
    let tuples: Vec<String> = (0..200_000).map(tuple).collect();
    let styles = [
        format!("COPY public.ci_tags (id, name) FROM stdin;\n{lines}\\.\n"),
        format!(
            "INSERT INTO public.ci_tags VALUES\n\t{};\n",
            tuples.join(",\n\t")
        ),
    ];
    for rows in styles {
        let scene = Scene::gitlab();
        let archive = scene.pack(format!("{HEAD}{rows}{TAIL}").as_bytes());
        let mut import = import_command(&scene, archive.to_str().unwrap());
        import.args(["--jobs", "2", "--memory", "48"]);
        let (outcome, peak) = run_watched(import);
        outcome.succeeds();
        assert!(peak < 64 << 20, "{} MiB", peak >> 20);
        assert_eq!(scene.value("SELECT count(*) FROM ci_tags"), "200000");
    }
}

/// All types that are not supported are named at once, with the tables that have them.
#[test]
fn all_unsupported_types_are_named() {
    let source = new_postgresql_database();
    connect_postgresql(&source)
        .batch_execute(
            "CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%'); CREATE TYPE pair AS (a int, b int);
             CREATE TABLE a (id int PRIMARY KEY, mail email, two pair, note text);
             CREATE TABLE b (id int, n int GENERATED ALWAYS AS (id * 2) STORED, mail email[] DEFAULT '{}', ok int);
             CREATE TABLE c (id int); CREATE TABLE d (pairs pair);
             INSERT INTO a VALUES (1, 'a@b', '(1,2)', 'x'); INSERT INTO c VALUES (7);",
        )
        .unwrap();
    let mut pg_dump = Command::new(postgresql_programs().join("pg_dump"));
    pg_dump.arg("-h").arg(&postgresql().directory);
    pg_dump.args(["-U", "postgres", "--no-owner", &source]);
    let dump = expect_success(&pg_dump.output().unwrap());
    let scene = Scene::bare();
    let file = scene.path("dump.sql");
    fs::write(&file, dump).unwrap();
    let file = file.to_str().unwrap();
    let import =
        |options: &[&str]| run(command([file, "--database-url", &scene.url()]).args(options));
    import(&[])
        .exits(1)
        .says(
            "4 columns have types that are not supported: a.mail: public.email, a.two: public.pair, \
             b.mail: public.email[], d.pairs: public.pair",
        )
        .says("hint: --skip-table a --skip-table b --skip-table d leaves the tables out");
    import(&["--skip-table", "a", "--skip-table", "b"])
        .exits(1)
        .says("column d.pairs: the type public.pair is not supported")
        .says("hint: --skip-table d leaves the table out");
    import(&[
        "--skip-table",
        "a",
        "--skip-table",
        "b",
        "--skip-table",
        "d",
    ])
    .succeeds();
    assert_eq!(scene.values("SELECT id::text FROM c"), ["7"]);
    run(command(["inspect", file]))
        .succeeds()
        .reports("a.mail: column a.mail: the type public.email is not supported")
        .reports("d.pairs: column d.pairs: the type public.pair is not supported");
}
