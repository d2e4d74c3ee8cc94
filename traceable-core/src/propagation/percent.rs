//! Percent-encoding as Python's `urllib.parse.quote` writes it, which leaves `/` as it is.

/// Appends `text`, encoded.
pub(super) fn quote(text: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut quoted = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"_.-~/".contains(&byte) {
            quoted.push(char::from(byte));
        } else {
            quoted.push('%');
            quoted.push(char::from(HEX[usize::from(byte >> 4)]));
            quoted.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    quoted
}

/// The text that was encoded; `None` when a `%` is not followed by two digits or the bytes are not UTF-8.
pub(super) fn unquote(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            bytes.push((digit()? << 4 | digit()?) as u8);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_again(text: String) {
            let quoted = quote(&text);
            prop_assert!(quoted.bytes().all(|byte| byte.is_ascii_graphic() && !b",;=\"\\".contains(&byte)));
            prop_assert_eq!(unquote(&quoted), Some(text));
        }

        #[test]
        fn anything_is_refused_or_read(text in "[%0-9a-fA-F]{0,20}|.{0,20}") {
            let _ = unquote(&text);
        }
    }

    #[test]
    fn it_is_what_python_writes() {
        assert_eq!(quote("a/b c_.-~é\"&"), "a/b%20c_.-~%C3%A9%22%26");
        assert_eq!(unquote("a%2fb+%C3%a9").as_deref(), Some("a/b+é"));
        assert_eq!([unquote("%"), unquote("%4"), unquote("%4g"), unquote("%ff")], [None, None, None, None]);
    }
}
