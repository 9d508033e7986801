//! The README and the pages of the book, as their readers have them.

use std::fs;

use super::program::project;

/// Where the pages of the book are.
const BOOK: &str = "docs/book/src";

/// A page.
pub(crate) struct Page {
    /// Its path below the top of the project.
    pub(crate) name: String,
    pub(crate) text: String,
}

/// A block of a page that is set apart by three backticks.
pub(crate) struct Block<'a> {
    pub(crate) language: &'a str,
    pub(crate) text: &'a str,
}

impl Page {
    fn read(name: String) -> Page {
        let text = fs::read_to_string(project().join(&name))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        Page { name, text }
    }

    /// Its blocks, in order.
    pub(crate) fn blocks(&self) -> Vec<Block<'_>> {
        // Every second piece is in a block.
        let marks = self.text.matches("```").count();
        assert!(marks.is_multiple_of(2), "{}: a block has no end", self.name);
        let pieces = self.text.split("```").skip(1).step_by(2);
        let blocks = pieces.map(|piece| piece.split_once('\n').unwrap());
        blocks
            .map(|(language, text)| Block { language, text })
            .collect()
    }

    /// The tables that begin with `header`: their rows without the two of the head.
    pub(crate) fn tables(&self, header: &str) -> Vec<Vec<&str>> {
        let lines: Vec<&str> = self.text.lines().collect();
        let starts = (0..lines.len()).filter(|at| lines[*at].starts_with(header));
        starts
            .map(|start| {
                let rows = lines[start + 2..].iter();
                rows.take_while(|line| line.starts_with('|'))
                    .copied()
                    .collect()
            })
            .collect()
    }
}

/// The README, and then all pages that the summary of the book names, in its order.
pub(crate) fn pages() -> Vec<Page> {
    let summary = Page::read(format!("{BOOK}/SUMMARY.md"));
    let links = summary.text.split("](").skip(1);
    let names = links.map(|link| link.split(')').next().unwrap());
    let mut pages = vec![Page::read("README.md".to_owned())];
    pages.extend(names.map(page));
    pages
}

/// The page of the book with this path.
pub(crate) fn page(name: &str) -> Page {
    Page::read(format!("{BOOK}/{name}"))
}
