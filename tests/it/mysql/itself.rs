//! What differs where the target is MySQL itself and not MariaDB. scripts/test-mysql runs these, with
//! `CI_IMPORT_TEST_MYSQL` set, and with them the other tests of MySQL targets.

use std::fs;
use std::path::Path;

use ci_import::server::mysql::{ConnectionOptions, TableReader};
use ci_import::verify::{Numbering, ReadTables};
use mysql::prelude::Queryable;

use crate::support::mysql_scene::MysqlScene;
use crate::support::mysql_shop::{Shop, hard_server};
use crate::support::mysql_tcp_servers::fails;
use crate::support::own_mariadb::OwnMariadb;
use crate::support::program::project;
use crate::support::servers::{
    connect_mariadb_in, mariadb, run_mariadb, server_directory, user_ids,
};
use crate::support::tcp_servers::free_port;

/// What no target is given of the fixture.
const LEFT_OUT: [&str; 7] = [
    "checked.slept: CHECK ((`c` <> 13)) was left out: it was not enforced",
    "hidden.unseen: the index was not used, and is now",
    "parted: its partitions were left out",
    "places.a: its SRID 4326 was left out",
    "places.c: its SRID 0 was left out",
    "places.e: its SRID 3857 was left out",
    "searched.n: its parser ngram was left out",
];

/// A session that the program has nothing to do with.
fn root(server: &Path) -> mysql::Conn {
    let conn = connect_mariadb_in(server, "mysql");
    let version = conn.server_version();
    assert!(version >= (8, 0, 23), "no MySQL of today: {version:?}");
    conn
}

fn bare(line: &str) -> String {
    line.trim_end_matches([',', ';', ' ']).to_owned()
}

/// A line of the source's without what is left out, if anything of it is left.
fn without_it(line: &str) -> Option<String> {
    // Behind the options of the table there are its partitions, where they are not left out.
    let is_gone = |word: &&str| line.contains(word);
    if ["NOT ENFORCED", "PARTITION", ") ENGINE="]
        .iter()
        .any(is_gone)
    {
        return None;
    }
    let mut line = line.to_owned();
    for begins in [
        " /*!80003 SRID",
        " /*!80000 INVISIBLE",
        " /*!50100 WITH PARSER",
    ] {
        if let Some(at) = line.find(begins) {
            let end = at + line[at..].find("*/").unwrap() + 2;
            line.replace_range(at..end, "");
        }
    }
    Some(bare(&line))
}

/// The fixture arrives in `shop` as it is, but for what is told.
#[track_caller]
fn arrives(shop: &Shop, layout: &[&str], options: &[&str]) {
    let mut outcome = shop.import(&shop.dump(layout), options).succeeds();
    for told in LEFT_OUT {
        outcome = outcome.reports(told);
    }
    let (gone, new) = shop.differences();
    let mut expected: Vec<String> = gone.iter().filter_map(|line| without_it(line)).collect();
    // Of what is left out the line before may end otherwise.
    let mut found: Vec<String> = new.iter().map(|line| bare(line)).collect();
    expected.sort();
    found.sort();
    assert_eq!(expected, found);
    shop.verify().succeeds().reports("all agree");
}

#[test]
#[ignore = "scripts/test-mysql runs it"]
fn what_mysql_has_and_mariadb_has_not() {
    root(&mariadb().directory);
    let shop = Shop::of_fixture(&mariadb().directory, "every_mysql.sql");
    let layouts: [&[&str]; 6] = [
        &[],
        &["--hex-blob", "--no-tablespaces"],
        &["--skip-extended-insert", "--complete-insert"],
        &["--skip-tz-utc", "--no-autocommit"],
        &["--default-character-set=binary", "--set-gtid-purged=ON"],
        // Histograms; and more connections, and chunks, than there are tables.
        &["--column-statistics", "--compact"],
    ];
    shop.execute(&format!(
        "ANALYZE TABLE {}.numbers UPDATE HISTOGRAM ON a, b",
        shop.source()
    ));
    for layout in layouts {
        println!("{layout:?}");
        arrives(
            &shop,
            layout,
            &["--replace", "--jobs", "8", "--memory", "52"],
        );
    }
}

