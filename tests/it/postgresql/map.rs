//! A mapping file: names, types, schemas and policies of single tables and columns.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::support::pages::page;
use crate::support::program::{Outcome, command, project, run};
use crate::support::scene::{Dialect, Scene, fixture_dump};
use crate::support::servers::{
    connect_mariadb, expect_success, mariadb_program, new_mariadb_database, postgresql_programs,
};
use mysql::prelude::Queryable;

const SOURCE: &str = "
    CREATE TABLE customers (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, token binary(16), born varchar(10),
        vip tinyint(1) NOT NULL, note blob, spent decimal(12,0), seen datetime(3), zero date, KEY by_token (token));
    CREATE TABLE orders (id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, `user` int NOT NULL,
        is_paid tinyint(1) NOT NULL, state enum('new','old'), data longtext, uid char(36),
        twice int AS (`user` * 2) STORED, changed timestamp NULL ON UPDATE CURRENT_TIMESTAMP, CHECK (`user` > 0),
        KEY by_user (`user`),
        CONSTRAINT of_user FOREIGN KEY (`user`) REFERENCES customers (id));
    CREATE TABLE logs (id int NOT NULL PRIMARY KEY, what text,
        CONSTRAINT of_customer FOREIGN KEY (id) REFERENCES customers (id));
    CREATE TABLE empty (a int);
    INSERT INTO customers VALUES
        (3, x'00112233445566778899aabbccddeeff', '1970-02-03', 2, 'Grüße', 77, '2020-01-02 03:04:05.678', '0000-00-00'),
        (9, NULL, NULL, 0, NULL, NULL, NULL, NULL);
    INSERT INTO orders (id, `user`, is_paid, state, data, uid) VALUES
        (5, 9, 1, 'new', '{\"a\": [1, null]}', '123e4567-e89b-12d3-a456-426655440000');
    INSERT INTO logs VALUES (3, 'x');";

const MAP: &str = r#"
[tables.customers]
name = "users"
zero-dates = "infinity"

[tables.customers.columns]
token = { type = "uuid" }
born = { type = "date", name = "date_of_birth" }
vip = { type = "boolean", tinyint1 = "truthy" }
note = { type = "text" }
spent = { type = "bigint" }
seen = { type = "timestamptz(3)" }

[tables.orders.columns.user]
name = "user_id"

[tables.orders.columns.is_paid]
name = "paid"
tinyint1 = "smallint"

[tables.orders.columns]
data = { type = "jsonb" }
uid = { type = "uuid" }
state = { enum = "type" }
changed = { on-update = "none" }

[tables.logs]
schema = "archive"

[tables.empty]
skip = true
"#;

/// A dump of the source, with a map beside it.
fn stage(scene: &Scene, map: &str) -> (String, String) {
    let database = new_mariadb_database();
    let mut source = connect_mariadb(&database);
    source
        .query_drop("SET sql_mode = 'ALLOW_INVALID_DATES'")
        .unwrap();
    source.query_drop(SOURCE).unwrap();
    let dump = expect_success(
        &mariadb_program("mariadb-dump")
            .args(["--hex-blob", &database])
            .output()
            .unwrap(),
    );
    (
        write(scene, "dump.sql", &dump),
        write(scene, "map.toml", map.as_bytes()),
    )
}

fn write(scene: &Scene, name: &str, content: &[u8]) -> String {
    let file = scene.path(name);
    fs::write(&file, content).unwrap();
    file.to_str().unwrap().to_owned()
}

fn import(scene: &Scene, dump: &str, map: &str, options: &[&str]) -> Outcome {
    let mut it = command([dump, "--database-url", &scene.url(), "--map", map]);
    it.args(["--verify", "full"]);
    run(it.args(options))
}

fn verify(scene: &Scene, dump: &str, map: &str, options: &[&str]) -> Outcome {
    let url = scene.url();
    run(command(["verify", dump, "--database-url", &url, "--map", map]).args(options))
}

/// The columns of the tables, with their types.
fn columns(scene: &Scene, schema: &str) -> Vec<String> {
    scene.values(&format!(
        "SELECT format('%s.%s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod))
           FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r'
          WHERE c.relnamespace = '{schema}'::regnamespace AND attnum > 0 ORDER BY c.relname, attnum"
    ))
}

