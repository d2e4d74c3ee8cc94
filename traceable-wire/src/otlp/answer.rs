//! What a server answers: all was taken, or how much was not, and why.

use super::proto::Fields;

/// Bytes of an answer's message that are kept.
const MAX_MESSAGE: usize = 4096;

/// A server's answer to a request that it has taken, whole or in part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// How many spans or log records it has refused. To send them again is of no use.
    pub rejected: u64,
    /// Why, or what else it has to say. At most 4 KiB of it.
    pub message: String,
}

/// Reads `ExportTraceServiceResponse` or `ExportLogsServiceResponse`. An answer that is none says nothing: what was asked
/// for has been done, for the status of the response says so. The caller bounds its length.
///
/// ```
/// use traceable_wire::otlp::decode_answer;
///
/// let answer = decode_answer(b"\x0a\x0d\x08\x02\x12\x09too large");
/// assert_eq!((answer.rejected, &*answer.message), (2, "too large"));
/// assert_eq!(decode_answer(b"").rejected, 0);
/// ```
pub fn decode_answer(body: &[u8]) -> Answer {
    let mut answer = Answer::default();
    let partial = Fields::of(body).filter_map(Result::ok).filter(|(field, _)| *field == 1);
    for (field, value) in partial.flat_map(|(_, partial)| Fields::of(partial.bytes())).filter_map(Result::ok) {
        match field {
            1 => answer.rejected = u64::try_from(value.number() as i64).unwrap_or_default(),
            2 => {
                let kept = &value.bytes()[..value.bytes().len().min(MAX_MESSAGE)];
                answer.message = String::from_utf8_lossy(kept).into_owned();
            }
            _ => {}
        }
    }
    answer
}
