//! Lines that stand in a dump but are not of it: what a dump program wrote to its standard error, if both went to one
//! file, and what PowerShell adds to it.

/// The dump programs.
const PROGRAMS: [&str; 6] = [
    "mysqldump",
    "mariadb-dump",
    "mysqlpump",
    "mysqlsh",
    "mariadb",
    "mysql",
];

/// How other lines of them begin.
const BEGINNINGS: [&str; 6] = [
    "Enter password:",
    "Warning: A partial dump ",
    "Warning: Using a password ",
    "[Warning] ",
    "[ERROR] ",
    "[Note] ",
];

/// How lines of PowerShell begin, which show the place of the program, and what is in them.
const OF_POWERSHELL: [(&str, &str); 6] = [
    ("At ", " char:"),
    ("+ ", "~~~"),
    ("+ ", "mysqldump"),
    ("+ ", "mariadb-dump"),
    ("+ ", "CategoryInfo"),
    ("+ ", "FullyQualifiedErrorId"),
];

/// Whether `line` is of a dump program, or of the shell that ran it.
#[must_use]
pub(super) fn is_of_program(line: &str) -> bool {
    let line = line.trim_start();
    let mut of_shell = OF_POWERSHELL.iter();
    BEGINNINGS.iter().any(|begins| line.starts_with(begins))
        || of_shell.any(|(begins, part)| line.starts_with(begins) && line.contains(part))
        || PROGRAMS.iter().any(|program| is_named(line, program))
}

/// Whether `line` begins with `program`, perhaps with its path, and a colon: `mysqldump: `, `/usr/bin/mysqldump: `,
/// `mysqldump.exe : `.
fn is_named(line: &str, program: &str) -> bool {
    line.match_indices(program).any(|(at, _)| {
        let (path, behind) = (&line[..at], &line[at + program.len()..]);
        let behind = behind.strip_prefix(".exe").unwrap_or(behind);
        let behind = behind.strip_prefix(' ').unwrap_or(behind);
        (path.is_empty() || path.ends_with(['/', '\\'])) && behind.starts_with(": ")
    })
}

/// `text` without the lines of programs at its beginning.
#[must_use]
pub(super) fn behind_lines(mut text: &str) -> &str {
    loop {
        text = text.trim_start();
        let end = text.find(['\n', '\r']).unwrap_or(text.len());
        if end == 0 || !is_of_program(&text[..end]) {
            return text;
        }
        // What follows a prompt in its line may be the beginning of the dump.
        let prompt = text[..end]
            .strip_prefix(BEGINNINGS[0])
            .map(|rest| end - rest.len());
        text = &text[prompt.unwrap_or(end)..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_programs() {
        for (line, expected) in [
            (
                "mysqldump: [Warning] Using a password on the command line",
                true,
            ),
            (
                "/usr/bin/mysqldump: Deprecated program name. It will be removed",
                true,
            ),
            (
                r"C:\Program Files\MySQL\bin\mysqldump.exe: Error: 'x'",
                true,
            ),
            (
                "mysqldump.exe : mysqldump: [Warning] Using a password",
                true,
            ),
            ("Enter password: ", true),
            ("At line:1 char:1", true),
            (
                "    + CategoryInfo          : NotSpecified: (mysqldump: [Warn",
                true,
            ),
            ("+ ~~~~~~~~", true),
            ("/etc/passwd is a file", false),
            ("At home", false),
            ("+ 1", false),
            ("mysqldump wrote: this", false),
            ("s3cr3t: mysqldump", false),
        ] {
            assert_eq!(is_of_program(line), expected, "{line}");
        }
        let text = "\nmysqldump: [Warning] x\r\nEnter password: SET NAMES utf8;";
        assert_eq!(behind_lines(text), "SET NAMES utf8;");
    }
}