const COLUMNS: [&str; 16] = [
    "orders.id bigint",
    "orders.user_id integer",
    "orders.paid smallint",
    "orders.state orders_state",
    "orders.data jsonb",
    "orders.uid uuid",
    "orders.twice integer",
    "orders.changed timestamp without time zone",
    "users.id integer",
    "users.token uuid",
    "users.date_of_birth date",
    "users.vip boolean",
    "users.note text",
    "users.spent bigint",
    "users.seen timestamp(3) with time zone",
    "users.zero date",
];

/// Asserts that the tables are as the map says, with the values of the source.
#[track_caller]
fn assert_mapped(scene: &Scene) {
    assert_eq!(columns(scene, "public"), COLUMNS);
    let row = "SELECT u::text FROM (SELECT id, token, date_of_birth, vip, note, spent,
        seen AT TIME ZONE 'UTC', zero FROM users) u ORDER BY id";
    assert_eq!(
        scene.values(row),
        [
            "(3,00112233-4455-6677-8899-aabbccddeeff,1970-02-03,t,Grüße,77,\"2020-01-02 03:04:05.678\",-infinity)",
            "(9,,,f,,,,)",
        ]
    );
    let row =
        "SELECT o::text FROM (SELECT id, user_id, paid, state, data, uid, twice FROM orders) o";
    assert_eq!(
        scene.values(row),
        ["(5,9,1,new,\"{\"\"a\"\": [1, null]}\",123e4567-e89b-12d3-a456-426655440000,18)"]
    );
    let keys = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contype IN ('f', 'c')
        AND conrelid = 'orders'::regclass ORDER BY 1";
    assert_eq!(
        scene.values(keys),
        [
            "CHECK ((user_id > 0))",
            "FOREIGN KEY (user_id) REFERENCES users(id)"
        ]
    );
    let index = "SELECT indexdef FROM pg_indexes WHERE indexname = 'by_user'";
    assert!(scene.value(index).ends_with("(user_id)"));
    assert_eq!(
        scene.value("SELECT count(*)::text FROM pg_trigger WHERE NOT tgisinternal"),
        "0"
    );
    assert_eq!(
        scene.value("SELECT pg_get_serial_sequence('users', 'id')"),
        "public.users_id_seq"
    );
}

#[test]
fn tables_and_columns_become_what_the_map_says() {
    let scene = Scene::bare();
    let (dump, map) = stage(&scene, MAP);
    import(&scene, &dump, &map, &[])
        .succeeds()
        .reports("users: the table was named customers")
        .reports("orders.user_id: the column was named user")
        .reports("users.token: uuid instead of bytea, as the map says")
        .reports("archive.logs.of_customer: foreign key left out: users is in another schema");
    assert_mapped(&scene);
    assert_eq!(
        columns(&scene, "archive"),
        ["logs.id integer", "logs.what text"]
    );
    assert_eq!(scene.value("SELECT what FROM archive.logs"), "x");

    verify(&scene, &dump, &map, &[]).succeeds();
    scene.execute("UPDATE archive.logs SET what = 'y'");
    verify(&scene, &dump, &map, &[])
        .exits(1)
        .reports("archive.logs");

    // Each schema is replaced, and comes back.
    import(&scene, &dump, &map, &[])
        .exits(2)
        .says("the target already has a table public.users");
    import(&scene, &dump, &map, &["--replace"]).succeeds();
    assert_eq!(scene.value("SELECT what FROM archive.logs"), "x");
    assert_mapped(&scene);
    run(command([
        "rollback",
        "--yes",
        "--database-url",
        &scene.url(),
    ]))
    .succeeds();
    assert_eq!(scene.value("SELECT what FROM archive.logs"), "y");
    assert_mapped(&scene);
}

#[test]
fn a_table_may_go_to_the_schema_of_the_others() {
    let scene = Scene::bare();
    let (dump, map) = stage(&scene, MAP);
    scene.execute("CREATE TABLE logs (id int)");
    let here = ["--schema", "archive"];
    import(&scene, &dump, &map, &here).succeeds();
    assert_eq!(columns(&scene, "public"), ["logs.id integer"]);
    assert_eq!(columns(&scene, "archive").len(), COLUMNS.len() + 2);
    let report = verify(&scene, &dump, &map, &here).succeeds();
    assert!(!report.stdout.contains("archive.logs"), "{}", report.stdout);
}

