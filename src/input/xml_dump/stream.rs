//! Goes through the XML, and writes SQL.

use std::io::{self, BufRead, Read};

use memchr::memchr3;

use super::table::{Attributes, Structure, value};
use super::tokens::{Token, Tokens, attributes};
use crate::dump::beginning_of_xml;
use crate::dump::mysql::sql::identifier;
use crate::error::{Error, Result};

/// An INSERT gets no more rows when it has so many bytes.
const INSERT_BYTES: usize = 1 << 20;

/// So many bytes are written before they are handed on.
const MOST_AT_ONCE: usize = 1 << 20;

/// No definition is longer, nor the text between two elements.
const MAX_STRUCTURE_BYTES: usize = 16 << 20;
const MAX_PROSE_BYTES: usize = 1 << 20;

/// What the XML does not say: mysqldump sets both for its own session.
const SETTINGS: &str = "SET NAMES utf8mb4;\nSET time_zone = '+00:00';\n";

/// The elements, and in which others they are.
const ELEMENTS: [(&str, &str); 15] = [
    ("mysqldump", ""),
    ("database", "mysqldump"),
    ("table_structure", "database"),
    ("field", "table_structure"),
    ("key", "table_structure"),
    ("options", "table_structure"),
    ("table_data", "database"),
    ("row", "table_data"),
    ("field", "row"),
    ("triggers", "database"),
    ("trigger", "triggers"),
    ("events", "database"),
    ("event", "events"),
    ("routines", "database"),
    ("routine", "routines"),
];

/// So many forms of a column's tag are kept.
const MAX_TAGS: usize = 4;

/// The SQL of a dump in XML.
pub(in crate::input) struct XmlStream<R> {
    source: R,
    tokens: Tokens,
    writer: Writer,
    taken: usize,
    is_over: bool,
}

impl<R: BufRead> XmlStream<R> {
    pub(super) fn of(source: R) -> XmlStream<R> {
        XmlStream {
            source,
            tokens: Tokens::new(),
            writer: Writer::new(),
            taken: 0,
            is_over: false,
        }
    }

    /// Takes the next block of the XML.
    fn fill(&mut self) -> io::Result<()> {
        self.writer.handed_on += self.writer.out.len();
        self.writer.out.clear();
        self.taken = 0;
        let block = self.source.fill_buf()?;
        let count = block.len();
        let taken = if count == 0 {
            self.is_over = true;
            self.writer.end(self.tokens.is_between()).map(|()| 0)
        } else {
            take(&mut self.tokens, &mut self.writer, block)
        };
        let taken = taken.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        self.source.consume(taken);
        Ok(())
    }
}

/// Takes bytes of the XML, and returns how many.
fn take(tokens: &mut Tokens, writer: &mut Writer, block: &[u8]) -> Result<usize> {
    let mut at = 0;
    while at < block.len() && writer.out.len() < MOST_AT_ONCE {
        let next = tokens.next(&block[at..]);
        let (used, token) = next.map_err(|what| writer.wrong(what))?;
        at += used;
        match token {
            Token::Text(text) => writer.text(text)?,
            Token::Character(character) => {
                writer.text(character.encode_utf8(&mut [0; 4]).as_bytes())?;
            }
            Token::Tag => writer.tag(tokens.tag())?,
            Token::More => {}
        }
    }
    Ok(at)
}

impl<R: BufRead> Read for XmlStream<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.writer.out.len() && !self.is_over {
            self.fill()?;
        }
        let rest = &self.writer.out[self.taken..];
        let count = into.len().min(rest.len());
        into[..count].copy_from_slice(&rest[..count]);
        self.taken += count;
        Ok(count)
    }
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Null,
    Text,
    Hex,
}

/// Writes the SQL.
struct Writer {
    out: Vec<u8>,
    /// How many bytes were handed on before.
    handed_on: usize,
    /// The elements that are open.
    open: Vec<&'static str>,
    /// The text between elements: SQL that MySQL's program adds, or a line of the program.
    prose: Vec<u8>,
    /// Whether an element `mysqldump` has ended.
    has_dump: bool,
    structure: Option<Structure>,
    /// The last table that was defined, and its columns.
    defined: (String, Vec<String>),
    rows: Rows,
    value: Option<Form>,
}

