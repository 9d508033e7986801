//! The key of encrypted values: values that Ruby's own gems have encrypted decrypt, with the key in any of its files, and a
//! wrong key is noticed before anything is published. Neither the key nor a value is printed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::mysql_scene::MysqlScene;
use crate::support::program::{Outcome, command, project, run, unbroken};
use crate::support::scene::{Dialect, Scene, fixture_dump};
use crate::support::servers::expect_success;

/// With all that Ruby, YAML and JSON escape.
const KEY: &str = "k3y: with 'q' \"Q\" \\ #{x} # é";

/// What no output of a check may have: the key, and the beginnings of the texts that `secrets.rb` encrypts.
const MARKS: [&str; 5] = ["k3y", "fifteen", "sixteen", "ключ", "long long"];

/// The columns of values that Ruby's gems encrypt with `key`: value, IV, salt.
fn encrypted(key: &str) -> Vec<[String; 3]> {
    let mut ruby = Command::new("ruby");
    ruby.arg(project().join("fixtures/secrets.rb")).arg(key);
    serde_json::from_slice(&expect_success(&ruby.output().unwrap())).unwrap()
}

/// The number of values that [`encrypted`] makes.
const VALUES: usize = 12;

/// A dump of the fixture whose variables are these, one for each project.
fn dump_with(variables: &[(i64, [String; 3])]) -> Vec<u8> {
    let mut dump = fixture_dump(Dialect::Native);
    let text = |text: &str| format!("'{}'", text.replace('\\', "\\\\").replace('\n', "\\n"));
    let rows: Vec<String> = variables
        .iter()
        .enumerate()
        .map(|(number, (project, [value, iv, salt]))| {
            let columns = [value, salt, iv].map(|column| text(column));
            format!(
                "({},{project},'K{number}',NULL,{})",
                number + 100,
                columns.join(",")
            )
        })
        .collect();
    let insert = format!("INSERT INTO `ci_variables` VALUES {};\n", rows.join(","));
    let begin = find(&dump, b"INSERT INTO `ci_variables`");
    let end = begin + find(&dump[begin..], b";\n") + 2;
    dump.splice(begin..end, insert.into_bytes());
    dump
}

fn find(bytes: &[u8], part: &[u8]) -> usize {
    let mut windows = bytes.windows(part.len());
    windows.position(|window| window == part).unwrap()
}

/// A dump whose variables are all encrypted with [`KEY`].
fn good_dump() -> Vec<u8> {
    let variables: Vec<_> = (1..).zip(encrypted(KEY)).collect();
    assert_eq!(variables.len(), VALUES);
    dump_with(&variables)
}

/// A `secrets.yml` with this key, which only its owner can read.
fn secrets_yml(directory: &Path, key: &str) -> PathBuf {
    let path = directory.join(format!("secrets of {}.yml", key.len()));
    let quoted = Value::from(key);
    write(
        &path,
        &format!("---\nproduction:\n  db_key_base: {quoted}\n"),
    );
    path
}

