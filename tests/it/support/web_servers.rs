//! nginx and Apache with the configuration that the program writes.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;

use super::program::{command, run};
use super::servers::{as_user, expect_success, server_directory, user_ids, wait_for, watchdog};
use super::tcp_servers::{Authority, free_port};

/// The user of the web servers on Debian.
const USER: &str = "www-data";

/// The file with the number of the server's process.
const PID: &str = "pid";

/// The name of the CI in these tests. Nobody has to look it up.
pub(crate) const CI: &str = "ci.example.com";

/// A web server of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Nginx,
    Apache,
}

/// A directory of a web server, its ports, and its certificates. The server ends with it.
pub(crate) struct WebServer {
    kind: Kind,
    running: Mutex<Option<Child>>,
    watchdog: Child,
    pub(crate) directory: PathBuf,
    pub(crate) http: u16,
    pub(crate) https: u16,
    pub(crate) authority: Authority,
}

impl WebServer {
    /// One that does not run yet.
    pub(crate) fn new(kind: Kind) -> WebServer {
        let directory = server_directory("web", user_ids(USER));
        let watchdog = watchdog(&directory.join(PID), &directory);
        let server = WebServer {
            kind,
            running: Mutex::new(None),
            watchdog,
            directory,
            http: free_port(),
            https: free_port(),
            authority: Authority::new("an authority of the web"),
        };
        let (certificate, key) = server.authority.for_names(&[CI, "localhost"], 2100);
        server.put("ci.pem", &certificate);
        server.put("ci.key", &key);
        server
    }

    /// A file that the server may read.
    pub(crate) fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        if let Some((user, group)) = user_ids(USER) {
            chown(&path, Some(user), Some(group)).unwrap();
        }
        path
    }

    /// A copy of `file` that the server may read.
    pub(crate) fn put_copy(&self, file: &Path) -> PathBuf {
        self.put("copy.pem", &fs::read_to_string(file).unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Has the program write the configuration for a GitLab at this name and port.
    pub(crate) fn configure(&self, gitlab: &str, options: &[&str]) {
        self.configure_for(CI, gitlab, options);
    }

    /// The same for a CI with another name.
    pub(crate) fn configure_for(&self, ci: &str, gitlab: &str, options: &[&str]) {
        let kind = match self.kind {
            Kind::Nginx => "nginx",
            Kind::Apache => "apache",
        };
        let mut redirect = command(["redirect", "--ci-fqdn", ci, "--gitlab-fqdn", gitlab]);
        redirect.args(["--server", kind, "--http-port", &self.http.to_string()]);
        redirect.args(["--https-port", &self.https.to_string()]);
        let text = run(redirect.args(options)).succeeds().stdout;
        self.put("redirect.conf", &text);
    }

    /// The options that make it accept https.
    pub(crate) fn with_tls(&self) -> [String; 4] {
        let path = |name: &str| self.path(name).to_str().unwrap().to_owned();
        [
            "--tls-cert".to_owned(),
            path("ci.pem"),
            "--tls-key".to_owned(),
            path("ci.key"),
        ]
    }

    /// Has the server itself check the configuration.
    pub(crate) fn checked(&self) -> Output {
        let mut check = self.program();
        check.arg("-t").output().expect("the server is installed")
    }

    /// Starts it.
    pub(crate) fn start(&self) {
        expect_success(&self.checked());
        let mut server = self.program();
        if self.kind == Kind::Apache {
            // One process, so that no other is left behind.
            server.arg("-X");
        }
        let log = fs::File::create(self.path("log")).unwrap();
        server.stdin(Stdio::null());
        server.stdout(log.try_clone().unwrap()).stderr(log);
        let child = server.spawn().unwrap();
        fs::write(self.path(PID), child.id().to_string()).unwrap();
        *self.running.lock().unwrap() = Some(child);
        let address = format!("127.0.0.1:{}", self.http);
        wait_for(&self.directory, || answers(&address));
    }

    fn program(&self) -> Command {
        let main = self.put("main.conf", &self.main_configuration());
        match self.kind {
            Kind::Nginx => {
                let mut nginx = as_user("/usr/sbin/nginx".into(), user_ids(USER));
                nginx.arg("-p").arg(&self.directory);
                nginx.arg("-e").arg(self.path("errors"));
                nginx.arg("-c").arg(main);
                nginx
            }
            Kind::Apache => {
                let mut apache = as_user("/usr/sbin/apache2".into(), user_ids(USER));
                apache.arg("-d").arg(&self.directory).arg("-f").arg(main);
                apache
            }
        }
    }

    /// What a distribution has around the file.
    fn main_configuration(&self) -> String {
        let directory = self.directory.display();
        match self.kind {
            Kind::Nginx => {
                let places = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
                let places = places.map(|name| format!("{name}_temp_path {directory}/{name};\n"));
                format!(
                    "daemon off;\nmaster_process off;\npid {directory}/nginx.pid;\nevents {{}}\n\
                     http {{\naccess_log off;\n{}include {directory}/redirect.conf;\n}}\n",
                    places.concat()
                )
            }
            Kind::Apache => {
                let modules = [
                    "mpm_event",
                    "authz_core",
                    "headers",
                    "proxy",
                    "proxy_http",
                    "rewrite",
                    "socache_shmcb",
                    "ssl",
                ];
                let modules = modules.map(|name| {
                    format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n")
                });
                format!(
                    "ServerName localhost\nPidFile {directory}/apache.pid\nErrorLog {directory}/errors\n\
                     DefaultRuntimeDir {directory}\nStartServers 1\nThreadsPerChild 5\nServerLimit 1\n\
                     MaxRequestWorkers 5\nMinSpareThreads 1\nMaxSpareThreads 5\n{}Include {directory}/redirect.conf\n",
                    modules.concat()
                )
            }
        }
    }
}

impl Drop for WebServer {
    fn drop(&mut self) {
        if let Some(mut server) = self.running.lock().unwrap().take() {
            let _ = server.kill();
            let _ = server.wait();
        }
        // The watchdog has no server to end any more, and takes the directory away.
        let _ = fs::remove_file(self.path(PID));
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}

/// Whether somebody answers at `address`; a connection alone may come before the server is ready.
fn answers(address: &str) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else {
        return false;
    };
    let request = format!("GET / HTTP/1.1\r\nHost: {CI}\r\nConnection: close\r\n\r\n");
    let mut answer = Vec::new();
    stream.write_all(request.as_bytes()).is_ok()
        && stream.read_to_end(&mut answer).is_ok()
        && answer.starts_with(b"HTTP/1.1 301")
}

/// The path of a file as an argument.
pub(crate) fn argument(path: &Path) -> &str {
    path.to_str().unwrap()
}
