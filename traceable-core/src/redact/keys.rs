//! Names under which secrets stand: `api_key`, `Authorization`, `clientSecret`, and what a value of theirs must look like.
//!
//! A name is looked at in whole words from its end: `max_tokens`, `token_count` and `tokenizer` name no secret.

use super::work::looked_at;

/// What a name says of the text under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sense {
    /// Nothing.
    Plain,
    /// It is a secret if it looks like one: `token` is also a word of language models.
    Perhaps,
    /// It is a secret.
    Secret,
    /// All text below is secret, also in objects.
    Tree,
}

/// Words that name a secret wherever a name ends with them.
const SINGLE: &[&str] = &[
    "password",
    "passwords",
    "passwd",
    "pwd",
    "passphrase",
    "passcode",
    "pgpassword",
    "secret",
    "authorization",
    "apikey",
    "apikeys",
    "accesskey",
    "accesstoken",
    "authtoken",
    "bearertoken",
    "clientsecret",
    "idtoken",
    "privatekey",
    "refreshtoken",
    "secretkey",
    "sessiontoken",
    "connectionstring",
];

/// Words that name a secret with all that is below.
const TREE: &[&str] = &["credential", "credentials", "secrets", "cookie", "cookies"];

/// What stands in front of `key` where the key is secret.
const SECRET_KEYS: &[&str] = &[
    "api",
    "private",
    "secret",
    "access",
    "account",
    "encryption",
    "signing",
    "shared",
    "master",
    "subscription",
    "auth",
    "ssh",
    "service",
    "hmac",
    "aes",
    "openai",
    "anthropic",
];

/// What stands in front of `token` where it is a credential and no piece of text.
const SECRET_TOKENS: &[&str] = &[
    "access",
    "refresh",
    "auth",
    "id",
    "api",
    "bearer",
    "session",
    "csrf",
    "xsrf",
    "bot",
    "github",
    "gitlab",
    "slack",
    "hf",
    "oauth",
    "jwt",
    "security",
    "personal",
    "client",
    "service",
    "admin",
    "device",
    "registration",
    "sas",
];

/// What stands in front of `token` where it is a piece of text, or a place in a list.
const TEXT_TOKENS: &[&str] = &[
    "bos",
    "eos",
    "pad",
    "unk",
    "mask",
    "cls",
    "sep",
    "eot",
    "eom",
    "stop",
    "special",
    "next",
    "page",
    "continuation",
    "cursor",
    "first",
    "last",
    "new",
    "start",
    "end",
    "begin",
    "image",
    "audio",
    "previous",
    "prev",
    "current",
    "top",
    "chosen",
    "text",
    "output",
    "input",
    "prompt",
    "completion",
    "per",
    "max",
    "min",
];

/// Other pairs of words, in the order of the name.
const PAIRS: &[(&str, &str)] = &[
    ("pass", "word"),
    ("connection", "string"),
    ("seed", "phrase"),
    ("recovery", "phrase"),
    ("password", "hash"),
    ("password", "value"),
    ("secret", "value"),
    ("token", "value"),
    ("access", "signature"),
    ("key", "base"),
];

/// What the name of a value says.
pub(super) fn sense(name: &str, own: &[Vec<String>]) -> Sense {
    // A mark says what was there, such as `openai-key`.
    if ends_with_mark(name) {
        return Sense::Plain;
    }
    let words = Words::of(name);
    let is = |place: usize, known: &[&str]| known.iter().any(|known| words.is(place, known));
    if is(0, TREE) {
        return Sense::Tree;
    }
    let paired = PAIRS.iter().any(|(first, second)| words.is(0, second) && words.is(1, first));
    if is(0, SINGLE) || paired || own.iter().any(|own| words.end_with(own)) {
        return Sense::Secret;
    }
    if words.is(0, "key") {
        return if is(1, SECRET_KEYS) { Sense::Secret } else { Sense::Plain };
    }
    if words.is(0, "token") {
        return match () {
            () if is(1, SECRET_TOKENS) => Sense::Secret,
            () if is(1, TEXT_TOKENS) => Sense::Plain,
            () => Sense::Perhaps,
        };
    }
    if words.is(0, "keys") && is(1, SECRET_KEYS) {
        return Sense::Tree;
    }
    if words.is(0, "auth") || words.is(0, "pass") { Sense::Perhaps } else { Sense::Plain }
}