/// Without LOAD DATA LOCAL, in another time zone, with small packets.
#[test]
#[ignore = "scripts/test-mysql runs it"]
fn on_a_server_that_makes_it_hard() {
    root(hard_server());
    let shop = Shop::of_fixture(hard_server(), "every_mysql.sql");
    arrives(&shop, &[], &[]);
    arrives(&shop, &[], &["--replace"]);
}

/// Keys that name each row are there from the start; a table that has none is told.
#[test]
#[ignore = "scripts/test-mysql runs it"]
fn where_each_table_must_have_a_primary_key() {
    let server = OwnMariadb::start();
    let mut conn = root(&server.directory);
    let shop = Shop::of_fixture(&server.directory, "every_mysql.sql");
    conn.query_drop("SET GLOBAL sql_require_primary_key = ON")
        .unwrap();
    shop.import(&shop.dump(&[]), &[])
        .exits(1)
        .says("cannot create the table keyless")
        .says("hint: give the table a primary key before it is dumped");
    shop.import(&shop.dump(&[]), &["--skip-table", "keyless"])
        .succeeds();
    // All tables of a publish's own have one.
    let scene = MysqlScene::gitlab_on(&server);
    scene.publish(0).unwrap();
    scene.publish(1).unwrap();
    scene.rollback().unwrap();
    scene.discard().unwrap();
    // Or the server makes one, which nobody sees.
    conn.query_drop("SET GLOBAL sql_require_primary_key = OFF")
        .unwrap();
    conn.query_drop("SET GLOBAL sql_generate_invisible_primary_key = ON")
        .unwrap();
    shop.import(&shop.dump(&[]), &["--replace"]).succeeds();
    shop.verify().succeeds().reports("all agree");
}

/// A server with GTIDs refuses to write to such a table in a transaction with others.
#[test]
#[ignore = "scripts/test-mysql runs it"]
fn tables_without_transactions_among_those_that_come() {
    let scene = MysqlScene::gitlab();
    let mut conn = scene.conn();
    let gtids: Option<String> = conn
        .query_first("SELECT @@enforce_gtid_consistency")
        .unwrap();
    assert_eq!(gtids.as_deref(), Some("ON"));
    scene.stage_tables(0);
    let staging = &scene.databases.staging;
    for table in ["ci_services", "ci_tags", "ci_builds"] {
        scene.execute(&format!("ALTER TABLE {staging}.{table} ENGINE = MyISAM"));
    }
    scene.stage().publish(0).unwrap();
    let types =
        scene.values("SELECT DISTINCT type LIKE 'Ci::%' FROM ci_services WHERE type IS NOT NULL");
    assert_eq!(types, ["1"]);
    assert_eq!(
        scene.values("SELECT ci_enabled FROM application_settings"),
        ["1"]
    );
    scene.rollback().unwrap();
}

/// Not one that the server has kept since it was last asked, nor one of a column that has lost it.
#[test]
#[ignore = "scripts/test-mysql runs it"]
fn the_next_number_is_told_as_it_is() {
    let scene = MysqlScene::bare();
    let database = &scene.databases.live;
    scene.execute("CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY)");
    scene.execute("INSERT INTO t VALUES (7)");
    let asked = scene.values(&format!(
        "SELECT AUTO_INCREMENT FROM information_schema.TABLES WHERE TABLE_SCHEMA = '{database}' AND TABLE_NAME = 't'"
    ));
    assert_eq!(asked, ["8"]);
    scene.execute("INSERT INTO t VALUES (40)");
    let target = ConnectionOptions::from_url(&scene.stage().url).unwrap();
    let numbering = || {
        let mut looker = TableReader::connect(&target).unwrap();
        looker.numbering(database, "t", "id").unwrap()
    };
    match numbering() {
        Numbering::From { next, largest, .. } => assert_eq!((next, largest), (41, 40)),
        other => panic!("{other:?}"),
    }
    scene.execute("ALTER TABLE t MODIFY id int NOT NULL");
    assert!(matches!(numbering(), Numbering::Broken(why) if why.contains("no AUTO_INCREMENT")));
}

