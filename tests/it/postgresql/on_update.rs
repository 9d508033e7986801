//! `ON UPDATE CURRENT_TIMESTAMP`: a trigger does in PostgreSQL what MySQL does, and goes where its table goes.

use std::fs;
use std::path::Path;
use std::process::Command;

use postgres::Client;

use crate::support::other_versions::{VERSIONS, pg_dump_18};
use crate::support::program::{Outcome, command, run};
use crate::support::scene::{Dialect, Scene, fixture_dump};
use crate::support::servers::{
    connect_in, connect_postgresql, expect_success, new_database_in, new_postgresql_database,
    postgresql, postgresql_url, url_in,
};

const HEAD: &str = "-- MySQL dump 10.13  Distrib 8.0.32, for Linux (x86_64)\nSET NAMES utf8mb4;\n\
    SET TIME_ZONE='+00:00';\n";
const TAIL: &str = "-- Dump completed on 2026-01-01  0:00:00\n";

/// The name of a table that needs all quotes there are, and of a column.
const AWKWARD: &str = "it's \"a\\b\"; $$ END";

/// A table with all kinds of such columns, a type without an operator for equality, and a generated column.
fn definition(table: &str) -> String {
    format!(
        "CREATE TABLE `{table}` (id int NOT NULL, `{AWKWARD}` varchar(20),\n\
         u timestamp NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,\n\
         d datetime(3) DEFAULT NULL ON UPDATE CURRENT_TIMESTAMP(3),\n\
         s timestamp(6) NULL DEFAULT NULL ON UPDATE CURRENT_TIMESTAMP(6),\n\
         c datetime DEFAULT CURRENT_TIMESTAMP, j longtext CHECK (json_valid(`j`)), g int AS (id + 1) STORED, h int AS (id + 2) VIRTUAL,\n\
         PRIMARY KEY (id));\n\
         INSERT INTO `{table}` (id, `{AWKWARD}`, u, d, s, c, j) VALUES \
         (1,'x','2001-02-03 04:05:06','2001-02-03 04:05:06.789','2001-02-03 04:05:06.123456','2001-02-03 04:05:06','[1]'),\n\
         (2,NULL,NULL,NULL,NULL,NULL,NULL);\n"
    )
}

fn dump() -> String {
    format!("{HEAD}{}{}{TAIL}", definition("t"), definition(AWKWARD))
}

