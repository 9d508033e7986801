//! A file on a web server (RFC 9110): read in ranges where the server has them, else once from beginning to end.

use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use reqwest::header::{
    ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap, HeaderName, IF_MATCH,
    IF_UNMODIFIED_SINCE, LAST_MODIFIED, RANGE, TRANSFER_ENCODING,
};
use reqwest::{Client, Response, StatusCode, Url};

use super::client::{Options, client};
use super::failure::{Failure, Meaning, as_io};
use super::piece::{Piece, Pin};
use super::request::{Patience, with_patience};
use super::runtime::wait_for;
use super::url::ObjectUrl;
use crate::error::{Error, Result};

/// So much of the page that comes with an error is looked at.
const MOST_OF_AN_ERROR: u64 = 16 * 1024;

/// A file on a web server.
#[derive(Debug, Clone)]
pub(super) struct Web {
    client: Client,
    url: Arc<Address>,
}

/// The address, which may have a password or a signature, and how it is shown.
struct Address {
    url: Url,
    shown: ObjectUrl,
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.shown)
    }
}

impl Web {
    pub(super) fn of(shown: &ObjectUrl, silence: Duration) -> Result<Web> {
        let url = Url::parse(shown.text())
            .map_err(|cause| Error::usage(format!("{shown} is not a valid URL: {cause}")))?;
        Ok(Web {
            client: client(&Options {
                with_redirects: true,
                ..Options::of(silence)
            })?,
            url: Arc::new(Address {
                url,
                shown: shown.clone(),
            }),
        })
    }

    /// The whole file, if the server has no ranges of it.
    pub(super) async fn download(
        &self,
        patience: Patience,
    ) -> std::result::Result<Option<Download>, Failure> {
        let answer = self.ask_at_first(Some(0..1), patience).await?;
        let pin = pin_of(&answer);
        let is_pinned = pin
            .as_ref()
            .is_some_and(|pin| pin.etag.is_some() || pin.modified.is_some());
        match answer.status() {
            // Without a mark of the version, a file that is read in pieces could change unseen.
            StatusCode::PARTIAL_CONTENT if is_pinned => Ok(None),
            StatusCode::PARTIAL_CONTENT => {
                let whole = self.ask_at_first(None, patience).await?;
                Download::of(whole, &self.url.shown).map(Some)
            }
            _ => Download::of(answer, &self.url.shown).map(Some),
        }
    }

    async fn ask_at_first(
        &self,
        range: Option<Range<u64>>,
        patience: Patience,
    ) -> std::result::Result<Response, Failure> {
        with_patience(patience, "the first request", || {
            self.ask(range.clone(), None)
        })
        .await
    }

    /// See [`super::server::Server::get`].
    pub(super) async fn get(
        &self,
        range: Range<u64>,
        pin: Option<&Pin>,
    ) -> std::result::Result<Piece, Failure> {
        let (start, most) = (range.start, range.end - range.start);
        let answer = self.ask(Some(range), pin).await?;
        let wrong = || {
            Failure::new(
                Meaning::Other,
                "the server sends other bytes than it is asked for",
            )
        };
        let pin = pin_of(&answer).ok_or_else(wrong)?;
        let sent = text(answer.headers(), &CONTENT_RANGE).unwrap_or_default();
        if !sent.trim().starts_with(&format!("bytes {start}-")) {
            return Err(wrong());
        }
        let (bytes, is_all) = first_bytes(answer, most).await?;
        if !is_all {
            return Err(wrong());
        }
        Ok(Piece { bytes, pin })
    }

    /// The answer to a request, if it is a success.
    async fn ask(
        &self,
        range: Option<Range<u64>>,
        pin: Option<&Pin>,
    ) -> std::result::Result<Response, Failure> {
        let mut request = self
            .client
            .get(self.url.url.clone())
            .header(ACCEPT_ENCODING, "identity");
        if let Some(range) = range {
            let last = range.end.saturating_sub(1);
            request = request.header(RANGE, format!("bytes={}-{last}", range.start));
        }
        if let Some(pin) = pin {
            match (&pin.etag, &pin.modified) {
                (Some(etag), _) if !etag.starts_with("W/") => {
                    request = request.header(IF_MATCH, etag);
                }
                (_, Some(modified)) => request = request.header(IF_UNMODIFIED_SINCE, modified),
                _ => {}
            }
        }
        let answer = request.send().await.map_err(Failure::of_web)?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        if status == StatusCode::RANGE_NOT_SATISFIABLE {
            let meaning = match pin {
                None => Meaning::Empty,
                Some(_) => Meaning::Changed,
            };
            return Err(Failure::new(meaning, "it has no such bytes"));
        }
        let said = first_bytes(answer, MOST_OF_AN_ERROR).await;
        let said = said.map(|(said, _)| said).unwrap_or_default();
        Err(Failure::of_status(
            status.as_u16(),
            &String::from_utf8_lossy(&said),
        ))
    }
}

/// The first bytes of an answer, at most about `most`, and whether these are all.
async fn first_bytes(
    mut answer: Response,
    most: u64,
) -> std::result::Result<(Bytes, bool), Failure> {
    let mut bytes = BytesMut::new();
    while let Some(more) = answer.chunk().await.map_err(Failure::of_web)? {
        bytes.extend_from_slice(&more);
        if bytes.len() as u64 > most {
            return Ok((bytes.freeze(), false));
        }
    }
    Ok((bytes.freeze(), true))
}

/// What identifies the file of a partial answer.
fn pin_of(answer: &Response) -> Option<Pin> {
    let headers = answer.headers();
    let range = text(headers, &CONTENT_RANGE)?;
    let size = range.rsplit('/').next()?.trim().parse().ok()?;
    Some(Pin {
        etag: text(headers, &ETAG),
        modified: text(headers, &LAST_MODIFIED),
        size,
    })
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

/// A file that is read once, in order.
#[derive(Debug)]
pub struct Download {
    answer: Response,
    piece: Bytes,
    shown: ObjectUrl,
    /// How many bytes the server has announced and not sent.
    left: Option<u64>,
}

impl Download {
    /// An error if the server does not say where the file ends: a connection that breaks would look like its end.
    fn of(answer: Response, shown: &ObjectUrl) -> std::result::Result<Download, Failure> {
        let left = text(answer.headers(), &CONTENT_LENGTH).and_then(|length| length.parse().ok());
        if left.is_none() && !answer.headers().contains_key(TRANSFER_ENCODING) {
            let said = "the server does not say where the file ends";
            return Err(Failure::new(Meaning::Other, said));
        }
        Ok(Download {
            left,
            answer,
            piece: Bytes::new(),
            shown: shown.clone(),
        })
    }
}

impl Read for Download {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let failed = |failure: Failure, shown: &ObjectUrl| as_io(failure.told(shown, ""));
        while self.piece.is_empty() && !buffer.is_empty() {
            let next = wait_for(self.answer.chunk()).map_err(as_io)?;
            let Some(next) = next.map_err(|cause| failed(Failure::of_web(cause), &self.shown))?
            else {
                if self.left.is_some_and(|left| left > 0) {
                    let broken = Failure::new(Meaning::Unreachable, "the connection broke off");
                    return Err(failed(broken, &self.shown));
                }
                return Ok(0);
            };
            self.left = self.left.map(|left| left.saturating_sub(next.len() as u64));
            self.piece = next;
        }
        let count = buffer.len().min(self.piece.len());
        self.piece.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}
