//! Spatial types: PostGIS has the values that the source has, with their reference systems; bytes have them, too.

use std::fs;

use mysql::prelude::Queryable;

use crate::support::program::{Outcome, command, run};
use crate::support::scene::mysqldump;
use crate::support::servers::{
    connect_mariadb, connect_postgresql, new_mariadb_database, new_postgresql_database,
    postgresql_url,
};

/// The columns, and for each a value.
const VALUES: [(&str, &str, &str); 8] = [
    ("g", "geometry", "LINESTRING(0 0,1.5 -2,1e10 3)"),
    ("p", "point NOT NULL", "POINT(1 2)"),
    ("l", "linestring", "LINESTRING(1 2,3 4)"),
    (
        "y",
        "polygon",
        "POLYGON((0 0,9 0,9 9,0 9,0 0),(1 1,2 1,2 2,1 1))",
    ),
    ("mp", "multipoint", "MULTIPOINT(1 2,3 4)"),
    (
        "ml",
        "multilinestring",
        "MULTILINESTRING((1 2,3 4),(5 6,7 8))",
    ),
    (
        "my",
        "multipolygon",
        "MULTIPOLYGON(((0 0,9 0,9 9,0 0)),((10 10,11 10,11 11,10 10)))",
    ),
    (
        "c",
        "geometrycollection",
        "GEOMETRYCOLLECTION(POINT(1 2),GEOMETRYCOLLECTION(LINESTRING(1 2,3 4)))",
    ),
];

/// A WKB in hexadecimal digits, and its reference system.
type Value = (Option<String>, Option<i32>);

fn import(database: &str, dump: &[u8], options: &[&str]) -> Outcome {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("dump.sql");
    fs::write(&file, dump).unwrap();
    let mut import = command([file.to_str().unwrap(), "--yes", "--database-url"]);
    import.arg(postgresql_url(database)).args(options);
    let outcome = run(import);
    if outcome.code == Some(0) {
        let mut verify = command(["verify", file.to_str().unwrap(), "--database-url"]);
        verify.arg(postgresql_url(database));
        verify.args(
            options
                .iter()
                .filter(|option| !["--verify", "full"].contains(option)),
        );
        run(verify).succeeds().reports("all agree");
    }
    outcome
}

fn with_postgis() -> String {
    let database = new_postgresql_database();
    let create = "CREATE SCHEMA \"the GIS\"; CREATE EXTENSION postgis SCHEMA \"the GIS\"";
    connect_postgresql(&database).batch_execute(create).unwrap();
    database
}

#[test]
fn postgis_has_the_values_of_the_source() {
    let source = new_mariadb_database();
    let mut mariadb = connect_mariadb(&source);
    let columns = VALUES.map(|(name, data_type, _)| format!("{name} {data_type}"));
    let create = format!(
        "CREATE TABLE t (id int NOT NULL PRIMARY KEY, {}, SPATIAL KEY at (p), KEY begins (g(25)))",
        columns.join(", ")
    );
    mariadb.query_drop(create).unwrap();
    for (id, srid) in [(1, 0), (2, 4326), (3, 3857)] {
        let values = VALUES.map(|(_, _, text)| format!("ST_GeomFromText('{text}', {srid})"));
        let insert = format!("INSERT INTO t VALUES ({id}, {})", values.join(", "));
        mariadb.query_drop(insert).unwrap();
    }
    mariadb
        .query_drop("INSERT INTO t (id, p) VALUES (4, POINT(1, 2))")
        .unwrap();
    let names = VALUES.map(|(name, ..)| name);
    let of_source = names.map(|name| format!("HEX(ST_AsWKB({name})), ST_SRID({name})"));
    let mut expected: Vec<mysql::Row> = mariadb
        .query(format!(
            "SELECT {} FROM t ORDER BY id",
            of_source.join(", ")
        ))
        .unwrap();
    let mut taken = |row: &mut mysql::Row| -> Vec<Value> {
        let mut value = |at: usize| (row.take(2 * at).unwrap(), row.take(2 * at + 1).unwrap());
        (0..names.len()).map(&mut value).collect()
    };
    let expected: Vec<Vec<Value>> = expected.iter_mut().map(&mut taken).collect();
    for (dump_options, options) in [
        (vec![], vec![]),
        (vec!["--hex-blob"], vec!["--verify", "full"]),
    ] {
        let database = with_postgis();
        let dump = mysqldump(&source, &dump_options);
        import(&database, &dump, &options)
            .succeeds()
            .reports("t.begins: the index was left out");
        let mut client = connect_postgresql(&database);
        let of_target = names.map(|name| {
            format!(
                "upper(encode(\"the GIS\".ST_AsBinary({name}, 'NDR'), 'hex')), \"the GIS\".ST_SRID({name})"
            )
        });
        let rows = client
            .query(
                &format!("SELECT {} FROM t ORDER BY id", of_target.join(", ")),
                &[],
            )
            .unwrap();
        let found: Vec<Vec<Value>> = rows
            .iter()
            .map(|row| {
                (0..names.len())
                    .map(|at| (row.get(2 * at), row.get(2 * at + 1)))
                    .collect()
            })
            .collect();
        assert_eq!(found, expected);
        let types = "SELECT string_agg(format_type(atttypid, atttypmod), ',' ORDER BY attnum) FROM pg_attribute
                     WHERE attrelid = 't'::regclass AND attnum > 1";
        let types: String = client.query_one(types, &[]).unwrap().get(0);
        let plain = types.replace("\"the GIS\".", "");
        assert_eq!(
            plain,
            "geometry,geometry(Point),geometry(LineString),geometry(Polygon),geometry(MultiPoint),\
             geometry(MultiLineString),geometry(MultiPolygon),geometry(GeometryCollection)"
        );
        let index = "SELECT indexdef FROM pg_indexes WHERE indexname = 'at'";
        let index: String = client.query_one(index, &[]).unwrap().get(0);
        assert!(index.contains("USING gist (p"), "{index}");
    }
}

