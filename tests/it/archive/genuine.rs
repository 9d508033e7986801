//! Archives as honest programs make them, in every form that POSIX, gzip and YAML allow: all are taken.

use std::fs::{self, File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use tar::{EntryType, Header};

use crate::support::archives::{
    BLOCK, END, INFORMATION, SMALL_DUMP, entry, gzip, members, pax_record, small_traces,
};
use crate::support::program::{command, run};
use crate::support::scene::Scene;

/// It is imported from the file and through a pipe, with the tag and both traces; the other commands take it too.
#[track_caller]
fn is_taken(scene: &Scene, what: &str, path: &Path) {
    println!("{what}");
    let name = path.to_str().unwrap();
    for import in [Scene::import, Scene::import_piped] {
        import(scene, path).succeeds();
        let found = scene.value("SELECT string_agg(name, ' ') FROM ci_tags");
        assert_eq!(found, "a", "{what}");
        let trace = |name: &str| fs::read(scene.builds().join("2015_10/1").join(name)).unwrap();
        assert_eq!(trace("1.log"), [b'x'; 2000], "{what}");
        assert_eq!(trace("2.log"), b"y", "{what}");
        scene
            .connect()
            .batch_execute("DELETE FROM ci_tags")
            .unwrap();
        fs::remove_dir_all(scene.builds()).unwrap();
    }
    scene.import(path).succeeds();
    run(scene.command(["verify", name, "--mysql-to-postgresql"])).succeeds();
    run(scene.command(["check", name, "--mysql-to-postgresql"])).succeeds();
    let converted = scene.path("converted.tar");
    let converted = converted.to_str().unwrap();
    run(command(["convert", name, "-o", converted])).succeeds();
    run(command(["inspect", converted]))
        .succeeds()
        .reports("2 build traces");
    fs::remove_file(converted).unwrap();
}

#[track_caller]
fn are_taken(cases: &[(&str, Vec<u8>)]) {
    let scene = Scene::gitlab();
    for (what, bytes) in cases {
        let path = scene.path("genuine.tar");
        fs::write(&path, bytes).unwrap();
        is_taken(&scene, what, &path);
    }
}

#[test]
fn zeros_behind_a_stream_of_gzip() {
    let (dump, traces) = (gzip(SMALL_DUMP), gzip(&small_traces()));
    let padded = |bytes: &[u8], zeros: usize| [bytes, &vec![0; zeros]].concat();
    let large = 300 * 1024;
    are_taken(&[
        (
            "behind the dump",
            members(&padded(&dump, 1), &traces, INFORMATION),
        ),
        (
            "behind the traces",
            members(&dump, &padded(&traces, BLOCK), INFORMATION),
        ),
        (
            "behind both, many",
            members(&padded(&dump, large), &padded(&traces, large), INFORMATION),
        ),
        (
            "behind the archive",
            padded(&gzip(&members(&dump, &traces, INFORMATION)), 10_240),
        ),
        (
            "behind two streams",
            members(
                &dump,
                &padded(&[gzip(&small_traces()), gzip(b"")].concat(), BLOCK),
                INFORMATION,
            ),
        ),
    ]);
}

/// Psych folds a value of more than 80 characters, and quotes one with special characters.
#[test]
fn information_as_psych_writes_it() {
    let (dump, traces) = (gzip(SMALL_DUMP), gzip(&small_traces()));
    let scene = Scene::gitlab();
    for tar_version in [
        "bsdtar 3.7.2 - libarchive 3.7.2 zlib/1.2.13 liblzma/5.4.4 bz2lib/1.0.8 liblz4/1.9.4\n  \
         libzstd/1.5.5",
        "! 'tar (GNU tar) 1.26

  Copyright (C) 2011: all rights'",
        "'tar: GNU

  it''s free'",
        "\"tar (GNU tar) 1.27.1\\nCopyright (C) 2013 Free Software Foundation, Inc.\\nLicense \\\n  \
         GPLv3+: GNU GPL version 3\"",
        "|\n  tar (GNU tar) 1.29\n  License GPLv3+: GNU GPL\n\n  version 3",
        ">-\n  tar (GNU tar) 1.29\n  License GPLv3+",
    ] {
        let information = format!(
            "---\n:db_version: '20150921081619'\n:backup_created_at: 2015-10-01 12:00:00.123456789 \
             +00:00\n:gitlab_version: 8.0.5\n:tar_version: {tar_version}\n"
        );
        let path = scene.path("information.tar");
        let bytes = members(&dump, &traces, information.as_bytes());
        fs::write(&path, bytes).unwrap();
        for import in [Scene::import, Scene::import_piped] {
            import(&scene, &path)
                .succeeds()
                .reports("(GitLab CI 8.0.5, made 2015-10-01 12:00:00.123456789 +00:00)");
        }
    }
}

/// An entry whose size is in the extended header before it; its own header has another one.
fn pax_sized(name: &[u8], content: &[u8], in_header: u64) -> Vec<u8> {
    let records = [
        pax_record("mtime", b"1443700800.5"),
        pax_record("size", content.len().to_string().as_bytes()),
    ]
    .concat();
    let mut bytes = entry(b"PaxHeaders/x", EntryType::XHeader, &records, |_| ());
    bytes.extend(entry(name, EntryType::Regular, content, |header| {
        header.set_size(in_header);
    }));
    bytes
}

/// An entry whose size is in base 256, as GNU tar writes one above 8 GiB.
fn base_256(name: &[u8], content: &[u8]) -> Vec<u8> {
    entry(name, EntryType::Regular, content, |header| {
        base_256_size(header, content.len() as u64);
    })
}

fn base_256_size(header: &mut Header, size: u64) {
    let field = &mut header.as_old_mut().size;
    field.fill(0);
    field[0] = 0x80;
    field[4..].copy_from_slice(&size.to_be_bytes());
}

/// Makes an entry with this name and content.
type Writer = dyn Fn(&[u8], &[u8]) -> Vec<u8>;

#[test]
fn sizes_that_are_not_octal() {
    let (dump, plain) = (gzip(SMALL_DUMP), small_traces());
    let traces = gzip(&plain);
    let with_sizes = |sized: &Writer, traces: &[u8]| {
        [
            sized(b"db/database.sql.gz", &dump),
            sized(b"builds/builds.tar.gz", traces),
            sized(b"backup_information.yml", INFORMATION),
            END.to_vec(),
        ]
        .concat()
    };
    let of_traces = |sized: &Writer| {
        gzip(
            &[
                sized(b"./2015_10/1/1.log", &[b'x'; 2000]),
                sized(b"./2015_10/1/2.log", b"y"),
                END.to_vec(),
            ]
            .concat(),
        )
    };
    let in_record = |name: &[u8], content: &[u8]| pax_sized(name, content, 0);
    let in_both = |name: &[u8], content: &[u8]| pax_sized(name, content, content.len() as u64);
    let instead = |name: &[u8], content: &[u8]| pax_sized(name, content, 0o777_7777_7777);
    are_taken(&[
        ("pax, 0 in the header", with_sizes(&in_record, &traces)),
        ("pax, the same in the header", with_sizes(&in_both, &traces)),
        ("pax, the most in the header", with_sizes(&instead, &traces)),
        ("base 256", with_sizes(&base_256, &traces)),
        (
            "pax in the traces",
            members(&dump, &of_traces(&in_record), INFORMATION),
        ),
        (
            "base 256 in the traces",
            members(&dump, &of_traces(&base_256), INFORMATION),
        ),
        ("everywhere", with_sizes(&in_record, &of_traces(&in_record))),
        (
            "compressed as a whole",
            gzip(&with_sizes(&in_record, &of_traces(&base_256))),
        ),
    ]);
}

/// A member of 9 GiB lies before the others in a sparse file. Its headers are read, and nothing of it.
#[test]
fn a_member_above_8_gib_is_passed() {
    const SIZE: u64 = 9 << 30;
    let scene = Scene::gitlab();
    let rest = members(&gzip(SMALL_DUMP), &gzip(&small_traces()), INFORMATION);
    let record = pax_record("size", SIZE.to_string().as_bytes());
    let record = entry(b"PaxHeaders/x", EntryType::XHeader, &record, |_| ());
    let pax = entry(b"other", EntryType::Regular, b"", |_| ());
    let base_256 = entry(b"other", EntryType::Regular, b"", |header| {
        base_256_size(header, SIZE);
    });
    for (what, before) in [("pax", [record, pax].concat()), ("base 256", base_256)] {
        let path = scene.path("large.tar");
        let mut file = File::create(&path).unwrap();
        file.write_all(&before).unwrap();
        file.seek(SeekFrom::Current(i64::try_from(SIZE).unwrap()))
            .unwrap();
        file.write_all(&rest).unwrap();
        println!("{what}");
        scene.import(&path).succeeds();
        // If the file ends in it, the archive is truncated.
        let cut = OpenOptions::new().write(true).open(&path).unwrap();
        cut.set_len(SIZE - 1).unwrap();
        scene
            .import(&path)
            .exits(3)
            .says("the archive is truncated: the member \"other\" has 9663676416 bytes from byte");
    }
}
