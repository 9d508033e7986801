//! The oldest and the newest PostgreSQL that is supported, and some between: as target, and as source of
//! dumps.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use mysql::prelude::Queryable;

use crate::archive::postgres_source::AWKWARD;
use crate::postgresql::values::all_values_arrived;
use crate::support::compare::Comparison;
use crate::support::other_versions::{VERSIONS, Version, pg_dump_18};
use crate::support::paused::Paused;
use crate::support::program::{Outcome, command, run};
use crate::support::scene::{Dialect, Scene, TABLES, fixture_dump, mysqldump};
use crate::support::servers::{
    connect_mariadb, expect_success, new_mariadb_database, postgresql_programs,
};
use crate::support::snapshot::Snapshot;
use crate::support::two_archives::TwoArchives;

fn gitlab_on(version: Version) -> Scene {
    Scene::gitlab_on(&version.server().directory)
}

/// The scene's command with the archive and `arguments`.
fn with_archive<const COUNT: usize>(
    scene: &Scene,
    archive: &Path,
    arguments: [&str; COUNT],
) -> Outcome {
    run(scene.command(arguments).arg(archive))
}

/// An import, and all that can be done before and after it.
fn lives_a_whole_life(version: Version) {
    let scene = gitlab_on(version);
    let number = scene.value("SHOW server_version");
    assert!(
        number.starts_with(&format!("{}.", version.major())),
        "{number}"
    );
    scene.execute(
        "ALTER TABLE ci_builds ALTER COLUMN status SET STATISTICS 500;
         ALTER TABLE ci_builds ALTER COLUMN status SET (n_distinct = -0.5);
         ALTER TABLE ci_builds ALTER COLUMN status SET STORAGE EXTERNAL",
    );
    let before = Snapshot::of(&scene);
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    with_archive(&scene, &archive, ["check", "--mysql-to-postgresql"])
        .succeeds()
        .reports(&format!("ok      PostgreSQL {number}"));
    let import = ["--mysql-to-postgresql", "--yes", "--verify", "full"];
    with_archive(&scene, &archive, import).succeeds();
    all_values_arrived(&scene);
    let set = "SELECT concat_ws(' ', attstattarget, (SELECT option_value FROM pg_options_to_table(attoptions)
                                                     WHERE option_name = 'n_distinct'), attstorage)
               FROM pg_attribute WHERE attrelid = 'ci_builds'::regclass AND attname = 'status'";
    assert_eq!(scene.value(set), "500 -0.5 e", "{number}");
    let after = Snapshot::of(&scene);
    with_archive(&scene, &archive, ["verify"])
        .succeeds()
        .reports("all agree")
        .reports("all merged");
    for expected in [&before, &after] {
        run(scene.command(["rollback", "--yes"])).succeeds();
        let now = Snapshot::of(&scene);
        assert_eq!(expected.difference(&now), "", "{number}");
    }
    for table in TABLES {
        let owned = scene.value(&format!("SELECT pg_get_serial_sequence('{table}', 'id')"));
        assert_eq!(owned, format!("public.{table}_id_seq"), "{number}");
        let next = format!("SELECT nextval('{table}_id_seq') > COALESCE(max(id), 0) FROM {table}");
        assert_eq!(scene.value(&next), "t", "{number}: {table}");
    }
    run(scene.command(["discard", "--yes"])).succeeds();
    assert_eq!(
        scene.values("SELECT 1 FROM pg_namespace WHERE nspname ~ '^ci_import'"),
        [""; 0]
    );
}

#[test]
fn an_archive_lives_a_whole_life_on_the_oldest() {
    lives_a_whole_life(Version::Other(10));
}

#[test]
fn an_archive_lives_a_whole_life_on_13() {
    lives_a_whole_life(Version::Other(13));
}

#[test]
fn an_archive_lives_a_whole_life_on_the_newest() {
    lives_a_whole_life(Version::Other(18));
}

/// The points of the publish at which it can be cut, and whether the import is live there.
const POINTS: [(&str, bool); 3] = [
    ("journal written", false),
    ("new directory in place", false),
    ("committed", true),
];