/// The same for a server of this version: before 12 there are no generated columns.
fn dump_for(major: usize) -> String {
    let generated = if major < 12 {
        ", g int AS (id + 1) STORED, h int AS (id + 2) VIRTUAL"
    } else {
        ""
    };
    dump().replace(generated, "")
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Updates of the first row, and what the columns `u`, `d` and `s` have then. A dot is the value of the dump, an
/// exclamation mark the current time.
const UPDATES: [(&str, &str); 8] = [
    ("$ = 'y'", "! ! !"),
    ("$ = $", ". . ."),
    ("j = j, id = id", ". . ."),
    ("j = '[2]'", "! ! !"),
    ("id = 7", "! ! !"),
    ("u = '2020-01-01'", "2020-01-01 00:00:00 ! !"),
    (
        "u = '2020-01-01', d = NULL, s = '2020-01-02', $ = 'y'",
        "2020-01-01 00:00:00 NULL 2020-01-02 00:00:00",
    ),
    ("c = NULL", "! ! !"),
];

/// The triggers of both tables do what MySQL does.
#[track_caller]
fn behaves(client: &mut Client, after: &str) {
    for table in ["t", AWKWARD].map(quoted) {
        // A datetime is in the time zone of the session.
        client.batch_execute("SET timezone = 'Asia/Tokyo'").unwrap();
        let loaded =
            format!("SELECT string_agg(concat_ws('|', id, u, d, s), ' ' ORDER BY id) FROM {table}");
        let loaded: String = client.query_one(&loaded, &[]).unwrap().get(0);
        let of_dump = "1|2001-02-03 04:05:06|2001-02-03 04:05:06.789|2001-02-03 04:05:06.123456 2";
        assert_eq!(loaded, of_dump, "{table} after {after}");
        let shown = |column: &str, now: &str, old: &str| {
            format!(
                "CASE WHEN {column} = {now} THEN '!' WHEN {column}::text = '{old}' THEN '.'
                 ELSE coalesce({column}::text, 'NULL') END"
            )
        };
        let columns = [
            shown("u", "timezone('UTC', now())", "2001-02-03 04:05:06"),
            shown(
                "d",
                "LOCALTIMESTAMP::timestamp(3)",
                "2001-02-03 04:05:06.789",
            ),
            shown("s", "timezone('UTC', now())", "2001-02-03 04:05:06.123456"),
        ];
        let look = format!(
            "SELECT concat_ws(' ', {}) FROM {table} WHERE id IN (1, 7)",
            columns.join(", ")
        );
        for (update, expected) in UPDATES {
            let update = update.replace('$', &quoted(AWKWARD));
            let mut transaction = client.transaction().unwrap();
            transaction
                .batch_execute(&format!("UPDATE {table} SET {update} WHERE id = 1"))
                .unwrap();
            let found: String = transaction.query_one(&look, &[]).unwrap().get(0);
            assert_eq!(found, expected, "{table}: {update} after {after}");
        }
        let mut transaction = client.transaction().unwrap();
        let has_generated = "SELECT current_setting('server_version_num')::int >= 120000";
        if transaction.query_one(has_generated, &[]).unwrap().get(0) {
            let update = format!("UPDATE {table} SET id = 9 WHERE id = 2 RETURNING g, u IS NULL");
            let row = transaction.query_one(&update, &[]).unwrap();
            assert_eq!(
                (row.get(0), row.get(1)),
                (10, false),
                "{table} after {after}"
            );
        }
    }
}

/// The functions of users, each with its schema.
fn functions(client: &mut Client) -> Vec<String> {
    let sql = "SELECT format('%s.%s', n.nspname, p.proname) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
               WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 1";
    let rows = client.query(sql, &[]).unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

fn triggers(client: &mut Client) -> Vec<String> {
    let sql = "SELECT tgname::text FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1";
    let rows = client.query(sql, &[]).unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// Runs the program with `arguments`, which it gets before the file of `dump`.
fn with_dump(arguments: &[&str], dump: &[u8], url: &str) -> Outcome {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("dump.sql");
    fs::write(&file, dump).unwrap();
    let mut it = command(arguments);
    it.arg(&file).args(["--database-url", url]);
    run(it)
}

fn import(database: &str, dump: &[u8], options: &[&str]) -> Outcome {
    with_dump(
        &[&["--yes"], options].concat(),
        dump,
        &postgresql_url(database),
    )
}

fn psql(directory: &Path, database: &str, user: &str, sql: &[u8], options: &[&str]) {
    let work = tempfile::tempdir().unwrap();
    let file = work.path().join("it.sql");
    fs::write(&file, sql).unwrap();
    let mut psql = Command::new("psql");
    psql.arg("-h")
        .arg(directory)
        .args(["-U", user, "-X", "-q", "-d", database]);
    psql.args(options).arg("-f").arg(&file);
    let output = psql.output().unwrap();
    if !options.is_empty() {
        expect_success(&output);
    }
}

fn converted(dump: &[u8], options: &[&str]) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let (file, output) = (
        directory.path().join("dump.sql"),
        directory.path().join("out.sql"),
    );
    fs::write(&file, dump).unwrap();
    let mut convert = command(["convert"]);
    convert.arg(&file).arg("-o").arg(&output).args(options);
    run(convert).succeeds();
    fs::read(&output).unwrap()
}

#[test]
fn a_trigger_does_what_mysql_does_in_each_version() {
    for version in VERSIONS {
        let directory = &version.server().directory;
        let major = version.major();
        let dump = dump_for(major);
        let new = || {
            let database = new_database_in(directory);
            let url = url_in(directory, &database);
            (database, url)
        };
        let (database, url) = new();
        with_dump(&["--yes", "--verify", "full"], dump.as_bytes(), &url)
            .succeeds()
            .reports("t.u: ON UPDATE CURRENT_TIMESTAMP is the trigger t_on_update now");
        let mut client = connect_in(directory, &database).unwrap();
        behaves(&mut client, &format!("an import into {major}"));
        with_dump(&["verify"], dump.as_bytes(), &url)
            .succeeds()
            .reports("all agree");
        // What pg_dump makes of it is imported with the triggers; a virtual column is not supported there.
        for table in ["t", AWKWARD].map(quoted) {
            let drop = format!("ALTER TABLE {table} DROP COLUMN IF EXISTS h");
            client.batch_execute(&drop).unwrap();
        }
        let mut pg_dump = Command::new(pg_dump_18());
        pg_dump
            .arg("-h")
            .arg(directory)
            .args(["-U", "postgres", &database]);
        let dumped = expect_success(&pg_dump.output().unwrap());
        for (what, dump) in [
            ("pg_dump", dumped),
            ("convert", converted(dump.as_bytes(), &[])),
        ] {
            let (again, url) = new();
            with_dump(&["--yes"], &dump, &url).succeeds();
            let mut client = connect_in(directory, &again).unwrap();
            behaves(&mut client, &format!("an import of {what} into {major}"));
            let (without, url) = new();
            with_dump(&["--yes", "--on-update", "none"], &dump, &url)
                .succeeds()
                .reports("t.t_on_update: the trigger was left out: --on-update none");
            let mut client = connect_in(directory, &without).unwrap();
            assert_eq!(functions(&mut client), [""; 0], "{what}");
        }
        // `convert` loads, also in one transaction, and a second time.
        let (loaded, _) = new();
        for _ in 0..2 {
            let sql = converted(dump.as_bytes(), &[]);
            let options = ["-1", "-v", "ON_ERROR_STOP=1"];
            psql(directory, &loaded, "postgres", &sql, &options);
        }
        let mut client = connect_in(directory, &loaded).unwrap();
        behaves(&mut client, &format!("psql into {major}"));
    }
}

#[test]
fn it_goes_where_its_table_goes() {
    let database = new_postgresql_database();
    let mut client = connect_postgresql(&database);
    let url = postgresql_url(&database);
    let both = |schemas: &[&str]| {
        let names = [AWKWARD, "t"].map(|table| format!("{table}_on_update"));
        let pairs = schemas
            .iter()
            .flat_map(|schema| names.iter().map(move |name| format!("{schema}.{name}")));
        pairs.collect::<Vec<_>>()
    };
    let ours = |what: &str| {
        let mut it = command([what, "--yes", "--database-url", &url]);
        if what == "publish" {
            it.args(["--wait-for-locks", "30"]);
        }
        run(it).succeeds();
    };
    let replace = |options: &[&str]| {
        import(
            &database,
            dump().as_bytes(),
            &[&["--replace"], options].concat(),
        )
    };
    import(&database, dump().as_bytes(), &[]).succeeds();
    assert_eq!(functions(&mut client), both(&["public"]));
    for after in [
        "replace", "replace", "rollback", "rollback", "discard", "rollback",
    ] {
        match after {
            "replace" => _ = replace(&[]).succeeds(),
            "rollback" if functions(&mut client).len() == 2 => continue,
            what => ours(what),
        }
        let schemas: &[&str] = match after {
            "discard" => &["public"],
            _ => &["ci_import_previous", "public"],
        };
        assert_eq!(functions(&mut client), both(schemas), "after {after}");
        behaves(&mut client, after);
    }
    // Disabled ones stay disabled, and an import that is killed leaves nothing.
    client
        .batch_execute("ALTER TABLE t DISABLE TRIGGER t_on_update")
        .unwrap();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("dump.sql");
    fs::write(&file, dump()).unwrap();
    let mut killed = command(["--yes", "--replace", "--database-url", &url]);
    killed
        .arg(&file)
        .env("CI_IMPORT_FAILPOINT", "kill:trigger created");
    assert_eq!(run(killed).code, None);
    assert!(functions(&mut client).len() > 2);
    replace(&[]).succeeds();
    let state = "SELECT tgenabled::text FROM pg_trigger WHERE tgrelid = 't'::regclass AND tgname = 't_on_update'";
    let state: String = client.query_one(state, &[]).unwrap().get(0);
    assert_eq!(state, "D");
    client
        .batch_execute("ALTER TABLE t ENABLE TRIGGER t_on_update")
        .unwrap();
    behaves(&mut client, "an import after one that was killed");
    // What is kept has them, too.
    let mut holder = connect_postgresql(&database);
    let mut transaction = holder.transaction().unwrap();
    transaction
        .batch_execute("LOCK TABLE t IN ACCESS SHARE MODE")
        .unwrap();
    replace(&["--wait-for-locks", "1"]).exits(4).says("is kept");
    transaction.rollback().unwrap();
    ours("publish");
    behaves(&mut client, "publish");
    assert_eq!(
        functions(&mut client),
        both(&["ci_import_previous", "public"])
    );
    replace(&["--on-update", "none"])
        .succeeds()
        .reports("t.u: ON UPDATE CURRENT_TIMESTAMP left out");
    assert_eq!(functions(&mut client), both(&["ci_import_previous"]));
    ours("rollback");
    behaves(&mut client, "a rollback to triggers");
    assert_eq!(functions(&mut client), both(&["public"]));
    ours("rollback");
    ours("discard");
    assert_eq!(functions(&mut client), [""; 0]);
    assert_eq!(triggers(&mut client), [""; 0]);
}

#[test]
fn what_comes_after_the_rows_counts() {
    let dump = format!(
        "{HEAD}CREATE TABLE t (id int NOT NULL, u timestamp NULL, v datetime(6));\nINSERT INTO t VALUES (1,NULL,NULL);\n\
         ALTER TABLE t ADD PRIMARY KEY (id), MODIFY u timestamp NULL ON UPDATE CURRENT_TIMESTAMP;\n\
         ALTER TABLE t MODIFY v datetime(6) ON UPDATE CURRENT_TIMESTAMP(6);\n{TAIL}"
    );
    let database = new_postgresql_database();
    import(&database, dump.as_bytes(), &[])
        .succeeds()
        .reports("t.v: ON UPDATE CURRENT_TIMESTAMP is the trigger t_on_update now");
    let mut client = connect_postgresql(&database);
    let update = "UPDATE t SET id = 2 RETURNING u IS NOT NULL AND v IS NOT NULL";
    assert!(client.query_one(update, &[]).unwrap().get::<_, bool>(0));
}

#[test]
fn gitlab_sets_its_times_itself() {
    let scene = Scene::gitlab();
    let dump = String::from_utf8(fixture_dump(Dialect::Native)).unwrap();
    let column = "`updated_at` datetime DEFAULT NULL";
    assert!(dump.contains(column));
    let dump = dump.replace(column, &format!("{column} ON UPDATE CURRENT_TIMESTAMP"));
    let archive = scene.pack(dump.as_bytes());
    scene
        .import(&archive)
        .succeeds()
        .reports("ci_builds.updated_at: ON UPDATE CURRENT_TIMESTAMP left out");
    let mut client = scene.connect();
    assert_eq!(triggers(&mut client), [""; 0]);
    assert_eq!(functions(&mut client), [""; 0]);
}

#[test]
fn a_server_without_the_language_has_no_trigger() {
    let database = new_postgresql_database();
    let mut client = connect_postgresql(&database);
    client.batch_execute("DROP EXTENSION plpgsql").unwrap();
    import(&database, dump().as_bytes(), &[])
        .succeeds()
        .reports("t.t_on_update: the trigger was left out: cannot create the trigger t_on_update: language");
    assert_eq!(triggers(&mut client), [""; 0]);
}

/// What somebody else, or an admin, does with the functions and their names.
#[test]
fn code_of_others_does_not_run() {
    let database = new_postgresql_database();
    let mut client = connect_postgresql(&database);
    let evil = format!("evil_{database}");
    let function = |name: &str| {
        format!(
            "CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS
             'BEGIN RAISE EXCEPTION ''code of others''; END'"
        )
    };
    client
        .batch_execute(&format!(
            "CREATE ROLE {evil} LOGIN; GRANT CREATE ON SCHEMA public TO {evil}; SET ROLE {evil};
             {}; RESET ROLE",
            function("public.t_on_update")
        ))
        .unwrap();
    // A function of this name is there: ours has another one.
    import(&database, dump().as_bytes(), &[]).succeeds();
    behaves(&mut client, "an import beside a function of somebody else");
    let others = "public.t_on_update".to_owned();
    assert!(functions(&mut client).contains(&others));
    // Names that come first in somebody's search_path do not count.
    client
        .batch_execute(
            "CREATE SCHEMA evil; CREATE FUNCTION evil.timezone(text, timestamptz) RETURNS timestamp
             LANGUAGE sql AS $$SELECT '1999-01-01'::timestamp$$;
             CREATE FUNCTION evil.now() RETURNS timestamptz LANGUAGE sql AS $$SELECT '1999-01-01'::timestamptz$$;
             SET search_path = evil, pg_catalog; UPDATE public.t SET c = NULL WHERE id = 1; RESET search_path",
        )
        .unwrap();
    let set = "SELECT u > '2020-01-01' FROM t WHERE id = 1";
    assert!(client.query_one(set, &[]).unwrap().get::<_, bool>(0));
    client.batch_execute("DROP SCHEMA evil CASCADE").unwrap();
    // An owner of the table gets the function, too.
    client
        .batch_execute(&format!("ALTER TABLE t OWNER TO {evil}"))
        .unwrap();
    import(&database, dump().as_bytes(), &["--replace"]).succeeds();
    let owner = "SELECT pg_get_userbyid(p.proowner)::text FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
                 WHERE tgrelid = 't'::regclass AND tgname = 't_on_update'";
    let owner: String = client.query_one(owner, &[]).unwrap().get(0);
    assert_eq!(owner, evil);
    // A function that was changed, or that others use, is one that nobody may drop.
    let ours = "SELECT tgfoid::regproc::text FROM pg_trigger WHERE tgrelid = 't'::regclass AND tgname = 't_on_update'";
    let ours: String = client.query_one(ours, &[]).unwrap().get(0);
    let use_it = format!(
        "CREATE TABLE other (a int); CREATE TRIGGER x BEFORE UPDATE ON other FOR EACH ROW EXECUTE PROCEDURE {ours}()"
    );
    for (change, undo) in [
        (use_it, "DROP TABLE other".to_owned()),
        (function(&ours), String::new()),
    ] {
        client.batch_execute(&change).unwrap();
        import(&database, dump().as_bytes(), &["--replace"])
            .exits(4)
            .says("dependents that would be left behind: the trigger t_on_update of");
        client.batch_execute(&undo).unwrap();
    }
}

/// Who loads a converted dump, and goes on after errors, gets no trigger that calls the function of somebody else.
#[test]
fn a_converted_dump_calls_no_function_of_others() {
    let database = new_postgresql_database();
    let mut client = connect_postgresql(&database);
    let user = format!("loads_{database}");
    client
        .batch_execute(&format!(
            "CREATE ROLE {user} LOGIN; GRANT CREATE ON SCHEMA public TO {user};
             CREATE FUNCTION public.t_on_update() RETURNS trigger LANGUAGE plpgsql AS
             'BEGIN RAISE EXCEPTION ''code of others''; END'"
        ))
        .unwrap();
    let sql = converted(dump().as_bytes(), &[]);
    psql(&postgresql().directory, &database, &user, &sql, &[]);
    assert_eq!(triggers(&mut client), [format!("{AWKWARD}_on_update")]);
    let rows: i64 = client
        .query_one("SELECT count(*) FROM t", &[])
        .unwrap()
        .get(0);
    assert_eq!(rows, 2);
    let sql = String::from_utf8(converted(dump().as_bytes(), &["--on-update", "none"])).unwrap();
    assert!(
        !sql.contains("TRIGGER") && !sql.contains("FUNCTION"),
        "{sql}"
    );
}
