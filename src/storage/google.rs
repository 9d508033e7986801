//! Google Cloud Storage: credentials as Application Default Credentials are found (Google Cloud, "How Application
//! Default Credentials works"), and the variables of `gcloud`.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use object_store::gcp::GoogleCloudStorageBuilder;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::bucket::{Bucket, no_retries};
use super::client::{Connector, Options, client};
use super::url::ObjectUrl;
use crate::error::{Error, Result};

/// The project that pays for the requests (Cloud Storage, "Requester Pays").
const PAYER: HeaderName = HeaderName::from_static("x-goog-user-project");

/// The bucket of `url`.
pub(super) fn bucket(
    url: &ObjectUrl,
    silence: Duration,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Bucket> {
    let mut headers = HeaderMap::new();
    if let Some(project) = variable("GOOGLE_CLOUD_QUOTA_PROJECT") {
        let value = HeaderValue::from_str(&project)
            .map_err(|_| Error::usage("GOOGLE_CLOUD_QUOTA_PROJECT is not the name of a project"))?;
        headers.insert(PAYER, value);
    }
    let client = client(&Options {
        headers,
        ..Options::of(silence)
    })?;
    let mut builder = GoogleCloudStorageBuilder::new()
        .with_bucket_name(url.bucket())
        .with_http_connector(Connector(client))
        .with_retry(no_retries());
    let mut place = "Google Cloud Storage".to_owned();
    let emulator = variable("STORAGE_EMULATOR_HOST");
    if let Some(host) = &emulator {
        let base = if host.contains("://") {
            host.clone()
        } else {
            format!("http://{host}")
        };
        place = format!("the emulator {base}");
        builder = builder.with_base_url(&base);
    }
    let is_on = |name: &str| {
        variable(name).is_some_and(|value| {
            ["1", "true", "yes"].contains(&value.to_ascii_lowercase().as_str())
        })
    };
    let well_known = variable("CLOUDSDK_CONFIG")
        .or_else(|| variable("HOME").map(|home| format!("{home}/.config/gcloud")))
        .map(|folder| format!("{folder}/application_default_credentials.json"));
    let is_there = |path: &String| Path::new(path).exists();
    let credentials = if emulator.is_some() {
        builder = builder.with_skip_signature(true);
        "no credentials".to_owned()
    } else if is_on("CLOUDSDK_AUTH_DISABLE_CREDENTIALS") {
        builder = builder.with_skip_signature(true);
        "no credentials (CLOUDSDK_AUTH_DISABLE_CREDENTIALS)".to_owned()
    } else if let Some(path) = variable("GOOGLE_APPLICATION_CREDENTIALS") {
        builder = builder.with_application_credentials(&path);
        format!("the credentials of GOOGLE_APPLICATION_CREDENTIALS, {path}")
    } else if let Some(path) = well_known.clone().filter(is_there) {
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
    Ok(Bucket {
        store: Arc::new(store),
        tried: format!("{place}, with {credentials}"),
    })
}
