//! What would make an import fail after everything is loaded is found by `check`, and refused before the load.

use crate::support::own_server::OwnServer;
use crate::support::pooler::Pooler;
use crate::support::program::run;
use crate::support::scene::{Dialect, Scene, fixture_dump};
use crate::support::state::State;

/// Each with what makes the obstacle, what the program says, and what takes the obstacle away.
#[test]
fn check_finds_what_would_fail_later() {
    for (make, says, hint, unmake) in [
        (
            &["ALTER DATABASE DB SET default_transaction_read_only = on"][..],
            "default_transaction_read_only is on",
            "SET default_transaction_read_only = off",
            "ALTER DATABASE DB RESET default_transaction_read_only",
        ),
        (
            &["CREATE PUBLICATION everything FOR ALL TABLES"],
            "the publication everything is of all tables",
            "drop it before the import",
            "DROP PUBLICATION everything",
        ),
        (
            &["CREATE PUBLICATION ours FOR TABLES IN SCHEMA public"],
            "the publication ours is of all tables in public",
            "drop it before the import",
            "DROP PUBLICATION ours",
        ),
        (
            &[
                "CREATE FUNCTION no() RETURNS event_trigger LANGUAGE plpgsql AS $f$ BEGIN RAISE 'not at night'; END $f$",
                "CREATE EVENT TRIGGER no ON ddl_command_start WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION no()",
            ],
            "RAISE in a function, trigger or block",
            "look for an event trigger that forbids it",
            "DROP EVENT TRIGGER no",
        ),
        (
            &["CREATE SCHEMA ci_import_staging CREATE TABLE a (id int)"],
            "ci-import did not create",
            "rename the schema",
            "DROP SCHEMA ci_import_staging CASCADE",
        ),
    ] {
        let scene = Scene::gitlab();
        let archive = scene.pack(&fixture_dump(Dialect::Native));
        let archive = archive.to_str().unwrap();
        let database = scene.value("SELECT current_database()");
        let execute = |statements: &[&str]| {
            for sql in statements {
                let mut client = scene.connect();
                client
                    .batch_execute("SET default_transaction_read_only = off")
                    .unwrap();
                client.batch_execute(&sql.replace("DB", &database)).unwrap();
            }
        };
        execute(make);
        let before = State::of(&scene);
        run(scene.command(["check", archive, "--mysql-to-postgresql"]))
            .exits(4)
            .reports(says)
            .reports(hint)
            .reports("not ready");
        let refused = run(scene.import_command(archive))
            .exits(4)
            .says(says)
            .says(hint);
        assert!(!refused.stderr.contains("publishing"), "{refused:?}");
        before.assert_same(&State::of(&scene));
        execute(&[unmake]);
        run(scene.import_command(archive)).succeeds();
    }
}

/// Rows in LATIN1 would be refused when they come.
#[test]
fn a_database_that_cannot_hold_every_text_is_refused() {
    let scene = Scene::gitlab();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    let name = format!("{}_latin1", scene.value("SELECT current_database()"));
    scene
        .connect()
        .batch_execute(&format!(
            "CREATE DATABASE {name} ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
        ))
        .unwrap();
    let mut check = crate::support::program::command(["check", archive.to_str().unwrap()]);
    check
        .args(["--mysql-to-postgresql", "--builds-path"])
        .arg(scene.path("live/builds"))
        .args([
            "--database-url",
            &crate::support::servers::postgresql_url(&name),
        ]);
    run(check)
        .exits(4)
        .reports("the database has the encoding LATIN1, which cannot hold every text")
        .reports("CREATE DATABASE … ENCODING 'UTF8'");
    scene
        .connect()
        .batch_execute(&format!("DROP DATABASE {name}"))
        .unwrap();
}

/// What a role says of its sessions does not stop the import.
#[test]
fn settings_of_the_role_do_not_matter() {
    let scene = Scene::gitlab();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    let database = scene.value("SELECT current_database()");
    for setting in [
        "lock_timeout = '1ms'",
        "statement_timeout = '200ms'",
        "idle_in_transaction_session_timeout = '1ms'",
        "standard_conforming_strings = off",
        "default_transaction_isolation = 'serializable'",
        "search_path = 'nowhere'",
        "extra_float_digits = -5",
        "bytea_output = 'escape'",
        "timezone = 'Asia/Tokyo'",
        "datestyle = 'German'",
    ] {
        scene
            .connect()
            .batch_execute(&format!("ALTER DATABASE {database} SET {setting}"))
            .unwrap();
    }
    run(scene.import_command(archive.to_str().unwrap())).succeeds();
    for setting in [
        "lock_timeout",
        "statement_timeout",
        "search_path",
        "default_transaction_isolation",
        "idle_in_transaction_session_timeout",
        "standard_conforming_strings",
        "extra_float_digits",
        "bytea_output",
        "timezone",
        "datestyle",
    ] {
        let mut client = crate::support::servers::connect_postgresql("postgres");
        client
            .batch_execute(&format!("ALTER DATABASE {database} RESET {setting}"))
            .unwrap();
    }
    assert_eq!(scene.value("SELECT count(*) FROM public.ci_builds"), "7");
}

