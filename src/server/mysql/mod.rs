//! MySQL and MariaDB as targets. The folder `postgresql` has the same file names.

pub mod capabilities;
mod checks;
pub mod connection;
pub mod connection_failure;
pub(crate) mod databases;
pub(crate) mod ddl;
pub(crate) mod dump_program;
pub mod error;
pub(crate) mod expression;
pub mod gitlab;
pub mod load;
pub(crate) mod lock_names;
mod lookup;
pub mod mapping;
pub(crate) mod message;
pub mod migrate;
pub mod options;
pub mod publish;
pub(crate) mod rights;
pub mod session;
pub mod sql;
pub(crate) mod statement;
pub(crate) mod target;
pub mod tls;
pub mod verify;

pub use capabilities::Capabilities;
pub use databases::Databases;
pub use error::failure;
pub use load::loader::Loader;
pub use load::staging::{LockHolder, Staging};
pub use lock_names::lock_name;
pub use mapping::Table;
pub use options::ConnectionOptions;
pub use rights::{MayCreate, may_create_databases};
pub use session::Server;
pub use verify::TableReader;
