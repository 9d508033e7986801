//! WKT: geometries as texts (OGC 06-103r4, 7.2), in the two dimensions that MySQL has.

use super::{Kind, MAX_DEPTH, begin, check_srid};

const NO_WKT: &str = "it is no geometry as text";

/// Appends the EWKB of `text`. `swapped` says that the axes are in the other order.
pub(in crate::rows) fn of_text(
    text: &[u8],
    srid: u32,
    swapped: bool,
    out: &mut Vec<u8>,
) -> Result<(), &'static str> {
    check_srid(srid)?;
    let mut reader = Reader {
        rest: text,
        swapped,
    };
    reader.value(Some(srid), 0, out)?;
    reader.blanks();
    if reader.rest.is_empty() {
        Ok(())
    } else {
        Err(NO_WKT)
    }
}

struct Reader<'a> {
    rest: &'a [u8],
    swapped: bool,
}

impl<'a> Reader<'a> {
    fn blanks(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }

    fn eat(&mut self, symbol: u8) -> bool {
        self.blanks();
        let rest = self.rest.strip_prefix(&[symbol]);
        if let Some(rest) = rest {
            self.rest = rest;
        }
        rest.is_some()
    }

    fn expect(&mut self, symbol: u8) -> Result<(), &'static str> {
        self.eat(symbol).then_some(()).ok_or(NO_WKT)
    }

    /// What stands here, of the bytes that `belong`.
    fn run(&mut self, belongs: fn(&u8) -> bool) -> &'a [u8] {
        self.blanks();
        let length = self.rest.iter().take_while(|byte| belongs(byte)).count();
        let (run, rest) = self.rest.split_at(length);
        self.rest = rest;
        run
    }

    fn word(&mut self) -> String {
        let word = self.run(u8::is_ascii_alphabetic);
        String::from_utf8_lossy(word).to_ascii_uppercase()
    }

    fn value(
        &mut self,
        srid: Option<u32>,
        depth: u32,
        out: &mut Vec<u8>,
    ) -> Result<(), &'static str> {
        let kind = match self.word().as_str() {
            "POINT" => Kind::Point,
            "LINESTRING" => Kind::LineString,
            "POLYGON" => Kind::Polygon,
            "MULTIPOINT" => Kind::MultiPoint,
            "MULTILINESTRING" => Kind::MultiLineString,
            "MULTIPOLYGON" => Kind::MultiPolygon,
            "GEOMETRYCOLLECTION" | "GEOMCOLLECTION" if depth <= MAX_DEPTH => {
                Kind::GeometryCollection
            }
            _ => return Err(NO_WKT),
        };
        begin(out, kind, srid);
        match kind {
            Kind::Point => {
                self.expect(b'(')?;
                self.point(out)?;
                self.expect(b')')
            }
            Kind::LineString => self.points(out),
            Kind::Polygon => self.each(out, Self::points),
            Kind::MultiPoint => self.each(out, |reader, out| {
                begin(out, Kind::Point, None);
                // With parentheses, or without, as MySQL before 5.7.9 wrote it.
                let is_inside = reader.eat(b'(');
                reader.point(out)?;
                if is_inside {
                    reader.expect(b')')
                } else {
                    Ok(())
                }
            }),
            Kind::MultiLineString => self.each(out, |reader, out| {
                begin(out, Kind::LineString, None);
                reader.points(out)
            }),
            Kind::MultiPolygon => self.each(out, |reader, out| {
                begin(out, Kind::Polygon, None);
                reader.each(out, Self::points)
            }),
            Kind::GeometryCollection => {
                let before = self.rest;
                if self.word() == "EMPTY" {
                    out.extend_from_slice(&0u32.to_le_bytes());
                    return Ok(());
                }
                self.rest = before;
                self.each(out, |reader, out| reader.value(None, depth + 1, out))
            }
        }
    }

    /// A list in parentheses, which may be empty.
    fn each(
        &mut self,
        out: &mut Vec<u8>,
        mut one: impl FnMut(&mut Self, &mut Vec<u8>) -> Result<(), &'static str>,
    ) -> Result<(), &'static str> {
        let begun = out.len();
        out.extend_from_slice(&[0; 4]);
        self.expect(b'(')?;
        let mut count: u32 = 0;
        if !self.eat(b')') {
            loop {
                one(self, out)?;
                count += 1;
                if !self.eat(b',') {
                    break;
                }
            }
            self.expect(b')')?;
        }
        out[begun..begun + 4].copy_from_slice(&count.to_le_bytes());
        Ok(())
    }

    fn points(&mut self, out: &mut Vec<u8>) -> Result<(), &'static str> {
        self.each(out, Self::point)
    }

    fn point(&mut self, out: &mut Vec<u8>) -> Result<(), &'static str> {
        let (first, second) = (self.number()?, self.number()?);
        let (x, y) = if self.swapped {
            (second, first)
        } else {
            (first, second)
        };
        out.extend_from_slice(&x.to_le_bytes());
        out.extend_from_slice(&y.to_le_bytes());
        Ok(())
    }

    fn number(&mut self) -> Result<f64, &'static str> {
        let is_part =
            |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E');
        let digits = std::str::from_utf8(self.run(is_part)).map_err(|_| NO_WKT)?;
        let number: f64 = digits.parse().map_err(|_| NO_WKT)?;
        number.is_finite().then_some(number).ok_or(NO_WKT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::geometry::ewkb;

    #[test]
    fn texts_become_what_their_wkb_becomes() {
        let point = |x: f64, y: f64| [x.to_le_bytes(), y.to_le_bytes()].concat();
        let head = |kind: u8| vec![1, kind, 0, 0, 0];
        let count = |count: u8| vec![count, 0, 0, 0];
        let ring = [count(2), point(1.0, 2.0), point(-3.5, 4e2)].concat();
        let cases: [(&str, Vec<u8>); 9] = [
            ("POINT(1 2)", [head(1), point(1.0, 2.0)].concat()),
            (" point ( 1   2 ) ", [head(1), point(1.0, 2.0)].concat()),
            ("LINESTRING(1 2,-3.5 4e2)", [head(2), ring.clone()].concat()),
            (
                "POLYGON((1 2, -3.5 4E+2))",
                [head(3), count(1), ring.clone()].concat(),
            ),
            (
                "MULTIPOINT((1 2),3 4)",
                [
                    head(4),
                    count(2),
                    head(1),
                    point(1.0, 2.0),
                    head(1),
                    point(3.0, 4.0),
                ]
                .concat(),
            ),
            (
                "MULTILINESTRING((1 2,-3.5 4e2))",
                [head(5), count(1), head(2), ring.clone()].concat(),
            ),
            (
                "MULTIPOLYGON(((1 2,-3.5 4e2)))",
                [head(6), count(1), head(3), count(1), ring].concat(),
            ),
            (
                "GEOMETRYCOLLECTION(POINT(1 2),GEOMETRYCOLLECTION EMPTY)",
                [
                    head(7),
                    count(2),
                    head(1),
                    point(1.0, 2.0),
                    head(7),
                    count(0),
                ]
                .concat(),
            ),
            ("GEOMETRYCOLLECTION()", [head(7), count(0)].concat()),
        ];
        for (text, wkb) in cases {
            for (srid, swapped) in [(0, false), (4326, false), (4326, true)] {
                let (mut from_text, mut from_bytes) = (Vec::new(), Vec::new());
                of_text(text.as_bytes(), srid, swapped, &mut from_text).unwrap();
                ewkb(&wkb, srid, swapped, &mut from_bytes).unwrap();
                assert_eq!(from_text, from_bytes, "{text}");
            }
        }
    }

    #[test]
    fn what_is_no_text_of_a_geometry() {
        let nested = "GEOMETRYCOLLECTION(".repeat(100);
        for text in [
            "",
            "POINT",
            "POINT()",
            "POINT(1)",
            "POINT(1 2 3)",
            "POINT(1 2) x",
            "POINT(a b)",
            "POINT(1 inf)",
            "POINT EMPTY",
            "CIRCLE(1 2)",
            "LINESTRING(1 2",
            "LINESTRING(1 2,)",
            &nested,
        ] {
            assert!(
                of_text(text.as_bytes(), 0, false, &mut Vec::new()).is_err(),
                "{text}"
            );
        }
        assert!(of_text(b"POINT(1 2)", 1_000_000, false, &mut Vec::new()).is_err());
    }
}
