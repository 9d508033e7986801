//! What users rely on, tried with real servers: PostgreSQL and MariaDB, which the tests start
//! themselves. A test that does not find its server fails.

mod any_table;
mod archives;
mod check;
mod compare;
mod convert;
mod cut_publish;
mod damage;
mod damaged_archives;
mod edge_cases;
mod failures;
mod full_disk;
mod gitlab_target;
mod hostile_archives;
mod killed;
mod memory;
mod own_server;
mod paused;
mod private_server;
mod program;
mod readme;
mod refusals;
mod rollback;
mod scene;
mod server_killed;
mod servers;
mod signals;
mod small_disk;
mod snapshot;
mod state;
mod trees;
mod two_archives;
mod unwelcome;
mod values;
mod verify;
