//! What a path means at its place in a filter: a property, a collection, an element inside `any(…)`.

use crate::{
    ast::Path,
    capability::{self, Found, Property, Resource, Shape},
    problem::{Problem, Span},
    suggest,
};

/// A range variable and the collection it runs over; `None` for a collection nobody knows.
pub(crate) type Variable = (String, Option<&'static str>);

/// What a path leads to.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// A row of the table: a value, an element or a member of one.
    Property(&'static Property),
    /// A directory extension or the member of a schema extension.
    Extension(&'static Property),
    /// A collection as a whole.
    Collection(&'static str),
    /// A structured value as a whole; the data model's name of its type.
    Complex(String),
    /// Declared, but in no row that filters: the property it belongs to.
    Unfilterable(&'static str),
    /// Not declared. Users and groups are open types, so this binds and fails later.
    Unknown,
}

/// Resolves `path`, whose first segment may be one of `variables`.
pub(crate) fn resolve(resource: Resource, path: &Path, variables: &[Variable]) -> Result<Target, Problem> {
    let Some((first, rest)) = path.segments.split_first() else { return Ok(Target::Unknown) };
    let variable = variables.iter().rev().find(|(name, _)| *name == first.text);
    let Some((_, collection)) = variable else { return property(resource, path) };
    let Some(collection) = collection else { return Ok(Target::Unknown) };
    let rows = || capability::properties(resource).iter().filter(|row| row.path == *collection);
    let structured = capability::is_structured(resource, collection);
    match rest {
        [] if structured => Ok(Target::Complex(capability::complex_type(collection))),
        [] => Ok(capability::element(resource, collection, None)
            .map_or(Target::Unfilterable(collection), Target::Property)),
        [member, ..] => match capability::element(resource, collection, Some(&member.text)) {
            Some(row) if rest.len() == 1 => Ok(Target::Property(row)),
            _ if capability::is_unfilterable_member(collection, &member.text) => {
                Ok(Target::Unfilterable(collection))
            }
            // Nothing is known about the elements of a collection that no filter reads.
            _ if rows().all(|row| row.shape != Shape::Any) => Ok(Target::Unfilterable(collection)),
            _ => {
                let of = if structured { capability::complex_type(collection) } else { "Edm.String".into() };
                Err(no_member(&member.text, &of, member.span, rows().filter_map(|row| row.member)))
            }
        },
    }
}

fn property(resource: Resource, path: &Path) -> Result<Target, Problem> {
    match capability::find(resource, &path.text()) {
        Found::Value(row) => return Ok(Target::Property(row)),
        Found::Collection(path) => return Ok(Target::Collection(path)),
        Found::Complex(path) => return Ok(Target::Complex(capability::complex_type(path))),
        Found::Extension(row) | Found::SchemaExtension(row) => return Ok(Target::Extension(row)),
        Found::Unknown => {}
    }
    // A declared beginning with an undeclared rest is a mistake that the gateway finds.
    let Some((last, parents)) = path.segments.split_last() else { return Ok(Target::Unknown) };
    let parent = parents.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join("/");
    match capability::find(resource, &parent) {
        Found::Complex(parent) => {
            let rows = capability::properties(resource).iter();
            let members = || rows.clone().filter_map(|row| row.path.strip_prefix(parent)?.strip_prefix('/'));
            // The tables list members of structured values that can be filtered by; of a relationship, or of a
            // value that no filter reads, that is not all there is.
            let known = !capability::RELATIONSHIPS.contains(&parent) && members().next().is_some();
            if !known || capability::is_unfilterable_member(parent, &last.text) {
                return Ok(Target::Unfilterable(parent));
            }
            Err(no_member(&last.text, &capability::complex_type(parent), last.span, members()))
        }
        Found::Value(_) => Err(no_member(&last.text, "Edm.String", last.span, std::iter::empty())),
        Found::Collection(parent) => {
            let message = format!(
                "The parent value for a property access of a property '{}' is not a single value. Property access \
                 can only be applied to a single value.",
                last.text
            );
            let hint = format!("Ask for an element: {parent}/any(x:x/{} eq …).", last.text);
            Err(Problem::clause(message, path.span()).hint(hint))
        }
        _ => Ok(Target::Unknown),
    }
}

fn no_member(name: &str, of: &str, span: Span, members: impl Iterator<Item = &'static str>) -> Problem {
    let problem = Problem::clause(format!("Could not find a property named '{name}' on type '{of}'."), span);
    match suggest::nearest(name, members) {
        Some(near) => problem.hint(format!("Did you mean '{near}'?")).fix(span, near),
        None => problem,
    }
}
