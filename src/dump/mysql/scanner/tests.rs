use super::*;

/// The pieces of `dump` when it is handed over in slices that end at `cuts`: a letter for the
/// kind of piece, its text, and for rows the count.
fn pieces(dump: &[u8], cuts: &[usize]) -> Vec<String> {
    pieces_in(Multibyte::None, dump, cuts)
}

fn pieces_in(multibyte: Multibyte, dump: &[u8], cuts: &[usize]) -> Vec<String> {
    pieces_of(Quoting::default(), multibyte, dump, cuts)
}

fn pieces_of(quoting: Quoting, multibyte: Multibyte, dump: &[u8], cuts: &[usize]) -> Vec<String> {
    let mut scanner = Scanner::new();
    scanner.set_quoting(quoting);
    scanner.set_multibyte(multibyte);
    let mut pieces = Vec::new();
    let mut text = Vec::new();
    let mut count = 0;
    let mut bounds = cuts.to_vec();
    bounds.push(dump.len());
    let mut from = 0;
    for to in bounds {
        let mut slice = &dump[from..to];
        from = to;
        while !slice.is_empty() {
            let Scanned { used, piece } = scanner.scan(slice);
            let (bytes, rest) = slice.split_at(used);
            slice = rest;
            text.extend_from_slice(bytes);
            let letter = match piece {
                Piece::Partial => continue,
                Piece::Rows { rows, .. } => {
                    count += rows;
                    continue;
                }
                Piece::Gap => {
                    text.clear();
                    continue;
                }
                Piece::Comment => "C".to_owned(),
                Piece::Noise => "N".to_owned(),
                Piece::Delimiter => "D".to_owned(),
                Piece::Statement => "S".to_owned(),
                Piece::InsertHead => "I".to_owned(),
                Piece::LastRows { rows, .. } => format!("R{}", std::mem::take(&mut count) + rows),
            };
            pieces.push(format!("{letter} {}", String::from_utf8_lossy(&text)));
            text.clear();
        }
    }
    if !scanner.may_end() {
        pieces.push(format!("? {}", String::from_utf8_lossy(&text)));
    }
    pieces
}

fn check(dump: &str, expected: &[&str]) {
    let dump = dump.as_bytes();
    assert_eq!(pieces(dump, &[]), expected, "whole");
    for cut in 0..=dump.len() {
        assert_eq!(pieces(dump, &[cut]), expected, "cut at {cut}");
    }
    let everywhere: Vec<usize> = (1..dump.len()).collect();
    assert_eq!(pieces(dump, &everywhere), expected, "byte by byte");
}

#[test]
fn statements_and_comments() {
    check("", &[]);
    check(" \n", &[]);
    check("a;b;", &["S a;", "S b;"]);
    check("a", &["? a"]);
    check("-- x;y\na;", &["C -- x;y\n", "S a;"]);
    check("--\na;", &["C --\n", "S a;"]);
    check("-- end", &[]);
    check("# x;y\na;", &["C # x;y\n", "S a;"]);
    check("a -- it's; x\n b;", &["S a -- it's; x\n b;"]);
    check("a--b;c;", &["S a--b;", "S c;"]);
    check("/* it's; */ a;", &["C /* it's; */", "S a;"]);
    check("/**/a;", &["C /**/", "S a;"]);
    check("/***/a;", &["C /***/", "S a;"]);
    check("a /* ; */ b;", &["S a /* ; */ b;"]);
    check("/* x", &["? /* x"]);
    check(
        "/*!40101 SET a='x;y' */;b;",
        &["S /*!40101 SET a='x;y' */;", "S b;"],
    );
    check("/*!SET a */;", &["S /*!SET a */;"]);
    check("/*M!100100 SET a */;", &["S /*M!100100 SET a */;"]);
    check(
        "/*M!999999\\- it's */ \na;",
        &["C /*M!999999\\- it's */", "S a;"],
    );
    check("/*Mx;*/a;", &["C /*Mx;*/", "S a;"]);
}

