//! Durations, moments and numbers as people write them.

use traceable_core::model::{format_time, parse_time};

const UNITS: [(&str, i64); 7] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

const DAY: i64 = 86_400_000_000_000;

/// `1.5s`, `500ms`, `2h`, `7d`; without a unit, seconds.
pub(super) fn duration(text: &str) -> Option<i64> {
    if let Some(number) = text.strip_suffix('w') {
        return duration(number).filter(|_| number.ends_with(|c: char| c.is_ascii_digit()))?.checked_mul(7 * 86_400);
    }
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" => 1_000_000_000,
        name => UNITS.iter().find(|(known, _)| *known == name)?.1,
    };
    if let Ok(whole) = digits.parse::<i64>() {
        return whole.checked_mul(unit);
    }
    let number = number(digits)? * unit as f64;
    (number.abs() < 9e18).then_some(number.round() as i64)
}

/// As [`duration`] reads it again.
pub(super) fn print_duration(nanos: i64) -> String {
    let (name, unit) = UNITS.iter().rev().find(|(_, unit)| nanos % unit == 0).unwrap_or(&UNITS[0]);
    format!("{}{name}", nanos / unit)
}

/// A moment, and, where only a day was written, the next day's beginning.
pub(super) fn moment(text: &str) -> Option<(i64, Option<i64>)> {
    if let Some(time) = parse_time(text) {
        return Some((time, None));
    }
    let day = parse_time(&format!("{text}T00:00:00Z")).filter(|_| text.len() == 10)?;
    Some((day, day.checked_add(DAY)))
}

/// As [`moment`] reads it again.
pub(super) fn print_moment(time: i64) -> String {
    let text = format_time(time);
    format!("{}{:03}Z", text.trim_end_matches('Z'), time.rem_euclid(1_000))
}

/// A finite number, with `k` and `M` for thousands and millions.
pub(super) fn number(text: &str) -> Option<f64> {
    let (digits, factor) = match text.strip_suffix(['k', 'M']) {
        Some(digits) if text.ends_with('k') => (digits, 1e3),
        Some(digits) => (digits, 1e6),
        None => (text, 1.0),
    };
    // `inf` and `nan` are words.
    let is_number = digits.ends_with(|c: char| c.is_ascii_digit() || c == '.') && !digits.starts_with('+');
    digits.parse::<f64>().ok().filter(|_| is_number).map(|number| number * factor).filter(|number| number.is_finite())
}
