//! Every query that meets many rows or many tables has a plan that is fit for them, also while the server knows nothing of the
//! tables.

use crate::support::many_rows::{MANY, Pace, inserts, many_of_ci};
use crate::support::own_server::OwnServer;
use crate::support::program::{command, run};
use crate::support::scene::Scene;

fn pace(scene: &Scene) -> Pace {
    Pace::of(|| {
        scene
            .connect()
            .batch_execute(&format!(
                "CREATE TABLE public.copied AS SELECT n, 'tag ' || n AS name, NULL::text AS nothing FROM generate_series(1, {MANY}) n;
                 CREATE INDEX ON public.copied (name); DROP TABLE public.copied"
            ))
            .unwrap();
    })
}

#[test]
fn tags_services_jobs_and_builds() {
    let scene = Scene::gitlab();
    scene
        .connect()
        .batch_execute(&format!(
            "ALTER TABLE tags SET (autovacuum_enabled = off); ALTER TABLE taggings SET (autovacuum_enabled = off);
             INSERT INTO tags (name) SELECT 'tag ' || 2 * n FROM generate_series(1, {MANY}) n;
             INSERT INTO taggings (tag_id, taggable_id, taggable_type, context)
             SELECT 1 + n % {MANY}, n, CASE WHEN n % 3 = 0 THEN 'Project' ELSE 'Ci::Build' END, 'c' || n % 1000
             FROM generate_series(1, {MANY}) n"
        ))
        .unwrap();
    let archive = scene.pack(&many_of_ci());
    let archive = archive.to_str().unwrap();
    let pace = pace(&scene);
    pace.step("import", || run(scene.import_command(archive)).succeeds());
    let count = |sql: &str| scene.value(&format!("SELECT count(*) FROM {sql}"));
    let many = MANY.to_string();
    assert_eq!(count("ci_services WHERE type = 'Ci::SlackService'"), many);
    assert_eq!(
        count("taggings WHERE taggable_type = 'Ci::Build' AND created_at IS NOT NULL"),
        many
    );
    for (what, arguments) in [
        ("check", ["check", archive, "--mysql-to-postgresql"]),
        ("verify", ["verify", archive, "--mysql-to-postgresql"]),
    ] {
        pace.step(what, || run(scene.command(arguments)).succeeds());
    }
    for _ in 0..2 {
        pace.step("rollback", || {
            run(scene.command(["rollback", "--yes"])).succeeds()
        });
    }
    assert_eq!(
        count("taggings WHERE taggable_type = 'Ci::Build' AND created_at IS NOT NULL"),
        many
    );
    let migrate = |arguments: &[&str]| {
        let mut command = command(["migrate"]);
        command
            .args(arguments)
            .args(["--database-url", &scene.url()]);
        run(command)
    };
    for version in ["20000101000011", "20000101000012"] {
        pace.step(version, || migrate(&["up", version]).succeeds());
    }
    pace.step("migrate", || migrate(&[]).succeeds());
    pace.step("discard", || {
        run(scene.command(["discard", "--yes"])).succeeds()
    });
}

#[test]
fn values_that_decide() {
    let scene = Scene::bare();
    let half = MANY / 2;
    let mut dump = String::from("-- MySQL dump 10.13\n");
    for (definition, rows) in [
        (
            "CREATE TABLE `replaced` (`id` int NOT NULL, `a` int, `b` varchar(20), PRIMARY KEY (`id`), UNIQUE KEY `ab` (`a`,`b`)) ENGINE=InnoDB;\n",
            inserts("replaced", "REPLACE", MANY, |n| format!("({n},{},'b{}')", n % half, n % half)),
        ),
        (
            "CREATE TABLE `ignored` (`id` int NOT NULL, `b` varchar(20), PRIMARY KEY (`id`)) ENGINE=InnoDB;\n",
            inserts("ignored", "INSERT IGNORE", MANY, |n| format!("({},'b{n}')", n % half)),
        ),
        (
            "CREATE TABLE `parents` (`id` bigint unsigned NOT NULL AUTO_INCREMENT, `flag` tinyint(1), PRIMARY KEY (`id`)) ENGINE=InnoDB;\n",
            inserts("parents", "INSERT", MANY, |n| {
                let id = if n == MANY { u64::MAX } else { n as u64 };
                format!("({id},{})", if n == MANY { 7 } else { n % 2 })
            }),
        ),
        (
            "CREATE TABLE `children` (`id` int NOT NULL AUTO_INCREMENT, `parent` bigint unsigned, `other` bigint unsigned, `size` int,
               `double` int GENERATED ALWAYS AS (`size` * 2) STORED, `half` int GENERATED ALWAYS AS (`size` DIV 2) STORED,
               PRIMARY KEY (`id`), KEY `p` (`parent`), CONSTRAINT `kept` FOREIGN KEY (`parent`) REFERENCES `parents` (`id`),
               CONSTRAINT `violated` FOREIGN KEY (`other`) REFERENCES `parents` (`id`), CHECK (`size` >= 0)) ENGINE=InnoDB;\n",
            inserts("children", "INSERT", MANY, |n| {
                let other = if n == MANY { 99_999_999 } else { n };
                format!("({n},{},{other},{n},{},{})", if n == MANY { 1 } else { n }, 2 * n, n / 2)
            }),
        ),
    ] {
        dump += definition;
        dump += &rows;
    }
    dump += "-- Dump completed\n";
    let file = scene.path("many.sql");
    std::fs::write(&file, dump).unwrap();
    let file = file.to_str().unwrap();
    let pace = pace(&scene);
    let url = scene.url();
    let of = |arguments: &[&str]| {
        let mut command = command(arguments.iter());
        run(command.args(["--quiet", "--database-url", &url]))
    };
    pace.step("import", || {
        of(&[file, "--yes", "--verify", "full"]).succeeds()
    });
    let others = [
        "verify",
        file,
        "--skip-table",
        "replaced",
        "--skip-table",
        "ignored",
    ];
    pace.step("verify", || of(&others).succeeds());
    let counts = scene.values(
        "SELECT (SELECT count(*) FROM replaced), (SELECT count(*) FROM ignored), (SELECT min(id) FROM replaced),
                (SELECT count(*) FROM children WHERE half = id / 2)",
    );
    assert_eq!(counts, [format!("{half}|{half}|{}|{MANY}", half + 1)]);
    let of_parents = "SELECT string_agg(format_type(atttypid, atttypmod), ' ' ORDER BY attnum)
                      FROM pg_attribute WHERE attrelid = 'parents'::regclass AND attnum > 0";
    assert_eq!(scene.value(of_parents), "numeric(20,0) smallint");
}

