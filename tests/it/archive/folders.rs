//! Dumps that are folders: of the real mydumper, of `mysqldump --tab`, and as MySQL Shell writes them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use mysql::prelude::Queryable;

use crate::support::compare::Comparison;
use crate::support::program::{Outcome, command, project, run};
use crate::support::scene::load_into_mariadb;
use crate::support::servers::{
    connect_mariadb, connect_postgresql, expect_success, mariadb, new_mariadb_database,
    new_postgresql_database, postgresql_url,
};

/// Values that readers of lines and of SQL trip over.
const ROWS: &str = "
    CREATE TABLE `odd name` (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, s varchar(200), n decimal(9,2), b varbinary(100),
      t text CHARACTER SET latin1, d datetime, y bit(9), w varchar(9) CHARACTER SET ucs2 DEFAULT '中', UNIQUE KEY u (s))
      DEFAULT CHARSET=utf8mb4;
    INSERT INTO `odd name` (id, s, n, b, t, d, y) VALUES
      (1, 'it''s \\\\ \"q\"', 1.50, 0x00ff5c0a09, 'caf\u{e9}', '2026-01-02 03:04:05', b'100000001'),
      (2, NULL, NULL, NULL, NULL, NULL, NULL), (3, '\\\\N', -2, '', '', NULL, b'0'),
      (4, 'a\\tb\\nc\\rd\\0e\\Z', 0, 0x27, '%_\\\\%\\\\_', NULL, NULL), (5, '日本 🚀', 7, 0xc3a9, 'x', NULL, NULL);
    CREATE TABLE child (id int PRIMARY KEY, parent int, CONSTRAINT f FOREIGN KEY (parent) REFERENCES `odd name` (id));
    INSERT INTO child VALUES (1, 1), (2, NULL);
    CREATE TABLE empty (a int);
    CREATE VIEW seen AS SELECT id FROM child;";

fn source() -> String {
    let database = new_mariadb_database();
    let mut client = connect_mariadb(&database);
    for statement in ROWS.split(";\n") {
        client.query_drop(statement.trim_end_matches(';')).unwrap();
    }
    let many = "INSERT INTO child SELECT seq, 3 FROM seq_3_to_30000";
    client.query_drop(many).unwrap();
    database
}

/// A folder that the servers can write to.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    folder
}

fn import(folder: &Path, database: &str, options: &[&str]) -> Outcome {
    let mut import = command([folder.to_str().unwrap(), "--nul", "strip", "--database-url"]);
    run(import.arg(postgresql_url(database)).args(options))
}

/// Imports the folder, and compares what came of it.
fn arrives(folder: &Path, source: &str) {
    let database = new_postgresql_database();
    import(folder, &database, &["--verify", "full"])
        .succeeds()
        .reports("the view seen was left out");
    let meant = [("odd name", "s", without_nul as fn(_) -> _)];
    let mut comparison = Comparison {
        source: connect_mariadb(source),
        target: connect_postgresql(&database),
        schema: "public",
        meant: &meant,
        renamed: &[],
    };
    let findings = comparison.all_tables();
    assert_eq!(
        (findings.tables, findings.differences),
        (3, Vec::<String>::new())
    );
    assert!(findings.rows > 30_000);
    let mut verify = command([
        "verify",
        folder.to_str().unwrap(),
        "--nul",
        "strip",
        "--database-url",
    ]);
    run(verify.arg(postgresql_url(&database)))
        .succeeds()
        .reports("all agree");
    run(command(["inspect", folder.to_str().unwrap()]))
        .succeeds()
        .reports("odd name");
}

fn without_nul(value: Option<Vec<u8>>) -> Option<Vec<u8>> {
    value.map(|mut value| {
        value.retain(|byte| *byte != 0);
        value
    })
}

#[test]
fn of_mydumper() {
    let source = source();
    for options in [
        &[][..],
        &["--compress"],
        &["--rows=5000"],
        &["--statement-size=2000", "--no-backup-locks"],
    ] {
        let folder = folder();
        let mut mydumper = Command::new("mydumper");
        mydumper.args([
            "--no-locks",
            "--user=root",
            "--database",
            &source,
            "--threads=2",
            "--outputdir",
        ]);
        mydumper
            .arg(folder.path())
            .arg("--socket")
            .arg(mariadb().directory.join("socket"));
        expect_success(&mydumper.args(options).output().unwrap());
        arrives(folder.path(), &source);
    }
}

