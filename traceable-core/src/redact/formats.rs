//! The published formats of credentials: how each begins, and what must follow.

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};

use super::work::looked_at;

/// Bytes that are looked at before a text is taken for no credential. What is one is followed to its end.
const JUDGED: usize = 256;

/// The bytes that a credential is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// `A-Z a-z 0-9`
    Alnum,
    /// `A-Z 0-9`
    Upper,
    /// `0-9 a-f`
    Hex,
    /// `A-Z a-z 0-9 - _`
    Word,
    /// As `Word`, and the dot.
    Dotted,
    /// `A-Z a-z 0-9 + / =`
    Base64,
    /// What a `Bearer` header may hold.
    Token68,
}

impl Class {
    fn has(self, byte: u8) -> bool {
        match self {
            Self::Alnum => byte.is_ascii_alphanumeric(),
            Self::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Self::Hex => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            Self::Word => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'),
            Self::Dotted => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'),
            Self::Base64 => byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='),
            Self::Token68 => byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte),
        }
    }

    /// The bytes of this class that the text begins with.
    fn run(self, text: &[u8]) -> usize {
        let length = text.iter().position(|&byte| !self.has(byte)).unwrap_or(text.len());
        looked_at(length);
        length
    }

    /// As `run`, at most so many.
    fn run_within(self, text: &[u8], most: usize) -> usize {
        self.run(&text[..text.len().min(most)])
    }
}

/// What follows a literal.
#[derive(Debug, Clone, Copy)]
enum Rest {
    /// At least so many bytes of a class.
    Least(Class, usize),
    /// As `Least`, of which some look as if they were drawn by lot: the literal alone may also begin a word.
    Random(Class, usize),
    /// Exactly so many bytes of a class, and no letter or digit behind them.
    Exact(Class, usize),
    /// Two parts of `Word` of at least so many bytes, and a dot between them.
    Pair(usize),
    /// Three parts and dots between them.
    Jwt,
    /// Everything to the end of the block, or to the end of the text.
    Pem,
    /// A token behind spaces.
    Bearer,
    /// Base64 of a name, a colon and a password behind spaces.
    Basic,
    /// Behind the digits of a bot.
    Telegram,
}

/// One format.
#[derive(Debug)]
pub(super) struct Format {
    /// What stands in the mark.
    pub(super) kind: &'static str,
    /// What it begins with.
    pub(super) literal: &'static str,
    rest: Rest,
}

const fn least(kind: &'static str, literal: &'static str, class: Class, count: usize) -> Format {
    Format { kind, literal, rest: Rest::Least(class, count) }
}

const fn random(kind: &'static str, literal: &'static str, class: Class, count: usize) -> Format {
    Format { kind, literal, rest: Rest::Random(class, count) }
}

const fn exact(kind: &'static str, literal: &'static str, class: Class, count: usize) -> Format {
    Format { kind, literal, rest: Rest::Exact(class, count) }
}

const fn special(kind: &'static str, literal: &'static str, rest: Rest) -> Format {
    Format { kind, literal, rest }
}

