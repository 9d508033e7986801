//! A dump of several databases: each goes to the schema with its name, all of them or none.

use std::fs;
use std::process::Command;

use mysql::prelude::Queryable;

use crate::support::compare::Comparison;
use crate::support::mysql_shop::Shop;
use crate::support::program::{Outcome, command, run};
use crate::support::scene::{Dialect, Scene, fixture_dump};
use crate::support::servers::{
    connect_mariadb, expect_success, mariadb, mariadb_program, new_mariadb_database,
    postgresql_programs,
};
use crate::support::state::{LiveState, State};

/// Two databases with tables, indexes, enums and foreign keys of the same names.
const SHOP: &str = "
    CREATE TABLE customers (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, kind enum('a','b') NOT NULL,
        name varchar(9) COLLATE utf8_bin, KEY by_name (name));
    CREATE TABLE posts (id int NOT NULL PRIMARY KEY, changed timestamp NULL ON UPDATE CURRENT_TIMESTAMP);
    CREATE TABLE orders (id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, customer int,
        is_paid tinyint(1) NOT NULL, KEY by_name (customer),
        CONSTRAINT of_customer FOREIGN KEY (customer) REFERENCES customers (id));
    CREATE VIEW paid AS SELECT * FROM orders WHERE is_paid;
    INSERT INTO customers VALUES (1, 'a', 'Ä'), (7, 'b', NULL);
    INSERT INTO orders VALUES (1, 1, 0), (2, 7, 1);";
const BLOG: &str = "
    CREATE TABLE customers (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, kind enum('x','y','z') NOT NULL,
        name text, KEY by_name (name(5)));
    CREATE TABLE posts (id int NOT NULL PRIMARY KEY, body longtext, likes tinyint(1) NOT NULL,
        changed timestamp NULL ON UPDATE CURRENT_TIMESTAMP);
    INSERT INTO customers VALUES (20, 'z', 'it''s');
    INSERT INTO posts VALUES (1, 'x', 7, NULL);";

struct Source {
    shop: String,
    blog: String,
}

impl Source {
    fn new() -> Source {
        let [shop, blog] = [SHOP, BLOG].map(|sql| {
            let name = new_mariadb_database();
            connect_mariadb(&name).query_drop(sql).unwrap();
            name
        });
        Source { shop, blog }
    }

    fn dump(&self, options: &[&str]) -> Vec<u8> {
        let mut program = mariadb_program("mariadb-dump");
        program.args(options).arg("--databases");
        expect_success(&program.args([&self.shop, &self.blog]).output().unwrap())
    }

    fn execute(&self, sql: &str) {
        connect_mariadb(&self.shop).query_drop(sql).unwrap();
    }

    /// Asserts that the tables of both are in the schemas of a target.
    #[track_caller]
    fn assert_same(&self, scene: &Scene) {
        for (name, tables) in [(&self.shop, 3), (&self.blog, 2)] {
            let mut comparison = Comparison {
                source: connect_mariadb(name),
                target: scene.connect(),
                schema: name,
                meant: &[],
                renamed: &[],
            };
            let found = comparison.all_tables();
            assert_eq!(found.differences, Vec::<String>::new());
            assert_eq!(found.tables, tables, "{name}");
        }
    }
}

fn write(scene: &Scene, dump: &[u8]) -> String {
    let file = scene.path("several.sql");
    fs::write(&file, dump).unwrap();
    file.to_str().unwrap().to_owned()
}

fn with_option(scene: &Scene, words: &[&str]) -> Command {
    let mut it = command(words);
    it.args(["--databases-to-schemas", "--database-url", &scene.url()]);
    it
}

fn import(scene: &Scene, dump: &[u8], options: &[&str]) -> Outcome {
    let file = write(scene, dump);
    run(with_option(scene, &[&file, "--verify", "full"]).args(options))
}

fn schemas(scene: &Scene) -> Vec<String> {
    scene.values(
        "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_|^information_schema$' ORDER BY 1",
    )
}

