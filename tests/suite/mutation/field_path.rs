//! Fields of messages, records and answers by name: `changes./a.version`, `end.Done.0.Found.1`.
//!
//! A path goes through fields as they are named in the source, through the variants of enums, and
//! through lists by number; in a list of pairs a path of a file names the pair. The group
//! and the kind of the message or record itself are left out.

use ciborium::Value;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Is there such a field?
pub fn has(thing: &impl Serialize, path: &str) -> bool {
    field(inside(&mut written(thing)), path).is_some()
}

/// Sets each of `fields`, if all are there.
pub fn set<T: Serialize + DeserializeOwned>(thing: &mut T, fields: &toml::Table) -> bool {
    let mut all = written(thing);
    for (path, value) in fields {
        let Some(field) = field(inside(&mut all), path) else { return false };
        *field = match value {
            // The contents of a file are bytes.
            toml::Value::String(text) if field.is_bytes() => Value::Bytes(text.clone().into()),
            other => written(other),
        };
    }
    *thing = all.deserialized().expect("the fields have their types");
    true
}

fn written(thing: &impl Serialize) -> Value {
    Value::serialized(thing).expect("everything can be written")
}

fn field<'a>(value: &'a mut Value, path: &str) -> Option<&'a mut Value> {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    let inner = match value {
        Value::Map(fields) => {
            &mut fields.iter_mut().find(|(name, _)| name.as_text() == Some(first))?.1
        }
        Value::Array(list) => match first.parse::<usize>() {
            Ok(place) => list.get_mut(place)?,
            Err(_) => list.iter_mut().find_map(|pair| second(pair, first))?,
        },
        _ => return None,
    };
    if rest.is_empty() { Some(inner) } else { field(inner, rest) }
}

/// The fields of a message or a record, without its group and its kind, which are variants.
fn inside(value: &mut Value) -> &mut Value {
    let is_of_a_variant = matches!(
        value.as_map().map(Vec::as_slice),
        Some([(Value::Text(name), Value::Map(_))]) if name.starts_with(char::is_uppercase)
    );
    match is_of_a_variant {
        true => inside(&mut value.as_map_mut().expect("it is a map")[0].1),
        false => value,
    }
}

/// What stands beside `first` in a pair.
fn second<'a>(pair: &'a mut Value, first: &str) -> Option<&'a mut Value> {
    match &mut pair.as_array_mut()?[..] {
        [name, second] if name.as_text() == Some(first) => Some(second),
        _ => None,
    }
}