/// All formats. Of two that begin alike the longer stands first.
pub(super) const FORMATS: &[Format] = &[
    least("anthropic-key", "sk-ant-", Class::Word, 16),
    least("openrouter-key", "sk-or-", Class::Word, 16),
    least("openai-key", "sk-proj-", Class::Word, 16),
    least("openai-key", "sk-svcacct-", Class::Word, 16),
    least("openai-key", "sk-admin-", Class::Word, 16),
    least("langfuse-key", "sk-lf-", Class::Word, 16),
    random("api-key", "sk-", Class::Word, 20),
    least("langfuse-key", "pk-lf-", Class::Word, 16),
    least("langsmith-key", "lsv2_", Class::Word, 20),
    random("langsmith-key", "ls__", Class::Alnum, 20),
    least("github-token", "github_pat_", Class::Word, 20),
    least("github-token", "ghp_", Class::Alnum, 20),
    least("github-token", "gho_", Class::Alnum, 20),
    least("github-token", "ghu_", Class::Alnum, 20),
    least("github-token", "ghs_", Class::Dotted, 20),
    least("github-token", "ghr_", Class::Alnum, 20),
    random("gitlab-token", "glpat-", Class::Dotted, 16),
    random("gitlab-token", "gldt-", Class::Dotted, 16),
    random("gitlab-token", "glrt-", Class::Dotted, 16),
    random("gitlab-token", "glptt-", Class::Dotted, 16),
    random("gitlab-token", "glcbt-", Class::Dotted, 16),
    exact("aws-key-id", "AKIA", Class::Upper, 16),
    exact("aws-key-id", "ASIA", Class::Upper, 16),
    random("google-key", "AIza", Class::Word, 30),
    random("google-token", "ya29.", Class::Dotted, 20),
    least("google-secret", "GOCSPX-", Class::Word, 20),
    random("slack-token", "xoxa-", Class::Word, 10),
    random("slack-token", "xoxb-", Class::Word, 10),
    random("slack-token", "xoxc-", Class::Word, 10),
    random("slack-token", "xoxd-", Class::Word, 10),
    random("slack-token", "xoxe.", Class::Dotted, 10),
    random("slack-token", "xoxe-", Class::Dotted, 10),
    random("slack-token", "xoxo-", Class::Word, 10),
    random("slack-token", "xoxp-", Class::Word, 10),
    random("slack-token", "xoxr-", Class::Word, 10),
    random("slack-token", "xoxs-", Class::Word, 10),
    random("slack-token", "xapp-", Class::Word, 10),
    least("slack-webhook", "hooks.slack.com/services/", Class::Base64, 20),
    random("huggingface-token", "hf_", Class::Alnum, 30),
    least("stripe-key", "sk_live_", Class::Alnum, 10),
    least("stripe-key", "sk_test_", Class::Alnum, 10),
    least("stripe-key", "rk_live_", Class::Alnum, 10),
    least("stripe-key", "rk_test_", Class::Alnum, 10),
    random("elevenlabs-key", "sk_", Class::Hex, 40),
    random("webhook-secret", "whsec_", Class::Base64, 24),
    random("npm-token", "npm_", Class::Alnum, 30),
    least("pypi-token", "pypi-AgE", Class::Word, 30),
    special("sendgrid-key", "SG.", Rest::Pair(16)),
    random("groq-key", "gsk_", Class::Alnum, 20),
    random("xai-key", "xai-", Class::Alnum, 20),
    random("replicate-token", "r8_", Class::Alnum, 30),
    random("perplexity-key", "pplx-", Class::Alnum, 30),
    random("fireworks-key", "fw_", Class::Alnum, 22),
    random("cerebras-key", "csk-", Class::Alnum, 30),
    random("nvidia-key", "nvapi-", Class::Word, 30),
    random("tavily-key", "tvly-", Class::Word, 20),
    random("pinecone-key", "pcsk_", Class::Word, 30),
    random("databricks-token", "dapi", Class::Hex, 32),
    least("digitalocean-token", "dop_v1_", Class::Hex, 40),
    random("linear-key", "lin_api_", Class::Alnum, 30),
    random("notion-token", "ntn_", Class::Alnum, 40),
    random("grafana-token", "glsa_", Class::Word, 30),
    random("vault-token", "hvs.", Class::Word, 24),
    random("docker-token", "dckr_pat_", Class::Word, 20),
    random("shopify-token", "shpat_", Class::Alnum, 30),
    special("jwt", "eyJ", Rest::Jwt),
    special("private-key", "-----BEGIN ", Rest::Pem),
    special("bearer", "Bearer ", Rest::Bearer),
    special("bearer", "bearer ", Rest::Bearer),
    special("bearer", "BEARER ", Rest::Bearer),
    special("basic-auth", "Basic ", Rest::Basic),
    special("basic-auth", "basic ", Rest::Basic),
    special("telegram-token", ":AA", Rest::Telegram),
];

