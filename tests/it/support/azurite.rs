//! Azurite, Microsoft's own server of Azure's protocol, which scripts/test-azurite installs.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use super::program::{command, project};
use super::servers::{as_user, expect_success, server_directory_in, start, wait_for};
use super::tcp_servers::free_port;

/// The account that each Azurite has, and its key, from its documentation.
const ACCOUNT: &str = "devstoreaccount1";
const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// The container of the tests.
pub(crate) const CONTAINER: &str = "box";

/// See the module. One for all tests.
pub(crate) struct Azurite {
    port: u16,
    directory: PathBuf,
}

pub(crate) fn azurite() -> &'static Azurite {
    static AZURITE: OnceLock<Azurite> = OnceLock::new();
    AZURITE.get_or_init(Azurite::start)
}

impl Azurite {
    fn start() -> Azurite {
        let directory = server_directory_in(&std::env::temp_dir(), "az", None);
        let port = free_port();
        let program = project().join("target/azurite/node_modules/.bin/azurite-blob");
        let mut server = as_user(program, None);
        server.arg("--silent").arg("--disableTelemetry");
        server.arg("--location").arg(directory.join("data"));
        server.args(["--blobPort", &port.to_string(), "--skipApiVersionCheck"]);
        start(server, &directory);
        wait_for(&directory, || {
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        let azurite = Azurite { port, directory };
        azurite.ask(
            "PUT",
            &format!("/{CONTAINER}"),
            &[("restype", "container")],
            None,
        );
        azurite
    }

    /// Makes a request with the signature "Shared Key" (Azure's REST reference, "Authorize with Shared Key"). `query` is sorted.
    /// The answer's body.
    fn ask(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, &str)],
        content: Option<&[u8]>,
    ) -> Vec<u8> {
        let path = format!("/{ACCOUNT}{path}");
        let date = jiff::Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT");
        let mut headers = vec![
            format!("x-ms-date:{date}"),
            "x-ms-version:2021-08-06".to_owned(),
        ];
        if content.is_some() {
            headers.insert(0, "x-ms-blob-type:BlockBlob".to_owned());
        }
        let length = content.filter(|content| !content.is_empty());
        let length = length.map(|content| content.len().to_string());
        let queried: String = query
            .iter()
            .map(|(name, value)| format!("\n{name}:{value}"))
            .collect();
        let text = format!(
            "{method}\n\n\n{}\n\n\n\n\n\n\n\n\n{}\n/{ACCOUNT}{path}{queried}",
            length.unwrap_or_default(),
            headers.join("\n")
        );
        let signed = hmac(&text);
        let url: Vec<String> = query
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let url = format!("http://127.0.0.1:{}{path}?{}", self.port, url.join("&"));
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--fail-with-body", "-X", method, &url]);
        for header in headers {
            curl.arg("-H").arg(header.replacen(':', ": ", 1));
        }
        curl.arg("-H")
            .arg(format!("Authorization: SharedKey {ACCOUNT}:{signed}"));
        curl.args(["-H", "Content-Type:"]);
        if let Some(content) = content {
            let body = self.directory.join(format!("{:x}", fastrand::u64(..)));
            std::fs::write(&body, content).unwrap();
            curl.arg("--data-binary")
                .arg(format!("@{}", body.display()));
        } else if method == "PUT" {
            curl.args(["-H", "Content-Length: 0"]);
        }
        expect_success(&curl.output().unwrap())
    }

    /// Puts an object.
    pub(crate) fn put(&self, key: &str, content: &[u8]) {
        self.ask("PUT", &format!("/{CONTAINER}/{key}"), &[], Some(content));
    }

    /// The content of an object.
    pub(crate) fn get(&self, key: &str) -> Vec<u8> {
        self.ask("GET", &format!("/{CONTAINER}/{key}"), &[], None)
    }

    /// The keys below a prefix, sorted. What was sent and not completed counts only if that is asked for.
    pub(crate) fn keys(&self, prefix: &str, uncommitted: bool) -> Vec<String> {
        let mut query = vec![("comp", "list")];
        if uncommitted {
            query.push(("include", "uncommittedblobs"));
        }
        query.extend([("prefix", prefix), ("restype", "container")]);
        let text = self.ask("GET", &format!("/{CONTAINER}"), &query, None);
        let text = String::from_utf8(text).unwrap();
        let names = text.split("<Name>").skip(1);
        names
            .map(|rest| rest.split('<').next().unwrap().to_owned())
            .collect()
    }

    /// The program with `arguments`, which uses it.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut it = command(arguments);
        it.env(
            "AZURE_STORAGE_CONNECTION_STRING",
            format!(
                "DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};\
                 BlobEndpoint=http://127.0.0.1:{}/{ACCOUNT};",
                self.port
            ),
        );
        it
    }

    /// The same with a wrong key.
    pub(crate) fn denied(&self, arguments: &[&str]) -> Command {
        let mut it = self.command(arguments);
        let wrong = KEY.replacen("Eby8", "Eby9", 1);
        it.env_remove("AZURE_STORAGE_CONNECTION_STRING")
            .env("AZURE_STORAGE_ACCOUNT", ACCOUNT)
            .env("AZURE_STORAGE_KEY", wrong)
            .env(
                "AZURE_STORAGE_SERVICE_ENDPOINT",
                format!("http://127.0.0.1:{}/{ACCOUNT}", self.port),
            );
        it
    }
}

/// The HMAC of `text` with the key (SHA-256), in base64.
fn hmac(text: &str) -> String {
    use base64::Engine as _;
    let base64 = base64::engine::general_purpose::STANDARD;
    let key: String = base64
        .decode(KEY)
        .unwrap()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let mut openssl = Command::new("openssl");
    openssl.args(["dgst", "-sha256", "-mac", "HMAC", "-binary"]);
    openssl.args(["-macopt", &format!("hexkey:{key}")]);
    openssl.stdin(std::process::Stdio::piped());
    openssl.stdout(std::process::Stdio::piped());
    let mut child = openssl.spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), text.as_bytes()).unwrap();
    base64.encode(expect_success(&child.wait_with_output().unwrap()))
}
