//! Archives that are compressed as a whole, and dumps compressed with zstd, bzip2, xz and ZIP: recognised by their bytes,
//! imported from a file and a pipe, and refused when they are damaged or a bomb.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use tar::EntryType;

use crate::postgresql::values::all_values_arrived;
use crate::support::archives::{
    BLOCK, END, INFORMATION, SMALL_DUMP, archive, entry, gzip, gzip_bomb, members, small_traces,
};
use crate::support::program::{command, run};
use crate::support::scene::{Dialect, Scene, fixture_dump};
use crate::support::state::State;
use crate::support::unwelcome::{Case, Ground};

/// A frame of zstd with a checksum, as `zstd` writes it.
fn zstd_with_window(content: &[u8], window_log: u32) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
    encoder.window_log(window_log).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn zstd(content: &[u8]) -> Vec<u8> {
    zstd_with_window(content, 21)
}

/// As [`gzip_bomb`], with frames that have the largest window there may be.
fn zstd_bomb(before: &[u8], byte: u8, mebibytes: usize) -> Vec<u8> {
    const FRAME: usize = 16;
    let mut bytes = zstd(before);
    let frame = zstd_with_window(&vec![byte; FRAME << 20], 23);
    bytes.extend(frame.repeat(mebibytes / FRAME));
    bytes
}

fn bzip2_bomb(before: &[u8], byte: u8, mebibytes: usize) -> Vec<u8> {
    let stream = bzip2(&vec![byte; 1 << 20]);
    [bzip2(before), stream.repeat(mebibytes)].concat()
}

fn xz_bomb(before: &[u8], byte: u8, mebibytes: usize) -> Vec<u8> {
    let stream = xz(&vec![byte; 1 << 20]);
    [xz(before), stream.repeat(mebibytes)].concat()
}

/// The compressions, and what errors call them.
type Compress = fn(&[u8]) -> Vec<u8>;
const COMPRESSIONS: [(&str, Compress); 5] = [
    ("gzip", gzip),
    ("zstd", zstd),
    ("bzip2", bzip2),
    ("xz", xz),
    ("ZIP", zip),
];

/// One stream of bzip2 for each MiB.
fn bzip2(content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in content.chunks(1 << 20) {
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        encoder.write_all(part).unwrap();
        bytes.extend(encoder.finish().unwrap());
    }
    bytes
}

/// One stream of xz for each MiB.
fn xz(content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in content.chunks(1 << 20) {
        let options = lzma_rust2::XzOptions::with_preset(1);
        let mut writer = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
        writer.write_all(part).unwrap();
        bytes.extend(writer.finish().unwrap());
    }
    bytes
}

fn zip(content: &[u8]) -> Vec<u8> {
    zip_of(&[("backup/", b""), ("backup/dump.sql", content)])
}

/// A ZIP archive of files, which are deflated. The directory has what is read of it.
fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in files {
        let mut encoder =
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(content).unwrap();
        let compressed = encoder.finish().unwrap();
        let mut checksum = flate2::Crc::new();
        checksum.update(content);
        let size = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap().to_le_bytes();
        // Version, flags, method, time and date; then checksum, sizes and the length of the name.
        let mut facts = vec![20, 0, 0, 0, 8, 0, 0, 0, 0, 0];
        facts.extend(checksum.sum().to_le_bytes());
        facts.extend(size(&compressed));
        facts.extend(size(content));
        facts.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        directory.extend(b"PK\x01\x02\x14\0");
        directory.extend(&facts);
        directory.extend([0; 16]);
        directory.extend(name.as_bytes());
        bytes.extend(b"PK\x03\x04");
        bytes.extend(facts);
        bytes.extend([0, 0]);
        bytes.extend(name.as_bytes());
        bytes.extend(compressed);
    }
    bytes.extend(directory);
    bytes.extend(b"PK\x05\x06");
    bytes.extend([0; 18]);
    bytes
}

fn small_archive() -> Vec<u8> {
    archive(&small_traces(), SMALL_DUMP)
}

/// The fixture's archive in `scene`, compressed, under the name it had.
fn pack_compressed(scene: &Scene, compress: Compress) -> PathBuf {
    let path = scene.pack(&fixture_dump(Dialect::Native));
    let whole = fs::read(&path).unwrap();
    fs::write(&path, compress(&whole)).unwrap();
    path
}

