//! Option files (MySQL manual, 4.2.2.2; MariaDB's "Configuring MariaDB with Option Files"): parameters in
//! groups. Files may include others.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::parameters::KNOWN;
use crate::error::codes::Code;
use crate::error::{Error, Result};
use crate::server::options::reason::unreadable;
use crate::server::options::{Origin, Parameters};
use crate::ui::terminal;

/// The global option files, in the order of Debian's packages.
const FOR_ALL: [&str; 2] = ["/etc/my.cnf", "/etc/mysql/my.cnf"];

/// The user's option file in the home directory. It takes precedence over all others.
const IN_HOME: &str = ".my.cnf";

/// The groups for this program: those of all clients, and its own.
const GROUPS: [&str; 4] = ["client", "client-server", "client-mariadb", "ci-import"];

/// The maximum depth of includes, as in MySQL.
const MAX_DEPTH: usize = 10;

/// The maximum number of files, and the maximum size of one.
const MAX_FILES: usize = 100;
const MAX_BYTES: u64 = 256 * 1024;

/// The parameters from the option files of a client; `variable` looks up a variable of the environment.
/// Options that do not concern the connection are ignored, because they are for other programs.
pub(crate) fn parameters(variable: &dyn Fn(&str) -> Option<String>) -> Result<Parameters> {
    let own_server = variable("MYSQL_HOME").map(|home| Path::new(&home).join("my.cnf"));
    let own = variable("HOME").map(|home| Path::new(&home).join(IN_HOME));
    let mut files = OptionFiles::new();
    for file in FOR_ALL
        .into_iter()
        .map(PathBuf::from)
        .chain(own_server)
        .chain(own)
    {
        files.read(&file, 0)?;
    }
    Ok(files.found)
}

/// The result of the files read so far.
struct OptionFiles {
    found: Parameters,
    count: usize,
}

impl OptionFiles {
    fn new() -> OptionFiles {
        OptionFiles {
            found: Parameters::new(&KNOWN),
            count: 0,
        }
    }

    /// Reads `file`, if it exists, and the files that it includes. As in MySQL, a file that everybody may
    /// write to is ignored, with a warning.
    fn read(&mut self, file: &Path, depth: usize) -> Result<()> {
        let shown = file.display();
        let Some(text) = text_of(file)? else {
            return Ok(());
        };
        self.count += 1;
        if depth > MAX_DEPTH || self.count > MAX_FILES {
            return Err(Error::usage(format!(
                "{shown}: the option files include more than {MAX_FILES} files, or are nested more than \
                 {MAX_DEPTH} deep"
            )));
        }
        self.take(&text, file, depth)
    }

    fn take(&mut self, text: &str, file: &Path, depth: usize) -> Result<()> {
        let mut is_ours = false;
        for (number, line) in text.lines().enumerate() {
            let place = || format!("{} line {}", file.display(), number + 1);
            match Line::of(line) {
                Line::Nothing => {}
                Line::Group(name) => is_ours = GROUPS.contains(&name),
                Line::Include(path) => self.read(Path::new(path), depth + 1)?,
                Line::IncludeDirectory(path) => {
                    for file in option_files_in(Path::new(path)) {
                        self.read(&file, depth + 1)?;
                    }
                }
                Line::Option(name, value) if is_ours => {
                    let (keyword, text) = option(name, value);
                    if self.found.knows(&keyword) {
                        self.found.set(&keyword, &text, &Origin::File(place()))?;
                    }
                }
                Line::Option(..) => {}
                Line::Wrong => {
                    return Err(Error::usage("it is not a [group], option or !include").at(place()));
                }
            }
        }
        Ok(())
    }
}