/// The rows of a table.
#[derive(Default)]
struct Rows {
    table: String,
    /// The INSERT, to VALUES.
    head: String,
    /// The columns, if the dump defines the table.
    columns: Option<Vec<String>>,
    /// Tags that were read of each column, and what they say: most are the same in each row.
    tags: Vec<Vec<(Vec<u8>, Form)>>,
    /// Where the running INSERT began; none if there is none.
    insert: Option<usize>,
    /// How many values the row has.
    values: usize,
}

impl Writer {
    fn new() -> Writer {
        Writer {
            out: Vec::from(beginning_of_xml() + SETTINGS),
            handed_on: 0,
            open: Vec::new(),
            prose: Vec::new(),
            has_dump: false,
            structure: None,
            defined: Default::default(),
            rows: Rows::default(),
            value: None,
        }
    }

    fn put(&mut self, sql: &str) {
        self.out.extend_from_slice(sql.as_bytes());
    }

    fn text(&mut self, text: &[u8]) -> Result<()> {
        match self.value {
            Some(Form::Text) => put_escaped(&mut self.out, text),
            Some(Form::Hex) if text.iter().all(u8::is_ascii_hexdigit) => {
                self.out.extend_from_slice(text);
            }
            Some(Form::Hex) => return Err(self.wrong("a value is not in hexadecimal digits")),
            Some(Form::Null) => return Err(self.wrong("a value is NULL and has a text")),
            None if self.prose.is_empty() && text.trim_ascii().is_empty() => {}
            None => {
                self.prose.extend_from_slice(text);
                if self.prose.len() > MAX_PROSE_BYTES {
                    return Err(self.wrong("a text between the elements has more than 1 MiB"));
                }
            }
        }
        Ok(())
    }

    /// Writes the text that was between two elements.
    fn prose_ends(&mut self) {
        if self.prose.is_empty() {
            return;
        }
        self.insert_ends();
        let prose = std::mem::take(&mut self.prose);
        self.out.extend_from_slice(prose.trim_ascii());
        self.out.push(b'\n');
    }

    fn tag(&mut self, tag: &[u8]) -> Result<()> {
        if self.value.is_none() {
            self.prose_ends();
        }
        if self.open.last() == Some(&"row") && self.known_field(tag) {
            return Ok(());
        }
        if let Some(name) = tag.strip_prefix(b"/") {
            return self.closes(name.trim_ascii());
        }
        if tag.starts_with(b"?xml") {
            return Ok(());
        }
        let is_alone = tag.ends_with(b"/");
        let end = |byte: &u8| byte.is_ascii_whitespace() || *byte == b'/';
        let name = &tag[..tag.iter().position(end).unwrap_or(tag.len())];
        let parent = self.open.last().copied().unwrap_or_default();
        let mut known = ELEMENTS.iter();
        let element = known.find(|(known, inside)| known.as_bytes() == name && *inside == parent);
        let Some((element, _)) = element else {
            return Err(self.wrong("it has an element that mysqldump does not write there"));
        };
        if parent == "row" {
            return self.field(tag, is_alone);
        }
        let attributes = self.attributes(tag)?;
        self.opens(element, attributes)?;
        if is_alone {
            return self.ended(element);
        }
        self.open.push(element);
        Ok(())
    }

    fn attributes(&self, tag: &[u8]) -> Result<Attributes> {
        let pairs =
            attributes(tag).ok_or_else(|| self.wrong("it has a tag that is not well-formed"))?;
        let text = |bytes: &[u8]| {
            let text = std::str::from_utf8(bytes).map(str::to_owned);
            text.map_err(|_| self.wrong("it has a name or a definition that is not UTF-8"))
        };
        pairs
            .into_iter()
            .map(|(name, value)| Ok((text(name)?, text(&value)?)))
            .collect()
    }

