//! What `convert` writes of a hostile archive has only the names of a backup, whatever the headers say; and an archive
//! that an import refuses is refused, in a file and through a pipe.

use std::fs;
use std::path::Path;

use tar::EntryType;

use crate::support::archives::{
    END, INFORMATION, SMALL_DUMP, entry, gzip, long_entry, pax_record, small_traces,
};
use crate::support::program::{Outcome, command, run};
use crate::support::scene::Scene;

const DUMP: &[u8] = b"db/database.sql.gz";
const TRACES: &[u8] = b"builds/builds.tar.gz";
const INFORMATION_FILE: &[u8] = b"backup_information.yml";

/// An entry whose extended header says `name`, and whose own header says `raw`.
fn disguised(name: &[u8], raw: &[u8], kind: EntryType, content: &[u8]) -> Vec<u8> {
    let records = pax_record("path", name);
    let mut bytes = entry(b"PaxHeaders/x", EntryType::XHeader, &records, |_| ());
    bytes.extend(entry(raw, kind, content, |header| header.set_mode(0o6777)));
    bytes
}

fn file(name: &[u8], content: &[u8]) -> Vec<u8> {
    entry(name, EntryType::Regular, content, |_| ())
}

fn directory(name: &[u8]) -> Vec<u8> {
    entry(name, EntryType::Directory, b"", |_| ())
}

/// The three members of a backup.
fn members() -> Vec<Vec<u8>> {
    vec![
        file(DUMP, &gzip(SMALL_DUMP)),
        file(TRACES, &gzip(&small_traces())),
        file(INFORMATION_FILE, INFORMATION),
    ]
}

/// `convert` of these entries, from a file or through a pipe.
fn convert(scene: &Scene, entries: &[Vec<u8>], piped: bool, output: &Path) -> Outcome {
    let source = scene.path("source.tar");
    fs::write(&source, [entries.concat(), END.to_vec()].concat()).unwrap();
    let mut convert = command(["convert"]);
    if piped {
        convert.arg("-").stdin(fs::File::open(&source).unwrap());
    } else {
        convert.arg(&source);
    }
    run(convert.arg("-o").arg(output))
}

/// Names, kinds and permissions as the headers themselves say them, in their order.
fn headers(archive: &Path) -> Vec<(String, EntryType, u32)> {
    let bytes = fs::read(archive).unwrap();
    let mut archive = tar::Archive::new(bytes.as_slice());
    let entries = archive.entries().unwrap().raw(true);
    let header = |entry: std::io::Result<tar::Entry<'_, _>>| {
        let entry = entry.unwrap();
        let header = entry.header();
        let name = String::from_utf8(header.path_bytes().into_owned()).unwrap();
        (name, header.entry_type(), header.mode().unwrap())
    };
    entries.map(header).collect()
}

#[test]
fn names_of_headers_are_not_passed_on() {
    let scene = Scene::bare();
    let (regular, folder) = (EntryType::Regular, EntryType::Directory);
    let entries = [
        disguised(b"./db", b"/etc/cron.d/", folder, b""),
        disguised(DUMP, b"../../../evil.sql.gz", regular, &gzip(SMALL_DUMP)),
        disguised(b"builds/", b"../../.ssh/", folder, b""),
        disguised(b"db/", b"../again/", folder, b""),
        disguised(b"elsewhere/", b"../elsewhere/", folder, b""),
        disguised(TRACES, b"/etc/passwd", regular, &gzip(&small_traces())),
        disguised(b"harmless", b"../../authorized_keys", regular, b"x"),
        disguised(b"harmless", b"db/database.sql", regular, b"x"),
        disguised(INFORMATION_FILE, b"..", regular, INFORMATION),
    ];
    for piped in [false, true] {
        let output = scene.path("converted.tar");
        convert(&scene, &entries, piped, &output)
            .succeeds()
            .says("the archive: 2 files left out, because a backup of GitLab CI has no such members: \"harmless\"");
        let expected = [
            ("db/", folder, 0o777),
            ("db/database.sql.gz", regular, 0o666),
            ("builds/", folder, 0o777),
            ("builds/builds.tar.gz", regular, 0o666),
            ("backup_information.yml", regular, 0o666),
        ];
        let expected = expected.map(|(name, kind, mode)| (name.to_owned(), kind, mode));
        assert_eq!(headers(&output), expected);
    }
}

#[test]
fn what_an_import_refuses_is_refused() {
    let scene = Scene::bare();
    let leads_out = "is refused: its name has a part \"..\"";
    let with = |more: Vec<u8>| [members(), vec![more]].concat();
    let without = |place: usize| {
        let mut rest = members();
        rest.remove(place);
        rest
    };
    let (regular, folder) = (EntryType::Regular, EntryType::Directory);
    let cases = [
        (with(file(b"../x", b"x")), leads_out),
        (with(directory(b"../x/")), leads_out),
        (with(long_entry(b"a/../../x", folder, b"")), leads_out),
        (with(long_entry(b"a/../../x", regular, b"x")), leads_out),
        (with(disguised(b"../x", b"x", regular, b"x")), leads_out),
        (with(directory(b"/etc/")), "its name is absolute"),
        (
            with(disguised(b"/x", b"x", folder, b"")),
            "its name is absolute",
        ),
        (
            with(entry(b"x", EntryType::Symlink, b"", |_| ())),
            "it is a symbolic link",
        ),
        (
            with(file(INFORMATION_FILE, INFORMATION)),
            "it is in the archive twice",
        ),
        (
            with(disguised(DUMP, b"x", regular, b"")),
            "it is in the archive twice",
        ),
        (
            with(file(b"other/db/database.sql.gz", b"")),
            "the archive has members in two folders",
        ),
        (without(0), "the archive has no member db/database.sql.gz"),
        (without(1), "the archive has no member builds/builds.tar.gz"),
        (
            without(2),
            "the archive has no member backup_information.yml",
        ),
    ];
    for (entries, why) in &cases {
        for piped in [false, true] {
            let output = scene.path("refused.tar");
            convert(&scene, entries, piped, &output).exits(3).says(why);
            assert!(!output.exists(), "{why}");
        }
    }
    let large = [
        without(2),
        vec![file(INFORMATION_FILE, &[b'#'; 64 * 1024 + 1])],
    ];
    convert(&scene, &large.concat(), true, &scene.path("large.tar"))
        .exits(3)
        .says("the member backup_information.yml is larger than 65536 bytes");
}
