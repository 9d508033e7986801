//! phpMyAdmin and Adminer, of their Debian packages, which export databases of the tests' MariaDB. What a browser does is
//! done here: their forms are read, filled in and sent.

use std::fs;
use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::servers::{mariadb, server_directory, wait_for, watchdog};
use super::tcp_servers::free_port;
use super::web_stub::Message;

const PHPMYADMIN: &str = "/usr/share/phpmyadmin";
const ADMINER: &str = "/usr/share/adminer/adminer.php";

/// A PHP that runs both programs. It ends with this.
pub(crate) struct PhpTools {
    address: String,
    directory: PathBuf,
    php: Child,
    watchdog: Child,
}

/// A form, as a browser shows it at first.
pub(crate) struct Form<'a> {
    tools: &'a PhpTools,
    /// Where it is sent.
    target: String,
    cookies: String,
    fields: Vec<(String, String)>,
}

impl PhpTools {
    pub(crate) fn start() -> PhpTools {
        let directory = server_directory("php", None);
        let socket = mariadb().directory.join("socket");
        let socket = socket.to_str().unwrap();
        make_adminer(&directory.join("adminer"), socket);
        make_phpmyadmin(&directory, socket);
        let address = format!("127.0.0.1:{}", free_port());
        let mut php = Command::new("php");
        let sessions = format!("session.save_path={}", directory.display());
        php.args(["-d", &sessions, "-S", &address, "-t"]);
        let log = fs::File::create(directory.join("log")).unwrap();
        php.arg(&directory).stdin(Stdio::null());
        let php = php.stdout(Stdio::null()).stderr(log).spawn();
        let php = php.expect("php is not installed; scripts/test installs it");
        fs::write(directory.join("pid"), php.id().to_string()).unwrap();
        let tools = PhpTools {
            watchdog: watchdog(&directory.join("pid"), &directory),
            address,
            directory,
            php,
        };
        wait_for(&tools.directory, || {
            TcpStream::connect(&tools.address).is_ok()
        });
        tools
    }

    /// phpMyAdmin's form that exports `database`.
    pub(crate) fn phpmyadmin(&self, database: &str) -> Form<'_> {
        let page = format!("/phpmyadmin/index.php?route=/database/export&db={database}");
        let target = "/phpmyadmin/index.php?route=/export";
        let page = self.send(&page, "", None);
        self.form(&page, "sql_structure_or_data", target, cookies(&page))
    }

    /// Adminer's form that exports `database`.
    pub(crate) fn adminer(&self, database: &str) -> Form<'_> {
        let login = [
            ("auth[driver]", "server"),
            ("auth[server]", "x"),
            ("auth[username]", "root"),
            ("auth[password]", ""),
        ];
        let login = login.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let answer = self.send("/adminer/index.php", "", Some(&encoded(&login)));
        let target = format!("/adminer/index.php?server=x&username=root&db={database}&dump=");
        let page = self.send(&target, &cookies(&answer), None);
        self.form(&page, "data_style", &target, cookies(&answer))
    }

    /// The form of `page` that has this `field`.
    fn form(&self, page: &Message, field: &str, target: &str, cookies: String) -> Form<'_> {
        let page = std::str::from_utf8(&page.body).unwrap();
        let mut quotes = ['"', '\''].iter();
        let place = quotes.find_map(|quote| page.find(&format!("name={quote}{field}{quote}")));
        let place = place.unwrap_or_else(|| panic!("no {field} in {page}\n{}", self.log()));
        let start = page[..place].rfind("<form").unwrap();
        let end = place + page[place..].find("</form>").unwrap();
        Form {
            tools: self,
            target: target.to_owned(),
            cookies,
            fields: fields(&page[start..end]),
        }
    }

    fn send(&self, target: &str, cookies: &str, body: Option<&str>) -> Message {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let timeout = Some(Duration::from_secs(60));
        stream.set_read_timeout(timeout).unwrap();
        let method = if body.is_some() { "POST" } else { "GET" };
        let mut request = format!("{method} {target} HTTP/1.0\r\nHost: {}\r\n", self.address);
        if !cookies.is_empty() {
            request += &format!("Cookie: {cookies}\r\n");
        }
        if let Some(body) = body {
            let length = body.len();
            request += "Content-Type: application/x-www-form-urlencoded\r\n";
            request += &format!("Content-Length: {length}\r\n");
        }
        request += &format!("\r\n{}", body.unwrap_or_default());
        stream.write_all(request.as_bytes()).unwrap();
        let mut stream = BufReader::new(stream);
        let message = Message::read(&mut stream);
        let mut message = message.unwrap_or_else(|| panic!("no answer\n{}", self.log()));
        // It is as long as the connection.
        stream.read_to_end(&mut message.body).unwrap();
        message
    }

    fn log(&self) -> String {
        fs::read_to_string(self.directory.join("log")).unwrap_or_default()
    }
}

impl Drop for PhpTools {
    fn drop(&mut self) {
        let _ = self.php.kill();
        let _ = self.php.wait();
        let _ = fs::remove_file(self.directory.join("pid"));
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}

impl Form<'_> {
    /// The same form with other values: an empty one clears a field.
    pub(crate) fn with(mut self, values: &[(&str, &str)]) -> Self {
        for (name, _) in values {
            self.fields.retain(|(known, _)| known != name);
        }
        for (name, value) in values.iter().filter(|(_, value)| !value.is_empty()) {
            self.fields.push(((*name).to_owned(), (*value).to_owned()));
        }
        self
    }

