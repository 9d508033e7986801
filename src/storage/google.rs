//! Google Cloud Storage: credentials as Application Default Credentials are found (Google Cloud, "How Application
//! Default Credentials works"), and the variables of `gcloud`.

use std::path::Path;
use std::sync::Arc;

use object_store::StaticCredentialProvider;
use object_store::gcp::{GcpCredential, GoogleCloudStorageBuilder};
use reqwest::header::{ACCEPT_ENCODING, HeaderMap, HeaderName, HeaderValue};

use super::bucket::{Bucket, Use, no_retries};
use super::client::{Connector, Options, client};
use super::url::{ObjectUrl, checked_address, shown_address};
use super::variables::{Variable, is_on, refuse_strangers};
use crate::error::{Error, Result};

/// The project that pays for the requests (Cloud Storage, "Requester Pays").
const PAYER: HeaderName = HeaderName::from_static("x-goog-user-project");

/// How another file with credentials is named.
const HINT: &str = "name a file of your own: GOOGLE_APPLICATION_CREDENTIALS";

/// The bucket of `url`.
pub(super) fn bucket(url: &ObjectUrl, purpose: Use, variable: Variable<'_>) -> Result<Bucket> {
    let mut headers = HeaderMap::new();
    // An object that is stored with gzip comes as it is, in ranges (Cloud Storage, "Transcoding of gzip-compressed files").
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    if let Some(project) = variable("GOOGLE_CLOUD_QUOTA_PROJECT") {
        let value = HeaderValue::from_str(&project)
            .map_err(|_| Error::usage("GOOGLE_CLOUD_QUOTA_PROJECT is not the name of a project"))?;
        headers.insert(PAYER, value);
    }
    let client = client(&Options {
        headers,
        ..Options::of(purpose.silence)
    })?;
    let emulator = variable("STORAGE_EMULATOR_HOST");
    let mut builder = GoogleCloudStorageBuilder::new()
        .with_bucket_name(url.bucket())
        .with_http_connector(Connector {
            client,
            is_plain: emulator.is_some(),
            keeps_objects: false,
        })
        .with_retry(no_retries());
    let mut place = "Google Cloud Storage".to_owned();
    if let Some(host) = &emulator {
        let base = if host.contains("://") {
            host.clone()
        } else {
            format!("http://{host}")
        };
        let base = checked_address("STORAGE_EMULATOR_HOST", base)?;
        place = format!("the emulator {}", shown_address(&base));
        builder = builder.with_base_url(&base);
    }
    let well_known = variable("CLOUDSDK_CONFIG")
        .or_else(|| variable("HOME").map(|home| format!("{home}/.config/gcloud")))
        .map(|folder| format!("{folder}/application_default_credentials.json"));
    let is_there = |path: &String| Path::new(path).exists();
    let credentials = if emulator.is_some() {
        builder = without_credentials(builder);
        "no credentials".to_owned()
    } else if is_on(variable, "CLOUDSDK_AUTH_DISABLE_CREDENTIALS") {
        builder = without_credentials(builder);
        "no credentials (CLOUDSDK_AUTH_DISABLE_CREDENTIALS)".to_owned()
    } else if let Some(path) = variable("GOOGLE_APPLICATION_CREDENTIALS") {
        refuse_strangers(Path::new(&path), HINT)?;
        builder = builder.with_application_credentials(&path);
        format!("the credentials of GOOGLE_APPLICATION_CREDENTIALS, {path}")
    } else if let Some(path) = well_known.clone().filter(is_there) {
        refuse_strangers(Path::new(&path), HINT)?;
        builder = builder.with_application_credentials(&path);
        format!("the credentials in {path}")
    } else {
        let well_known = well_known.unwrap_or_default();
        format!(
            "the credentials of the machine in Google's cloud, as GOOGLE_APPLICATION_CREDENTIALS is not set and there \
             is no {well_known}; gcloud auth application-default login makes that"
        )
    };
    let store = builder
        .build()
        .map_err(|cause| Error::usage(format!("cannot use the storage of {url}: {cause}")))?;
    Ok(Bucket::of(store, &place, &credentials))
}

/// Without any, and without a look at the user's files.
fn without_credentials(builder: GoogleCloudStorageBuilder) -> GoogleCloudStorageBuilder {
    let none = GcpCredential {
        bearer: String::new(),
    };
    builder
        .with_credentials(Arc::new(StaticCredentialProvider::new(none)))
        .with_skip_signature(true)
}
