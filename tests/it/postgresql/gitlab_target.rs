//! The database of a GitLab 8.0 after the import: what Rails, the manual and pg_dump expect.

use crate::support::scene::{Dialect, Scene, TABLES, fixture_dump};
use crate::support::state::pg_dump;

fn imported(dialect: Dialect) -> Scene {
    let scene = Scene::gitlab();
    let archive = scene.pack(&fixture_dump(dialect));
    scene.import(&archive).succeeds();
    scene
}

#[test]
fn every_sequence_is_owned_and_set() {
    for dialect in [Dialect::Native, Dialect::Compatible] {
        let scene = imported(dialect);
        for table in TABLES {
            let sequence = scene.value(&format!("SELECT pg_get_serial_sequence('{table}', 'id')"));
            assert_eq!(sequence, format!("public.{table}_id_seq"));
            let default = scene.value(&format!(
                "SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef d JOIN pg_attribute a
                 ON a.attrelid = d.adrelid AND a.attnum = d.adnum
                 WHERE adrelid = '{table}'::regclass AND attname = 'id'"
            ));
            assert_eq!(default, format!("nextval('{table}_id_seq'::regclass)"));
            // In web hooks the last rows were deleted; only the native dump knows.
            let deleted = i64::from(table == "ci_web_hooks" && dialect == Dialect::Native) * 2;
            let next = format!("SELECT COALESCE(max(id), 0) + 1 + {deleted} FROM {table}");
            let expected = scene.value(&next);
            assert_eq!(
                scene.value(&format!("SELECT nextval('{table}_id_seq')")),
                expected,
                "{table}"
            );
        }
        assert_eq!(
            scene.value("INSERT INTO ci_jobs (project_id) VALUES (1) RETURNING id"),
            "2"
        );
    }
}

/// What the manual's 45 statements do to a database that was converted by hand is to change
/// nothing here: they only drop, own and set again what is there already.
#[test]
fn the_manuals_statements_change_nothing() {
    let scene = imported(Dialect::Native);
    let before = pg_dump(&scene, &["--schema-only"]);
    for table in TABLES {
        scene
            .connect()
            .batch_execute(&format!(
                "ALTER TABLE {table} ALTER COLUMN id DROP DEFAULT;
                 ALTER SEQUENCE {table}_id_seq OWNED BY {table}.id;
                 ALTER TABLE {table} ALTER COLUMN id SET DEFAULT nextval('{table}_id_seq'::regclass)"
            ))
            .unwrap();
    }
    assert_eq!(before, pg_dump(&scene, &["--schema-only"]));
}

#[test]
fn pg_dump_of_one_table_brings_its_sequence() {
    let scene = imported(Dialect::Native);
    let dump = pg_dump(&scene, &["--table=ci_builds"]);
    assert!(
        dump.contains("CREATE SEQUENCE public.ci_builds_id_seq"),
        "{dump:.3000}"
    );
    assert!(dump.contains("ALTER SEQUENCE public.ci_builds_id_seq OWNED BY public.ci_builds.id"));
}

#[test]
fn types_defaults_and_constraints_are_what_rails_expects() {
    for dialect in [Dialect::Native, Dialect::Compatible] {
        let scene = imported(dialect);
        let columns = scene.values(
            "SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
                    pg_get_expr(d.adbin, d.adrelid)
             FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
             WHERE a.attrelid = 'ci_builds'::regclass AND a.attnum > 0 ORDER BY a.attnum",
        );
        let expected = [
            "id|integer|t|nextval('ci_builds_id_seq'::regclass)",
            "project_id|integer|f|~",
            "status|character varying(255)|f|~",
            "finished_at|timestamp without time zone|f|~",
            "trace|text|f|~",
            "created_at|timestamp without time zone|f|~",
            "updated_at|timestamp without time zone|f|~",
            "started_at|timestamp without time zone|f|~",
            "runner_id|integer|f|~",
            "coverage|double precision|f|~",
            "commit_id|integer|f|~",
            "commands|text|f|~",
            "job_id|integer|f|~",
            "name|character varying(255)|f|~",
            "deploy|boolean|f|false",
            "options|text|f|~",
            "allow_failure|boolean|t|false",
            "stage|character varying(255)|f|~",
            "trigger_request_id|integer|f|~",
        ];
        assert_eq!(columns, expected);
        let defaults = scene.values(
            "SELECT a.attname, pg_get_expr(d.adbin, d.adrelid)
             FROM pg_attribute a JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
             WHERE a.attrelid = 'ci_projects'::regclass AND a.attnum > 1 ORDER BY 1",
        );
        let expected = [
            "allow_git_fetch|true",
            "always_build|false",
            "email_add_pusher|true",
            "email_only_broken_builds|true",
            "email_recipients|''::character varying",
            "public|false",
            "shared_runners_enabled|false",
            "timeout|3600",
        ];
        assert_eq!(defaults, expected);
    }
}

