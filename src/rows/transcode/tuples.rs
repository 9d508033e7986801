//! Transcodes a chunk of tuples to rows of COPY or LOAD DATA.
//!
//! MySQL's literals are those of its Reference Manual, chapter 11.1; COPY's formats are those of
//! the PostgreSQL manual, "COPY", section "File Formats".

use std::marker::PhantomData;

use super::transcoder::{RowError, Transcoder, Wrong};
use crate::rows::copy_binary::CopyBinary;
use crate::rows::copy_lines::pass_through;
use crate::rows::copy_text::CopyText;
use crate::rows::dates;
use crate::rows::format::Format;
use crate::rows::load_data::LoadData;
use crate::rows::notation::Notation;
use crate::rows::plan::{PlannedColumn, TranscodePlan, Written};
use crate::rows::tally::Tally;
use crate::rows::value_kind::{Storage, ValueKind};
use crate::rows::value_policies::ValuePolicies;

/// Transcodes the tuples of `input` (`(1,'a'),(2,NULL)`), appending a row of COPY for each to
/// `out`. Lines are appended unchanged. `first_row` is the number of the first row, for `tally`. Returns the count of rows.
pub fn transcode(
    plan: &TranscodePlan,
    input: &[u8],
    first_row: u64,
    out: &mut Vec<u8>,
    tally: &mut Tally,
) -> Result<u64, RowError> {
    if plan.written == Written::Lines {
        return Ok(pass_through(input, first_row, out, tally));
    }
    match plan.format {
        Format::Text => transcode_to::<CopyText>(plan, input, first_row, out, tally),
        Format::Binary => transcode_to::<CopyBinary>(plan, input, first_row, out, tally),
        Format::LoadData => transcode_to::<LoadData>(plan, input, first_row, out, tally),
    }
}

fn transcode_to<N: Notation>(
    plan: &TranscodePlan,
    input: &[u8],
    first_row: u64,
    out: &mut Vec<u8>,
    tally: &mut Tally,
) -> Result<u64, RowError> {
    let mut transcoder = Transcoder {
        input,
        at: 0,
        out,
        spare: Vec::new(),
        spare_geometry: Vec::new(),
        // One check of the whole chunk replaces that of each text. The bytes of blobs may make it fail.
        valid_utf8: simdutf8::basic::from_utf8(input).is_ok(),
        row: 0,
        first_row,
        tally,
        misfit: false,
        policies: ValuePolicies::default(),
        multibyte: plan.multibyte,
        is_decoded: plan.is_decoded,
        unusual: &plan.unusual,
        quoting: plan.quoting,
        notation: PhantomData::<N>,
    };
    transcoder.rows(plan)
}

