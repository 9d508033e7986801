//! A terminal of a certain width that the program writes to.

use std::fs::File;
use std::io::Read;
use std::process::Command;
use std::thread::JoinHandle;

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// Has `command` write its standard error to a terminal with this many columns. What it has written is the result
/// of the thread, after `command` and the program have ended.
pub(crate) fn show_on_terminal(command: &mut Command, columns: u16) -> JoinHandle<String> {
    let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&screen).unwrap();
    unlockpt(&screen).unwrap();
    let size = Winsize {
        ws_row: 24,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&screen, size).unwrap();
    let name = ptsname(&screen, Vec::new()).unwrap();
    // A server that another test starts meanwhile would keep it open.
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let terminal = rustix::fs::open(name.as_c_str(), flags, Mode::empty()).unwrap();
    command.stderr(terminal);
    let mut screen = File::from(screen);
    std::thread::spawn(move || {
        let mut shown = Vec::new();
        // The last reader of a terminal gets an error when the last writer has closed it.
        let _ = screen.read_to_end(&mut shown);
        String::from_utf8(shown).unwrap()
    })
}

/// The lines that a terminal has shown, each time it showed them.
pub(crate) fn lines_shown(output: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut rest = output.chars();
    while let Some(c) = rest.next() {
        match c {
            '\r' | '\n' => lines.push(String::new()),
            '\u{1b}' => _ = rest.find(char::is_ascii_alphabetic),
            c => lines.last_mut().unwrap().push(c),
        }
    }
    lines.retain(|line| !line.is_empty());
    lines
}
