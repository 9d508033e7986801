//! An object storage that speaks S3: SeaweedFS, which `scripts/test` fetches; or Ceph, for `scripts/test-ceph`.

use std::borrow::BorrowMut;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::json;

use super::program::{command, project, run_fed};
use super::servers::{as_user, expect_success, server_directory_in, start, wait_for};
use super::tcp_servers::{Authority, free_port};

/// The name and the key of a user who may do everything, and of one who may read the bucket [`BUCKET`].
pub(crate) const USER: (&str, &str) = ("user", "s3cret-of-user");
const READER: (&str, &str) = ("reader", "s3cret-of-reader");

/// One who may write into any bucket, and make none: this server makes one for an administrator.
pub(crate) const WRITER: (&str, &str) = ("writer", "s3cret-of-writer");

/// The bucket of the tests, which everybody may read, and one which nobody but the user may.
pub(crate) const BUCKET: &str = "open";
pub(crate) const CLOSED: &str = "closed";

/// See the module. It ends with the tests.
pub(crate) struct Storage {
    directory: PathBuf,
    /// S3 without TLS.
    pub(crate) port: u16,
    /// S3 with TLS.
    pub(crate) tls_port: u16,
    /// The server of the files below, which takes them without ceremony; Ceph has none.
    files: Option<u16>,
}

/// Whether the tests are to use a Ceph.
pub(crate) fn is_ceph() -> bool {
    std::env::var("CI_IMPORT_TEST_STORAGE").is_ok_and(|kind| kind == "ceph")
}

/// The one of the tests.
pub(crate) fn storage() -> &'static Storage {
    static STORAGE: OnceLock<Storage> = OnceLock::new();
    STORAGE.get_or_init(Storage::start)
}

impl Storage {
    fn start() -> Storage {
        let directory = server_directory_in(&std::env::temp_dir(), "s3", None);
        let data = directory.join("data");
        fs::create_dir(&data).unwrap();
        let who = |name: &str, key: &str, actions: &[&str]| {
            json!({
                "name": name,
                "credentials": [{ "accessKey": name, "secretKey": key }],
                "actions": actions,
            })
        };
        let read: &[&str] = &["Read:open", "List:open"];
        let identities = json!({ "identities": [
            who(USER.0, USER.1, &["Admin", "Read", "Write", "List", "Tagging"]),
            who(READER.0, READER.1, read),
            who(WRITER.0, WRITER.1, &["Read", "Write", "List"]),
            { "name": "anonymous", "actions": read },
        ] });
        fs::write(directory.join("identities"), identities.to_string()).unwrap();
        let authority = Authority::new("an authority of the storage");
        let (certificate, key) = authority.for_localhost(2100);
        fs::write(directory.join("ca.pem"), authority.pem()).unwrap();
        fs::write(directory.join("server.pem"), certificate).unwrap();
        fs::write(directory.join("server.key"), key).unwrap();

        if is_ceph() {
            return Storage::start_ceph(directory);
        }
        let files = free_port();
        let storage = Storage {
            port: free_port(),
            tls_port: free_port(),
            files: Some(files),
            directory,
        };
        let path = |name: &str| storage.path(name);
        let program = project().join("target/storage-tools/bin/weed");
        let mut weed = as_user(program, None);
        weed.arg("mini");
        // In the directory of the server, so that it leaves nothing elsewhere.
        weed.current_dir(&storage.directory)
            .env("HOME", &storage.directory);
        let others = [
            "master.port",
            "master.port.grpc",
            "volume.port",
            "volume.port.grpc",
        ];
        for name in others
            .into_iter()
            .chain(["filer.port.grpc", "s3.port.grpc"])
        {
            weed.arg(format!("-{name}={}", free_port()));
        }
        weed.args([
            format!("-dir={}", path("data")),
            "-ip=127.0.0.1".to_owned(),
            "-ip.bind=127.0.0.1".to_owned(),
            "-webdav=false".to_owned(),
            "-admin.ui=false".to_owned(),
            "-s3.port.iceberg=0".to_owned(),
            "-s3.port.lance=0".to_owned(),
            format!("-filer.port={files}"),
            format!("-s3.port={}", storage.port),
            format!("-s3.port.https={}", storage.tls_port),
            format!("-s3.config={}", path("identities")),
            format!("-s3.cert.file={}", path("server.pem")),
            format!("-s3.key.file={}", path("server.key")),
        ]);
        start(weed, &storage.directory);
        wait_for(&storage.directory, || {
            let has_buckets = [BUCKET, CLOSED].iter().all(|bucket| {
                let made = ureq::put(storage.file_url(bucket, "made")).send("made");
                made.is_ok()
            });
            let url = format!("http://127.0.0.1:{}/{BUCKET}", storage.port);
            has_buckets && ureq::get(url).call().is_ok()
        });
        storage
    }

    fn start_ceph(directory: PathBuf) -> Storage {
        let script = |name: &str| project().join("tests/ceph").join(name);
        let mut start = Command::new(script("start"));
        let told = expect_success(&start.arg(&directory).output().unwrap());
        let told = String::from_utf8(told).unwrap();
        let port = |name: &str| {
            let line = told.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap().parse().unwrap()
        };
        // It ends when the standard input does, which is that of these tests.
        let mut end = Command::new("sh");
        end.args([
            "-c",
            "trap '' INT TERM HUP; cat >/dev/null; \"$1\" \"$2\"; rm -rf \"$2\"",
            "end",
        ]);
        end.arg(script("stop")).arg(&directory);
        end.stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        std::mem::forget(end.process_group(0).spawn().unwrap());
        Storage {
            port: port("port="),
            tls_port: port("tls_port="),
            files: None,
            directory,
        }
    }

