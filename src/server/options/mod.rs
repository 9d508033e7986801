//! The shared parts of naming a target, for all servers: parameters and their origins, URLs, database.yml,
//! certificates.

pub(crate) mod database_yml;
pub(crate) mod keep_alive;
mod origins;
mod parameters;
pub(crate) mod peers;
pub(crate) mod reason;
pub(crate) mod sockets;
mod system_user;
mod tls;
mod url;

pub(crate) use database_yml::{Entry, Kind, read as read_database_yml};
pub(crate) use origins::Origins;
pub(crate) use parameters::{Known, Origin, Parameters, Use};
pub(crate) use system_user::system_user;
pub(crate) use tls::{
    Certificates, TlsWords, client_configuration, read_certificates, system_certificates, why_tls,
};
pub(crate) use url::{Parts, check_host, is_mysql};
