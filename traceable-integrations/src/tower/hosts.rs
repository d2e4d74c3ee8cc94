//! Which hosts a client may tell of a trace.

use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use http::{Request, Uri, header::HOST, uri::Authority};

/// The hosts that a client sends the headers of a trace to; none, until some are named.
///
/// Headers name runs and carry their metadata, so they are for one's own services and not for everybody who is called,
/// model providers least of all. Each pattern is one of these, in any case, and without a port it stands for every port:
///
/// | pattern | allows |
/// |---|---|
/// | `api.example.com`, `10.0.0.7`, `[2001:db8::7]` | this host |
/// | `api.example.com:8443` | this port of it |
/// | `*.example.com` | every host below, however deep, but not `example.com` |
/// | `localhost` | this machine: also `127.0.0.1` and `[::1]` |
///
/// ```
/// use traceable_integrations::tower::AllowedHosts;
///
/// let hosts: AllowedHosts = "localhost, *.internal.example.com".parse()?;
/// assert!(hosts.allows(&"http://127.0.0.1:8080/search".parse().unwrap()));
/// assert!(hosts.allows(&"https://rank.internal.example.com/".parse().unwrap()));
/// assert!(!hosts.allows(&"https://api.openai.com/v1/responses".parse().unwrap()));
/// # Ok::<(), traceable_integrations::tower::ParseHostError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedHosts(Vec<Pattern>);

impl AllowedHosts {
    /// Allows these hosts.
    ///
    /// # Errors
    ///
    /// When a pattern is none of those above; the error says which one, and why.
    pub fn new<T: AsRef<str>>(patterns: impl IntoIterator<Item = T>) -> Result<Self, ParseHostError> {
        patterns.into_iter().map(|pattern| Pattern::parse(pattern.as_ref().trim())).collect::<Result<_, _>>().map(Self)
    }

    /// Whether a request to this address may carry the headers of a trace. An address without a host is not allowed.
    #[must_use]
    pub fn allows(&self, uri: &Uri) -> bool {
        let port = uri.port_u16().or_else(|| match uri.scheme_str()? {
            "http" | "ws" => Some(80),
            "https" | "wss" => Some(443),
            _ => None,
        });
        uri.host().is_some_and(|host| self.allows_host(host, port))
    }

    /// Whether this request may carry the headers of a trace: by its address or, where that is only a path, by its `Host`.
    #[must_use]
    pub fn allows_request<B>(&self, request: &Request<B>) -> bool {
        if request.uri().host().is_some() {
            return self.allows(request.uri());
        }
        let host = request.headers().get(HOST).and_then(|host| Authority::try_from(host.as_bytes()).ok());
        host.is_some_and(|host| !host.as_str().contains('@') && self.allows_host(host.host(), host.port_u16()))
    }

    #[cfg(feature = "reqwest-middleware")]
    pub(crate) fn allows_url(&self, url: &reqwest::Url) -> bool {
        url.host_str().is_some_and(|host| self.allows_host(host, url.port_or_known_default()))
    }

    fn allows_host(&self, host: &str, port: Option<u16>) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host);
        self.0.iter().any(|pattern| pattern.host.is(host) && pattern.port.is_none_or(|known| port == Some(known)))
    }
}

/// Patterns between commas.
impl FromStr for AllowedHosts {
    type Err = ParseHostError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text.split(',').map(str::trim).filter(|pattern| !pattern.is_empty()))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    host: Host,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    /// A name or an IPv4 address.
    Name(String),
    /// The end that a host must have, with its dot.
    Below(String),
    /// An address, since there are several ways to write it.
    V6(Ipv6Addr),
    Localhost,
}

impl Pattern {
    fn parse(text: &str) -> Result<Self, ParseHostError> {
        let wrong = |problem| ParseHostError { pattern: text.to_owned(), problem };
        if text.contains('/') {
            return Err(wrong("a host has no scheme and no path"));
        }
        if text.contains('@') {
            return Err(wrong("a host has no user"));
        }
        if !text.is_ascii() {
            return Err(wrong("write the name as DNS has it, in ASCII (`xn--…`)"));
        }
        if let Ok(address) = text.parse() {
            return Ok(Self { host: Host::V6(address), port: None });
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (text, None),
        };
        let port = match port.map(str::parse::<u16>) {
            Some(Err(_) | Ok(0)) => return Err(wrong("a port is a number from 1 to 65535")),
            Some(Ok(port)) => Some(port),
            None => None,
        };
        Ok(Self { host: Host::parse(host).map_err(wrong)?, port })
    }
}