impl Format {
    /// Where the credential lies that has its literal at `at`. With `raw`, the text has JSON's escapes and more is taken
    /// for one.
    pub(super) fn find(&self, text: &[u8], at: usize, raw: bool) -> Option<(usize, usize)> {
        let begins = match self.rest {
            Rest::Pem | Rest::Telegram => true,
            Rest::Jwt => before(text, at).is_none_or(|byte| byte != b'-') && is_start(text, at, raw),
            _ => is_start(text, at, raw),
        };
        if !begins {
            return None;
        }
        let from = at + self.literal.len();
        let rest = &text[from..];
        let span = match self.rest {
            Rest::Least(class, least) => (class.run_within(rest, least) >= least).then(|| (at, from + class.run(rest))),
            Rest::Random(class, least) => {
                let judged = class.run_within(rest, JUDGED);
                (judged >= least && looks_random(&rest[..judged])).then(|| (at, from + class.run(rest)))
            }
            Rest::Exact(class, count) => {
                let whole = class.run_within(rest, count) == count;
                let ends = rest.get(count).is_none_or(|byte| !byte.is_ascii_alphanumeric());
                (whole && ends).then_some((at, from + count))
            }
            Rest::Pair(least) => pair(rest, least).map(|length| (at, from + length)),
            Rest::Jwt => jwt(&text[at..]).map(|length| (at, at + length)),
            Rest::Pem => pem(text, at, from, raw),
            Rest::Bearer => {
                let from = from + spaces(rest);
                let judged = Class::Token68.run_within(&text[from..], JUDGED);
                (judged >= 16 && looks_random(&text[from..from + judged]))
                    .then(|| (from, from + Class::Token68.run(&text[from..])))
            }
            Rest::Basic => basic(text, from + spaces(rest)),
            Rest::Telegram => telegram(text, at),
        };
        let escaped = |end: usize| raw && text.get(end) == Some(&b'\\') && text.get(end + 1) == Some(&b'/');
        span.or_else(|| {
            let end = from + Class::Token68.run_within(rest, JUDGED);
            escaped(end).then_some((at, end))
        })
    }

    /// Whether the text breaks off in what may become this credential, of which the literal is at `at`.
    pub(super) fn is_begun(&self, text: &[u8], at: usize) -> bool {
        let rest = &text[at + self.literal.len()..];
        match self.rest {
            Rest::Pem => rest
                .iter()
                .inspect(|_| looked_at(1))
                .all(|byte| byte.is_ascii_uppercase() || b" 0123456789-".contains(byte)),
            Rest::Telegram => telegram_digits(text, at).is_some() && Class::Word.run(rest) == rest.len(),
            Rest::Bearer | Rest::Basic => {
                let rest = &rest[spaces(rest)..];
                is_start(text, at, false) && Class::Token68.run(rest) == rest.len()
            }
            Rest::Jwt | Rest::Pair(_) => is_start(text, at, false) && Class::Dotted.run(rest) == rest.len(),
            Rest::Least(class, _) | Rest::Random(class, _) => {
                is_start(text, at, false) && class.run(rest) == rest.len()
            }
            Rest::Exact(class, count) => {
                is_start(text, at, false) && rest.len() < count && class.run(rest) == rest.len()
            }
        }
    }
}

fn before(text: &[u8], at: usize) -> Option<u8> {
    at.checked_sub(1).map(|before| text[before])
}

/// Whether a word may begin here: no letter, digit or underscore stands in front. In raw JSON such a letter may be the
/// end of an escape.
pub(super) fn is_start(text: &[u8], at: usize, raw: bool) -> bool {
    let joined = before(text, at).is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    !joined || (raw && text[at.saturating_sub(6)..at].contains(&b'\\'))
}

