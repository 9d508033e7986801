//! A neutral model of tables between the definitions of a dump and the DDL of a target.
//!
//! [`from_mysql`] and [`from_postgresql`] map definitions to the model; [`ddl`] renders it for PostgreSQL, and a MySQL
//! server has a renderer of its own.

mod altered;
pub mod changed_keys;
mod column_policies;
pub mod ddl;
mod foreign_keys;
mod from_mysql;
pub mod from_postgresql;
mod map;
mod model;
mod names;
pub mod policies;
pub mod sql;

pub use foreign_keys::{column_of_another_type, resolve_foreign_key};
pub use from_mysql::{
    DumpFacts, GeneratedValues, GivenColumns, GivenRows, Mapped, ROW_NUMBER, UNSUPPORTED,
    as_loaded, from_mysql, text_kind,
};
pub use map::{Map, TableMap, is_reserved_schema};
pub use model::{
    Check, Column, DataType, EnumType, ForeignKey, Generated, Index, IndexKind, IndexPart,
    IndexPartOf, KeptAs, Note, Prefix, PrimaryKey, Proof, Sequence, Table, UpdateTrigger,
    schemas_of, shown,
};
pub(crate) use names::fitting;
pub use names::{FinalNames, Names, final_names, final_sequence_name, schema_of};
