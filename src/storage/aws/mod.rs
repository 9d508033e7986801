//! S3: finds storage and credentials where the program `aws` finds them (AWS CLI user guide, "Configuration and
//! credential file settings" and "Environment variables").

mod files;
mod process;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};

use super::bucket::{Bucket, no_retries};
use super::client::{Connector, Options, client};
use super::url::{ObjectUrl, checked_address, shown_address};
use crate::error::{Error, Result};
use files::{Profile, Profiles, Variable};
use process::ProcessCredentials;

/// Variables that describe where a workload of AWS gets its credentials.
const WORKLOAD: [(&str, AmazonS3ConfigKey); 8] = [
    (
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        AmazonS3ConfigKey::WebIdentityTokenFile,
    ),
    ("AWS_ROLE_ARN", AmazonS3ConfigKey::RoleArn),
    ("AWS_ROLE_SESSION_NAME", AmazonS3ConfigKey::RoleSessionName),
    ("AWS_ENDPOINT_URL_STS", AmazonS3ConfigKey::StsEndpoint),
    (
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        AmazonS3ConfigKey::ContainerCredentialsRelativeUri,
    ),
    (
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        AmazonS3ConfigKey::ContainerCredentialsFullUri,
    ),
    (
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        AmazonS3ConfigKey::ContainerAuthorizationTokenFile,
    ),
    (
        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
        AmazonS3ConfigKey::MetadataEndpoint,
    ),
];

/// The bucket of `url`.
pub(super) fn bucket(url: &ObjectUrl, silence: Duration, variable: Variable<'_>) -> Result<Bucket> {
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
        ..Options::of(silence)
    })?;
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(url.bucket())
        .with_region(&place.region)
        .with_virtual_hosted_style_request(place.is_virtual)
        .with_http_connector(Connector { client, is_plain })
        .with_retry(no_retries());
    if let Some(endpoint) = endpoint {
        builder = builder.with_allow_http(is_plain).with_endpoint(endpoint);
    }
    if let Some(payer) = variable("AWS_REQUEST_PAYER") {
        builder = builder.with_request_payer(payer == "requester" || is_true(&payer));
    }
    let credentials;
    (builder, credentials) = with_credentials(builder, &profile, variable)?;
    let store = builder
        .build()
        .map_err(|cause| Error::usage(format!("cannot use the storage of {url}: {cause}")))?;
    Ok(Bucket {
        store: Arc::new(store),
        tried: format!("{place}, with {credentials}"),
    })
}

/// Adds the credentials. Returns where they are from, too.
fn with_credentials(
    builder: AmazonS3Builder,
    profile: &Profile<'_>,
    variable: Variable<'_>,
) -> Result<(AmazonS3Builder, String)> {
    if variable("AWS_SKIP_SIGNATURE").is_some_and(|value| is_true(&value)) {
        let from = "no credentials (AWS_SKIP_SIGNATURE)".to_owned();
        return Ok((builder.with_skip_signature(true), from));
    }
    let keys = |get: &dyn Fn(&str) -> Option<String>, names: [&str; 3]| {
        let [id, secret, token] = names.map(get);
        Some((id?, secret?, token))
    };
    let names = [
        "aws_access_key_id",
        "aws_secret_access_key",
        "aws_session_token",
    ];
    let upper = [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
    ];
    let with_keys = |builder: AmazonS3Builder,
                     (id, secret, token): (String, String, Option<String>)| {
        let builder = builder
            .with_access_key_id(id)
            .with_secret_access_key(secret);
        match token {
            Some(token) => builder.with_token(token),
            None => builder,
        }
    };
    if let Some(found) = keys(variable, upper) {
        let from = "the keys of AWS_ACCESS_KEY_ID in the environment".to_owned();
        return Ok((with_keys(builder, found), from));
    }
    let mut builder = builder;
    for (name, key) in WORKLOAD {
        if let Some(value) = variable(name) {
            builder = builder.with_config(key, value);
        }
    }
    if variable("AWS_WEB_IDENTITY_TOKEN_FILE").is_some() && variable("AWS_ROLE_ARN").is_some() {
        let from = "the role of AWS_ROLE_ARN and the token of AWS_WEB_IDENTITY_TOKEN_FILE";
        return Ok((builder, from.to_owned()));
    }
    profile.refuse_roles()?;
    if let Some(found) = keys(&|name| profile.get_secret(name), names) {
        return Ok((with_keys(builder, found), format!("the keys of {profile}")));
    }
    if let Some(command) = profile.get("credential_process") {
        let from = format!("the credential_process of {profile}");
        let provider = ProcessCredentials::of(&command, &profile.to_string())?;
        return Ok((builder.with_credentials(Arc::new(provider)), from));
    }
    if let (Some(token), Some(role)) = (
        profile.get("web_identity_token_file"),
        profile.get("role_arn"),
    ) {
        let builder = builder
            .with_config(AmazonS3ConfigKey::WebIdentityTokenFile, token)
            .with_config(AmazonS3ConfigKey::RoleArn, role);
        return Ok((builder, format!("the role and the token of {profile}")));
    }
    Ok((builder, of_machine(profile, variable)?))
}

/// Where the machine's own credentials are from: of a container, or of the instance.
fn of_machine(profile: &Profile<'_>, variable: Variable<'_>) -> Result<String> {
    if variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI").is_some()
        || variable("AWS_CONTAINER_CREDENTIALS_FULL_URI").is_some()
    {
        if variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI").is_none()
            && variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE").is_none()
        {
            return Err(Error::usage(
                "AWS_CONTAINER_CREDENTIALS_FULL_URI is set without AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
            )
            .hint("ci-import knows this way only with a file that has the token, as EKS gives it"));
        }
        let from = "the credentials of the container (AWS_CONTAINER_CREDENTIALS_…)";
        return Ok(from.to_owned());
    }
    if variable("AWS_EC2_METADATA_DISABLED").is_some_and(|value| is_true(&value)) {
        return Err(no_credentials(profile, "AWS_EC2_METADATA_DISABLED is set"));
    }
    Ok(format!(
        "the credentials of the EC2 instance, as there are no AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the \
         environment and no keys in {profile}"
    ))
}

fn no_credentials(profile: &Profile<'_>, why: &str) -> Error {
    Error::usage("no credentials for S3 were found").hint(format!(
        "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile: AWS_PROFILE=NAME. Tried: the environment, \
         {profile}; the credentials of the EC2 instance were not asked for, as {why}. A public bucket needs none: \
         AWS_SKIP_SIGNATURE=true"
    ))
}

fn is_true(value: &str) -> bool {
    ["1", "true", "yes", "on"].contains(&value.to_ascii_lowercase().as_str())
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
        let ignored = variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
        let named = |name: &str| Some((name.to_owned(), variable(name)?));
        let endpoint = if ignored.is_some_and(|value| is_true(&value)) {
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
            .map(|value| is_true(&value))
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
