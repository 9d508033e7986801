//! A line to a server of 127.0.0.1 that is slow, breaks, or falls silent.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

/// What is wrong with it.
pub(crate) enum Fault {
    /// Each piece of an answer comes so much later than the one before it.
    Late(Duration),
    /// Every byte takes so long, in both directions; as many as there are may be on their way.
    Far(Duration),
    /// Each connection breaks after so many bytes of the server.
    BreaksAfter(u64),
    /// Once, all connections break after so many bytes of the server altogether.
    BreaksOnce(u64),
    /// After so many bytes altogether, none comes any more.
    SilentAfter(u64),
    /// After so many bytes altogether, the connection that has the next ones falls silent, and the others go on.
    OneSilentAfter(u64),
    /// After so many bytes altogether, this happens before any more come.
    Then(u64, Box<dyn Fn() + Send + Sync>),
}

/// See the module. Its threads end with the process.
pub(crate) struct BadLine {
    pub(crate) port: u16,
    state: Arc<State>,
}

struct State {
    fault: Fault,
    server: u16,
    passed: AtomicU64,
    happened: AtomicBool,
}

impl BadLine {
    /// To the server at port `server`.
    pub(crate) fn to(server: u16, fault: Fault) -> BadLine {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let state = Arc::new(State {
            fault,
            server,
            passed: AtomicU64::new(0),
            happened: AtomicBool::new(false),
        });
        let line = BadLine {
            port: listener.local_addr().unwrap().port(),
            state: Arc::clone(&state),
        };
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let state = Arc::clone(&state);
                std::thread::spawn(move || state.serve(&client));
            }
        });
        line
    }

    /// Whether what was to happen did.
    pub(crate) fn happened(&self) -> bool {
        self.state.happened.load(Ordering::SeqCst)
    }
}

/// Carries the bytes of both, each so much later.
fn far(client: &TcpStream, server: &TcpStream, time: Duration) {
    let carry = |mut from: &TcpStream, mut to: &TcpStream| {
        let (send, due) = sync_channel::<(Instant, Vec<u8>)>(1024);
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let mut buffer = vec![0; 64 * 1024];
                while let Ok(count @ 1..) = from.read(&mut buffer) {
                    let piece = (Instant::now() + time, buffer[..count].to_vec());
                    if send.send(piece).is_err() {
                        return;
                    }
                }
            });
            for (when, piece) in due {
                std::thread::sleep(when.saturating_duration_since(Instant::now()));
                if to.write_all(&piece).is_err() {
                    break;
                }
            }
            let _ = from.shutdown(Shutdown::Read);
            let _ = to.shutdown(Shutdown::Write);
        });
    };
    std::thread::scope(|scope| {
        scope.spawn(|| carry(client, server));
        carry(server, client);
    });
}

impl State {
    fn serve(&self, client: &TcpStream) {
        let Ok(server) = TcpStream::connect(("127.0.0.1", self.server)) else {
            return;
        };
        if let Fault::Far(time) = self.fault {
            return far(client, &server, time);
        }
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let _ = io::copy(&mut &*client, &mut &server);
                let _ = server.shutdown(Shutdown::Write);
            });
            let _ = self.answer(&mut &server, &mut &*client);
            let _ = client.shutdown(Shutdown::Both);
            let _ = server.shutdown(Shutdown::Both);
        });
    }

    /// Passes on what the server says.
    fn answer(&self, server: &mut &TcpStream, client: &mut &TcpStream) -> io::Result<()> {
        let mut buffer = [0; 16 * 1024];
        let mut of_connection = 0;
        loop {
            let count = server.read(&mut buffer)?;
            if count == 0 {
                return Ok(());
            }
            of_connection += count as u64;
            let passed = self.passed.fetch_add(count as u64, Ordering::SeqCst) + count as u64;
            let first_time =
                |due: u64| passed >= due && !self.happened.swap(true, Ordering::SeqCst);
            match &self.fault {
                Fault::Late(time) => std::thread::sleep(*time),
                Fault::BreaksAfter(most) if of_connection > *most => {
                    self.happened.store(true, Ordering::SeqCst);
                    return Ok(());
                }
                Fault::BreaksOnce(most) if first_time(*most) => return Ok(()),
                Fault::SilentAfter(most) if passed > *most => {
                    self.happened.store(true, Ordering::SeqCst);
                    std::thread::sleep(Duration::from_secs(60));
                    return Ok(());
                }
                Fault::OneSilentAfter(due) if first_time(*due) => {
                    std::thread::sleep(Duration::from_secs(60));
                    return Ok(());
                }
                Fault::Then(due, action) if first_time(*due) => action(),
                _ => {}
            }
            client.write_all(&buffer[..count])?;
        }
    }
}
