//! The custom filter: the one place where this crate meets the filter language.

use domain::{
    object::DirectoryUser,
    settings::{Field, FieldError},
};
use odata_filter::{Code, Filter as Compiled, Node, Resource, Verdict, check};

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
            FieldError::new(Field::CustomFilter, format!("Position {position}: {}{hint}", problem.message))
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

    /// Whether the filter takes the user in. Attributes that cannot be read are like those of somebody of whom nothing is known.
    pub(crate) fn matches(&self, user: &DirectoryUser) -> bool {
        let Some(parts) = &self.0 else { return true };
        let attributes = serde_json::from_str(&user.attributes).unwrap_or(Node::Record(Vec::new()));
        parts.compiled.matches(&attributes)
    }
}

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
