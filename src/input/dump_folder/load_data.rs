//! The statement in a chunk of mydumper that loads a file with lines of values (`--load-data`, `--csv`, `--format`).

use std::sync::Arc;

use super::tuples::{Decode, Format};
use crate::dump::mysql::sql::identifier;

/// What the statement says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LoadData {
    /// What stands before it: settings.
    pub(super) settings: String,
    /// The file.
    pub(super) file: String,
    /// The INSERT, to VALUES.
    pub(super) head: Arc<str>,
    pub(super) columns: Arc<[Decode]>,
    pub(super) format: Format,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// A word or a number, in upper case.
    Word(String),
    Text(Vec<u8>),
    Name(String),
    /// A variable.
    Variable(String),
    Symbol(char),
}

impl LoadData {
    /// Of the text of a chunk, which must have one such statement. The error says what is not read.
    pub(super) fn of(chunk: &str) -> Result<LoadData, String> {
        let mark = "LOAD DATA ";
        let (settings, statement) = chunk
            .split_once(mark)
            .ok_or("it has no statement LOAD DATA")?;
        let tokens = tokens(statement).ok_or("its statement LOAD DATA cannot be read")?;
        let mut parser = Parser { tokens, at: 0 };
        let mut load = parser.statement()?;
        settings.clone_into(&mut load.0.settings);
        if let Some(charset) = load.1 {
            load.0.settings += &format!("SET NAMES {charset};\n");
        }
        Ok(load.0)
    }
}

