//! Azure Blob Storage: the account and its key by the variables of `az storage` (Azure CLI, "az storage"), or the
//! identities of Azure's SDKs.

use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};

use super::bucket::{Bucket, Use, no_retries};
use super::client::{Connector, Options, client};
use super::url::{ObjectUrl, checked_address, shown_address};
use super::variables::Variable;
use crate::error::{Error, Result};

/// Variables of the SDKs.
const IDENTITIES: [(&str, AzureConfigKey); 6] = [
    ("AZURE_CLIENT_ID", AzureConfigKey::ClientId),
    ("AZURE_TENANT_ID", AzureConfigKey::AuthorityId),
    ("AZURE_CLIENT_SECRET", AzureConfigKey::ClientSecret),
    (
        "AZURE_FEDERATED_TOKEN_FILE",
        AzureConfigKey::FederatedTokenFile,
    ),
    ("AZURE_AUTHORITY_HOST", AzureConfigKey::AuthorityHost),
    ("IDENTITY_ENDPOINT", AzureConfigKey::MsiEndpoint),
];

/// What an account is and how it lets in, as far as it is named.
#[derive(Debug, Default, PartialEq, Eq)]
struct Account {
    name: Option<String>,
    key: Option<String>,
    signature: Option<String>,
    endpoint: Option<String>,
    is_emulator: bool,
}

/// The container of `url`.
pub(super) fn bucket(url: &ObjectUrl, purpose: Use, variable: Variable<'_>) -> Result<Bucket> {
    let mut account = Account::named(variable)?;
    let endpoint = account.endpoint.take();
    let endpoint =
        endpoint.map(|endpoint| checked_address("the endpoint of the storage account", endpoint));
    account.endpoint = endpoint.transpose()?;
    let is_plain = account.is_emulator
        || account
            .endpoint
            .as_ref()
            .is_some_and(|endpoint| endpoint.starts_with("http://"));
    let bundle = variable("REQUESTS_CA_BUNDLE");
    let client = client(&Options {
        ca_bundle: bundle.as_deref().map(std::path::Path::new),
        ..Options::of(purpose.silence)
    })?;
    let mut builder = MicrosoftAzureBuilder::new()
        .with_container_name(url.bucket())
        .with_http_connector(Connector {
            client,
            is_plain,
            keeps_objects: false,
        })
        .with_use_emulator(account.is_emulator)
        .with_retry(no_retries());
    let place = match (&account.name, &account.endpoint) {
        _ if account.is_emulator => "the emulator".to_owned(),
        (Some(name), Some(endpoint)) => {
            format!("the account {name} at {}", shown_address(endpoint))
        }
        (Some(name), None) => format!("the account {name}"),
        (None, _) => {
            return Err(Error::usage(format!("{url}: no storage account is named")).hint(
                "set AZURE_STORAGE_ACCOUNT, or AZURE_STORAGE_CONNECTION_STRING, as for az storage",
            ));
        }
    };
    if let Some(name) = &account.name {
        builder = builder.with_account(name);
    }
    if let Some(endpoint) = account.endpoint {
        builder = builder.with_allow_http(is_plain).with_endpoint(endpoint);
    }
    let is_by_login = variable("AZURE_STORAGE_AUTH_MODE").as_deref() == Some("login");
    let credentials;
    if let Some(key) = account.key.filter(|_| !is_by_login) {
        builder = builder.with_access_key(key);
        credentials = "the account's key";
    } else if let Some(signature) = account.signature.filter(|_| !is_by_login) {
        builder = builder.with_config(AzureConfigKey::SasKey, signature);
        credentials = "a shared access signature";
    } else if account.is_emulator {
        credentials = "the emulator's key";
    } else {
        let is_set = |name: &str| variable(name).is_some();
        let by_variables = is_set("IDENTITY_ENDPOINT")
            || is_set("AZURE_CLIENT_ID")
                && is_set("AZURE_TENANT_ID")
                && (is_set("AZURE_CLIENT_SECRET") || is_set("AZURE_FEDERATED_TOKEN_FILE"));
        for (name, key) in IDENTITIES {
            if let Some(value) = variable(name).filter(|_| by_variables) {
                builder = builder.with_config(key, value);
            }
        }
        builder = builder.with_use_azure_cli(!by_variables && is_by_login);
        credentials = match (by_variables, is_by_login) {
            (true, _) => "the identity of AZURE_CLIENT_ID and AZURE_TENANT_ID",
            (false, true) => "the token of az account get-access-token",
            (false, false) => {
                "the identity of the machine in Azure, as neither AZURE_STORAGE_KEY nor AZURE_STORAGE_SAS_TOKEN nor \
                 AZURE_STORAGE_CONNECTION_STRING is set, and AZURE_STORAGE_AUTH_MODE is not login"
            }
        };
    }
    let store = builder.build().map_err(|_| {
        Error::usage(format!(
            "cannot use the storage of {url}: {place}, with {credentials}, is not valid"
        ))
    })?;
    Ok(Bucket::of(store, &place, credentials))
}

