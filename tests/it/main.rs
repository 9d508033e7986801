//! What users rely on, tried with real servers: PostgreSQL and MariaDB, which the tests start
//! themselves. A test that does not find its server fails.

#![allow(
    clippy::too_many_lines,
    reason = "a table of cases is as long as it is"
)]

mod archive;
mod attackers;
mod backup;
mod cli;
mod contract;
mod engines;
mod faults;
mod migrations;
mod mysql;
mod postgresql;
mod redirect;
mod storage;
mod support;
