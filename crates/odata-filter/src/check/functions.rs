//! Binding of function calls.

use super::types::{BOOL, Binder, TEXT, Type};
use crate::{
    ast::{Expr, ExprKind, Name},
    problem::{Code, Problem, Span},
};

impl Binder<'_> {
    pub(super) fn call(&mut self, name: &Name, arguments: &[Expr], span: Span) -> Type {
        let lower = name.text.to_ascii_lowercase();
        let Some((_, arity, result)) = FUNCTIONS.iter().find(|(known, ..)| *known == lower) else {
            let message = format!(
                "An unknown function with name '{}' was found. This may also be a function import or a key lookup \
                 on a navigation property, which is not allowed.",
                name.text
            );
            let problem = Problem::clause(message, name.span);
            return self.complain(match lower.as_str() {
                "substringof" | "like" | "begins" | "beginswith" | "starts" => {
                    problem.hint("Use startsWith(property,'beginning').").fix(name.span, "startsWith")
                }
                "ends" => problem.hint("Use endsWith(property,'end').").fix(name.span, "endsWith"),
                "any" | "all" => problem.hint("A collection comes first: proxyAddresses/any(x:…)."),
                _ => problem.hint("Graph filters users by startsWith and endsWith."),
            });
        };
        if matches!(lower.as_str(), "isof" | "cast") {
            return self.type_function(&lower, arguments, span);
        }
        let types: Vec<Type> = arguments.iter().map(|argument| self.expr(argument)).collect();
        let text_only = matches!(lower.as_str(), "contains" | "startswith" | "endswith");
        let misfit = |found: &Type| {
            matches!(found, Type::Collection | Type::Complex(_))
                || (text_only && *found != TEXT && !found.is_loose())
        };
        if !arity.contains(&types.len()) || types.iter().any(misfit) {
            let message = format!(
                "No function signature for the function with name '{lower}' matches the specified arguments."
            );
            let message = if text_only {
                format!(
                    "{message} The function signatures considered are: {lower}(Edm.String Nullable=true, Edm.String \
                     Nullable=true)."
                )
            } else {
                message
            };
            let problem = Problem::clause(message, span);
            self.complain(match (types.first(), arguments.first().map(|argument| &argument.kind)) {
                (Some(Type::Collection), Some(ExprKind::Path(path))) => {
                    let value = arguments.get(1).map_or("'…'", |argument| argument.span.of(self.text));
                    problem
                        .hint("A collection is asked for an element.")
                        .fix(span, format!("{}/any(x:{}(x,{value}))", path.text(), name.text))
                }
                _ if text_only => problem.hint(format!("{}(property,'text') takes text.", name.text)),
                _ => problem,
            });
        }
        Type::Edm(result)
    }

    /// `isof` and `cast` name a type, either as the only argument or after a value. A quoted name is no type.
    fn type_function(&mut self, name: &str, arguments: &[Expr], span: Span) -> Type {
        let named = matches!(arguments.last().map(|last| &last.kind), Some(ExprKind::Path(_)));
        if !named {
            let message = "Cast or IsOf Function must have a type in its arguments.";
            self.problems.push(Problem::new(Code::RequestBadRequest, message, span));
        }
        if name == "isof" { BOOL } else { Type::Open }
    }
}

/// The functions of the language: name in lower case, how many arguments, type of the result.
const FUNCTIONS: [(&str, std::ops::RangeInclusive<usize>, &str); 33] = [
    ("contains", 2..=2, "Edm.Boolean"),
    ("startswith", 2..=2, "Edm.Boolean"),
    ("endswith", 2..=2, "Edm.Boolean"),
    ("matchespattern", 2..=2, "Edm.Boolean"),
    ("isof", 1..=2, "Edm.Boolean"),
    ("cast", 1..=2, "Edm.Boolean"),
    ("length", 1..=1, "Edm.Int32"),
    ("indexof", 2..=2, "Edm.Int32"),
    ("concat", 2..=2, "Edm.String"),
    ("substring", 2..=3, "Edm.String"),
    ("tolower", 1..=1, "Edm.String"),
    ("toupper", 1..=1, "Edm.String"),
    ("trim", 1..=1, "Edm.String"),
    ("year", 1..=1, "Edm.Int32"),
    ("month", 1..=1, "Edm.Int32"),
    ("day", 1..=1, "Edm.Int32"),
    ("hour", 1..=1, "Edm.Int32"),
    ("minute", 1..=1, "Edm.Int32"),
    ("second", 1..=1, "Edm.Int32"),
    ("fractionalseconds", 1..=1, "Edm.Decimal"),
    ("totalseconds", 1..=1, "Edm.Decimal"),
    ("totaloffsetminutes", 1..=1, "Edm.Int32"),
    ("date", 1..=1, "Edm.Date"),
    ("time", 1..=1, "Edm.TimeOfDay"),
    ("now", 0..=0, "Edm.DateTimeOffset"),
    ("maxdatetime", 0..=0, "Edm.DateTimeOffset"),
    ("mindatetime", 0..=0, "Edm.DateTimeOffset"),
    ("round", 1..=1, "Edm.Double"),
    ("floor", 1..=1, "Edm.Double"),
    ("ceiling", 1..=1, "Edm.Double"),
    ("geo.distance", 2..=2, "Edm.Double"),
    ("geo.length", 1..=1, "Edm.Double"),
    ("geo.intersects", 2..=2, "Edm.Boolean"),
];
