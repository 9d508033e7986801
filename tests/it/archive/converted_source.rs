//! Dumps that GitLab CI has converted itself: their values are those of MariaDB, their tables those of a
//! dump that was not converted, but for what the converter has lost.

use std::fs;
use std::process::Command;

use mysql::prelude::Queryable;

use crate::support::compare::Meant;
use crate::support::converter::converted;
use crate::support::program::{Outcome, command, run};
use crate::support::scene::{Dialect, Scene, TABLES, fixture_dump, mysqldump};
use crate::support::servers::{connect_mariadb, new_mariadb_database};
use crate::support::state::{State, pg_dump};
use crate::support::trees::same_tree;

/// What GitLab's own steps change, and a text that the converter has taken for a zero date.
pub(crate) const MEANT: [Meant; 2] = [
    ("ci_services", "type", |name| {
        name.map(|name| {
            let prefix: &[u8] = if name.starts_with(b"Ci::") {
                b""
            } else {
                b"Ci::"
            };
            [prefix, &name].concat()
        })
    }),
    ("ci_builds", "trace", |trace| {
        trace.filter(|text| text != b"0000-00-00 00:00:00")
    }),
];

/// What hostile dumps here would write.
const WAS_HERE: &str = "/tmp/ci-import-was-here-converted";

/// Tables with all that the converter does something to.
const SHOP: &str = "
CREATE TABLE owners (id int(11) NOT NULL AUTO_INCREMENT, name varchar(30) NOT NULL DEFAULT '', PRIMARY KEY (id));
INSERT INTO owners VALUES (1,'a'),(2,'b');
CREATE TABLE things (
  id int(10) unsigned NOT NULL AUTO_INCREMENT,
  owner_id int(11) DEFAULT NULL,
  code smallint(6) NOT NULL,
  port smallint(5) unsigned NOT NULL DEFAULT 80,
  views int(10) unsigned DEFAULT NULL,
  size bigint(20) NOT NULL DEFAULT 0,
  level tinyint(4) DEFAULT NULL,
  mid mediumint(8) unsigned DEFAULT NULL,
  ready tinyint(1) NOT NULL DEFAULT 1,
  maybe tinyint(1) DEFAULT NULL,
  state enum('new','it''s,b','c') DEFAULT 'new',
  made_at datetime NOT NULL,
  seen_at datetime NOT NULL DEFAULT '2015-01-01 00:00:00',
  gone_at datetime DEFAULT '2015-01-01 00:00:00',
  kept_at datetime DEFAULT NULL,
  day date DEFAULT NULL,
  price decimal(10,2) NOT NULL,
  ratio double DEFAULT NULL,
  weight float DEFAULT NULL,
  name varchar(60) NOT NULL DEFAULT '',
  title varchar(255) COLLATE utf8_bin DEFAULT NULL COMMENT 'a title',
  note text NOT NULL,
  body mediumtext,
  mark char(3) DEFAULT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY code_and_name (code, name),
  KEY by_owner (owner_id, made_at),
  FULLTEXT KEY words (name, note),
  CONSTRAINT things_owner FOREIGN KEY (owner_id) REFERENCES owners (id) ON DELETE CASCADE
);
INSERT INTO things VALUES
  (1, 1, -5, 65535, 4294967295, 9223372036854775807, -128, 16777215, 0, 1, 'it''s,b', '2015-10-01 12:00:00', '0999-01-01 00:00:00', NULL, NULL, '2015-02-28', -0.5, 1e-7, 3.5, 'n', 'Z\\\\', 'it''s', CONCAT(CHAR(26), ' \\\\Z \\\\x31 \"q\" \\n', CHAR(8), '日本 🚀'), 'ab'),
  (7, NULL, 1, 1, 0, -1, NULL, NULL, 1, NULL, NULL, '9999-12-31 23:59:59', '2015-01-01 00:00:00', '2015-01-01 00:00:00', '2015-03-29 02:30:00', '0000-00-00', 99999999.99, NULL, NULL, '', NULL, '', NULL, NULL);
CREATE TABLE nothing (id int(11) NOT NULL AUTO_INCREMENT, PRIMARY KEY (id));";

fn import(scene: &Scene, archive: &str, options: &[&str]) -> Outcome {
    let mut import = scene.command([archive, "--yes"]);
    import.args(options);
    run(import)
}