#[test]
fn they_are_imported_and_verified_whatever_they_are_called() {
    for (name, compress) in COMPRESSIONS {
        let scene = Scene::gitlab();
        let path = pack_compressed(&scene, compress);
        run(scene.command(["check", path.to_str().unwrap(), "--mysql-to-postgresql"]))
            .succeeds()
            .reports("an archive in a file, compressed")
            .reports("ok      GitLab CI 8.0.5, made 20")
            .reports("4 MB of traces")
            .reports("ready to import");
        scene.import(&path).succeeds().reports("(GitLab CI 8.0.5, ");
        all_values_arrived(&scene);
        run(scene.command(["verify", path.to_str().unwrap()]))
            .succeeds()
            .reports("all agree");
        let from_file = run(command(["inspect", path.to_str().unwrap()])).succeeds();
        let mut piped = command(["inspect", "-"]);
        piped.stdin(fs::File::open(&path).unwrap());
        assert_eq!(run(piped).succeeds().stdout, from_file.stdout, "{name}");
        let scene = Scene::gitlab();
        let path = pack_compressed(&scene, compress);
        scene.import_piped(&path).succeeds();
        all_values_arrived(&scene);
    }
}

#[test]
fn they_are_converted() {
    let scene = Scene::gitlab();
    let convert = |name: &str, content: &[u8]| {
        let (input, output) = (scene.path(name), scene.path("converted.tar"));
        fs::write(&input, content).unwrap();
        let (input, output) = (input.to_str().unwrap(), output.to_str().unwrap());
        let outcome = run(command(["convert", input, "-o", output]));
        (outcome, fs::read(output).unwrap_or_default())
    };
    let (outcome, expected) = convert("plain", &small_archive());
    outcome.succeeds();
    for (name, compress) in COMPRESSIONS {
        let compressed = compress(&small_archive());
        let (outcome, converted) = convert(name, &compressed);
        outcome.succeeds();
        assert!(converted == expected, "{name}");
        // The tar in it is whole, what holds it is not.
        let (cut, output) = (scene.path("cut"), scene.path("cut.tar"));
        let mut piped = command(["convert", "-", "-o", output.to_str().unwrap()]);
        fs::write(&cut, &compressed[..compressed.len() - 2]).unwrap();
        piped.stdin(fs::File::open(&cut).unwrap());
        run(piped).exits(3).says("stream: it is truncated");
        assert!(!output.exists());
    }
}

/// What would be found only when all is loaded is known of a file before anything is touched.
#[test]
fn a_file_is_judged_before_anything_is_touched() {
    let scene = Scene::gitlab();
    let old = members(
        &gzip(SMALL_DUMP),
        &gzip(&small_traces()),
        b":gitlab_version: 7.14.3\n",
    );
    let path = scene.path("old.tar.gz");
    fs::write(&path, gzip(&old)).unwrap();
    let nowhere = |arguments: &[&str]| {
        let mut import = command(arguments);
        import.args(["--database-url", "postgresql://nobody@%2Fnowhere/x"]);
        import.arg("--builds-path").arg(scene.builds());
        run(import)
    };
    let path = path.to_str().unwrap();
    nowhere(&[path, "--mysql-to-postgresql"])
        .exits(3)
        .says("made by GitLab CI 7.14.3");
    nowhere(&["check", path, "--mysql-to-postgresql"])
        .exits(3)
        .reports("FAILED  the archive was made by GitLab CI 7.14.3");
    fs::write(path, gzip(&small_archive())).unwrap();
    nowhere(&[path])
        .exits(2)
        .says("hint: add --mysql-to-postgresql");
}