#[test]
fn each_database_goes_to_its_schema() {
    let source = Source::new();
    let (shop, blog) = (&source.shop, &source.blog);
    for options in [&[][..], &["--no-create-db", "--skip-extended-insert"]] {
        let scene = Scene::bare();
        let dump = source.dump(options);
        import(&scene, &dump, &[])
            .succeeds()
            .reports(&format!("in the schemas {shop}, {blog}"))
            .reports(&format!("{shop}.customers"))
            .reports(&format!(
                "{blog}.posts.likes: smallint instead of boolean: row 1"
            ))
            .reports("the view paid was left out");
        source.assert_same(&scene);
        assert_eq!(schemas(&scene), ["public", shop, blog]);
        let names = |schema: &str| {
            scene.values(&format!(
                "SELECT relname FROM pg_class WHERE relnamespace = '{schema}'::regnamespace
                   AND relkind IN ('i', 'S') ORDER BY 1"
            ))
        };
        let of_shop = [
            "by_name",
            "customers_id_seq",
            "customers_pkey",
            "orders_by_name",
            "orders_id_seq",
            "orders_pkey",
            "posts_pkey",
        ];
        assert_eq!(names(shop), of_shop);
        let of_blog = [
            "by_name",
            "customers_id_seq",
            "customers_pkey",
            "posts_pkey",
        ];
        assert_eq!(names(blog), of_blog);
        for (schema, next) in [(shop, "8"), (blog, "21")] {
            let insert = format!(
                "INSERT INTO {schema}.customers (kind) SELECT max(kind) FROM {schema}.customers RETURNING id"
            );
            assert_eq!(scene.value(&insert), next);
        }
        assert_eq!(
            scene.value(
                "SELECT confrelid::regclass::text FROM pg_constraint WHERE conname = 'of_customer'"
            ),
            format!("{shop}.customers")
        );
    }
}

#[test]
fn the_commands_beside_the_import_know_them() {
    let source = Source::new();
    let (shop, blog) = (&source.shop, &source.blog);
    let scene = Scene::bare();
    let dump = source.dump(&[]);
    import(&scene, &dump, &["--json"])
        .succeeds()
        .reports("\"schema\": null")
        .reports(&format!("\"schema\": \"{blog}\""));
    let file = write(&scene, &dump);
    let verify = || run(with_option(&scene, &["verify", &file]));
    verify()
        .succeeds()
        .reports(&format!("schemas {shop}, {blog}"))
        .reports("all agree");
    scene.execute(&format!("UPDATE {blog}.customers SET name = 'x'"));
    verify()
        .exits(1)
        .reports("rows differ from those of the archive");
    run(command(["inspect", &file]))
        .succeeds()
        .reports(&format!("{blog}.posts"))
        .reports(&format!("the dump holds several databases: {shop}, {blog}"));
    // What convert writes is the same.
    let other = Scene::bare();
    let out = other.path("out.sql");
    let mut convert = command(["convert", &file, "--databases-to-schemas", "-o"]);
    run(convert.arg(&out)).succeeds();
    let mut psql = Command::new(postgresql_programs().join("psql"));
    psql.args(["-qX", "-v", "ON_ERROR_STOP=1", "-d", &other.url(), "-f"]);
    expect_success(&psql.arg(&out).output().unwrap());
    source.assert_same(&other);
}

/// Each publish replaces the tables of all schemas, each rollback brings them back, whatever is where.
#[test]
fn they_are_replaced_and_come_back_together() {
    let source = Source::new();
    let (shop, blog) = (&source.shop, &source.blog);
    let scene = Scene::bare();
    let only_shop = {
        let mut program = mariadb_program("mariadb-dump");
        expect_success(&program.args(["--databases", shop]).output().unwrap())
    };
    import(&scene, &only_shop, &[]).succeeds();
    scene.execute(&format!("COMMENT ON TABLE {shop}.orders IS 'ours'"));
    let first = LiveState::of(&scene);
    source.execute("INSERT INTO orders VALUES (3, NULL, 1)");
    let dump = source.dump(&[]);
    import(&scene, &dump, &[])
        .exits(2)
        .says(&format!("the target already has a table {shop}.customers"));
    first.assert_same(&LiveState::of(&scene));
    assert_eq!(schemas(&scene), ["public", shop]);
    import(&scene, &dump, &["--replace"])
        .succeeds()
        .reports("3 tables, in the schema ci_import_previous.NAME");
    source.assert_same(&scene);
    assert_eq!(
        scene.value(&format!(
            "SELECT obj_description('{shop}.orders'::regclass)"
        )),
        "ours"
    );
    let second = LiveState::of(&scene);
    // The tables of the new schema go aside, with their types, and come again.
    let rollback = || run(scene.command(["rollback", "--yes"]));
    rollback().succeeds().reports(&format!(
        "back in {shop}, {blog}: {shop}.customers, {shop}.orders, {shop}.posts"
    ));
    let emptied = format!("DROP SCHEMA {blog}");
    scene.execute(&emptied);
    first.assert_same(&LiveState::of(&scene));
    scene.execute(&format!("CREATE SCHEMA {blog}"));
    rollback().succeeds();
    second.assert_same(&LiveState::of(&scene));
    rollback().succeeds();
    import(&scene, &dump, &["--replace"]).succeeds();
    second.assert_same(&LiveState::of(&scene));
    import(&scene, &dump, &["--replace"]).succeeds();
    second.assert_same(&LiveState::of(&scene));
    rollback().succeeds();
    second.assert_same(&LiveState::of(&scene));
    run(scene.command(["discard", "--yes"]))
        .succeeds()
        .reports(&format!("{blog}.posts"));
    second.assert_same(&LiveState::of(&scene));
    assert_eq!(schemas(&scene), ["public", shop, blog]);
}

