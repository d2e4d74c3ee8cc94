//! Requests in JSON. As with protobuf, they are looked through before anything is made of them: how much they would
//! become, and whether their names are those of OTLP's JSON. The decoder passes over what it does not know, and a body in
//! protobuf's own names would be taken, and lost, as an empty one.

use std::fmt;

use prost::Message;
use serde::{
    Deserializer, Serialize,
    de::{DeserializeOwned, DeserializeSeed, MapAccess, SeqAccess, Visitor},
};

use super::{
    bound::{MAX_MESSAGES, MAX_RECORDS},
    decode::Problem,
};

/// How deep JSON may be nested: three or four levels for one of a value. `serde_json` stops at 128.
const MAX_DEPTH: usize = 120;

/// Names that are other ones in JSON. What an attribute is called is a value and no name, so none of the user's is among
/// those that are looked at.
const SNAKE_CASE: [&str; 24] = [
    "resource_spans",
    "resource_logs",
    "scope_spans",
    "scope_logs",
    "log_records",
    "trace_id",
    "span_id",
    "parent_span_id",
    "trace_state",
    "start_time_unix_nano",
    "end_time_unix_nano",
    "time_unix_nano",
    "observed_time_unix_nano",
    "event_name",
    "severity_number",
    "severity_text",
    "string_value",
    "bool_value",
    "int_value",
    "double_value",
    "array_value",
    "kvlist_value",
    "bytes_value",
    "schema_url",
];

/// Reads a request whose only member is called so.
pub(super) fn request<T: DeserializeOwned>(body: &[u8], member: &'static str) -> Result<T, Problem> {
    let mut count = Count { member, ..Count::default() };
    let mut json = serde_json::Deserializer::from_slice(body);
    let looked = Look { count: &mut count, depth: 0, are_records: false }.deserialize(&mut json);
    let looked = looked.and_then(|()| json.end());
    match (count.problem.take(), looked) {
        (Some(problem), _) => Err(problem),
        (None, Err(error)) => Err(Problem::Json(error.to_string())),
        (None, Ok(())) if !count.is_request => Err(Problem::NotARequest),
        (None, Ok(())) => serde_json::from_slice(body).map_err(|error| Problem::Json(error.to_string())),
    }
}

/// A message of protobuf in JSON, on one line. `None` when it is no such message.
pub(super) fn print<T: Message + Default + Serialize>(body: &[u8]) -> Option<String> {
    serde_json::to_string(&T::decode(body).ok()?).ok()
}

#[derive(Default)]
struct Count {
    member: &'static str,
    /// Whether the member is there, or nothing is.
    is_request: bool,
    records: usize,
    messages: usize,
    problem: Option<Problem>,
}

/// A look at one value.
struct Look<'a> {
    count: &'a mut Count,
    depth: usize,
    /// Whether it is the list of the spans or log records of a scope.
    are_records: bool,
}

impl Look<'_> {
    fn refuse<E: serde::de::Error>(&mut self, problem: Problem) -> E {
        self.count.problem = Some(problem);
        E::custom("refused")
    }
}

impl<'de> DeserializeSeed<'de> for Look<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Look<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        self.count.messages += 1;
        if self.count.messages > MAX_MESSAGES {
            return Err(self.refuse(Problem::TooMany));
        }
        if self.depth > MAX_DEPTH {
            return Err(self.refuse(Problem::TooDeep));
        }
        let mut is_empty = true;
        while let Some(name) = map.next_key::<String>()? {
            if name.contains('_') && SNAKE_CASE.contains(&&*name) {
                return Err(self.refuse(Problem::SnakeCase(name)));
            }
            is_empty = false;
            self.count.is_request |= self.depth == 0 && name == self.count.member;
            let are_records = matches!(&*name, "spans" | "logRecords");
            map.next_value_seed(Look { count: self.count, depth: self.depth + 1, are_records })?;
        }
        self.count.is_request |= self.depth == 0 && is_empty;
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        if self.depth > MAX_DEPTH {
            return Err(self.refuse(Problem::TooDeep));
        }
        let depth = self.depth + 1;
        while list.next_element_seed(Look { count: self.count, depth, are_records: false })?.is_some() {
            self.count.records += usize::from(self.are_records);
            if self.count.records > MAX_RECORDS {
                return Err(self.refuse(Problem::TooMany));
            }
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}
