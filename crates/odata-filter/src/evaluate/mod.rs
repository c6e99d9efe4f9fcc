//! Does a filter take this person in?
//!
//! [`Filter::compile`] resolves names, folds case and parses dates once; after that each object is asked
//! without allocating, which is what counting over a whole mirror needs. How values compare is in
//! [`semantics`]; [`Filter::explain`] walks the same tree and says what each part answered.

mod compile;
mod explain;
mod semantics;

pub use explain::{Explanation, Rule};

use crate::{
    datetime::Instant,
    problem::Span,
    value::{Node, Object, Value},
};

/// A filter that is ready to be asked about objects.
///
/// It is compiled from everything that [`crate::check`] accepts, and from `gt`, `lt`, `contains` and `all`,
/// which Graph refuses for users but whose meaning is plain.
#[derive(Clone, Debug)]
pub struct Filter {
    root: Condition,
}

/// A condition and where it stands in the text.
#[derive(Clone, Debug)]
struct Condition {
    kind: Kind,
    span: Span,
}

#[derive(Clone, Debug)]
enum Kind {
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
    Constant(bool),
    Compare(Operand, Relation, Constant),
    In(Operand, Vec<Constant>),
    Any(Operand, Box<Condition>),
    All(Operand, Box<Condition>),
    Count(Operand, Relation, i64),
}

/// Where a value comes from.
#[derive(Clone, Debug)]
struct Operand {
    source: Source,
    /// Members to go down, in canonical case.
    members: Vec<String>,
}

#[derive(Clone, Debug)]
enum Source {
    /// A property of the object.
    Property(String),
    /// The element of the innermost lambda but `n`.
    Element(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Eq,
    Ne,
    Ge,
    Le,
    Gt,
    Lt,
    StartsWith,
    EndsWith,
    Contains,
}

#[derive(Clone, Debug)]
enum Constant {
    Null,
    Bool(bool),
    /// Folded.
    Text(String),
    Moment(Instant),
    Number(i64),
}

/// The elements that the lambdas around a condition stand at, innermost last.
type Elements<'v> = Vec<Value<'v>>;

impl Filter {
    /// Whether the filter takes `object` in.
    #[must_use]
    pub fn matches(&self, object: &dyn Object) -> bool {
        self.root.holds(object, &mut Vec::new())
    }
}

impl Condition {
    fn holds<'v>(&self, object: &'v dyn Object, elements: &mut Elements<'v>) -> bool {
        match &self.kind {
            Kind::And(parts) => parts.iter().all(|part| part.holds(object, elements)),
            Kind::Or(parts) => parts.iter().any(|part| part.holds(object, elements)),
            Kind::Not(part) => !part.holds(object, elements),
            Kind::Constant(answer) => *answer,
            Kind::Compare(operand, relation, constant) => {
                semantics::compare(operand.value(object, elements), *relation, constant)
            }
            Kind::In(operand, constants) => {
                let value = operand.value(object, elements);
                constants.iter().any(|constant| semantics::equals(value, constant))
            }
            Kind::Any(operand, body) => {
                let list = List(operand.value(object, elements));
                (0..list.len()).any(|at| body.holds_for(list.get(at), object, elements))
            }
            Kind::All(operand, body) => {
                let list = List(operand.value(object, elements));
                (0..list.len()).all(|at| body.holds_for(list.get(at), object, elements))
            }
            Kind::Count(operand, relation, number) => {
                let length = i64::try_from(List(operand.value(object, elements)).len()).unwrap_or(i64::MAX);
                let length = Node::Number(length);
                semantics::compare(Value::Node(&length), *relation, &Constant::Number(*number))
            }
        }
    }

    fn holds_for<'v>(&self, element: Value<'v>, object: &'v dyn Object, elements: &mut Elements<'v>) -> bool {
        elements.push(element);
        let answer = self.holds(object, elements);
        elements.pop();
        answer
    }
}

impl Operand {
    fn value<'v>(&self, object: &'v dyn Object, elements: &Elements<'v>) -> Value<'v> {
        let start = match &self.source {
            Source::Property(name) => object.property(name),
            Source::Element(depth) => {
                let at = elements.len().checked_sub(depth + 1);
                at.and_then(|at| elements.get(at)).copied().unwrap_or(Value::Null)
            }
        };
        self.members.iter().fold(start, |value, member| match value {
            Value::Node(node) => node.member(member).map_or(Value::Null, Value::from),
            _ => Value::Null,
        })
    }
}

/// A value seen as a collection; anything else is an empty one.
struct List<'v>(Value<'v>);

impl<'v> List<'v> {
    fn len(&self) -> usize {
        match self.0 {
            Value::Texts(items) => items.len(),
            Value::Node(Node::List(items)) => items.len(),
            _ => 0,
        }
    }

    fn get(&self, at: usize) -> Value<'v> {
        match self.0 {
            Value::Texts(items) => items.get(at).map_or(Value::Null, |text| Value::Text(text)),
            Value::Node(Node::List(items)) => items.get(at).map_or(Value::Null, Value::from),
            _ => Value::Null,
        }
    }
}