#[test]
fn index_names_are_those_of_rails() {
    let scene = imported(Dialect::Compatible);
    let indexes = scene.values(
        "SELECT indexname, indexdef FROM pg_indexes
         WHERE tablename IN ('ci_taggings', 'ci_commits') AND schemaname = 'public' ORDER BY 1",
    );
    let expected = [
        "ci_commits_pkey|CREATE UNIQUE INDEX ci_commits_pkey ON public.ci_commits USING btree (id)",
        "ci_taggings_idx|CREATE UNIQUE INDEX ci_taggings_idx ON public.ci_taggings USING btree (tag_id, taggable_id, taggable_type, context, tagger_id, tagger_type)",
        "ci_taggings_pkey|CREATE UNIQUE INDEX ci_taggings_pkey ON public.ci_taggings USING btree (id)",
        "index_ci_commits_on_project_id|CREATE INDEX index_ci_commits_on_project_id ON public.ci_commits USING btree (project_id)",
        "index_ci_commits_on_project_id_and_committed_at|CREATE INDEX index_ci_commits_on_project_id_and_committed_at ON public.ci_commits USING btree (project_id, committed_at)",
        "index_ci_commits_on_project_id_and_committed_at_and_id|CREATE INDEX index_ci_commits_on_project_id_and_committed_at_and_id ON public.ci_commits USING btree (project_id, committed_at, id)",
        "index_ci_commits_on_project_id_and_sha|CREATE INDEX index_ci_commits_on_project_id_and_sha ON public.ci_commits USING btree (project_id, sha)",
        "index_ci_commits_on_sha|CREATE INDEX index_ci_commits_on_sha ON public.ci_commits USING btree (sha)",
        "index_ci_taggings_on_taggable_id_and_taggable_type_and_context|CREATE INDEX index_ci_taggings_on_taggable_id_and_taggable_type_and_context ON public.ci_taggings USING btree (taggable_id, taggable_type, context)",
    ];
    assert_eq!(indexes, expected);
}

#[test]
fn tags_are_merged_and_projects_keep_theirs() {
    let scene = imported(Dialect::Native);
    let of_projects = "SELECT t.name, g.taggable_id, g.context, g.created_at, g.id, t.id
                       FROM taggings g JOIN tags t ON t.id = g.tag_id
                       WHERE g.taggable_type = 'Project' ORDER BY 2, 1";
    let expected = [
        "backend|11|tags|2015-01-01 00:00:00|1|1",
        "shared|11|tags|2015-01-01 00:00:00|2|2",
        "shared|12|tags|2015-01-01 00:00:00|3|2",
    ];
    assert_eq!(scene.values(of_projects), expected);
    let of_ci = "SELECT t.name, g.taggable_type, g.taggable_id, g.context, g.created_at
                 FROM taggings g JOIN tags t ON t.id = g.tag_id
                 WHERE g.taggable_type LIKE 'Ci::%' ORDER BY t.name COLLATE \"C\", 2, 3";
    let expected = [
        "Ruby|Ci::Build|2|tags|~",
        "ruby|Ci::Build|2|tags|2015-02-01 00:00:00",
        "ruby|Ci::Runner|1|tags|2015-01-01 00:00:00",
        "shared|Ci::Build|3|tags|2015-03-01 00:00:00",
        "日本|Ci::Runner|2|tags|2015-03-01 00:00:00",
    ];
    assert_eq!(scene.values(of_ci), expected);
    let counts = scene.values("SELECT name, taggings_count FROM tags ORDER BY name COLLATE \"C\"");
    let expected = [
        "Ruby|1",
        "backend|1",
        "it's|0",
        "ruby|2",
        "shared|3",
        "unused|0",
        "日本|1",
    ];
    assert_eq!(counts, expected);
}

#[test]
fn services_are_prefixed_and_ci_is_switched_on() {
    let scene = Scene::gitlab();
    scene
        .connect()
        .batch_execute("UPDATE application_settings SET ci_enabled = false")
        .unwrap();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    scene.import(&archive).succeeds().reports("switched CI on");
    assert_eq!(
        scene.value("SELECT ci_enabled FROM application_settings"),
        "t"
    );
    let services = scene.values("SELECT type FROM ci_services ORDER BY id");
    assert_eq!(services, ["Ci::SlackService", "Ci::MailService", "~"]);
    assert_eq!(scene.value("SELECT count(*) FROM ci_sessions"), "0");
    let rails = "SELECT version FROM schema_migrations WHERE version > '2001' ORDER BY 1";
    assert_eq!(scene.values(rails), ["20150920010715", "20150920161119"]);
}

#[test]
fn importing_again_gives_the_same() {
    let scene = imported(Dialect::Native);
    // The ids of taggings are new each time.
    let tables = [
        "--exclude-table=taggings",
        "--exclude-table=taggings_id_seq",
        "--schema=public",
    ];
    let before = pg_dump(&scene, &tables);
    let tags = "SELECT t.name, t.taggings_count, g.taggable_type, g.taggable_id
                FROM tags t LEFT JOIN taggings g ON g.tag_id = t.id ORDER BY 1, 3, 4";
    let before_tags = scene.values(tags);
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    scene.import(&archive).succeeds();
    assert!(before == pg_dump(&scene, &tables), "the database differs");
    assert_eq!(before_tags, scene.values(tags));
}

