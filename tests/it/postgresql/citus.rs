//! Targets that are clusters of Citus. There is no package of Citus: scripts/test-citus builds it.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::citus::Citus;
use crate::support::paused::Paused;
use crate::support::program::{command, run};
use crate::support::scene::{Dialect, Scene, fixture_dump};
use crate::support::servers::{connect_in, url_in};
use crate::support::trees::tree;

const TABLES: &str =
    "SELECT logicalrelid::text || ' ' || partmethod::text FROM pg_dist_partition ORDER BY 1";
const DISTRIBUTE: &str = "SELECT create_distributed_table('ci_builds', 'id');
                          SELECT create_reference_table('ci_runners');
                          SELECT create_distributed_table('ci_services', 'id');
                          SELECT citus_add_local_table_to_metadata('ci_variables')";
const LIVE: [&str; 4] = [
    "ci_builds h",
    "ci_runners n",
    "ci_services h",
    "ci_variables n",
];
const ASIDE: [&str; 4] = [
    "ci_import_previous.ci_builds h",
    "ci_import_previous.ci_runners n",
    "ci_import_previous.ci_services h",
    "ci_import_previous.ci_variables n",
];

/// What tells an imported state from another: a row of each kind of table, and how many there are.
fn rows(scene: &Scene) -> Vec<String> {
    scene.values(
        "SELECT 'build ' || id || coalesce(status, '') FROM ci_builds
         UNION ALL SELECT 'runner ' || id || coalesce(description, '') FROM ci_runners
         UNION ALL SELECT 'service ' || id || coalesce(type, '') FROM ci_services
         UNION ALL SELECT 'variable ' || id || coalesce(key, '') FROM ci_variables ORDER BY 1",
    )
}

/// An import that is live, whose tables were distributed and changed after it: the archive, and the rows that are live now.
fn distributed(cluster: &Citus) -> (Scene, String, Vec<String>) {
    let scene = cluster.gitlab();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    let archive = archive.to_str().unwrap().to_owned();
    run(scene.import_command(&archive)).succeeds();
    scene.execute(DISTRIBUTE);
    for table in ["ci_builds", "ci_runners", "ci_services", "ci_variables"] {
        scene.execute(&format!(
            "DELETE FROM {table} WHERE id = (SELECT max(id) FROM {table})"
        ));
    }
    assert_eq!(scene.values(TABLES), LIVE);
    let live = rows(&scene);
    (scene, archive, live)
}

/// The schemas of imports on the worker.
fn schemas_of_worker(cluster: &Citus, database: &str) -> i64 {
    let mut client = connect_in(&cluster.worker.directory, database).unwrap();
    let sql = "SELECT count(*) FROM pg_namespace WHERE nspname ~ '^ci_import'";
    client.query_one(sql, &[]).unwrap().get(0)
}

#[test]
#[ignore = "scripts/test-citus runs it"]
fn a_coordinator_works_as_a_server_does() {
    let cluster = Citus::start();
    let scene = cluster.gitlab();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    let archive = archive.to_str().unwrap();
    for _ in 0..2 {
        let told = run(scene.import_command(archive)).succeeds();
        assert!(!told.whole().contains("Citus"), "{}", told.whole());
    }
    run(scene.command(["verify", archive])).succeeds();
    run(scene.command(["rollback", "--yes"])).succeeds();
    run(scene.command(["verify", archive])).succeeds();
    run(scene.command(["discard", "--yes"])).succeeds();
    assert_eq!(schemas_of_worker(&cluster, &scene.database), 0);
}

