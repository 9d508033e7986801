//! Compares tables and traces of a target with what an archive or a dump holds: rows by count or by
//! checksum, sequences with the values they gave, traces by count or by content.

pub mod depth;
mod expected;
mod findings;
mod staged;
mod tables;

pub use expected::Expected;
pub use findings::Findings;
pub use staged::verify_staged;
pub use tables::{
    ExpectedTable, Numbering, ReadTables, TableFinding, verify_tables, verify_tables_in,
};
