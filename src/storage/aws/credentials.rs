//! Credentials for S3, in the order in which `aws` looks for them.

use std::sync::Arc;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};

use super::files::Profile;
use super::process::ProcessCredentials;
use crate::error::{Error, Result};
use crate::storage::variables::{Variable, is_on};

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

/// Adds the credentials. Returns where they are from, too.
pub(super) fn with_credentials(
    builder: AmazonS3Builder,
    profile: &Profile<'_>,
    variable: Variable<'_>,
) -> Result<(AmazonS3Builder, String)> {
    if is_on(variable, "AWS_SKIP_SIGNATURE") {
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
    if is_on(variable, "AWS_EC2_METADATA_DISABLED") {
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
