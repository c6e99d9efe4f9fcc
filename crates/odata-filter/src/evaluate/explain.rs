//! Why a person is in or out: the tree of the filter with the answer at each node.

use super::{Condition, Elements, Filter, Kind, List};
use crate::{
    problem::Span,
    value::{Object, Value},
};

/// How a part of the filter comes to its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// All of its parts have to hold.
    And,
    /// One of its parts has to hold.
    Or,
    /// Its part must not hold.
    Not,
    /// One element of a collection has to fit.
    Any,
    /// All elements of a collection have to fit.
    All,
    /// It compares a value.
    Value,
}

/// A part of the filter and what it answers for one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// How it comes to its answer.
    pub rule: Rule,
    /// The part of the text.
    pub span: Span,
    /// Its answer.
    pub holds: bool,
    /// The value that was compared, as text; `None` for `and`, `or`, `not` and for a missing value.
    pub found: Option<String>,
    /// The answers of its parts. Below `any` and `all` there is one entry per element, in order.
    pub parts: Vec<Explanation>,
}

impl Filter {
    /// Asks every part of the filter about `object`, also those that the answer does not depend on.
    #[must_use]
    pub fn explain(&self, object: &dyn Object) -> Explanation {
        self.root.explain(object, &mut Vec::new())
    }
}

/// Elements of a collection that are explained one by one.
const MAX_ELEMENTS: usize = 100;

impl Condition {
    fn explain<'v>(&self, object: &'v dyn Object, elements: &mut Elements<'v>) -> Explanation {
        let mut found = None;
        let parts: Vec<Explanation> = match &self.kind {
            Kind::And(parts) | Kind::Or(parts) => {
                parts.iter().map(|part| part.explain(object, elements)).collect()
            }
            Kind::Not(part) => vec![part.explain(object, elements)],
            Kind::Any(operand, body) | Kind::All(operand, body) => {
                let list = List(operand.value(object, elements));
                (0..list.len().min(MAX_ELEMENTS))
                    .map(|at| {
                        elements.push(list.get(at));
                        let part = body.explain(object, elements);
                        elements.pop();
                        part
                    })
                    .collect()
            }
            Kind::Constant(_) => Vec::new(),
            Kind::Compare(operand, ..) | Kind::In(operand, ..) => {
                found = shown(operand.value(object, elements));
                Vec::new()
            }
            Kind::Count(operand, ..) => {
                found = Some(List(operand.value(object, elements)).len().to_string());
                Vec::new()
            }
        };
        let holds = match &self.kind {
            // The parts have been asked; asking again would cost the square of the depth.
            Kind::And(_) => parts.iter().all(|part| part.holds),
            Kind::Or(_) => parts.iter().any(|part| part.holds),
            Kind::Not(_) => !parts.iter().any(|part| part.holds),
            _ => self.holds(object, elements),
        };
        let rule = match &self.kind {
            Kind::And(_) => Rule::And,
            Kind::Or(_) => Rule::Or,
            Kind::Not(_) => Rule::Not,
            Kind::Any(..) => Rule::Any,
            Kind::All(..) => Rule::All,
            Kind::Constant(_) | Kind::Compare(..) | Kind::In(..) | Kind::Count(..) => Rule::Value,
        };
        Explanation { rule, span: self.span, holds, found, parts }
    }
}

fn shown(value: Value<'_>) -> Option<String> {
    match value {
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Text(text) => Some(text.to_owned()),
        _ => None,
    }
}