/// The content of `file`; none if it does not exist or is not trusted.
fn text_of(file: &Path) -> Result<Option<String>> {
    let shown = file.display();
    let metadata = match fs::metadata(file) {
        Ok(metadata) => metadata,
        Err(cause) => {
            if cause.kind() != ErrorKind::NotFound {
                terminal::warn(
                    Code::OptionFileNotRead,
                    &format!("the option file {shown} is not read: {cause}"),
                );
            }
            return Ok(None);
        }
    };
    if !metadata.is_file() {
        return Ok(None);
    }
    if metadata.permissions().mode() & 0o002 != 0 {
        terminal::warn(
            Code::OptionFileNotRead,
            &format!(
                "the option file {shown} is not read: everybody may write to it; its mode should be 0600"
            ),
        );
        return Ok(None);
    }
    let mut bytes = Vec::new();
    let read = File::open(file).and_then(|open| open.take(MAX_BYTES + 1).read_to_end(&mut bytes));
    match read {
        Err(cause) if cause.kind() == ErrorKind::PermissionDenied => {
            terminal::warn(
                Code::OptionFileNotRead,
                &format!("the option file {shown} is not read: {cause}"),
            );
            return Ok(None);
        }
        read => read.map_err(|cause| unreadable(file, &cause))?,
    };
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Error::usage(format!(
            "{shown} is larger than {} KiB, so it is not an option file",
            MAX_BYTES / 1024
        )));
    }
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

/// The option files in `directory`, sorted by name; none if the directory cannot be read.
fn option_files_in(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "cnf"))
        .collect();
    files.sort();
    files
}

/// The meaning of a line.
#[derive(Debug, PartialEq, Eq)]
enum Line<'a> {
    Nothing,
    Group(&'a str),
    Include(&'a str),
    IncludeDirectory(&'a str),
    /// An option, and the value as written after "=", if there is one.
    Option(&'a str, Option<&'a str>),
    Wrong,
}

impl Line<'_> {
    fn of(line: &str) -> Line<'_> {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            return Line::Nothing;
        }
        if let Some(directive) = line.strip_prefix('!') {
            return match directive.split_once(char::is_whitespace) {
                Some(("include", path)) => Line::Include(path.trim()),
                Some(("includedir", path)) => Line::IncludeDirectory(path.trim()),
                _ => Line::Wrong,
            };
        }
        let line = without_comment(line).trim_end();
        if let Some(rest) = line.strip_prefix('[') {
            return match rest.split_once(']') {
                Some((name, _)) => Line::Group(name.trim_end()),
                None => Line::Wrong,
            };
        }
        match line.split_once('=') {
            Some((name, value)) => Line::Option(name.trim_end(), Some(value.trim_start())),
            None => Line::Option(line, None),
        }
    }
}

/// `line` up to a "#" outside quotes.
fn without_comment(line: &str) -> &str {
    let mut quote = None;
    let mut is_escaped = false;
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (None, '#') => return &line[..at],
            (_, '\'' | '"') if is_escaped => {}
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
        is_escaped = quote.is_some() && c == '\\' && !is_escaped;
    }
    line
}

/// The name and value of an option: `skip-x` and `disable-x` switch x off, an option without a value is on,
/// and the prefix `loose-` is removed.
fn option(name: &str, value: Option<&str>) -> (String, String) {
    let name = name.replace('_', "-");
    let name = name.strip_prefix("loose-").unwrap_or(&name);
    let off = name.strip_prefix("skip-").or(name.strip_prefix("disable-"));
    if let Some(name) = off {
        return (name.to_owned(), "0".to_owned());
    }
    if let Some(name) = name
        .strip_prefix("enable-")
        .filter(|name| name.starts_with("ssl"))
    {
        return (name.to_owned(), "1".to_owned());
    }
    let is_switch = ["ssl", "ssl-verify-server-cert", "enable-cleartext-plugin"].contains(&name);
    let value = match value {
        Some(value) => unquoted(value),
        None if is_switch => "1".to_owned(),
        None => String::new(),
    };
    (name.to_owned(), value)
}

