//! OpenTelemetry's names for a service and for what happens everywhere: semantic conventions 1.44.0, `resource`,
//! `exceptions`, `code`, `user` and `session`.

pub(in crate::otlp) const SERVICE_NAME: &str = "service.name";
pub(in crate::otlp) const SERVICE_VERSION: &str = "service.version";
pub(in crate::otlp) const ENVIRONMENT: &str = "deployment.environment.name";
pub(in crate::otlp) const SDK_NAME: &str = "telemetry.sdk.name";
pub(in crate::otlp) const SDK_LANGUAGE: &str = "telemetry.sdk.language";
pub(in crate::otlp) const SDK_VERSION: &str = "telemetry.sdk.version";

pub(in crate::otlp) const ERROR_TYPE: &str = "error.type";
/// The `error.type` of an error that says no other.
pub(in crate::otlp) const OTHER_ERROR: &str = "_OTHER";

/// The name of the event of an error.
pub(in crate::otlp) const EXCEPTION: &str = "exception";
pub(in crate::otlp) const EXCEPTION_TYPE: &str = "exception.type";
pub(in crate::otlp) const EXCEPTION_MESSAGE: &str = "exception.message";

pub(in crate::otlp) const CODE_FILE: &str = "code.file.path";
pub(in crate::otlp) const CODE_LINE: &str = "code.line.number";

pub(in crate::otlp) const USER_ID: &str = "user.id";
pub(in crate::otlp) const SESSION_ID: &str = "session.id";