fn write(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

fn check(archive: &Path, secrets: &Path) -> Outcome {
    let mut check = command(["secrets", "check"]);
    run(check.arg(archive).arg("--secrets").arg(secrets))
}

#[track_caller]
fn assert_silent(outcome: &Outcome) {
    for mark in MARKS {
        assert!(!outcome.stdout.contains(mark), "{}", outcome.stdout);
        assert!(!outcome.stderr.contains(mark), "{}", outcome.stderr);
    }
}

#[test]
fn values_of_rubys_gems_decrypt_with_the_key_in_each_of_its_files() {
    let scene = Scene::bare();
    let archive = scene.pack(&good_dump());
    let json = Value::from(KEY).to_string();
    // As Ruby's inspect writes it.
    let ruby = r#""k3y: with 'q' \"Q\" \\ \#{x} # é""#;
    let shown = format!(
        "\nIf you are moving to a GitLab installation installed from source, replace the\ncontents of \
         /home/git/gitlab/config/secrets.yml with the following:\n\n\n---\nproduction:\n  db_key_base: {json}\n\n\nIf \
         your GitLab server uses Omnibus packages, add the following line to\n/etc/gitlab/gitlab.rb:\n\n\n\
         gitlab_rails['db_key_base'] = {ruby}\n\n\n"
    );
    for (name, text) in [
        (
            "secrets.yml",
            format!("production:\n  db_key_base: {json}\n"),
        ),
        (
            "gitlab-secrets.json",
            format!("{{\"gitlab_ci\": {{\"db_key_base\": {json}}}}}"),
        ),
        (
            "gitlab.rb",
            format!("# here\ngitlab_ci['db_key_base'] = {ruby} # ours\n"),
        ),
        ("shown", shown),
    ] {
        let file = scene.path(name);
        write(&file, &text);
        let outcome = check(&archive, &file)
            .succeeds()
            .reports("12 encrypted values");
        let outcome = outcome.reports("12 decrypt").reports("0 do not decrypt");
        assert_silent(&outcome);
        assert!(
            !outcome.stderr.contains("others can read"),
            "{}",
            outcome.stderr
        );
    }
}

#[test]
fn what_does_not_decrypt_is_counted_by_project() {
    let scene = Scene::bare();
    let (ours, theirs) = (encrypted(KEY), encrypted("k3y of others"));
    let damaged = [
        ours[0][0][..10].to_owned(),
        ours[0][1].clone(),
        ours[0][2].clone(),
    ];
    let variables = [
        (7, ours[0].clone()),
        (7, theirs[0].clone()),
        (7, theirs[1].clone()),
        (9, theirs[5].clone()),
        (11, damaged),
        (12, ours[11].clone()),
    ];
    let archive = scene.pack(&dump_with(&variables));
    let secrets = secrets_yml(scene.directory.path(), KEY);
    let outcome = check(&archive, &secrets).exits(1);
    for line in ["6 encrypted values", "2 decrypt", "4 do not decrypt"] {
        assert!(outcome.stdout.contains(line), "{}", outcome.stdout);
    }
    for line in [
        "project 7: 2",
        "project 9: 1",
        "project 11: 1",
        "1 of these are damaged",
    ] {
        assert!(outcome.stdout.contains(line), "{}", outcome.stdout);
    }
    assert!(!outcome.stdout.contains("project 12"), "{}", outcome.stdout);
    assert_silent(&outcome);

    let mut json = command(["secrets", "check", "--json", "--secrets"]);
    let json = run(json.arg(&secrets).arg(&archive)).exits(1);
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["decrypt"], 2);
    assert_eq!(json["damaged"], 1);
    assert_eq!(json["projects"][0]["project_id"], 7);
    assert_eq!(json["projects"][0]["values"], 2);
}

#[test]
fn an_import_with_the_wrong_key_publishes_nothing() {
    let scene = Scene::gitlab();
    let archive = scene.pack(&good_dump());
    let before = scene.values("SELECT * FROM ci_variables");
    let wrong = secrets_yml(scene.directory.path(), "k3y of others");
    let mut import = scene.import_command(archive.to_str().unwrap());
    let outcome = run(import.arg("--secrets").arg(&wrong)).exits(3);
    let told = unbroken(&outcome.stderr);
    assert!(
        told.contains("12 of 12 encrypted values do not decrypt"),
        "{told}"
    );
    assert!(
        told.contains("nothing was published") && told.contains("project 3: 1"),
        "{told}"
    );
    assert_silent(&outcome);
    assert_eq!(scene.values("SELECT * FROM ci_variables"), before);
    assert_eq!(
        scene.values("SELECT 1 FROM pg_namespace WHERE nspname ~ '^ci_import_staging'"),
        [""; 0]
    );

    let without = scene.import(&archive).succeeds();
    let told = unbroken(&without.stdout);
    assert!(
        told.contains("12 values are encrypted with the key db_key_base"),
        "{told}"
    );

    let right = secrets_yml(scene.directory.path(), KEY);
    let mut import = scene.import_command(archive.to_str().unwrap());
    let outcome = run(import.arg("--json").arg("--secrets").arg(&right)).succeeds();
    let report: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(report["encrypted_values"]["values"], 12);
    assert_eq!(report["encrypted_values"]["decrypt"], 12);
    assert_silent(&outcome);
}

