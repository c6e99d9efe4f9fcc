//! What may follow at the cursor.
//!
//! The text before the cursor is rarely a filter yet, so this does not parse: it walks the tokens with a small
//! machine that knows what is expected next and inside which parentheses it stands.

mod items;

use crate::{
    ast::CompareOp,
    capability::{self, Found, Property, Resource},
    lexer::{Kind, Token, is_ident_part, tokens},
    problem::Span,
};

/// What kind of thing a suggestion is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemKind {
    /// A property, a member or a range variable.
    Property,
    /// `eq`, `in`, …
    Operator,
    /// `startsWith(` and the like.
    Function,
    /// `and`, `or`, `not`, a closing parenthesis.
    Keyword,
    /// A value.
    Literal,
}

/// Something that may stand at the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What to insert.
    pub text: String,
    /// What it is.
    pub kind: ItemKind,
    /// Whether choosing it makes the filter an advanced query.
    pub advanced: bool,
    /// A remark to show beside it: the type, or what to know about a property.
    pub detail: &'static str,
}

/// The suggestions for one place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completions {
    /// What an item replaces: the word around the cursor, possibly empty.
    pub span: Span,
    /// What may stand there, best first.
    pub items: Vec<Item>,
    /// The property whose values are wanted here, for values that occur in the mirror.
    pub values_of: Option<String>,
}

/// What is expected next.
#[derive(Clone, Debug)]
enum State {
    /// A condition: a property, a function, `not`, a parenthesis.
    Condition,
    /// After a path: an operator.
    Operator(String),
    /// After the slash of a path: a member, `any`, `$count`.
    Member(String),
    /// After an operator: a value of this path.
    Value(String, bool),
    /// After a complete condition.
    Joint,
    /// Nothing can be said.
    Silent,
}

/// An open parenthesis.
#[derive(Clone, Debug)]
enum Frame {
    Group,
    /// `startsWith(`, with the path once it is known.
    Function(Option<String>),
    /// `in (`
    List(String),
    /// `proxyAddresses/any(p:`
    Lambda(String, String),
}

/// Suggests what may follow at `cursor`, a byte offset into `text`.
#[must_use]
pub fn complete(resource: Resource, text: &str, cursor: usize) -> Completions {
    let cursor = (0..=cursor.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let before = text.get(..cursor).unwrap_or("");
    let after = text.get(cursor..).unwrap_or("");
    let start = before.trim_end_matches(|c| is_ident_part(c) || c == '$').len();
    let end = cursor + after.len() - after.trim_start_matches(is_ident_part).len();
    let prefix = text.get(start..cursor).unwrap_or("");
    let read = tokens(text.get(..start).unwrap_or(""));
    let mut machine = Machine { resource, text, state: State::Condition, frames: Vec::new() };
    let mut completions = Completions { span: Span::new(start, end), ..Completions::default() };
    if read.error.is_some() {
        // Inside a string: values of the property are all that could help.
        machine.run(&read.list);
        if let (State::Value(path, _), Some(open)) = (&machine.state, read.list.last()) {
            completions.values_of = Some(path.clone());
            completions.span = Span::new(open.span.start, end);
        }
        return completions;
    }
    machine.run(&read.list);
    machine.items(&mut completions);
    let lower = prefix.to_ascii_lowercase();
    // Those that begin with what was typed come before those that merely contain it.
    let rank = |item: &Item| item.text.to_ascii_lowercase().find(&lower).map(|at| at > 0);
    let (first, second): (Vec<Item>, Vec<Item>) = completions
        .items
        .into_iter()
        .filter(|item| rank(item).is_some())
        .partition(|item| rank(item) == Some(false));
    completions.items = first.into_iter().chain(second).collect();
    completions
}

struct Machine<'t> {
    resource: Resource,
    text: &'t str,
    state: State,
    frames: Vec<Frame>,
}

