//! What is answered when a request is not served.

use std::time::Duration;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
};
use serde_json::json;
use traceable_store::{Error, QueryError};

/// Why a request is not served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The request is wrong.
    Wrong(String),
    /// The query in it cannot be read.
    Query(QueryError),
    /// A part of it is wrong.
    Unprocessable(String),
    /// It does not come from where it may come from.
    Forbidden(&'static str),
    /// It has no token, or a wrong one.
    Unknown,
    /// There is no such thing.
    NotFound(&'static str),
    /// It is longer than this many bytes.
    TooLarge(usize),
    /// It is in a form that is not known.
    Unsupported(String),
    /// It came too slowly.
    Slow,
    /// Too much is being done; the same can be sent again.
    Busy,
    /// Too many listen already.
    Crowded,
    /// One has asked too often, and may again when this has passed.
    TooOften(Duration),
    /// The disk is full; the same can be sent again.
    Full,
    /// It takes too long to find the answer.
    TooMuch(String),
    /// The server is about to stop.
    Stopped,
    /// The store does not work.
    Broken(String),
}

impl Refusal {
    /// Why the store does not answer.
    pub(crate) fn of(error: &Error) -> Self {
        match error {
            Error::Full => Self::Full,
            Error::Timeout => Self::TooMuch(error.to_string()),
            other => Self::Broken(other.to_string()),
        }
    }

    /// The code of the answer.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Wrong(_) | Self::Query(_) => StatusCode::BAD_REQUEST,
            Self::Unprocessable(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::Unknown => StatusCode::UNAUTHORIZED,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unsupported(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::Busy | Self::Crowded | Self::TooOften(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Full | Self::Stopped => StatusCode::SERVICE_UNAVAILABLE,
            Self::TooMuch(_) => StatusCode::GATEWAY_TIMEOUT,
            Self::Broken(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// What is said of it.
    pub(crate) fn detail(self) -> String {
        match self {
            Self::Wrong(what)
            | Self::Unprocessable(what)
            | Self::Unsupported(what)
            | Self::TooMuch(what)
            | Self::Broken(what) => what,
            Self::Query(error) => error.to_string(),
            Self::Forbidden(what) | Self::NotFound(what) => what.into(),
            Self::Unknown => "a token is needed here, as `Authorization: Bearer` or `x-api-key`".into(),
            Self::TooLarge(bytes) => format!("the request is longer than {bytes} bytes"),
            Self::Slow => "the request came too slowly".into(),
            Self::Busy => "too much is being written; send it again".into(),
            Self::Crowded => "too many listen to what changes; close another page, or come again later".into(),
            Self::TooOften(_) => "too many requests, or too many with a wrong token; send it again later".into(),
            Self::Full => "the disk is full; nothing was taken".into(),
            Self::Stopped => "the server is about to stop; nothing was taken".into(),
        }
    }
}

impl From<QueryError> for Refusal {
    fn from(error: QueryError) -> Self {
        Self::Query(error)
    }
}

impl From<serde_json::Error> for Refusal {
    fn from(error: serde_json::Error) -> Self {
        Self::Wrong(error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let again = match self {
            Self::Busy | Self::Stopped => Some(1),
            Self::TooOften(wait) => Some(wait.as_secs() + 1),
            Self::Full | Self::Crowded => Some(30),
            _ => None,
        };
        let status = self.status();
        let place = match &self {
            Self::Query(error) => Some(json!({ "at": error.at(), "found": error.found(), "nearest": error.nearest() })),
            _ => None,
        };
        // LangSmith's SDKs show what stands under this key.
        let mut said = json!({ "detail": self.detail() });
        if let Some(place) = place {
            said["query"] = place;
        }
        let mut response = (status, Json(said)).into_response();
        if let Some(seconds) = again {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
