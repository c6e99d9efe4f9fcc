//! The search filters of LDAP, RFC 4515: `(&(objectClass=user)(!(department=Sales*)))`.
//!
//! The custom filter of an LDAP service is evaluated on the mirror like that of Entra ID, so it gets the same
//! treatment: [`parse`] with places and corrections, [`check`], [`Filter::matches`], [`Filter::explain`], and
//! a `Display` that reads back the same.
//!
//! ```
//! use odata_filter::ldap;
//!
//! let filter = ldap::parse("(&(objectClass=person)(mail=*@contoso.com))")?;
//! let entry = [
//!     ("objectClass".to_owned(), vec![b"top".to_vec(), b"person".to_vec()]),
//!     ("mail".to_owned(), vec![b"Anna@Contoso.com".to_vec()]),
//! ];
//! assert!(filter.matches(entry.as_slice()));
//! # Ok::<(), odata_filter::Problem>(())
//! ```

mod evaluate;
mod parse;
mod print;

pub use evaluate::Entry;
pub use parse::parse;

use crate::problem::{Code, Problem, Span};

/// A search filter or a part of one.
#[derive(Clone, Debug)]
pub struct Filter {
    /// What it asks.
    pub kind: FilterKind,
    /// Where it stands, with its parentheses.
    pub span: Span,
}

/// Two filters are equal when they ask the same, wherever they stood.
impl PartialEq for Filter {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

/// The kinds of filter.
#[derive(Clone, Debug, PartialEq)]
pub enum FilterKind {
    /// `(&…)`; without parts it is true (RFC 4526).
    And(Vec<Filter>),
    /// `(|…)`; without parts it is false (RFC 4526).
    Or(Vec<Filter>),
    /// `(!…)`
    Not(Box<Filter>),
    /// `(cn=*)`
    Present(String),
    /// `(cn=Anna)` and the like.
    Compare(String, Comparison, Vec<u8>),
    /// `(cn=An*a)`: the beginning, the parts between the stars, the end.
    Substrings(String, Vec<u8>, Vec<Vec<u8>>, Vec<u8>),
    /// `(userAccountControl:1.2.840.113556.1.4.803:=2)`
    Extensible {
        /// The attribute, unless the rule is to run over all of them.
        attribute: Option<String>,
        /// `:dn`: the attributes in the entry's name count too.
        dn: bool,
        /// The matching rule; without one, that of equality.
        rule: Option<String>,
        /// The value.
        value: Vec<u8>,
    },
}

/// How an attribute is compared with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Comparison {
    Equal,
    Approximate,
    AtLeast,
    AtMost,
}

/// The matching rules that can be evaluated on one entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// All bits of the value are set (Active Directory).
    BitAnd,
    /// Any bit of the value is set (Active Directory).
    BitOr,
    CaseIgnore,
    CaseExact,
    Integer,
    Octets,
}

impl Rule {
    /// By its number or name.
    fn find(name: &str) -> Option<Rule> {
        Some(match name.to_ascii_lowercase().as_str() {
            "1.2.840.113556.1.4.803" => Rule::BitAnd,
            "1.2.840.113556.1.4.804" => Rule::BitOr,
            "2.5.13.2" | "caseignorematch" | "1.3.6.1.4.1.1466.109.114.2" | "caseignoreia5match" => {
                Rule::CaseIgnore
            }
            "2.5.13.5" | "caseexactmatch" | "1.3.6.1.4.1.1466.109.114.1" | "caseexactia5match" => {
                Rule::CaseExact
            }
            "2.5.13.14" | "integermatch" => Rule::Integer,
            "2.5.13.17" | "octetstringmatch" => Rule::Octets,
            _ => return None,
        })
    }
}

/// Everything there is to say about a search filter.
#[derive(Clone, Debug)]
pub struct Report {
    /// Why it is refused: it cannot be read ([`Code::InvalidLdapFilter`]), or not evaluated on one entry
    /// ([`Code::NotFollowed`]). `None` when it is accepted.
    pub problem: Option<Problem>,
    /// The attributes it asks for, as written, each once.
    pub attributes: Vec<String>,
}

/// Checks a search filter.
#[must_use]
pub fn check(text: &str) -> Report {
    let mut report = Report { problem: None, attributes: Vec::new() };
    match parse(text) {
        Ok(filter) => filter.visit(&mut report),
        Err(problem) => report.problem = Some(problem),
    }
    report
}

impl Filter {
    fn visit(&self, report: &mut Report) {
        let attribute = match &self.kind {
            FilterKind::And(parts) | FilterKind::Or(parts) => {
                return parts.iter().for_each(|part| part.visit(report));
            }
            FilterKind::Not(part) => return part.visit(report),
            FilterKind::Present(attribute)
            | FilterKind::Compare(attribute, ..)
            | FilterKind::Substrings(attribute, ..) => Some(attribute),
            FilterKind::Extensible { attribute, dn, rule, .. } => {
                let problem = self.not_followed(attribute.as_deref(), *dn, rule.as_deref());
                report.problem = report.problem.take().or(problem);
                attribute.as_ref()
            }
        };
        if let Some(attribute) = attribute
            && report.attributes.iter().all(|known| !known.eq_ignore_ascii_case(attribute))
        {
            report.attributes.push(attribute.clone());
        }
    }

    fn not_followed(&self, attribute: Option<&str>, dn: bool, rule: Option<&str>) -> Option<Problem> {
        let message = match rule {
            Some("1.2.840.113556.1.4.1941") => {
                "This rule follows memberships through the directory, which the mirror cannot do."
            }
            Some(rule) if Rule::find(rule).is_none() => "This matching rule is not known here.",
            _ if dn => "The attributes of an entry's name are not in the mirror.",
            _ if attribute.is_none() => "A rule without an attribute cannot be evaluated on the mirror.",
            _ => return None,
        };
        let problem = Problem::new(Code::NotFollowed, message, self.span);
        Some(problem.hint("Put this condition into the user filter, which the server evaluates."))
    }
}