#[test]
#[ignore = "scripts/test-citus runs it"]
fn distributed_tables_are_named_and_refused_unless_that_is_asked_for() {
    let cluster = Citus::start();
    let (scene, archive, live) = distributed(&cluster);
    let before = tree(&scene.builds());
    let what = "Citus distributes live tables: public.ci_builds, public.ci_runners, public.ci_services, public.ci_variables";
    run(scene.import_command(&archive))
        .exits(4)
        .says(what)
        .says("with --undistribute");
    let check = |more: &[&str]| {
        let mut check = scene.command(["check", &archive, "--mysql-to-postgresql"]);
        check.args(more);
        run(check)
    };
    check(&[]).exits(4).reports(what);
    assert_eq!(scene.values(TABLES), LIVE);
    assert_eq!(rows(&scene), live);
    assert_eq!(tree(&scene.builds()), before);
    check(&["--undistribute"]).succeeds();

    let mut import = scene.import_command(&archive);
    run(import.arg("--undistribute"))
        .succeeds()
        .reports("ci_builds: Citus distributes the replaced table");
    assert_eq!(scene.values(TABLES), ASIDE);
    run(scene.command(["verify", &archive])).succeeds();
    let imported = rows(&scene);
    assert_ne!(imported, live);

    run(scene.command(["rollback", "--yes"])).succeeds();
    assert_eq!(scene.values(TABLES), LIVE);
    assert_eq!(rows(&scene), live);
    // Its sequence goes on.
    scene.execute("INSERT INTO ci_runners (description) VALUES ('after the rollback')");
    run(scene.command(["rollback", "--yes"])).succeeds();
    assert_eq!(scene.values(TABLES), ASIDE);
    assert_eq!(rows(&scene), imported);
    run(scene.command(["discard", "--yes"])).succeeds();
    assert!(scene.values(TABLES).is_empty());
    assert_eq!(scene.value("SELECT count(*)::text FROM pg_dist_shard"), "0");
    assert_eq!(schemas_of_worker(&cluster, &scene.database), 0);
}

/// Whatever is killed when, one state is there, whole, on both nodes.
#[test]
#[ignore = "scripts/test-citus runs it"]
fn a_killed_publish_of_distributed_tables_leaves_one_state() {
    let cluster = Citus::start();
    let (scene, archive, live) = distributed(&cluster);
    for point in ["live tables locked", "steps done", "to be committed"] {
        let mut import = scene.import_command(&archive);
        import.arg("--undistribute");
        import.env("CI_IMPORT_FAILPOINT", format!("kill:{point}"));
        let killed = run(import);
        assert_eq!(killed.code, None, "{point}: {}", killed.whole());
        run(scene.command(["recover"])).succeeds();
        assert_eq!(scene.values(TABLES), LIVE, "{point}");
        assert_eq!(rows(&scene), live, "{point}");
    }
    let mut import = scene.import_command(&archive);
    import.arg("--undistribute");
    import.env("CI_IMPORT_FAILPOINT", "kill:committed");
    assert_eq!(run(import).code, None);
    run(scene.command(["recover"])).succeeds();
    assert_eq!(scene.values(TABLES), ASIDE);
    run(scene.command(["verify", &archive])).succeeds();
}

#[test]
#[ignore = "scripts/test-citus runs it"]
fn a_dump_that_replaces_a_distributed_table() {
    let cluster = Citus::start();
    let scene = cluster.gitlab();
    let dump = scene.path("shop.sql");
    let sql = "CREATE TABLE `shop` (`id` int NOT NULL, `name` varchar(20), PRIMARY KEY (`id`));
               INSERT INTO `shop` VALUES (1,'a'),(2,'b');\n-- Dump completed\n";
    std::fs::write(&dump, sql).unwrap();
    let dump = dump.to_str().unwrap();
    let import = |more: &[&str]| {
        let mut import = scene.command([dump, "--mysql-to-postgresql", "--replace", "--yes"]);
        import.args(more);
        run(import)
    };
    import(&[]).succeeds();
    scene
        .execute("SELECT create_distributed_table('shop', 'id'); INSERT INTO shop VALUES (3, 'c')");
    import(&[])
        .exits(4)
        .says("Citus distributes live tables: public.shop");
    // It is told when the rows of the table begin, not after all is loaded.
    let broken = scene.path("broken.sql");
    std::fs::write(&broken, format!("{sql}WHAT IS THIS;\n")).unwrap();
    run(scene.command([
        broken.to_str().unwrap(),
        "--mysql-to-postgresql",
        "--replace",
    ]))
    .exits(4)
    .says("Citus distributes live tables: public.shop");
    assert_eq!(scene.value("SELECT count(*)::text FROM shop"), "3");
    import(&["--undistribute"]).succeeds();
    assert_eq!(scene.value("SELECT count(*)::text FROM shop"), "2");
    assert_eq!(scene.values(TABLES), ["ci_import_previous.shop h"]);
}

