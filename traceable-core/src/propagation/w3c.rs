//! W3C Trace Context, level 1: `traceparent` and `tracestate`.

use super::SPACE;
use crate::model::OtelContext;

/// The most bytes and members of a `tracestate` that is kept.
const MAX_STATE: usize = 512;
const MAX_MEMBERS: usize = 32;

/// The length of a `traceparent` of version 00: the version, 16 and 8 bytes of ids, and the flags.
const PARENT: usize = 55;

/// Reads a `traceparent`. A version that is not known yet is read as far as version 00 goes.
pub(super) fn parse_parent(text: &str) -> Option<OtelContext> {
    let text = text.trim_matches(SPACE);
    let (known, rest) = text.split_at_checked(PARENT)?;
    let mut parts = known.split('-');
    let version = hex(parts.next()?, 2)?;
    let trace_id = hex(parts.next()?, 32)?;
    let span_id = hex(parts.next()?, 16)?;
    let flags = hex(parts.next()?, 2)?;
    let ends_well = match version {
        0 => rest.is_empty(),
        // A comma joins two lines of the header, and then nobody knows which one is meant.
        _ => rest.is_empty() || (rest.starts_with('-') && !rest.contains(',')),
    };
    if parts.next().is_some() || version == 0xff || trace_id == 0 || span_id == 0 || !ends_well {
        return None;
    }
    Some(OtelContext { trace_id, parent_span_id: Some(span_id as u64), tracestate: None, sampled: flags & 1 == 1 })
}

/// Writes a `traceparent`; `None` when an id is zero, which is none.
pub(super) fn format_parent(trace_id: u128, span_id: u64, sampled: bool) -> Option<String> {
    (trace_id != 0 && span_id != 0).then(|| format!("00-{trace_id:032x}-{span_id:016x}-{:02x}", u8::from(sampled)))
}

/// Checks a `tracestate` and brings its members together, as they are. `None` when it is wrong, too long, or empty.
pub(super) fn check_state(text: &str) -> Option<String> {
    let members: Vec<&str> =
        text.split(',').map(|member| member.trim_matches(SPACE)).filter(|member| !member.is_empty()).collect();
    let state = members.join(",");
    if members.is_empty() || members.len() > MAX_MEMBERS || state.len() > MAX_STATE {
        return None;
    }
    for (i, member) in members.iter().enumerate() {
        let (key, value) = member.split_once('=')?;
        let is_twice = members[..i].iter().any(|other| other.split_once('=').is_some_and(|(other, _)| other == key));
        if is_twice || !is_key(key) || !is_value(value) {
            return None;
        }
    }
    Some(state)
}

/// The number that exactly so many digits in small letters write.
fn hex(digits: &str, length: usize) -> Option<u128> {
    let is_hex = digits.len() == length && digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    is_hex.then(|| u128::from_str_radix(digits, 16).ok()).flatten()
}

/// `vendor`, or `tenant@vendor`.
fn is_key(key: &str) -> bool {
    let is_part = |part: &str, length, may_start_with_a_digit| {
        part.len() <= length
            && part.starts_with(|first: char| {
                first.is_ascii_lowercase() || (may_start_with_a_digit && first.is_ascii_digit())
            })
            && part.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/'))
    };
    match key.split_once('@') {
        Some((tenant, vendor)) => is_part(tenant, 241, true) && is_part(vendor, 14, false),
        None => is_part(key, 256, false),
    }
}

fn is_value(value: &str) -> bool {
    !value.is_empty() && value.len() <= 256 && value.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'=')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    proptest! {
        #[test]
        fn what_is_written_is_read_again(trace_id in 1_u128.., span_id in 1_u64.., sampled: bool) {
            let text = format_parent(trace_id, span_id, sampled).unwrap();
            let expected = OtelContext { trace_id, parent_span_id: Some(span_id), tracestate: None, sampled };
            prop_assert_eq!(parse_parent(&text), Some(expected));
        }

        #[test]
        fn anything_is_refused_or_read(text in "[0-9a-f-]{50,60}|.{0,60}|([a-z@=,]|.){0,600}") {
            let _ = parse_parent(&text);
            if let Some(state) = check_state(&text) {
                prop_assert!(state.len() <= MAX_STATE);
                prop_assert_eq!(check_state(&state), Some(state));
            }
        }
    }

    #[test]
    fn a_parent_is_read_by_the_rules_of_its_version() {
        let read = parse_parent(GOOD).unwrap();
        assert_eq!(read.trace_id, 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736);
        assert_eq!(read.parent_span_id, Some(0x00f0_67aa_0ba9_02b7));
        assert!(read.sampled);
        let with = |from: &str, to: &str| parse_parent(&GOOD.replacen(from, to, 1));
        assert!(!with("-01", "-00").unwrap().sampled);
        assert!(!with("-01", "-fe").unwrap().sampled && with("-01", "-ff").unwrap().sampled);
        assert!(parse_parent(&format!(" {GOOD}\t")).is_some());
        assert!(with("00-", "cc-").is_some());
        assert!(parse_parent(&format!("cc{}-what.the.future.brings", &GOOD[2..])).is_some());
        for wrong in [
            GOOD.replacen("00-", "ff-", 1),
            GOOD.replacen("00-", "0-", 1),
            GOOD.replace("4bf92f3577b34da6a3ce929d0e0e4736", "00000000000000000000000000000000"),
            GOOD.replace("00f067aa0ba902b7", "0000000000000000"),
            GOOD.to_uppercase(),
            GOOD.replace('-', "_"),
            GOOD.replacen("-01", "-1", 1),
            GOOD.replacen("-01", "-0x", 1),
            GOOD.replacen("-01", "-+1", 1),
            format!("{GOOD}-more"),
            format!("{GOOD},{GOOD}"),
            format!("cc{}.more", &GOOD[2..]),
            format!("cc{}-more,{GOOD}", &GOOD[2..]),
            String::new(),
        ] {
            assert_eq!(parse_parent(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_state_is_kept_whole_or_not_at_all() {
        let kept = |text: &str| check_state(text).unwrap();
        assert_eq!(kept("congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"), "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7");
        assert_eq!(kept(" a=1 ,\t, b@c=x y"), "a=1,b@c=x y");
        assert_eq!(kept("0tenant@v=1"), "0tenant@v=1");
        let many = |count: usize| (0..count).map(|n| format!("k{n}=v")).collect::<Vec<_>>().join(",");
        assert_eq!(kept(&many(32)), many(32));
        let long = format!("a={}", "v".repeat(256));
        assert_eq!(kept(&long), long);
        for wrong in [
            String::new(),
            " , ".to_owned(),
            "a".to_owned(),
            "a=".to_owned(),
            "=1".to_owned(),
            "A=1".to_owned(),
            "1a=1".to_owned(),
            "a@1b=1".to_owned(),
            "a@b@c=1".to_owned(),
            "a=1=2".to_owned(),
            "a=1,a=2".to_owned(),
            "a=é".to_owned(),
            many(33),
            format!("{long}v"),
            format!("{long},b={}", "v".repeat(256)),
        ] {
            assert_eq!(check_state(&wrong), None, "{wrong}");
        }
    }
}
