//! The URLs of objects.

use std::fmt;
use std::path::Path;

use reqwest::Url;

use crate::error::{Error, Result};

/// Where an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Amazon S3, or a server that speaks its protocol.
    S3,
    /// Google Cloud Storage.
    Google,
    /// Azure Blob Storage.
    Azure,
    /// A web server, with or without TLS.
    Web,
}

/// The schemes of URLs, in lower case.
const SCHEMES: [(&str, Scheme); 6] = [
    ("s3", Scheme::S3),
    ("gs", Scheme::Google),
    ("az", Scheme::Azure),
    ("azure", Scheme::Azure),
    ("https", Scheme::Web),
    ("http", Scheme::Web),
];

/// The URL of an object, or of a prefix with several: `s3://bucket/key`, `gs://bucket/key`, `az://container/key`,
/// `https://host/path`.
///
/// It is shown without what may be secret: name and password, and the query of a web address, which signs it.
#[derive(Clone, PartialEq, Eq)]
pub struct ObjectUrl {
    scheme: Scheme,
    /// As it was given.
    text: String,
    bucket: String,
    key: String,
}

impl ObjectUrl {
    /// The URL in `text`; None if it has not the scheme of an object.
    #[must_use]
    pub fn parse(text: &str) -> Option<Result<ObjectUrl>> {
        let (scheme, rest) = text.split_once("://")?;
        let scheme = SCHEMES
            .iter()
            .find(|(name, _)| scheme.eq_ignore_ascii_case(name))?
            .1;
        // The query of a web address may have slashes, too.
        let ends: &[char] = match scheme {
            Scheme::Web => &['/', '?', '#'],
            _ => &['/'],
        };
        let (bucket, key) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
        let key = key.strip_prefix('/').unwrap_or(key);
        let url = ObjectUrl {
            scheme,
            text: text.to_owned(),
            bucket: bucket.to_owned(),
            key: key.to_owned(),
        };
        Some(url.check())
    }

    /// The URL that was given instead of a path; None if it has not the scheme of an object.
    #[must_use]
    pub fn in_path(path: &Path) -> Option<Result<ObjectUrl>> {
        path.to_str().and_then(ObjectUrl::parse)
    }

    fn check(self) -> Result<ObjectUrl> {
        let what = match self.scheme {
            Scheme::S3 | Scheme::Google => "bucket",
            Scheme::Azure => "container",
            Scheme::Web => "host",
        };
        // Of a URL that is not understood, nobody knows which part is secret.
        let (scheme, _) = self.text.split_once("://").unwrap_or_default();
        let refused = |why: &str| Err(Error::usage(format!("the URL {scheme}://… {why}")));
        if self.bucket.is_empty() {
            return refused(&format!("names no {what}"));
        }
        if self.scheme == Scheme::Web {
            let is_valid = Url::parse(&self.text).is_ok_and(|url| url.has_host());
            return if is_valid {
                Ok(self)
            } else {
                refused("is not valid")
            };
        }
        let of_names = |c: char| c.is_ascii_alphanumeric() || "._-$".contains(c);
        if !self.bucket.chars().all(of_names) {
            return refused(&format!("names a {what} that cannot exist")).map_err(|error| {
                error.hint(
                    "names and keys of users are not part of the URL, but come from the environment or from the files \
                     of the storage's own program",
                )
            });
        }
        if self.scheme == Scheme::Azure && self.key.contains('?') {
            return refused("has a query").map_err(|error: Error| {
                error.hint("AZURE_STORAGE_SAS_TOKEN takes a shared access signature")
            });
        }
        Ok(self)
    }

    /// Where the object is.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The name of the bucket, of the container, or of the host.
    pub(super) fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The key of the object in its bucket, or of a prefix: then it ends with a slash, or is empty.
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// The whole URL, with all that may be secret.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether it names a bucket or a prefix, as a folder of archives.
    #[must_use]
    pub fn is_prefix(&self) -> bool {
        self.scheme != Scheme::Web && (self.key.is_empty() || self.key.ends_with('/'))
    }

    /// The URL as a prefix, if it is not one yet.
    #[must_use]
    pub fn as_prefix(&self) -> ObjectUrl {
        let mut prefix = self.clone();
        if !prefix.is_prefix() {
            prefix.key.push('/');
            prefix.text.push('/');
        }
        prefix
    }

    /// The one text of all that name the same in an object storage.
    #[must_use]
    pub fn canonical(&self) -> ObjectUrl {
        let scheme = match self.scheme {
            Scheme::S3 => "s3",
            Scheme::Google => "gs",
            Scheme::Azure => "az",
            Scheme::Web => return self.clone(),
        };
        ObjectUrl {
            text: format!("{scheme}://{}/{}", self.bucket, self.key),
            ..self.clone()
        }
    }

    /// The URL of the object `name` below this prefix.
    #[must_use]
    pub fn below(&self, name: &str) -> ObjectUrl {
        let mut url = self.clone();
        let separator = if self.key.is_empty() && !self.text.ends_with('/') {
            "/"
        } else {
            ""
        };
        url.key.push_str(name);
        url.text = format!("{}{separator}{name}", self.text);
        url
    }

    /// The last part of its path: the name of the file.
    #[must_use]
    pub fn name(&self) -> &str {
        let path = self.shown_key().trim_end_matches('/');
        path.rsplit('/')
            .next()
            .filter(|name| !name.is_empty())
            .unwrap_or(&self.bucket)
    }

