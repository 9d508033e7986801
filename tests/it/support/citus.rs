//! A cluster of Citus: a coordinator and a worker, which reach each other by their sockets.

use std::path::Path;

use super::own_server::OwnServer;
use super::scene::Scene;
use super::servers::connect_in;

/// Without the last one, a server tells its makers on the internet how large it is.
const SETTINGS: [&str; 3] = [
    "shared_preload_libraries=citus",
    // The hardest for an import: new schemas are distributed, if nobody says otherwise.
    "citus.enable_schema_based_sharding=on",
    "citus.enable_statistics_collection=off",
];

/// See the module.
pub(crate) struct Citus {
    pub(crate) coordinator: OwnServer,
    pub(crate) worker: OwnServer,
}

fn execute(directory: &Path, database: &str, sql: &str) {
    let mut client = connect_in(directory, database).unwrap();
    client.batch_execute(sql).unwrap();
}

impl Citus {
    /// Starts it.
    pub(crate) fn start() -> Citus {
        let start = || {
            let mut server = OwnServer::start();
            server.restart_with(&SETTINGS);
            let directory = server.directory.display();
            for sql in [
                format!("ALTER SYSTEM SET citus.local_hostname = '{directory}'"),
                "SELECT pg_reload_conf()".to_owned(),
            ] {
                execute(&server.directory, "postgres", &sql);
            }
            server
        };
        Citus {
            coordinator: start(),
            worker: start(),
        }
    }

    /// With the database of a GitLab on the coordinator, which the worker takes part in.
    pub(crate) fn gitlab(&self) -> Scene {
        let scene = Scene::gitlab_on(&self.coordinator.directory);
        let database = &scene.database;
        let (coordinator, worker) = (&self.coordinator.directory, &self.worker.directory);
        execute(worker, "postgres", &format!("CREATE DATABASE {database}"));
        for node in [worker, coordinator] {
            execute(node, database, "CREATE EXTENSION citus");
        }
        scene.execute(&format!(
            "SELECT citus_set_coordinator_host('{}', 5432); SELECT citus_add_node('{}', 5432)",
            coordinator.display(),
            worker.display()
        ));
        scene
    }
}