impl Host {
    fn parse(text: &str) -> Result<Self, &'static str> {
        if let Some(address) = text.strip_prefix('[') {
            let address = address.strip_suffix(']').and_then(|address| address.parse().ok());
            return address.map(Self::V6).ok_or("not an IPv6 address");
        }
        let text = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let (name, is_below) = match text.strip_prefix("*.") {
            Some(name) => (name, true),
            None => (&*text, false),
        };
        if name.contains('*') {
            return Err("a `*` stands for what is before the first dot, as in `*.example.com`, and for nothing else");
        }
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        if name.len() > 253 || !name.split('.').all(is_label) {
            return Err("not the name of a host");
        }
        // The end of an address says nothing of whose it is.
        let is_number = name.rsplit('.').next().is_some_and(|label| label.bytes().all(|byte| byte.is_ascii_digit()));
        match (is_below, is_number) {
            (true, true) => Err("there are no hosts below an address"),
            (true, false) => Ok(Self::Below(format!(".{name}"))),
            (false, _) if name == "localhost" => Ok(Self::Localhost),
            (false, _) => Ok(Self::Name(name.to_owned())),
        }
    }

    /// Whether it is the host that a URI names.
    fn is(&self, host: &str) -> bool {
        let v6 = || host.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok();
        match self {
            Self::Name(name) => host.eq_ignore_ascii_case(name),
            Self::Below(end) => host
                .len()
                .checked_sub(end.len())
                .and_then(|start| host.split_at_checked(start))
                .is_some_and(|(start, tail)| !start.is_empty() && tail.eq_ignore_ascii_case(end)),
            Self::V6(address) => v6() == Some(*address),
            Self::Localhost => {
                host.eq_ignore_ascii_case("localhost")
                    || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
                    || v6().is_some_and(|address| address.is_loopback())
            }
        }
    }
}

/// A text that does not say which hosts are allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseHostError {
    pattern: String,
    problem: &'static str,
}

