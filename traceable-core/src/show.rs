//! Numbers and texts for people: what the console, the command line and the viewer have in common.
//!
//! ```
//! use traceable_core::show;
//!
//! assert_eq!(show::duration(1_240_000_000), "1.24 s");
//! assert_eq!(show::counted(9_000, "run"), "9 000 runs");
//! assert_eq!(show::dollars(0.0021), "$0.0021");
//! ```

/// A duration with three figures, such as `12.3 ms`.
#[must_use]
pub fn duration(nanos: i64) -> String {
    let nanos = nanos.max(0);
    let units = [(1e3, "µs"), (1e6, "ms"), (1e9, "s")];
    if nanos < 1_000 {
        return format!("{nanos} ns");
    }
    for (size, unit) in units {
        let value = nanos as f64 / size;
        let limit = if unit == "s" { 59.95 } else { 999.5 };
        if value < limit {
            return format!("{} {unit}", three_figures(value));
        }
    }
    let seconds = nanos.saturating_add(500_000_000) / 1_000_000_000;
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours == 0 { format!("{minutes}m {seconds:02}s") } else { format!("{hours}h {minutes:02}m") }
}

/// `1.24`, `12.4`, `124`: where rounding would add a figure, the next form is taken.
fn three_figures(value: f64) -> String {
    let decimals = match value {
        v if v < 9.995 => 2,
        v if v < 99.95 => 1,
        _ => 0,
    };
    format!("{value:.decimals$}")
}

/// A count in groups of three, such as `9 000`.
#[must_use]
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.char_indices() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// A count with its noun, such as `1 run`, `2 runs`.
#[must_use]
pub fn counted(n: u64, noun: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(n))
}

/// A number of tokens: exact while it is short, then in thousands or millions.
#[must_use]
pub fn tokens(n: u64) -> String {
    match n {
        0..10_000 => n.to_string(),
        10_000..999_500 => format!("{}k", three_figures(n as f64 / 1e3)),
        _ => format!("{}M", three_figures(n as f64 / 1e6)),
    }
}

/// An amount of US dollars, exact to a hundredth of a cent.
#[must_use]
pub fn dollars(amount: f64) -> String {
    if amount >= 0.995 {
        return format!("${amount:.2}");
    }
    if amount > 0.0 && amount < 0.000_05 {
        return "<$0.0001".into();
    }
    let text = format!("{amount:.4}");
    format!("${}", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A number of bytes, such as `12.3 MB`.
#[must_use]
pub fn bytes(n: u64) -> String {
    match n {
        0..1_000 => format!("{n} B"),
        1_000..999_500 => format!("{} kB", three_figures(n as f64 / 1e3)),
        1_000_000..999_500_000 => format!("{} MB", three_figures(n as f64 / 1e6)),
        999_500..1_000_000 => "1.00 MB".into(),
        _ => format!("{} GB", three_figures(n as f64 / 1e9)),
    }
}

/// How long ago a moment was, such as `3m ago`.
#[must_use]
pub fn ago(time: i64, now: i64) -> String {
    let seconds = now.saturating_sub(time).max(0) / 1_000_000_000;
    match seconds {
        0..60 => format!("{seconds}s ago"),
        60..3_600 => format!("{}m ago", seconds / 60),
        3_600..86_400 => format!("{}h ago", seconds / 3_600),
        _ => format!("{}d ago", seconds / 86_400),
    }
}

/// What is shown for a character: terminals obey control characters, and readers obey what turns the text around.
#[must_use]
pub fn harmless(c: char) -> char {
    match c {
        // Unicode has a picture for each of the ASCII ones: ESC is `␛`.
        '\0'..='\u{1f}' => char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}'),
        '\u{7f}' => '␡',
        '\u{80}'..='\u{9f}'
        | '\u{061c}'
        | '\u{200b}'
        | '\u{200e}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}' => '\u{fffd}',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_keep_three_figures_and_never_show_a_thousand() {
        let shown = [
            (0, "0 ns"),
            (999, "999 ns"),
            (1_234, "1.23 µs"),
            (999_499, "999 µs"),
            (999_600, "1.00 ms"),
            (12_345_678, "12.3 ms"),
            (812_000_000, "812 ms"),
            (999_999_999, "1.00 s"),
            (1_240_000_000, "1.24 s"),
            (59_940_000_000, "59.9 s"),
            (59_990_000_000, "1m 00s"),
            (192_000_000_000, "3m 12s"),
            (7_500_000_000_000, "2h 05m"),
            (-5, "0 ns"),
        ];
        for (nanos, text) in shown {
            assert_eq!(duration(nanos), text, "{nanos}");
        }
    }

    #[test]
    fn counts_are_grouped() {
        assert_eq!(count(999), "999");
        assert_eq!(count(9_000), "9 000");
        assert_eq!(count(1_234_567), "1 234 567");
        assert_eq!(counted(1, "run"), "1 run");
    }

    #[test]
    fn tokens_and_dollars() {
        assert_eq!(tokens(9_999), "9999");
        assert_eq!(tokens(27_104), "27.1k");
        assert_eq!(tokens(999_600), "1.00M");
        assert_eq!(dollars(0.0021), "$0.0021");
        assert_eq!(dollars(0.02), "$0.02");
        assert_eq!(dollars(1.5), "$1.50");
        assert_eq!(dollars(0.0), "$0");
        assert_eq!(dollars(0.000_001), "<$0.0001");
    }
}