fn verify(scene: &Scene, archive: &str) -> Outcome {
    run(scene.command(["verify", archive]))
}

#[test]
fn an_archive_arrives_as_it_was_in_mysql() {
    let native = Scene::gitlab();
    native
        .import(&native.pack(&fixture_dump(Dialect::Compatible)))
        .succeeds();
    for (options, piped) in [
        (&["--verify", "full"][..], false),
        (&["--verify", "count", "--mysql-to-postgresql"], false),
        (&["--verify", "full"], true),
    ] {
        let scene = Scene::gitlab();
        let archive = scene.pack(&converted(&fixture_dump(Dialect::Compatible)));
        let archive = archive.to_str().unwrap();
        let outcome = if piped {
            let mut import = scene.command(["-", "--yes"]);
            import.args(options).stdin(fs::File::open(archive).unwrap());
            run(import)
        } else {
            import(&scene, archive, options)
        };
        outcome
            .succeeds()
            .reports("from db_converter, by which GitLab CI converts dumps of MySQL")
            .reports("ci_builds: lengths that the converter had doubled are as they were: status, name, stage")
            .reports("ci_tags: lengths that")
            .reports("ci_triggers: the converter's timestamps with time zone are without one, as in MySQL: deleted_at,")
            .reports("ci_jobs: restored defaults that the converter lost: active, build_branches, build_tags")
            .reports("ci_jobs.id: no column owned the converter's sequence; now the column owns it")
            .reports("all tables: GitLab CI's converter lost NUL characters");
        scene.assert_same_values(&MEANT);
        same_tree(&scene.source(), &scene.builds());
        let catalog = |scene| {
            pg_dump(
                scene,
                &["--schema-only", "--exclude-schema=ci_import_previous"],
            )
        };
        assert_eq!(catalog(&native), catalog(&scene));
        for table in TABLES {
            let owned = scene.value(&format!("SELECT pg_get_serial_sequence('{table}', 'id')"));
            assert_eq!(owned, format!("public.{table}_id_seq"));
            let next = scene.value(&format!("SELECT nextval('{table}_id_seq')"));
            let largest = format!("SELECT COALESCE(max(id), 0) + 1 FROM {table}");
            assert_eq!(next, scene.value(&largest), "{table}");
        }
        verify(&scene, archive).succeeds().reports("all agree");
        let change = "UPDATE ci_builds SET deploy = NOT deploy WHERE id = 2";
        assert_eq!(scene.connect().execute(change, &[]).unwrap(), 1);
        verify(&scene, archive).exits(1);
    }
}

/// A dump of the shop, native or converted, imported into a scene of its own.
fn shop(database: &str, options: &[&str], convert: impl Fn(&[u8]) -> Vec<u8>) -> (Scene, Outcome) {
    let scene = Scene::bare();
    let dump = mysqldump(database, &["--compatible=postgresql"]);
    let path = scene.path("shop.sql");
    fs::write(&path, convert(&dump)).unwrap();
    let mut import = command([path.to_str().unwrap(), "--database-url", &scene.url()]);
    import.args(["--verify", "full"]).args(options);
    (scene, run(import))
}

fn shop_database(sql: &str) -> String {
    let database = new_mariadb_database();
    connect_mariadb(&database).query_drop(sql).unwrap();
    database
}

/// As the servers of the converter's time wrote it.
fn with_quoted_defaults(dump: &[u8]) -> Vec<u8> {
    let mut dump = String::from_utf8(dump.to_vec()).unwrap();
    for number in ["0", "1", "80"] {
        dump = dump.replace(
            &format!("DEFAULT {number},"),
            &format!("DEFAULT '{number}',"),
        );
    }
    assert!(dump.contains("DEFAULT '80'"));
    dump.into_bytes()
}

#[track_caller]
fn same_as_mariadb(database: &str, scene: &Scene) {
    let findings = scene.assert_same_tables(database);
    assert_eq!((findings.tables, findings.rows), (3, 4));
}

