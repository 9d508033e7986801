//! What each statement of a dump does to the reader.

use super::consumer::Consumer;
use super::program::{Program, ends_settings};
use super::reading::Reader;
use crate::dump::bounds::{MAX_REMEMBERED, refused_statement, unknown_statement};
use crate::dump::charset::{Charset, Multibyte};
use crate::dump::converted::Part;
use crate::dump::mysql::lexer::{Token, TokenKind};
use crate::dump::mysql::session::SetOutcome;
use crate::dump::mysql::statement::{DumpStatement, TableName, classify, without_password};
use crate::error::{Error, Result};

impl<C: Consumer> Reader<C> {
    /// Takes a whole statement. `text` is its beginning.
    pub(super) fn statement(&mut self, bytes: &[u8], text: &str) -> Result<()> {
        self.chunks.forget_head();
        if self.conversion.is_some() {
            return self.converted_statement(bytes);
        }
        let (kind, tokens) = classify(text, self.session.mode().quoting());
        match kind {
            DumpStatement::CreateTable(name) => return self.create_table(bytes, &name),
            DumpStatement::LeftOut(kind, name) => self.leave_out(kind, &name)?,
            DumpStatement::Use(database) => {
                if database.chars().count() > MAX_REMEMBERED {
                    let what = "a database has a name of more than 200 characters";
                    return Err(self.placed(Error::archive(what)));
                }
                self.current = Some(database);
            }
            DumpStatement::SetNames(charset) => self.set_names(charset)?,
            DumpStatement::Set => self.set(&tokens, text)?,
            DumpStatement::SelectInto(variables) => {
                self.check_functions(&tokens, text)?;
                for variable in variables {
                    self.session.forget(&variable);
                }
            }
            DumpStatement::Prepare(name, at) => {
                self.session
                    .prepare(&name, tokens.get(at..).unwrap_or_default());
            }
            DumpStatement::Execute(name) => {
                let value = self.session.prepared(&name);
                self.execute(&value, text)?;
            }
            DumpStatement::ExecuteImmediate(at) => {
                let value = self.session.evaluate(tokens.get(at..).unwrap_or_default());
                self.execute(&value, text)?;
            }
            DumpStatement::DropTables(tables) => {
                for table in tables {
                    self.drop_table(&table)?;
                }
            }
            DumpStatement::DropDatabase(database) => {
                if let Some(table) = self.tables.taken_of(&database) {
                    let why =
                        format!("the dump drops a database whose table {table} it has created");
                    return Err(self.refused(&why, text));
                }
            }
            DumpStatement::Clear(table) => self.clear_table(&table, text)?,
            DumpStatement::AlterTable(table) => {
                return self.alter_table(bytes, text, &table);
            }
            DumpStatement::InsertSet => return self.insert_set(bytes),
            DumpStatement::WithoutEffect => self.check_functions(&tokens, text)?,
            DumpStatement::Refused(why) => return Err(self.refused(why, text)),
            DumpStatement::Unknown => {
                let error = self.placed(unknown_statement(without_password(text)));
                // phpMyAdmin writes so if it is told to.
                return Err(match tokens.first().map(|token| &token.kind) {
                    Some(TokenKind::Word(word)) if word.eq_ignore_ascii_case("UPDATE") => {
                        error.hint("make the dump again with INSERT instead of UPDATE")
                    }
                    _ => error,
                });
            }
        }
        Ok(())
    }

    /// The error for a statement that is refused.
    pub(super) fn refused(&self, why: &str, statement: &str) -> Error {
        self.placed(refused_statement(why, without_password(statement)))
    }

    /// Records what is not imported.
    pub(super) fn leave_out(&mut self, kind: &'static str, name: &str) -> Result<()> {
        let kinds = "views, triggers and routines";
        let known = self.facts.leave_out(kind, name, kinds);
        known.map_err(|error| self.placed(error))
    }

    /// The database that `table` is in, if the dump says it.
    pub(super) fn database_of(&self, table: &TableName) -> Option<String> {
        table.database.clone().or_else(|| self.current.clone())
    }

    /// Whether `table` is in the database that is taken, and not skipped.
    pub(super) fn wants(&self, table: &TableName) -> bool {
        let database = self.database_of(table);
        let home = self.home(database.as_deref());
        self.is_taken(database.as_deref()) && (self.wanted)(home.as_deref(), &table.name)
    }

    fn set_names(&mut self, charset: String) -> Result<()> {
        Charset::named(&charset).map_err(|error| self.placed(error))?;
        let is_decoded = self.facts.utf16.is_some();
        let charset = if is_decoded {
            "utf8mb4".to_owned()
        } else {
            charset
        };
        self.session.set_client(charset.clone());
        self.facts.charset = Some(charset);
        self.apply_client();
        Ok(())
    }

    pub(super) fn set(&mut self, tokens: &[Token], text: &str) -> Result<()> {
        self.check_functions(tokens, text)?;
        if self.program() == Some(Program::PhpMyAdmin)
            && let Some(is_end) = ends_settings(text)
        {
            self.restores_settings = true;
            self.facts.completed = is_end;
        }
        let outcome = self.session.set(tokens, text);
        let SetOutcome { mode, client } = outcome.map_err(|error| self.placed(error))?;
        if mode {
            self.scanner.set_quoting(self.session.mode().quoting());
            self.was_compatible |= self.session.mode().leaves_out_auto_increment();
        }
        if client {
            self.apply_client();
        }
        Ok(())
    }

    /// The character set of the statements has changed. A server refuses one that is not known, or it is the
    /// one around a trigger, which is not imported.
    fn apply_client(&mut self) {
        let charset = self.client_charset();
        let multibyte = charset.map_or(Multibyte::None, Charset::multibyte);
        self.scanner.set_multibyte(multibyte);
    }

    /// The character set of the statements, if it is known.
    pub(super) fn client_charset(&self) -> Option<Charset> {
        if self.facts.utf16.is_some() {
            return Some(Charset::Utf8);
        }
        let name = self.session.client().or(self.facts.charset.as_deref())?;
        Charset::named(name).ok()
    }

    /// Refuses a call of a function that the dump has created, or that another database has: it might change data.
    pub(super) fn check_functions(&self, tokens: &[Token], text: &str) -> Result<()> {
        let is_open = |at: usize| {
            tokens
                .get(at)
                .is_some_and(|token| token.kind == TokenKind::Symbol('('))
        };
        for (at, token) in tokens.iter().enumerate() {
            let (TokenKind::Word(name) | TokenKind::Identifier(name)) = &token.kind else {
                continue;
            };
            if !is_open(at + 1) {
                continue;
            }
            let of_dump = |(kind, known): &(&str, String)| {
                matches!(*kind, "function" | "package") && known.eq_ignore_ascii_case(name)
            };
            if self.facts.left_out.iter().any(of_dump) {
                let why = "the dump calls a function of its own, which is not imported";
                return Err(self.refused(why, text));
            }
        }
        Ok(())
    }

    fn converted_statement(&mut self, bytes: &[u8]) -> Result<()> {
        let counted = self.definitions.add(bytes);
        counted.map_err(|error| self.placed(error))?;
        let text = self.utf8(bytes)?;
        let conversion = self.conversion.as_mut();
        let parts = conversion.map_or_else(|| Ok(Vec::new()), |it| it.statement(text));
        for part in parts.map_err(|error| self.placed(error))? {
            if matches!(part, Part::Table(..)) {
                self.chunks.begin_table();
            }
            self.consumer.converted(part, &self.facts)?;
        }
        Ok(())
    }
}