impl fmt::Display for ParseHostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` does not name hosts: {}", self.pattern, self.problem)
    }
}

impl std::error::Error for ParseHostError {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn allows(pattern: &str, uri: &str) -> bool {
        AllowedHosts::new([pattern]).unwrap().allows(&uri.parse().unwrap())
    }

    #[test]
    fn nobody_is_told_by_default() {
        let uri = "http://localhost/".parse().unwrap();
        assert!(!AllowedHosts::default().allows(&uri));
        assert!(!"".parse::<AllowedHosts>().unwrap().allows(&uri));
    }

    #[test]
    fn a_host_is_that_host_in_any_case() {
        assert!(allows("api.example.com", "https://api.example.com/v1?q=1"));
        assert!(allows("API.Example.com.", "https://api.EXAMPLE.com./"));
        assert!(allows("my_service", "http://my_service:8080"));
        assert!(allows("10.0.0.7", "http://10.0.0.7:8080/"));
        for other in [
            "https://example.com/",
            "https://a.api.example.com/",
            "https://xapi.example.com/",
            "https://api.example.com.evil.example/",
            "https://api.example.com@evil.example/",
            "https://evil.example/api.example.com",
            "/api.example.com",
            "*",
        ] {
            assert!(!allows("api.example.com", other), "{other}");
        }
    }

    #[test]
    fn a_port_is_that_port() {
        assert!(allows("example.com:8443", "https://example.com:8443/"));
        assert!(!allows("example.com:8443", "https://example.com/"));
        assert!(allows("example.com:443", "https://example.com/") && allows("example.com:80", "http://example.com/"));
        assert!(!allows("example.com:443", "http://example.com/"));
        assert!(allows("example.com", "http://example.com:9999/"));
        // What `CONNECT` has: a host without a scheme.
        assert!(allows("example.com", "example.com:9999") && !allows("example.com:80", "example.com:81"));
    }

    #[test]
    fn a_star_is_every_host_below() {
        assert!(
            allows("*.example.com", "https://a.example.com/") && allows("*.Example.com", "https://a.b.EXAMPLE.com./")
        );
        assert!(allows("*.example.com:8080", "http://a.example.com:8080/"));
        assert!(!allows("*.example.com:8080", "http://a.example.com/"));
        assert!(allows("*.internal", "http://search.internal/"));
        for other in ["https://example.com/", "https://aexample.com/", "https://a.example.com.evil.example/"] {
            assert!(!allows("*.example.com", other), "{other}");
        }
    }

    #[test]
    fn an_address_may_be_written_in_several_ways() {
        for pattern in ["2001:db8::7", "[2001:db8::7]", "[2001:0DB8:0::7]"] {
            assert!(allows(pattern, "http://[2001:db8:0:0::7]:8080/"), "{pattern}");
            assert!(!allows(pattern, "http://[2001:db8::8]/"), "{pattern}");
        }
        assert!(allows("[2001:db8::7]:81", "http://[2001:db8::7]:81/"));
        assert!(!allows("[2001:db8::7]:81", "http://[2001:db8::7]/"));
    }

    #[test]
    fn localhost_is_this_machine() {
        for here in
            ["http://localhost/", "http://LOCALHOST:81/", "http://127.0.0.1/", "http://127.8.8.8/", "http://[::1]:81/"]
        {
            assert!(allows("localhost", here), "{here}");
        }
        for there in
            ["http://localhost.evil.example/", "http://127.0.0.1.evil.example/", "http://128.0.0.1/", "http://[::2]/"]
        {
            assert!(!allows("localhost", there), "{there}");
        }
        assert!(allows("localhost:8080", "http://127.0.0.1:8080/") && !allows("localhost:8080", "http://127.0.0.1/"));
        assert!(!allows("127.0.0.1", "http://localhost/"));
    }

    #[test]
    fn a_path_is_told_by_its_host_header() {
        let hosts: AllowedHosts = "example.com:81, a.example".parse().unwrap();
        let allows = |uri: &str, host: &str| {
            hosts.allows_request(&Request::builder().uri(uri).header(HOST, host).body(()).unwrap())
        };
        assert!(allows("/search", "Example.com:81") && allows("/search", "a.example"));
        assert!(!allows("/search", "example.com") && !allows("/search", "a.example@evil.example"));
        assert!(!allows("/search", "") && !allows("/search", "a.example/b"));
        // The address is where the request goes; the header is only what it says.
        assert!(!allows("http://evil.example/", "a.example") && allows("http://a.example/", "evil.example"));
        assert!(!hosts.allows_request(&Request::builder().uri("/search").body(()).unwrap()));
    }

    #[test]
    fn an_error_says_which_and_why() {
        let error = |pattern: &str| AllowedHosts::new(["a", pattern]).unwrap_err().to_string();
        assert_eq!(
            error("https://a.example"),
            "`https://a.example` does not name hosts: a host has no scheme and no path"
        );
        assert_eq!(error("u@a.example"), "`u@a.example` does not name hosts: a host has no user");
        assert!(error("*").contains("a `*` stands for") && error("a.*.b").contains("a `*` stands for"));
        assert!(error("*.0.0.1").contains("below an address"));
        assert!(error("größe.example").contains("xn--"));
        assert!(
            error("a:0").contains("a port is")
                && error("a:65536").contains("a port is")
                && error("a:").contains("a port is")
        );
        assert!(error("[::g]").contains("IPv6") && error("[::1").contains("IPv6"));
        for wrong in ["", "a b", ".a", "a..b", "a,b", &"a".repeat(64)] {
            assert!(error(wrong).ends_with("not the name of a host"), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn only_what_ends_so_is_below(host in "[a-z.]{1,20}(example\\.com)?") {
            if let Ok(uri) = format!("http://{host}/").parse::<Uri>() {
                let allowed = AllowedHosts::new(["*.example.com"]).unwrap().allows(&uri);
                let expected = host.strip_suffix('.').unwrap_or(&host).strip_suffix(".example.com");
                prop_assert_eq!(allowed, expected.is_some_and(|start| !start.is_empty()));
            }
        }

        #[test]
        fn any_pattern_is_taken_or_refused(pattern in "[a-z0-9.:*@/\\[\\]-]{0,20}|.{0,20}", uri in "http://[a-z0-9.:\\[\\]]{1,20}") {
            if let (Ok(hosts), Ok(uri)) = (AllowedHosts::new([pattern]), uri.parse::<Uri>()) {
                let _ = hosts.allows(&uri);
            }
        }
    }
}