#[test]
fn each_kind_of_column_and_key() {
    let database = shop_database(SHOP);
    let (native, outcome) = shop(&database, &[], <[u8]>::to_vec);
    outcome.succeeds();
    same_as_mariadb(&database, &native);
    for quoted in [false, true] {
        let (scene, outcome) = shop(&database, &[], |dump| {
            converted(&if quoted {
                with_quoted_defaults(dump)
            } else {
                dump.to_vec()
            })
        });
        let outcome = outcome
            .succeeds()
            .reports("things: NOT NULL, which the converter had dropped, is back: made_at, seen_at")
            .reports("things: numbers without sign in MySQL, which the converter had forgotten: id, port, views")
            .reports("things.things_name_note_idx: the converter lost the name of this index")
            .reports("things.things_owner_id_idx: the index was left out: the converter had added it")
            .reports("things.things_owner: the converter deferred the foreign key");
        assert_eq!(
            outcome
                .stdout
                .contains("things: restored defaults that the converter lost: ready"),
            !quoted
        );
        same_as_mariadb(&database, &scene);
        let catalog = |scene| pg_dump(scene, &["--schema-only"]);
        // The one name that the converter has lost.
        let found = catalog(&scene).replace("things_name_note_idx", "words");
        assert_eq!(sorted(&catalog(&native)), sorted(&found));
        for (table, next) in [("owners", "3"), ("things", "8"), ("nothing", "1")] {
            let sql = format!("SELECT nextval(pg_get_serial_sequence('{table}', 'id'))");
            assert_eq!(scene.value(&sql), next, "{table}");
        }
    }
}

/// What pg_dump says in order of the names is compared without regard to it.
fn sorted(dump: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = dump.lines().collect();
    lines.sort_unstable();
    lines
}

#[test]
fn tables_and_columns_are_left_out_with_what_comes_of_them_at_the_end() {
    let database = shop_database(SHOP);
    let options = ["--only-table", "things", "--skip-column", "things.code"];
    let (scene, outcome) = shop(&database, &options, converted);
    outcome
        .succeeds()
        .reports("things.things_owner: foreign key left out: there is no table owners")
        .reports("things.code_and_name: the index was left out");
    let tables = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace";
    assert_eq!(scene.values(tables), ["things"]);
    assert_eq!(
        scene.values("SELECT title FROM things ORDER BY id"),
        ["Z\\", "~"]
    );
}

/// The converter writes most names at the end without quotes, so that PostgreSQL takes them for others.
#[test]
fn names_with_capitals() {
    let sql =
        "CREATE TABLE `Shop` (`id` int(11) NOT NULL AUTO_INCREMENT, `Name` varchar(9) DEFAULT NULL,
                 PRIMARY KEY (`id`), KEY `By Name` (`Name`));
               INSERT INTO `Shop` VALUES (3,'x')";
    let (scene, outcome) = shop(&shop_database(sql), &[], converted);
    outcome.succeeds();
    let index = "SELECT indexdef FROM pg_indexes WHERE indexname = 'By Name'";
    assert_eq!(
        scene.value(index),
        "CREATE INDEX \"By Name\" ON public.\"Shop\" USING btree (\"Name\")"
    );
    assert_eq!(scene.value("SELECT nextval('\"Shop_id_seq\"')"), "4");
}

#[test]
fn zero_dates_that_became_null_are_zero_dates() {
    let sql = "CREATE TABLE t (id int(11) NOT NULL AUTO_INCREMENT, at datetime NOT NULL, PRIMARY KEY (id));
               INSERT INTO t VALUES (1,'2015-10-01 00:00:00'),(2,'0000-00-00 00:00:00')";
    let database = shop_database(sql);
    let dump = |dump: &[u8]| {
        let dump = converted(dump);
        assert!(String::from_utf8_lossy(&dump).contains("(2,NULL)"));
        dump
    };
    let (scene, outcome) = shop(&database, &[], dump);
    outcome
        .succeeds()
        .reports("t.at: 1 zero dates became NULL (rows 2)")
        .reports("t.at: NOT NULL left out, because of the zero dates");
    assert_eq!(
        scene.values("SELECT at FROM t ORDER BY id"),
        ["2015-10-01 00:00:00", "~"]
    );
    let (scene, outcome) = shop(&database, &["--zero-dates", "infinity"], dump);
    outcome.succeeds();
    assert_eq!(scene.value("SELECT at FROM t WHERE id = 2"), "-infinity");
    let null = scene
        .connect()
        .batch_execute("INSERT INTO t (at) VALUES (NULL)");
    assert!(null.is_err(), "NOT NULL is not back");
    let (_, outcome) = shop(&database, &["--zero-dates", "error"], dump);
    outcome.exits(1).says("t row 2");
}

