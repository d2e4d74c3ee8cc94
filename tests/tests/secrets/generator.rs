//! Secrets as their providers publish them, made by a seeded generator. Knows nothing of what redaction looks for.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};

/// A small generator of numbers that are the same in every run.
pub(crate) struct Lots(u64);

impl Lots {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn below(&mut self, count: usize) -> usize {
        (self.next() >> 33) as usize % count
    }

    pub(crate) fn of(&mut self, letters: &str, count: usize) -> String {
        (0..count).map(|_| char::from(letters.as_bytes()[self.below(letters.len())])).collect()
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }

    pub(crate) fn uuid(&mut self) -> String {
        let hex = self.of(HEX, 32);
        format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
    }
}

pub(crate) const HEX: &str = "0123456789abcdef";
pub(crate) const ALNUM: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const WORD: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const BASE32: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const DIGITS: &str = "0123456789";

/// A secret that is one wherever it stands.
#[derive(Debug, Clone)]
pub(crate) struct Planted {
    pub(crate) kind: &'static str,
    /// As it is written.
    pub(crate) text: String,
    /// What must not be found: the part that is secret.
    pub(crate) secret: String,
}

/// How one kind is made.
type Make = fn(&mut Lots) -> String;

const PLAIN: &[(&str, Make)] = &[
    ("openai", |l| format!("sk-{}T3BlbkFJ{}", l.of(ALNUM, 20), l.of(ALNUM, 20))),
    ("openai project", |l| format!("sk-proj-{}T3BlbkFJ{}", l.of(WORD, 74), l.of(WORD, 74))),
    ("openai service account", |l| format!("sk-svcacct-{}T3BlbkFJ{}", l.of(WORD, 74), l.of(WORD, 74))),
    ("anthropic", |l| format!("sk-ant-api03-{}AA", l.of(WORD, 93))),
    ("openrouter", |l| format!("sk-or-v1-{}", l.of(HEX, 64))),
    ("deepseek", |l| format!("sk-{}", l.of(HEX, 32))),
    ("langsmith", |l| format!("lsv2_pt_{}_{}", l.of(HEX, 32), l.of(HEX, 10))),
    ("langfuse", |l| format!("sk-lf-{}", l.uuid())),
    ("github", |l| format!("gh{}_{}", l.of("pousr", 1), l.of(ALNUM, 36))),
    ("github fine-grained", |l| format!("github_pat_{}_{}", l.of(ALNUM, 22), l.of(ALNUM, 59))),
    ("gitlab", |l| format!("glpat-{}", l.of(ALNUM, 20))),
    ("aws key id", |l| format!("A{}IA{}", l.of("KS", 1), l.of(BASE32, 16))),
    ("google api", |l| format!("AIza{}", l.of(ALNUM, 35))),
    ("google oauth", |l| format!("ya29.a0{}", l.of(WORD, 120))),
    ("slack bot", |l| format!("xoxb-{}-{}-{}", l.of(DIGITS, 12), l.of(DIGITS, 12), l.of(ALNUM, 24))),
    ("slack app", |l| format!("xapp-1-A{}-{}-{}", l.of(BASE32, 10), l.of(DIGITS, 13), l.of(HEX, 64))),
    ("hugging face", |l| format!("hf_{}", l.of(ALNUM, 34))),
    ("stripe", |l| format!("sk_live_{}", l.of(ALNUM, 24))),
    ("stripe restricted", |l| format!("rk_test_{}", l.of(ALNUM, 99))),
    ("stripe webhook", |l| format!("whsec_{}", l.of(ALNUM, 32))),
    ("npm", |l| format!("npm_{}", l.of(ALNUM, 36))),
    ("pypi", |l| format!("pypi-AgEIcHlwaS5vcmc{}", l.of(WORD, 150))),
    ("sendgrid", |l| format!("SG.{}.{}", l.of(WORD, 22), l.of(WORD, 43))),
    ("groq", |l| format!("gsk_{}", l.of(ALNUM, 52))),
    ("xai", |l| format!("xai-{}", l.of(ALNUM, 80))),
    ("replicate", |l| format!("r8_{}", l.of(ALNUM, 37))),
    ("perplexity", |l| format!("pplx-{}", l.of(ALNUM, 48))),
    ("telegram", |l| format!("{}:AA{}", 1_000_000_000 + l.below(1_000_000_000), l.of(WORD, 33))),
    ("jwt", |l| {
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
        let payload = URL_SAFE_NO_PAD.encode(format!(r#"{{"sub":"{}","iat":{}}}"#, l.of(DIGITS, 10), l.below(1 << 30)));
        format!("{header}.{payload}.{}", URL_SAFE_NO_PAD.encode(l.bytes(32)))
    }),
    ("private key", |l| {
        let lines: Vec<String> = (0..4).map(|_| STANDARD.encode(l.bytes(48))).collect();
        format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"))
    }),
];

/// Kinds of which a part shows that they are secret: what it is, and the text around the secret.
const AROUND: &[(&str, &str, &str, Make)] = &[
    ("bearer", "Authorization: Bearer ", "\n", |l| l.of(ALNUM, 40)),
    ("basic", "Authorization: Basic ", "\n", |l| STANDARD.encode(format!("user:{}", l.of(ALNUM, 12)))),
    ("address", "postgres://app:", "@db.internal:5432/app", |l| l.of(ALNUM, 16)),
    ("azure", "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=", ";EndpointSuffix=core.windows.net", |l| {
        STANDARD.encode(l.bytes(64))
    }),
    ("query", "https://api.example.com/v1?api_key=", "&page=2", |l| l.of(HEX, 32)),
];

/// How many kinds there are.
pub(crate) const KINDS: usize = PLAIN.len() + AROUND.len();

/// Eight of each kind, one of each after the other.
pub(crate) fn planted() -> Vec<Planted> {
    let mut lots = Lots::new(2024);
    let mut all = Vec::new();
    for _ in 0..8 {
        for (kind, make) in PLAIN {
            let text = make(&mut lots);
            // Of a block the lines are secret.
            let secret = text.lines().nth(1).unwrap_or(&text).to_owned();
            all.push(Planted { kind, text, secret });
        }
        for (kind, before, behind, make) in AROUND {
            let secret = make(&mut lots);
            all.push(Planted { kind, text: format!("{before}{secret}{behind}"), secret });
        }
    }
    all
}

/// Names, and values that are secret because of them.
pub(crate) fn named() -> Vec<(&'static str, String)> {
    const NAMES: [&str; 24] = [
        "api_key",
        "apiKey",
        "apikey",
        "x-api-key",
        "X-API-Key",
        "OPENAI_API_KEY",
        "authorization",
        "Proxy-Authorization",
        "password",
        "dbPassword",
        "passwd",
        "pwd",
        "passphrase",
        "secret",
        "client_secret",
        "aws_secret_access_key",
        "token",
        "access_token",
        "refreshToken",
        "id_token",
        "private_key",
        "cookie",
        "Set-Cookie",
        "connection_string",
    ];
    let mut lots = Lots::new(7);
    NAMES.iter().map(|name| (*name, format!("V4{}", lots.of(ALNUM, 20)))).collect()
}

/// Fails when a secret is in the text, also escaped, also without its first or last few letters.
#[track_caller]
pub(crate) fn assert_absent(text: &str, secrets: &[&str], place: &str) {
    for secret in secrets {
        let middle = &secret[secret.len() / 4..secret.len() - secret.len() / 4];
        let part = if middle.len() < 8 { secret } else { middle };
        assert!(!text.contains(part), "{place}: {part} is in {}", &text[..text.len().min(2000)]);
    }
}
