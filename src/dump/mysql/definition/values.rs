//! The values of enums and sets. A server that cannot write one as a text writes its bytes: `x'92'`.

use std::borrow::Cow;

use super::cursor::{DefinitionParser, RawValue};
use super::model::{ColumnDefinition, TableDefinition};
use crate::dump::charset::Charset;
use crate::dump::mysql::lexer::TokenKind;
use crate::error::{Error, Result};

impl DefinitionParser<'_> {
    /// Reads a value of the column with the number `column`, and appends it to `values`.
    pub(super) fn enum_value(&mut self, column: usize, values: &mut Vec<String>) -> Result<()> {
        let mut introducer = None;
        let mut token = self.next()?.kind;
        if let TokenKind::Word(word) = &token
            && let Some(charset) = word.strip_prefix('_')
        {
            introducer = Some(charset.to_ascii_lowercase());
            token = self.next()?.kind;
        }
        match token {
            TokenKind::Text(value) | TokenKind::DoubleQuoted(value) => {
                let value = self.adjacent_texts(value);
                values.push(value);
            }
            TokenKind::Hex(digits) => {
                self.raw_values.push(RawValue {
                    column,
                    value: values.len(),
                    introducer,
                    bytes: bytes_of(&digits),
                });
                values.push(String::new());
            }
            _ => return Err(self.unexpected_before()),
        }
        Ok(())
    }

    /// Decides what the bytes among the values of `table` are, when all of its character sets are known.
    pub(super) fn resolve_values(&mut self, table: &mut TableDefinition) -> Result<()> {
        let default = table.options.charset.clone().or_else(|| {
            let collation = table.options.collation.as_deref()?;
            collation.split('_').next().map(str::to_owned)
        });
        for column in &mut table.columns {
            if is_bytes(column, default.as_deref()) {
                let values = column.data_type.values.iter();
                column.data_type.bytes = values.map(|value| value.as_bytes().to_vec()).collect();
            }
        }
        for raw in std::mem::take(&mut self.raw_values) {
            let Some(column) = table.columns.get_mut(raw.column) else {
                continue;
            };
            let data_type = &mut column.data_type;
            if let Some(bytes) = data_type.bytes.get_mut(raw.value) {
                data_type.values[raw.value] = String::from_utf8_lossy(&raw.bytes).into_owned();
                *bytes = raw.bytes;
                continue;
            }
            let introducer = raw.introducer.filter(|name| name != "binary");
            let name = introducer.or_else(|| charset_of(column, default.as_deref()));
            let charset = name.map_or(Ok(Charset::Utf8), |name| Charset::named(&name))?;
            let text = match charset {
                Charset::Other(foreign) => foreign.decode(&raw.bytes).map(Cow::into_owned),
                _ => String::from_utf8(raw.bytes).ok(),
            };
            let place = format!("column {}.{}", table.name, column.name);
            column.data_type.values[raw.value] = text.ok_or_else(|| {
                Error::failed("a value is not valid in the character set of the column").at(place)
            })?;
        }
        Ok(())
    }
}

/// Whether the values of `column` are bytes.
fn is_bytes(column: &ColumnDefinition, default: Option<&str>) -> bool {
    ["enum", "set"].contains(&column.data_type.name.as_str())
        && charset_of(column, default).as_deref() == Some("binary")
}

fn charset_of(column: &ColumnDefinition, default: Option<&str>) -> Option<String> {
    let of_collation = || {
        let collation = column.data_type.collation.as_deref()?;
        collation.split('_').next()
    };
    let own = column.data_type.charset.as_deref().or_else(of_collation);
    own.or(default).map(str::to_owned)
}

/// The bytes of hexadecimal digits; an odd number of them begins with a zero.
fn bytes_of(digits: &str) -> Vec<u8> {
    let padded = if digits.len() % 2 == 1 {
        format!("0{digits}")
    } else {
        digits.to_owned()
    };
    let digits = padded.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(&String::from_utf8_lossy(pair), 16).unwrap_or(0);
    digits.map(byte).collect()
}