#[test]
#[ignore = "scripts/test-mysql runs it"]
fn passwords() {
    let directory = server_directory("mp", user_ids(crate::support::servers::MARIADB_USER));
    let port = free_port();
    let arguments = ["--bind-address=127.0.0.1", &format!("--port={port}")];
    run_mariadb(&directory, &arguments);
    let mut conn = root(&directory);
    for user in ["one", "two", "three"] {
        let how = "IDENTIFIED WITH caching_sha2_password BY 's3:cret'";
        conn.query_drop(format!("CREATE USER {user} {how}"))
            .unwrap();
        conn.query_drop(format!("GRANT ALL ON *.* TO {user}"))
            .unwrap();
    }
    let at = |user: &str, rest: &str| {
        let url = format!("mysql://{user}:s3%3Acret@{rest}");
        ConnectionOptions::from_url(&url).and_then(|target| target.connect())
    };
    let plain = format!("127.0.0.1:{port}/mysql?ssl-mode=DISABLED");
    // The first time the server needs the password itself, later a hash of it will do.
    fails(
        at("one", &plain),
        "without TLS, the server accepts the password only if it is encrypted with a key that the server sends",
        "ssl-mode=REQUIRED; or, if the network is safe, get-server-public-key=1",
    );
    assert!(at("one", &format!("{plain}&get_server_public_key=1")).is_ok());
    assert!(at("one", &plain).is_ok());
    assert!(at("two", &format!("127.0.0.1:{port}/mysql")).is_ok());
    let ca = directory.join("data/ca.pem");
    let verified = format!("ssl-mode=VERIFY_CA&ssl-ca={}", ca.display());
    assert!(at("two", &format!("127.0.0.1:{port}/mysql?{verified}")).is_ok());
    let socket = directory.join("socket");
    assert!(
        at(
            "three",
            &format!("localhost/mysql?socket={}", socket.display())
        )
        .is_ok()
    );
    fails(
        ConnectionOptions::from_url(&format!("mysql://three:hunter2@127.0.0.1:{port}/mysql"))
            .and_then(|target| target.connect()),
        "Access denied for user 'three'",
        "check user and password",
    );
}

/// Definitions of MariaDB that MySQL has otherwise, or not at all.
#[test]
#[ignore = "scripts/test-mysql runs it"]
fn a_dump_of_mariadb() {
    let shop = Shop::new(&mariadb().directory, "");
    let dump = fs::read(project().join("fixtures/dump_of_mariadb.sql")).unwrap();
    shop.import(&dump, &[])
        .succeeds()
        .reports("t.u: the server does not have the type uuid; the column has char(36)")
        .reports("t.i: the server does not have the type inet6; the column has varchar(45)")
        .reports("t: the server does not have the engine Aria; the default engine is used")
        .reports("u.CONSTRAINT_1: the CHECK got another name: its name is already used");
    shop.verify().succeeds().reports("all agree");
    let mut conn = connect_mariadb_in(&shop.server, &shop.target());
    let rows: Vec<String> = conn
        .query("SELECT CONCAT_WS('|', id, u, i, a, HEX(b), j) FROM t")
        .unwrap();
    assert_eq!(
        rows,
        ["1|123e4567-e89b-12d3-a456-426655440000|::ffff:1.2.3.4|it's|6200|{\"a\": 1}"]
    );
    conn.query_drop("INSERT INTO t (id) VALUES (2)").unwrap();
    let defaults: Vec<String> = conn
        .query("SELECT CONCAT_WS('|', a, HEX(b), j) FROM t WHERE id = 2")
        .unwrap();
    assert_eq!(defaults, ["x'y|62|{}"]);
    for refused in [
        "INSERT INTO t (id, n) VALUES (3, 0)",
        "INSERT INTO u VALUES (0)",
    ] {
        assert!(conn.query_drop(refused).is_err(), "{refused}");
    }
}