    /// A file of the server.
    pub(crate) fn path(&self, name: &str) -> String {
        self.directory.join(name).to_str().unwrap().to_owned()
    }

    fn file_url(&self, bucket: &str, key: &str) -> String {
        match self.files {
            Some(files) => format!("http://127.0.0.1:{files}/buckets/{bucket}/{key}"),
            None => format!("http://127.0.0.1:{}/{bucket}/{key}", self.port),
        }
    }

    /// Puts an object.
    pub(crate) fn put(&self, bucket: &str, key: &str, content: &[u8]) {
        if self.files.is_some() {
            ureq::put(self.file_url(bucket, key)).send(content).unwrap();
            return;
        }
        let mut put = Command::new("python3");
        put.arg(project().join("tests/ceph/s3.py"));
        put.args(["put", &self.port.to_string(), &format!("/{bucket}/{key}")]);
        let outcome = run_fed(put, |input| input.write_all(content).unwrap());
        let _ = outcome.succeeds();
    }

    /// An object, if it is there.
    pub(crate) fn get(&self, bucket: &str, key: &str) -> Option<Vec<u8>> {
        match ureq::get(self.file_url(bucket, key)).call() {
            Ok(mut answer) => {
                let body = answer.body_mut().with_config().limit(1 << 30);
                Some(body.read_to_vec().unwrap())
            }
            Err(ureq::Error::StatusCode(404)) => None,
            Err(error) => panic!("{error}"),
        }
    }

    /// The names of the objects directly below a prefix.
    pub(crate) fn keys(&self, bucket: &str, prefix: &str) -> Vec<String> {
        let query = format!("list-type=2&delimiter=/&prefix={prefix}/");
        let url = format!("http://127.0.0.1:{}/{bucket}?{query}", self.port);
        let text = ureq::get(url)
            .call()
            .unwrap()
            .body_mut()
            .read_to_string()
            .unwrap();
        let keys = text.split("<Key>").skip(1);
        let names = keys.map(|rest| rest.split('<').next().unwrap().rsplit('/').next().unwrap());
        names.map(str::to_owned).collect()
    }

    /// All objects whose keys begin with `prefix`, with their sizes.
    pub(crate) fn objects(&self, bucket: &str, prefix: &str) -> BTreeMap<String, u64> {
        let mut objects = BTreeMap::new();
        let mut last = String::new();
        loop {
            let url = format!("http://127.0.0.1:{}/{bucket}", self.port);
            let page = ureq::get(url)
                .query("list-type", "2")
                .query("prefix", prefix)
                .query("start-after", &last);
            let mut answer = page.call().unwrap();
            let text = answer.body_mut().read_to_string().unwrap();
            let between = |text: &str, tag: &str| {
                let rest = text.split_once(&format!("<{tag}>")).unwrap().1;
                rest.split_once('<').unwrap().0.to_owned()
            };
            let before = objects.len();
            for object in text.split("<Contents>").skip(1) {
                last = between(object, "Key");
                objects.insert(last.clone(), between(object, "Size").parse().unwrap());
            }
            if objects.len() == before {
                return objects;
            }
        }
    }

    /// Removes an object.
    pub(crate) fn remove(&self, bucket: &str, key: &str) {
        if self.files.is_some() {
            ureq::delete(self.file_url(bucket, key)).call().unwrap();
            return;
        }
        let mut remove = Command::new("python3");
        remove.arg(project().join("tests/ceph/s3.py"));
        remove.args([
            "delete",
            &self.port.to_string(),
            &format!("/{bucket}/{key}"),
        ]);
        expect_success(&remove.output().unwrap());
    }

    /// The uploads of `key` that are neither complete nor forgotten: what the storage says of each.
    pub(crate) fn open_uploads(&self, bucket: &str, key: &str) -> Vec<String> {
        let url = format!(
            "http://127.0.0.1:{}/{bucket}?uploads&prefix={key}",
            self.port
        );
        let mut answer = ureq::get(url).call().unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        assert!(text.contains("ListMultipartUploadsResult"), "{text}");
        text.split("<Upload>").skip(1).map(str::to_owned).collect()
    }

    /// Has `command` use it as the user does, at `port`.
    pub(crate) fn used_by<C: BorrowMut<Command>>(&self, mut used: C, port: u16) -> C {
        let command = used.borrow_mut();
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("AWS_") {
                command.env_remove(&name);
            }
        }
        command
            .env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}"))
            .env("AWS_ACCESS_KEY_ID", USER.0)
            .env("AWS_SECRET_ACCESS_KEY", USER.1)
            .env("AWS_CONFIG_FILE", self.path("none"))
            .env("AWS_SHARED_CREDENTIALS_FILE", self.path("none"))
            .env("AWS_EC2_METADATA_DISABLED", "true");
        used
    }

    /// The program with `arguments`, which uses it.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.used_by(command(arguments), self.port)
    }
}