    /// The key without the query of a web address.
    fn shown_key(&self) -> &str {
        match self.scheme {
            Scheme::Web => self.key.split(['?', '#']).next().unwrap_or_default(),
            _ => &self.key,
        }
    }
}

impl fmt::Display for ObjectUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = self.text.split_once("://").unwrap_or_default();
        let host = self.bucket.rsplit('@').next().unwrap_or_default();
        let is_path = rest[self.bucket.len()..].starts_with('/');
        let slash = if is_path { "/" } else { "" };
        write!(f, "{scheme}://{host}{slash}{}", self.shown_key())
    }
}

/// As it is shown to people: errors print it.
impl fmt::Debug for ObjectUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectUrl({self})")
    }
}

/// The scheme and the host of an address, without name, password and anything behind the host.
pub(super) fn shown_address(address: &str) -> String {
    match Url::parse(address) {
        Ok(url) => {
            let port = url
                .port()
                .map_or_else(String::new, |port| format!(":{port}"));
            format!(
                "{}://{}{port}",
                url.scheme(),
                url.host_str().unwrap_or_default()
            )
        }
        Err(_) => "an address that is not valid".to_owned(),
    }
}

/// `address`, the address of a storage that the setting `name` has, if it is one.
pub(super) fn checked_address(name: &str, address: String) -> Result<String> {
    let is_valid = Url::parse(&address)
        .is_ok_and(|url| url.has_host() && ["http", "https"].contains(&url.scheme()));
    if is_valid && !address.contains(char::is_whitespace) {
        return Ok(address);
    }
    Err(
        Error::usage(format!("{name} is not an address of a server"))
            .hint("it has the form https://HOST or http://HOST:PORT"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> ObjectUrl {
        ObjectUrl::parse(text).unwrap().unwrap()
    }

    #[test]
    fn schemes_buckets_and_keys() {
        for (text, scheme, bucket, key) in [
            ("s3://b/a/1_x.tar", Scheme::S3, "b", "a/1_x.tar"),
            ("S3://b", Scheme::S3, "b", ""),
            ("gs://b/", Scheme::Google, "b", ""),
            ("az://c/k", Scheme::Azure, "c", "k"),
            ("https://h:81/p?q=1", Scheme::Web, "h:81", "p?q=1"),
        ] {
            let url = url(text);
            assert_eq!(
                (url.scheme(), url.bucket(), url.key()),
                (scheme, bucket, key)
            );
        }
        for text in ["a.tar", "mysql://h/d", "./s3:/b", "s3:b"] {
            assert!(ObjectUrl::parse(text).is_none(), "{text}");
        }
        for text in [
            "s3://",
            "s3:///k",
            "s3://key:s3cret@b/k",
            "s3://key:s3/cret@b/k",
            "s3://my bucket/k",
            "az://c/k?sig=s3cret",
            "https://",
            "https:///u:s3cret@h/a",
            "https://u:pa/s3cret@h/x",
            "https://u:s3cret?x@h/x",
        ] {
            let error = ObjectUrl::parse(text).unwrap().unwrap_err().to_string();
            let (scheme, _) = text.split_once("://").unwrap();
            assert!(
                error.starts_with(&format!("the URL {scheme}://… ")),
                "{error}"
            );
            assert!(!error.contains("cret"), "{error}");
        }
    }

    #[test]
    fn nothing_secret_is_shown() {
        for (text, shown) in [
            ("https://u:p@h/a.tar?sig=s3cret", "https://h/a.tar"),
            ("https://h?sig=s3cret", "https://h"),
            ("https://h?sig=a/s3cret", "https://h"),
            ("https://u:p@h:81/d/?a@s3cret", "https://h:81/d/"),
            ("https://h/#s3cret", "https://h/"),
            ("s3://b/k?x", "s3://b/k?x"),
            ("s3://b", "s3://b"),
            ("s3://b/", "s3://b/"),
        ] {
            assert_eq!(url(text).to_string(), shown);
            assert_eq!(format!("{:?}", url(text)), format!("ObjectUrl({shown})"));
        }
        for (address, shown) in [
            ("https://u:p@h:81/a?b", "https://h:81"),
            ("h:81", "h://"),
            ("", "an address that is not valid"),
        ] {
            assert_eq!(shown_address(address), shown);
        }
        assert!(checked_address("X", "minio:9000".to_owned()).is_err());
        assert!(checked_address("X", "https://minio:9000".to_owned()).is_ok());
    }

    #[test]
    fn one_text_names_one_place() {
        for (given, canonical) in [
            ("S3://b", "s3://b/"),
            ("s3://b/", "s3://b/"),
            ("azure://c/p", "az://c/p"),
            ("gs://b/p/", "gs://b/p/"),
        ] {
            assert_eq!(url(given).canonical().to_string(), canonical);
        }
    }

    #[test]
    fn prefixes_have_objects() {
        for (prefix, below) in [
            ("s3://b", "s3://b/n"),
            ("s3://b/", "s3://b/n"),
            ("s3://b/p/", "s3://b/p/n"),
        ] {
            assert!(url(prefix).is_prefix());
            let below_it = url(prefix).below("n");
            assert_eq!(below_it, url(below));
            assert_eq!(below_it.name(), "n");
        }
        assert!(!url("s3://b/p").is_prefix());
        assert_eq!(url("s3://b/p").as_prefix(), url("s3://b/p/"));
        assert_eq!(url("https://h/d/a.sql.gz?x=/y").name(), "a.sql.gz");
        assert!(!url("https://h/").is_prefix());
    }
}
