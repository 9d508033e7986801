use super::*;

/// What becomes of a statement, as one line.
fn outcome(statement: &str) -> String {
    let shown = |table: &TableName| match &table.database {
        Some(database) => format!("{database}.{}", table.name),
        None => table.name.clone(),
    };
    match classify(statement, Quoting::default()).0 {
        DumpStatement::CreateTable(table) => format!("table {}", shown(&table)),
        DumpStatement::DropTables(tables) => {
            let tables: Vec<String> = tables.iter().map(shown).collect();
            format!("drop {}", tables.join(" "))
        }
        DumpStatement::DropDatabase(name) => format!("drop database {name}"),
        DumpStatement::Clear(table) => format!("clear {}", shown(&table)),
        DumpStatement::AlterTable(table) => format!("alter {}", shown(&table)),
        DumpStatement::LeftOut(kind, name) => format!("left out: {kind} {name}"),
        DumpStatement::Use(name) => format!("use {name}"),
        DumpStatement::SetNames(charset) => format!("names {charset}"),
        DumpStatement::Set => "set".to_owned(),
        DumpStatement::SelectInto(variables) => format!("into {}", variables.join(" ")),
        DumpStatement::Prepare(name, _) => format!("prepare {name}"),
        DumpStatement::Execute(name) => format!("execute {name}"),
        DumpStatement::ExecuteImmediate(_) => "execute".to_owned(),
        DumpStatement::InsertSet => "insert".to_owned(),
        DumpStatement::WithoutEffect => "-".to_owned(),
        DumpStatement::Refused(_) => "refused".to_owned(),
        DumpStatement::Unknown => "unknown".to_owned(),
    }
}

/// Checks lines of a statement and its outcome, with `=>` between.
fn check(table: &str) {
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (statement, expected) = line.split_once(" => ").unwrap();
        assert_eq!(outcome(statement), expected, "{statement}");
    }
}

#[test]
fn what_mysqldump_and_mariadb_dump_write_around_tables() {
    check(
        r"
        CREATE TABLE `t` (`a` int); => table t
        CREATE TABLE IF NOT EXISTS d.t (a int); => table d.t
        CREATE INDEX i ON t (a); => alter t
        create unique index `on` using btree on `d`.`t` (a); => alter d.t
        CREATE FULLTEXT INDEX IF NOT EXISTS i ON t (a); => alter t
        DROP INDEX i ON t; => alter t
        CREATE OR REPLACE TABLE `t` (`a` int); => table t
        /*!40101 SET NAMES utf8 */; => names utf8
        /*!40101 SET NAMES 'UTF8MB4' */; => names utf8mb4
        SET CHARACTER SET latin1; => names latin1
        /*M!100101 SET LOCAL SQL_LOG_OFF=0, LOCAL LOG_SLOW_QUERY=0 */; => set
        /*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */; => set
        /*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO,POSTGRESQL' */; => set
        /*!40103 SET TIME_ZONE='+00:00' */; => set
        SET @MYSQLDUMP_TEMP_LOG_BIN = @@SESSION.SQL_LOG_BIN; => set
        SET @@SESSION.SQL_LOG_BIN= 0; => set
        SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ '3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5'; => set
        SET GLOBAL gtid_slave_pos='0-1-2'; => set
        SET GLOBAL wsrep_start_position = '1'; => set
        SET @OLD_AUTOCOMMIT=@@AUTOCOMMIT, @@AUTOCOMMIT=0; => set
        /*M!101100 SET @old_system_versioning_insert_history=@@session.system_versioning_insert_history, @@session.system_versioning_insert_history=1 */; => set
        SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ; => set
        /*!40000 ALTER TABLE `t` DISABLE KEYS */; => -
        /*!40000 ALTER TABLE `d`.`t` ENABLE KEYS */; => -
        LOCK TABLES `t` WRITE; => -
        LOCK TABLES `t` READ /*!32311 LOCAL */,`u` READ /*!32311 LOCAL */; => -
        UNLOCK TABLES; => -
        set autocommit=0; => set
        commit; => -
        COMMIT; => -
        BEGIN; => -
        START TRANSACTION; => -
        START TRANSACTION /*!40100 WITH CONSISTENT SNAPSHOT */; => -
        FLUSH PRIVILEGES; => -
        /*! FLUSH PRIVILEGES */; => -
        FLUSH /*!40101 LOCAL */ TABLES; => -
        CREATE DATABASE /*!32312 IF NOT EXISTS*/ `x` /*!40100 DEFAULT CHARACTER SET utf8 */; => -
        /*!40000 DROP DATABASE IF EXISTS `x`*/; => drop database x
        ALTER DATABASE `x` CHARACTER SET utf8 COLLATE utf8_bin ; => -
        USE `my db`; => use my db
        DROP TABLE IF EXISTS `t`; => drop t
        DROP TABLE `a`, d.b; => drop a d.b
        /*!50001 DROP TABLE IF EXISTS `v`*/; => drop v
        /*!50001 DROP VIEW IF EXISTS `v`*/; => -
        /*!50032 DROP TRIGGER IF EXISTS `tr` */; => -
        /*!50003 DROP PROCEDURE IF EXISTS `p` */; => -
        /*!50106 DROP EVENT IF EXISTS `e` */; => -
        DROP SEQUENCE IF EXISTS `s`; => -
        DO SETVAL(`s`, 5, 0); => -
        SELECT SETVAL(`s`, 5, 0); => -
        CHANGE MASTER TO MASTER_LOG_FILE='b.1', MASTER_LOG_POS=4, MASTER_PASSWORD='x'; => -
        CHANGE REPLICATION SOURCE TO SOURCE_LOG_FILE='b.1', SOURCE_LOG_POS=4; => -
        STOP SLAVE; => -
        STOP REPLICA; => -
        START SLAVE; => -
        STOP ALL SLAVES; => -
        START SLAVE 'x' SQL_THREAD; => -
        RESET MASTER; => -
        ANALYZE TABLE `t` UPDATE HISTOGRAM ON `a` WITH 100 BUCKETS; => -
        DELETE FROM t; => clear t
        DELETE FROM `t` => clear t
        TRUNCATE TABLE d.t; => clear d.t
        TRUNCATE t; => clear t
        ",
    );
}

