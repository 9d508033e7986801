//! S3: finds storage and credentials where the program `aws` finds them (AWS CLI user guide, "Configuration and
//! credential file settings" and "Environment variables").

mod credentials;
mod files;
mod process;

use std::path::Path;

use object_store::aws::AmazonS3Builder;

use super::bucket::{Bucket, Use, no_retries};
use super::client::{Connector, Options, client};
use super::url::{ObjectUrl, checked_address, shown_address};
use super::variables::{Variable, is_on, means_yes};
use crate::error::{Error, Result};
use credentials::with_credentials;
use files::{Profile, Profiles};

/// The bucket of `url`.
pub(super) fn bucket(url: &ObjectUrl, purpose: Use, variable: Variable<'_>) -> Result<Bucket> {
    let profiles = Profiles::read(variable)?;
    let profile = profiles.chosen()?;
    let place = Place::of(url, &profile, variable)?;
    let endpoint = place.endpoint_of_bucket(url.bucket());
    let is_plain = endpoint
        .as_ref()
        .is_some_and(|endpoint| endpoint.starts_with("http://"));
    let bundle = variable("AWS_CA_BUNDLE").or_else(|| profile.get("ca_bundle"));
    let client = client(&Options {
        ca_bundle: bundle.as_deref().map(Path::new),
        ..Options::of(purpose.silence)
    })?;
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(url.bucket())
        .with_region(&place.region)
        .with_virtual_hosted_style_request(place.is_virtual)
        .with_http_connector(Connector {
            client,
            is_plain,
            keeps_objects: purpose.keeps_objects,
        })
        .with_retry(no_retries());
    if let Some(endpoint) = endpoint {
        builder = builder.with_allow_http(is_plain).with_endpoint(endpoint);
    }
    if let Some(payer) = variable("AWS_REQUEST_PAYER") {
        builder = builder.with_request_payer(payer == "requester" || means_yes(&payer));
    }
    let credentials;
    (builder, credentials) = with_credentials(builder, &profile, variable)?;
    let store = builder
        .build()
        .map_err(|cause| Error::usage(format!("cannot use the storage of {url}: {cause}")))?;
    Ok(Bucket::of(store, &place, &credentials))
}

/// Where the storage is.
struct Place {
    region: String,
    /// The address, if it is not Amazon's.
    endpoint: Option<String>,
    /// Whether the bucket is part of the host's name.
    is_virtual: bool,
}

impl Place {
    fn of(url: &ObjectUrl, profile: &Profile<'_>, variable: Variable<'_>) -> Result<Place> {
        let region = variable("AWS_REGION")
            .or_else(|| variable("AWS_DEFAULT_REGION"))
            .or_else(|| profile.get("region"))
            .unwrap_or_else(|| "us-east-1".to_owned());
        let named = |name: &str| Some((name.to_owned(), variable(name)?));
        let endpoint = if is_on(variable, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") {
            None
        } else {
            named("AWS_ENDPOINT_URL_S3")
                .or_else(|| named("AWS_ENDPOINT_URL"))
                .or_else(|| Some((format!("endpoint_url of {profile}"), profile.endpoint()?)))
        };
        let endpoint = endpoint.map(|(name, address)| checked_address(&name, address));
        let endpoint = endpoint.transpose()?;
        let style = profile.get("s3.addressing_style");
        let asked = variable("AWS_VIRTUAL_HOSTED_STYLE_REQUEST")
            .map(|value| means_yes(&value))
            .or_else(|| Some(style? == "virtual"));
        // A certificate for *.s3.amazonaws.com is not for names with more dots.
        let is_virtual = asked.unwrap_or(endpoint.is_none() && !url.bucket().contains('.'));
        let in_china = || format!("https://s3.{region}.amazonaws.com.cn");
        Ok(Place {
            endpoint: endpoint.or_else(|| region.starts_with("cn-").then(in_china)),
            region,
            is_virtual,
        })
    }

    /// The address with the bucket, where it is part of the host's name.
    fn endpoint_of_bucket(&self, bucket: &str) -> Option<String> {
        let endpoint = self.endpoint.as_deref()?;
        Some(match endpoint.split_once("://") {
            Some((scheme, host)) if self.is_virtual => format!("{scheme}://{bucket}.{host}"),
            _ => endpoint.to_owned(),
        })
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.endpoint {
            Some(endpoint) => {
                let shown = shown_address(endpoint);
                write!(f, "the endpoint {shown}, region {}", self.region)
            }
            None => write!(f, "Amazon S3, region {}", self.region),
        }
    }
}
