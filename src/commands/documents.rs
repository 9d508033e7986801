//! `ci-import completions` and `ci-import man`: what a shell and `man` know of the command line.

use std::fs;
use std::path::Path;

use clap_complete::Shell;

use crate::cli::help;
use crate::error::{Doing, Result};
use crate::ui::terminal;

/// The name of the program.
const NAME: &str = "ci-import";

/// Prints the completions for `shell`.
pub fn completions(shell: Shell) -> Result<()> {
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut help::command(), NAME, &mut out);
    terminal::print(&String::from_utf8_lossy(&out))
}

/// Writes the manual pages of all commands into `directory`, which is made if it does not exist; without one, prints that of
/// the program.
pub fn man(directory: Option<&Path>) -> Result<()> {
    let command = help::command();
    let Some(directory) = directory else {
        let mut page = Vec::new();
        // As the pages in a directory, which have none for it.
        let command = command.disable_help_subcommand(true);
        clap_mangen::Man::new(command)
            .render(&mut page)
            .doing("write the manual page")?;
        return terminal::print(&String::from_utf8_lossy(&page));
    };
    let doing = || format!("write manual pages to {}", directory.display());
    fs::create_dir_all(directory).doing(doing())?;
    clap_mangen::generate_to(command, directory).doing(doing())
}