#[test]
fn what_is_damaged_is_refused() {
    let mut cases = Vec::new();
    for (name, compress) in COMPRESSIONS {
        let plain = small_archive();
        let whole = compress(&plain);
        let place = format!("the archive's {name} stream: it is ");
        for cut in [whole.len() - 1, whole.len() - 20, whole.len() / 2] {
            // A block of zstd is there as a whole or not at all: nobody knows what was in it.
            let says = "it is truncated at inflated byte";
            let bytes = whole[..cut].to_vec();
            cases.push(Case::new(format!("{name} cut at {cut}"), bytes, 3, says));
        }
        let mut flipped = whole.clone();
        // In the checksum: of gzip it stands before the size, of bzip2 before the bits that fill the last byte, of ZIP in
        // the header behind the one of the folder.
        let at = match name {
            "gzip" => whole.len() - 8,
            "bzip2" => whole.len() - 3,
            "ZIP" => 30 + "backup/".len() + 2 + 14,
            _ => whole.len() - 1,
        };
        flipped[at] ^= 1;
        let says = format!("{place}damaged (");
        cases.push(Case::new(
            format!("{name} flipped"),
            flipped,
            3,
            says.clone(),
        ));
        let garbage = [&whole[..], b"garbage behind the end"].concat();
        cases.push(Case::new(format!("{name}, garbage"), garbage, 3, says));
        for (outer, again) in COMPRESSIONS {
            let twice = again(&whole);
            let says = "the input is compressed twice";
            cases.push(Case::new(format!("{name} in {outer}"), twice, 3, says));
        }
        let link = entry(b"db/link", EntryType::Symlink, b"", |_| ());
        let says = "the member \"db/link\" is refused: it is a symbolic link";
        let unsafe_one = compress(&[&link[..], &plain].concat());
        cases.push(Case::new(format!("{name}, a link"), unsafe_one, 3, says));
        let empty = compress(&entry(b"db/", EntryType::Directory, b"", |_| ()));
        let says = "the archive has no member db/database.sql.gz";
        cases.push(Case::new(format!("{name}, no member"), empty, 3, says));
        let cut_tar = compress(&plain[..plain.len() - END.len() - 2 * BLOCK]);
        let says = "the archive has no member backup_information.yml";
        cases.push(Case::new(format!("{name} of a cut tar"), cut_tar, 3, says));
    }
    Ground::new().refuses(&cases);
}

#[test]
fn a_bomb_is_refused() {
    let too_much = "stream: it inflates to more than 20 times its size";
    let plain = small_archive();
    // A member that nobody reads, and one that would be inflated a second time.
    let large = vec![0; 64 << 20];
    let unread = entry(b"db/notes", EntryType::Regular, &large, |_| ());
    let dump = gzip_bomb(SMALL_DUMP, b'\n', 4096);
    let regular = members(&dump, &gzip(&small_traces()), INFORMATION);
    let window = "the zstd frame wants a window of more than 8 MiB";
    let cases = [
        Case::new("gzip", gzip_bomb(&plain, 0, 64), 3, too_much),
        Case::new("zstd", zstd_bomb(&plain, 0, 64), 3, too_much),
        Case::new("bzip2", bzip2_bomb(&plain, 0, 64), 3, too_much),
        Case::new("xz", xz_bomb(&plain, 0, 64), 3, too_much),
        Case::new("ZIP", zip(&[&plain[..], &large].concat()), 3, too_much),
        Case::new("unread", gzip(&unread), 3, too_much),
        Case::new("a bomb in a bomb", zstd(&regular), 3, too_much)
            .piped("db/database.sql.gz: it inflates to more than 200 times its size"),
        Case::new("window", zstd_with_window(&plain, 27), 3, window),
    ];
    Ground::new().refuses(&cases);
}

#[test]
fn dumps_compressed_with_zstd() {
    let scene = Scene::bare();
    let path = scene.path("dump.sql.gz");
    let import = |content: &[u8]| {
        fs::write(&path, content).unwrap();
        let mut import = command([path.to_str().unwrap(), "--database-url", &scene.url()]);
        import.args(["--memory", "40", "--jobs", "2", "--replace"]);
        run(import)
    };
    let whole = zstd(&fixture_dump(Dialect::Native));
    import(&whole).succeeds();
    scene.assert_same_values(&[]);
    let before = State::of(&scene);
    import(&whole[..whole.len() - 1])
        .exits(3)
        .says("the dump: it is truncated at inflated byte");
    import(&[&whole[..], b"garbage"].concat())
        .exits(3)
        .says("the dump: it is damaged (");
    import(&zstd_bomb(SMALL_DUMP, b'\n', 640))
        .exits(3)
        .says("the dump: it inflates to more than 200 times its size");
    import(&zstd_with_window(SMALL_DUMP, 24))
        .exits(3)
        .says("the dump: the zstd frame wants a window of more than 8 MiB");
    import(&zstd(&whole)).exits(3).says("compressed twice");
    before.assert_same(&State::of(&scene));
    import(&zstd(SMALL_DUMP)).succeeds();
    let mut verify = command(["verify", "-", "--database-url", &scene.url()]);
    verify.stdin(fs::File::open(&path).unwrap());
    run(verify).succeeds().reports("all agree");
}

