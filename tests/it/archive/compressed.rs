//! Archives that are compressed as a whole, and dumps compressed with zstd: recognised by their bytes,
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

/// The compressions, and what errors call them.
type Compress = fn(&[u8]) -> Vec<u8>;
const COMPRESSIONS: [(&str, Compress); 2] = [("gzip", gzip), ("zstd", zstd)];

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
        // In the checksum: of gzip it stands before the size.
        let at = whole.len() - if name == "gzip" { 8 } else { 1 };
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
