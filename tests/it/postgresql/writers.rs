//! Small dumps in the notation of each program that people dump MySQL with (`fixtures/writers`): an import into PostgreSQL
//! or MariaDB has what MariaDB itself makes of them.

use std::fs;
use std::path::Path;

use mysql::prelude::Queryable;

use crate::support::program::{command, project, run};
use crate::support::scene::{Scene, load_into_mariadb};
use crate::support::servers::{connect_mariadb, mariadb, new_mariadb_database};

/// The file, and how many tables and rows it has.
const WRITERS: [(&str, usize, usize); 21] = [
    ("backwpup", 1, 2),
    ("by_hand", 2, 5),
    ("datagrip", 2, 4),
    ("dbeaver", 1, 3),
    ("dbforge_studio", 2, 3),
    ("drupal_backup_migrate", 1, 2),
    ("ems_sql_manager", 1, 2),
    ("heidisql", 1, 2),
    ("mysql_workbench", 2, 3),
    ("mysqldump_40", 1, 3),
    ("mysqldump_npm", 2, 3),
    ("mysqldump_php", 1, 2),
    ("mysqldumper", 1, 2),
    ("navicat", 1, 2),
    ("querious", 1, 2),
    ("sequel_pro", 1, 2),
    ("sqlyog", 1, 2),
    ("tableplus", 1, 2),
    ("toad", 1, 2),
    ("updraftplus", 1, 4),
    ("wp_db_backup", 1, 2),
];

/// What MariaDB does not know any more, and how it is written now.
const OLD: [(&str, &str); 4] = [
    ("TYPE=MyISAM", "ENGINE=MyISAM"),
    ("timestamp(14)", "timestamp"),
    ("timestamp(8)", "timestamp"),
    ("'00000000'", "'0000-00-00 00:00:00'"),
];

#[test]
fn each_writers_dump_is_the_same_in_all_servers() {
    for (name, tables, rows) in WRITERS {
        println!("{name}");
        let scene = Scene::bare();
        let source = new_mariadb_database();
        let fixture = project().join(format!("fixtures/writers/{name}.sql"));
        let text = fs::read_to_string(fixture)
            .unwrap()
            .replace("shop", &source);
        let path = scene.path("dump.sql");
        fs::write(&path, &text).unwrap();
        let path = path.to_str().unwrap();
        run(command([path, "--database-url", &scene.url()])).succeeds();
        let for_mariadb = scene.path("for_mariadb.sql");
        let now = OLD
            .iter()
            .fold(text, |text, (old, new)| text.replace(old, new));
        load(&source, &now, &for_mariadb);
        let findings = scene.assert_same_tables(&source);
        assert_eq!((findings.tables, findings.rows), (tables, rows));
        scene.assert_taken_by_all(path);
        let target = new_mariadb_database();
        let socket = mariadb().directory.join("socket");
        let url = format!(
            "mysql://root@localhost/{target}?socket={}",
            socket.display()
        );
        run(command([path, "--database-url", &url])).succeeds();
        assert_eq!(checksums(&source), checksums(&target));
    }
}

/// The tables of `database`, and of each a checksum of its rows.
fn checksums(database: &str) -> Vec<(String, Option<u64>)> {
    let mut client = connect_mariadb(database);
    let tables = "SHOW FULL TABLES WHERE Table_type = 'BASE TABLE'";
    let tables: Vec<(String, String)> = client.query(tables).unwrap();
    let checksum = |(table, _): (String, String)| {
        let sql = format!("CHECKSUM TABLE `{table}`");
        let (_, sum): (String, Option<u64>) = client.query_first(sql).unwrap().unwrap();
        (table, sum)
    };
    tables.into_iter().map(checksum).collect()
}

/// Loads `text` into `database`, which it may create.
fn load(database: &str, text: &str, path: &Path) {
    fs::write(path, text).unwrap();
    if text.contains("\nUSE ") {
        let drop = format!("DROP DATABASE {database}");
        connect_mariadb("mysql").query_drop(drop).unwrap();
        load_into_mariadb("mysql", path);
    } else {
        load_into_mariadb(database, path);
    }
}
