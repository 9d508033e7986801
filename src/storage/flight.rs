//! Requests that are on their way at the same time. Each of a small object takes a while, however small it is.

use std::future::Future;

use tokio::task::JoinSet;

use super::runtime::{spawn_into, wait_a_moment, wait_for_end};
use crate::cancellation::stop;
use crate::error::{Error, Result};

/// So many are on their way.
const MOST_REQUESTS: usize = 64;

/// So many bytes they hold, all together.
pub(super) const MOST_BYTES: usize = 8 * 1024 * 1024;

/// See the module. What has not arrived when it is dropped is given up.
#[derive(Debug)]
pub(super) struct Flight<T> {
    /// Each with the bytes that it holds.
    requests: JoinSet<(usize, Result<T>)>,
    bytes: usize,
}

impl<T: Send + 'static> Flight<T> {
    pub(super) fn new() -> Flight<T> {
        Flight {
            requests: JoinSet::new(),
            bytes: 0,
        }
    }

    /// Begins `request`, which holds so many bytes, as soon as there is room for it. What arrives until then goes to `take`.
    pub(super) fn begin(
        &mut self,
        bytes: usize,
        request: impl Future<Output = Result<T>> + Send + 'static,
        take: &mut dyn FnMut(T) -> Result<()>,
    ) -> Result<()> {
        while self.requests.len() >= MOST_REQUESTS
            || !self.requests.is_empty() && self.bytes + bytes > MOST_BYTES
        {
            self.arrive(take)?;
        }
        self.bytes += bytes;
        spawn_into(&mut self.requests, async move { (bytes, request.await) })
    }

    /// Waits for all. What they bring goes to `take`.
    pub(super) fn end(&mut self, take: &mut dyn FnMut(T) -> Result<()>) -> Result<()> {
        while !self.requests.is_empty() {
            self.arrive(take)?;
        }
        Ok(())
    }

    /// Waits for all, whatever becomes of them, after a signal only for a while: what is on its way may arrive later.
    pub(super) fn settle(&mut self) {
        while let Ok(Some(_)) = wait_for_end(self.requests.join_next()) {}
    }

    /// Waits for one of them, whichever comes first.
    fn arrive(&mut self, take: &mut dyn FnMut(T) -> Result<()>) -> Result<()> {
        loop {
            if stop::is_signalled() {
                return Err(Error::interrupted());
            }
            let Some(arrived) = wait_a_moment(self.requests.join_next())? else {
                continue;
            };
            let crashed = |_| Error::failed("the thread of the object storage crashed");
            let Some((bytes, done)) = arrived.transpose().map_err(crashed)? else {
                return Ok(());
            };
            self.bytes -= bytes;
            return take(done?);
        }
    }
}
