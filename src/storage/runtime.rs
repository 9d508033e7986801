//! The one runtime of all requests: one thread, which the readers of all objects share.

use std::future::Future;
use std::sync::OnceLock;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

use crate::error::{Doing, Result};

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

/// Waits for `work`.
pub(super) fn wait_for<T>(work: impl Future<Output = T>) -> Result<T> {
    Ok(runtime()?.block_on(work))
}

/// Begins `work`, and does not wait for it.
pub(super) fn begin<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Result<JoinHandle<T>> {
    Ok(runtime()?.spawn(work))
}