#[test]
fn what_is_left_out_is_named() {
    check(
        r"
        /*!50001 CREATE VIEW `v` AS SELECT 1 AS `a`*/; => left out: view v
        /*!50001 CREATE TABLE `v` (  `a` tinyint NOT NULL) ENGINE=MyISAM */; => left out: view v
        /*!50001 CREATE ALGORITHM=UNDEFINED */ /*!50013 DEFINER=`r`@`%` SQL SECURITY DEFINER */ /*!50001 VIEW `v` AS select 1 */; => left out: view v
        CREATE OR REPLACE JSON RELATIONAL DUALITY VIEW `jv` AS SELECT 1; => left out: view jv
        /*!50003 CREATE*/ /*!50017 DEFINER=`root`@`localhost`*/ /*!50003 TRIGGER `tr` BEFORE INSERT ON `t` FOR EACH ROW SET NEW.a = 1 */;; => left out: trigger tr
        CREATE DEFINER=`a`@`%` PROCEDURE `p`() BEGIN END ;; => left out: procedure p
        CREATE DEFINER=a@localhost PROCEDURE `p`() BEGIN END ;; => left out: procedure p
        CREATE DEFINER=CURRENT_USER() FUNCTION `d`.`f`() RETURNS int RETURN 1 ;; => left out: function f
        CREATE DEFINER=`a`@`%` PACKAGE BODY `k` AS END ;; => left out: package k
        /*!50106 CREATE*/ /*!50117 DEFINER=`a`@`%`*/ /*!50106 EVENT `e` ON SCHEDULE EVERY 1 DAY DO SELECT 1 */ ;; => left out: event e
        CREATE SEQUENCE `s` start with 1 minvalue 1; => left out: sequence s
        CREATE LIBRARY `l` LANGUAGE JAVASCRIPT AS 'x' ;; => left out: library l
        CREATE /*M!100103 OR REPLACE */ FUNCTION u RETURNS STRING SONAME 'u.so'; => left out: function u
        CREATE /*M!100103 OR REPLACE */ AGGREGATE FUNCTION /*M!100103 IF NOT EXISTS */ u RETURNS REAL SONAME 'u.so'; => left out: function u
        INSTALL PLUGIN p SONAME 'p.so'; => left out: plugin p
        INSTALL SONAME 'p.so'; => left out: plugin p.so
        /*M!100401 UNINSTALL PLUGIN IF EXIST p */; => -
        CREATE SERVER `s` FOREIGN DATA WRAPPER mysql OPTIONS (PASSWORD 'x'); => left out: server s
        CREATE USER 'u'@'h' IDENTIFIED BY PASSWORD '*1'; => left out: user u@h
        CREATE USER IF NOT EXISTS `u`@`%` IDENTIFIED WITH 'x'; => left out: user u@%
        ALTER USER 'u'@'h' DEFAULT ROLE r; => left out: user u@h
        /*!80001 ALTER USER u@h DEFAULT ROLE r */; => left out: user u@h
        CREATE ROLE IF NOT EXISTS mariadb_dump_import_role; => left out: role mariadb_dump_import_role
        /*M!100005 CREATE ROLE r WITH ADMIN u@h*/; => left out: role r
        GRANT mariadb_dump_import_role TO CURRENT_USER(); => left out: grant CURRENT_USER
        GRANT ALL PRIVILEGES ON *.* TO `u`@`h` IDENTIFIED BY PASSWORD '*1' WITH GRANT OPTION; => left out: grant u@h
        /*M!100005 GRANT 'r' TO 'u'@'h' WITH ADMIN OPTION*/; => left out: grant u@h
        SET ROLE mariadb_dump_import_role; => left out: role mariadb_dump_import_role
        SET ROLE NONE; => -
        /*M!100005 SET DEFAULT ROLE 'r' FOR 'u'@'h' */; => left out: default role r
        /*M!100005 SET DEFAULT ROLE NONE FOR 'u'@'h' */; => -
        SET PASSWORD FOR 'u'@'h' = 'secret'; => left out: password u@h
        SET PASSWORD = 'secret'; => left out: password CURRENT_USER
        DROP ROLE mariadb_dump_import_role; => -
        /*!50701 DROP USER IF EXISTS 'u'@'h' */; => -
        /*!50701 DROP FUNCTION IF EXISTS u */; => -
        /*M!100101 IF current_user()='u@h' THEN SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO=30001, MESSAGE_TEXT='no'; END IF */| => -
        CREATE LOGFILE GROUP `g` ADD UNDOFILE 'u.log' ENGINE=NDB; => left out: logfile group g
        ALTER LOGFILE GROUP `g` ADD UNDOFILE 'u.log' ENGINE=NDB; => left out: logfile group g
        CREATE TABLESPACE `ts` ADD DATAFILE 'd' USE LOGFILE GROUP `g` ENGINE=NDB; => left out: tablespace ts
        ALTER TABLESPACE `ts` ADD DATAFILE 'd' ENGINE=NDB; => left out: tablespace ts
        CREATE UNDO TABLESPACE u ADD DATAFILE 'u.ibu'; => left out: tablespace u
        CREATE SPATIAL REFERENCE SYSTEM IF NOT EXISTS 5000 NAME 'x'; => left out: spatial reference system 5000
        CREATE RESOURCE GROUP g TYPE=USER; => left out: resource group g
        ",
    );
}

