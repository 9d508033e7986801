//! A commit that waits for a synchronous standby: who waits is told so, and a signal ends the waiting.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use postgres::{Client, Transaction};

use crate::cancellation::stop;
use crate::error::codes::Code;
use crate::error::{Doing, Result};
use crate::server::postgresql::connection::Canceller;
use crate::server::postgresql::error::failure;
use crate::server::postgresql::options::ConnectionOptions;
use crate::ui::terminal;

/// A commit that takes longer is looked at.
const SOON: Duration = Duration::from_secs(2);

const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// What the server says that a session waits for (PostgreSQL manual, "Wait Events of Type IPC").
const WAITING: &str =
    "SELECT 1 FROM pg_catalog.pg_stat_activity WHERE pid = $1 AND wait_event = 'SyncRep'";

/// Warns if commits wait for a synchronous standby and none is connected: the publish would wait for it.
pub(crate) fn warn_if_missing(client: &mut Client) -> Result<()> {
    let row = client
        .query_one(
            "SELECT current_setting('synchronous_standby_names'),
                    (SELECT count(*) FROM pg_catalog.pg_stat_replication)",
            &[],
        )
        .map_err(failure("look for synchronous standbys"))?;
    let (names, connected): (String, i64) = (row.get(0), row.get(1));
    if !names.trim().is_empty() && connected == 0 {
        terminal::warn(
            Code::StandbyMissing,
            &format!(
                "no standby is connected, and commits of the target wait for one (synchronous_standby_names is {names}): \
                 the publish will wait, too"
            ),
        );
    }
    Ok(())
}

/// Watches a commit from its beginning to its end.
pub(super) struct CommitWatch {
    /// Dropped at the end of the commit.
    done: Option<Sender<()>>,
    watch: Option<JoinHandle<bool>>,
}

impl CommitWatch {
    /// Watches the commit of `transaction`.
    pub(super) fn begin(
        transaction: &mut Transaction<'_>,
        target: &ConnectionOptions,
    ) -> Result<CommitWatch> {
        let row = transaction
            .query_one("SELECT pg_catalog.pg_backend_pid()", &[])
            .map_err(failure("ask for the session's number"))?;
        let session = row.get(0);
        let canceller = target.canceller_of(transaction.cancel_token());
        let (done, is_done) = channel();
        let target = target.clone();
        let watch = std::thread::Builder::new()
            .name("commit".to_owned())
            .spawn(move || watch(&is_done, &target, session, &canceller))
            .doing("start a thread")?;
        Ok(CommitWatch {
            done: Some(done),
            watch: Some(watch),
        })
    }

    /// The commit has ended. Warns if nobody knows whether a standby has it.
    pub(super) fn end(mut self) {
        self.done = None;
        let was_cut = self.watch.take().map(JoinHandle::join);
        if matches!(was_cut, Some(Ok(true))) {
            terminal::warn(
                Code::NotReplicated,
                "the publish is committed, but no synchronous standby has confirmed it: if the server is lost now, a standby \
                 that takes over may not have it",
            );
        }
    }
}

/// Tells of a wait for a standby, and ends it after a signal. Returns whether it did.
fn watch(
    is_done: &Receiver<()>,
    target: &ConnectionOptions,
    session: i32,
    canceller: &Canceller,
) -> bool {
    let begun = Instant::now();
    let mut told = false;
    loop {
        if is_done.recv_timeout(POLL_INTERVAL) != Err(RecvTimeoutError::Timeout) {
            return false;
        }
        let is_late = begun.elapsed() >= SOON || stop::is_signalled();
        if !is_late || !is_waiting(target, session) {
            continue;
        }
        if !told {
            told = true;
            terminal::say(
                "ci-import: the publish waits until a synchronous standby has it; Ctrl-C ends the waiting, and the publish is \
                 live all the same",
            );
        }
        // The transaction is committed already: what is cancelled is the waiting.
        if stop::is_signalled() && canceller.try_cancel() {
            return true;
        }
    }
}

fn is_waiting(target: &ConnectionOptions, session: i32) -> bool {
    let asked = target.connect().ok().and_then(|mut client| {
        let found = client.query_opt(WAITING, &[&session]).ok()?;
        found.map(|_| ())
    });
    asked.is_some()
}
