//! Microsoft Graph's `$filter` on users and groups: one implementation for the browser and the server.
//!
//! An administrator restricts a sync by a filter and wants to know, before saving it, whether Graph takes it,
//! whom it takes in, and why. This crate answers without asking anybody:
//!
//! * [`check`] gives Graph's verdict, for each clause and for the whole, with Graph's own message, the place
//!   and a correction. Where the sources disagree the verdict is "accepted" with [`Code::Uncertain`].
//! * [`complete`] says what may follow at the cursor.
//! * [`Filter`] evaluates a filter on a directory object, and explains the answer part by part.
//! * [`parse`] gives the syntax tree ([`ast`]); its `Display` prints it so that it reads back the same.
//! * [`ldap`] does the same for the search filters of LDAP (RFC 4515).
//!
//! The crate does no I/O, has no dependency, and returns on any input: text and nesting are limited before
//! anything recurses. The capability tables of Graph are files under `data/`; see [`properties`].
//!
//! ```
//! use odata_filter::{Filter, Node, Resource, Verdict, check};
//!
//! let report = check(Resource::Users, "companyName eq 'Contoso' and accountEnabled eq true");
//! assert_eq!(report.verdict, Verdict::AcceptedAdvanced);
//! assert_eq!(report.properties, ["companyName", "accountEnabled"]);
//!
//! let report = check(Resource::Users, "departmnet eq 'Sales'");
//! let problem = report.problem.unwrap();
//! assert_eq!(problem.code.as_str(), "Request_UnsupportedQuery");
//! assert_eq!(problem.fix.unwrap().replacement, "department");
//!
//! let filter = Filter::compile(Resource::Users, "department in ('Sales','Retail')")?;
//! let person = Node::Record(vec![("department".into(), Node::Text("sales".into()))]);
//! assert!(filter.matches(&person));
//! # Ok::<(), odata_filter::Problem>(())
//! ```

pub mod ast;
mod capability;
mod check;
mod complete;
mod datetime;
mod evaluate;
pub mod ldap;
mod lexer;
mod parser;
mod print;
mod problem;
mod resolve;
mod suggest;
mod value;

pub use capability::{EdmType, Property, Resource, Shape, properties};
pub use check::{
    Clause, Endpoint, MAX_ADDRESS, MAX_ALTERNATIVES, MAX_DELTA_IDS, MAX_HEIGHT, MAX_VALUE, Report, Verdict,
    check, check_at,
};
pub use complete::{Completions, Item, ItemKind, complete};
pub use evaluate::{Explanation, Filter, Rule};
pub use parser::{MAX_LENGTH, MAX_NESTING, parse};
pub use problem::{Code, Fix, Problem, Span};
pub use value::{Node, Object, Value};