impl Account {
    /// By the variables of `az storage`; a connection string has all at once.
    fn named(variable: Variable<'_>) -> Result<Account> {
        if let Some(text) = variable("AZURE_STORAGE_CONNECTION_STRING") {
            return Account::in_connection_string(&text);
        }
        Ok(Account {
            name: variable("AZURE_STORAGE_ACCOUNT"),
            key: variable("AZURE_STORAGE_KEY"),
            signature: variable("AZURE_STORAGE_SAS_TOKEN"),
            endpoint: variable("AZURE_STORAGE_SERVICE_ENDPOINT"),
            is_emulator: false,
        })
    }

    /// `Name=value;…` (Azure Storage, "Configure Azure Storage connection strings").
    fn in_connection_string(text: &str) -> Result<Account> {
        let mut account = Account::default();
        let (mut protocol, mut suffix) = ("https".to_owned(), "core.windows.net".to_owned());
        for part in text.split(';').filter(|part| !part.trim().is_empty()) {
            let (name, value) = part.split_once('=').ok_or_else(|| {
                // It has the key of the account.
                Error::usage("AZURE_STORAGE_CONNECTION_STRING is not of the form Name=value;…")
            })?;
            let value = value.trim().to_owned();
            match name.trim() {
                "AccountName" => account.name = Some(value),
                "AccountKey" => account.key = Some(value),
                "SharedAccessSignature" => account.signature = Some(value),
                "BlobEndpoint" => account.endpoint = Some(value),
                "DefaultEndpointsProtocol" => protocol = value,
                "EndpointSuffix" => suffix = value,
                "UseDevelopmentStorage" => account.is_emulator = value.eq_ignore_ascii_case("true"),
                _ => {}
            }
        }
        if account.endpoint.is_none()
            && let Some(name) = &account.name
            && (protocol.as_str(), suffix.as_str()) != ("https", "core.windows.net")
        {
            account.endpoint = Some(format!("{protocol}://{name}.blob.{suffix}"));
        }
        // A connection string with a signature need not name the account, which the host begins with.
        if account.name.is_none()
            && let Some((_, host)) = account
                .endpoint
                .as_deref()
                .and_then(|url| url.split_once("://"))
        {
            account.name = host.split('.').next().map(str::to_owned);
        }
        Ok(account)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connection_strings() {
        let some = |text: &str| Some(text.to_owned());
        let of = |text| Account::in_connection_string(text).unwrap();
        assert_eq!(
            of(
                "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=k==;EndpointSuffix=core.windows.net"
            ),
            Account {
                name: some("a"),
                key: some("k=="),
                ..Account::default()
            }
        );
        assert_eq!(
            of("AccountName=a;AccountKey=k;EndpointSuffix=core.chinacloudapi.cn").endpoint,
            some("https://a.blob.core.chinacloudapi.cn")
        );
        let signed =
            of("BlobEndpoint=https://a.blob.core.windows.net/;SharedAccessSignature=sv=1&sig=x;");
        assert_eq!(
            (signed.name, signed.signature),
            (some("a"), some("sv=1&sig=x"))
        );
        assert!(of("UseDevelopmentStorage=true").is_emulator);
        let error = Account::in_connection_string("secret").unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
