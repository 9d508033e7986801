//! Why a request failed: whether to try it again, and what to tell.

use std::error::Error as StdError;

use object_store::client::{HttpError, HttpErrorKind};

use super::url::{ObjectUrl, Scheme};
use crate::error::chain::behind;
use crate::error::{Error, Kind};

/// The most of a server's own message that is shown.
const MOST_CHARACTERS: usize = 200;

/// What a failed request means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// There is no such object.
    NoObject,
    /// There is no such bucket.
    NoBucket,
    /// The server does not know or does not let in whoever asks.
    Denied,
    /// The credentials were good once.
    Expired,
    /// No credentials were found, and the metadata service of a cloud gave none.
    NoCredentials,
    /// The object is no longer the one that was opened.
    Changed,
    /// There is an object that must not be replaced.
    Exists,
    /// The range begins behind the end: of an object without bytes.
    Empty,
    /// The bucket is somewhere else: in another region, mostly.
    Elsewhere,
    /// The certificate of the server is not believed.
    Certificate,
    /// The server was not reached, did not answer in time, or broke off.
    Unreachable,
    /// The server is overloaded or has an error of its own.
    Troubled,
    /// Anything else.
    Other,
}

/// A failed request.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub(super) meaning: Meaning,
    /// What the server or the connection said, without anything secret.
    pub(super) said: String,
    /// An error of this program: of what gives credentials.
    own: Option<Error>,
}

/// The clouds' metadata services: of EC2 and Azure, of ECS, of EKS, of Google.
const METADATA: [&str; 5] = [
    "169.254.169.254",
    "169.254.170.2",
    "169.254.170.23",
    "metadata.google.internal",
    "metadata",
];

/// What object_store says if Azurite answers to a range of an object without bytes, which Azure refuses with 416.
const RANGE_OF_NOTHING: &str = "\"bytes 0--1/0\"";

/// What object_store says of a redirect that does not say where to, as S3's to another region.
const BARE_REDIRECT: &str = "Received redirect without LOCATION";

/// What object_store says of a success whose body is an error, as completing an upload may have it (S3 API reference,
/// "CompleteMultipartUpload").
const ERROR_IN_SUCCESS: &str = "Server returned error response: ";

impl Failure {
    pub(super) fn new(meaning: Meaning, said: impl Into<String>) -> Failure {
        Failure {
            meaning,
            said: said.into(),
            own: None,
        }
    }

    /// The failure of a request to a bucket.
    pub(super) fn of_bucket(error: &object_store::Error) -> Failure {
        if let Some(own) = behind::<Error>(error) {
            return Failure {
                own: Some(own.clone()),
                ..Failure::new(Meaning::NoCredentials, own.to_string())
            };
        }
        let text = error.to_string();
        if METADATA.contains(&host_in(&text)) {
            return Failure::new(Meaning::NoCredentials, "the metadata service gave none");
        }
        if text.contains(RANGE_OF_NOTHING) {
            return Failure::new(Meaning::Empty, "there is no byte in it");
        }
        if text.contains(BARE_REDIRECT) {
            return Failure::new(Meaning::Elsewhere, "the storage redirects");
        }
        let answer = Answer::in_text(&text);
        if let Some(http) = behind::<HttpError>(error) {
            return Failure::of_connection(http, http.kind());
        }
        if let Some(answer) = answer {
            return answer.failure();
        }
        let meaning = match error {
            object_store::Error::NotFound { .. } => Meaning::NoObject,
            object_store::Error::AlreadyExists { .. } => Meaning::Exists,
            object_store::Error::Precondition { .. } | object_store::Error::NotModified { .. } => {
                Meaning::Changed
            }
            object_store::Error::PermissionDenied { .. }
            | object_store::Error::Unauthenticated { .. } => Meaning::Denied,
            _ => Meaning::Other,
        };
        Failure::new(meaning, shortened(&innermost(error)))
    }

