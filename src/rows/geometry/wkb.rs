//! WKB, as it is (OGC 06-103r4, 8.2).

use super::{Kind, MAX_DEPTH, begin, check_srid};

const POINT_BYTES: usize = 16;

const NO_WKB: &str = "it is no geometry in MySQL's form";

/// Appends the EWKB of a value in MySQL's internal form.
pub(in crate::rows) fn of_internal(value: &[u8], out: &mut Vec<u8>) -> Result<(), &'static str> {
    let (srid, wkb) = value.split_first_chunk().ok_or(NO_WKB)?;
    ewkb(wkb, u32::from_le_bytes(*srid), false, out)
}

/// Appends the EWKB of `wkb`. `swapped` says that the axes are in the other order.
pub(in crate::rows) fn ewkb(
    wkb: &[u8],
    srid: u32,
    swapped: bool,
    out: &mut Vec<u8>,
) -> Result<(), &'static str> {
    check_srid(srid)?;
    let mut reader = Reader {
        rest: wkb,
        little_endian: true,
        swapped,
    };
    reader.value(Some(srid), None, 0, out)?;
    if reader.rest.is_empty() {
        Ok(())
    } else {
        Err(NO_WKB)
    }
}

struct Reader<'a> {
    rest: &'a [u8],
    little_endian: bool,
    swapped: bool,
}

impl Reader<'_> {
    fn take<const COUNT: usize>(&mut self) -> Result<[u8; COUNT], &'static str> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(NO_WKB)?;
        self.rest = rest;
        Ok(*taken)
    }

    fn number(&mut self) -> Result<u32, &'static str> {
        let bytes = self.take()?;
        Ok(if self.little_endian {
            u32::from_le_bytes(bytes)
        } else {
            u32::from_be_bytes(bytes)
        })
    }

    /// A value of the kind `wanted`, if that matters.
    fn value(
        &mut self,
        srid: Option<u32>,
        wanted: Option<Kind>,
        depth: u32,
        out: &mut Vec<u8>,
    ) -> Result<(), &'static str> {
        let [order] = self.take()?;
        self.little_endian = match order {
            0 => false,
            1 => true,
            _ => return Err(NO_WKB),
        };
        let kind = Kind::of(self.number()?).ok_or(NO_WKB)?;
        if wanted.is_some_and(|wanted| wanted != kind) || depth > MAX_DEPTH {
            return Err(NO_WKB);
        }
        begin(out, kind, srid);
        match kind {
            Kind::Point => self.point(out),
            Kind::LineString => self.points(out),
            Kind::Polygon => self.each(out, Self::points),
            _ => self.each(out, |reader, out| {
                reader.value(None, kind.inside(), depth + 1, out)
            }),
        }
    }

    fn each(
        &mut self,
        out: &mut Vec<u8>,
        mut one: impl FnMut(&mut Self, &mut Vec<u8>) -> Result<(), &'static str>,
    ) -> Result<(), &'static str> {
        let little_endian = self.little_endian;
        let count = self.number()?;
        out.extend_from_slice(&count.to_le_bytes());
        for _ in 0..count {
            one(self, out)?;
            self.little_endian = little_endian;
        }
        Ok(())
    }

    fn points(&mut self, out: &mut Vec<u8>) -> Result<(), &'static str> {
        self.each(out, Self::point)
    }

    fn point(&mut self, out: &mut Vec<u8>) -> Result<(), &'static str> {
        let mut point: [u8; POINT_BYTES] = self.take()?;
        let (x, y) = point.split_at_mut(POINT_BYTES / 2);
        if !self.little_endian {
            x.reverse();
            y.reverse();
        }
        if self.swapped {
            x.swap_with_slice(y);
        }
        out.extend_from_slice(&point);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::hex::unhex;

    fn bytes(hex: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        unhex(hex.replace(' ', "").as_bytes(), &mut bytes);
        bytes
    }

    const X: &str = "000000000000f03f";
    const Y: &str = "0000000000000040";

    #[test]
    fn what_mysql_keeps_becomes_ewkb() {
        let cases = [
            (
                format!("00000000 01 01000000 {X}{Y}"),
                format!("01 01000000 {X}{Y}"),
            ),
            (
                format!("e6100000 01 01000000 {X}{Y}"),
                format!("01 01000020 e6100000 {X}{Y}"),
            ),
            (
                // The other order of bytes.
                "00000000 00 00000001 3ff0000000000000 4000000000000000".to_owned(),
                format!("01 01000000 {X}{Y}"),
            ),
            (
                format!(
                    "110f0000 01 07000000 02000000 01 01000000 {X}{Y} 01 04000000 01000000 01 01000000 {Y}{X}"
                ),
                format!(
                    "01 07000020 110f0000 02000000 01 01000000 {X}{Y} 01 04000000 01000000 01 01000000 {Y}{X}"
                ),
            ),
            (
                format!("00000000 01 03000000 01000000 02000000 {X}{Y}{Y}{X}"),
                format!("01 03000000 01000000 02000000 {X}{Y}{Y}{X}"),
            ),
            (
                "00000000 01 07000000 00000000".to_owned(),
                "01 07000000 00000000".to_owned(),
            ),
        ];
        for (internal, expected) in cases {
            let mut out = Vec::new();
            of_internal(&bytes(&internal), &mut out).unwrap();
            assert_eq!(out, bytes(&expected), "{internal}");
        }
        let mut out = Vec::new();
        ewkb(
            &bytes(&format!("01 02000000 01000000 {X}{Y}")),
            4326,
            true,
            &mut out,
        )
        .unwrap();
        assert_eq!(out, bytes(&format!("01 02000020 e6100000 01000000 {Y}{X}")));
    }

    #[test]
    fn what_is_no_geometry() {
        let nested = format!("00000000 {}", "01 07000000 01000000".repeat(70));
        for internal in [
            "",
            "00000000",
            "00000000 01 08000000",
            "00000000 02 01000000",
            // A point that ends too early, one too long, a part of another kind, a count that is not there.
            &format!("00000000 01 01000000 {X}"),
            &format!("00000000 01 01000000 {X}{Y}00"),
            &format!("00000000 01 05000000 01000000 01 01000000 {X}{Y}"),
            "00000000 01 02000000 ffffffff",
            &nested,
            // An SRID that PostGIS would change.
            &format!("40420f00 01 01000000 {X}{Y}"),
        ] {
            assert!(
                of_internal(&bytes(internal), &mut Vec::new()).is_err(),
                "{internal}"
            );
        }
    }
}