/// A dump may go to several schemas, each with tables that are distributed.
#[test]
#[ignore = "scripts/test-citus runs it"]
fn distributed_tables_of_several_schemas_are_replaced() {
    let cluster = Citus::start();
    let scene = cluster.gitlab();
    let sql = "CREATE TABLE `shop` (`id` int NOT NULL, PRIMARY KEY (`id`));
               INSERT INTO `shop` VALUES (1),(2);
               CREATE TABLE `logs` (`id` int NOT NULL, PRIMARY KEY (`id`));
               INSERT INTO `logs` VALUES (7);\n-- Dump completed\n";
    let (dump, map) = (scene.path("shop.sql"), scene.path("map.toml"));
    std::fs::write(&dump, sql).unwrap();
    std::fs::write(&map, "[tables.logs]\nschema = \"archive\"\n").unwrap();
    let import = |more: &[&str]| {
        let mut import = scene.command(["--mysql-to-postgresql", "--replace", "--yes"]);
        run(import.arg(&dump).arg("--map").arg(&map).args(more))
    };
    import(&[]).succeeds();
    scene.execute(
        "SELECT create_distributed_table('shop', 'id'), create_reference_table('archive.logs')",
    );
    scene.execute("INSERT INTO shop VALUES (3); INSERT INTO archive.logs VALUES (8)");
    let live = ["archive.logs n", "shop h"];
    import(&[])
        .exits(4)
        .says("Citus distributes live tables: public.shop");
    assert_eq!(scene.values(TABLES), live);
    let counts = "SELECT (SELECT count(*) FROM shop) || ' ' || (SELECT count(*) FROM archive.logs)";
    import(&["--undistribute"]).succeeds();
    assert_eq!(scene.value(counts), "2 1");
    run(scene.command(["rollback", "--yes"])).succeeds();
    assert_eq!(scene.value(counts), "3 2");
    assert_eq!(scene.values(TABLES), live);
}

/// Whoever owns the tables, and may create schemas on all nodes, need not be a superuser.
#[test]
#[ignore = "scripts/test-citus runs it"]
fn an_ordinary_user_replaces_distributed_tables() {
    let cluster = Citus::start();
    let (scene, archive, live) = distributed(&cluster);
    run(scene.command(["discard", "--yes"])).succeeds();
    let database = &scene.database;
    let role = format!("role_{database}");
    scene.execute(&format!("CREATE ROLE {role} LOGIN"));
    for node in [&cluster.worker, &cluster.coordinator] {
        let mut client = connect_in(&node.directory, database).unwrap();
        client
            .batch_execute(&format!(
                "SET citus.enable_ddl_propagation = off; GRANT CREATE ON DATABASE {database} TO {role};
                 GRANT ALL ON SCHEMA public TO {role}"
            ))
            .unwrap();
    }
    for table in scene.values("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'") {
        scene.execute(&format!("ALTER TABLE {table} OWNER TO {role}"));
    }
    let url = url_in(&cluster.coordinator.directory, database);
    let url = url.replace("postgres@", &format!("{role}@"));
    let ci_import = |arguments: &[&str]| {
        let mut command = command(arguments);
        command.args(["--yes", "--database-url", &url]);
        run(command.arg("--builds-path").arg(scene.builds()))
    };
    let import = [&*archive, "--mysql-to-postgresql", "--undistribute"];
    ci_import(&import).succeeds();
    assert_eq!(scene.values(TABLES), ASIDE);
    run(scene.command(["verify", &archive])).succeeds();
    ci_import(&["rollback"]).succeeds();
    assert_eq!(scene.values(TABLES), LIVE);
    assert_eq!(rows(&scene), live);
    ci_import(&["discard"]).succeeds();
    assert_eq!(schemas_of_worker(&cluster, database), 0);
}

