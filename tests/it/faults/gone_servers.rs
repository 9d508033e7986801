//! A server that is gone without having closed the connection: the system is told to look after it.

use std::fs;

use crate::support::mysql_tcp_servers::{self, MysqlVisit};
use crate::support::paused::Paused;
use crate::support::tcp_servers::{self, Visit};

/// The longest time until a probe, in the kernel's hundredths of a second.
const SOON: u64 = 6_000;

/// How many connections to `port` have a timer that will probe them soon (proc_net_tcp of the kernel's documentation:
/// the field `tr:tm->when` with timer 2).
fn watched(port: u16) -> usize {
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let is_watched = |line: &&str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (Some(remote), Some(timer)) = (fields.get(2), fields.get(5)) else {
            return false;
        };
        let when = timer.strip_prefix("02:");
        let when = when.and_then(|when| u64::from_str_radix(when, 16).ok());
        remote.ends_with(&format!(":{port:04X}")) && when.is_some_and(|when| when <= SOON)
    };
    table.lines().filter(is_watched).count()
}

#[test]
fn connections_to_postgresql_are_looked_after() {
    let visit = Visit::to(tcp_servers::without_tls());
    let mut import = visit.import_by("user=plain_only sslmode=disable");
    import.arg("--mysql-to-postgresql");
    let before = watched(visit.server.port);
    let paused = Paused::at(import, "connected");
    assert!(watched(visit.server.port) > before);
    drop(paused);
}

#[test]
fn connections_to_mysql_are_looked_after() {
    for (server, user, query) in [
        (
            mysql_tcp_servers::without_tls(),
            "secret:s3%3Acret",
            "ssl-mode=DISABLED",
        ),
        (
            mysql_tcp_servers::with_tls(),
            "tls_only",
            "ssl-mode=REQUIRED",
        ),
    ] {
        let visit = MysqlVisit::to(server);
        let before = watched(server.port);
        let session = visit.session(user, query).unwrap();
        assert!(watched(server.port) > before, "{query}");
        drop(session);
    }
}
