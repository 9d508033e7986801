//! What an import leaves in a GitLab 8.0 is what GitLab's own `ci:migrate` leaves, catalog by catalog and row by row, but for
//! what the book lists.

use std::fs;
use std::process::{Command, Stdio};

use crate::archive::postgres_source::pg_dump;
use crate::support::converter::converted;
use crate::support::lines::only;
use crate::support::program::run;
use crate::support::scene::{Dialect, Scene, TABLES, fixture_dump};
use crate::support::servers::{expect_success, postgresql, postgresql_programs};

/// Everything that the catalogs say about the schema of GitLab; a line begins with what it is about. pg_attver says how often the
/// server has made a column anew (PostgreSQL of November 2026).
const CATALOGS: &str = "
WITH relation AS (
  SELECT c.*, c.oid AS id FROM pg_class c WHERE relnamespace = 'public'::regnamespace)
SELECT concat_ws(' ', 'schema', nspname, nspowner::regrole, nspacl) FROM pg_namespace
WHERE nspname !~ '^(pg_|information_schema)' AND nspname <> 'ci_import_previous'
UNION ALL
SELECT concat_ws(' ', 'relation', relname, relkind, relpersistence, relowner::regrole, relreplident, relrowsecurity,
                 relforcerowsecurity, relispartition, relhastriggers, reltablespace,
                 (SELECT amname FROM pg_am WHERE pg_am.oid = relam))
FROM relation
UNION ALL SELECT concat_ws(' ', 'rights', relname, relacl) FROM relation WHERE relacl IS NOT NULL
UNION ALL SELECT concat_ws(' ', 'storage', relname, reloptions) FROM relation WHERE reloptions IS NOT NULL
UNION ALL
SELECT concat_ws(' ', 'comment', relname, objsubid, description)
FROM pg_description JOIN relation ON id = objoid AND classoid = 'pg_class'::regclass
UNION ALL
SELECT concat_ws(' ', 'column', relname, attname, attnum, format_type(atttypid, atttypmod), attnotnull,
                 'default', pg_get_expr(adbin, adrelid), attidentity, attstorage, attcollation::regcollation, attacl,
                 NULLIF(ARRAY(SELECT option FROM unnest(attoptions) option WHERE option !~ '^pg_attver='), '{}'), attislocal)
FROM relation JOIN pg_attribute ON attrelid = id AND attnum > 0 AND NOT attisdropped
LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE relkind = 'r'
UNION ALL
SELECT concat_ws(' ', 'index', indisvalid, indisready, indisunique, indisprimary, indisclustered, indisreplident,
                 indimmediate, pg_get_indexdef(indexrelid))
FROM pg_index JOIN relation ON id = indrelid
UNION ALL
SELECT concat_ws(' ', 'constraint', relname, conname, convalidated, pg_get_constraintdef(pg_constraint.oid))
FROM pg_constraint JOIN relation ON id = conrelid
UNION ALL
SELECT concat_ws(' ', 'sequence', sequencename, sequenceowner, data_type, start_value, min_value, max_value,
                 increment_by, cycle, cache_size)
FROM pg_sequences WHERE schemaname = 'public'
UNION ALL
SELECT concat_ws(' ', 'owned', objid::regclass, refobjid::regclass, refobjsubid)
FROM pg_depend JOIN relation ON id = objid AND relkind = 'S'
WHERE classid = 'pg_class'::regclass AND deptype IN ('a', 'i')
UNION ALL
SELECT concat_ws(' ', 'trigger', relname, pg_get_triggerdef(pg_trigger.oid))
FROM pg_trigger JOIN relation ON id = tgrelid WHERE NOT tgisinternal
UNION ALL SELECT concat_ws(' ', 'policy', relname, polname) FROM pg_policy JOIN relation ON id = polrelid
UNION ALL SELECT concat_ws(' ', 'rule', relname, rulename) FROM pg_rewrite JOIN relation ON id = ev_class
UNION ALL SELECT concat_ws(' ', 'statistics', stxname) FROM pg_statistic_ext
UNION ALL SELECT concat_ws(' ', 'published', pubname, tablename) FROM pg_publication_tables
UNION ALL SELECT concat_ws(' ', 'inherits', inhrelid::regclass, inhparent::regclass) FROM pg_inherits
UNION ALL
SELECT concat_ws(' ', 'type', typname, typtype) FROM pg_type
WHERE typnamespace = 'public'::regnamespace AND typcategory <> 'A' AND typtype <> 'c'
UNION ALL SELECT concat_ws(' ', 'function', proname) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT concat_ws(' ', 'extension', extname) FROM pg_extension
UNION ALL SELECT concat_ws(' ', 'setting', setconfig) FROM pg_db_role_setting
WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
ORDER BY 1";

