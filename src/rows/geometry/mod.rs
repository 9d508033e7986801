//! Spatial values. MySQL keeps the number of the spatial reference system (SRID), four bytes in little-endian order, and
//! then WKB (MySQL manual, 13.4.3, "Internal Geometry Storage Format"). PostGIS takes EWKB, which is WKB with the SRID in it
//! (PostGIS manual, 4.1.2). Whatever the order of axes in a text is, both keep the longitude first.

mod axes;
mod wkb;
mod wkt;

pub(super) use axes::has_latitude_first;
pub(super) use wkb::{ewkb, of_internal};
pub(super) use wkt::of_text;

/// The largest SRID that PostGIS keeps (`SRID_MAXIMUM`).
const MAX_SRID: u32 = 999_999;

/// Collections in collections, no deeper.
const MAX_DEPTH: u32 = 64;

/// What WKB begins a value with: little-endian order.
const LITTLE_ENDIAN: u8 = 1;

/// The bit of the kind that says that an SRID follows.
const HAS_SRID: u32 = 0x2000_0000;

/// The kinds of WKB (OGC 06-103r4, 8.2.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Point = 1,
    LineString,
    Polygon,
    MultiPoint,
    MultiLineString,
    MultiPolygon,
    GeometryCollection,
}

impl Kind {
    /// The one with this code.
    fn of(code: u32) -> Option<Kind> {
        let all = [
            Kind::Point,
            Kind::LineString,
            Kind::Polygon,
            Kind::MultiPoint,
            Kind::MultiLineString,
            Kind::MultiPolygon,
            Kind::GeometryCollection,
        ];
        all.into_iter().find(|kind| *kind as u32 == code)
    }

    /// What is inside of one that has values inside; none if anything can be.
    fn inside(self) -> Option<Kind> {
        match self {
            Kind::MultiPoint => Some(Kind::Point),
            Kind::MultiLineString => Some(Kind::LineString),
            Kind::MultiPolygon => Some(Kind::Polygon),
            _ => None,
        }
    }
}

/// Appends what an EWKB begins with. Only the outermost value has the SRID.
fn begin(out: &mut Vec<u8>, kind: Kind, srid: Option<u32>) {
    out.push(LITTLE_ENDIAN);
    let code = kind as u32;
    match srid.filter(|srid| *srid != 0) {
        None => out.extend_from_slice(&code.to_le_bytes()),
        Some(srid) => {
            out.extend_from_slice(&(code | HAS_SRID).to_le_bytes());
            out.extend_from_slice(&srid.to_le_bytes());
        }
    }
}

fn check_srid(srid: u32) -> Result<(), &'static str> {
    if srid > MAX_SRID {
        return Err("the SRID is larger than PostGIS can keep");
    }
    Ok(())
}