#[test]
fn what_depends_on_a_table_of_any_schema_is_refused() {
    let scene = Scene::bare();
    let (dump, map) = stage(&scene, MAP);
    import(&scene, &dump, &map, &[]).succeeds();
    for table in ["public.users", "archive.logs"] {
        scene.execute(&format!("CREATE VIEW v AS SELECT id FROM {table}"));
        import(&scene, &dump, &map, &["--replace"])
            .exits(4)
            .says("dependents that would be left behind: the view public.v");
        scene.execute("DROP VIEW v");
    }
    import(&scene, &dump, &map, &["--replace"]).succeeds();
}

#[test]
fn names_are_found_in_any_case_and_functions_stay() {
    let scene = Scene::bare();
    let sql = "CREATE TABLE t (Length int, Body varchar(9), KEY (LENGTH), CHECK (length > 0),
        CHECK (char_length(body) > 0 AND `Char_Length` > 0), char_length int);\n\
        INSERT INTO t (LENGTH, body, char_length) VALUES (3, 'abc', 3);\n";
    let dump = write(&scene, "dump.sql", sql.as_bytes());
    let map = "[tables.t.columns]\nlength = { name = 'size' }\nChar_length = { name = 'count' }\nBody = { name = 'text' }\n";
    let map = write(&scene, "map.toml", map.as_bytes());
    import(&scene, &dump, &map, &[]).succeeds();
    assert_eq!(
        columns(&scene, "public"),
        [
            "t.size integer",
            "t.text character varying(9)",
            "t.count integer"
        ]
    );
    let checks = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 't'::regclass ORDER BY 1";
    assert_eq!(
        scene.values(checks),
        [
            "CHECK (((char_length((text)::text) > 0) AND (count > 0)))",
            "CHECK ((size > 0))"
        ]
    );
}

#[test]
fn each_type_keeps_the_values_and_the_default() {
    let scene = Scene::bare();
    let sql = "CREATE TABLE t (a int DEFAULT 7, b decimal(5,2) DEFAULT 1.5, c char(3) DEFAULT 'x', d int DEFAULT 1,
        e longtext DEFAULT '{}' CHECK (json_valid(`e`)), f datetime DEFAULT '2020-01-01 00:00:00', g time, h float,
        i varchar(30));\n\
        INSERT INTO t VALUES (5, 2.50, 'ab', 0, '[1]', '0000-00-00 00:00:00', '25:00:00', 1e3, '2020-02-03 04:05:06'),
        (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);\n";
    let dump = write(&scene, "dump.sql", sql.as_bytes());
    let map = "[tables.t.columns]\na.type = 'numeric(12,2)'\nb.type = 'numeric'\nc.type = 'character varying'\n\
        d.type = 'boolean'\ne.type = 'jsonb'\nf.type = 'text'\ng.type = 'interval'\nh.type = 'numeric'\ni.type = 'timestamp'\n";
    let map = write(&scene, "map.toml", map.as_bytes());
    let report = import(&scene, &dump, &map, &[]).succeeds();
    assert!(!report.stdout.contains("left out"), "{}", report.stdout);
    scene.execute("INSERT INTO t DEFAULT VALUES");
    assert_eq!(
        scene.values("SELECT t::text FROM t"),
        [
            "(5.00,2.50,ab,f,[1],\"0000-00-00 00:00:00\",25:00:00,1000,\"2020-02-03 04:05:06\")",
            "(,,,,,,,,)",
            "(7.00,1.5,x,t,{},\"2020-01-01 00:00:00\",,,)",
        ]
    );
    verify(&scene, &dump, &map, &[]).exits(1).reports("t");
    scene.execute("DELETE FROM t WHERE a = 7");
    verify(&scene, &dump, &map, &[]).succeeds();
}

#[test]
fn convert_writes_what_the_map_says() {
    let scene = Scene::bare();
    let (dump, map) = stage(&scene, &MAP.replace("schema = \"archive\"", ""));
    let converted = scene.path("converted.sql");
    let converted = converted.to_str().unwrap();
    run(command(["convert", &dump, "--map", &map, "-o", converted])).succeeds();
    let mut psql = Command::new(postgresql_programs().join("psql"));
    psql.args(["-v", "ON_ERROR_STOP=1", "-qf", converted, &scene.url()]);
    expect_success(&psql.output().unwrap());
    scene.execute("DROP TABLE logs");
    assert_mapped(&scene);
}

