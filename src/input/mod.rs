//! The input: how it is found, opened and read.

mod backups;
pub mod dump_folder;
pub mod locate;
pub mod members;
pub mod open;
pub mod packing;
pub mod source;
pub mod whole;
mod xml_dump;