#[test]
fn an_import_that_fails_or_is_killed_leaves_nothing() {
    let source = Source::new();
    let scene = Scene::bare();
    let before = State::of(&scene);
    let dump = source.dump(&[]);
    let cut = &dump[..dump.len() - 200];
    import(&scene, cut, &[]).exits(3);
    before.assert_same(&State::of(&scene));
    let file = write(&scene, &dump);
    for point in [
        "index built",
        "staged",
        "new tables in place",
        "to be committed",
    ] {
        let mut killed = with_option(&scene, &[&file]);
        let outcome = run(killed.env("CI_IMPORT_FAILPOINT", format!("kill:{point}")));
        assert_eq!(outcome.code, None, "{point}");
        let is_live = format!("SELECT to_regclass('{}.orders')::text", source.shop);
        assert_eq!(scene.value(&is_live), "~");
    }
    import(&scene, &dump, &[]).succeeds();
    source.assert_same(&scene);
    assert_eq!(schemas(&scene), ["public", &source.shop, &source.blog]);
}

/// Who holds a table of one schema keeps all from the publish; what is kept is published later.
#[test]
fn they_are_kept_together() {
    let source = Source::new();
    let scene = Scene::bare();
    let dump = source.dump(&[]);
    import(&scene, &dump, &[]).succeeds();
    source.execute("INSERT INTO orders VALUES (3, NULL, 1)");
    let before = LiveState::of(&scene);
    let mut holder = scene.connect();
    let mut transaction = holder.transaction().unwrap();
    let lock = format!("LOCK TABLE {}.posts IN ACCESS SHARE MODE", source.blog);
    transaction.batch_execute(&lock).unwrap();
    let dump = source.dump(&[]);
    import(&scene, &dump, &["--replace", "--wait-for-locks", "1"])
        .exits(4)
        .says("(posts), since");
    transaction.rollback().unwrap();
    let live = |scene: &Scene| {
        let all = format!("SELECT count(*)::text FROM {}.orders", source.shop);
        scene.value(&all)
    };
    assert_eq!(live(&scene), "2");
    run(scene.command(["publish", "--yes"]))
        .succeeds()
        .reports(&format!("{}.orders", source.shop));
    source.assert_same(&scene);
    assert_eq!(live(&scene), "3");
    run(scene.command(["rollback", "--yes"])).succeeds();
    before.assert_same(&LiveState::of(&scene));
}

#[test]
fn what_cannot_go_to_schemas_is_refused() {
    let source = Source::new();
    let scene = Scene::bare();
    let before = State::of(&scene);
    let dump = source.dump(&[]);
    let refused = |outcome: Outcome, what: &str| {
        outcome.exits(2).says(what);
        before.assert_same(&State::of(&scene));
    };
    refused(
        import(&scene, &dump, &["--schema", "x"]),
        "--schema x is not possible with --databases-to-schemas",
    );
    refused(
        import(&scene, b"CREATE TABLE t (id int);\n", &[]),
        "the dump does not say which database the table t is of",
    );
    refused(
        import(
            &scene,
            b"-- PostgreSQL database dump\nSET statement_timeout = 0;\n",
            &[],
        ),
        "--databases-to-schemas is only for dumps of MySQL",
    );
    for name in ["pg_stat", "ci_import_previous", "ci_import_staging.x"] {
        let dump = format!("CREATE TABLE `a`.t (id int);\nCREATE TABLE `{name}`.t (id int);\n");
        refused(
            import(&scene, dump.as_bytes(), &[]),
            &format!("the database {name} cannot have a schema with its name"),
        );
    }
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    let mut of_ci = scene.command([archive.to_str().unwrap(), "--mysql-to-postgresql"]);
    refused(
        run(of_ci.arg("--databases-to-schemas")),
        "an archive of GitLab CI holds one database",
    );
    let shop = Shop::new(&mariadb().directory, "");
    shop.import(&dump, &["--databases-to-schemas"])
        .exits(2)
        .says("the target is a MySQL server");
}

