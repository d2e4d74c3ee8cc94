//! What an answer over HTTP means: one table for all backends.

use std::time::Duration;

use super::{Ack, ExportError};

/// The longest that a backend is left alone because it asked for it.
const LONGEST_ASKED: Duration = Duration::from_secs(15 * 60);

/// Characters of an answer that are repeated in a message.
const EXCERPT: usize = 200;

/// What an answer means for the changes of its request. Every number has a row; nothing is lost for want of one.
///
/// | status | means |
/// |---|---|
/// | 2xx, 409 | taken, now or before |
/// | 408, 425, 500 and above | try again |
/// | 429 | try again when `Retry-After` says so, after 15 minutes at most |
/// | 413 | send less at once |
/// | 400, 422 | one of the changes is wrong |
/// | 3xx, all other 4xx | keep everything until somebody acts |
///
/// `retry_after` is how long from now the backend asked to be left alone, `said` how its answer begins, `location` where
/// a redirect points to, which is not followed.
///
/// ```
/// use std::time::Duration;
/// use traceable_core::export::{Remedy, judge};
///
/// assert!(judge(202, None, "", None).is_ok());
/// let error = judge(429, Some(Duration::from_secs(7)), "slow down", None).unwrap_err();
/// assert_eq!(error.remedy(), Remedy::Retry(Some(Duration::from_secs(7))));
/// assert_eq!(error.to_string(), "429: slow down");
/// ```
///
/// # Errors
///
/// Whatever is not taken; the error says what to do.
pub fn judge(
    status: u16,
    retry_after: Option<Duration>,
    said: &str,
    location: Option<&str>,
) -> Result<Ack, ExportError> {
    let message = match location.filter(|_| (300..400).contains(&status)) {
        Some(location) => format!("{status}: redirects are not followed, and this one points to {}", excerpt(location)),
        None if said.trim().is_empty() => status.to_string(),
        None => format!("{status}: {}", excerpt(said)),
    };
    Err(match status {
        200..300 | 409 => return Ok(Ack::default()),
        408 | 425 => ExportError::retry(message),
        // A zero asks for nothing, and would be a storm.
        429 | 500.. => match retry_after.filter(|after| *after > Duration::ZERO) {
            Some(after) => ExportError::retry_after(message, after.min(LONGEST_ASKED)),
            None => ExportError::retry(message),
        },
        413 => ExportError::too_large(message),
        400 | 422 => ExportError::invalid(message),
        _ => ExportError::pause(message),
    })
}

/// The beginning of a text, on one line.
fn excerpt(text: &str) -> String {
    text.trim().chars().take(EXCERPT).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::export::Remedy;

    fn remedy(status: u16) -> Option<Remedy> {
        judge(status, None, "", None).err().map(|error| error.remedy())
    }

    #[test]
    fn each_row_of_the_table() {
        for taken in [200, 201, 202, 204, 206, 299, 409] {
            assert_eq!(remedy(taken), None, "{taken}");
        }
        for again in [408, 425, 429, 500, 501, 502, 503, 504, 507, 529, 599] {
            assert_eq!(remedy(again), Some(Remedy::Retry(None)), "{again}");
        }
        assert_eq!(remedy(413), Some(Remedy::TooLarge));
        for wrong in [400, 422] {
            assert_eq!(remedy(wrong), Some(Remedy::Invalid), "{wrong}");
        }
        for kept in [300, 301, 302, 303, 304, 307, 308, 401, 402, 403, 404, 405, 406, 410, 415, 431, 451, 101, 0] {
            assert_eq!(remedy(kept), Some(Remedy::Pause), "{kept}");
        }
    }

    #[test]
    fn a_backend_is_left_alone_as_long_as_it_asks_but_not_for_ever() {
        let asked = |status, seconds| judge(status, Some(Duration::from_secs(seconds)), "", None).unwrap_err().remedy();
        assert_eq!(asked(429, 7), Remedy::Retry(Some(Duration::from_secs(7))));
        assert_eq!(asked(503, 7), Remedy::Retry(Some(Duration::from_secs(7))));
        assert_eq!(asked(429, 86_400), Remedy::Retry(Some(Duration::from_secs(900))));
        assert_eq!(asked(429, 0), Remedy::Retry(None));
        assert_eq!(asked(401, 7), Remedy::Pause);
    }

    #[test]
    fn messages_are_one_short_line_and_say_where_a_redirect_points() {
        let said = "no\nsuch\u{1b}[31m project".to_owned() + &"!".repeat(9_999);
        let message = judge(404, None, &said, None).unwrap_err().to_string();
        assert!(message.starts_with("404: no such [31m project!!") && message.len() < 220, "{message}");
        let message = judge(307, None, "<html>", Some("http://127.0.0.1:9/x")).unwrap_err().to_string();
        assert_eq!(message, "307: redirects are not followed, and this one points to http://127.0.0.1:9/x");
        assert_eq!(judge(500, None, " \n", None).unwrap_err().to_string(), "500");
    }
}