impl<N: Notation> Transcoder<'_, N> {
    fn rows(&mut self, plan: &TranscodePlan) -> Result<u64, RowError> {
        let written = plan
            .columns
            .iter()
            .filter(|column| column.kind != ValueKind::Skipped)
            .count()
            + usize::from(plan.numbers_rows);
        while self.next_row_begins()? {
            let mut separator = b'(';
            let mut is_first = true;
            let start = self.at;
            N::begin_row(self.out, written);
            for column in &plan.columns {
                if self.peek() != separator {
                    self.skip_blank();
                }
                if self.peek() != separator {
                    let message = match self.peek() {
                        b')' if separator == b',' => {
                            "the row has fewer values than the table has columns".to_owned()
                        }
                        _ => format!("expected \"{}\" before this column", char::from(separator)),
                    };
                    return Err(self.error(Some(column), (message, None)));
                }
                self.at += 1;
                separator = b',';
                if self.peek() <= b' ' {
                    self.skip_blank();
                }
                if column.kind == ValueKind::Skipped {
                    self.skip_value()
                        .map_err(|wrong| self.error(Some(column), wrong))?;
                    continue;
                }
                if !std::mem::take(&mut is_first) {
                    N::between_values(self.out);
                }
                self.policies = column.policies;
                self.value(column)
                    .map_err(|wrong| self.error(Some(column), wrong))?;
            }
            if self.peek() != b')' {
                self.skip_blank();
            }
            if plan.columns.is_empty() && self.peek() == b'(' {
                self.at += 1;
            }
            if self.peek() != b')' {
                let message = format!(
                    "expected the row to end after {} columns",
                    plan.columns.len()
                );
                return Err(self.error(None, (message, None)));
            }
            self.at += 1;
            if plan.numbers_rows {
                self.row_number(is_first);
            }
            N::end_row(self.out);
            self.tally.row(start..self.at, self.first_row + self.row);
            self.row += 1;
        }
        Ok(self.row)
    }

    #[cold]
    fn row_number(&mut self, is_first: bool) {
        if !is_first {
            N::between_values(self.out);
        }
        let number = (self.first_row + self.row).to_string();
        // It is not larger than the count of bytes of a dump.
        let _ = N::number(self.out, number.as_bytes(), Storage::Bigint);
    }

    /// Goes to the parenthesis of the next row, if there is one.
    fn next_row_begins(&mut self) -> Result<bool, RowError> {
        let mut commas = 0;
        loop {
            self.skip_blank();
            match self.input.get(self.at) {
                None => return Ok(false),
                Some(b'(') => return Ok(true),
                Some(b',') if commas == 0 => {
                    commas = 1;
                    self.at += 1;
                }
                Some(b'-' | b'#' | b'/') => {
                    let what = "a comment stands between the rows, which is not supported";
                    return Err(self.error(None, (what.to_owned(), None)));
                }
                Some(_) => {
                    return Err(self.error(None, ("expected a row".to_owned(), None)));
                }
            }
        }
    }

    fn value(&mut self, column: &PlannedColumn) -> Result<(), Wrong> {
        let (start, before) = (self.at, self.out.len());
        match self.usual_value(column) {
            Ok(()) => Ok(()),
            Err(wrong) => {
                self.out.truncate(before);
                self.other_notation(column, start, wrong)
            }
        }
    }

    /// A value as mysqldump writes it.
    #[inline]
    pub(super) fn usual_value(&mut self, column: &PlannedColumn) -> Result<(), Wrong> {
        // Dump programs write it in capitals.
        let is_null = match self.peek() {
            b'N' => self.input[self.at..].starts_with(b"NULL") || self.is_null(),
            b'n' => self.is_null(),
            _ => false,
        };
        if is_null {
            if column.null_is_zero_date {
                let start = self.at;
                self.at += 4;
                return self.zero_date(column, start);
            }
            self.at += 4;
            N::null(self.out);
            return Ok(());
        }
        match column.kind {
            ValueKind::Integer | ValueKind::Number => self.number(column),
            ValueKind::UnsignedToBigint => self.unsigned_to_bigint(column),
            ValueKind::Text => self.text(column),
            ValueKind::EncodedText(charset) => self.encoded_text(column, charset),
            ValueKind::Boolean | ValueKind::Truthy => self.boolean(column),
            ValueKind::Timestamp => self.date_or_time(column, dates::timestamp),
            ValueKind::LocalTimestamp => self.local_timestamp(column),
            ValueKind::Date => self.date_or_time(column, dates::date),
            ValueKind::Time => self.date_or_time(column, dates::time),
            ValueKind::Interval => self.date_or_time(column, dates::interval),
            ValueKind::AsWritten => self.as_written(column),
            ValueKind::Bytes => self.bytes(column),
            ValueKind::Geometry { by_system } => self.geometry(column, by_system),
            ValueKind::Vector { dimensions } => self.vector(column, dimensions),
            ValueKind::BitBoolean => {
                let bit = self.bits(column, 1)?;
                N::boolean(self.out, bit == 1);
                Ok(())
            }
            ValueKind::Bits { width } => {
                let bits = self.bits(column, width)?;
                N::bits(self.out, bits, width);
                Ok(())
            }
            ValueKind::Skipped => self.skip_value(),
        }
    }
}