#[test]
fn quotes() {
    check("a ';' b;", &["S a ';' b;"]);
    check(r"a '\';' b;", &[r"S a '\';' b;"]);
    check("a '';';' b;", &["S a '';", "S ';' b;"]);
    check("a 'x''y;' b;", &["S a 'x''y;' b;"]);
    check("a `;\\` b;", &["S a `;\\` b;"]);
    check("a \";\" b;", &["S a \";\" b;"]);
}

#[test]
fn a_mode_decides_what_a_backslash_and_a_double_quote_are() {
    for (backslash_escapes, ansi_quotes, dump, expected) in [
        (false, false, r"a '\'; b;", &[r"S a '\';", "S b;"][..]),
        (false, false, r#"a "\"; b;"#, &[r#"S a "\";"#, "S b;"]),
        (
            true,
            true,
            r#"a "\"; '\';'; b;"#,
            &[r#"S a "\";"#, r"S '\';';", "S b;"],
        ),
        (
            false,
            false,
            r"INSERT INTO t VALUES ('a\'),('\;'),('\\'); b;",
            &[
                "I INSERT INTO t VALUES ",
                r"R3 ('a\'),('\;'),('\\');",
                "S b;",
            ],
        ),
    ] {
        let quoting = Quoting {
            backslash_escapes,
            ansi_quotes,
        };
        for cut in 0..=dump.len() {
            let found = pieces_of(quoting, Multibyte::None, dump.as_bytes(), &[cut]);
            assert_eq!(found, expected, "{dump} cut at {cut}");
        }
    }
    let dump = format!("INSERT INTO t VALUES ('{}\\'),('\\');b;", "x;)(".repeat(50));
    let quoting = Quoting {
        backslash_escapes: false,
        ..Quoting::default()
    };
    for cut in 0..=dump.len() {
        let found = pieces_of(quoting, Multibyte::None, dump.as_bytes(), &[cut]);
        assert!(
            found[1].starts_with("R2 ") && found[2] == "S b;",
            "{found:?}"
        );
    }
}

#[test]
fn delimiters() {
    check(
        "DELIMITER ;;\na; b;;c;;\ndelimiter ;\nd;",
        &[
            "D DELIMITER ;;\n",
            "S a; b;;",
            "S c;;",
            "D delimiter ;\n",
            "S d;",
        ],
    );
    check(
        "DELIMITER $$\r\na;$$DELIMITER ;\nd;",
        &["D DELIMITER $$\r\n", "S a;$$", "D DELIMITER ;\n", "S d;"],
    );
}

#[test]
fn noise_between_statements() {
    check(
        "mysqldump: [Warning] it's; odd\nSET a;",
        &["N mysqldump: [Warning] it's; odd\n", "S SET a;"],
    );
    check("mysqldump.exe: x\na;", &["N mysqldump.exe: x\n", "S a;"]);
    check("a :b;", &["S a :b;"]);
    for line in [
        "/usr/bin/mysqldump: Deprecated program name; it's odd\n",
        "./mysqldump: x\r\n",
        "[Warning] it's; odd\n",
        "mysqldump.exe : mysqldump: [Warning] x\r\n",
        "At line:1 char:1\n",
        "+ mysqldump.exe -u root; it's\n",
    ] {
        check(&format!("{line}a;"), &[&format!("N {line}"), "S a;"]);
        check(
            &format!("a;{line}b;"),
            &["S a;", &format!("N {line}"), "S b;"],
        );
    }
    check(
        "Enter password: -- MySQL dump\nenter password:\r\na;",
        &[
            "N Enter password:",
            "C -- MySQL dump\n",
            "N enter password:",
            "S a;",
        ],
    );
    check("/* a */ b;", &["C /* a */", "S b;"]);
    check("BEGIN-- a: b\n;", &["S BEGIN-- a: b\n;"]);
}

#[test]
fn lines_of_hyphens_are_comments() {
    check("--\n------;'\na;", &["C --\n", "C ------;'\n", "S a;"]);
    check("a---b;", &["S a---b;"]);
}

#[test]
fn lines_of_an_old_macintosh_end_with_cr() {
    let pieces = |dump: &str, cut: usize| {
        let mut scanner = Scanner::new();
        scanner.end_lines_with_cr();
        let mut found = Vec::new();
        for mut slice in [&dump.as_bytes()[..cut], &dump.as_bytes()[cut..]] {
            while !slice.is_empty() {
                let Scanned { used, piece } = scanner.scan(slice);
                slice = &slice[used..];
                if !matches!(piece, Piece::Gap | Piece::Partial | Piece::Rows { .. }) {
                    found.push(piece);
                }
            }
        }
        found
    };
    let dump = "-- it's\r--\rmysqldump: x\rDELIMITER ;;\ra -- '\r;;DELIMITER ;\rINSERT INTO t VALUES\r('\r');";
    let expected = [
        Piece::Comment,
        Piece::Comment,
        Piece::Noise,
        Piece::Delimiter,
        Piece::Statement,
        Piece::Delimiter,
        Piece::InsertHead,
        Piece::LastRows {
            rows: 1,
            last_end: Some(6),
        },
    ];
    for cut in 0..=dump.len() {
        let mut found = pieces(dump, cut);
        // The rows before the cut are counted in another piece.
        if let Some(Piece::LastRows { rows, last_end }) = found.last_mut() {
            (*rows, *last_end) = (1, Some(6));
        }
        assert_eq!(found, expected, "cut at {cut}");
    }
    // LF ends a line there, too: more than the beginning of the dump may have others.
    let mixed = "-- a\n-- b\rc;";
    let expected = [Piece::Comment, Piece::Comment, Piece::Statement];
    assert_eq!(pieces(mixed, 3), expected);
    // Elsewhere a comment goes on to LF, as for a server.
    check("-- a\rb;\nc;", &["C -- a\rb;\n", "S c;"]);
}

#[test]
fn rows() {
    check(
        "INSERT INTO `t` VALUES (1,'a'),(2,NULL);",
        &["I INSERT INTO `t` VALUES ", "R2 (1,'a'),(2,NULL);"],
    );
    check(
        "insert into t (a,b) values\n(1,2),\n(3,4);\nx;",
        &[
            "I insert into t (a,b) values\n",
            "R2 (1,2),\n(3,4);",
            "S x;",
        ],
    );
    check(
        r"REPLACE INTO `values` VALUES('a\'),(\\',');(''');",
        &[
            "I REPLACE INTO `values` VALUES",
            r"R1 ('a\'),(\\',');(''');",
        ],
    );
    check(
        "INSERT INTO t VALUES (f(1),\")\\\"\");",
        &["I INSERT INTO t VALUES ", "R1 (f(1),\")\\\"\");"],
    );
    check(
        "INSERT INTO t VALUES (1),\n (2)\nON DUPLICATE KEY UPDATE a = VALUES(a), b=(1);x;",
        &[
            "I INSERT INTO t VALUES ",
            "R2 (1),\n (2)\nON DUPLICATE KEY UPDATE a = VALUES(a), b=(1);",
            "S x;",
        ],
    );
    check(
        "INSERT INTO t VALUES (1",
        &["I INSERT INTO t VALUES ", "? (1"],
    );
    check(
        "INSERT INTO t VALUES (1)",
        &["I INSERT INTO t VALUES ", "? (1)"],
    );
    check(
        "INSERT INTO t SELECT (1);",
        &["S INSERT INTO t SELECT (1);"],
    );
}

#[test]
fn a_backslash_that_is_half_a_character() {
    // In Shift JIS 0x95 0x5c is one character, 0x95 before a quote is none.
    let dump = b"INSERT INTO t VALUES ('\x95\\'),('\\\\\x95\\'),('\x95');x;";
    let expected = pieces_in(Multibyte::ShiftJis, dump, &[]);
    assert!(
        expected[1].starts_with("R3 ") && expected[2] == "S x;",
        "{expected:?}"
    );
    for cut in 0..=dump.len() {
        assert_eq!(
            pieces_in(Multibyte::ShiftJis, dump, &[cut]),
            expected,
            "cut at {cut}"
        );
    }
    assert_eq!(pieces(dump, &[]).last().map(|last| &last[..1]), Some("?"));
    let prose = b"a '\x95\\'; b;";
    let expected = ["S a '\u{fffd}\\';", "S b;"];
    for cut in 0..=prose.len() {
        assert_eq!(pieces_in(Multibyte::ShiftJis, prose, &[cut]), expected);
    }
}