#[test]
fn bytes_have_the_wkb() {
    let dump = b"-- MySQL dump 10.13  Distrib 8.0.32, for Linux (x86_64)\n--\n-- Server version\t8.0.32\n\
        SET NAMES utf8mb4;\nCREATE TABLE t (id int PRIMARY KEY, p point /*!80003 SRID 4326 */, q point, SPATIAL KEY k (q));\n\
        INSERT INTO t VALUES (1,0xE6100000010100000000000000000000400000000000000840,\
        0x00000000010100000000000000000000400000000000000840),(2,NULL,NULL);\n-- Dump completed on 2026-01-01  0:00:00\n";
    let database = new_postgresql_database();
    import(&database, dump, &[])
        .exits(1)
        .says("column t.p: its type needs PostGIS, which the database does not have")
        .says("--geometry wkb")
        .says("--skip-column t.p --skip-column t.q leaves all of its kind out");
    import(&database, dump, &["--geometry", "wkb"])
        .succeeds()
        .reports("t.p: Point is bytea now: EWKB with the SRID 4326")
        .reports("t.q: Point is bytea now: WKB")
        .reports("t.k: the spatial index was left out");
    let mut client = connect_postgresql(&database);
    let sql = "SELECT encode(p, 'hex'), encode(q, 'hex') FROM t WHERE id = 1";
    let row = client.query_one(sql, &[]).unwrap();
    let point = "00000000000000400000000000000840";
    assert_eq!(row.get::<_, &str>(0), format!("0101000020e6100000{point}"));
    assert_eq!(row.get::<_, &str>(1), format!("0101000000{point}"));
    let database = with_postgis();
    import(&database, dump, &[]).succeeds();
    let mut client = connect_postgresql(&database);
    let sql = "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'p'";
    let found: String = client.query_one(sql, &[]).unwrap().get(0);
    assert!(found.ends_with("geometry(Point,4326)"), "{found}");
}

/// MySQL 8 takes the first number of a geographic system for the latitude; earlier ones, and MariaDB, take what stands
/// there.
#[test]
fn texts_have_the_axes_of_their_server() {
    let dump = |server: &str| {
        format!(
            "-- Adminer 4.8.1 MySQL {server} dump\n--\n-- Server version\t{server}\nSET NAMES utf8mb4;\n\
             CREATE TABLE t (id int PRIMARY KEY, g geometry);\n\
             INSERT INTO t VALUES (1,ST_GeomFromText('POINT(1 2)', 4326)),(2, GeomFromText('POINT(1 2)')),\n\
             (3,ST_GeomFromText('LINESTRING(1 2,3 4)',4326,'axis-order=long-lat')),(4, NULL),\n\
             (5, ST_GeomFromWKB(0x0101000000000000000000F03F0000000000000040, 3857)),\n\
             (6,ST_GeomFromText('POINT(1 2)',4326,'axis-order=lat-long')),\n\
             (7,\tST_GeomFromText('POINT(1 2)', SRID(g))),(8, ST_GeomFromText('POINT(1 2)', ST_SRID(`g`)));\n\
             -- Dump completed on 2026-01-01  0:00:00\n"
        )
    };
    for (server, first) in [
        ("8.0.32", "POINT(2 1)"),
        ("10.11.6-MariaDB", "POINT(1 2)"),
        ("5.7.44", "POINT(1 2)"),
    ] {
        let database = with_postgis();
        import(&database, dump(server).as_bytes(), &[]).succeeds();
        let mut client = connect_postgresql(&database);
        let sql = "SELECT \"the GIS\".ST_AsText(g), \"the GIS\".ST_SRID(g) FROM t ORDER BY id";
        let rows = client.query(sql, &[]).unwrap();
        let found: Vec<(Option<String>, Option<i32>)> =
            rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        let some = |text: &str, srid| (Some(text.to_owned()), Some(srid));
        assert_eq!(
            found,
            [
                some(first, 4326),
                some("POINT(1 2)", 0),
                some("LINESTRING(1 2,3 4)", 4326),
                (None, None),
                some("POINT(1 2)", 3857),
                some("POINT(2 1)", 4326),
                some("POINT(1 2)", 0),
                some("POINT(1 2)", 0),
            ],
            "{server}"
        );
    }
}

#[test]
fn what_is_no_geometry_is_named() {
    for value in [
        "'x'",
        "0x00000000010100000000",
        "ST_GeomFromText('POINT(1)')",
        "POINT(1, 2)",
    ] {
        let dump = format!(
            "-- MySQL dump 10.13  Distrib 5.7.44, for Linux (x86_64)\nSET NAMES utf8mb4;\n\
             CREATE TABLE t (id int PRIMARY KEY, g geometry);\nINSERT INTO t VALUES (1,{value});\n\
             -- Dump completed on 2026-01-01  0:00:00\n"
        );
        let database = new_postgresql_database();
        import(&database, dump.as_bytes(), &["--geometry", "wkb"])
            .exits(1)
            .says("t row 1 (byte ")
            .says("column g: ");
    }
}