#[test]
fn a_cut_publish_is_recovered() {
    for version in VERSIONS.into_iter().filter(|v| *v != Version::Debian) {
        let mut both = TwoArchives::imported_into(gitlab_on(version));
        for (point, is_live) in POINTS {
            let killed = run(both
                .import_other()
                .env("CI_IMPORT_FAILPOINT", format!("kill:{point}")));
            assert_eq!(killed.code, None, "{}", killed.whole());
            if is_live {
                both.published();
            }
            both.recover();
            both.assert_whole(&format!("{point} on {version:?}"));
        }
    }
}

/// Types, keys, expressions and defaults that become SQL which has changed over the years.
const SHOP: &str = "
CREATE TABLE parts (
  id bigint unsigned NOT NULL AUTO_INCREMENT, name varchar(40) NOT NULL DEFAULT 'none', price decimal(10,2),
  amount int NOT NULL DEFAULT 1, total decimal(12,2) AS (price * amount) STORED, state enum('new','old') NOT NULL,
  data json, raw blob, made timestamp(3) NULL DEFAULT CURRENT_TIMESTAMP(3), day date NOT NULL, at time(2),
  flags bit(5), ok tinyint(1) NOT NULL DEFAULT 1, weight double, code char(8), number uuid, address inet6,
  PRIMARY KEY (id), UNIQUE KEY by_code (code), KEY by_name (name(10), amount), FULLTEXT KEY words (name),
  CONSTRAINT positive CHECK (amount >= 0)
) COMMENT 'what is sold';
CREATE TABLE sales (
  id int NOT NULL AUTO_INCREMENT PRIMARY KEY, part bigint unsigned, CONSTRAINT of_part FOREIGN KEY (part)
  REFERENCES parts (id) ON DELETE CASCADE
);
INSERT INTO parts (name, price, amount, state, data, raw, day, at, flags, weight, code, number, address) VALUES
  ('a', 1.25, 4, 'new', '{\"a\": [1, null]}', 0x00ff27, '2015-10-01', '12:34:56.78', b'10101', 0.1, 'x',
   '123e4567-e89b-12d3-a456-426614174000', '::1'),
  ('ü', NULL, 0, 'old', NULL, NULL, '0000-00-00', NULL, NULL, 1e300, NULL, NULL, NULL);
INSERT INTO sales (part) VALUES (1), (2), (NULL);";

#[test]
fn a_dump_of_many_types() {
    let source = new_mariadb_database();
    let mut client = connect_mariadb(&source);
    client.query_drop("SET sql_mode = ''").unwrap();
    for statement in SHOP.split_terminator(';') {
        client.query_drop(statement).unwrap();
    }
    let dump = mysqldump(&source, &[]);
    for version in VERSIONS {
        let scene = gitlab_on(version);
        let path = scene.path("shop.sql");
        fs::write(&path, &dump).unwrap();
        let shop = ["--schema", "public", "--database-url"];
        let import = |options: &[&str]| {
            let mut import = command([path.to_str().unwrap()]);
            run(import.args(options).args(shop).arg(scene.url()))
        };
        import(&["--verify", "full"]).succeeds();
        import(&["--replace", "--enum", "type", "--timestamps", "tz"]).succeeds();
        import(&["--replace"]).succeeds();
        run(command(["verify"]).arg(&path).args(shop).arg(scene.url()))
            .succeeds()
            .reports("all agree");
        let mut comparison = Comparison {
            source: connect_mariadb(&source),
            target: scene.connect(),
            schema: "public",
            meant: &[],
            renamed: &[],
        };
        let mut findings = crate::support::compare::Findings::default();
        for table in ["parts", "sales"] {
            comparison.table(table, &mut findings);
        }
        assert_eq!(findings.differences, [""; 0], "{version:?}");
        let next = "INSERT INTO parts (price, amount, state) VALUES (2, 3, 'old') RETURNING id";
        assert_eq!(scene.value(next), "3", "{version:?}");
    }
}

