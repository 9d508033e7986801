//! Failures, kills, signals and full disks: afterwards the old or the new state is there, whole.

pub(crate) mod cut_publish;
pub(crate) mod failures;
pub(crate) mod fresh;
pub(crate) mod full_disk;
pub(crate) mod gone_servers;
pub(crate) mod killed;
pub(crate) mod mount_points;
pub(crate) mod mysql_imports_killed;
pub(crate) mod mysql_killed;
pub(crate) mod server_killed;
pub(crate) mod signals;