/// What would be in the way in the publish is found before.
#[test]
#[ignore = "scripts/test-citus runs it"]
fn what_an_import_cannot_do_there_is_refused() {
    let cluster = Citus::start();
    let (scene, archive, _) = distributed(&cluster);
    let import = |url: &str, schema: &[&str]| {
        let mut import = command([
            &*archive,
            "--mysql-to-postgresql",
            "--yes",
            "--undistribute",
        ]);
        import.arg("--builds-path").arg(scene.builds());
        import.args(["--database-url", url]).args(schema);
        run(import)
    };
    let of = |directory: &Path| url_in(directory, &scene.database);
    import(&of(&cluster.worker.directory), &[])
        .exits(4)
        .says("the target is a worker of a Citus cluster")
        .says("name the coordinator");
    let url = of(&cluster.coordinator.directory);
    scene.execute("CREATE SCHEMA spread; SELECT citus_schema_distribute('spread')");
    import(&url, &["--schema", "spread"])
        .exits(4)
        .says("Citus distributes the schema spread");
    scene.execute("SELECT create_reference_table('tags')");
    import(&url, &[])
        .exits(4)
        .says("Citus distributes tables of GitLab whose rows the import changes: tags");
    assert_eq!(
        scene.values("SELECT nspname::text FROM pg_namespace WHERE nspname ~ 'ci_import_staging'"),
        [""; 0]
    );
}

/// Who reads a table through a worker is waited for no longer than through the coordinator.
#[test]
#[ignore = "scripts/test-citus runs it"]
fn a_lock_on_a_worker_is_waited_for_only_so_long() {
    let cluster = Citus::start();
    let (scene, archive, live) = distributed(&cluster);
    let mut holder = connect_in(&cluster.worker.directory, &scene.database).unwrap();
    let mut transaction = holder.transaction().unwrap();
    transaction
        .batch_execute("SELECT count(*) FROM ci_builds")
        .unwrap();
    let began = Instant::now();
    let mut import = scene.import_command(&archive);
    run(import.args(["--undistribute", "--wait-for-locks", "3"]))
        .exits(4)
        .says("and is kept");
    assert!(began.elapsed() < Duration::from_secs(30));
    drop(transaction);
    assert_eq!(rows(&scene), live);
    assert_eq!(scene.values(TABLES), LIVE);
    run(scene.command(["publish", "--yes"])).succeeds();
    assert_eq!(scene.values(TABLES), ASIDE);
    // The next one drops what was distributed.
    run(scene.import_command(&archive)).succeeds();
    assert!(scene.values(TABLES).is_empty());
}

/// What the import was asked for counts for the publish of what it has kept, too.
#[test]
#[ignore = "scripts/test-citus runs it"]
fn what_is_kept_may_undistribute_as_well() {
    let cluster = Citus::start();
    let (scene, archive, live) = distributed(&cluster);
    let mut holder = scene.connect();
    let mut transaction = holder.transaction().unwrap();
    transaction
        .batch_execute("LOCK TABLE ci_commits IN ACCESS SHARE MODE")
        .unwrap();
    let mut import = scene.import_command(&archive);
    run(import.args(["--undistribute", "--wait-for-locks", "1"]))
        .exits(4)
        .says("and is kept");
    drop(transaction);
    assert_eq!(rows(&scene), live);
    run(scene.command(["publish", "--yes"])).succeeds();
    assert_eq!(scene.values(TABLES), ASIDE);
    run(scene.command(["verify", &archive])).succeeds();
}

/// It is looked at again behind the locks.
#[test]
#[ignore = "scripts/test-citus runs it"]
fn a_table_that_is_distributed_meanwhile_is_refused() {
    let cluster = Citus::start();
    let scene = cluster.gitlab();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    let archive = archive.to_str().unwrap();
    run(scene.import_command(archive)).succeeds();
    let before = tree(&scene.builds());
    let paused = Paused::at(scene.import_command(archive), "to be published");
    scene.execute("SELECT create_distributed_table('ci_builds', 'id')");
    paused
        .finish()
        .exits(4)
        .says("Citus distributes live tables: public.ci_builds");
    assert_eq!(scene.values(TABLES), ["ci_builds h"]);
    assert_eq!(tree(&scene.builds()), before);
}
