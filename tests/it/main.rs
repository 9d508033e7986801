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
mod gitlab_target;
mod hostile_archives;
mod memory;
mod private_server;
mod program;
mod readme;
mod refusals;
mod rollback;
mod scene;
mod servers;
mod state;
mod trees;
mod unwelcome;
mod values;
mod verify;