#[test]
fn dumps_compressed_with_bzip2_xz_and_zip() {
    let dump = fixture_dump(Dialect::Native);
    let bombs = [
        (
            "bzip2",
            bzip2 as Compress,
            bzip2_bomb(SMALL_DUMP, b'\n', 640),
        ),
        ("xz", xz, xz_bomb(SMALL_DUMP, b'\n', 640)),
        (
            "ZIP",
            zip,
            zip(&[SMALL_DUMP, &vec![b'\n'; 640 << 20]].concat()),
        ),
    ];
    for (name, compress, bomb) in bombs {
        println!("{name}");
        let scene = Scene::bare();
        let path = scene.path("dump.sql");
        let import = |content: &[u8], piped: bool| {
            fs::write(&path, content).unwrap();
            let named = if piped { "-" } else { path.to_str().unwrap() };
            let mut import = command([named, "--database-url", &scene.url()]);
            import.args(["--memory", "40", "--jobs", "2", "--replace"]);
            import.stdin(fs::File::open(&path).unwrap());
            run(import)
        };
        let whole = compress(&dump);
        for piped in [false, true] {
            import(&whole, piped).succeeds();
            scene.assert_same_values(&[]);
        }
        let before = State::of(&scene);
        for cut in [whole.len() - 1, whole.len() / 2, 100] {
            import(&whole[..cut], false)
                .exits(3)
                .says("the dump: it is truncated at inflated byte");
        }
        import(&[&whole[..], b"garbage"].concat(), true)
            .exits(3)
            .says("the dump: it is damaged (");
        import(&bomb, false)
            .exits(3)
            .says("the dump: it inflates to more than 200 times its size")
            .says("--max-inflation");
        import(&compress(&whole), false)
            .exits(3)
            .says("compressed twice");
        before.assert_same(&State::of(&scene));
        let path = path.to_str().unwrap();
        import(&compress(SMALL_DUMP), false).succeeds();
        scene.assert_taken_by_all(path);
    }
}

#[test]
fn zip_archives_that_are_not_one_dump() {
    let scene = Scene::bare();
    let before = State::of(&scene);
    let two = [("a.sql", SMALL_DUMP), ("b.sql", SMALL_DUMP)];
    let mut encrypted = zip(SMALL_DUMP);
    // The flags of the second header, behind the one of the folder.
    encrypted[30 + "backup/".len() + 2 + 6] |= 1;
    let unpack = "hint: unpack it (7z x FILE), and name the file that was in it";
    for (bytes, says, hint) in [
        (
            zip_of(&two),
            "the dump: the ZIP archive has several files: \"a.sql\" and \"b.sql\"",
            "hint: name the one with the dump: unzip -p FILE NAME | ci-import - …",
        ),
        (
            encrypted,
            "the dump: the file in the ZIP archive is encrypted",
            unpack,
        ),
        (
            zip_of(&[("backup/", b"")]),
            "the dump: the ZIP archive has no file",
            unpack,
        ),
        (
            zip_of(&[]),
            "the input is a ZIP archive without a file; only gzip, bzip2, xz, zstd, ZIP and tar are supported",
            "hint: check that the file is the right one",
        ),
    ] {
        let path = scene.path("dump.zip");
        fs::write(&path, bytes).unwrap();
        for named in [path.to_str().unwrap(), "-"] {
            let mut import = command([named, "--database-url", &scene.url()]);
            import.stdin(fs::File::open(&path).unwrap());
            run(import).exits(3).says(says).says(hint);
        }
    }
    before.assert_same(&State::of(&scene));
    // What macOS and others add is no dump.
    let path = scene.path("dump.zip");
    let files = [
        ("__MACOSX/._dump.sql", &b"of the Finder"[..]),
        ("dump.sql", SMALL_DUMP),
        ("__MACOSX/._x", b"of the Finder"),
    ];
    fs::write(&path, zip_of(&files)).unwrap();
    run(command([
        path.to_str().unwrap(),
        "--database-url",
        &scene.url(),
    ]))
    .succeeds();
    assert_eq!(scene.value("SELECT count(*) FROM ci_tags"), "1");
}
