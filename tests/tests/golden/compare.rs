//! Two programs at different times: runs are called by their names in place of their ids, and moments are not compared.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::recorded::{Part, Said, moment};

/// Fields by their paths, such as `child 2/inputs/x`.
pub(crate) type Fields = BTreeMap<String, Value>;

/// What bodies say.
pub(crate) fn said_by(bodies: &[Vec<Part>]) -> Fields {
    let said = Said::by(bodies).0;
    let text = |record: &Value, name: &str| record[name].as_str().unwrap_or_default().to_owned();
    let mut runs: Vec<(String, &str, String)> = said
        .iter()
        .filter_map(|(part, record)| {
            Some((text(record, "start_time"), part.strip_prefix("post.")?, text(record, "name")))
        })
        .collect();
    runs.sort();
    let mut seen = BTreeMap::new();
    let mut names: BTreeMap<&str, String> = BTreeMap::new();
    for (_, id, name) in &runs {
        let count = seen.entry(name).or_insert(0);
        *count += 1;
        names.insert(id, if *count == 1 { name.clone() } else { format!("{name} {count}") });
    }
    let mut fields = Fields::new();
    for (part, record) in &said {
        let (kind, rest) = part.split_once('.').unwrap();
        let path = match kind {
            "post" => names[rest].clone(),
            "feedback" => format!("feedback {}", text(record, "key")),
            _ => rest.split_once('.').map_or(rest.into(), |(id, file)| format!("{} file {file}", names[id])),
        };
        flatten(record, path, &names, &mut fields);
    }
    fields
}

fn flatten(value: &Value, path: String, names: &BTreeMap<&str, String>, fields: &mut Fields) {
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| flatten(value, format!("{path}/{name}"), names, fields));
        }
        Value::Array(items) if items.iter().any(|item| !item.is_number()) => {
            items.iter().enumerate().for_each(|(at, item)| flatten(item, format!("{path}/{at}"), names, fields));
        }
        Value::String(text) => {
            let is_own = path.starts_with("feedback ") && path.ends_with("/id");
            let text = if is_own { "its id".into() } else { placed(text, names) };
            fields.insert(path, text.into());
        }
        other => {
            fields.insert(path, other.clone());
        }
    }
}

/// A text without moments and ids: an id is its run's name, and a dotted order the names in it.
fn placed(text: &str, names: &BTreeMap<&str, String>) -> String {
    if moment(text).is_some() {
        return "a moment".into();
    }
    if let Some(name) = names.get(text) {
        return format!("the id of {name}");
    }
    let level = |level: &str| {
        let name = level.split_once('Z').and_then(|(_, id)| names.get(id));
        name.map_or_else(|| level.to_owned(), |name| format!("<{name}>"))
    };
    text.split('.').map(level).collect::<Vec<_>>().join(".")
}

/// Fields that differ, with what both say.
pub(crate) fn differences(ours: &Fields, theirs: &Fields) -> Vec<(String, Value, Value)> {
    let mut paths: Vec<&String> = ours.keys().chain(theirs.keys()).collect();
    paths.sort();
    paths.dedup();
    let said = |fields: &Fields, path: &String| fields.get(path).cloned().unwrap_or("nothing".into());
    let both = paths.into_iter().map(|path| (path.clone(), said(ours, path), said(theirs, path)));
    both.filter(|(_, ours, theirs)| ours != theirs).collect()
}