/// Whether this is the name of an HTTP header, which has a secret wherever it stands in front of a text.
pub(super) fn is_header(name: &str) -> bool {
    let is = |known: &str| name.eq_ignore_ascii_case(known);
    name.contains('-') || is("authorization") || is("cookie")
}

/// Whether the text under a name is a secret.
pub(super) fn is_secret(sense: Sense, name: &str, value: &str) -> bool {
    if sense != Sense::Plain {
        looked_at(value.len());
    }
    match sense {
        Sense::Plain => false,
        _ if stands_for_nothing(value) => false,
        Sense::Perhaps => {
            let digits = value.bytes().any(|byte| byte.is_ascii_digit());
            let least = if digits { 6 } else { 20 };
            // What has a mark in it has been looked at.
            value.len() >= least
                && value.is_ascii()
                && !value.contains("[redacted")
                && !value.bytes().any(|byte| byte.is_ascii_whitespace())
        }
        // The folder that a shell works in.
        Sense::Secret => !(value.starts_with(['/', '~']) && Words::of(name).is(0, "pwd")),
        Sense::Tree => true,
    }
}

/// Words that stand where a value would: of schemas and of languages.
const NO_VALUES: &[&str] = &[
    "string",
    "str",
    "text",
    "number",
    "integer",
    "boolean",
    "bool",
    "object",
    "array",
    "null",
    "none",
    "nil",
    "undefined",
    "true",
    "false",
    "required",
    "optional",
];

/// Whether a value is empty, a placeholder, or a mark of ours.
fn stands_for_nothing(value: &str) -> bool {
    let value = value.trim();
    let Some(&first) = value.as_bytes().first() else { return true };
    if is_mark(value) || NO_VALUES.iter().any(|word| value.eq_ignore_ascii_case(word)) {
        return true;
    }
    if value.len() >= 3 && matches!(first, b'*' | b'.' | b'x' | b'X' | b'-') && value.bytes().all(|byte| byte == first)
    {
        return true;
    }
    let is_name = |name: &str| {
        !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b' ' | b'.'))
    };
    let inside = |open: &str, close: &str| value.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
    let brackets = [("${{", "}}"), ("${", "}"), ("{{", "}}"), ("{", "}"), ("<", ">"), ("%", "%"), ("[", "]")];
    brackets.iter().any(|(open, close)| inside(open, close).is_some_and(is_name)) || names_a_variable(value)
}

/// `$API_KEY` and `OPENAI_API_KEY`: the name of a variable of the environment.
fn names_a_variable(value: &str) -> bool {
    let name = value.strip_prefix('$').unwrap_or(value);
    let capitals = name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_' || byte.is_ascii_digit());
    let named = name.len() < value.len() || sense(name, &[]) != Sense::Plain;
    capitals
        && named
        && (name.contains('_') || name.len() < value.len())
        && !name.starts_with(|c: char| c.is_ascii_digit())
}

/// Whether a text is a mark that stands for a secret.
pub(super) fn is_mark(text: &str) -> bool {
    let Some(inside) = text.strip_prefix("[redacted").and_then(|rest| rest.strip_suffix(']')) else { return false };
    inside.is_empty()
        || inside.strip_prefix(": ").is_some_and(|kind| {
            kind.len() <= 32
                && kind.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        })
}

/// Whether the last word of a text is in a mark.
fn ends_with_mark(text: &str) -> bool {
    let behind = text.rsplit_once("[redacted").and_then(|(_, mark)| mark.split_once(']'));
    behind.is_some_and(|(_, behind)| !behind.contains(|c: char| c.is_ascii_alphabetic()))
}

/// How many words of a name are looked at.
const LOOKED_AT: usize = 4;

/// The last words of a name, the last one first. Digits at its end do not count.
struct Words<'a>([&'a str; LOOKED_AT]);