/// A virtual column is computed when it is read since version 18, stored since version 12, and ordinary before.
#[test]
fn virtual_columns_are_what_the_version_has() {
    let dump = "CREATE TABLE t (a int, b int GENERATED ALWAYS AS (`a` + 1) VIRTUAL, c int AS (`a` * 2) VIRTUAL, KEY c (c));\n\
                INSERT INTO t VALUES (1,2,2),(5,6,10);\n";
    for version in VERSIONS {
        let scene = gitlab_on(version);
        let path = scene.path("virtual.sql");
        fs::write(&path, dump).unwrap();
        let of = |verb: &[&str], options: &[&str]| {
            let mut command = command(verb);
            command.arg(&path).args(options);
            command.args(["--schema", "public", "--database-url"]);
            run(command.arg(scene.url())).succeeds()
        };
        let outcome = of(&[], &["--verify", "full"]);
        of(&["verify"], &[]);
        let kinds =
            "SELECT string_agg(coalesce(to_jsonb(a) ->> 'attgenerated', ''), ',' ORDER BY attnum)
                     FROM pg_attribute a WHERE attrelid = 'public.t'::regclass AND attnum > 1";
        // PostgreSQL has no indexes over virtual columns.
        let (expected, told) = match version.major() {
            ..12 => (",", "t.b: generated as `a` + 1, is an ordinary column now"),
            12..18 => ("s,s", "t.b: a virtual column, is stored"),
            _ => ("v,s", "t.c: a virtual column, is stored"),
        };
        assert_eq!(scene.value(kinds), expected, "{version:?}");
        assert!(outcome.stdout.contains(told), "{version:?}: {outcome:?}");
        let values = "SELECT string_agg(concat(a, ' ', b, ' ', c), ',' ORDER BY a) FROM public.t";
        assert_eq!(scene.value(values), "1 2 2,5 6 10", "{version:?}");
    }
}

/// What databases and roles may have set: sessions that stay must not be ended by it.
#[test]
fn limits_of_time_do_not_matter() {
    let limits = [
        "statement_timeout",
        "idle_in_transaction_session_timeout",
        "idle_session_timeout",
        "transaction_timeout",
    ];
    for version in VERSIONS {
        let scene = gitlab_on(version);
        let archive = scene.pack(&fixture_dump(Dialect::Native));
        let known = format!(
            "SELECT name FROM pg_settings WHERE name = ANY('{{{}}}')",
            limits.join(",")
        );
        for limit in scene.values(&known) {
            let sql = format!("ALTER DATABASE {} SET {limit} = '1s'", scene.database);
            scene.connect().batch_execute(&sql).unwrap();
        }
        let import = scene.import_command(archive.to_str().unwrap());
        let paused = Paused::at(import, "journal written");
        std::thread::sleep(Duration::from_millis(1500));
        paused.finish().succeeds();
    }
}

/// What pg_dump writes of constraints since they have names, and need not hold.
const NEW_CONSTRAINTS: &str = "
CREATE TABLE news (
  id integer GENERATED BY DEFAULT AS IDENTITY, a text CONSTRAINT must NOT NULL, b integer,
  c integer NOT NULL NO INHERIT, d text COMPRESSION pglz, PRIMARY KEY (id) INCLUDE (b));
INSERT INTO news (a, b, c) VALUES ('x', NULL, 1), ('y', 3, -4);
ALTER TABLE news ADD CONSTRAINT later NOT NULL b NOT VALID;
ALTER TABLE news ADD CONSTRAINT large CHECK (c > 0) NOT ENFORCED;
ALTER TABLE news ADD CONSTRAINT both_once UNIQUE NULLS NOT DISTINCT (a, b);
CREATE INDEX including ON news (c) INCLUDE (a);
CREATE TABLE refs (id serial PRIMARY KEY, n integer REFERENCES news (id) NOT ENFORCED);
INSERT INTO refs (n) VALUES (1), (99);";

