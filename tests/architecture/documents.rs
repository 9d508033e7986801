//! Links in the documents lead somewhere, and the messages that they explain are in the code.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::root;
use crate::sources::Sources;

/// What somebody builds, fetches or mounts there is none of the project's.
const NOT_OURS: [&str; 3] = ["target", "artifacts", "corpus"];

const BOOK: &str = "docs/book/src";

/// All documents, by their paths below the top of the project.
fn documents() -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_str().unwrap();
            if entry.file_type().unwrap().is_dir() {
                if !name.starts_with('.') && !NOT_OURS.contains(&name) {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "md") {
                let below = path.strip_prefix(root()).unwrap().to_owned();
                found.insert(below, fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

/// The lines that are text: not those of blocks.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut in_block = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        in_block ^= fence;
        !in_block && !fence
    })
}

/// The targets of its links, without those in code.
fn links(text: &str) -> Vec<String> {
    let text: Vec<&str> = prose(text).collect();
    let text = text.join("\n");
    // Every second piece is code. A link may have code in its text.
    let pieces = text.split('`').enumerate();
    let pieces = pieces.map(|(at, piece)| if at % 2 == 0 { piece } else { "" });
    let text: String = pieces.collect();
    let of_markdown = text.split("](").skip(1);
    let of_markdown = of_markdown.filter_map(|rest| Some(rest.split_once(')')?.0));
    let of_html = text.split("src=\"").skip(1);
    let of_html = of_html.filter_map(|rest| Some(rest.split_once('"')?.0));
    of_markdown.chain(of_html).map(str::to_owned).collect()
}

/// The anchors of its headings, as mdBook and the forges make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let headings = prose(text).filter(|line| line.starts_with('#'));
    for heading in headings {
        let title = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = |c: &char| c.is_alphanumeric() || ['-', '_', ' '].contains(c);
        let anchor: String = title.chars().filter(kept).collect();
        let anchor = anchor.replace(' ', "-");
        let mut number = 0;
        let mut name = anchor.clone();
        while !found.insert(name) {
            number += 1;
            name = format!("{anchor}-{number}");
        }
    }
    found
}

/// `path` without its `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => assert!(plain.pop(), "{} leads out", path.display()),
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

/// Why a link in `document` leads nowhere.
fn fault(documents: &BTreeMap<PathBuf, String>, document: &Path, link: &str) -> Option<String> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = link
        .split_once('#')
        .map_or((link, None), |(path, anchor)| (path, Some(anchor)));
    let target = match path {
        "" => document.to_owned(),
        path => plain(&document.parent().unwrap().join(path)),
    };
    if !root().join(&target).exists() {
        return Some("there is no such file".to_owned());
    }
    if document.starts_with(BOOK) && !target.starts_with(BOOK) {
        return Some("it leads out of the book, which is read without the project".to_owned());
    }
    let anchor = anchor?;
    let text = documents.get(&target)?;
    let found = anchors(text);
    (!found.contains(anchor)).then(|| format!("the headings are {found:?}"))
}

#[test]
fn links_lead_somewhere() {
    let documents = documents();
    let (mut count, mut wrong) = (0, Vec::new());
    for (document, text) in &documents {
        for link in links(text) {
            count += 1;
            if let Some(why) = fault(&documents, document, &link) {
                wrong.push(format!("{}: {link}: {why}", document.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 200, "only {count} links were found");
}

/// mdBook builds what the summary names, and does not miss the others.
#[test]
fn every_page_is_in_the_summary() {
    let documents = documents();
    let summary = Path::new(BOOK).join("SUMMARY.md");
    let named: BTreeSet<PathBuf> = links(&documents[&summary])
        .iter()
        .map(|link| Path::new(BOOK).join(link))
        .collect();
    let pages: BTreeSet<PathBuf> = documents
        .keys()
        .filter(|path| path.starts_with(BOOK) && **path != summary)
        .cloned()
        .collect();
    assert_eq!(named, pages);
}

/// The first cells of the tables of messages: what stands between `…` is a text of the program.
#[test]
fn messages_that_are_explained_exist() {
    let page = fs::read_to_string(root().join(BOOK).join("guides/when-it-fails.md")).unwrap();
    let sources = Sources::read(&root().join("src"));
    let code: String = sources.files.iter().map(|file| &*file.text).collect();
    // A text that goes on in the next line of the code has a backslash at the end of the line.
    let lines = code.split("\\\n");
    let code: String = lines.map(str::trim_start).collect();
    let code = code.replace("\\\"", "\"");
    let (mut count, mut missing) = (0, Vec::new());
    for line in page.lines().filter(|line| line.starts_with("| `")) {
        let message = line.split('`').nth(1).unwrap();
        count += 1;
        let parts = message.split('…').map(str::trim);
        missing.extend(parts.filter(|part| !code.contains(part)));
    }
    assert!(missing.is_empty(), "not in the code: {missing:?}");
    assert!(count > 25, "only {count} messages were found");
}

/// What the checks above can find.
#[test]
fn the_checks_of_documents_find_what_they_should() {
    let text = "# Name `a` & b\n# Name a  b\n## x-y_z\n## x-y_z\n```sh\n# [no](no)\n```\n\
        [a `]` b](one.md#x) `[c](two.md)` ![d](e.svg)\n";
    let expected = ["name-a--b", "name-a--b-1", "x-y_z", "x-y_z-1"];
    assert_eq!(anchors(text), expected.map(str::to_owned).into());
    assert_eq!(links(text), ["one.md#x", "e.svg"]);
    let documents = documents();
    let check = |document: &str, link: &str| fault(&documents, Path::new(document), link);
    assert_eq!(check("README.md", "https://example.com"), None);
    assert_eq!(check("STYLE.md", "#words"), None);
    assert_eq!(
        check("docs/decisions/README.md", "../../STYLE.md#words"),
        None
    );
    assert!(check("STYLE.md", "#word").is_some());
    assert!(check("STYLE.md", "STYLE").is_some());
    assert!(check("docs/book/src/SUMMARY.md", "../../../STYLE.md").is_some());
}