/// Everything of a GitLab's database: its catalogs, its rows, and where its sequences are.
fn contents(scene: &Scene) -> Vec<String> {
    let mut lines = scene.values(CATALOGS);
    let relations = |kind: &str| {
        scene.values(&format!(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = '{kind}' ORDER BY 1"
        ))
    };
    for table in relations("r") {
        // Which number a tagging has depends on the plan of ci:migrate's statement.
        let row = if table == "taggings" {
            "(to_jsonb(t) - 'id')::text"
        } else {
            "to_jsonb(t)::text"
        };
        lines.extend(scene.values(&format!(
            "SELECT 'row {table} ' || {row} FROM public.{table} t ORDER BY 1"
        )));
    }
    for sequence in relations("S") {
        lines.extend(scene.values(&format!(
            "SELECT concat_ws(' ', 'next of {sequence}', last_value + is_called::int) FROM public.{sequence}"
        )));
    }
    lines
}

/// A GitLab that has been used: tags that CI has, too, several settings, and what an earlier import has left.
fn gitlab() -> Scene {
    let scene = Scene::gitlab();
    scene
        .connect()
        .batch_execute(
            "ALTER TABLE application_settings ADD created_at timestamp, ADD updated_at timestamp;
             UPDATE application_settings SET updated_at = '2015-09-22 00:00:00', ci_enabled = false;
             INSERT INTO tags (name) VALUES ('日本'), ('RUBY');
             INSERT INTO taggings (tag_id, taggable_id, taggable_type, context) VALUES
               (3, 2, 'Ci::Build', 'tags'), (5, 13, 'Project', 'skills');
             INSERT INTO ci_sessions (session_id) VALUES ('a');
             INSERT INTO ci_jobs (project_id) VALUES (77);
             INSERT INTO ci_services (type, project_id) VALUES ('Ci::OldService', 1);
             CREATE TABLE projects (id serial PRIMARY KEY, name varchar NOT NULL);
             INSERT INTO projects (name) VALUES ('a'), ('b')",
        )
        .unwrap();
    scene
}

/// Plays what `ci:migrate` of GitLab 8.0.5 does to the database, in its order.
fn play_ci_migrate(scene: &Scene, dump: &[u8]) {
    let enable = |enabled: bool| {
        scene
            .connect()
            .batch_execute(&format!(
                "UPDATE application_settings SET ci_enabled = {enabled}, updated_at = '2015-10-02 00:00:00'
                 WHERE id = (SELECT max(id) FROM application_settings)"
            ))
            .unwrap();
    };
    enable(false);
    let file = scene.path("played.sql");
    fs::write(&file, dump).unwrap();
    let mut psql = Command::new(postgresql_programs().join("psql"));
    psql.args(["-X", "-q", "-U", "postgres", "-h"])
        .arg(&postgresql().directory)
        .arg(&scene.database)
        .stdin(fs::File::open(&file).unwrap())
        .stdout(Stdio::null());
    expect_success(&psql.output().unwrap());
    scene
        .connect()
        .batch_execute(
            "DO $$ DECLARE one record; BEGIN
               FOR one IN SELECT name FROM ci_tags LOOP
                 BEGIN INSERT INTO tags (name) VALUES (one.name); EXCEPTION WHEN unique_violation THEN NULL; END;
               END LOOP;
             END $$;
             DELETE FROM taggings WHERE context = 'tags' AND taggable_type LIKE 'Ci::%';
             INSERT INTO taggings (taggable_type, taggable_id, tag_id, context)
               SELECT concat('Ci::', c.taggable_type), c.taggable_id, tags.id, 'tags'
               FROM ci_taggings c JOIN ci_tags ON ci_tags.id = c.tag_id JOIN tags ON tags.name = ci_tags.name;
             UPDATE tags SET taggings_count = (SELECT count(*) FROM taggings WHERE tag_id = tags.id);
             UPDATE ci_services SET type = concat('Ci::', type) WHERE type NOT LIKE 'Ci::%'",
        )
        .unwrap();
    enable(true);
}

fn import(scene: &Scene, dump: &[u8], options: &[&str]) {
    let archive = scene.pack(dump);
    let mut command = scene.command([archive.to_str().unwrap(), "--yes"]);
    run(command.args(options)).succeeds();
}

/// The lines that only one of the two has.
fn differences(played: &[String], imported: &[String]) -> (Vec<String>, Vec<String>) {
    (only(played, imported), only(imported, played))
}

