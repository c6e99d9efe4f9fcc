//! Everything that is done with a text, for the property tests and for the fuzz targets.

use odata_filter::{Endpoint, Filter, Node, Resource, check, check_at, complete, ldap, parse};

/// Everything the crate does with a text; nothing of it may panic, and all places must be in the text.
pub fn exercise(text: &str) {
    for resource in [Resource::Users, Resource::Groups] {
        let report = check(resource, text);
        let spans = report.clauses.iter().map(|clause| clause.span);
        let spans = spans.chain(report.problems.iter().map(|problem| problem.span));
        let fixes = report.problems.iter().filter_map(|problem| problem.fix.as_ref());
        for span in spans.chain(fixes.map(|fix| fix.span)) {
            assert!(text.get(span.start..span.end).is_some(), "{span:?} is not in {text:?}");
        }
        let delta = check_at(resource, Endpoint::Delta, text);
        assert!(delta.properties.len() <= text.len());
        if let Ok(filter) = Filter::compile(resource, text) {
            assert_eq!(filter.explain(&Node::Null).holds, filter.matches(&Node::Null));
        }
    }
    for cursor in [0, text.len() / 2, text.len()] {
        let completions = complete(Resource::Users, text, cursor);
        assert!(text.get(completions.span.start..completions.span.end).is_some());
    }
    if let Ok(tree) = parse(text) {
        assert_eq!(parse(&tree.to_string()).as_ref(), Ok(&tree), "{text:?} prints as {tree}");
    }
}

/// The same for a text as a filter of LDAP.
pub fn exercise_ldap(text: &str) {
    let report = ldap::check(text);
    let fix = report.problem.as_ref().and_then(|problem| problem.fix.as_ref());
    for span in report.problem.iter().map(|problem| problem.span).chain(fix.map(|fix| fix.span)) {
        assert!(text.get(span.start..span.end).is_some(), "{span:?} is not in {text:?}");
    }
    if let Ok(filter) = ldap::parse(text) {
        assert_eq!(ldap::parse(&filter.to_string()), Ok(filter.clone()), "{text:?} prints as {filter}");
        let entry = [("cn".to_owned(), vec![b"x".to_vec()])];
        assert_eq!(filter.explain(entry.as_slice()).holds, filter.matches(entry.as_slice()));
    }
}
