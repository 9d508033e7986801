//! S3: everything that is read from a bucket is what the file has.

use std::fs;
use std::path::Path;
use std::sync::Once;

use super::{large_archive, large_dump};
use crate::support::archives::{SMALL_DUMP, archive, gzip, small_traces};
use crate::support::object_storage::{BUCKET, CLOSED, USER, storage};
use crate::support::program::{project, run};
use crate::support::scene::Scene;
use crate::support::state::pg_dump;
use crate::support::trees::tree;

const FIXTURE: &str = "1443700800_gitlab_ci_backup.tar";

/// The same archive as a file and as an object.
fn fixture() -> (String, String) {
    // Once: another one would change it under those who read it.
    static WRITTEN: Once = Once::new();
    let file = project().join("fixtures").join(FIXTURE);
    WRITTEN.call_once(|| {
        storage().put(
            BUCKET,
            &format!("fixture/{FIXTURE}"),
            &fs::read(&file).unwrap(),
        );
    });
    (
        file.to_str().unwrap().to_owned(),
        format!("s3://{BUCKET}/fixture/{FIXTURE}"),
    )
}

#[test]
fn each_command_says_of_the_object_what_it_says_of_the_file() {
    let (file, url) = fixture();
    for arguments in [
        &["inspect", "--json"][..],
        &["inspect"],
        &["inspect", "--suggest"],
        &["convert", "-q", "-o", "-"],
    ] {
        let said = [&file, &url].map(|input| {
            let outcome =
                run(storage().command(&[arguments, &[input.as_str()]].concat())).succeeds();
            outcome.stdout
        });
        assert_eq!(said[0], said[1], "{arguments:?}");
        assert!(!said[0].is_empty(), "{arguments:?}");
    }
}

#[test]
fn an_import_of_the_object_leaves_what_one_of_the_file_leaves() {
    let (file, url) = fixture();
    let states = [&file, &url].map(|input| {
        let scene = Scene::gitlab();
        let mut check = storage().used_by(scene.command(["check", input]), storage().port);
        run(check.arg("--mysql-to-postgresql")).succeeds();
        let mut import = storage().used_by(scene.import_command(input), storage().port);
        run(import.args(["--verify", "full"]))
            .succeeds()
            .reports(&format!("imported {FIXTURE} "));
        let verify = scene.command(["verify", input]);
        run(storage().used_by(verify, storage().port)).succeeds();
        (pg_dump(&scene, &["--schema=public"]), tree(&scene.builds()))
    });
    assert!(states[0].0 == states[1].0, "tables");
    assert!(
        states[0].1 == states[1].1 && states[0].1.len() > 3,
        "traces"
    );
}

#[test]
fn objects_of_many_requests_arrive_whole() {
    let folder = tempfile::tempdir().unwrap();
    let dump = large_dump(9);
    let members = [
        ("large.tar", large_archive().to_vec()),
        ("large.tar.gz", gzip(large_archive())),
        ("large.sql", dump.clone()),
        ("large.sql.gz", gzip(&dump)),
    ];
    for (name, content) in members {
        fs::write(folder.path().join(name), &content).unwrap();
        storage().put(BUCKET, &format!("large/{name}"), &content);
        let file = folder.path().join(name).to_str().unwrap().to_owned();
        assert_converted_alike(&file, &format!("s3://{BUCKET}/large/{name}"), folder.path());
    }
}

/// What `convert` makes of the input at `url` has the bytes of what it makes of `file`.
fn assert_converted_alike(file: &str, url: &str, folder: &Path) {
    let converted = [file, url].map(|input| {
        let output = folder.join("converted");
        let path = output.to_str().unwrap();
        run(storage().command(&["convert", "-q", input, "-o", path])).succeeds();
        let converted = fs::read(&output).unwrap();
        fs::remove_file(&output).unwrap();
        converted
    });
    assert!(converted[0] == converted[1], "{url}");
    assert!(converted[0].len() > 1000, "{url}");
}