    /// What comes back: the file.
    pub(crate) fn exported(&self) -> Vec<u8> {
        let body = encoded(&self.fields);
        let answer = self.tools.send(&self.target, &self.cookies, Some(&body));
        let is_page = answer.body.starts_with(b"<!DOCTYPE");
        if answer.status() != 200 || is_page {
            let text = String::from_utf8_lossy(&answer.body);
            panic!("{}\n{text}\n{}", answer.line, self.tools.log());
        }
        answer.body
    }
}

/// Its way to have somebody log in without a password (<https://www.adminer.org/en/password/>).
fn make_adminer(directory: &Path, socket: &str) {
    let script = format!(
        "<?php function adminer_object() {{ class Ours extends Adminer {{\n\
         function credentials() {{ return ['localhost:{socket}', 'root', '']; }}\n\
         function login($login, $password) {{ return true; }} }} return new Ours; }}\n\
         require '{ADMINER}';\n"
    );
    fs::create_dir(directory).unwrap();
    fs::write(directory.join("index.php"), script).unwrap();
}

/// The program as it is, but for the file that says where its configuration is.
fn make_phpmyadmin(directory: &Path, socket: &str) {
    let (vendor, index) = ("vendor_config.php", "index.php");
    let program = directory.join("phpmyadmin");
    let libraries = program.join("libraries");
    fs::create_dir_all(&libraries).unwrap();
    for (from, to) in [
        (PathBuf::from(PHPMYADMIN), &program),
        (Path::new(PHPMYADMIN).join("libraries"), &libraries),
    ] {
        let files = fs::read_dir(&from).expect("phpMyAdmin is not installed; scripts/test does it");
        for file in files {
            let name = file.unwrap().file_name();
            if name != vendor && name != index && name != "libraries" {
                symlink(from.join(&name), to.join(&name)).unwrap();
            }
        }
    }
    // Its directory is the one of the program.
    fs::copy(Path::new(PHPMYADMIN).join(index), program.join(index)).unwrap();
    let place = directory.display();
    let settings = format!(
        "<?php return array_merge(require '{PHPMYADMIN}/libraries/{vendor}',\n\
         ['tempDir' => '{place}/', 'configFile' => '{place}/config.php']);\n"
    );
    fs::write(libraries.join(vendor), settings).unwrap();
    let configuration = format!(
        "<?php $cfg['Servers'][1] = ['auth_type' => 'config', 'user' => 'root', 'password' => '',\n\
         'AllowNoPassword' => true, 'host' => 'localhost', 'socket' => '{socket}'];\n\
         $cfg['blowfish_secret'] = str_repeat('x', 32); $cfg['CheckConfigurationPermissions'] = false;\n"
    );
    fs::write(directory.join("config.php"), configuration).unwrap();
}

/// The cookies that an answer sets.
fn cookies(answer: &Message) -> String {
    let set = answer
        .headers
        .iter()
        .filter(|(name, _)| name == "set-cookie");
    let values = set.map(|(_, cookie)| cookie.split(';').next().unwrap());
    values.collect::<Vec<_>>().join("; ")
}

/// The fields of a form with their values, as a browser sends them if nobody changes them.
fn fields(form: &str) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    let mut list = String::new();
    let mut rest = form;
    while let Some(at) = rest.find('<') {
        let end = at + rest[at..].find('>').unwrap();
        let tag = &rest[at + 1..end];
        rest = &rest[end + 1..];
        let has = |word: &str| tag.split([' ', '\n', '=']).any(|part| part == word);
        let name = attribute(tag, "name").unwrap_or_default();
        let value = attribute(tag, "value");
        if tag.starts_with("select") {
            list = name;
        } else if tag.starts_with("option") {
            let text = rest[..rest.find('<').unwrap()].to_owned();
            let is_known = fields.iter().any(|(known, _)| *known == list);
            if has("selected") && !list.ends_with("[]") {
                fields.retain(|(known, _)| *known != list);
            }
            if has("selected") || !is_known && !list.ends_with("[]") {
                fields.push((list.clone(), value.unwrap_or(text)));
            }
        } else if tag.starts_with("input") && !name.is_empty() {
            let kind = attribute(tag, "type").unwrap_or_default();
            let is_choice = matches!(kind.as_str(), "checkbox" | "radio");
            let is_button = matches!(kind.as_str(), "submit" | "reset" | "button");
            if !is_button && (!is_choice || has("checked")) {
                let other = if is_choice { "on" } else { "" };
                fields.push((name, value.unwrap_or(other.to_owned())));
            }
        }
    }
    fields.retain(|(name, _)| !name.is_empty());
    fields
}

/// The value of an attribute in quotes of either kind, or without.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let at = [' ', '\n'].iter().find_map(|blank| {
        let found = tag.find(&format!("{blank}{name}="))?;
        Some(found + name.len() + 2)
    })?;
    let rest = &tag[at..];
    let value = match rest.chars().next() {
        Some(quote @ ('"' | '\'')) => rest[1..].split(quote).next()?,
        _ => rest.split([' ', '\n']).next()?,
    };
    let entities = [
        ("&quot;", "\""),
        ("&#039;", "'"),
        ("&#39;", "'"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
    ];
    let plain = entities
        .iter()
        .fold(value.to_owned(), |text, (entity, plain)| {
            text.replace(entity, plain)
        });
    Some(plain)
}

/// Fields as a browser sends them.
fn encoded(fields: &[(String, String)]) -> String {
    let encode = |text: &str| {
        let bytes = text.bytes().map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                char::from(byte).to_string()
            }
            byte => format!("%{byte:02X}"),
        });
        bytes.collect::<String>()
    };
    let pairs = fields
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)));
    pairs.collect::<Vec<_>>().join("&")
}