    /// The same of a list: what does not exist has an empty one, so only the bucket can be missing.
    pub(super) fn of_list(self) -> Failure {
        match self.meaning {
            Meaning::NoObject => Failure::new(Meaning::NoBucket, self.said),
            _ => self,
        }
    }

    /// The failure of a request to a web server.
    pub(super) fn of_web(error: reqwest::Error) -> Failure {
        let error = error.without_url();
        let kind = if error.is_timeout() {
            HttpErrorKind::Timeout
        } else {
            HttpErrorKind::Connect
        };
        if error.is_redirect() {
            return Failure::new(Meaning::Other, innermost(&error));
        }
        Failure::of_connection(&error, kind)
    }

    /// The failure of a request to a web server that answered with `status`.
    pub(super) fn of_status(status: u16, said: &str) -> Failure {
        Answer {
            status,
            code: between(said, "<Code>", "</Code>"),
            message: between(said, "<Message>", "</Message>"),
            reason: String::new(),
        }
        .failure()
    }

    /// The failure of a connection.
    fn of_connection(error: &(dyn StdError + 'static), kind: HttpErrorKind) -> Failure {
        if let Some(tls) = behind::<rustls::Error>(error) {
            let meaning = match tls {
                rustls::Error::InvalidCertificate(_) => Meaning::Certificate,
                _ => Meaning::Unreachable,
            };
            return Failure::new(meaning, tls.to_string());
        }
        let said = match kind {
            HttpErrorKind::Timeout => "it did not answer in time".to_owned(),
            _ => innermost(error),
        };
        Failure::new(Meaning::Unreachable, shortened(&said))
    }

    /// Whether another attempt may succeed.
    pub(super) fn is_passing(&self) -> bool {
        match self.meaning {
            Meaning::Unreachable | Meaning::Troubled => true,
            // A metadata service may be slow for once.
            Meaning::NoCredentials => self.own.is_none(),
            _ => false,
        }
    }

    /// The error for `url`, which was to be read.
    pub(super) fn told(&self, url: &ObjectUrl, tried: &str) -> Error {
        self.told_of(Access::Read, url, tried)
    }

    /// The error for `url`, which was to be written.
    pub(super) fn told_of_writing(&self, url: &ObjectUrl, tried: &str) -> Error {
        self.told_of(Access::Write, url, tried)
    }

    fn told_of(&self, access: Access, url: &ObjectUrl, tried: &str) -> Error {
        if let Some(own) = &self.own {
            return own.clone();
        }
        let error = Error::new(self.kind(), self.message(access, url));
        let hint = self.hint(access, url, tried);
        if hint.is_empty() {
            error
        } else {
            error.hint(hint)
        }
    }

    fn kind(&self) -> Kind {
        match self.meaning {
            Meaning::NoObject
            | Meaning::NoBucket
            | Meaning::Denied
            | Meaning::Expired
            | Meaning::NoCredentials
            | Meaning::Certificate
            | Meaning::Exists
            | Meaning::Elsewhere => Kind::Usage,
            Meaning::Changed | Meaning::Empty => Kind::Archive,
            Meaning::Unreachable | Meaning::Troubled => Kind::Storage,
            Meaning::Other => Kind::Failed,
        }
    }

    fn message(&self, access: Access, url: &ObjectUrl) -> String {
        let said = &self.said;
        let why = match self.meaning {
            Meaning::Changed => return format!("{url} has changed while it was read"),
            Meaning::Empty => return format!("{url} has no bytes"),
            Meaning::Exists => return format!("{url} exists"),
            Meaning::NoObject if url.scheme() == Scheme::Web => {
                "the server has no such file".to_owned()
            }
            Meaning::NoObject if access == Access::Write => {
                format!("the storage has forgotten the upload: {said}")
            }
            Meaning::NoObject => "there is no such object".to_owned(),
            Meaning::NoBucket => "there is no such bucket".to_owned(),
            Meaning::Denied => format!("the storage refuses: {said}"),
            Meaning::Expired => format!("the credentials have expired: {said}"),
            Meaning::NoCredentials => "no credentials were found".to_owned(),
            Meaning::Elsewhere => format!("the bucket is not there: {said}"),
            Meaning::Certificate => {
                format!("the certificate of the server is not trusted: {said}")
            }
            Meaning::Troubled => format!("the storage has a problem: {said}"),
            Meaning::Unreachable | Meaning::Other => said.clone(),
        };
        let verb = match access {
            Access::Read => "read",
            Access::Write => "write",
        };
        format!("cannot {verb} {url}: {why}")
    }

    /// What one can do; nothing if that is not known.
    fn hint(&self, access: Access, url: &ObjectUrl, tried: &str) -> String {
        match (self.meaning, url.scheme()) {
            (Meaning::NoObject, Scheme::Web) => String::new(),
            (Meaning::NoObject, _) if access == Access::Write => "run it again".to_owned(),
            (Meaning::NoObject, _) => format!(
                "check the key; if it is a prefix with archives, end it with a slash: {}",
                url.as_prefix()
            ),
            (Meaning::NoBucket, _) => format!("check its name, and the storage: {tried}"),
            (Meaning::Denied | Meaning::Expired | Meaning::NoCredentials, _) => tried.to_owned(),
            (Meaning::Elsewhere, Scheme::S3) => {
                format!("name its region: AWS_REGION=REGION. Asked was {tried}")
            }
            (Meaning::Elsewhere, _) => tried.to_owned(),
            (Meaning::Exists, _) => "name another key, or replace it: --overwrite".to_owned(),
            (Meaning::Changed, _) => "run it again when nobody writes the object".to_owned(),
            (Meaning::Certificate, Scheme::S3) => {
                "name the file with the CA of the storage: AWS_CA_BUNDLE=FILE".to_owned()
            }
            (Meaning::Certificate, _) => {
                "name the file with the CA of the server: SSL_CERT_FILE=FILE".to_owned()
            }
            (Meaning::Unreachable, Scheme::Web) => "run it again".to_owned(),
            (Meaning::Unreachable, _) => format!("run it again, or check the storage: {tried}"),
            (Meaning::Troubled, _) => "run it again later".to_owned(),
            _ => String::new(),
        }
    }
}

/// What was to be done with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

/// `error` inside of one of a reader or writer.
pub(super) fn as_io(error: Error) -> std::io::Error {
    std::io::Error::other(error)
}

/// A server's answer that is no success.
struct Answer {
    status: u16,
    /// The name of the error in S3's XML (API reference, "Error responses"), which Azure and Google have, too.
    code: Option<String>,
    message: Option<String>,
    /// The status in words.
    reason: String,
}

impl Answer {
    /// The answer that the text of an error quotes: the status, and the XML of the server.
    fn in_text(text: &str) -> Option<Answer> {
        if let Some((_, body)) = text.split_once(ERROR_IN_SUCCESS) {
            return Some(Answer {
                status: 200,
                code: between(body, "<Code>", "</Code>"),
                message: between(body, "<Message>", "</Message>"),
                reason: String::new(),
            });
        }
        let after = text.split_once("status code: ")?.1;
        let digits = after.get(..3)?;
        let rest = &after[3..];
        let reason = rest.split(':').next().unwrap_or_default().trim();
        Some(Answer {
            status: digits.parse().ok()?,
            code: between(text, "<Code>", "</Code>"),
            message: between(text, "<Message>", "</Message>"),
            reason: shortened(reason),
        })
    }

