//! Detects which program wrote a dump, from its first bytes.

use memchr::memmem;

use super::postgresql::CONVERTED;

/// The kinds of SQL dump a backup archive can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// What mysqldump or mariadb-dump wrote, natively or with `--compatible=…`.
    Mysql,
    /// What GitLab CI's converter made of a `--compatible=postgresql` dump.
    ConvertedMysql,
    /// What `pg_dump` wrote, or what `convert` made of a MySQL dump.
    Postgresql,
}

/// The dialect of the dump that begins with `start` (about 64 KiB), if it is recognised.
#[must_use]
pub fn detect(start: &[u8]) -> Option<Dialect> {
    let marks: [(&[u8], Dialect); 11] = [
        (b"-- Converted by db_converter", Dialect::ConvertedMysql),
        (b"-- PostgreSQL database dump", Dialect::Postgresql),
        (b"-- PostgreSQL database cluster dump", Dialect::Postgresql),
        (CONVERTED.as_bytes(), Dialect::Postgresql),
        (b"-- MySQL dump", Dialect::Mysql),
        (b"-- MariaDB dump", Dialect::Mysql),
        (b"\nSET client_encoding", Dialect::Postgresql),
        (b"/*!4", Dialect::Mysql),
        (b"/*M!", Dialect::Mysql),
        (b"CREATE TABLE `", Dialect::Mysql),
        (b"INSERT INTO `", Dialect::Mysql),
    ];
    // The first mark decides: a dump may have another one in its data.
    marks
        .into_iter()
        .filter_map(|(mark, dialect)| memmem::find(start, mark).map(|at| (at, dialect)))
        .min_by_key(|(at, _)| *at)
        .map(|(_, dialect)| dialect)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_dialect_by_its_first_lines() {
        let cases: [(&[u8], Option<Dialect>); 7] = [
            (b"-- MySQL dump 10.13  Distrib 5.5.44", Some(Dialect::Mysql)),
            (
                b"/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump",
                Some(Dialect::Mysql),
            ),
            (
                b"--\n-- PostgreSQL database dump\n--\n",
                Some(Dialect::Postgresql),
            ),
            (
                b"-- Converted from MySQL by ci-import 1.0\n-- MySQL dump",
                Some(Dialect::Postgresql),
            ),
            (
                b"-- Converted by db_converter\nSTART TRANSACTION;",
                Some(Dialect::ConvertedMysql),
            ),
            (
                b"DROP TABLE IF EXISTS t;\nCREATE TABLE `t` (",
                Some(Dialect::Mysql),
            ),
            (b"hello", None),
        ];
        for (start, expected) in cases {
            assert_eq!(
                detect(start),
                expected,
                "{}",
                String::from_utf8_lossy(start)
            );
        }
    }
}