#[test]
fn what_might_change_data_is_refused() {
    check(
        r"
        UPDATE t SET a = 1; => unknown
        INSERT INTO t SELECT 1; => refused
        INSERT INTO t SET a = 1; => insert
        REPLACE IGNORE d.t SET a = 1; => insert
        REPLACE INTO t SELECT 1; => refused
        DELETE FROM t WHERE a = 1; => refused
        DELETE t FROM t; => unknown
        DELETE QUICK FROM t; => clear t
        DELETE FROM t LIMIT 1; => refused
        LOAD DATA INFILE 'x' INTO TABLE t; => unknown
        CALL p(); => unknown
        \! rm -rf /; => unknown
        ALTER TABLE t ADD COLUMN b int; => alter t
        ALTER TABLE t ADD KEY (a), DISABLE KEYS; => alter t
        RENAME TABLE a TO b; => unknown
        CREATE OR REPLACE INDEX i ON t (a); => unknown
        CREATE INDEX i; => unknown
        CREATE UNIQUE INDEX view ON t (a); => alter t
        CREATE TEMPORARY TABLE t (a int); => refused
        ROLLBACK; => unknown
        SET STATEMENT max_statement_time=1 FOR INSERT INTO t VALUES (1); => refused
        SELECT 1 INTO OUTFILE '/tmp/x'; => refused
        SELECT * INTO t FROM u; => refused
        BEGIN NOT ATOMIC DELETE FROM t; END => unknown
        IF 1 THEN DELETE FROM t; END IF; => unknown
        IF 1 THEN SIGNAL SQLSTATE '45000'; DELETE FROM t; END IF| => unknown
        WITH x AS (SELECT 1) DELETE FROM t; => unknown
        BINLOG 'x'; => unknown
        XA COMMIT 'x'; => unknown
        ",
    );
}

#[test]
fn statements_that_execute_others() {
    check(
        r"
        /*!50112 SELECT COUNT(*) INTO @is_rocksdb_supported FROM INFORMATION_SCHEMA.SESSION_VARIABLES WHERE VARIABLE_NAME='rocksdb_bulk_load' */; => into @IS_ROCKSDB_SUPPORTED
        SELECT COALESCE(CURRENT_ROLE(),'NONE') into @current_role; => into @CURRENT_ROLE
        SELECT 1, 2 INTO @a, @b; => into @A @B
        SELECT 'done' AS message; => -
        /*!50112 PREPARE s FROM @disable_bulk_load */; => prepare s
        /*!50112 EXECUTE s */; => execute s
        /*!50112 DEALLOCATE PREPARE s */; => -
        DROP PREPARE s; => -
        /*M!100203 EXECUTE IMMEDIATE CONCAT('SET ROLE ', @current_role) */; => execute
        ",
    );
}

#[test]
fn an_error_has_no_password() {
    let statement = "CREATE TABLE t (a int) CONNECTION='mysql://u:secret@h/d'";
    assert_eq!(without_password(statement), "CREATE TABLE t (a int) ");
    let statement = "XA x IDENTIFIED BY 'secret'";
    assert_eq!(without_password(statement), "XA x ");
    assert_eq!(without_password("UPDATE é"), "UPDATE é");
}
