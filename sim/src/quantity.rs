//! Durations and probabilities as integers: no float is left when a file has been read.

use std::fmt;

use seedbed::machine::Span;

/// The longest duration a file may name.
const DAY: u128 = 86_400_000_000_000;

/// A probability in parts per billion.
///
/// Comparing it with a drawn integer gives the same outcome on every machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ppb(u32);

impl Ppb {
    /// Never.
    pub const ZERO: Ppb = Ppb(0);
    /// Always.
    pub const ONE: Ppb = Ppb(1_000_000_000);

    /// `parts` in a billion; `None` if that is more than all.
    pub const fn new(parts: u32) -> Option<Ppb> {
        if parts <= Ppb::ONE.0 { Some(Ppb(parts)) } else { None }
    }

    /// Parts per billion, 0 to 1,000,000,000.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// A probability as a file writes it; `None` if it is none, or finer than one in a billion.
    pub(crate) fn from_fraction(fraction: f64) -> Option<Ppb> {
        if !(0.0..=1.0).contains(&fraction) {
            return None;
        }
        let parts = (fraction * 1e9).round() as u32;
        if parts == 0 && fraction > 0.0 { None } else { Ppb::new(parts) }
    }
}

impl fmt::Display for Ppb {
    /// As a decimal fraction.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{}.{:09}", self.0 / Ppb::ONE.0, self.0 % Ppb::ONE.0);
        f.pad(digits.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// Durations from `min` to `max`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SpanRange {
    /// The shortest.
    pub min: Span,
    /// The longest; not shorter than `min`.
    pub max: Span,
}

impl SpanRange {
    /// From `min` to `max` milliseconds.
    pub const fn from_millis(min: u64, max: u64) -> SpanRange {
        SpanRange { min: Span::from_millis(min), max: Span::from_millis(max) }
    }
}

impl fmt::Display for SpanRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.min, self.max)
    }
}

/// Reads a duration: a decimal number and a unit.
///
/// # Errors
/// Why `text` is none.
pub(crate) fn parse_span(text: &str) -> Result<Span, String> {
    if text.starts_with('-') {
        return Err("it is negative".to_owned());
    }
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let nanos = decimal(number, unit_nanos(unit)?)?;
    if nanos > DAY {
        return Err("it is longer than one day".to_owned());
    }
    u64::try_from(nanos).map(Span::from_nanos).map_err(|e| e.to_string())
}

/// The length of a unit in nanoseconds.
fn unit_nanos(unit: &str) -> Result<u128, String> {
    match unit {
        "ns" => Ok(1),
        "us" => Ok(1_000),
        "ms" => Ok(1_000_000),
        "s" => Ok(1_000_000_000),
        "m" => Ok(60_000_000_000),
        "h" => Ok(3_600_000_000_000),
        "" => Err("it has no unit (ns, us, ms, s, m, h)".to_owned()),
        _ => Err(format!("unknown unit `{}` (ns, us, ms, s, m, h)", crate::text::shorten(unit))),
    }
}

/// `number` units in nanoseconds, exactly.
fn decimal(number: &str, unit: u128) -> Result<u128, String> {
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || part.is_empty() || part.contains('.') {
        return Err("it does not begin with a number".to_owned());
    }
    let too_long = || "it is longer than one day".to_owned();
    let whole = whole.parse::<u64>().map_err(|_| too_long())?;
    let part = part.trim_end_matches('0');
    // No unit has more than 13 digits in nanoseconds, so a longer fraction cannot be a whole number
    // of them.
    let finer = || "it is finer than a nanosecond".to_owned();
    let scale = 10_u128.pow(u32::try_from(part.len()).ok().filter(|n| *n <= 13).ok_or_else(finer)?);
    let part = format!("0{part}").parse::<u128>().map_err(|_| finer())? * unit;
    if !part.is_multiple_of(scale) {
        return Err(finer());
    }
    Ok(u128::from(whole) * unit + part / scale)
}

/// How long it may be, in true time, until a clock has shown `length` that is slow by up to
/// `drift_max_ppm` parts per million; rounded up.
pub fn by_a_slow_clock(length: Span, drift_max_ppm: u32) -> Span {
    const MILLION: u128 = 1_000_000;
    let parts = MILLION + u128::from(drift_max_ppm);
    let wait = (u128::from(length.as_nanos()) * parts).div_ceil(MILLION) + 1;
    Span::from_nanos(u64::try_from(wait).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_exactly() {
        let nanos = |text| parse_span(text).map(Span::as_nanos);
        assert_eq!(nanos("250ms"), Ok(250_000_000));
        assert_eq!(nanos("100us"), Ok(100_000));
        assert_eq!(nanos("1.5s"), Ok(1_500_000_000));
        assert_eq!(nanos("1m"), Ok(60_000_000_000));
        assert_eq!(nanos("0.000000001s"), Ok(1));
        assert_eq!(nanos("0.5h"), Ok(1_800_000_000_000));
        assert_eq!(nanos("24h"), Ok(86_400_000_000_000));
        assert_eq!(nanos("0s"), Ok(0));
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        let why = |text: &str| parse_span(text).unwrap_err();
        assert_eq!(why("-1s"), "it is negative");
        assert_eq!(why("1d"), "unknown unit `d` (ns, us, ms, s, m, h)");
        assert_eq!(why("5"), "it has no unit (ns, us, ms, s, m, h)");
        assert_eq!(why(""), "it has no unit (ns, us, ms, s, m, h)");
        assert_eq!(why("ms"), "it does not begin with a number");
        assert_eq!(why(".5s"), "it does not begin with a number");
        assert_eq!(why("5.s"), "it does not begin with a number");
        assert_eq!(why("1.2.3s"), "it does not begin with a number");
        assert_eq!(why("1.5ns"), "it is finer than a nanosecond");
        assert_eq!(why("0.00000000000001h"), "it is finer than a nanosecond");
        assert_eq!(why("24.1h"), "it is longer than one day");
        assert_eq!(why("99999999999999999999999999s"), "it is longer than one day");
    }

    #[test]
    fn probabilities_are_parts_per_billion() {
        assert_eq!(Ppb::from_fraction(0.05), Ppb::new(50_000_000));
        assert_eq!(Ppb::from_fraction(1.0), Some(Ppb::ONE));
        assert_eq!(Ppb::from_fraction(0.1 + 0.2), Ppb::new(300_000_000));
        assert_eq!(Ppb::from_fraction(1e-12), None);
        assert_eq!(Ppb::from_fraction(1.1), None);
        assert_eq!(Ppb::from_fraction(-0.1), None);
        assert_eq!(Ppb::from_fraction(f64::NAN), None);
        assert_eq!(Ppb::new(50_000_000).map(|p| p.to_string()), Some("0.05".to_owned()));
        assert_eq!(Ppb::ONE.to_string(), "1");
        assert_eq!(Ppb::ZERO.to_string(), "0");
    }
}