/// The value without its quotes and with its escapes resolved. A backslash before any other character stays.
fn unquoted(value: &str) -> String {
    let inner = ['\'', '"']
        .iter()
        .find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
    let mut chars = inner.unwrap_or(value).chars().peekable();
    let mut plain = String::new();
    while let Some(c) = chars.next() {
        let resolved = match chars.peek() {
            Some('n') => '\n',
            Some('t') => '\t',
            Some('r') => '\r',
            Some('b') => '\x08',
            Some('s') => ' ',
            Some(quote @ ('\'' | '"' | '\\')) => *quote,
            _ => {
                plain.push(c);
                continue;
            }
        };
        if c == '\\' {
            chars.next();
            plain.push(resolved);
        } else {
            plain.push(c);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_mysql_reads_them() {
        for (line, expected) in [
            ("", Line::Nothing),
            ("  # x", Line::Nothing),
            ("; x", Line::Nothing),
            ("[client]", Line::Group("client")),
            (" [client ] # mine", Line::Group("client")),
            ("[client", Line::Wrong),
            ("!include /a b", Line::Include("/a b")),
            ("!includedir\t/a/ ", Line::IncludeDirectory("/a/")),
            ("!other /a", Line::Wrong),
            ("ssl", Line::Option("ssl", None)),
            ("user = git # me", Line::Option("user", Some("git"))),
            (
                "password='a#b' # x",
                Line::Option("password", Some("'a#b'")),
            ),
            (
                "password='a\\'#b'#x",
                Line::Option("password", Some("'a\\'#b'")),
            ),
            ("password=a=b;c", Line::Option("password", Some("a=b;c"))),
            ("password=", Line::Option("password", Some(""))),
        ] {
            assert_eq!(Line::of(line), expected, "{line}");
        }
    }

    #[test]
    fn values_lose_their_quotes_and_escapes() {
        for (value, expected) in [
            ("a b", "a b"),
            ("'a b '", "a b "),
            ("\"a'b\"", "a'b"),
            ("'", "'"),
            ("'a\"", "'a\""),
            (r"a\sb\tc\\d\'e\xf", "a b\tc\\d'e\\xf"),
            (r"\\s", "\\s"),
            ("a\\", "a\\"),
        ] {
            assert_eq!(unquoted(value), expected, "{value}");
        }
    }

    #[test]
    fn options_have_several_names() {
        for (name, value, expected) in [
            ("ssl_ca", Some("/ca"), ("ssl-ca", "/ca")),
            ("ssl", None, ("ssl", "1")),
            ("skip-ssl", None, ("ssl", "0")),
            (
                "disable_ssl_verify_server_cert",
                None,
                ("ssl-verify-server-cert", "0"),
            ),
            ("enable-ssl", None, ("ssl", "1")),
            ("loose-ssl-mode", Some("REQUIRED"), ("ssl-mode", "REQUIRED")),
            (
                "enable-cleartext-plugin",
                None,
                ("enable-cleartext-plugin", "1"),
            ),
            ("password", None, ("password", "")),
        ] {
            let (keyword, text) = option(name, value);
            assert_eq!((keyword.as_str(), text.as_str()), expected, "{name}");
        }
    }

    #[test]
    fn the_last_of_a_group_for_clients_counts() {
        let text = "[mysqld]\nuser=no\n[client]\nuser=a\npassword='s 3'\nprompt=x\n[mysql]\nuser=no\n\
                    [ci-import]\nuser=b\n[client-mariadb]\nssl\n";
        let mut files = OptionFiles::new();
        files.take(text, Path::new("/f"), 0).unwrap();
        let found = files.found;
        assert_eq!(found.text("user"), Some("b"));
        assert_eq!(found.text("password"), Some("s 3"));
        assert_eq!(found.text("ssl"), Some("1"));
        assert_eq!(found.origin("user").unwrap().to_string(), "/f line 10");
        for (text, message) in [
            (
                "[client]\nssl-crl=x",
                "the value of ssl-crl, from /f line 2, is not supported",
            ),
            (
                "[client",
                "/f line 1: it is not a [group], option or !include",
            ),
        ] {
            let error = OptionFiles::new()
                .take(text, Path::new("/f"), 0)
                .unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }
}
