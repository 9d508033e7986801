//! The order of the axes.

/// Spatial reference systems with the latitude before the longitude, from the first to the last of each range. They are
/// those of `information_schema.ST_SPATIAL_REFERENCE_SYSTEMS` of MySQL 9.7, which has them of the EPSG dataset; between
/// the ends of a range it has no other.
#[rustfmt::skip]
const LATITUDE_FIRST: [(u32, u32); 75] = [
    (3819, 3824), (3889, 3889), (3906, 3906), (4001, 4025), (4027, 4036), (4041, 4047), (4052, 4054),
    (4075, 4081), (4120, 4216), (4218, 4326), (4463, 4463), (4470, 4470), (4475, 4483), (4490, 4490),
    (4555, 4558), (4600, 4646), (4657, 4765), (4801, 4811), (4813, 4821), (4823, 4824), (4901, 5013),
    (5132, 5132), (5228, 5233), (5246, 5246), (5252, 5252), (5264, 5264), (5324, 5324), (5340, 5340),
    (5354, 5354), (5360, 5360), (5365, 5365), (5371, 5381), (5393, 5393), (5451, 5451), (5464, 5467),
    (5489, 5489), (5524, 5527), (5546, 5546), (5561, 5561), (5593, 5593), (5681, 5681), (5886, 5886),
    (6135, 6135), (6207, 6207), (6311, 6311), (6318, 6325), (6365, 6365), (6668, 6668), (6706, 6706),
    (6783, 6783), (6881, 6883), (6892, 6894), (6983, 6983), (6990, 6990), (7073, 7073), (7136, 7139),
    (7373, 7373), (7683, 7686), (7798, 7798), (7844, 7844), (7881, 7881), (7886, 7886), (8042, 8043),
    (8086, 8086), (8232, 8255), (8351, 8351), (8427, 8431), (8449, 8449), (8545, 8545), (8685, 8685),
    (8818, 8818), (8860, 8900), (8907, 8907), (8972, 9019), (9053, 9140),
];

/// Whether MySQL from 8.0 on takes the first number in a text or a WKB for the latitude. It keeps the longitude first
/// nevertheless.
pub(in crate::rows) fn has_latitude_first(srid: u32) -> bool {
    let at = LATITUDE_FIRST.partition_point(|(first, _)| *first <= srid);
    let range = at.checked_sub(1).map(|at| LATITUDE_FIRST[at]);
    range.is_some_and(|(_, last)| srid <= last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn geographic_systems_have_the_latitude_first() {
        assert!(LATITUDE_FIRST.is_sorted());
        for (srid, expected) in [
            (0, false),
            (4326, true),
            (4258, true),
            (3857, false),
            (2443, false),
            (3819, true),
            (3818, false),
            (9140, true),
            (9141, false),
            (7035, false),
            (4_294_967_295, false),
        ] {
            assert_eq!(has_latitude_first(srid), expected, "{srid}");
        }
    }
}
