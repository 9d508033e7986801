//! Stable names for what reports and warnings tell, and what the manual says of each.

use std::fmt;

use serde::{Serialize, Serializer};

/// The page of the manual, with a section for each code.
const PAGE: &str = include_str!("../../docs/book/src/reference/codes.md");

/// How the section of a code begins.
const SECTION: &str = "### `";

macro_rules! codes {
    ($($name:ident $text:literal,)*) => {
        /// A kind of change, note or warning. Its text stays the same from version to version; the page of the manual says
        /// what each means.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs, reason = "docs/book/src/reference/codes.md describes each, and a test compares them")]
        pub enum Code { $($name,)* }

        impl Code {
            /// All of them.
            pub const ALL: &[Code] = &[$(Code::$name,)*];

            /// Its text.
            #[must_use]
            pub fn text(self) -> &'static str {
                match self { $(Code::$name => $text,)* }
            }
        }
    };
}

codes! {
    // Changes of values.
    ZeroDate "zero-date",
    InvalidDate "invalid-date",
    Nul "nul",
    InvalidText "invalid-text",
    NumberAsBoolean "number-as-boolean",
    Utf16Bytes "utf16-bytes",
    TimeOutsideDay "time-outside-day",
    // Notes: what the target gets in another way.
    Renamed "renamed",
    OtherType "other-type",
    OtherCollation "other-collation",
    NotNullLeftOut "not-null-left-out",
    DefaultLeftOut "default-left-out",
    CheckLeftOut "check-left-out",
    ForeignKeyLeftOut "foreign-key-left-out",
    IndexLeftOut "index-left-out",
    ColumnLeftOut "column-left-out",
    OptionLeftOut "option-left-out",
    ObjectLeftOut "object-left-out",
    GeneratedColumn "generated-column",
    OnUpdate "on-update",
    Sequence "sequence",
    KeyWeaker "key-weaker",
    KeyComparesBytes "key-compares-bytes",
    IndexInOtherForm "index-in-other-form",
    InOtherForm "in-other-form",
    NulInDefinition "nul-in-definition",
    RowsReplaced "rows-replaced",
    TimestampsZone "timestamps-zone",
    TableDropped "table-dropped",
    NotInDump "not-in-dump",
    TableNotInDump "table-not-in-dump",
    LostByReplacing "lost-by-replacing",
    TaggingWithoutTag "tagging-without-tag",
    ConverterLost "converter-lost",
    ConverterRepaired "converter-repaired",
    // Notes about the input as a whole.
    DumpInUtf16 "dump-in-utf16",
    DumpInXml "dump-in-xml",
    NotInXml "not-in-xml",
    NotSql "not-sql",
    MayBeIncomplete "may-be-incomplete",
    FilesLeftOut "files-left-out",
    TracesMissing "traces-missing",
    // Notes of a backup.
    TracesChanged "traces-changed",
    DumpProgramSays "dump-program-says",
    TablesLocked "tables-locked",
    NoMigration "no-migration",
    NoVersion "no-version",
    // Warnings.
    VariableNotRead "variable-not-read",
    SettingsReadable "settings-readable",
    PasswordFileNotRead "password-file-not-read",
    OptionFileNotRead "option-file-not-read",
    SecretsReadable "secrets-readable",
    SecretsOfOmnibus "secrets-of-omnibus",
    UnfinishedCopy "unfinished-copy",
    StagingRemains "staging-remains",
    TracesRemain "traces-remain",
    OlderArchivesRemain "older-archives-remain",
    NotKept "not-kept",
    StandbyMissing "standby-missing",
    NotReplicated "not-replicated",
    NotAnalyzed "not-analyzed",
    PrivateServerRuns "private-server-runs",
    ReportMissing "report-missing",
}

impl Code {
    /// The code with this text.
    #[must_use]
    pub fn named(text: &str) -> Option<Code> {
        Code::ALL.iter().copied().find(|code| code.text() == text)
    }

    /// What the manual says of it: paragraphs, each in one line. They are Markdown, but for code in backticks without marks.
    #[must_use]
    pub fn explanation(self) -> String {
        let begin = format!("{SECTION}{}`\n", self.text());
        let section = PAGE.split_once(&begin).map_or("", |(_, rest)| rest);
        let end = section.find("\n#").unwrap_or(section.len());
        let paragraphs = section[..end].trim().split("\n\n");
        let paragraphs: Vec<String> = paragraphs.map(|it| it.replace('\n', " ")).collect();
        paragraphs.join("\n\n")
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_manual_explains_each_and_no_other() {
        let sections = PAGE.lines().filter_map(|line| line.strip_prefix(SECTION));
        let sections: Vec<&str> = sections.map(|it| it.trim_end_matches('`')).collect();
        let codes: Vec<&str> = Code::ALL.iter().map(|code| code.text()).collect();
        assert_eq!(sections, codes);
        assert_eq!(codes.iter().collect::<HashSet<_>>().len(), codes.len());
    }

    #[test]
    fn an_explanation_is_what_a_terminal_can_show() {
        for code in Code::ALL {
            let text = code.explanation();
            let first = text.split("\n\n").next().unwrap_or_default();
            assert!(first.ends_with('.') && first.len() > 40, "{code}: {text}");
            assert!(
                !text.contains("](") && !text.contains('|') && !text.contains("**"),
                "{code}: {text}"
            );
            assert_eq!(Code::named(code.text()), Some(*code));
        }
        assert_eq!(Code::named("no-such"), None);
    }
}