/// The only lines that differ are these; a line may be named by its beginning.
#[track_caller]
fn assert_only(found: &[String], expected: &[&str], what: &str) {
    let shown: Vec<String> = found
        .iter()
        .map(|line| line.chars().take(300).collect())
        .collect();
    assert!(
        found.len() == expected.len()
            && found
                .iter()
                .zip(expected)
                .all(|(line, expected)| line.starts_with(expected)),
        "{what}: {shown:#?}"
    );
}

/// What the book says of the settings, the tags, and the record of the migrations.
const ONLY_PLAYED: [&str; 7] = [
    r#"row application_settings {"id": 1, "ci_enabled": true, "created_at": null, "updated_at": "2015-10-02"#,
    r#"row taggings {"tag_id": 2, "context": "tags", "tagger_id": null, "created_at": null, "taggable_id": 3, "tagger_type": null, "taggable_type": "Ci::Build"}"#,
    r#"row taggings {"tag_id": 4, "context": "tags", "tagger_id": null, "created_at": null, "taggable_id": 2, "tagger_type": null, "taggable_type": "Ci::Runner"}"#,
    r#"row taggings {"tag_id": 6, "context": "tags", "tagger_id": null, "created_at": null, "taggable_id": 1, "tagger_type": null, "taggable_type": "Ci::Runner"}"#,
    r#"row taggings {"tag_id": 6, "context": "tags", "tagger_id": null, "created_at": null, "taggable_id": 2, "tagger_type": null, "taggable_type": "Ci::Build"}"#,
    r#"row tags {"id": 9, "name": "it's", "taggings_count": 0}"#,
    "next of tags_id_seq 11",
];
const ONLY_IMPORTED: [&str; 9] = [
    r#"row application_settings {"id": 1, "ci_enabled": true, "created_at": null, "updated_at": "2015-09-22"#,
    r#"row schema_migrations {"version": "20000101000001"}"#,
    r#"row schema_migrations {"version": "20000101000002"}"#,
    r#"row taggings {"tag_id": 2, "context": "tags", "tagger_id": null, "created_at": "2015-03-01T00:00:00", "taggable_id": 3, "tagger_type": null, "taggable_type": "Ci::Build"}"#,
    r#"row taggings {"tag_id": 4, "context": "tags", "tagger_id": null, "created_at": "2015-03-01T00:00:00", "taggable_id": 2, "tagger_type": null, "taggable_type": "Ci::Runner"}"#,
    r#"row taggings {"tag_id": 6, "context": "tags", "tagger_id": null, "created_at": "2015-01-01T00:00:00", "taggable_id": 1, "tagger_type": null, "taggable_type": "Ci::Runner"}"#,
    r#"row taggings {"tag_id": 6, "context": "tags", "tagger_id": null, "created_at": "2015-02-01T00:00:00", "taggable_id": 2, "tagger_type": null, "taggable_type": "Ci::Build"}"#,
    r#"row tags {"id": 8, "name": "it's", "taggings_count": 0}"#,
    "next of tags_id_seq 9",
];

/// What pg_dump writes of a GitLab with the fixture's rows.
fn dump_of_postgresql() -> Vec<u8> {
    let source = Scene::gitlab();
    source
        .import(&source.pack(&fixture_dump(Dialect::Native)))
        .succeeds();
    pg_dump(&source.database, &[])
}

#[test]
fn a_dump_of_postgresql_leaves_what_ci_migrate_leaves() {
    let dump = dump_of_postgresql();
    let (played, imported) = (gitlab(), gitlab());
    play_ci_migrate(&played, &dump);
    import(&imported, &dump, &[]);
    let (gone, new) = differences(&contents(&played), &contents(&imported));
    assert_only(&gone, &ONLY_PLAYED, "ci:migrate");
    assert_only(&new, &ONLY_IMPORTED, "the import");
}

/// What ci:migrate leaves is compared as the book says that it is repaired.
#[test]
fn a_converted_dump_leaves_what_ci_migrate_leaves_but_repaired() {
    let dump = converted(&fixture_dump(Dialect::Compatible));
    let (played, imported) = (gitlab(), gitlab());
    let own = columns_with_defaults(&contents(&played));
    play_ci_migrate(&played, &dump);
    let mut expected: Vec<String> = contents(&played)
        .iter()
        .map(|line| repaired(line, &own))
        .collect();
    for table in TABLES {
        expected.push(format!("owned {table}_id_seq {table} 1"));
    }
    import(&imported, &dump, &[]);
    let (mut gone, mut new) = differences(&expected, &contents(&imported));
    // psql does not know MySQL's escape of control-Z.
    let without_build = |lines: &mut Vec<String>, trace: &str| {
        let is_it = |line: &String| line.starts_with("row ci_builds {") && line.contains(trace);
        let at = lines.iter().position(is_it);
        lines.remove(at.unwrap_or_else(|| panic!("no build with {trace}")));
    };
    without_build(&mut gone, "control-ZZ end");
    without_build(&mut new, "control-Z\\u001a end");
    assert_only(&gone, &ONLY_PLAYED, "ci:migrate");
    assert_only(&new, &ONLY_IMPORTED, "the import");
}