#[test]
fn live_values_are_checked_in_both_servers() {
    let (scene, mysql) = (Scene::gitlab(), MysqlScene::gitlab());
    let mut variables: Vec<_> = (1..).zip(encrypted(KEY)).collect();
    let archive = scene.pack(&dump_with(&variables));
    scene.import(&archive).succeeds();
    let right = secrets_yml(scene.directory.path(), KEY);
    let wrong = secrets_yml(scene.directory.path(), "k3y of others");
    let stage = mysql.stage();
    let mut import = command(["--yes", "--database-url", &stage.url, "--builds-path"]);
    import.arg(&stage.builds).arg(&archive);
    let import = run(import.arg("--secrets").arg(&right)).succeeds();
    let told = unbroken(&import.stdout);
    assert!(told.contains("all 12 decrypt with the key"), "{told}");
    for url in [scene.url(), stage.url] {
        let live = |secrets: &Path| {
            let mut check = command(["secrets", "check", "--database-url", &url, "--secrets"]);
            run(check.arg(secrets))
        };
        let outcome = live(&right).succeeds().reports("12 decrypt");
        assert_silent(&outcome);
        let outcome = live(&wrong)
            .exits(1)
            .says("it is not the key of this GitLab CI");
        assert!(
            outcome.stdout.contains("project 12: 1"),
            "{}",
            outcome.stdout
        );
        assert_silent(&outcome);
    }

    // A wrong key stops an import into MySQL as it does in PostgreSQL.
    variables.truncate(3);
    let archive = scene.pack(&dump_with(&variables));
    let mut import = command([
        "--yes",
        "--database-url",
        &mysql.stage().url,
        "--builds-path",
    ]);
    import.arg(&mysql.stage().builds).arg(&archive);
    run(import.arg("--secrets").arg(&wrong))
        .exits(3)
        .says("3 of 3 encrypted values do not decrypt");
}

#[test]
fn a_value_that_was_never_encrypted_is_reported() {
    let scene = Scene::gitlab();
    let archive = scene.pack(&good_dump());
    scene.import(&archive).succeeds();
    let sql =
        "UPDATE ci_variables SET value = 'fifteen', encrypted_value = NULL WHERE project_id = 2;
               UPDATE ci_variables SET encrypted_value = '' WHERE project_id = 3";
    scene.connect().batch_execute(sql).unwrap();
    let secrets = secrets_yml(scene.directory.path(), KEY);
    let url = scene.url();
    let mut check = command(["secrets", "check", "--database-url", &url, "--secrets"]);
    let outcome = run(check.arg(&secrets)).succeeds();
    let outcome = outcome
        .reports("10 decrypt")
        .reports("1 values were never encrypted");
    assert_silent(&outcome);
}

/// As an import does not load it.
#[test]
fn a_table_that_the_dump_drops_again_does_not_count() {
    let scene = Scene::bare();
    let table = |values: &[[String; 3]]| {
        let variables: Vec<_> = (1..).zip(values.to_vec()).collect();
        let dump = String::from_utf8(dump_with(&variables)).unwrap();
        let begin = dump.find("DROP TABLE IF EXISTS `ci_variables`").unwrap();
        let end = dump.find("DROP TABLE IF EXISTS `ci_web_hooks`").unwrap();
        dump[begin..end].to_owned()
    };
    let (theirs, ours) = (encrypted("k3y of others"), encrypted(KEY));
    let dump = format!(
        "-- MySQL dump 10.13\n{}{}-- Dump completed\n",
        table(&theirs),
        table(&ours[..5])
    );
    let file = scene.path("twice.sql");
    fs::write(&file, dump).unwrap();
    let secrets = secrets_yml(scene.directory.path(), KEY);
    check(&file, &secrets)
        .succeeds()
        .reports("5 encrypted values");
}

