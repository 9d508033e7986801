//! Runs the dump program, and looks at how it ends.

use std::io::Read;
use std::process::{Child, ChildStdout, Stdio};
use std::thread::JoinHandle;

use crate::error::{Doing, Error, Result};
use crate::server::DumpProgram;

/// So much of what the program says is kept.
const MOST_SAID: u64 = 64 * 1024;

/// So many of its lines are in a message.
const LINES_SHOWN: usize = 10;

/// A dump program that runs. It is killed if it is dropped before its end.
pub(super) struct Dumping {
    child: Child,
    name: String,
    said: Option<JoinHandle<String>>,
    /// What the child reads the password from.
    _secret: Option<std::os::fd::OwnedFd>,
}

impl Dumping {
    /// Starts it. Returns what it writes, too.
    pub(super) fn start(program: DumpProgram) -> Result<(Dumping, ChildStdout)> {
        let DumpProgram {
            mut command,
            name,
            secret,
        } = program;
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().doing(format!("start {name}"))?;
        let (Some(output), Some(messages)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(Error::failed(format!(
                "cannot start {name}: it has no output"
            )));
        };
        let said = std::thread::spawn(move || {
            let mut said = Vec::new();
            let mut messages = messages;
            let _ = (&mut messages).take(MOST_SAID).read_to_end(&mut said);
            // It must not wait for somebody to read.
            let _ = std::io::copy(&mut messages, &mut std::io::sink());
            String::from_utf8_lossy(&said).into_owned()
        });
        let dumping = Dumping {
            child,
            name,
            said: Some(said),
            _secret: secret,
        };
        Ok((dumping, output))
    }

    /// Waits for its end. An error unless it has succeeded; what it has said otherwise.
    pub(super) fn end(mut self) -> Result<Vec<String>> {
        let status = self.child.wait().doing(format!("wait for {}", self.name))?;
        let said = self.said.take().map(JoinHandle::join);
        let said = said.and_then(std::result::Result::ok).unwrap_or_default();
        let lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
        let lines: Vec<String> = lines.map(str::to_owned).collect();
        if status.success() {
            return Ok(lines);
        }
        let shown = &lines[lines.len().saturating_sub(LINES_SHOWN)..];
        let what = if shown.is_empty() {
            String::new()
        } else {
            format!(": {}", shown.join("; "))
        };
        Err(
            Error::target(format!("the dump program has failed ({status}){what}"))
                .hint(format!("it is {}", self.name)),
        )
    }
}

impl Drop for Dumping {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
