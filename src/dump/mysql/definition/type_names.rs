//! Types by their other names, which no server writes, but people and design tools do (MySQL manual, 11.1.1, 11.3.1, 11.9).

use super::cursor::DefinitionParser;
use super::keys::key_of;
use super::model::{ColumnDefinition, DataType, KeyKind, TableDefinition};
use crate::error::Result;

/// The character set of NATIONAL types.
const NATIONAL: &str = "utf8";

impl DefinitionParser<'_> {
    /// The type at its name, which may be of several words: by the name that a server writes.
    pub(super) fn type_name(&mut self) -> Result<DataType> {
        let mut word = self.word()?.to_ascii_lowercase();
        let is_national = ["national", "nchar", "nvarchar"].contains(&word.as_str());
        if word == "national" {
            word = self.word()?.to_ascii_lowercase();
        }
        let name = match word.as_str() {
            "nchar" if self.eat("VARCHAR") || self.eat("VARCHARACTER") || self.eat("VARYING") => {
                "varchar"
            }
            "character" | "char" if self.eat("VARYING") => "varchar",
            "character" | "nchar" => "char",
            "varcharacter" | "nvarchar" => "varchar",
            "long" if self.eat("VARBINARY") => "mediumblob",
            "long" => {
                let _ = self.eat("VARCHAR") || self.eat("VARCHARACTER");
                if self.eat("CHAR") || self.eat("CHARACTER") {
                    self.expect("VARYING")?;
                }
                "mediumtext"
            }
            "int1" => "tinyint",
            "int2" => "smallint",
            "int3" | "middleint" => "mediumint",
            "int4" => "int",
            "int8" => "bigint",
            "float4" => "float",
            "float8" => "double",
            "double" => {
                self.eat("PRECISION");
                "double"
            }
            other => other,
        };
        Ok(DataType {
            name: name.to_owned(),
            charset: is_national.then(|| NATIONAL.to_owned()),
            ..DataType::default()
        })
    }

    /// The attribute `SERIAL DEFAULT VALUE`, after its first word.
    pub(super) fn serial_attribute(
        &mut self,
        column: &mut ColumnDefinition,
        table: &mut TableDefinition,
    ) -> Result<()> {
        self.expect("DEFAULT")?;
        self.expect("VALUE")?;
        serial(column, table);
        Ok(())
    }
}

/// Replaces the type SERIAL of `column` with what it stands for.
pub(super) fn replace_serial(column: &mut ColumnDefinition, table: &mut TableDefinition) {
    if column.data_type.name == "serial" {
        "bigint".clone_into(&mut column.data_type.name);
        column.data_type.unsigned = true;
        serial(column, table);
    }
}

/// NOT NULL AUTO_INCREMENT UNIQUE
fn serial(column: &mut ColumnDefinition, table: &mut TableDefinition) {
    column.nullable = false;
    column.auto_increment = true;
    table.keys.push(key_of(KeyKind::Unique, &column.name));
}
