//! Compares tables and traces of a target with an archive or a dump: rows by count or checksum, sequences by
//! their next values, traces by count or content.

pub mod depth;
mod expected;
mod findings;
mod staged;
mod tables;

pub use expected::Expected;
pub use findings::Findings;
pub use staged::verify_staged;
pub use tables::{
    ExpectedTable, Numbering, ReadTables, TableFinding, Verifying, verify_tables, verify_tables_in,
};