/// The rows of later versions of mydumper can be lines of values, which a statement in another file loads. Debian has no such
/// version: the folders are of mydumper 1.0.1, made of `rows.sql`.
#[test]
fn of_mydumper_with_lines_of_values() {
    let fixtures = project().join("fixtures/mydumper");
    let source = new_mariadb_database();
    load_into_mariadb(&source, &fixtures.join("rows.sql"));
    for kind in ["load_data", "csv", "hex", "semicolons"] {
        println!("{kind}");
        let database = new_postgresql_database();
        import(&fixtures.join(kind), &database, &["--verify", "full"]).succeeds();
        let mut comparison = Comparison {
            source: connect_mariadb(&source),
            target: connect_postgresql(&database),
            schema: "public",
            meant: &[],
            renamed: &[],
        };
        let findings = comparison.all_tables();
        assert_eq!(findings.differences, Vec::<String>::new());
        assert_eq!((findings.tables, findings.rows), (3, 8 + 199));
    }
    // What is missing or not understood is an error.
    let changed = |name: &str, change: &dyn Fn(&str) -> Option<String>, says: &str| {
        let folder = folder();
        for entry in fs::read_dir(fixtures.join("csv")).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
        }
        let path = folder.path().join(name);
        match change(&String::from_utf8_lossy(&fs::read(&path).unwrap())) {
            Some(text) => fs::write(&path, text).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        let outcome = import(folder.path(), &new_postgresql_database(), &[]);
        assert!(matches!(outcome.code, Some(1 | 3)), "{}", outcome.whole());
        outcome.says(says);
    };
    let gone = |_: &str| None;
    let (sql, rows) = ("shop.many.00005.sql", "shop.many.00005.dat");
    changed(
        rows,
        &gone,
        "a statement that is not understood: LOAD DATA LOCAL INFILE",
    );
    changed(
        sql,
        &gone,
        "shop.many.00005.dat: rows of this kind are not read, or lack their .sql",
    );
    let cut = |text: &str| Some(text[..text.len() - 2].to_owned());
    changed(
        rows,
        &cut,
        "shop.many.00005.dat: it is truncated within a row",
    );
    let other = |text: &str| Some(text.replace("00005.dat", "00006.dat"));
    changed(
        sql,
        &other,
        "shop.many.00005.sql: it loads another file than the one with its name",
    );
    let marks = |text: &str| Some(text.replace("BY ','", "BY '||'"));
    changed(
        sql,
        &marks,
        "shop.many.00005.sql: ends of values of several characters, or none, are not read",
    );
}

#[test]
fn of_mydumper_that_was_interrupted() {
    let folder = folder();
    fs::write(
        folder.path().join("metadata"),
        "Started dump at: 2026-01-01 00:00:00\n",
    )
    .unwrap();
    fs::write(
        folder.path().join("a.t-schema.sql"),
        "CREATE TABLE `t` (a int);\n",
    )
    .unwrap();
    import(folder.path(), &new_postgresql_database(), &[])
        .exits(3)
        .says("the dump is truncated: its metadata do not say that it was finished");
}