#[test]
fn keys_that_come_after_the_rows_follow_the_map() {
    let scene = Scene::bare();
    let dump = "CREATE TABLE a (id int NOT NULL, b int);\nCREATE TABLE c (id int NOT NULL);\n\
        INSERT INTO a VALUES (1, 7);\nINSERT INTO c VALUES (7);\n\
        ALTER TABLE a ADD PRIMARY KEY (id), MODIFY id int NOT NULL AUTO_INCREMENT, AUTO_INCREMENT=5;\n\
        ALTER TABLE c ADD PRIMARY KEY (id);\n\
        ALTER TABLE a ADD CONSTRAINT f FOREIGN KEY (b) REFERENCES c (id);\n";
    let map = "[tables.a]\nname = 'x'\n[tables.a.columns.id]\nname = 'nr'\ntype = 'bigint'\n\
        [tables.c.columns.id]\nname = 'key'\n[tables.a.columns.b]\nname = 'of'\n";
    let (dump, map) = (
        write(&scene, "dump.sql", dump.as_bytes()),
        write(&scene, "map.toml", map.as_bytes()),
    );
    import(&scene, &dump, &map, &[]).succeeds();
    assert_eq!(
        columns(&scene, "public"),
        ["c.key integer", "x.nr bigint", "x.of integer"]
    );
    let keys = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contype IN ('p', 'f')
        AND connamespace = 'public'::regnamespace ORDER BY 1";
    assert_eq!(
        scene.values(keys),
        [
            "FOREIGN KEY (of) REFERENCES c(key)",
            "PRIMARY KEY (key)",
            "PRIMARY KEY (nr)"
        ]
    );
    assert_eq!(
        scene.value("INSERT INTO x (of) VALUES (7) RETURNING nr::text"),
        "5"
    );
}

#[test]
fn databases_get_other_schemas() {
    let scene = Scene::bare();
    let dump = "USE a;\nCREATE TABLE t (c int);\nINSERT INTO t VALUES (1);\nUSE b;\nCREATE TABLE t (c int);\n\
        INSERT INTO t VALUES (2);\nCREATE TABLE u (c int);\n";
    let map =
        "[databases.a]\nschema = 'x'\n[databases.b]\nschema = 'x'\n[tables.'b.t']\nname = 'v'\n";
    let (dump, map) = (
        write(&scene, "dump.sql", dump.as_bytes()),
        write(&scene, "map.toml", map.as_bytes()),
    );
    import(&scene, &dump, &map, &[])
        .exits(2)
        .says("its [databases] are for dumps of several databases");
    import(&scene, &dump, &map, &["--databases-to-schemas"]).succeeds();
    assert_eq!(
        columns(&scene, "x"),
        ["t.c integer", "u.c integer", "v.c integer"]
    );
    assert_eq!(scene.value("SELECT c::text FROM x.v"), "2");
}

#[test]
fn names_that_the_dump_does_not_have_are_told() {
    let scene = Scene::bare();
    let dump = write(
        &scene,
        "dump.sql",
        b"CREATE TABLE t (c int);\nCREATE TABLE s (c int);\n",
    );
    let map = "[tables.t.columns.d]\ntype = 'text'\n[tables.u]\nskip = true\n";
    let map = write(&scene, "map.toml", map.as_bytes());
    let words = [
        "--skip-table",
        "s",
        "--skip-table",
        "v",
        "--skip-column",
        "t.e",
        "--skip-column",
        "w.c",
    ];
    import(&scene, &dump, &map, &words)
        .succeeds()
        .reports("t: the map names a column d, which the table does not have")
        .reports("t: --skip-column names a column e, which the table does not have")
        .reports("u: the map names this table, which the dump does not have")
        .reports("v: --skip-table names this table, which the dump does not have")
        .reports("w: --skip-column names this table, which the dump does not have");
    let report = run(command([
        "convert",
        &dump,
        "--skip-table",
        "s",
        "-o",
        "/dev/null",
    ]))
    .succeeds();
    assert!(
        !report.whole().contains("does not have"),
        "{}",
        report.whole()
    );
}