    fn failure(self) -> Failure {
        let code = self.code.as_deref().unwrap_or_default();
        let meaning = match (self.status, code) {
            (_, "NoSuchBucket" | "ContainerNotFound") => Meaning::NoBucket,
            (_, "ExpiredToken" | "RequestExpired" | "TokenRefreshRequired") => Meaning::Expired,
            (_, "ConditionalRequestConflict") => Meaning::Exists,
            (300..=399, _) | (_, "PermanentRedirect" | "IllegalLocationConstraintException") => {
                Meaning::Elsewhere
            }
            (404, _) => Meaning::NoObject,
            (401 | 403 | 409, _)
            | (_, "InvalidAccessKeyId" | "InvalidToken" | "AuthorizationHeaderMalformed") => {
                Meaning::Denied
            }
            // A storage that does not know a condition never will.
            (501, _) => Meaning::Other,
            (412, _) => Meaning::Changed,
            (416, _) => Meaning::Empty,
            (408 | 429 | 500.., _) | (_, "SlowDown" | "RequestTimeout" | "InternalError") => {
                Meaning::Troubled
            }
            _ => Meaning::Other,
        };
        let mut said = format!("{} {}", self.status, self.reason);
        if !code.is_empty() {
            said = format!("{code} ({})", self.status);
        }
        if let Some(message) = self.message {
            said = format!("{said}: {message}");
        }
        Failure::new(meaning, shortened(said.trim()))
    }
}

/// What is between `start` and `end` in `text`.
fn between(text: &str, start: &str, end: &str) -> Option<String> {
    let rest = text.split_once(start)?.1;
    let found = rest.split_once(end)?.0;
    Some(shortened(found))
}

/// The first characters of a text of somebody else, on one line.
fn shortened(text: &str) -> String {
    let mut short: String = text
        .chars()
        .take(MOST_CHARACTERS)
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// The host of the request that the text of an error names: "Error performing GET http://host/path in 1s".
fn host_in(text: &str) -> &str {
    let url = text
        .split_once("Error performing ")
        .and_then(|(_, rest)| rest.split_once("://"));
    let rest = url.map_or("", |(_, rest)| rest);
    rest.split(['/', ':', ' ']).next().unwrap_or_default()
}

/// The last cause of `error`, which says most.
fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_servers_answer() {
        let text = |status: &str, xml: &str| {
            format!(
                "Generic S3 error: Error performing GET http://h/b/k in 2ms - Server returned non-2xx \
                 status code: {status}: {xml}"
            )
        };
        let xml = |code: &str| {
            format!(
                "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>no way</Message></Error>"
            )
        };
        for (status, code, meaning) in [
            ("404 Not Found", "NoSuchKey", Meaning::NoObject),
            ("404 Not Found", "NoSuchBucket", Meaning::NoBucket),
            ("403 Forbidden", "AccessDenied", Meaning::Denied),
            ("400 Bad Request", "ExpiredToken", Meaning::Expired),
            (
                "412 Precondition Failed",
                "PreconditionFailed",
                Meaning::Changed,
            ),
            ("416 Range", "InvalidRange", Meaning::Empty),
            ("503 Service Unavailable", "SlowDown", Meaning::Troubled),
            ("418 Teapot", "Teapot", Meaning::Other),
        ] {
            let answer = Answer::in_text(&text(status, &xml(code))).unwrap();
            let failure = answer.failure();
            assert_eq!(failure.meaning, meaning, "{status} {code}");
            assert_eq!(failure.said, format!("{code} ({}): no way", &status[..3]));
        }
        let bare = Answer::in_text(&text("502 Bad Gateway", "<html>")).unwrap();
        assert_eq!(bare.failure().said, "502 Bad Gateway");
        assert_eq!(host_in(&text("404 Not Found", "")), "h");
        assert_eq!(
            host_in("Error performing PUT http://169.254.169.254/latest in 1s"),
            METADATA[0]
        );
        assert_eq!(host_in("nothing"), "");
        assert!(Answer::in_text("nothing").is_none());
        assert!(Answer::in_text("status code: 4").is_none());
    }

    #[test]
    fn texts_of_others_are_short_and_on_one_line() {
        let long = "x\n".repeat(300);
        assert_eq!(shortened(&long).chars().count(), MOST_CHARACTERS + 1);
        assert!(!shortened(&long).contains('\n'));
        assert_eq!(shortened("short"), "short");
    }
}