    fn opens(&mut self, element: &'static str, attributes: Attributes) -> Result<()> {
        let named = |name: &str| {
            let found = value(&attributes, name).map(str::to_owned);
            found.ok_or_else(|| self.wrong("it has an element without its name"))
        };
        match element {
            "database" => {
                let sql = format!("USE {};\n", identifier(&named("name")?));
                self.put(&sql);
            }
            "table_structure" => self.structure = Some(Structure::new(named("name")?)),
            "field" | "key" | "options" => {
                let bytes = self
                    .structure
                    .as_mut()
                    .map(|structure| structure.add(element, attributes));
                if bytes.is_some_and(|bytes| bytes > MAX_STRUCTURE_BYTES) {
                    return Err(self.wrong("a definition has more than 16 MiB"));
                }
            }
            "table_data" => {
                let name = named("name")?;
                self.rows = Rows::of(name, &self.defined);
            }
            "trigger" => {
                let name = identifier(&named("Trigger")?);
                self.put(&format!(
                    "CREATE TRIGGER {name} BEFORE INSERT ON t FOR EACH ROW SET @x = 1;\n"
                ));
            }
            "event" => {
                let name = identifier(&named("Event")?);
                self.put(&format!(
                    "CREATE EVENT {name} ON SCHEDULE EVERY 1 DAY DO SET @x = 1;\n"
                ));
            }
            // Its first attribute has the kind and the name. What follows is its SQL, which nobody takes.
            "routine" => {
                let sql = match attributes
                    .first()
                    .map(|(kind, name)| (kind.as_str(), identifier(name)))
                {
                    Some(("Function", name)) => {
                        format!("CREATE FUNCTION {name}() RETURNS int RETURN 1;\n")
                    }
                    Some(("Procedure", name)) => format!("CREATE PROCEDURE {name}() SET @x = 1;\n"),
                    Some(("Package", name)) => format!("CREATE PACKAGE {name} AS END;\n"),
                    Some((_, name)) => format!("CREATE PACKAGE BODY {name} AS END;\n"),
                    None => String::new(),
                };
                self.put(&sql);
            }
            "row" => self.rows.values = 0,
            _ => {}
        }
        Ok(())
    }

    fn closes(&mut self, name: &[u8]) -> Result<()> {
        match self.open.pop() {
            Some(element) if element.as_bytes() == name => self.ended(element),
            element => {
                self.open.extend(element);
                Err(self.wrong("its elements do not end in their order"))
            }
        }
    }

