//! What the tests share: servers, scenes, ways to run the program and to compare. No tests.

pub(crate) mod archives;
pub(crate) mod compare;
pub(crate) mod converter;
pub(crate) mod many_rows;
pub(crate) mod mysql_instead;
pub(crate) mod mysql_scene;
pub(crate) mod mysql_shop;
pub(crate) mod mysql_state;
pub(crate) mod mysql_tcp_servers;
pub(crate) mod other_versions;
pub(crate) mod own_mariadb;
pub(crate) mod own_server;
pub(crate) mod paused;
pub(crate) mod pooler;
pub(crate) mod program;
pub(crate) mod scene;
pub(crate) mod servers;
pub(crate) mod small_disk;
pub(crate) mod snapshot;
pub(crate) mod state;
pub(crate) mod tcp_servers;
pub(crate) mod terminal;
pub(crate) mod trees;
pub(crate) mod two_archives;
pub(crate) mod unwelcome;