fn spaces(text: &[u8]) -> usize {
    text.iter().take(8).take_while(|&&byte| byte == b' ').count()
}

/// Whether a stretch of eight or more letters and digits holds two of: small letters, capitals, digits. Words do not.
fn looks_random(text: &[u8]) -> bool {
    text.split(|byte| !byte.is_ascii_alphanumeric()).filter(|part| part.len() >= 8).any(|part| {
        let kinds: [fn(&u8) -> bool; 3] = [u8::is_ascii_lowercase, u8::is_ascii_uppercase, u8::is_ascii_digit];
        kinds.iter().filter(|kind| part.iter().any(kind)).count() >= 2
    })
}

fn pair(text: &[u8], least: usize) -> Option<usize> {
    let first = Class::Word.run(text);
    let second = text.get(first + 1..).filter(|_| text[first] == b'.').map_or(0, |rest| Class::Word.run(rest));
    (first >= least && second >= least).then_some(first + 1 + second)
}

/// Header, payload and, with a dot in front, signature; the payload is an object again, or there are three parts.
fn jwt(text: &[u8]) -> Option<usize> {
    let header = Class::Word.run(text);
    let payload = text.get(header + 1..).filter(|_| header >= 10 && text[header] == b'.')?;
    let second = Class::Word.run(payload);
    let end = header + 1 + second;
    let signed = text.get(end) == Some(&b'.');
    let whole = second >= 8 && (signed || payload.starts_with(b"eyJ"));
    // The remaining parts, up to the five of an encrypted token.
    whole.then(|| end + Class::Dotted.run(&text[end..])).map(|end| {
        let dots = text[..end].iter().rev().take_while(|&&byte| byte == b'.').count();
        end - dots
    })
}

/// A block of a private key. Cut off before its end, it reaches to the end of the text.
fn pem(text: &[u8], at: usize, from: usize, raw: bool) -> Option<(usize, usize)> {
    const BEGIN: &[u8] = b"PRIVATE KEY";
    const END: &[u8] = b"-----END ";
    let head = &text[from..text.len().min(from + 64)];
    let dashes = head.windows(5).position(|five| five == b"-----");
    let private = head[..dashes.unwrap_or(head.len())].windows(BEGIN.len()).any(|words| words == BEGIN);
    if !private && !raw {
        return None;
    }
    if raw {
        return Some((at, from));
    }
    let last = text[from..].windows(END.len()).position(|words| words == END);
    looked_at(last.unwrap_or(text.len() - from));
    let end = last.map_or(text.len(), |end| {
        let end = from + end + END.len();
        let dashes = text[end..].windows(5).take(64).position(|five| five == b"-----");
        dashes.map_or(text.len(), |dashes| end + dashes + 5)
    });
    Some((at, end))
}

fn basic(text: &[u8], from: usize) -> Option<(usize, usize)> {
    let judged = &text[from..from + Class::Base64.run_within(&text[from..], JUDGED * 4)];
    let unpadded = judged.iter().position(|&byte| byte == b'=').unwrap_or(judged.len());
    if unpadded < 6 {
        return None;
    }
    let decoded = STANDARD_NO_PAD.decode(&judged[..unpadded]).ok()?;
    let is_pair = decoded.contains(&b':') && decoded.iter().all(|byte| (0x20..0x7f).contains(byte));
    is_pair.then_some((from, from + judged.len()))
}

/// The first digit of the bot's number in front of the colon.
fn telegram_digits(text: &[u8], colon: usize) -> Option<usize> {
    let digits = text[..colon].iter().rev().take(11).take_while(|byte| byte.is_ascii_digit()).count();
    (8..=10).contains(&digits).then(|| colon - digits)
}

fn telegram(text: &[u8], colon: usize) -> Option<(usize, usize)> {
    let start = telegram_digits(text, colon)?;
    // Thirty-five behind the colon.
    let count = Class::Word.run_within(&text[colon + 1..], 36);
    (count == 35).then_some((start, colon + 36))
}