/// The tokens of a statement, if they are known ones.
fn tokens(statement: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut characters = statement.chars().peekable();
    while let Some(first) = characters.next() {
        let mut text = String::new();
        let is_end = |character: &char| ",)=;".contains(*character) || character.is_whitespace();
        match first {
            _ if first.is_whitespace() => {}
            '\'' | '"' | '`' => {
                loop {
                    match characters.next()? {
                        '\\' if first != '`' => text.push(match characters.next()? {
                            't' => '\t',
                            'n' => '\n',
                            'r' => '\r',
                            '0' => '\0',
                            other => other,
                        }),
                        quote if quote == first => {
                            if characters.next_if_eq(&first).is_none() {
                                break;
                            }
                            text.push(first);
                        }
                        other => text.push(other),
                    }
                }
                tokens.push(if first == '`' {
                    Token::Name(text)
                } else {
                    Token::Text(text.into_bytes())
                });
            }
            '@' => {
                while let Some(next) = characters.next_if(|next| !is_end(next)) {
                    text.push(next);
                }
                tokens.push(Token::Variable(text.trim_matches('`').to_owned()));
            }
            _ if first.is_ascii_alphanumeric() || first == '_' => {
                text.push(first);
                let is_part = |next: &char| next.is_ascii_alphanumeric() || *next == '_';
                while let Some(next) = characters.next_if(is_part) {
                    text.push(next);
                }
                tokens.push(Token::Word(text.to_ascii_uppercase()));
            }
            _ => tokens.push(Token::Symbol(first)),
        }
    }
    Some(tokens)
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

/// A column of the list: its name, or the variable that has its value first.
enum Column {
    Name(String),
    Variable(String),
}

impl Parser {
    fn eat(&mut self, words: &str) -> bool {
        let wanted = words.split(' ').map(|word| Token::Word(word.to_owned()));
        let wanted: Vec<Token> = wanted.collect();
        let is_there = self.tokens[self.at.min(self.tokens.len())..].starts_with(&wanted);
        self.at += if is_there { wanted.len() } else { 0 };
        is_there
    }

    fn symbol(&mut self, symbol: char) -> bool {
        let is_there = self.tokens.get(self.at) == Some(&Token::Symbol(symbol));
        self.at += usize::from(is_there);
        is_there
    }

    fn next(&mut self) -> Option<Token> {
        self.at += 1;
        self.tokens.get(self.at - 1).cloned()
    }

    fn text(&mut self) -> Result<Vec<u8>, String> {
        match self.next() {
            Some(Token::Text(text)) => Ok(text),
            _ => Err("its statement LOAD DATA cannot be read".to_owned()),
        }
    }

    /// The statement after `LOAD DATA`, and the character set of the file.
    fn statement(&mut self) -> Result<(LoadData, Option<String>), String> {
        let unread = || "its statement LOAD DATA cannot be read".to_owned();
        if !self.eat("LOCAL INFILE") {
            return Err(unread());
        }
        let file = String::from_utf8(self.text()?).map_err(|_| unread())?;
        let insert = match (self.eat("REPLACE"), self.eat("IGNORE")) {
            (true, _) => "REPLACE",
            (_, true) => "INSERT IGNORE",
            _ => "INSERT",
        };
        if !self.eat("INTO TABLE") {
            return Err(unread());
        }
        let Some(Token::Name(table)) = self.next() else {
            return Err(unread());
        };
        let charset = if self.eat("CHARACTER SET") {
            match self.next() {
                Some(Token::Word(name)) => Some(name),
                _ => return Err(unread()),
            }
        } else {
            None
        };
        let format = self.format()?;
        let list = self.list().ok_or_else(unread)?;
        let (names, columns) = self.columns(list).ok_or_else(unread)?;
        self.symbol(';');
        if self.at < self.tokens.len() {
            return Err(unread());
        }
        let names: Vec<String> = names.iter().map(|name| identifier(name)).collect();
        let head = format!(
            "{insert} INTO {} ({}) VALUES ",
            identifier(&table),
            names.join(",")
        );
        let load = LoadData {
            settings: String::new(),
            file,
            head: head.into(),
            columns: columns.into(),
            format,
        };
        Ok((load, charset))
    }

    fn format(&mut self) -> Result<Format, String> {
        let mut format = Format::default();
        let one = |text: &[u8], what: &str| match text {
            [byte] => Ok(*byte),
            _ => Err(format!(
                "{what} of several characters, or none, are not read"
            )),
        };
        if self.eat("FIELDS") {
            if self.eat("TERMINATED BY") {
                format.between = one(&self.text()?, "ends of values")?;
            }
            self.eat("OPTIONALLY");
            if self.eat("ENCLOSED BY") {
                let text = self.text()?;
                if !text.is_empty() {
                    format.around = Some(one(&text, "quotes")?);
                }
            }
            if self.eat("ESCAPED BY") && self.text()? != b"\\" {
                return Err("escapes other than backslashes are not read".to_owned());
            }
        }
        if self.eat("LINES") {
            if self.eat("STARTING BY") && !self.text()?.is_empty() {
                return Err("lines with a beginning of their own are not read".to_owned());
            }
            if self.eat("TERMINATED BY") {
                format.end = one(&self.text()?, "ends of lines")?;
            }
        }
        if self.eat("IGNORE") {
            let count = match self.next() {
                Some(Token::Word(count)) => count.parse().ok(),
                _ => None,
            };
            format.passed = count
                .filter(|_| self.eat("LINES") || self.eat("ROWS"))
                .ok_or("its statement LOAD DATA cannot be read")?;
        }
        let marks = [
            Some(format.between),
            format.around,
            Some(format.end),
            Some(b'\\'),
        ];
        let is_used_twice =
            (1..marks.len()).any(|at| marks[at].is_some() && marks[..at].contains(&marks[at]));
        if is_used_twice {
            return Err("values and lines with the same marks are not read".to_owned());
        }
        Ok(format)
    }

    /// The list of columns.
    fn list(&mut self) -> Option<Vec<Column>> {
        let mut list = Vec::new();
        if !self.symbol('(') {
            return None;
        }
        loop {
            list.push(match self.next()? {
                Token::Name(name) => Column::Name(name),
                Token::Variable(name) => Column::Variable(name),
                _ => return None,
            });
            if self.symbol(')') {
                return Some(list);
            }
            if !self.symbol(',') {
                return None;
            }
        }
    }

    /// The names of the columns, and how the values of each are written, with what SET says of those in variables.
    fn columns(&mut self, list: Vec<Column>) -> Option<(Vec<String>, Vec<Decode>)> {
        let mut set = Vec::new();
        if self.eat("SET") {
            loop {
                let Token::Name(name) = self.next()? else {
                    return None;
                };
                if !self.symbol('=') {
                    return None;
                }
                let decode = match self.next()? {
                    Token::Word(word) if word == "UNHEX" => Decode::Hex,
                    Token::Word(word) if word == "CONVERT" => Decode::Text,
                    _ => return None,
                };
                if !self.symbol('(') {
                    return None;
                }
                let Token::Variable(variable) = self.next()? else {
                    return None;
                };
                let is_utf8 = decode == Decode::Hex || self.eat("USING UTF8MB4");
                if !is_utf8 || !self.symbol(')') {
                    return None;
                }
                set.push((variable, name, decode));
                if !self.symbol(',') {
                    break;
                }
            }
        }
        let count = list
            .iter()
            .filter(|column| matches!(column, Column::Variable(_)))
            .count();
        if count != set.len() {
            return None;
        }
        let resolved = list.into_iter().map(|column| match column {
            Column::Name(name) => Some((name, Decode::Text)),
            Column::Variable(wanted) => {
                let at = set.iter().position(|(variable, ..)| *variable == wanted)?;
                let (_, name, decode) = set.swap_remove(at);
                Some((name, decode))
            }
        });
        resolved
            .collect::<Option<Vec<_>>>()
            .map(|pairs| pairs.into_iter().unzip())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_mydumper() {
        let chunk = "/*!40101 SET NAMES binary*/;\nLOAD DATA LOCAL INFILE 'd.a b.00000.dat' REPLACE INTO TABLE `a b` CHARACTER SET utf8mb4 \
                     FIELDS TERMINATED BY ',' ENCLOSED BY '\"' ESCAPED BY '\\\\' LINES STARTING BY '' TERMINATED BY '\\n' IGNORE 1 LINES \
                     (`id`,@s,`n`,@j)SET `s`=UNHEX(@s),`j`=CONVERT(@j USING UTF8MB4);\n";
        let load = LoadData::of(chunk).unwrap();
        assert_eq!(
            load.settings,
            "/*!40101 SET NAMES binary*/;\nSET NAMES UTF8MB4;\n"
        );
        assert_eq!(load.file, "d.a b.00000.dat");
        assert_eq!(&*load.head, "REPLACE INTO `a b` (`id`,`s`,`n`,`j`) VALUES ");
        assert_eq!(
            *load.columns,
            [Decode::Text, Decode::Hex, Decode::Text, Decode::Text]
        );
        let format = Format {
            between: b',',
            around: Some(b'"'),
            end: b'\n',
            passed: 1,
        };
        assert_eq!(load.format, format);
        let plain = "LOAD DATA LOCAL INFILE 'x' INTO TABLE `t` FIELDS TERMINATED BY '\\t' ENCLOSED BY '' ESCAPED BY '\\\\' LINES (`a`);";
        assert_eq!(LoadData::of(plain).unwrap().format, Format::default());
    }

    #[test]
    fn what_is_not_read() {
        for (rest, says) in [
            (
                "FIELDS TERMINATED BY '||' (`a`);",
                "ends of values of several characters",
            ),
            (
                "FIELDS TERMINATED BY '' (`a`);",
                "ends of values of several characters",
            ),
            (
                "FIELDS ESCAPED BY '' (`a`);",
                "escapes other than backslashes",
            ),
            (
                "LINES STARTING BY 'x' (`a`);",
                "lines with a beginning of their own",
            ),
            (
                "LINES TERMINATED BY '\\r\\n' (`a`);",
                "ends of lines of several characters",
            ),
            ("LINES TERMINATED BY '\\t' (`a`);", "the same marks"),
            ("(`a`,@b);", "cannot be read"),
            ("(@b) SET `b`=LOAD_FILE(@b);", "cannot be read"),
            ("(@b) SET `b`=UNHEX(@c);", "cannot be read"),
            ("(`a`) SET `b`=UNHEX(@c);", "cannot be read"),
            ("(`a`); DROP TABLE t;", "cannot be read"),
            ("", "cannot be read"),
        ] {
            let error = LoadData::of(&format!("LOAD DATA LOCAL INFILE 'x' INTO TABLE `t` {rest}"))
                .unwrap_err();
            assert!(error.contains(says), "{rest}: {error}");
        }
        assert!(LoadData::of("INSERT INTO t VALUES (1);").is_err());
    }
}
