//! What made the spans: a service, as OpenTelemetry calls it.

use std::{collections::BTreeMap, fmt};

use traceable_core::model::Run;

use super::{
    names::{openinference, ours, resource as names},
    proto::{self, Attributes, Bounds},
};

/// Bytes of one attribute: what stands before the spans of a request must not fill it.
const MAX_TEXT: usize = 1024;

/// The attributes of the service that sends spans.
///
/// A run's own environment, release and project win over what is said here.
///
/// ```
/// use traceable_wire::otlp::Resource;
///
/// let resource = Resource::parse("service.name=shop%20assistant,team=search")?.with("service.version", "1.4.2");
/// assert_eq!(resource.get("service.name"), Some("shop assistant"));
/// # Ok::<(), traceable_wire::otlp::ResourceError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resource(BTreeMap<String, String>);

impl Resource {
    /// Reads attributes as they stand in `OTEL_RESOURCE_ATTRIBUTES`: `name=value` between commas, percent-encoded.
    ///
    /// # Errors
    ///
    /// When a part has no `=`, no name, or a percent sign that encodes nothing. None of the text is then to be used, as
    /// OpenTelemetry has it.
    pub fn parse(text: &str) -> Result<Self, ResourceError> {
        let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
        let pair = |pair: &str| {
            let error = || ResourceError(pair.to_owned());
            let (name, value) = pair.split_once('=').ok_or_else(error)?;
            let name = decode_percent(name.trim()).filter(|name| !name.is_empty()).ok_or_else(error)?;
            Ok((name, decode_percent(value.trim()).ok_or_else(error)?))
        };
        pairs.map(pair).collect::<Result<_, _>>().map(Self)
    }

    /// Adds an attribute, or changes it.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.insert(name.into(), value.into());
        self
    }

    /// The value of an attribute.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// About how many bytes these attributes take in a request.
    pub(super) fn len(&self) -> usize {
        self.0.iter().map(|(name, value)| name.len() + value.len() + 32).sum()
    }

    /// The resource of the runs of one group, as a message.
    pub(super) fn encode(&self, group: &Group) -> Vec<u8> {
        let mut attributes = Attributes::new(1);
        attributes.clear(Bounds { text: MAX_TEXT, ..Bounds::NONE });
        let service = self.get(names::SERVICE_NAME).or(group.project.as_deref());
        attributes.text(names::SERVICE_NAME, service.unwrap_or("unknown_service"));
        attributes.text(names::SERVICE_VERSION, group.release.as_deref());
        attributes.text(names::ENVIRONMENT, group.environment.as_deref());
        attributes.text(openinference::PROJECT, group.project.as_deref());
        for (name, value) in &self.0 {
            attributes.text(name, value.as_str());
        }
        attributes.text(names::SDK_NAME, ours::SDK);
        attributes.text(names::SDK_LANGUAGE, "rust");
        attributes.text(names::SDK_VERSION, env!("CARGO_PKG_VERSION"));
        attributes.as_bytes().to_vec()
    }
}

/// What tells the spans of one resource from those of another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Group {
    project: Option<String>,
    environment: Option<String>,
    release: Option<String>,
}

impl Group {
    pub(super) fn of(run: &Run) -> Self {
        Self {
            project: said(run.project.as_deref()),
            environment: said(run.environment.as_deref()),
            release: said(run.release.as_deref()),
        }
    }

    pub(super) fn is_of(&self, run: &Run) -> bool {
        let is =
            |mine: &Option<String>, text: Option<&str>| mine.as_deref().unwrap_or_default() == text.unwrap_or_default();
        is(&self.project, run.project.as_deref())
            && is(&self.environment, run.environment.as_deref())
            && is(&self.release, run.release.as_deref())
    }
}

fn said(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The instrumentation scope, as a message.
pub(super) fn scope() -> Vec<u8> {
    let mut scope = Vec::new();
    proto::bytes(&mut scope, 1, ours::SDK.as_bytes());
    proto::bytes(&mut scope, 2, env!("CARGO_PKG_VERSION").as_bytes());
    scope
}

fn decode_percent(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                (digit()? * 16 + digit()?) as u8
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

/// A part of `OTEL_RESOURCE_ATTRIBUTES` that says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceError(String);

impl fmt::Display for ResourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no percent-encoded `name=value`", self.0)
    }
}

impl std::error::Error for ResourceError {}
