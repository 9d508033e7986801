//! What is particular to GitLab: its tables, its versions, its steps around the publish. The rest
//! of the program would serve any other server's dump.

mod columns;
pub mod live;
pub mod migrations;
pub mod tags;