/// What is shown is read again by Ruby: as the YAML of a secrets.yml, and as a line of gitlab.rb.
#[test]
fn what_is_shown_is_quoted_right() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let json = Value::from(KEY).to_string();
    let other = "production:\n  db_key_base: not this one\n";
    for (name, files) in [
        (
            "source",
            &[(
                "config/secrets.yml",
                format!("production:\n  db_key_base: {json}\n"),
            )][..],
        ),
        (
            "omnibus",
            &[
                (
                    "gitlab.rb",
                    "gitlab_rails['db_key_base'] = 'not this one'".to_owned(),
                ),
                (
                    "gitlab-secrets.json",
                    format!("{{\"gitlab_ci\": {{\"db_key_base\": {json}}}}}"),
                ),
            ],
        ),
        (
            "named",
            &[
                (
                    "gitlab.rb",
                    format!("gitlab_ci['db_key_base'] = {}", json.replace('#', "\\#")),
                ),
                (
                    "gitlab-secrets.json",
                    "{\"gitlab_ci\": {\"db_key_base\": \"not this one\"}}".to_owned(),
                ),
            ],
        ),
        (
            "copy",
            &[
                (
                    "var/opt/gitlab/gitlab-ci/etc/secrets.yml",
                    format!("production:\n  db_key_base: {json}\n"),
                ),
                (
                    "var/opt/gitlab/gitlab-rails/etc/secrets.yml",
                    other.to_owned(),
                ),
            ],
        ),
    ] {
        let install = directory.join(name);
        for (file, text) in files {
            write(&install.join(file), text);
        }
        let mut show = command(["secrets", "show", "--install"]);
        let shown = run(show.arg(&install)).succeeds();
        assert!(
            shown
                .stdout
                .contains("show_secrets of GitLab CI prints gitlab_rails"),
            "{}",
            shown.stdout
        );
        let script = "require 'yaml'; gitlab_ci = {}
            text = STDIN.read.force_encoding('UTF-8')
            yaml = text[/^production:\\n  db_key_base: .*\\n/]
            eval text[/^gitlab_ci.*/]
            keys = [YAML.load(yaml)['production']['db_key_base'], gitlab_ci['db_key_base']]
            abort keys.inspect unless keys == [ARGV[0].dup.force_encoding('UTF-8')] * 2";
        write(&directory.join("shown"), &shown.stdout);
        let mut ruby = Command::new("ruby");
        ruby.arg("-Eutf-8").arg("-e").arg(script).arg(KEY);
        ruby.stdin(fs::File::open(directory.join("shown")).unwrap());
        expect_success(&ruby.output().unwrap());
    }
}

#[test]
fn refusals() {
    let scene = Scene::bare();
    let archive = scene.pack(&good_dump());
    let archive = archive.to_str().unwrap();
    let file = scene.path("x");
    let url = scene.url();
    let secrets = secrets_yml(scene.directory.path(), KEY);
    let secrets = secrets.to_str().unwrap();
    for (text, arguments, message) in [
        (
            "",
            &["secrets", "check", archive, "--secrets", "x"][..],
            "it does not have the key",
        ),
        (
            "test:\n  db_key_base: k3y",
            &["secrets", "check", archive, "--secrets", "x"],
            "it does not have the key",
        ),
        (
            "gitlab_ci['db_key_base'] = k3y()",
            &["--secrets", "x", archive],
            "line 1: gitlab_ci['db_key_base'] is not set",
        ),
        (
            "{\"k3y",
            &["secrets", "show", "--secrets", "x"],
            "cannot be read as JSON",
        ),
        (
            "",
            &["secrets", "show", "--install", "."],
            "there is no config/secrets.yml",
        ),
        (
            "",
            &["secrets", "show", "--install", "x"],
            "not a directory",
        ),
        ("", &["secrets", "show"], "required"),
        (
            "",
            &["secrets", "check", archive, "--secrets", "nowhere"],
            "cannot read nowhere",
        ),
        (
            "",
            &[
                "secrets",
                "check",
                archive,
                "--secrets",
                secrets,
                "--database-url",
                &url,
            ],
            "both an archive and a database",
        ),
    ] {
        write(&file, text);
        let mut refused = command(arguments);
        let outcome = run(refused.current_dir(scene.directory.path())).exits(2);
        assert!(
            unbroken(&outcome.stderr).contains(message),
            "{arguments:?}: {}",
            outcome.stderr
        );
        assert_silent(&outcome);
    }
}

#[test]
fn a_file_that_others_can_read_and_a_line_that_omnibus_ignores_are_warned_of() {
    use std::os::unix::fs::PermissionsExt;
    let scene = Scene::bare();
    let archive = scene.pack(&fixture_dump(Dialect::Native));
    let file = scene.path("gitlab.rb");
    let rails = "gitlab_rails['db_key_base'] = 'the key of the fixtures'\n";
    let both = format!("{rails}gitlab_ci['db_key_base'] = 'the key of the fixtures'\n");
    for (text, mode, is_ignored, is_readable) in [
        (rails, 0o600, true, false),
        (&both, 0o600, false, false),
        (&both, 0o640, false, true),
        (&both, 0o604, false, true),
    ] {
        write(&file, text);
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let warned = unbroken(&check(&archive, &file).succeeds().stderr);
        assert_eq!(warned.contains("others can read"), is_readable, "{warned}");
        assert_eq!(
            warned.contains("which Omnibus 8.0 replaces"),
            is_ignored,
            "{warned}"
        );
    }
}