/// What a table of GitLab's has besides its definition: ci:migrate drops it, the import carries it over.
#[test]
fn settings_of_the_replaced_tables_stay_unlike_with_ci_migrate() {
    let dump = dump_of_postgresql();
    let (played, imported) = (gitlab(), gitlab());
    let role = format!("owner_{}", played.database);
    played
        .connect()
        .batch_execute(&format!("CREATE ROLE {role}"))
        .unwrap();
    for scene in [&played, &imported] {
        scene
            .connect()
            .batch_execute(&format!(
                "ALTER TABLE ci_events OWNER TO {role}; GRANT SELECT ON ci_tags TO {role};
                 COMMENT ON TABLE ci_jobs IS 'of ours'; ALTER TABLE ci_runners SET (fillfactor = 70);
                 ALTER TABLE ci_triggers REPLICA IDENTITY FULL; ALTER TABLE ci_builds ENABLE ROW LEVEL SECURITY"
            ))
            .unwrap();
    }
    play_ci_migrate(&played, &dump);
    import(&imported, &dump, &[]);
    let (gone, new) = differences(&contents(&played), &contents(&imported));
    let catalogs = |lines: Vec<String>| {
        let mut lines = lines;
        lines.retain(|line| !line.starts_with("row ") && !line.starts_with("next of "));
        lines
    };
    assert_only(
        &catalogs(gone),
        &[
            "relation ci_builds r p postgres d f",
            "relation ci_events r p postgres",
            "relation ci_events_id_seq S p postgres",
            "relation ci_events_pkey i p postgres",
            "relation ci_triggers r p postgres d",
            "relation index_ci_events_on_created_at i p postgres",
            "relation index_ci_events_on_is_admin i p postgres",
            "relation index_ci_events_on_project_id i p postgres",
            "sequence ci_events_id_seq postgres",
        ],
        "ci:migrate",
    );
    assert_only(
        &catalogs(new),
        &[
            "comment ci_jobs 0 of ours",
            "relation ci_builds r p postgres d t",
            &format!("relation ci_events r p {role}"),
            &format!("relation ci_events_id_seq S p {role}"),
            &format!("relation ci_events_pkey i p {role}"),
            "relation ci_triggers r p postgres f",
            &format!("relation index_ci_events_on_created_at i p {role}"),
            &format!("relation index_ci_events_on_is_admin i p {role}"),
            &format!("relation index_ci_events_on_project_id i p {role}"),
            "rights ci_tags {postgres=",
            &format!("sequence ci_events_id_seq {role}"),
            "storage ci_runners {fillfactor=70}",
        ],
        "the import",
    );
}

/// The columns of GitLab's own empty tables: the beginning of a line, and the rest behind the default.
fn columns_with_defaults(lines: &[String]) -> Vec<(String, String)> {
    let lines = lines.iter().filter(|line| line.starts_with("column ci_"));
    let split = |line: &String| {
        let words: Vec<&str> = line.splitn(4, ' ').collect();
        let default = line.split_once(" default ").unwrap().1.to_owned();
        (words[..3].join(" "), default)
    };
    lines.map(split).collect()
}

/// A line of what ci:migrate leaves of a converted dump, without the damage of the converter.
fn repaired(line: &str, own: &[(String, String)]) -> String {
    let mut line = line
        .replace("timestamp with time zone", "timestamp without time zone")
        .replace("character varying(510)", "character varying(255)")
        .replace("character varying(256)", "character varying(128)")
        .replace("default NULL::character varying ", "default ");
    if line.starts_with("row ci_") {
        line = line.replace("+00:00\"", "\"");
    }
    if line.starts_with("sequence ci_") {
        line = line.replace("bigint 1 1 9223372036854775807", "integer 1 1 2147483647");
    }
    if line.contains(" boolean ") {
        let found = own
            .iter()
            .find(|(column, _)| line.starts_with(&format!("{column} ")));
        if let Some((_, default)) = found {
            line = format!(
                "{} default {default}",
                line.split_once(" default ").unwrap().0
            );
        }
    }
    line
}
