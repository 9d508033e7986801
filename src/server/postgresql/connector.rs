//! The stream between driver and server, with TLS or without, through which the server's requests are seen before the driver
//! sees them.

use std::error::Error;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use postgres::Socket;
use postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::authentication::{Rule, Watch};

/// Makes the connections of one place: with TLS, or without if there is no `tls`.
#[derive(Clone)]
pub(crate) struct Connector {
    pub(crate) tls: Option<MakeRustlsConnect>,
    pub(crate) rule: Rule,
}

type OverTls = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream;
type ConnectTls = <MakeRustlsConnect as MakeTlsConnect<Socket>>::TlsConnect;
type Failed = Box<dyn Error + Send + Sync>;

impl MakeTlsConnect<Socket> for Connector {
    type Stream = Watched;
    type TlsConnect = Connecting;
    type Error = Failed;

    fn make_tls_connect(&mut self, host: &str) -> Result<Connecting, Failed> {
        let tls = self.tls.as_mut();
        let tls = tls.map(|tls| MakeTlsConnect::<Socket>::make_tls_connect(tls, host));
        Ok(Connecting {
            tls: tls.transpose()?,
            rule: self.rule,
        })
    }
}

/// A connection that is being made.
pub(crate) struct Connecting {
    tls: Option<ConnectTls>,
    rule: Rule,
}

impl TlsConnect<Socket> for Connecting {
    type Stream = Watched;
    type Error = Failed;
    type Future = Pin<Box<dyn Future<Output = Result<Watched, Failed>> + Send>>;

    fn connect(self, socket: Socket) -> Self::Future {
        Box::pin(async move {
            let stream = match self.tls {
                Some(tls) => Stream::Tls(Box::new(tls.connect(socket).await?)),
                None => Stream::Plain(socket),
            };
            let watch = Some(Watch::new(self.rule));
            Ok(Watched { stream, watch })
        })
    }
}

enum Stream {
    Tls(Box<OverTls>),
    Plain(Socket),
}

/// A stream that is watched until the session is open.
pub(crate) struct Watched {
    stream: Stream,
    watch: Option<Watch>,
}

impl TlsStream for Watched {
    fn channel_binding(&self) -> ChannelBinding {
        match &self.stream {
            Stream::Tls(stream) => stream.channel_binding(),
            Stream::Plain(_) => ChannelBinding::none(),
        }
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let done = match &mut self.stream {
            Stream::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
            Stream::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
        };
        ready!(done)?;
        if let Some(watch) = &mut self.watch {
            match watch.read(&buffer.filled()[before..]) {
                Ok(is_open) => {
                    if is_open {
                        self.watch = None;
                    }
                }
                Err(refused) => {
                    buffer.set_filled(before);
                    return Poll::Ready(Err(io::Error::other(refused)));
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Stream::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
            Stream::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Tls(stream) => Pin::new(stream).poll_flush(context),
            Stream::Plain(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
