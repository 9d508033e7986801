//! The one runtime of all requests: one thread, which the readers of all objects share.

use std::future::Future;
use std::pin::pin;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use crate::cancellation::stop;
use crate::error::{Doing, Error, Result};

/// How often one who waits looks whether to go on.
const A_MOMENT: Duration = Duration::from_millis(100);

static RUNTIME: OnceLock<Runtime> = OnceLock::new();

/// The runtime, which is started by whoever needs it first.
fn runtime() -> Result<&'static Runtime> {
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime);
    }
    let made = Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("storage")
        .enable_all()
        .build()
        .doing("start a thread for the object storage")?;
    Ok(RUNTIME.get_or_init(|| made))
}

/// Waits for `work`, until a signal comes.
pub(super) fn wait_for<T>(work: impl Future<Output = T>) -> Result<T> {
    let runtime = runtime()?;
    let mut work = pin!(work);
    loop {
        match runtime.block_on(async { timeout(A_MOMENT, work.as_mut()).await }) {
            Ok(done) => return Ok(done),
            Err(_) if stop::is_signalled() => return Err(Error::interrupted()),
            Err(_) => {}
        }
    }
}

/// After a signal, what ends something has so long.
pub(super) const TIME_TO_END: Duration = Duration::from_secs(3);

/// Waits for `work`, which ends something: after a signal only for a while, but it is not given up at once.
pub(super) fn wait_for_end<T>(work: impl Future<Output = T>) -> Result<T> {
    let runtime = runtime()?;
    let _unhurried = stop::unhurried();
    let mut work = pin!(work);
    let mut signalled = None;
    loop {
        if let Ok(done) = runtime.block_on(async { timeout(A_MOMENT, work.as_mut()).await }) {
            return Ok(done);
        }
        if stop::is_signalled() {
            let since = signalled.get_or_insert_with(Instant::now);
            if since.elapsed() >= TIME_TO_END {
                return Err(Error::interrupted());
            }
        }
    }
}

/// Waits for `work`, but only as long as `limit`. It does not look at signals, and can be used when the process ends.
pub(super) fn wait_at_most<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    let runtime = runtime().ok()?;
    runtime.block_on(async { timeout(limit, work).await }).ok()
}

/// Begins `work`, and does not wait for it.
pub(super) fn begin<T: Send + 'static>(
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<JoinHandle<Result<T>>> {
    Ok(runtime()?.spawn(work))
}

/// Waits for what was begun, but only for a moment; none if it is not done by then.
pub(super) fn wait_a_moment_for<T>(begun: &mut JoinHandle<Result<T>>) -> Result<Option<T>> {
    let crashed = |_| Error::failed("the thread of the object storage crashed");
    let done = wait_a_moment(begun)?;
    done.map(|ended| ended.map_err(crashed)?).transpose()
}

/// Begins `work` in `set`, and does not wait for it.
pub(super) fn spawn_into<T: Send + 'static>(
    set: &mut JoinSet<T>,
    work: impl Future<Output = T> + Send + 'static,
) -> Result<()> {
    set.spawn_on(work, runtime()?.handle());
    Ok(())
}

/// Waits for `work`, but only for a moment; none if it is not done by then.
pub(super) fn wait_a_moment<T>(work: impl Future<Output = T>) -> Result<Option<T>> {
    Ok(runtime()?
        .block_on(async { timeout(A_MOMENT, work).await })
        .ok())
}
