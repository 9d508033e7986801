//! Several files that are read as one dump: comments say how many there are, and where each ends.

use crate::error::{Error, Result};

/// How these comments begin.
const MARK: &str = "ci-import: ";

/// The comment at the beginning of `count` files.
#[must_use]
pub fn beginning_of_files(count: usize) -> String {
    format!("-- {MARK}{count} files\n")
}

/// The comment behind the file with this number, from 1.
#[must_use]
pub fn end_of_file(number: usize) -> String {
    format!("\n-- {MARK}the end of file {number}\n")
}

/// Whether a dump of several files begins with `start`.
#[must_use]
pub fn is_of_files(start: &[u8]) -> bool {
    start
        .strip_prefix(b"-- ")
        .is_some_and(|start| start.starts_with(MARK.as_bytes()))
}

/// The files of a dump so far.
#[derive(Debug, Default)]
pub(super) struct Files {
    count: usize,
    ended: usize,
    /// Whether one of them did not say that it is complete.
    has_incomplete: bool,
}

impl Files {
    /// Whether `comment`, without its hyphens, is the mark behind a file. It is an error if it is not the next one: the
    /// file before is truncated, and has swallowed a mark. `is_first` says that nothing stands before the comment.
    pub(super) fn has_ended(&mut self, comment: &str, is_first: bool) -> Result<bool> {
        let Some(mark) = comment.strip_prefix(MARK) else {
            return Ok(false);
        };
        if let Some(count) = mark.strip_suffix(" files").filter(|_| is_first) {
            self.count = count.parse().unwrap_or_default();
            return Ok(false);
        }
        let number = mark.strip_prefix("the end of file ");
        let Some(number) = number.filter(|_| self.count > 0) else {
            return Ok(false);
        };
        self.ended += 1;
        if number.parse() == Ok(self.ended) {
            return Ok(true);
        }
        Err(self.truncated(self.ended, "it ends in the middle of a statement"))
    }

    /// The number of the file that is being read, from 1.
    pub(super) fn number(&self) -> usize {
        self.ended + 1
    }

    /// Records that the file that has ended does not say that it is complete.
    pub(super) fn add_incomplete(&mut self) {
        self.has_incomplete = true;
    }

    /// Whether one of the files before the last one does not say that it is complete.
    pub(super) fn has_incomplete(&self) -> bool {
        self.has_incomplete
    }

    /// Checks that all files but the last one have ended.
    pub(super) fn check_end(&self) -> Result<()> {
        if self.ended + 1 < self.count {
            let number = self.ended + 1;
            return Err(self.truncated(number, "it ends in the middle of a statement"));
        }
        Ok(())
    }

    /// The error for the file that ended last.
    pub(super) fn last_is_truncated(&self, how: &str) -> Error {
        self.truncated(self.ended, how)
    }

    fn truncated(&self, number: usize, how: &str) -> Error {
        let count = self.count;
        Error::archive(format!("file {number} of {count} is truncated: {how}"))
            .hint("copy the file again, or make the dump again")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads the comments of a dump to its end.
    fn read(comments: &[&str]) -> Result<usize> {
        let mut files = Files::default();
        let mut ended = 0;
        for (at, comment) in comments.iter().enumerate() {
            ended += usize::from(files.has_ended(comment, at == 0)?);
        }
        files.check_end().map(|()| ended)
    }

    #[test]
    fn each_mark_must_come() {
        let begin = beginning_of_files(3);
        let begin = begin.trim().trim_start_matches("-- ");
        let ends: Vec<String> = (1..=2).map(end_of_file).collect();
        let ends: Vec<&str> = ends
            .iter()
            .map(|end| end.trim().trim_start_matches("-- "))
            .collect();
        assert_eq!(read(&[begin, ends[0], "other", ends[1]]).unwrap(), 2);
        for (comments, number) in [
            (&[begin][..], 1),
            (&[begin, ends[0]], 2),
            (&[begin, ends[1]], 1),
        ] {
            let error = read(comments).unwrap_err().to_string();
            let expected = format!("file {number} of 3 is truncated");
            assert!(error.starts_with(&expected), "{error}");
        }
        // A comment of the dump is none.
        assert_eq!(read(&["x", begin, ends[0]]).unwrap(), 0);
    }
}