/// TiDB's dumpling has the layout of mydumper, names of rows with more digits, and other metadata.
#[test]
fn of_dumpling() {
    let folder = folder();
    let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    put(
        "metadata",
        "Started dump at: 2026-01-01 00:00:00\nSHOW MASTER STATUS:\n\tLog: x\n\nFinished dump at: 2026-01-01 00:00:01\n",
    );
    put(
        "my.shop-schema-create.sql",
        "/*!40101 SET NAMES binary*/;\nCREATE DATABASE `my.shop`;\n",
    );
    put(
        "my.shop.a.b-schema.sql",
        "/*!40101 SET NAMES binary*/;\nCREATE TABLE `a.b` (`a` int NOT NULL, PRIMARY KEY (`a`)) DEFAULT CHARSET=utf8mb4;\n",
    );
    put(
        "my.shop.a.b.0000000000000.sql",
        "/*!40101 SET NAMES binary*/;\nINSERT INTO `a.b` VALUES\n(1),\n(2);\n",
    );
    put(
        "my.shop.a.b.0000000010000.sql",
        "INSERT INTO `a.b` VALUES (3);\n",
    );
    let database = new_postgresql_database();
    import(folder.path(), &database, &[]).succeeds();
    let rows: i64 = connect_postgresql(&database)
        .query_one("SELECT sum(a) FROM \"a.b\"", &[])
        .unwrap()
        .get(0);
    assert_eq!(rows, 6);
    // A file that cannot be read holds rows all the same.
    let refused = |name: &str, says: &str| {
        import(folder.path(), &database, &["--replace"])
            .exits(3)
            .says(says);
        fs::remove_file(folder.path().join(name)).unwrap();
    };
    for (name, says) in [
        (
            "my.shop.a.b.2.sql.lz4",
            "my.shop.a.b.2.sql.lz4: this compression is not read",
        ),
        (
            "my.shop.a.b.2.csv",
            "my.shop.a.b.2.csv: rows of this kind are not read, or lack their .sql",
        ),
        (
            "my.shop.a.b.0000000010000.sql.gz",
            "is there twice, compressed and not",
        ),
    ] {
        put(name, "?");
        refused(name, says);
    }
    let link = folder.path().join("my.shop.a.b.2.sql");
    std::os::unix::fs::symlink("nowhere", &link).unwrap();
    refused(
        "my.shop.a.b.2.sql",
        "the file \"my.shop.a.b.2.sql\" cannot be read",
    );
}

#[test]
fn of_mysqldump_with_tab() {
    let source = source();
    let folder = folder();
    // With a character set of its own, the server would write bytes as characters of that.
    let mut dump = Command::new("mariadb-dump");
    dump.args(["--no-defaults", "-u", "root", "-S"]);
    dump.arg(mariadb().directory.join("socket"));
    dump.arg("--tab").arg(folder.path()).arg(&source);
    expect_success(&dump.output().unwrap());
    arrives(folder.path(), &source);
    // One file that ends too early.
    let rows = folder.path().join("child.txt");
    let whole = fs::read(&rows).unwrap();
    fs::remove_file(&rows).unwrap();
    fs::write(&rows, &whole[..whole.len() - 1]).unwrap();
    import(folder.path(), &new_postgresql_database(), &[])
        .exits(3)
        .says("child.txt: it is truncated within a row");
    fs::remove_file(&rows).unwrap();
    import(folder.path(), &new_postgresql_database(), &[])
        .exits(3)
        .says("the file \"child.txt\" is missing");
}