#[test]
fn a_type_that_does_not_hold_all_values_is_refused() {
    let scene = Scene::bare();
    let sql = "CREATE TABLE t (a int, b varchar(20), c decimal(5,2), d datetime(6), e binary(8),
        f double, g int AS (a + 1) STORED, h date, i bit(3), j int AUTO_INCREMENT PRIMARY KEY);\nINSERT INTO t (a) VALUES (1);\n";
    let dump = write(&scene, "dump.sql", sql.as_bytes());
    for (column, wanted) in [
        ("a", "text"),
        ("b", "varchar(19)"),
        ("b", "bytea"),
        ("c", "numeric(5,1)"),
        ("c", "integer"),
        ("d", "timestamp(3)"),
        ("e", "uuid"),
        ("f", "real"),
        ("g", "bigint"),
        ("h", "timestamp"),
        ("i", "integer"),
        ("j", "numeric(20,0)"),
    ] {
        let map = format!("[tables.t.columns.{column}]\ntype = '{wanted}'\n");
        let map = write(&scene, "map.toml", map.as_bytes());
        import(&scene, &dump, &map, &[])
            .exits(2)
            .says(&format!("column t.{column}: "));
    }
    let map = write(&scene, "map.toml", b"[tables.t.columns.a]\nname = 'b'\n");
    import(&scene, &dump, &map, &[])
        .exits(2)
        .says("table t: the map gives two columns the name b");
}

#[test]
fn a_value_that_the_type_does_not_hold_is_an_error() {
    let scene = Scene::bare();
    let map = "[tables.t.columns.c]\ntype = 'uuid'\n[tables.t.columns.b]\ntype = 'smallint'\n";
    let map = write(&scene, "map.toml", map.as_bytes());
    for (column, values, expected) in [
        ("c varchar(40)", "('no-uuid')", "the value is no uuid"),
        (
            "c varbinary(16)",
            "(x'00')",
            "the value has not the 16 bytes of a UUID",
        ),
        (
            "b bigint",
            "(40000)",
            "the number is out of the range of smallint",
        ),
    ] {
        let sql = format!("CREATE TABLE t ({column});\nINSERT INTO t VALUES {values};\n");
        let dump = write(&scene, "dump.sql", sql.as_bytes());
        import(&scene, &dump, &map, &[]).exits(1).says(expected);
    }
    assert_eq!(columns(&scene, "public"), Vec::<String>::new());
}

#[test]
fn what_a_map_is_not_for_is_refused() {
    let scene = Scene::bare();
    let map = write(&scene, "map.toml", b"[tables.t]\nname = 'u'\n");
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    let archive = archive.to_str().unwrap();
    let (url, builds) = (scene.url(), scene.builds());
    let target = [
        "--database-url",
        &url,
        "--builds-path",
        builds.to_str().unwrap(),
    ];
    for words in [
        [&[archive, "--mysql-to-postgresql"], &target[..]].concat(),
        [&["verify", archive], &target[..]].concat(),
        vec!["convert", archive, "-o", "/dev/null"],
        [&["backup", "-o", "-"], &target[..]].concat(),
    ] {
        run(command(words).args(["--map", &map]))
            .exits(2)
            .says("--map is for dumps: the tables of GitLab CI are as GitLab needs them");
    }
    let dump = "--\n-- PostgreSQL database dump\n--\nCREATE TABLE public.t (c integer);\n";
    let dump = write(&scene, "dump.sql", dump.as_bytes());
    import(&scene, &dump, &map, &[])
        .exits(2)
        .says("--map is only for dumps of MySQL and MariaDB");
    let bad = write(&scene, "bad.toml", b"[tables.t]\nnames = 'u'\n");
    import(&scene, &dump, &bad, &[])
        .exits(2)
        .says("bad.toml: tables.t: the key \"names\" is not known");
    import(&scene, &dump, "/nowhere/map.toml", &[])
        .exits(2)
        .says("cannot read it");
    let local = write(&scene, "local.toml", b"[tables.t]\ntimestamps = 'local'\n");
    run(command(["convert", &dump, "-o", "/dev/null", "--map", &local]).env("TZ", "No/Where"))
        .exits(2)
        .says("the time zone of this machine (TZ=\"No/Where\") is not known");
    run(command([
        "inspect",
        &dump,
        "--suggest",
        "--json",
        "-o",
        "-",
    ]))
    .exits(2)
    .says("cannot be used with");
}