#[test]
fn owners_and_grants_are_carried_over() {
    let scene = Scene::gitlab();
    let role = format!("git_{}", scene.database);
    scene
        .connect()
        .batch_execute(&format!(
            "CREATE ROLE {role}; CREATE ROLE reader_{role};
             ALTER TABLE ci_builds OWNER TO {role};
             GRANT SELECT ON ci_builds TO reader_{role};
             GRANT UPDATE (name) ON ci_builds TO reader_{role};
             GRANT SELECT ON ci_commits TO PUBLIC;
             GRANT USAGE ON SEQUENCE ci_commits_id_seq TO reader_{role} WITH GRANT OPTION"
        ))
        .unwrap();
    let rights = "SELECT c.relname, pg_get_userbyid(c.relowner), c.relacl::text,
                         (SELECT string_agg(attname || attacl::text, ',') FROM pg_attribute
                          WHERE attrelid = c.oid AND attacl IS NOT NULL)
                  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                  WHERE n.nspname = 'public' AND c.relname ~ '^ci_(builds|commits)' AND c.relkind IN ('r', 'S')
                  ORDER BY 1";
    let before = scene.values(rights);
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    scene.import(&archive).succeeds();
    assert_eq!(before, scene.values(rights));
}

#[test]
fn comments_are_carried_over_where_there_are_no_new_ones() {
    let scene = Scene::gitlab();
    scene
        .connect()
        .batch_execute(
            "COMMENT ON TABLE ci_builds IS 'it''s ours'; COMMENT ON TABLE ci_tags IS 'an old one';
             COMMENT ON COLUMN ci_builds.name IS 'what it\\is';
             ALTER TABLE ci_builds ADD COLUMN gone int; COMMENT ON COLUMN ci_builds.gone IS 'x'",
        )
        .unwrap();
    let dump = String::from_utf8_lossy(&fixture_dump(Dialect::Native)).into_owned();
    let begin = dump.find("CREATE TABLE `ci_tags`").unwrap();
    let end = begin + dump[begin..].find(";\n").unwrap();
    let dump = format!("{} COMMENT='a new one'{}", &dump[..end], &dump[end..]);
    let archive = scene.pack(dump.as_bytes());
    scene.import(&archive).succeeds();
    let comments = scene.values(
        "SELECT c.relname, objsubid, description FROM pg_description d
         JOIN pg_class c ON c.oid = d.objoid JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE classoid = 'pg_class'::regclass AND n.nspname = 'public' ORDER BY 1, 2",
    );
    let name = scene.value(
        "SELECT attnum::text FROM pg_attribute WHERE attrelid = 'ci_builds'::regclass AND attname = 'name'",
    );
    assert_eq!(
        comments,
        [
            "ci_builds|0|it's ours".to_owned(),
            format!("ci_builds|{name}|what it\\is"),
            "ci_tags|0|a new one".to_owned()
        ]
    );
}

/// Options of mysqldump that leave out AUTO_INCREMENT leave out the engine too.
#[test]
fn sequences_of_a_dump_without_create_options() {
    let scene = Scene::gitlab();
    let dump = crate::support::scene::mysqldump(
        crate::support::scene::fixture_database(),
        &["--skip-create-options"],
    );
    let archive = scene.pack(&dump);
    scene.import(&archive).succeeds();
    for table in TABLES {
        let sequence = scene.value(&format!("SELECT pg_get_serial_sequence('{table}', 'id')"));
        assert_eq!(sequence, format!("public.{table}_id_seq"));
    }
}

/// A database that the old converter made has sequences nobody owns; they must not be in the way.
#[test]
fn unowned_sequences_of_an_earlier_conversion_are_replaced() {
    let scene = Scene::gitlab();
    scene
        .connect()
        .batch_execute("ALTER SEQUENCE ci_builds_id_seq OWNED BY NONE")
        .unwrap();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    scene.import(&archive).succeeds();
    scene.import(&archive).succeeds();
    let sequence = scene.value("SELECT pg_get_serial_sequence('ci_builds', 'id')");
    assert_eq!(sequence, "public.ci_builds_id_seq");
}

#[test]
fn the_replaced_tables_are_kept() {
    let scene = Scene::gitlab();
    scene
        .connect()
        .batch_execute("INSERT INTO ci_jobs (project_id) VALUES (77)")
        .unwrap();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    scene.import(&archive).succeeds();
    assert_eq!(
        scene.value("SELECT project_id FROM ci_import_previous.ci_jobs"),
        "77"
    );
    assert_eq!(scene.value("SELECT count(*) FROM ci_jobs"), "0");
    let schemas = scene.values("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'ci_import%'");
    assert_eq!(schemas, ["ci_import_previous"]);
}