/// The files that MySQL Shell writes for two tables, one of them in chunks.
fn shell(folder: &Path) {
    let put = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    put("@.done.json", "{}");
    put(
        "@.json",
        r#"{"dumper": "mysqlsh Ver 8.0.21", "version": "1.0.0", "schemas": ["shop"], "basenames": {"shop": "shop"},
            "defaultCharacterSet": "utf8mb4", "tzUtc": true, "serverVersion": "8.0.21"}"#,
    );
    put("@.sql", "-- MySQLShell dump\n");
    put("@.post.sql", "-- MySQLShell dump\n");
    put(
        "shop.sql",
        "CREATE DATABASE /*!32312 IF NOT EXISTS*/ `shop`;\nUSE `shop`;\n",
    );
    put(
        "shop.json",
        r#"{"schema": "shop", "tables": ["t", "a/b"], "views": ["v"], "basenames": {"t": "shop@t", "a/b": "shop@a%2Fb", "v": "shop@v"}}"#,
    );
    let table = |columns: &str, decode: &str| {
        format!(
            r#"{{"options": {{"columns": {columns}, "decodeColumns": {decode}, "fieldsTerminatedBy": "\t", "fieldsEnclosedBy": "",
                "fieldsEscapedBy": "\\", "linesTerminatedBy": "\n", "compression": "none"}},
                "includesData": true, "includesDdl": true, "extension": "tsv", "chunking": true}}"#
        )
    };
    put(
        "shop@t.json",
        &table(r#"["id", "s", "b"]"#, r#"{"b": "FROM_BASE64"}"#),
    );
    put(
        "shop@t.sql",
        "CREATE TABLE IF NOT EXISTS `t` (`id` int NOT NULL, `s` text, `b` blob, PRIMARY KEY (`id`));\n",
    );
    put("shop@t@0.tsv", "1\tit's \\t\\n\\\\\tAP8=\n");
    put("shop@t@@1.tsv", "2\t\\N\t\\N\n3\t\t\n");
    put("shop@a%2Fb.json", &table(r#"["n"]"#, r#"{"n": "UNHEX"}"#));
    put(
        "shop@a%2Fb.sql",
        "CREATE TABLE IF NOT EXISTS `a/b` (`n` varbinary(9));\n",
    );
    put("shop@a%2Fb@@0.tsv", "0a0B\n");
    put(
        "shop@v.pre.sql",
        "CREATE TABLE IF NOT EXISTS `v` (`id` int);\n",
    );
    put(
        "shop@v.sql",
        "DROP TABLE IF EXISTS `v`;\nCREATE VIEW `v` AS SELECT `id` FROM `t`;\n",
    );
}

#[test]
fn of_mysql_shell() {
    let folder = folder();
    shell(folder.path());
    let database = new_postgresql_database();
    import(folder.path(), &database, &["--verify", "full"])
        .succeeds()
        .reports("from MySQL dump in a folder, by mysqlsh Ver 8.0.21")
        .reports("the view v was left out");
    let sql = "SELECT string_agg(id || ':' || COALESCE(s, '~') || ':' || COALESCE(encode(b, 'hex'), '~'), ' ' ORDER BY id)
               FROM t";
    let mut client = connect_postgresql(&database);
    let found: String = client.query_one(sql, &[]).unwrap().get(0);
    assert_eq!(found, "1:it's \t\n\\:00ff 2:~:~ 3::");
    let found: String = client
        .query_one("SELECT encode(n, 'hex') FROM \"a/b\"", &[])
        .unwrap()
        .get(0);
    assert_eq!(found, "0a0b");
    // What is not there is not taken for nothing.
    for (missing, told) in [
        ("shop@t@0.tsv", "rows of shop.t are missing"),
        ("shop@t@@1.tsv", "rows of shop.t are missing"),
        (
            "@.done.json",
            "the dump is truncated: @.done.json is missing",
        ),
        ("shop@a%2Fb@@0.tsv", "rows of shop.a/b are missing"),
        ("shop@t.json", "the file \"shop@t.json\" is missing"),
        ("shop@t.sql", "the file \"shop@t.sql\" is missing"),
    ] {
        fs::rename(folder.path().join(missing), folder.path().join("aside")).unwrap();
        import(folder.path(), &database, &["--replace"])
            .exits(3)
            .says(told);
        fs::rename(folder.path().join("aside"), folder.path().join(missing)).unwrap();
    }
    let about = folder.path().join("shop@t.json");
    let text = fs::read_to_string(&about).unwrap();
    let other = text.replace(
        "\"compression\"",
        "\"defaultCharacterSet\": \"latin1\", \"compression\"",
    );
    fs::write(&about, other).unwrap();
    import(folder.path(), &database, &["--replace"])
        .exits(3)
        .says("the character set \"latin1\" is not read");
    fs::write(&about, text).unwrap();
    // Definitions alone are told.
    for name in ["shop@t@0.tsv", "shop@t@@1.tsv", "shop@a%2Fb@@0.tsv"] {
        fs::remove_file(folder.path().join(name)).unwrap();
    }
    import(folder.path(), &database, &["--replace"])
        .succeeds()
        .reports("skipped a line that is not SQL: mysqlsh: the folder has no file with rows");
    // A description names files of its folder alone.
    let about = folder.path().join("shop.json");
    let text = fs::read_to_string(&about).unwrap();
    fs::write(&about, text.replace("shop@t", "../shop@t")).unwrap();
    import(folder.path(), &database, &["--replace"])
        .exits(3)
        .says("the file \"../shop@t.json\" is missing");
}
