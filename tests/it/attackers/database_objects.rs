//! Whoever owns objects of the database does not get the importer's rights: triggers and functions, names that hide the
//! server's, records of imports that never were.

use std::collections::HashSet;
use std::fs;

use postgres::Client;

use crate::support::paused::Paused;
use crate::support::program::{Outcome, command, run};
use crate::support::scene::{Dialect, Scene, fixture_dump};
use crate::support::server_log::log_of;
use crate::support::servers::next_number;

/// A GitLab whose tables belong to Eve, who has no other rights.
struct Ground {
    scene: Scene,
    archive: String,
    eve: String,
}

impl Ground {
    fn of_eve() -> Ground {
        let scene = Scene::gitlab();
        let archive = scene.pack(&fixture_dump(Dialect::Native));
        let eve = format!("eve_{}", next_number());
        let sql = format!(
            "CREATE ROLE {eve}; GRANT USAGE, CREATE ON SCHEMA public TO {eve};
             DO $$ DECLARE t text; BEGIN
               FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
                 EXECUTE format('ALTER TABLE public.%I OWNER TO {eve}', t);
               END LOOP; END $$"
        );
        scene.connect().batch_execute(&sql).unwrap();
        Ground {
            archive: archive.to_str().unwrap().to_owned(),
            scene,
            eve,
        }
    }

    /// A session with Eve's rights.
    fn as_eve(&self) -> Client {
        let mut client = self.scene.connect();
        let become_eve = format!("SET SESSION AUTHORIZATION {}", self.eve);
        client.batch_execute(&become_eve).unwrap();
        client
    }

    fn is_superuser(&self) -> String {
        let eve = &self.eve;
        self.scene.value(&format!(
            "SELECT rolsuper::text FROM pg_roles WHERE rolname = '{eve}'"
        ))
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        let sql = format!("DROP OWNED BY {0} CASCADE; DROP ROLE {0}", self.eve);
        let _ = self.scene.connect().batch_execute(&sql);
    }
}

