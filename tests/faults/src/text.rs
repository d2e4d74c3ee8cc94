//! Texts that a number decides: whoever receives one can tell whether it is whole.

/// Bytes of a text.
pub const BYTES: usize = 2_048;

/// Letters of a word. So short that by no accident one looks like a credential, which would be redacted.
const WORD: usize = 12;

const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// A number that looks random and is decided by `n` (`SplitMix64`).
///
/// ```
/// use traceable_faults::text::mix;
///
/// assert_ne!(mix(1), mix(2));
/// assert_eq!(mix(1), mix(1));
/// ```
#[must_use]
pub const fn mix(n: u64) -> u64 {
    let mut z = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The text of a program's `n`th run. It does not compress, but for its letters being few.
///
/// ```
/// use traceable_faults::text::{BYTES, text};
///
/// assert_eq!(text(7, 1).len(), BYTES);
/// assert_ne!(text(7, 1), text(7, 2));
/// ```
#[must_use]
pub fn text(seed: u64, n: u64) -> String {
    let mut state = mix(seed ^ mix(n));
    let mut text = String::with_capacity(BYTES);
    while text.len() < BYTES {
        state = mix(state);
        let mut bits = state;
        // Ten letters use up the bits of one number.
        for _ in 0..10 {
            if text.len() % (WORD + 1) == WORD {
                text.push(' ');
            }
            text.push(char::from(LETTERS[(bits % 62) as usize]));
            bits /= 62;
        }
    }
    text.truncate(BYTES);
    text
}