impl Machine<'_> {
    fn run(&mut self, list: &[Token]) {
        for (at, token) in list.iter().enumerate() {
            let next = list.get(at + 1);
            if matches!(token.kind, Kind::End | Kind::Bad) {
                return;
            }
            self.step(*token, next.copied());
        }
    }

    fn step(&mut self, token: Token, next: Option<Token>) {
        let word = token.span.of(self.text);
        let state = std::mem::replace(&mut self.state, State::Silent);
        self.state = match (state, token.kind) {
            (State::Condition, Kind::Ident) if word.eq_ignore_ascii_case("not") => State::Condition,
            (State::Condition, Kind::Ident) => {
                let call =
                    next.is_some_and(|next| next.kind == Kind::Open && next.span.start == token.span.end);
                if call { State::Condition } else { State::Operator(word.to_owned()) }
            }
            (State::Condition, Kind::Open) => {
                let glued =
                    self.text.get(..token.span.start).is_some_and(|before| before.ends_with(is_ident_part));
                let function = glued && !self.text.get(..token.span.start).is_some_and(ends_with_not);
                self.frames.push(if function { Frame::Function(None) } else { Frame::Group });
                State::Condition
            }
            (State::Operator(path), Kind::Slash) => State::Member(path),
            (State::Operator(path), Kind::Ident) => {
                let comparison = CompareOp::ALL.iter().any(|op| op.keyword().eq_ignore_ascii_case(word));
                if comparison {
                    State::Value(path, false)
                } else if word.eq_ignore_ascii_case("in") {
                    State::Value(path, true)
                } else if is_joint(word) {
                    State::Condition
                } else {
                    State::Silent
                }
            }
            (State::Operator(path), Kind::Comma) => match self.frames.last_mut() {
                Some(Frame::Function(known)) => {
                    *known = Some(path.clone());
                    State::Value(path, false)
                }
                _ => State::Silent,
            },
            // `any(p:`
            (State::Operator(variable), Kind::Colon) => match self.frames.last_mut() {
                Some(Frame::Lambda(_, name)) => {
                    *name = variable;
                    State::Condition
                }
                _ => State::Silent,
            },
            (State::Member(path), Kind::Ident) if is_any(word) => State::Member(path),
            (State::Member(path), Kind::Ident) => State::Operator(format!("{path}/{word}")),
            (State::Member(path), Kind::Open) => {
                self.frames.push(Frame::Lambda(path, String::new()));
                State::Condition
            }
            (State::Value(path, true), Kind::Open) => {
                self.frames.push(Frame::List(path.clone()));
                State::Value(path, false)
            }
            (State::Value(..) | State::Joint, Kind::Comma) => match self.frames.last() {
                Some(Frame::List(path)) => State::Value(path.clone(), false),
                _ => State::Silent,
            },
            (State::Joint | State::Operator(_) | State::Value(..), Kind::Close) => {
                self.frames.pop();
                State::Joint
            }
            (State::Joint, Kind::Ident) if is_joint(word) => State::Condition,
            (State::Value(..), kind) if kind != Kind::Open => State::Joint,
            _ => State::Silent,
        };
    }

    /// The row about a path, seen from inside the innermost lambda.
    pub(super) fn row(&self, path: &str) -> Option<&'static Property> {
        for frame in self.frames.iter().rev() {
            if let Frame::Lambda(collection, variable) = frame {
                let Found::Collection(collection) = capability::find(self.resource, collection) else {
                    continue;
                };
                if path == variable {
                    return capability::element(self.resource, collection, None);
                }
                let member = path.strip_prefix(variable.as_str()).and_then(|rest| rest.strip_prefix('/'));
                if let Some(member) = member.filter(|_| !variable.is_empty()) {
                    return capability::element(self.resource, collection, Some(member));
                }
            }
        }
        if let Some(collection) = path.strip_suffix("/$count") {
            return match capability::find(self.resource, collection) {
                Found::Collection(collection) => capability::count(self.resource, collection),
                _ => None,
            };
        }
        match capability::find(self.resource, path) {
            Found::Value(row) | Found::Extension(row) | Found::SchemaExtension(row) => Some(row),
            _ => None,
        }
    }
}

fn is_joint(word: &str) -> bool {
    word.eq_ignore_ascii_case("and") || word.eq_ignore_ascii_case("or")
}

fn is_any(word: &str) -> bool {
    word.eq_ignore_ascii_case("any") || word.eq_ignore_ascii_case("all")
}

/// `not(` and `and(` are no function calls.
fn ends_with_not(before: &str) -> bool {
    let word = before.rsplit(|c| !is_ident_part(c)).next().unwrap_or("");
    word.eq_ignore_ascii_case("not") || is_joint(word)
}