/// What an admin has set on a replaced table is set on the new one, or told.
#[test]
fn settings_of_replaced_tables_are_carried_over_or_told() {
    let scene = Scene::gitlab();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    scene
        .connect()
        .batch_execute(
            "ALTER TABLE ci_builds SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01);
             ALTER TABLE ci_builds ALTER COLUMN status SET STATISTICS 500, ALTER COLUMN status SET (n_distinct = -0.5);
             ALTER TABLE ci_builds ALTER COLUMN commands SET STORAGE EXTERNAL, ALTER COLUMN options SET COMPRESSION pglz;
             ALTER TABLE ci_commits REPLICA IDENTITY FULL;
             ALTER TABLE ci_runners ENABLE ROW LEVEL SECURITY;
             CREATE INDEX of_the_admin ON ci_builds (status);
             CLUSTER ci_builds USING of_the_admin;
             CREATE STATISTICS of_two_columns ON status, name FROM ci_builds;
             ALTER TABLE ci_events SET UNLOGGED",
        )
        .unwrap();
    let mut imported = run(scene.import_command(archive.to_str().unwrap())).succeeds();
    for told in [
        "ci_builds: the replaced table had an index of_the_admin, which the archive does not have",
        "ci_builds: its rows were ordered by the index of_the_admin (CLUSTER), which was not carried over",
        "ci_builds: it had the statistics of_two_columns, which was not carried over",
        "ci_events: it was unlogged, which was not carried over",
    ] {
        imported = imported.reports(told);
    }
    let found = scene.value(
        "SELECT (SELECT array_to_string(reloptions, ',') FROM pg_class WHERE oid = 'public.ci_builds'::regclass),
                (SELECT string_agg(concat_ws(' ', attname, attstattarget, n.option_value, attstorage, attcompression), ', '
                                   ORDER BY attnum)
                 FROM pg_attribute LEFT JOIN LATERAL (SELECT option_value FROM pg_options_to_table(attoptions)
                                                      WHERE option_name = 'n_distinct') n ON true
                 WHERE attrelid = 'public.ci_builds'::regclass AND attname IN ('status', 'commands', 'options')),
                (SELECT relreplident FROM pg_class WHERE oid = 'public.ci_commits'::regclass),
                (SELECT relrowsecurity FROM pg_class WHERE oid = 'public.ci_runners'::regclass)",
    );
    assert_eq!(
        found,
        "fillfactor=70,autovacuum_vacuum_scale_factor=0.01|\
         status 500 -0.5 x , commands -1 e , options -1 x p|f|t"
    );
}

/// What a dump would replace is looked at when the rows of its table begin, not after all is loaded.
#[test]
fn what_a_dump_cannot_replace_is_told_before_its_rows_are_read() {
    let scene = Scene::bare();
    scene.execute(
        "CREATE TABLE t (id int); CREATE TABLE u (id int); CREATE VIEW v AS SELECT id FROM t",
    );
    let dump = scene.path("t.sql");
    let import = |sql: &str| {
        std::fs::write(&dump, sql).unwrap();
        let dump = dump.to_str().unwrap();
        run(scene.command([dump, "--mysql-to-postgresql", "--replace", "--yes"]))
    };
    let table = |name: &str| {
        format!("CREATE TABLE `{name}` (`id` int);\nINSERT INTO `{name}` VALUES (1);\n")
    };
    let broken = |name: &str| table("u") + &table(name) + "WHAT IS THIS;\n";
    import(&broken("t"))
        .exits(4)
        .says("have dependents that would be left behind: the view public.v")
        .says("drop them before the import");
    import(&broken("v"))
        .exits(4)
        .says("public.v exists, but is not an ordinary table")
        .says("rename or drop it before the import");
    // mysqldump makes a table for a view, and drops it when it comes to the view.
    let stands_in = table("u")
        + "CREATE TABLE `t` (`id` int);\nDROP TABLE IF EXISTS `t`;\nCREATE VIEW `t` AS SELECT 1 AS `id`;\n";
    import(&stands_in).succeeds();
    scene.execute("DROP VIEW v");
    import(&broken("t")).exits(1).says("is not understood");
}