#[test]
fn what_cannot_be_mended_is_an_error_and_changes_nothing() {
    let scene = Scene::gitlab();
    let before = State::of(&scene);
    let whole = String::from_utf8(converted(&fixture_dump(Dialect::Compatible))).unwrap();
    let fails = |dump: &str, code: i32, message: &str| {
        let archive = scene.pack(dump.as_bytes());
        import(&scene, archive.to_str().unwrap(), &[])
            .exits(code)
            .says(message);
        before.assert_same(&State::of(&scene));
    };
    let place = |text: &str| whole.find(text).unwrap();
    let saved = "COMMIT;\nSTART TRANSACTION;\n";
    for end in [
        place("INSERT INTO \"ci_tags\"") + 40,
        place("-- Post-data save"),
        place(saved) + "COMMIT;\n".len(),
        place("-- Indexes --"),
        whole.rfind("COMMIT;").unwrap(),
    ] {
        fails(&whole[..end], 3, "the dump is truncated at byte ");
    }
    // Made of a dump with a line for each row.
    let lost = whole.replacen(
        "INSERT INTO \"ci_tags\" VALUES (1,",
        "INSERT INTO \"ci_tags\" VALUES\n\n ! Unknown line in main body: (1,",
        1,
    );
    fails(&lost, 3, "could not convert a part of the dump");
    let odd = whole.replacen("VALUES (1,0,1,", "VALUES (1,2,1,", 1);
    fails(&odd, 1, "the number in a tinyint(1) is neither 0 nor 1");
    let other = "ALTER TABLE \"ci_tags\" ALTER COLUMN \"name\" TYPE boolean USING CAST(\"name\" as boolean);";
    let cast = whole.replacen(
        "-- Foreign keys --\n",
        &format!("-- Foreign keys --\n{other}\n"),
        1,
    );
    fails(
        &cast,
        1,
        "makes ci_tags.name a boolean, but it was not one in MySQL",
    );
    let _ = fs::remove_file(WAS_HERE);
    for hostile in [
        format!("COPY ci_tags TO PROGRAM 'touch {WAS_HERE}';"),
        format!("DO $$BEGIN EXECUTE 'COPY (SELECT 1) TO ''{WAS_HERE}'''; END$$;"),
        format!("\\! touch {WAS_HERE};\nSELECT 1;"),
        "DROP SCHEMA public CASCADE;".to_owned(),
        "SET standard_conforming_strings=on;".to_owned(),
        "INSERT INTO \"ci_tags\" SELECT * FROM tags;".to_owned(),
    ] {
        for before in [
            "DROP TABLE IF EXISTS \"ci_tags\"",
            "-- Typecasts --",
            "-- Indexes --",
        ] {
            let dump = whole.replacen(before, &format!("{hostile}\n{before}"), 1);
            fails(&dump, 1, "a statement that is not understood: ");
        }
    }
    assert!(!fs::exists(WAS_HERE).unwrap());
}

#[test]
fn it_is_named_before_an_import_and_can_be_written_anew() {
    let scene = Scene::gitlab();
    let dump = converted(&fixture_dump(Dialect::Compatible));
    let archive = scene.pack(&dump);
    let archive = archive.to_str().unwrap();
    for options in [&[][..], &["--mysql-to-postgresql"]] {
        let mut check = scene.command(["check", archive]);
        check.args(options);
        run(check)
            .succeeds()
            .reports("MySQL, converted by GitLab CI");
    }
    run(command(["inspect", archive]))
        .succeeds()
        .reports("dialect   MySQL, converted by GitLab CI")
        .reports("charset   utf8");
    let json = run(command(["inspect", archive, "--json"]))
        .succeeds()
        .stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["dialect"], "mysql-converted");
    assert_eq!(json["completed"], true);
    let (again, output) = (Scene::bare(), scene.path("again.sql"));
    let mut convert = command(["convert", scene.path("dump.sql").to_str().unwrap(), "-o"]);
    convert.arg(&output);
    run(convert)
        .succeeds()
        .says("ci_jobs: restored defaults that the converter lost");
    let mut psql = Command::new("psql");
    psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f"])
        .arg(&output)
        .arg(again.url());
    let loaded = psql.output().unwrap();
    assert!(loaded.status.success(), "{loaded:?}");
    again.assert_same_values(&MEANT[1..]);
}
