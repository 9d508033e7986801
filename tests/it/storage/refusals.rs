//! What cannot be read says why, what was tried, and nothing that is secret.

use crate::support::archives::SMALL_DUMP;
use crate::support::object_storage::{BUCKET, storage};
use crate::support::program::{Outcome, run};
use crate::support::tcp_servers::free_port;

/// `inspect` of `url` with other variables.
fn inspect(url: &str, variables: &[(&str, &str)]) -> Outcome {
    let mut inspect = storage().command(&["inspect", url]);
    for (name, value) in variables {
        if value.is_empty() {
            inspect.env_remove(name);
        } else {
            inspect.env(name, value);
        }
    }
    let outcome = run(inspect);
    let said = [&outcome.stdout, &outcome.stderr];
    assert!(
        !said.iter().any(|text| text.contains("s3cret")),
        "{}",
        outcome.whole()
    );
    outcome
}

#[test]
fn each_fault_has_its_message() {
    storage().put(BUCKET, "refused/x.sql", SMALL_DUMP);
    let url = format!("s3://{BUCKET}/refused/x.sql");
    inspect(&url, &[]).succeeds();
    let endpoint = format!(
        "the endpoint http://127.0.0.1:{}, region us-east-1",
        storage().port
    );
    let with_keys = format!("{endpoint}, with the keys of AWS_ACCESS_KEY_ID in the environment");

    inspect(&format!("s3://{BUCKET}/refused/y.sql"), &[])
        .exits(2)
        .says("refused/y.sql: there is no such object hint: check the key");
    inspect("s3://nowhere/x.sql", &[]).exits(2).says(&format!(
        "there is no such bucket hint: check its name, and the storage: {with_keys}"
    ));
    inspect("s3://nowhere/", &[]).exits(2);
    inspect(&url, &[("AWS_ACCESS_KEY_ID", "nobody")])
        .exits(2)
        .says("the storage refuses: InvalidAccessKeyId (403)")
        .says(&with_keys);
    inspect(&url, &[("AWS_SECRET_ACCESS_KEY", "s3cret-but-wrong")])
        .exits(2)
        .says("the storage refuses: SignatureDoesNotMatch (403)");
    inspect(&url, &[("AWS_ACCESS_KEY_ID", "")]).exits(2).says(
        "no credentials for S3 were found hint: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    );
    inspect(&url, &[("AWS_PROFILE", "none")])
        .exits(2)
        .says("there is no profile none in");
    inspect("s3://", &[])
        .exits(2)
        .says("the URL s3://… names no bucket");
    inspect("s3://key:s3cret@b/x", &[])
        .exits(2)
        .says("the URL s3://… names a bucket that cannot exist");
    inspect(&url, &[("AWS_ENDPOINT_URL", "minio:9000")])
        .exits(2)
        .says("AWS_ENDPOINT_URL is not an address of a server hint: it has the form https://HOST");
    inspect(&format!("s3://{BUCKET}//b"), &[]).exits(2);
    inspect(&format!("s3://{BUCKET}/a//b"), &[])
        .exits(2)
        .says("keys with empty, . or .. parts, or with control characters, are not supported");
    inspect(
        "az://c/x.sql",
        &[
            ("AZURE_STORAGE_ACCOUNT", ""),
            ("AZURE_STORAGE_CONNECTION_STRING", ""),
        ],
    )
    .exits(2)
    .says("no storage account is named hint: set AZURE_STORAGE_ACCOUNT");
}

#[test]
fn certificates_are_checked() {
    storage().put(BUCKET, "tls/x.sql", SMALL_DUMP);
    let url = format!("s3://{BUCKET}/tls/x.sql");
    let endpoint = format!("https://localhost:{}", storage().tls_port);
    inspect(&url, &[("AWS_ENDPOINT_URL", &endpoint)])
        .exits(2)
        .says("the certificate of the server is not trusted")
        .says("hint: name the file with the CA of the storage: AWS_CA_BUNDLE=FILE");
    let bundle = storage().path("ca.pem");
    inspect(
        &url,
        &[("AWS_ENDPOINT_URL", &endpoint), ("AWS_CA_BUNDLE", &bundle)],
    )
    .succeeds();
    let wrong = storage().path("identities");
    inspect(
        &url,
        &[("AWS_ENDPOINT_URL", &endpoint), ("AWS_CA_BUNDLE", &wrong)],
    )
    .exits(2)
    .says("it has no certificate in PEM");
    inspect(
        &url,
        &[
            ("AWS_ENDPOINT_URL", &endpoint),
            ("AWS_CA_BUNDLE", "/does/not/exist"),
        ],
    )
    .exits(2)
    .says("cannot read the CA bundle /does/not/exist");
}

#[test]
fn a_server_that_is_not_there_is_told_soon() {
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let started = std::time::Instant::now();
    inspect("s3://b/k", &[("AWS_ENDPOINT_URL", &nobody)])
        .exits(7)
        .says("cannot read s3://b/k: Connection refused")
        .says("hint: run it again, or check the storage: the endpoint http://127.0.0.1:");
    assert!(started.elapsed().as_secs() < 10);
}

#[test]
fn a_metadata_service_that_is_not_there_is_told() {
    // Where this machine is no instance of a cloud, and has no network either.
    let variables = [("AWS_ACCESS_KEY_ID", ""), ("AWS_EC2_METADATA_DISABLED", "")];
    inspect("s3://b/k", &variables)
        .exits(2)
        .says("cannot read s3://b/k: no credentials were found")
        .says("as there are no AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment");
}

#[test]
fn several_inputs_are_files() {
    let mut inspect = storage().command(&["inspect", "a.sql", "s3://b/k"]);
    run(&mut inspect)
        .exits(2)
        .says("s3://b/k is not a file on this machine");
}
