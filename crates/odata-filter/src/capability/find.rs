//! Finds the row about a path of a filter.

use super::{EdmType, Property, Resource, Shape, properties};

/// What a path of a filter leads to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found {
    Value(&'static Property),
    /// A collection, with its canonical path; the rows about it are asked for by element or count.
    Collection(&'static str),
    /// A structured value, with its canonical path.
    Complex(&'static str),
    Extension(&'static Property),
    SchemaExtension(&'static Property),
    Unknown,
}

/// Looks a path up, without regard to case.
pub(crate) fn find(resource: Resource, path: &str) -> Found {
    let rows = properties(resource);
    if let Some(row) = rows.iter().find(|row| !row.pattern && row.path.eq_ignore_ascii_case(path)) {
        return match (row.shape, row.edm) {
            (Shape::Single, EdmType::Collection) | (Shape::Any | Shape::Count, _) => {
                Found::Collection(row.path)
            }
            (Shape::Single, EdmType::Complex) => Found::Complex(row.path),
            (Shape::Single, _) => Found::Value(row),
        };
    }
    if let Some(root) = rows.iter().find_map(|row| parent_named(row, path)) {
        return Found::Complex(root);
    }
    let pattern = |start: &str| rows.iter().find(|row| row.path.starts_with(start));
    let mut segments = path.split('/');
    match (segments.next(), segments.next(), segments.next()) {
        (Some(name), None, _) if is_extension(name) => {
            pattern("extension_").map_or(Found::Unknown, Found::Extension)
        }
        (Some(root), Some(_), Some(_)) if root.eq_ignore_ascii_case("customSecurityAttributes") => {
            pattern("customSecurityAttributes/").map_or(Found::Unknown, Found::SchemaExtension)
        }
        // The id of a schema extension: `extk5eefawz_courses`, `contoso_courses`.
        (Some(root), Some(_), None) if root.contains('_') => {
            pattern("{schemaExtensionId}").map_or(Found::Unknown, Found::SchemaExtension)
        }
        _ => Found::Unknown,
    }
}

/// The leading part of a row's path, when that is what `path` names.
fn parent_named(row: &Property, path: &str) -> Option<&'static str> {
    let end = path.len();
    let deeper = row.path.as_bytes().get(end) == Some(&b'/');
    let parent = row.path.get(..end).filter(|parent| deeper && parent.eq_ignore_ascii_case(path))?;
    (!row.pattern).then_some(parent)
}

/// `extension_<32 hexadecimal digits>_<name>`
fn is_extension(name: &str) -> bool {
    let Some(rest) =
        name.get(..10).filter(|start| start.eq_ignore_ascii_case("extension_")).and(name.get(10..))
    else {
        return false;
    };
    let (id, tail) = rest.split_once('_').unwrap_or((rest, ""));
    id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) && !tail.is_empty()
}

/// The row about the elements of a collection (`member`: of structured ones), or about their number.
pub(crate) fn element(resource: Resource, path: &str, member: Option<&str>) -> Option<&'static Property> {
    properties(resource).iter().find(|row| {
        row.shape == Shape::Any
            && row.path == path
            && match (row.member, member) {
                (None, None) => true,
                (Some(known), Some(asked)) => known.eq_ignore_ascii_case(asked),
                _ => false,
            }
    })
}

pub(crate) fn count(resource: Resource, path: &str) -> Option<&'static Property> {
    properties(resource).iter().find(|row| row.shape == Shape::Count && row.path == path)
}

/// Whether the elements of a collection have members.
pub(crate) fn is_structured(resource: Resource, path: &str) -> bool {
    let mut rows = properties(resource).iter().filter(|row| row.shape == Shape::Any && row.path == path);
    rows.any(|row| row.member.is_some())
}
