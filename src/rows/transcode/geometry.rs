//! Spatial values: as bytes in MySQL's form, or as calls of the functions that make them.

use super::transcoder::{Transcoder, Wrong};
use crate::rows::geometry::{ewkb, has_latitude_first, of_internal, of_text};
use crate::rows::hex::unhex;
use crate::rows::notation::Notation;
use crate::rows::plan::PlannedColumn;

/// What the argument of a function is.
#[derive(Clone, Copy)]
enum Of {
    Text,
    Wkb,
}

impl<N: Notation> Transcoder<'_, N> {
    /// Writes the EWKB of a value. `by_system` says that the order of axes in texts is the one of the reference system, as
    /// MySQL has it from 8.0 on.
    pub(super) fn geometry(
        &mut self,
        column: &PlannedColumn,
        by_system: bool,
    ) -> Result<(), Wrong> {
        let start = self.at;
        let mut value = std::mem::take(&mut self.spare);
        let mut written = std::mem::take(&mut self.spare_geometry);
        value.clear();
        written.clear();
        let done = self.geometry_value(by_system, &mut value, &mut written);
        match &done {
            Ok(()) => N::bytes(self.out, &written, column.storage),
            Err(_) => self.at = start,
        }
        (self.spare, self.spare_geometry) = (value, written);
        done
    }

    /// Appends the EWKB to `written`. `value` is for what stands in the dump.
    fn geometry_value(
        &mut self,
        by_system: bool,
        value: &mut Vec<u8>,
        written: &mut Vec<u8>,
    ) -> Result<(), Wrong> {
        let wrong = |what: &str| (what.to_owned(), None);
        let Some(of) = self.function()? else {
            self.bytes_or_text(value)?;
            return of_internal(value, written).map_err(wrong);
        };
        self.bytes_or_text(value)?;
        let mut srid = 0;
        let mut by_system = by_system;
        if self.argument_follows() {
            srid = self
                .reference_system()
                .ok_or_else(|| wrong("expected the number of a spatial reference system"))?;
        }
        let mut latitude_first = None;
        if self.argument_follows() {
            let mut order = Vec::new();
            self.quoted_bytes(&mut order)?;
            match order.as_slice() {
                b"axis-order=long-lat" => latitude_first = Some(false),
                b"axis-order=lat-long" => latitude_first = Some(true),
                b"axis-order=srid-defined" => by_system = true,
                _ => return Err(wrong("this order of axes is not known")),
            }
        }
        self.skip_blank();
        if self.peek() != b')' {
            return Err(wrong("expected the end of a function"));
        }
        self.at += 1;
        let is_geographic = has_latitude_first(srid);
        let swapped = is_geographic && latitude_first.unwrap_or(by_system);
        match of {
            Of::Text => of_text(value, srid, swapped, written),
            Of::Wkb => ewkb(value, srid, swapped, written),
        }
        .map_err(wrong)
    }

    /// The function whose name and parenthesis stand here, if one does (MySQL manual, 14.16.3 and 14.16.4).
    fn function(&mut self) -> Result<Option<Of>, Wrong> {
        let Some(name) = self.call() else {
            return Ok(None);
        };
        let of = match name.strip_prefix("ST_").unwrap_or(&name) {
            name if name.ends_with("FROMTEXT") => Of::Text,
            name if name.ends_with("FROMWKB") => Of::Wkb,
            _ => return Err(("this function is not understood".to_owned(), None)),
        };
        Ok(Some(of))
    }

    /// The bytes of a string or of hexadecimal digits.
    fn bytes_or_text(&mut self, value: &mut Vec<u8>) -> Result<(), Wrong> {
        self.skip_introducer();
        match self.hex_digits()? {
            Some(hex) => unhex(hex, value),
            None => self.quoted_bytes(value)?,
        }
        Ok(())
    }

    fn argument_follows(&mut self) -> bool {
        self.skip_blank();
        let follows = self.peek() == b',';
        if follows {
            self.at += 1;
            self.skip_blank();
        }
        follows
    }

    /// The number of a reference system. Adminer writes `SRID(a)` of the column itself, which has no value yet: MariaDB
    /// takes this for 0.
    fn reference_system(&mut self) -> Option<u32> {
        let rest = &self.input[self.at..];
        let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
        let length = rest.iter().take_while(is_part).count();
        let (word, behind) = (std::str::from_utf8(&rest[..length]).ok()?, &rest[length..]);
        if word.bytes().all(|byte| byte.is_ascii_digit()) {
            self.at += length;
            return word.parse().ok();
        }
        let is_of_column = ["SRID", "ST_SRID"].contains(&word.to_ascii_uppercase().as_str())
            && behind.starts_with(b"(");
        let end = memchr::memchr(b')', behind).filter(|_| is_of_column)?;
        self.at += length + end + 1;
        Some(0)
    }
}