#[test]
fn constraints_of_the_newest_come_into_all() {
    let newest = gitlab_on(Version::Other(18));
    let mut client = newest.connect();
    client.batch_execute(NEW_CONSTRAINTS).unwrap();
    let mut dump = Command::new(pg_dump_18());
    dump.arg("-h").arg(&newest.server).args(["-U", "postgres"]);
    dump.args(["--table=news", "--table=refs", &newest.database]);
    let dump = expect_success(&dump.output().unwrap());
    for version in VERSIONS {
        let scene = Scene::bare_on(&version.server().directory);
        let path = scene.path("news.sql");
        fs::write(&path, &dump).unwrap();
        let mut import = command([path.to_str().unwrap(), "--database-url", &scene.url()]);
        import.arg("--json");
        let report = run(import).succeeds().stdout;
        for named in ["later", "large", "both_once", "including"] {
            assert!(report.contains(named), "{named}: {report}");
        }
        for table in ["news", "refs"] {
            let same = rows(&newest, table) == rows(&scene, table);
            assert!(same, "{table} on {version:?}");
        }
        let not_null = "SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute
             WHERE attrelid = 'news'::regclass AND attnum > 0 AND attnotnull";
        assert_eq!(scene.value(not_null), "id a c", "{version:?}");
        let next = "INSERT INTO news (a, c) VALUES ('z', 5) RETURNING id";
        assert_eq!(scene.value(next), "3", "{version:?}");
    }
}

/// What `program`, a pg_dump, writes of CI's tables in the scene's database.
fn dump_of(scene: &Scene, program: &Path, options: &[&str]) -> Vec<u8> {
    let mut dump = Command::new(program);
    dump.arg("-h").arg(&scene.server);
    dump.args(["-U", "postgres", "--no-owner", "--clean"]);
    dump.args(TABLES.map(|table| format!("--table={table}")));
    expect_success(&dump.args(options).arg(&scene.database).output().unwrap())
}

/// The rows of `table` in the notation that all versions share.
fn rows(scene: &Scene, table: &str) -> Vec<u8> {
    let sql = format!("COPY (SELECT * FROM {table} ORDER BY id) TO STDOUT (FORMAT binary)");
    let mut rows = Vec::new();
    let mut client = scene.connect();
    let mut reader = client.copy_out(&sql).unwrap();
    reader.read_to_end(&mut rows).unwrap();
    rows
}

/// Dumps of `version`, by each pg_dump that can read it, come into Debian's and into itself.
fn is_a_source(version: Version) {
    let source = gitlab_on(version);
    let archive = source.pack(&fixture_dump(Dialect::Native));
    source.import(&archive).succeeds();
    source.connect().batch_execute(AWKWARD).unwrap();
    let mut programs: Vec<PathBuf> = vec![pg_dump_18()];
    if version.major() <= Version::Debian.major() {
        programs.push(postgresql_programs().join("pg_dump"));
    }
    for program in &programs {
        arrives_whole(&source, &dump_of(&source, program, &[]), Version::Debian);
        if version != Version::Debian {
            arrives_whole(&source, &dump_of(&source, program, &[]), version);
        }
    }
    let inserts = ["--inserts", "--rows-per-insert=100"];
    arrives_whole(&source, &dump_of(&source, &programs[0], &inserts), version);
}

/// A dump of `source` comes into `target` as it is.
#[track_caller]
fn arrives_whole(source: &Scene, dump: &[u8], target: Version) {
    let scene = gitlab_on(target);
    let archive = scene.pack(dump);
    with_archive(&scene, &archive, ["--yes", "--verify", "full"])
        .succeeds()
        .reports("no value was changed");
    for table in TABLES {
        let same = rows(source, table) == rows(&scene, table);
        assert!(same, "the rows of {table} differ");
        let next = format!("SELECT nextval('{table}_id_seq')");
        let expected = format!("SELECT last_value + is_called::int FROM {table}_id_seq");
        assert_eq!(source.value(&expected), scene.value(&next), "{table}");
    }
    with_archive(&scene, &archive, ["verify"])
        .succeeds()
        .reports("all agree");
}

#[test]
fn dumps_of_the_oldest() {
    is_a_source(Version::Other(10));
}

#[test]
fn dumps_of_13() {
    is_a_source(Version::Other(13));
}

#[test]
fn dumps_of_debians_by_a_newer_pg_dump() {
    is_a_source(Version::Debian);
}

#[test]
fn dumps_of_the_newest() {
    is_a_source(Version::Other(18));
}
