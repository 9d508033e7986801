//! Dates and times.

use super::transcoder::{Transcoder, Wrong};
use crate::rows::dates::{self, Verdict};
use crate::rows::notation::Notation;
use crate::rows::plan::PlannedColumn;
use crate::rows::tally::Change;
use crate::rows::value_kind::ValueKind;
use crate::rows::value_policies::{InvalidDates, ZeroDates};

impl<N: Notation> Transcoder<'_, N> {
    pub(super) fn date_or_time(
        &mut self,
        column: &PlannedColumn,
        judge: fn(&[u8]) -> Verdict,
    ) -> Result<(), Wrong> {
        let start = self.at;
        let text = self.quoted_without_escapes()?;
        match judge(text) {
            Verdict::Fine => {
                N::moment(self.out, text, column.storage);
                if column.kind == ValueKind::Interval && dates::time(text) != Verdict::Fine {
                    self.count(column, Change::OutsideDay);
                }
            }
            Verdict::ZeroDate => return self.zero_date(column, start),
            Verdict::InvalidDate => return self.invalid_date(column, start),
            Verdict::Wrong => {
                self.at = start;
                let (what, hint) = match column.kind {
                    ValueKind::Date => ("a date", None),
                    ValueKind::Interval => ("a time", None),
                    ValueKind::Time => (
                        "a time of day",
                        Some("--time interval takes it; inspect --suggest names all columns"),
                    ),
                    _ => ("a date and time", None),
                };
                return Err((format!("the value is not {what}"), hint));
            }
        }
        Ok(())
    }

    pub(super) fn local_timestamp(&mut self, column: &PlannedColumn) -> Result<(), Wrong> {
        let start = self.at;
        let text = self.quoted_without_escapes()?;
        let fine = dates::timestamp(text) == Verdict::Fine;
        if let Some(local) = fine.then(|| dates::utc_to_local(text)).flatten() {
            N::moment(self.out, local.as_bytes(), column.storage);
            return Ok(());
        }
        self.at = start;
        self.date_or_time(column, dates::timestamp)
    }

    fn invalid_date(&mut self, column: &PlannedColumn, start: usize) -> Result<(), Wrong> {
        match self.policies.invalid_dates {
            InvalidDates::Null => {
                N::null(self.out);
                self.count(column, Change::InvalidDateToNull);
                Ok(())
            }
            InvalidDates::Error => {
                self.at = start;
                let message = "the month of this date does not have this day".to_owned();
                Err((
                    message,
                    Some(
                        "--invalid-dates null makes such dates NULL; inspect --suggest names all columns",
                    ),
                ))
            }
        }
    }

    pub(super) fn zero_date(&mut self, column: &PlannedColumn, start: usize) -> Result<(), Wrong> {
        match self.policies.zero_dates {
            ZeroDates::Null => {
                N::null(self.out);
                self.count(column, Change::ZeroDateToNull);
            }
            ZeroDates::Infinity => {
                N::before_all(self.out, column.storage);
                self.count(column, Change::ZeroDateToInfinity);
            }
            ZeroDates::Error => {
                self.at = start;
                let message = "the date has a zero part".to_owned();
                return Err((message, Some("--zero-dates null or infinity takes it")));
            }
        }
        Ok(())
    }
}