    fn ended(&mut self, element: &'static str) -> Result<()> {
        match element {
            "field" if self.value.is_some() => self.value_ends(),
            "row" => self.row_ends()?,
            "table_data" => self.insert_ends(),
            "table_structure" => {
                if let Some(structure) = self.structure.take() {
                    self.defined = (structure.name.clone(), structure.columns());
                    self.put(&structure.sql());
                }
            }
            "database" => self.defined = Default::default(),
            "mysqldump" => {
                self.has_dump = true;
                self.put("-- Dump completed\n");
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes the tag of a value if the same one was read before.
    fn known_field(&mut self, tag: &[u8]) -> bool {
        let known = self.rows.tags.get(self.rows.values);
        let Some((_, form)) = known.and_then(|known| known.iter().find(|(known, _)| known == tag))
        else {
            return false;
        };
        self.value_begins(*form);
        true
    }

    /// The tag of a value, read for the first time.
    fn field(&mut self, tag: &[u8], is_alone: bool) -> Result<()> {
        let attributes = self.attributes(tag)?;
        let is = |name: &str, wanted: &str| value(&attributes, name) == Some(wanted);
        let form = match value(&attributes, "xsi:type") {
            _ if is("xsi:nil", "true") => Form::Null,
            Some("xs:hexBinary") => Form::Hex,
            Some(_) => return Err(self.wrong("a value is written in an unknown way")),
            None => Form::Text,
        };
        if is_alone != (form == Form::Null) {
            return Err(self.wrong("a value is neither a text nor NULL"));
        }
        let at = self.rows.values;
        if let Some(columns) = &self.rows.columns
            && columns.get(at).map(String::as_str) != value(&attributes, "name")
        {
            return Err(self.wrong("a row has other columns than the definition of its table"));
        }
        if let Some(known) = self.rows.tags.get_mut(at) {
            if known.len() < MAX_TAGS {
                known.push((tag.to_owned(), form));
            }
        } else {
            self.rows.tags.push(vec![(tag.to_owned(), form)]);
        }
        self.value_begins(form);
        Ok(())
    }

    fn value_begins(&mut self, form: Form) {
        let is_first = self.rows.values == 0;
        self.rows.values += 1;
        if !is_first {
            self.out.push(b',');
        } else if self.rows.insert.is_none() {
            self.out.extend_from_slice(self.rows.head.as_bytes());
            self.out.push(b'(');
            self.rows.insert = Some(self.position());
        } else {
            self.out.extend_from_slice(b",(");
        }
        match form {
            Form::Null => self.put("NULL"),
            Form::Text => self.put("'"),
            Form::Hex => self.put("x'"),
        }
        if form != Form::Null {
            self.value = Some(form);
            self.open.push("field");
        }
    }

    fn value_ends(&mut self) {
        self.out.push(b'\'');
        self.value = None;
    }

    fn row_ends(&mut self) -> Result<()> {
        let columns = self
            .rows
            .columns
            .as_ref()
            .map_or(self.rows.tags.len(), Vec::len);
        if self.rows.values == 0 || self.rows.values != columns {
            return Err(self.wrong("a row has other columns than the definition of its table"));
        }
        self.out.push(b')');
        let begin = self.rows.insert.unwrap_or_default();
        if self.position() - begin >= INSERT_BYTES {
            self.insert_ends();
        }
        Ok(())
    }

    /// How many bytes were written.
    fn position(&self) -> usize {
        self.handed_on + self.out.len()
    }

    fn insert_ends(&mut self) {
        if self.rows.insert.take().is_some() {
            self.put(";\n");
        }
    }

    fn end(&mut self, is_between: bool) -> Result<()> {
        if !is_between || !self.open.is_empty() || !self.has_dump {
            let place = self.place();
            return Err(Error::archive(format!("the XML is truncated{place}"))
                .hint("copy the file again, or make the dump again; mysqldump probably failed while it was made"));
        }
        self.prose_ends();
        Ok(())
    }

    /// Where in the dump it is.
    fn place(&self) -> String {
        if let Some(structure) = &self.structure {
            return format!(": the definition of {}", structure.name);
        }
        if self.open.contains(&"table_data") {
            return format!(": the rows of {}", self.rows.table);
        }
        match self.defined.0.as_str() {
            "" => String::new(),
            table => format!(" after the table {table}"),
        }
    }

    fn wrong(&self, what: &str) -> Error {
        Error::archive(format!("the XML cannot be read: {what}{}", self.place()))
            .hint("make the dump again without --xml")
    }
}

/// Appends a part of a literal.
fn put_escaped(out: &mut Vec<u8>, text: &[u8]) {
    let mut rest = text;
    while let Some(at) = memchr3(b'\'', b'\\', 0, rest) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(match rest[at] {
            b'\'' => b"''",
            b'\\' => b"\\\\",
            _ => b"\\0",
        });
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}

impl Rows {
    /// Of a table, if it is the one that was `defined` last with its columns.
    fn of(table: String, defined: &(String, Vec<String>)) -> Rows {
        let columns = Some(&defined.1).filter(|columns| defined.0 == table && !columns.is_empty());
        let list = columns.map(|columns| {
            let names: Vec<String> = columns.iter().map(|column| identifier(column)).collect();
            format!(" ({})", names.join(","))
        });
        Rows {
            head: format!(
                "INSERT INTO {}{} VALUES ",
                identifier(&table),
                list.unwrap_or_default()
            ),
            columns: columns.cloned(),
            table,
            ..Rows::default()
        }
    }
}