/// The files of mydumper do not name their database: their names do.
#[test]
fn a_folder_of_two_databases() {
    let source = Source::new();
    let scene = Scene::bare();
    let folder = scene.path("folder");
    let mut mydumper = Command::new("mydumper");
    mydumper.args(["--no-locks", "--user=root", "--regex"]);
    mydumper.arg(format!("^({}|{})\\.", source.shop, source.blog));
    mydumper.arg("--outputdir").arg(&folder);
    mydumper
        .arg("--socket")
        .arg(mariadb().directory.join("socket"));
    expect_success(&mydumper.output().unwrap());
    let folder = folder.to_str().unwrap();
    run(with_option(&scene, &[folder, "--verify", "full"])).succeeds();
    source.assert_same(&scene);
}

/// Qualified names count, with and without USE; the server's own databases are left out; a name that is too long is cut.
#[test]
fn names_of_databases() {
    let scene = Scene::bare();
    let long = "d".repeat(64);
    let dump = format!(
        "CREATE TABLE `a`.`t` (c int);\nINSERT INTO `a`.`t` VALUES (1);\nUSE `b`;\nCREATE TABLE t (c int);\n\
         INSERT INTO t VALUES (2);\nINSERT INTO a.t VALUES (3);\nINSERT INTO `t` VALUES (4);\n\
         CREATE TABLE `a.b`.`c` (c int);\nCREATE TABLE `a`.`b.c` (c int);\nINSERT INTO `a`.`b.c` VALUES (5);\n\
         CREATE DATABASE `mysql`;\nUSE `mysql`;\nCREATE TABLE user (Host char(60));\nINSERT INTO user VALUES ('x');\n\
         CREATE TABLE `{long}`.t (c int);\nINSERT INTO `{long}`.t VALUES (6);\nUSE b;\n\
         CREATE TABLE odd (c int);\nDROP TABLE odd;\nDROP TABLE IF EXISTS a.odd;\n\
         ALTER TABLE `a`.`t` ADD KEY k (c);\nALTER TABLE t ADD KEY k (c);\n"
    );
    import(&scene, dump.as_bytes(), &["--skip-table", "b.none"])
        .succeeds()
        .reports("the server's own database mysql was left out")
        .reports("b.odd: the dump drops this table again");
    let rows = |table: &str| scene.values(&format!("SELECT c FROM {table} ORDER BY 1"));
    assert_eq!(rows("a.t"), ["1", "3"]);
    assert_eq!(rows("b.t"), ["2", "4"]);
    assert_eq!(rows("a.\"b.c\""), ["5"]);
    assert_eq!(rows("\"a.b\".c"), [""; 0]);
    let cut = scene.value("SELECT nspname FROM pg_namespace WHERE nspname ~ '^ddd'");
    assert_eq!(cut.len(), 63);
    assert_eq!(rows(&format!("{cut}.t")), ["6"]);
    let keys = "SELECT count(*)::text FROM pg_class WHERE relname = 'k' AND relkind = 'i'";
    assert_eq!(scene.value(keys), "2");
    let skipped = Scene::bare();
    let options = ["--skip-table", "a.t", "--only-table", "t"];
    import(&skipped, dump.as_bytes(), &options).succeeds();
    assert_eq!(skipped.value("SELECT to_regclass('a.t')::text"), "~");
    assert_eq!(skipped.values("SELECT c FROM b.t ORDER BY 1"), ["2", "4"]);
}

/// What a file says of its database does not count for the next one.
#[test]
fn each_file_names_its_database() {
    let scene = Scene::bare();
    let [one, two] = ["one.sql", "two.sql"].map(|name| scene.path(name));
    let [first, second] = [&one, &two].map(|path| path.to_str().unwrap());
    let head = "-- MySQL dump 10.13\n";
    let end = "-- Dump completed\n";
    fs::write(
        &one,
        format!("{head}USE a;\nCREATE TABLE t (c int);\nINSERT INTO t VALUES (1);\n{end}"),
    )
    .unwrap();
    fs::write(&two, format!("{head}DROP TABLE IF EXISTS t;\nCREATE TABLE t (c int);\nINSERT INTO t VALUES (2);\n{end}")).unwrap();
    run(with_option(&scene, &[first, second]))
        .exits(2)
        .says("the dump does not say which database the table t is of");
    run(command([first, second, "--database-url", &scene.url()]))
        .exits(1)
        .says("a file drops the table t, which another file has filled");
    fs::write(
        &two,
        format!("{head}USE b;\nCREATE TABLE t (c int);\nINSERT INTO t VALUES (2);\n{end}"),
    )
    .unwrap();
    let rows = scene.path("rows.sql");
    fs::write(&rows, "INSERT INTO t VALUES (3);\n").unwrap();
    let rows = rows.to_str().unwrap();
    run(with_option(&scene, &[first, rows]))
        .exits(1)
        .says("the dump has rows of t, but not its definition");
    run(with_option(&scene, &[first, second])).succeeds();
    assert_eq!(
        scene.values("SELECT c FROM a.t UNION ALL SELECT c FROM b.t"),
        ["1", "2"]
    );
}