impl<'a> Words<'a> {
    fn of(name: &'a str) -> Self {
        let mut words = [""; LOOKED_AT];
        let mut rest = name.trim_end_matches(|c: char| !c.is_ascii_alphabetic());
        for word in &mut words {
            let start = last_start(rest.as_bytes());
            *word = &rest[start..];
            rest = rest[..start].trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        }
        Self(words)
    }

    fn is(&self, place: usize, known: &str) -> bool {
        self.0[place].eq_ignore_ascii_case(known)
    }

    fn end_with(&self, own: &[String]) -> bool {
        own.len() <= LOOKED_AT && own.iter().rev().enumerate().all(|(place, word)| self.is(place, word))
    }
}

/// Where the last word begins: behind a separator, or where capitals begin.
fn last_start(name: &[u8]) -> usize {
    let mut start = name.len();
    while start > 0 {
        let (byte, after) = (name[start - 1], name.get(start).copied());
        let splits = !byte.is_ascii_alphanumeric()
            // aB
            || (!byte.is_ascii_uppercase() && after.is_some_and(|after| after.is_ascii_uppercase()))
            // AABb, in front of the B
            || (byte.is_ascii_uppercase()
                && after.is_some_and(|after| after.is_ascii_uppercase())
                && name.get(start + 1).is_some_and(u8::is_ascii_lowercase));
        if splits {
            break;
        }
        start -= 1;
    }
    start
}

/// The words of a name that the user gave.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> =
        Words::of(name).0.iter().filter(|word| !word.is_empty()).map(|&w| w.to_owned()).collect();
    words.reverse();
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_whole_words() {
        for name in [
            "api_key",
            "apikey",
            "apiKey",
            "APIKey",
            "x-api-key",
            "X-Api-Key",
            "OPENAI_API_KEY",
            "api key",
            "api_key_2",
            "authorization",
            "Proxy-Authorization",
            "password",
            "db.password",
            "userPassword",
            "passWord",
            "PASSWD",
            "pwd",
            "passphrase",
            "secret",
            "client_secret",
            "clientSecret",
            "access_token",
            "refreshToken",
            "auth_token",
            "id_token",
            "x-auth-token",
            "private_key",
            "AccountKey",
            "SharedAccessKey",
            "aws_secret_access_key",
            "connection_string",
            "ConnectionString",
            "password1",
        ] {
            assert_eq!(sense(name, &[]), Sense::Secret, "{name}");
        }
        for name in ["credentials", "google_credential", "cookie", "Set-Cookie", "session cookie", "secrets"] {
            assert_eq!(sense(name, &[]), Sense::Tree, "{name}");
        }
        for name in ["token", "github-ci_token", "my_token"] {
            assert_ne!(sense(name, &[]), Sense::Plain, "{name}");
        }
        for name in [
            "max_tokens",
            "input_tokens",
            "total_tokens",
            "token_count",
            "tokenizer",
            "tokens",
            "key",
            "keys",
            "primary_key",
            "public_key",
            "author",
            "secretary",
            "next_page_token",
            "eos_token",
            "token_type",
            "cookiecutter",
            "passage",
            "compass",
            "passwordless",
            "",
            "_",
            "ключ",
            "monkey",
            "idempotency_key",
        ] {
            assert_eq!(sense(name, &[]), Sense::Plain, "{name}");
        }
    }

    #[test]
    fn own_names_are_whole_words_too() {
        let own = [words("employee number")];
        assert_eq!(sense("employeeNumber", &own), Sense::Secret);
        assert_eq!(sense("the_employee-number", &own), Sense::Secret);
        assert_eq!(sense("number", &own), Sense::Plain);
    }

    #[test]
    fn placeholders_are_no_secrets() {
        for value in
            ["", "string", "$API_KEY", "${API_KEY}", "<your key>", "****", "OPENAI_API_KEY", "[redacted: jwt]", "..."]
        {
            assert!(!is_secret(Sense::Secret, "api_key", value), "{value}");
        }
        for value in ["hunter2", "correct horse", "[redacted: x] y", "$ecret", "12345678", "X7Y8"] {
            assert!(is_secret(Sense::Secret, "api_key", value), "{value}");
        }
    }
}