#[test]
fn many_tables() {
    const TABLES: usize = 500;
    const TOO_MANY: usize = 800;
    let mut server = OwnServer::start_in_memory();
    server.restart_with(&[
        "max_wal_size=1GB",
        "autovacuum=off",
        "max_connections=30",
        "max_locks_per_transaction=10",
    ]);
    let scene = Scene::bare_on(&server.directory);
    let dump = |tables: usize| {
        let mut dump = String::from("-- MySQL dump 10.13\n");
        for n in 1..=tables {
            let references = match n {
                1 => String::new(),
                n => format!(
                    ", CONSTRAINT `f{n}` FOREIGN KEY (`of`) REFERENCES `t{}` (`id`)",
                    n - 1
                ),
            };
            dump += &format!(
                "CREATE TABLE `t{n}` (`id` int NOT NULL AUTO_INCREMENT, `of` int COMMENT 'c', PRIMARY KEY (`id`), KEY `of` (`of`)
                 {references}) ENGINE=InnoDB COMMENT='table {n}';\nINSERT INTO `t{n}` VALUES (1,1);\n"
            );
        }
        dump += "-- Dump completed\n";
        let file = scene.path(&format!("{tables}.sql"));
        std::fs::write(&file, dump).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let url = scene.url();
    let of = |arguments: &[&str]| {
        let mut command = command(arguments.iter());
        run(command.args(["--quiet", "--database-url", &url]))
    };
    // The server has no room for the locks of one transaction: the import fails, and leaves nothing that would fail later.
    of(&[&dump(TOO_MANY), "--yes"])
        .says("out of shared memory")
        .exits(4)
        .says("max_locks_per_transaction");
    assert_eq!(
        scene.value("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'ci_import%'"),
        "0"
    );
    of(&[&dump(20), "--yes"]).succeeds();

    server.restart_with(&[
        "max_wal_size=1GB",
        "autovacuum=off",
        "max_locks_per_transaction=1024",
    ]);
    // As many tables, made by the server's own means.
    let pace = Pace::of(|| {
        let make = "CREATE TABLE copied.t%s (id serial PRIMARY KEY, of int); CREATE INDEX ON copied.t%s (of)";
        let sql = format!(
            "CREATE SCHEMA copied;
             DO $$ BEGIN FOR n IN 1..{TABLES} LOOP EXECUTE format('{make}', n, n); END LOOP; END $$"
        );
        scene.connect().batch_execute(&sql).unwrap();
    });
    let file = &dump(TABLES);
    pace.step("check", || of(&["check", file]));
    pace.step("import", || of(&[file, "--yes", "--replace"]).succeeds());
    scene
        .connect()
        .batch_execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC")
        .unwrap();
    pace.step("replace", || of(&[file, "--yes", "--replace"]).succeeds());
    assert_eq!(
        scene.value("SELECT count(*) FROM pg_class WHERE relacl IS NOT NULL AND relnamespace = 'public'::regnamespace AND relkind = 'r'"),
        TABLES.to_string()
    );
    pace.step("verify", || of(&["verify", file]).succeeds());
    pace.step("rollback", || of(&["rollback", "--yes"]).succeeds());
    pace.step("discard", || of(&["discard", "--yes"]).succeeds());
}
