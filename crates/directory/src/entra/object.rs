//! What the objects of an answer have in common: how they are taken apart, and what is done about values that cannot be kept.
//!
//! An object is read property by property from the text of the page, without building a tree: a first sync reads every user of a tenant
//! through here. What is foreign in a value stays foreign (a script tag is a name like any other); only what no database can keep is changed,
//! and every change is told. A value of another JSON type than it has to be makes the object unreadable.

use std::{borrow::Cow, fmt};

use domain::run::{Notice, NoticeKind};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// The longest name that is kept, in characters: Entra's own limit.
const NAME: usize = 256;
/// The longest address that is kept, in bytes. A cut address would be somebody else's, so a longer one is left out.
pub(super) const ADDRESS: usize = 1_024;
/// The most proxy addresses that are kept; Exchange allows a few hundred.
const PROXIES: usize = 1_000;
/// The longest id, in bytes; Graph's are GUIDs.
const ID: usize = 128;

/// The properties of an object in their order, values as text.
pub(super) struct Properties<'a>(pub(super) Vec<(Cow<'a, str>, &'a RawValue)>);

/// A text that is borrowed where it holds no escape.
#[derive(Deserialize)]
pub(super) struct Name<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Properties<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;

        impl<'de> Visitor<'de> for Each {
            type Value = Properties<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut properties = Vec::with_capacity(40);
                while let Some((Name(name), value)) = map.next_entry()? {
                    properties.push((name, value));
                }
                Ok(Properties(properties))
            }
        }

        deserializer.deserialize_map(Each)
    }
}

/// An object's id: whatever could not be one is none. It is never repaired, since a changed id would be another object's.
pub(super) fn id(value: &str) -> Option<String> {
    serde_json::from_str(value).ok().filter(|id: &String| is_id(id))
}

pub(super) fn is_id(id: &str) -> bool {
    (1..=ID).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic())
}

/// A value fit to be kept; when it had to be repaired for that, the change is told.
pub(super) fn kept<'a>(name: &str, value: &'a str, changes: &mut Vec<String>) -> Cow<'a, str> {
    match repair(value) {
        None => Cow::Borrowed(value),
        Some(repaired) => {
            let name = shown(name);
            changes.push(format!("\"{name}\" held characters that cannot be stored; they were removed."));
            Cow::Owned(repaired)
        }
    }
}

/// A name for people to read.
pub(super) fn display_name(
    name: &str,
    value: &str,
    changes: &mut Vec<String>,
) -> Result<Option<String>, String> {
    let full: Option<String> = serde_json::from_str(value).map_err(|_| expected(name, "a text"))?;
    Ok(full.map(|full| match full.char_indices().nth(NAME) {
        Some((end, _)) => {
            changes.push(format!("\"{name}\" was cut to {NAME} characters."));
            full.get(..end).unwrap_or_default().to_owned()
        }
        None => full,
    }))
}

/// A mail address or what may look like one.
pub(super) fn address(name: &str, value: &str, changes: &mut Vec<String>) -> Result<Option<String>, String> {
    let address: Option<String> = serde_json::from_str(value).map_err(|_| expected(name, "a text"))?;
    if address.as_ref().is_some_and(|address| address.len() > ADDRESS) {
        changes.push(format!("\"{name}\" is longer than {ADDRESS} bytes and was left out."));
        return Ok(None);
    }
    Ok(address)
}

/// Proxy addresses with their prefixes.
pub(super) fn proxy_addresses(
    name: &str,
    value: &str,
    changes: &mut Vec<String>,
) -> Result<Vec<String>, String> {
    let all = texts(name, value)?;
    let before = all.len();
    let kept: Vec<_> = all.into_iter().filter(|entry| entry.len() <= ADDRESS).take(PROXIES).collect();
    let lost = before - kept.len();
    if lost > 0 {
        changes.push(format!(
            "{lost} of {before} entries of \"{name}\" were left out: too long, or more than {PROXIES}."
        ));
    }
    Ok(kept)
}

/// A list of texts; null is an empty one.
pub(super) fn texts(name: &str, value: &str) -> Result<Vec<String>, String> {
    let all: Option<Vec<String>> =
        serde_json::from_str(value).map_err(|_| expected(name, "a list of texts"))?;
    Ok(all.unwrap_or_default())
}

/// True, false, or null.
pub(super) fn flag(name: &str, value: &str) -> Result<Option<bool>, String> {
    serde_json::from_str(value).map_err(|_| expected(name, "true or false"))
}

/// Refuses an object whose `@odata.type` is another than that of this kind.
pub(super) fn is_a(kind: &str, value: &str) -> Result<(), String> {
    let told: String = serde_json::from_str(value).unwrap_or_default();
    if is_type_of(kind, &told) {
        Ok(())
    } else {
        Err(format!("The object is a \"{}\" and no {kind}", shown(&told)))
    }
}

/// Whether an `@odata.type` is `#microsoft.graph.` and this kind.
pub(super) fn is_type_of(kind: &str, odata_type: &str) -> bool {
    let parts = odata_type.rsplit_once('.');
    parts.is_some_and(|(space, name)| {
        space.eq_ignore_ascii_case("#microsoft.graph") && name.eq_ignore_ascii_case(kind)
    })
}

fn expected(name: &str, what: &str) -> String {
    format!("\"{name}\" is not {what}")
}

/// Frees a JSON text of what a database or a strict reader refuses: `\u0000` goes, half of a surrogate pair becomes U+FFFD. `None` when there
/// is nothing to do. (A backslash stands in JSON within a string only, and a raw NUL is no JSON at all.)
fn repair(json: &str) -> Option<String> {
    if !json.contains("\\u") {
        return None;
    }
    let mut clean = String::with_capacity(json.len());
    let mut rest = json;
    let mut changed = false;
    while let Some(at) = rest.find('\\') {
        clean.push_str(&rest[..at]);
        rest = &rest[at..];
        // An escape is ASCII: `\` and one character, `\u` and four more, or a pair of those.
        let (take, put): (usize, Option<&str>) = match unit(rest) {
            None => (2, None),
            Some(0) => (6, Some("")),
            Some(0xD800..=0xDBFF)
                if rest.get(6..).and_then(unit).is_some_and(|low| (0xDC00..=0xDFFF).contains(&low)) =>
            {
                (12, None)
            }
            Some(0xD800..=0xDFFF) => (6, Some("\\ufffd")),
            Some(_) => (6, None),
        };
        let (escape, after) = rest.split_at_checked(take)?;
        changed |= put.is_some();
        clean.push_str(put.unwrap_or(escape));
        rest = after;
    }
    clean.push_str(rest);
    changed.then_some(clean)
}

/// The UTF-16 unit of a `\uXXXX` at the beginning of the text.
fn unit(text: &str) -> Option<u16> {
    u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

/// A notice about an object.
pub(super) fn notice(kind: NoticeKind, id: &str, display_name: Option<&str>, detail: String) -> Notice {
    Notice {
        kind,
        external_id: id.to_owned(),
        display_name: display_name.unwrap_or_default().to_owned(),
        detail,
    }
}

/// A foreign name, short enough for a notice.
pub(super) fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(60).collect()
}
