//! The custom filter: the one place where this crate meets the filter language.

use std::{borrow::Cow, fmt};

use domain::{
    object::DirectoryUser,
    settings::{Field, FieldError},
};
use odata_filter::{Code, Explanation, Filter as Compiled, Node, Resource, Verdict, check};
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};

/// A custom filter that Graph accepts and the sync can follow, or none, which matches everyone.
#[derive(Debug, Default)]
pub(crate) struct Filter(Option<Parts>);

#[derive(Debug)]
struct Parts {
    text: String,
    advanced: bool,
    properties: Vec<String>,
    compiled: Compiled,
}

impl Filter {
    /// Reads the text of the field.
    ///
    /// # Errors
    /// What is wrong with it and where, at the field.
    pub(crate) fn read(text: &str) -> Result<Self, FieldError> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(Self::default());
        }
        let refuse = |problem: &odata_filter::Problem| {
            // As a text editor counts: from 1, in characters.
            let position = text.get(..problem.span.start).map_or(0, |before| before.chars().count()) + 1;
            let hint = problem.hint.as_ref().map(|hint| format!(" {hint}")).unwrap_or_default();
            let code = problem.code.as_str();
            FieldError::new(
                Field::CustomFilter,
                format!("Position {position}: {}{hint} ({code})", problem.message),
            )
        };
        let report = check(Resource::Users, text);
        if let Some(problem) = &report.problem
            && (report.verdict == Verdict::Rejected || problem.code == Code::NotFollowed)
        {
            return Err(refuse(problem));
        }
        let compiled = Compiled::compile(Resource::Users, text).map_err(|problem| refuse(&problem))?;
        Ok(Self(Some(Parts {
            text: text.to_owned(),
            advanced: report.verdict == Verdict::AcceptedAdvanced,
            properties: report.properties,
            compiled,
        })))
    }

    /// What Graph is asked when the filter is tried there: the text, and whether it needs an advanced query. `None` for no filter.
    pub(crate) fn for_graph(&self) -> Option<(&str, bool)> {
        self.0.as_ref().map(|parts| (parts.text.as_str(), parts.advanced))
    }

    /// The properties that the filter reads.
    pub(crate) fn properties(&self) -> &[String] {
        self.0.as_ref().map_or(&[], |parts| &parts.properties)
    }

    /// Whether the filter takes the user in.
    pub(crate) fn matches(&self, user: &DirectoryUser) -> bool {
        let Some(parts) = &self.0 else { return true };
        parts.compiled.matches(&attributes(user, &parts.properties))
    }

    /// The answer of each part of the filter for the user, with the text that the places lie in. `None` for no filter.
    pub(crate) fn explain(&self, user: &DirectoryUser) -> Option<(&str, Explanation)> {
        let parts = self.0.as_ref()?;
        Some((&parts.text, parts.compiled.explain(&attributes(user, &parts.properties))))
    }
}

/// The named attributes of a user, as a record. The rest of what the directory said is passed over, which is what makes asking a whole
/// directory quick. Attributes that cannot be read are like those of somebody of whom nothing is known.
pub(crate) fn attributes(user: &DirectoryUser, names: &[impl AsRef<str>]) -> Node {
    let mut deserializer = serde_json::Deserializer::from_str(&user.attributes);
    Only(names).deserialize(&mut deserializer).unwrap_or(Node::Record(Vec::new()))
}

/// Reads a JSON object, but only these members of it.
struct Only<'n, S>(&'n [S]);

impl<'de, S: AsRef<str>> DeserializeSeed<'de> for Only<'_, S> {
    type Value = Node;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, S: AsRef<str>> Visitor<'de> for Only<'_, S> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the attributes of a directory object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Node, A::Error> {
        let mut record = Vec::with_capacity(self.0.len());
        while let Some(Key(name)) = members.next_key()? {
            if self.0.iter().any(|wanted| wanted.as_ref().eq_ignore_ascii_case(&name)) {
                record.push((name.into_owned(), members.next_value()?));
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Node::Record(record))
    }
}

/// A member's name, borrowed from the text where it can be.
#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    fn user(attributes: &str) -> DirectoryUser {
        DirectoryUser { attributes: attributes.to_owned(), ..DirectoryUser::default() }
    }

    #[test]
    fn an_empty_filter_matches_everyone() {
        let filter = Filter::read(" \n ").unwrap();
        assert!(filter.matches(&user("{}")) && filter.for_graph().is_none());
    }

    #[test]
    fn a_filter_is_asked_about_the_attributes() {
        let filter = Filter::read("department eq 'Sales' and accountEnabled eq true").unwrap();
        assert!(filter.matches(&user(r#"{"department":"Sales","accountEnabled":true}"#)));
        assert!(!filter.matches(&user(r#"{"department":"Sales","accountEnabled":false}"#)));
        assert!(!filter.matches(&user("broken")));
        assert_eq!(filter.properties(), ["department", "accountEnabled"]);
    }

    #[test]
    fn attributes_are_read_in_any_case_and_with_any_escape_and_the_others_are_passed_over() {
        let user = user(r#"{"x":{"y":[1,2.5,null]},"Depart\u006dent":"Sales \"1\"","city":null,"z":[{}]}"#);
        let Node::Record(read) = attributes(&user, &["department", "city"]) else { panic!("no record") };
        let sales = Node::Text("Sales \"1\"".to_owned());
        assert_eq!(read, [("Department".to_owned(), sales), ("city".to_owned(), Node::Null)]);
    }

    #[test]
    fn every_part_of_a_filter_is_explained() {
        let filter = Filter::read("department eq 'Sales' and city eq 'Bonn'").unwrap();
        let user = user(r#"{"department":"Sales","city":"Köln"}"#);
        let (text, explained) = filter.explain(&user).unwrap();
        assert!(!explained.holds);
        let parts: Vec<_> =
            explained.parts.iter().map(|p| (&text[p.span.start..p.span.end], p.holds)).collect();
        assert_eq!(parts, [("department eq 'Sales'", true), ("city eq 'Bonn'", false)]);
        assert!(Filter::default().explain(&user).is_none());
    }

    #[test]
    fn a_rejected_filter_is_refused_at_its_field_with_message_and_position() {
        let error = Filter::read("department eq 'Sales' and departmnet eq 'x'").unwrap_err();
        assert_eq!(error.field, Field::CustomFilter);
        assert!(error.message.starts_with("Position 27: "), "{}", error.message);
        assert!(Filter::read("department eq").is_err());
    }

    #[test]
    fn what_the_sync_cannot_follow_is_refused() {
        assert!(Filter::read("signInActivity/lastSignInDateTime ge 2026-01-01T00:00:00Z").is_err());
    }

    #[test]
    fn a_filter_that_needs_an_advanced_query_says_so() {
        let filter = Filter::read("companyName eq 'Contoso'").unwrap();
        assert_eq!(filter.for_graph(), Some(("companyName eq 'Contoso'", true)));
    }
}