#[test]
fn a_prefix_is_a_folder_of_archives() {
    // Each has a dump of another size.
    let of = |number: usize| {
        archive(
            &small_traces(),
            &[SMALL_DUMP, &b"\n".repeat(number)].concat(),
        )
    };
    let with = |number: usize| format!("SQL {} bytes", SMALL_DUMP.len() + number);
    for (prefix, names) in [
        ("one", &["1443700800_gitlab_ci_backup.tar", "other"][..]),
        (
            "two",
            &[
                "1443700800_gitlab_ci_backup.tar",
                "1443704400_gitlab_ci_backup.tar",
                "deeper/1443708000_gitlab_ci_backup.tar",
            ],
        ),
        ("none", &["1443700800_gitlab_backup.tar"]),
    ] {
        for (number, name) in names.iter().enumerate() {
            storage().put(BUCKET, &format!("prefix/{prefix}/{name}"), &of(number));
        }
    }
    let inspect = |arguments: &[&str]| run(storage().command(&[&["inspect"], arguments].concat()));
    let at = |prefix: &str| format!("s3://{BUCKET}/prefix/{prefix}");
    inspect(&[&at("one/")]).succeeds().reports(&with(0));
    for prefix in ["two/", "two"] {
        inspect(&[&at(prefix), "--backup", "1443704400"])
            .succeeds()
            .reports(&with(1));
    }
    let several = inspect(&[&at("two/")])
        .exits(2)
        .says("has several archives:");
    assert!(several.stderr.contains("1443700800") && !several.stderr.contains("1443708000"));
    inspect(&[&at("two/"), "--backup", "1443708000"])
        .exits(2)
        .says("has no archive for --backup 1443708000");
    inspect(&[&at("none/")])
        .exits(2)
        .says("is a backup of GitLab itself");
    inspect(&[&at("two")]).exits(2).says(&format!(
        "cannot read {0}: there is no such object hint: check the key; if it is a prefix with archives, end it with a \
         slash: {0}/",
        at("two")
    ));
}

#[test]
fn storage_and_credentials_are_found_as_aws_finds_them() {
    let (_, url) = fixture();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (id, key) = USER;
    let endpoint = format!("http://127.0.0.1:{}", storage().port);
    let printed =
        format!("{{\"Version\": 1, \"AccessKeyId\": \"{id}\", \"SecretAccessKey\": \"{key}\"}}");
    fs::write(path("printed"), printed).unwrap();
    let config = format!(
        "[default]\nendpoint_url = {endpoint}\n[profile keys]\nservices = here\nregion = eu-central-1\n\
         [services here]\ns3 =\n  endpoint_url = {endpoint}\n[profile process]\nendpoint_url = {endpoint}\n\
         credential_process = cat \"{}\"\n[profile tls]\nendpoint_url = https://localhost:{}\nca_bundle = {}\n",
        path("printed"),
        storage().tls_port,
        storage().path("ca.pem")
    );
    fs::write(path("config"), config).unwrap();
    let pair = format!("aws_access_key_id = {id}\naws_secret_access_key = {key}\n");
    let credentials = format!("[default]\n{pair}[keys]\n{pair}[tls]\n{pair}");
    fs::write(path("credentials"), credentials).unwrap();

    for profile in ["", "keys", "process", "tls"] {
        let mut inspect = storage().command(&["inspect", &url]);
        for name in [
            "AWS_ENDPOINT_URL",
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
        ] {
            inspect.env_remove(name);
        }
        inspect
            .env("AWS_CONFIG_FILE", path("config"))
            .env("AWS_SHARED_CREDENTIALS_FILE", path("credentials"))
            .env("AWS_PROFILE", profile);
        run(&mut inspect).succeeds();
    }
    // A bucket that everybody may read needs no credentials.
    let mut anonymous = storage().command(&["inspect", &url]);
    anonymous
        .env_remove("AWS_ACCESS_KEY_ID")
        .env("AWS_SKIP_SIGNATURE", "true");
    run(&mut anonymous).succeeds();
    storage().put(CLOSED, "x.sql", SMALL_DUMP);
    let mut closed = storage().command(&["inspect", &format!("s3://{CLOSED}/x.sql")]);
    closed.env("AWS_SKIP_SIGNATURE", "true");
    run(&mut closed)
        .exits(2)
        .says("the storage refuses: AccessDenied (403)");
}
