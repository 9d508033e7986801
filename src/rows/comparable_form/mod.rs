//! Values that servers write in different ways, brought into one notation to be compared.

pub(super) mod bytea;
pub(super) mod floating_point;
pub(super) mod instant;
pub(super) mod json;
pub(super) mod numbers;

#[cfg(test)]
mod tests {
    use super::bytea::bytea;
    use super::floating_point::{double, real};
    use super::instant::instant;
    use super::numbers::{number, without_zeros};

    #[test]
    fn one_value_has_one_form() {
        let check = |form: fn(&mut Vec<u8>, &[u8]), one: &str, other: &str, same: bool| {
            let (mut a, mut b) = (Vec::new(), Vec::new());
            form(&mut a, one.as_bytes());
            form(&mut b, other.as_bytes());
            assert_eq!(a == b, same, "{one} and {other}");
        };
        check(double, "0.1", "0.10000000000000001", true);
        check(double, "1e-07", "1e-7", true);
        check(double, "0.1", "0.1000000000000001", false);
        check(double, "NaN", "NaN", true);
        check(real, "0.1", "0.100000001", true);
        check(bytea, "\\x415c00", "A\\\\\\000", true);
        check(bytea, "\\x41", "\\x42", false);
        check(
            instant,
            "2015-01-01 01:30:00.5+01:30",
            "2014-12-31 19:00:00.5-05",
            true,
        );
        check(
            instant,
            "2015-01-01 01:30:00+01",
            "2015-01-01 01:30:00+02",
            false,
        );
        check(instant, "infinity", "infinity", true);
        check(
            instant,
            "2015-01-01 01:30:00.50",
            "2015-01-01 01:30:00.5+00",
            true,
        );
        check(number, "00042", "42", true);
        check(number, "-007.50", "-7.5", true);
        check(number, "0.00", "0", true);
        check(number, "-0.00", "0", true);
        check(number, "100", "1", false);
        check(number, "10.01", "10.1", false);
        check(number, "-1", "1", false);
        check(number, "NaN", "NaN", true);
        let moment = |out: &mut Vec<u8>, value: &[u8]| out.extend_from_slice(without_zeros(value));
        check(
            moment,
            "2015-10-01 12:00:00.500000",
            "2015-10-01 12:00:00.5",
            true,
        );
        check(moment, "12:00:00.000", "12:00:00", true);
        check(moment, "12:00:00", "12:00:0", false);
        check(moment, "1 mon 00:00:10.10", "1 mon 00:00:10.1", true);
        check(moment, "2015-10-01", "2015-1-01", false);
    }
}