/// Functions that make Eve a superuser, if their caller may.
fn make_traps(ground: &Ground) {
    let body = format!(
        "BEGIN IF (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN
           EXECUTE 'ALTER ROLE {} SUPERUSER'; END IF;",
        ground.eve
    );
    let sql = format!(
        "CREATE FUNCTION public.steal() RETURNS trigger LANGUAGE plpgsql AS $f$ {body} RETURN NEW; END $f$;
         CREATE FUNCTION public.steal_text(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $f$ {body} RETURN $1; END $f$;
         CREATE FUNCTION public.steal_bool(text) RETURNS boolean IMMUTABLE LANGUAGE plpgsql
           AS $f$ {body} RETURN true; END $f$;"
    );
    ground.as_eve().batch_execute(&sql).unwrap();
}

/// Eve's traps: what sets them, what takes them away, and what is said.
const TRAPS: [(&str, &str, &str); 9] = [
    (
        "CREATE TRIGGER t BEFORE UPDATE ON application_settings FOR EACH ROW EXECUTE FUNCTION public.steal()",
        "DROP TRIGGER t ON application_settings",
        "application_settings would run code of another user with your rights: the trigger t",
    ),
    (
        "CREATE TRIGGER t BEFORE INSERT OR UPDATE ON tags FOR EACH ROW EXECUTE FUNCTION public.steal()",
        "DROP TRIGGER t ON tags",
        "tags would run",
    ),
    (
        "CREATE CONSTRAINT TRIGGER t AFTER INSERT ON taggings DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW EXECUTE FUNCTION public.steal()",
        "DROP TRIGGER t ON taggings",
        "taggings would run",
    ),
    (
        "CREATE TRIGGER t BEFORE INSERT OR DELETE ON schema_migrations FOR EACH ROW EXECUTE FUNCTION public.steal()",
        "DROP TRIGGER t ON schema_migrations",
        "schema_migrations would run",
    ),
    (
        "CREATE INDEX i ON tags (public.steal_text(name))",
        "DROP INDEX i",
        "the index i, which calls steal_text",
    ),
    (
        "ALTER TABLE tags ADD CONSTRAINT c CHECK (public.steal_bool(name))",
        "ALTER TABLE tags DROP CONSTRAINT c",
        "the constraint c, which calls steal_bool",
    ),
    (
        "ALTER TABLE taggings ADD COLUMN d text DEFAULT public.steal_text('x')",
        "ALTER TABLE taggings DROP COLUMN d",
        "a default, which calls steal_text",
    ),
    (
        "CREATE RULE r AS ON UPDATE TO application_settings DO ALSO SELECT public.steal_text('x')",
        "DROP RULE r ON application_settings",
        "the rule r",
    ),
    (
        "CREATE DOMAIN own AS integer CHECK (public.steal_bool(VALUE::text)); ALTER TABLE taggings ADD COLUMN d own",
        "ALTER TABLE taggings DROP COLUMN d; DROP DOMAIN own",
        "the type of the column d",
    ),
];

#[test]
fn code_of_a_tables_owner_does_not_run_with_the_importers_rights() {
    let ground = Ground::of_eve();
    make_traps(&ground);
    let import = || ground.scene.import_command(&ground.archive);
    let with_each = |tries: &dyn Fn(&str) -> Vec<Outcome>| {
        for (trap, disarm, says) in TRAPS {
            for outcome in tries(trap) {
                outcome.exits(4).says(says).says("drop it for the time");
            }
            assert_eq!(ground.is_superuser(), "false", "{trap}");
            ground.as_eve().batch_execute(disarm).unwrap();
        }
    };
    let arm = |trap: &str| ground.as_eve().batch_execute(trap).unwrap();
    with_each(&|trap| {
        arm(trap);
        vec![run(import())]
    });
    // At the last moment, behind the checks.
    with_each(&|trap| {
        let paused = Paused::at(import(), "to be published");
        arm(trap);
        vec![paused.finish()]
    });
    run(import()).succeeds();
    // A rollback and the migrations write to them, too.
    with_each(&|trap| {
        arm(trap);
        let mut migrate = command(["migrate", "up", "20000101000011"]);
        migrate.args(["--database-url", &ground.scene.url()]);
        vec![
            run(ground.scene.command(["rollback", "--yes"])),
            run(migrate),
        ]
    });
    run(ground.scene.command(["rollback", "--yes"])).succeeds();
    assert_eq!(ground.is_superuser(), "false");
}

/// The services get their new names also if the archive does not bring their table.
#[test]
fn services_that_the_archive_does_not_bring_run_nobodys_code() {
    let ground = Ground::of_eve();
    make_traps(&ground);
    ground
        .as_eve()
        .batch_execute(
            "INSERT INTO ci_services (type, project_id) VALUES ('SlackService', 1);
             CREATE TRIGGER t BEFORE UPDATE ON ci_services FOR EACH ROW EXECUTE FUNCTION public.steal()",
        )
        .unwrap();
    let mut import = ground.scene.import_command(&ground.archive);
    import.args(["--skip-table", "ci_services"]);
    run(import)
        .exits(4)
        .says("ci_services would run code of another user");
    assert_eq!(ground.is_superuser(), "false");
}

/// Commands that only look at a database do not run the code of who owns its tables: here the cast of a type of Eve's.
#[test]
fn who_only_looks_runs_nobodys_code() {
    let ground = Ground::of_eve();
    let eve = &ground.eve;
    ground
        .as_eve()
        .batch_execute(&format!(
            "DROP TABLE schema_migrations;
             CREATE TYPE public.own AS (a text);
             CREATE FUNCTION public.to_text(public.own) RETURNS text LANGUAGE plpgsql
               AS $$ BEGIN ALTER ROLE {eve} SUPERUSER; RETURN 'x'; END $$;
             CREATE CAST (public.own AS text) WITH FUNCTION public.to_text(public.own);
             CREATE TABLE schema_migrations (version public.own);
             INSERT INTO schema_migrations VALUES (ROW('20150920161119'))"
        ))
        .unwrap();
    // It does run for who asks without thinking.
    let asked = ground
        .scene
        .value("SELECT max(version::text) FROM schema_migrations");
    assert_eq!(
        (asked.as_str(), ground.is_superuser().as_str()),
        ("x", "true")
    );
    let back = format!("ALTER ROLE {eve} NOSUPERUSER");
    ground.scene.connect().batch_execute(&back).unwrap();
    run(ground.scene.command(["plan"])).succeeds();
    let folder = tempfile::tempdir().unwrap();
    let builds = ground.scene.builds();
    fs::create_dir_all(&builds).unwrap();
    let mut backup = command(["backup", "--ci-version", "8.0.5", "--database-url"]);
    backup
        .arg(ground.scene.url())
        .arg("--builds-path")
        .arg(&builds);
    run(backup.arg("-o").arg(folder.path()))
        .succeeds()
        .reports("the database does not say which migration was its last");
    assert_eq!(ground.is_superuser(), "false");
}

/// A version is recorded in a table of Eve's, whether the migration is one transaction or none.
#[test]
fn a_recorded_version_runs_nobodys_code() {
    let ground = Ground::of_eve();
    make_traps(&ground);
    let (trap, _, says) = TRAPS[3];
    ground.as_eve().batch_execute(trap).unwrap();
    for (name, text) in [
        ("one", "CREATE TABLE one (id int);\n"),
        (
            "none",
            "-- migrate:no-transaction\nCREATE TABLE IF NOT EXISTS none (id int);\n",
        ),
    ] {
        let folder = ground.scene.path(name);
        fs::create_dir_all(folder.join("migrate")).unwrap();
        let file = folder.join("migrate/20260101000000_x.sql");
        fs::write(file, text).unwrap();
        let mut migrate = command(["migrate", "up", "20260101000000", "--migrations"]);
        migrate
            .arg(&folder)
            .args(["--database-url", &ground.scene.url()]);
        run(migrate).exits(4).says(says);
        assert_eq!(ground.is_superuser(), "false", "{name}");
    }
}

/// Hides what the server has by objects of the same names in `public`, all of which fail when they are used.
const SHADOWS: &str = r"
SET search_path = pg_catalog;
CREATE FUNCTION public.caught(what text) RETURNS boolean LANGUAGE plpgsql AS
  $f$ BEGIN RAISE EXCEPTION 'caught: %', what; END $f$;
CREATE FUNCTION public.hide() RETURNS void LANGUAGE plpgsql AS $all$
DECLARE r record;
BEGIN
  FOR r IN SELECT DISTINCT p.proname, pg_get_function_identity_arguments(p.oid) AS arguments,
                  format_type(p.prorettype, NULL) AS result
           FROM pg_proc p WHERE pronamespace = 'pg_catalog'::regnamespace AND NOT proretset
             AND NOT EXISTS (SELECT 1 FROM unnest(proargtypes) a WHERE a IN ('internal'::regtype, 'cstring'::regtype))
             AND prorettype NOT IN ('internal'::regtype, 'trigger'::regtype, 'event_trigger'::regtype, 'cstring'::regtype)
             AND proname !~ '^(binary_upgrade|gin|gist|brin|bt|hash|spg|RI|ts|jsonb?_agg)'
  LOOP
    BEGIN
      EXECUTE format('CREATE FUNCTION public.%I(%s) RETURNS %s LANGUAGE plpgsql AS $f$ BEGIN
                      PERFORM public.caught(%L); RETURN NULL; END $f$',
                     r.proname, replace(replace(r.arguments, 'VARIADIC ', ''), 'ORDER BY ', ''), r.result, r.proname);
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
  END LOOP;
  FOR r IN SELECT oprname, format_type(oprleft, NULL) AS l, format_type(oprright, NULL) AS r,
                  format_type(oprresult, NULL) AS result, oid
           FROM pg_operator WHERE oprnamespace = 'pg_catalog'::regnamespace AND oprleft <> 0
             AND oprname IN ('=', '<>', '<', '>', '||', '~', '!~', '~~', '<<', '|', '-', '+', '->', '->>')
  LOOP
    BEGIN
      EXECUTE format('CREATE FUNCTION public.op_%s(%s, %s) RETURNS %s LANGUAGE plpgsql AS $f$ BEGIN
                      PERFORM public.caught(%L); RETURN NULL; END $f$', r.oid, r.l, r.r, r.result, 'operator ' || r.oprname);
      EXECUTE format('CREATE OPERATOR public.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = public.op_%s)',
                     r.oprname, r.l, r.r, r.oid);
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
  END LOOP;
  FOR r IN SELECT relname FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind IN ('r', 'v')
  LOOP
    EXECUTE format('CREATE VIEW public.%I AS SELECT public.caught(%L)', r.relname, r.relname);
  END LOOP;
  FOR r IN SELECT unnest(ARRAY['text', 'oid', 'name', 'regclass', 'regtype', 'regnamespace', 'json']) AS name
  LOOP
    EXECUTE format('CREATE DOMAIN public.%I AS pg_catalog.%I CHECK (public.caught(%L))', r.name, r.name, 'type ' || r.name);
  END LOOP;
END $all$;
SELECT public.hide();
";

/// Runs `command`: it succeeds, and used none of the names.
fn is_not_caught(command: std::process::Command, code: i32) -> Outcome {
    let outcome = run(command);
    assert!(!outcome.whole().contains("caught"), "{}", outcome.whole());
    outcome.exits(code)
}

#[test]
fn names_that_hide_the_servers_own_are_not_used() {
    let ground = Ground::of_eve();
    let scene = &ground.scene;
    let mut client = scene.connect();
    client.batch_execute(SHADOWS).unwrap();
    let made = "SELECT pg_catalog.count(*) FROM pg_catalog.pg_proc
                WHERE pronamespace = 'public'::pg_catalog.regnamespace";
    let made: i64 = client.query_one(made, &[]).unwrap().get(0);
    assert!(made > 1000, "only {made} functions");
    let database = &scene.database;
    let settings = format!(
        "ALTER DATABASE {database} SET search_path = public, pg_catalog;
         ALTER DATABASE {database} SET log_statement = 'all'"
    );
    client.batch_execute(&settings).unwrap();
    // They do catch whoever uses such a name.
    let trapped = scene.connect().batch_execute("SELECT * FROM pg_class");
    let caught = trapped.unwrap_err();
    let message = caught.as_db_error().unwrap().message();
    assert!(message.contains("caught"), "{message}");
    let archive = ground.archive.as_str();
    let migrate = |arguments: &[&str]| {
        let mut it = command(["migrate"]);
        it.args(arguments).args(["--database-url", &scene.url()]);
        it
    };
    for command in [
        scene.command(["check", archive, "--mysql-to-postgresql"]),
        scene.import_command(archive),
        scene.command(["verify", archive, "--mysql-to-postgresql"]),
        scene.command(["plan"]),
        migrate(&["status"]),
        migrate(&[]),
        scene.import_command(archive),
        scene.command(["rollback", "--yes"]),
        scene.command(["recover"]),
        scene.command(["rollback", "--yes"]),
        scene.command(["discard", "--yes"]),
    ] {
        is_not_caught(command, 0);
    }
    // A killed publish is recovered; what is kept for others is published later.
    let mut import = scene.import_command(archive);
    import.env("CI_IMPORT_FAILPOINT", "kill:journal written");
    assert_eq!(run(import).code, None);
    is_not_caught(scene.command(["recover"]), 0);
    let mut holder = scene.connect();
    let mut holding = holder.transaction().unwrap();
    let hold = "LOCK TABLE public.ci_builds IN ACCESS SHARE MODE";
    holding.batch_execute(hold).unwrap();
    let mut import = scene.import_command(archive);
    import.args(["--wait-for-locks", "1"]);
    is_not_caught(import, 4).says("ci-import publish");
    drop(holding);
    is_not_caught(scene.command(["publish", "--yes"]), 0);
    let rows = "SELECT pg_catalog.count(*) FROM public.ci_builds";
    let rows: i64 = client.query_one(rows, &[]).unwrap().get(0);
    assert_eq!(rows, 7);
    the_log_knows_of_nothing(database);
}

/// The server's own log: each session has pinned what names mean with its first statement, and no name was caught but ours,
/// not even where the program goes on after an error.
fn the_log_knows_of_nothing(database: &str) {
    let log = log_of(database);
    let caught = log
        .iter()
        .filter(|(.., line)| line.contains("ERROR:  caught"));
    let caught: Vec<&str> = caught.map(|(.., line)| line.as_str()).collect();
    assert_eq!(caught, ["ERROR:  caught: pg_class"]);
    let mut sessions = HashSet::new();
    for (session, program, line) in &log {
        let is_statement =
            line.starts_with("LOG:  statement: ") || line.starts_with("LOG:  execute ");
        if program == "ci-import" && is_statement && sessions.insert(session) {
            let pin = "SELECT pg_catalog.set_config('";
            assert!(
                line.contains(pin),
                "the first statement of {session}: {line}"
            );
        }
    }
    assert!(sessions.len() > 20, "only {} sessions", sessions.len());
}

#[test]
fn a_forged_record_moves_no_table_and_removes_no_directory() {
    let ground = Ground::of_eve();
    let scene = &ground.scene;
    scene
        .connect()
        .batch_execute(&format!(
            "CREATE SCHEMA payroll; CREATE TABLE payroll.salaries (id int); INSERT INTO payroll.salaries VALUES (1);
             GRANT CREATE ON DATABASE {} TO {}",
            scene.database, ground.eve
        ))
        .unwrap();
    let aside = scene.builds().with_file_name("builds.1400000000");
    fs::create_dir(&aside).unwrap();
    let forge = |schema: &str, published: &str, builds: &str| {
        let record = format!(
            "{{\"schema\":\"{schema}\",\"published\":[{published}],\"replaced\":[{published}],\"builds\":{builds},\
             \"older_builds\":[]}}"
        );
        let sql = format!(
            "DROP SCHEMA IF EXISTS ci_import_previous CASCADE; CREATE SCHEMA ci_import_previous;
             CREATE TABLE ci_import_previous.salaries (id int);
             COMMENT ON SCHEMA ci_import_previous IS 'tables replaced by ci-import\n{record}'"
        );
        ground.as_eve().batch_execute(&sql).unwrap();
    };
    let path = scene.builds();
    let builds = format!(
        "{{\"path\":{:?},\"previous\":1400000000}}",
        path.to_str().unwrap()
    );
    for (schema, published, builds) in [
        ("payroll", "\"salaries\"", "null"),
        ("public", "", builds.as_str()),
        ("payroll", "\"salaries\"", builds.as_str()),
    ] {
        forge(schema, published, builds);
        for command in ["rollback", "discard"] {
            run(scene.command([command, "--yes"]))
                .exits(4)
                .says(&format!("belongs to {} and decides about", ground.eve));
        }
        assert!(aside.exists());
        assert_eq!(scene.value("SELECT id FROM payroll.salaries"), "1");
    }
    // Tables of his own must not come into schemas of others, nor into those of the server.
    for live in ["pg_catalog", "payroll"] {
        let record = format!(
            "{{\"schema\":\"public\",\"published\":[],\"replaced\":[],\"builds\":null,\"older_builds\":[],\"others\":\
             [{{\"schema\":\"{live}\",\"published\":[],\"replaced\":[\"planted\"]}}]}}"
        );
        let sql = format!(
            "DROP SCHEMA IF EXISTS ci_import_previous CASCADE; CREATE SCHEMA ci_import_previous;
             CREATE SCHEMA \"ci_import_previous.{live}\"; CREATE TABLE \"ci_import_previous.{live}\".planted (id int);
             COMMENT ON SCHEMA ci_import_previous IS 'tables replaced by ci-import\n{record}'"
        );
        ground.as_eve().batch_execute(&sql).unwrap();
        for command in ["rollback", "discard"] {
            run(scene.command([command, "--yes"]))
                .exits(4)
                .says(&format!("decides about the schema {live}"));
        }
        let drop = format!("DROP SCHEMA \"ci_import_previous.{live}\" CASCADE");
        ground.as_eve().batch_execute(&drop).unwrap();
    }
    forge("payroll", "\"salaries\"", "null");
    run(scene.import_command(&ground.archive))
        .exits(4)
        .says("belongs to");
}