/// An owner of a table has code in its types. Nothing of what is looked at runs it with the rights of the importer.
#[test]
fn casts_of_the_owners_types_are_not_called() {
    let scene = Scene::gitlab();
    scene.execute(
        "CREATE TYPE kind AS ENUM ('a');
         CREATE FUNCTION shown(kind) RETURNS json LANGUAGE plpgsql AS $f$ BEGIN RAISE 'it runs as %', current_user; END $f$;
         CREATE CAST (kind AS json) WITH FUNCTION shown(kind);
         CREATE FUNCTION told(kind) RETURNS text LANGUAGE plpgsql AS $f$ BEGIN RAISE 'it runs as %', current_user; END $f$;
         CREATE CAST (kind AS text) WITH FUNCTION told(kind) AS IMPLICIT;
         INSERT INTO ci_builds (status) VALUES ('success');
         ALTER TABLE ci_builds ADD COLUMN mine kind DEFAULT 'a'",
    );
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    run(scene.import_command(archive.to_str().unwrap())).succeeds();
    run(scene.command(["rollback", "--yes"])).succeeds();
    run(scene.import_command(archive.to_str().unwrap())).succeeds();
}

/// GitLab's own tables may belong to somebody else.
#[test]
fn missing_rights_on_gitlabs_tables_are_found() {
    let scene = Scene::gitlab();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    let database = scene.value("SELECT current_database()");
    let role = format!("role_{database}");
    let mut owns: Vec<String> = crate::support::scene::TABLES
        .iter()
        .map(|table| format!("ALTER TABLE {table} OWNER TO {role}"))
        .collect();
    owns.push(format!("GRANT CREATE ON DATABASE {database} TO {role}"));
    owns.push(format!("GRANT ALL ON SCHEMA public TO {role}"));
    owns.push(format!(
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}"
    ));
    scene
        .connect()
        .batch_execute(&format!("CREATE ROLE {role} LOGIN; {}", owns.join("; ")))
        .unwrap();
    let url = crate::support::servers::postgresql_url(&database)
        .replace("postgres@", &format!("{role}@"));
    let mut check = crate::support::program::command(["check", archive.to_str().unwrap()]);
    check
        .args([
            "--mysql-to-postgresql",
            "--database-url",
            &url,
            "--builds-path",
        ])
        .arg(scene.path("live/builds"));
    run(check).exits(4).reports(
        "the user lacks rights on public.application_settings, which the import changes: UPDATE",
    );
    scene
        .connect()
        .batch_execute(&format!("DROP OWNED BY {role} CASCADE; DROP ROLE {role}"))
        .unwrap();
}

/// A standby takes reads, and says no to the first thing that is made.
#[test]
fn a_standby_is_refused() {
    let mut server = OwnServer::start();
    let scene = Scene::gitlab_on(&server.directory);
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    std::fs::write(server.directory.join("current/standby.signal"), "").unwrap();
    server.restart();
    let archive = archive.to_str().unwrap();
    let what = "the target is a standby, which only repeats what its primary does";
    run(scene.command(["check", archive, "--mysql-to-postgresql"]))
        .exits(4)
        .reports(what);
    run(scene.import_command(archive)).exits(4).says(what);
}

/// Sessions of a pool in transaction mode are anybody's; one in session mode is as good as the server.
#[test]
fn a_pooler_in_transaction_mode_is_refused() {
    for (mode, refused) in [("transaction", true), ("session", false)] {
        let pooler = Pooler::start(mode);
        let scene = Scene::gitlab();
        let archive = scene.pack(&fixture_dump(Dialect::Native));
        let database = scene.value("SELECT current_database()");
        let through = |verb: &[&str]| {
            let mut it = crate::support::program::command(verb);
            it.arg(&archive).args([
                "--mysql-to-postgresql",
                "--database-url",
                &pooler.url(&database),
            ]);
            it.arg("--builds-path").arg(scene.path("live/builds"));
            it
        };
        let mut import = through(&[]);
        import.arg("--yes");
        if refused {
            let what = "the connection goes through a pooler in transaction mode";
            run(through(&["check"])).exits(4).reports(what);
            run(import).exits(4).says(what).says("pool_mode = session");
        } else {
            run(through(&["check"])).succeeds();
            run(import).succeeds();
        }
    }
}