#[test]
fn inspect_writes_the_map_that_a_dump_needs() {
    let scene = Scene::bare();
    let sql =
        b"SET NAMES utf8mb4;\nCREATE TABLE t (a date, b time, `c \"d` text, e xmltype, f date);\n\
        INSERT INTO t VALUES ('2023-02-30', '25:00:00', '\xff', 1, '2023-02-28');\n";
    let dump = write(&scene, "dump.sql", sql);
    let map = scene.path("map.toml");
    let map = map.to_str().unwrap();
    let inspect = |output: &str| run(command(["inspect", &dump, "--suggest", "-o", output]));
    inspect(map).succeeds().says("--map");
    let written = fs::read_to_string(map).unwrap();
    assert!(!written.contains("columns.\"f\""), "{written}");
    inspect(map).exits(2).says("exists already");
    let shown = inspect("-").succeeds();
    assert_eq!(shown.stdout, written);
    import(&scene, &dump, map, &[]).succeeds();
    let row = "SELECT t::text FROM t";
    assert_eq!(scene.value(row), "(,25:00:00,\u{fffd},2023-02-28)");
    let archive = project().join("fixtures/1443700800_gitlab_ci_backup.tar");
    run(command([
        "inspect",
        archive.to_str().unwrap(),
        "--suggest",
        "-o",
        "-",
    ]))
    .exits(2)
    .says("a mapping file is for a dump");
}

#[test]
fn the_map_of_several_databases_names_their_schemas() {
    let scene = Scene::bare();
    let dump = "USE a;\nCREATE TABLE t (c date);\nINSERT INTO t VALUES ('2023-02-30');\nUSE b;\nCREATE TABLE t (c int);\n";
    let dump = write(&scene, "dump.sql", dump.as_bytes());
    let map = scene.path("map.toml");
    let map = map.to_str().unwrap();
    run(command(["inspect", &dump, "--suggest", "-o", map])).succeeds();
    import(&scene, &dump, map, &["--databases-to-schemas"]).succeeds();
    assert_eq!(
        scene.value("SELECT count(*)::text FROM a.t WHERE c IS NULL"),
        "1"
    );
}

#[test]
fn an_error_names_the_other_columns_that_need_a_policy() {
    let scene = Scene::bare();
    let sql = b"SET NAMES utf8mb4;\nCREATE TABLE t (a date, b time, c text, d date, e time);\n\
        INSERT INTO t VALUES ('2023-02-28', '25:00:00', 'x', '2023-01-01', '10:00:00'),\n\
        ('2023-02-30', '10:00:00', '\xff', '2023-01-01', '10:00:00');\n";
    let dump = write(&scene, "dump.sql", sql);
    let map = write(&scene, "map.toml", b"");
    import(&scene, &dump, &map, &[])
        .exits(1)
        .says("t row 1 (byte 112), column b: the value is not a time of day")
        .says(
            "these columns of the table need a policy, too: a (dates that no calendar has (--invalid-dates)), \
             c (texts not valid in their character set (--invalid-utf8))",
        );
    let report = run(command(["inspect", "--suggest", "--json", &dump])).succeeds();
    let report: Value = serde_json::from_str(&report.stdout).unwrap();
    assert_eq!(report["options"].as_array().unwrap().len(), 3);
}

#[test]
fn the_map_of_the_book_is_understood() {
    let scene = Scene::bare();
    let page = page("reference/mapping-file.md");
    let blocks = page.blocks();
    let [map] = &blocks
        .iter()
        .filter(|block| block.language == "toml")
        .map(|block| block.text)
        .collect::<Vec<_>>()[..]
    else {
        panic!("the page has one map");
    };
    let map = write(&scene, "map.toml", map.as_bytes());
    let sql = "CREATE TABLE orders (`user` int, token binary(16), is_paid tinyint(1), debug text, day date);\n\
        INSERT INTO orders VALUES (1, x'00112233445566778899aabbccddeeff', 2, 'x', '0000-00-00');\n\
        CREATE TABLE sessions (a int);\n";
    let dump = write(&scene, "dump.sql", sql.as_bytes());
    let report = import(&scene, &dump, &map, &[]).succeeds();
    assert!(
        !report.whole().contains("does not have"),
        "{}",
        report.whole()
    );
    assert_eq!(
        scene.value("SELECT o::text FROM sales.sales_orders o"),
        "(1,00112233-4455-6677-8899-aabbccddeeff,t,-infinity)"
    );
    assert_eq!(columns(&scene, "public"), Vec::<String>::new());
}