/// Whatever databases an import has and the next one has not, and whatever was dropped meanwhile.
#[test]
fn nothing_is_left_over() {
    let scene = Scene::bare();
    let table = |name: &str| {
        format!(
            "CREATE TABLE {name} (id int PRIMARY KEY, e enum('x','y'));\nINSERT INTO {name} VALUES (1, 'x');\n"
        )
    };
    // A database of which all tables are dropped again has no schema.
    let dropped = format!("{}{}DROP TABLE c.x;\n", table("a.t"), table("c.x"));
    let options = ["--enum", "type"];
    import(&scene, dropped.as_bytes(), &options).succeeds();
    assert_eq!(schemas(&scene), ["a", "public"]);
    let replace = |sql: &str| import(&scene, sql.as_bytes(), &["--enum", "type", "--replace"]);
    let rollback = || run(scene.command(["rollback", "--yes"]));
    // Types go aside with their tables.
    replace(&(table("a.t") + &table("a.n"))).succeeds();
    rollback()
        .succeeds()
        .reports("ci_import_previous.NAME, of the schema NAME now");
    replace(&table("a.n")).succeeds();
    // A type that another table has, too, stays with that.
    replace(&(table("a.t") + &table("a.m"))).succeeds();
    scene.execute("CREATE TABLE a.log (e a.m_e)");
    rollback().succeeds();
    let column = "SELECT atttypid::regtype::text FROM pg_attribute WHERE attrelid = 'a.log'::regclass AND attname = 'e'";
    assert_eq!(scene.value(column), "a.m_e");
    rollback().succeeds();
    assert_eq!(scene.values("SELECT e::text FROM a.m"), ["x"]);
    scene.execute("DROP TABLE a.log");
    // A schema that was dropped is made again.
    replace(&(table("a.t") + &table("b.t"))).succeeds();
    replace(&(table("a.t") + &table("b.t"))).succeeds();
    scene.execute("DROP SCHEMA b CASCADE");
    rollback().succeeds();
    assert_eq!(scene.values("SELECT e::text FROM b.t"), ["x"]);
    // Without the record, what belongs to it is told before anything is loaded.
    replace(&(table("a.t") + &table("b.t"))).succeeds();
    scene.execute("DROP SCHEMA ci_import_previous CASCADE");
    replace(&table("a.t"))
        .exits(4)
        .says("the target has a schema ci_import_previous.a that no record of an import of this user knows")
        .says("DROP SCHEMA \"ci_import_previous.a\" CASCADE");
}

/// Nothing goes to the schema public, so nobody needs rights there; columns are named with their databases.
#[test]
fn a_user_needs_rights_for_what_is_made() {
    let scene = Scene::bare();
    let user = format!("clerk_{}", scene.database);
    scene.execute(&format!(
        "CREATE ROLE {user} LOGIN; GRANT CREATE ON DATABASE {} TO {user}; REVOKE CREATE ON SCHEMA public FROM public",
        scene.database
    ));
    let file = write(
        &scene,
        b"CREATE TABLE a.t (c int, d int);\nCREATE TABLE b.t (c int, d int);\n",
    );
    let url = scene.url().replacen("postgres@", &format!("{user}@"), 1);
    run(command([
        &file,
        "--databases-to-schemas",
        "--skip-column",
        "a.t.d",
        "--database-url",
        &url,
    ]))
    .succeeds();
    let columns = "SELECT table_schema || '.' || column_name FROM information_schema.columns
                   WHERE table_schema IN ('a', 'b') ORDER BY 1";
    assert_eq!(scene.values(columns), ["a.c", "b.c", "b.d"]);
    scene.execute(&format!("DROP OWNED BY {user}; DROP ROLE {user}"));
}
