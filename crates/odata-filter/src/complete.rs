//! What may follow at the cursor.
//!
//! The text before the cursor is rarely a filter yet, so this does not parse: it walks the tokens with a small
//! machine that knows what is expected next and inside which parentheses it stands.

use crate::{
    ast::CompareOp,
    capability::{self, EdmType, Found, Ops, Property, Resource, Shape},
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
    completions.items.retain(|item| item.text.to_ascii_lowercase().contains(&lower));
    completions.items.sort_by_key(|item| !item.text.to_ascii_lowercase().starts_with(&lower));
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
    fn row(&self, path: &str) -> Option<&'static Property> {
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

    fn items(&self, completions: &mut Completions) {
        let items = &mut completions.items;
        match &self.state {
            State::Silent => {}
            State::Condition => self.conditions(items),
            State::Member(path) => self.members(path, items),
            State::Operator(path) => {
                self.operators(path, items);
                if let Some(Frame::Function(_)) = self.frames.last() {
                    items.retain(|item| item.text == "/");
                    items.push(plain(",", ItemKind::Keyword));
                }
            }
            State::Value(path, list) => {
                let row = self.row(path);
                if *list {
                    items.push(plain("(", ItemKind::Keyword));
                } else {
                    values(row, items);
                }
                completions.values_of = row.map(|row| match row.member {
                    Some(member) => format!("{}/{member}", row.path),
                    None => row.path.to_owned(),
                });
            }
            State::Joint => {
                if !self.frames.is_empty() {
                    if let Some(Frame::List(_)) = self.frames.last() {
                        items.push(plain(",", ItemKind::Keyword));
                    }
                    items.push(plain(")", ItemKind::Keyword));
                }
                if matches!(self.frames.last(), None | Some(Frame::Group | Frame::Lambda(..))) {
                    items.push(plain("and", ItemKind::Keyword));
                    items.push(plain("or", ItemKind::Keyword));
                }
            }
        }
    }

    fn conditions(&self, items: &mut Vec<Item>) {
        let function = matches!(self.frames.last(), Some(Frame::Function(_)));
        let lambda = self.frames.iter().rev().find_map(|frame| match frame {
            Frame::Lambda(collection, variable) => Some((collection, variable)),
            _ => None,
        });
        match lambda {
            // Right behind `any(` the range variable is named.
            Some((_, variable)) if variable.is_empty() => {
                items.push(plain("x:", ItemKind::Property));
                return;
            }
            Some((_, variable)) => items.push(plain(variable, ItemKind::Property)),
            None => self.roots(function, items),
        }
        if !function {
            items.push(plain("startsWith(", ItemKind::Function));
            let ends = Item { advanced: true, ..plain("endsWith(", ItemKind::Function) };
            items.push(ends);
            items.push(Item { advanced: true, ..plain("not", ItemKind::Keyword) });
            items.push(plain("(", ItemKind::Keyword));
        }
    }

    /// The properties that a filter can begin with, each once.
    fn roots(&self, function: bool, items: &mut Vec<Item>) {
        let text = |row: &Property| {
            let takes = |op: Ops| [row.default, row.advanced, row.doubtful].iter().any(|ops| ops.has(op));
            row.shape == Shape::Single && (takes(Ops::STARTS_WITH) || takes(Ops::ENDS_WITH))
        };
        let rows = capability::properties(self.resource).iter();
        for row in rows.filter(|row| row.is_filterable() && !row.pattern && (!function || text(row))) {
            let name = row.path.split('/').next().unwrap_or(row.path);
            if items.iter().all(|item| item.text != name) {
                items.push(Item {
                    text: name.to_owned(),
                    kind: ItemKind::Property,
                    advanced: row.default == Ops::default(),
                    detail: if row.path == name { row.notes } else { "" },
                });
            }
        }
    }

    fn members(&self, path: &str, items: &mut Vec<Item>) {
        let lambda = self.frames.iter().rev().find_map(|frame| match frame {
            Frame::Lambda(collection, variable) if variable == path => Some(collection.as_str()),
            _ => None,
        });
        let target = capability::find(self.resource, lambda.unwrap_or(path));
        let rows = capability::properties(self.resource).iter().filter(|row| row.is_filterable());
        match target {
            Found::Collection(collection) if lambda.is_some() => {
                for row in rows.filter(|row| row.path == collection) {
                    items.extend(row.member.map(|member| property(member, row)));
                }
            }
            Found::Collection(collection) => {
                for row in rows.filter(|row| row.path == collection) {
                    let text = if row.shape == Shape::Count { "$count" } else { "any(" };
                    if items.iter().all(|item| item.text != text) {
                        items.push(Item { kind: ItemKind::Function, ..property(text, row) });
                    }
                }
            }
            Found::Complex(parent) => {
                for row in rows {
                    let member = row.path.strip_prefix(parent).and_then(|rest| rest.strip_prefix('/'));
                    items.extend(member.map(|member| property(member, row)));
                }
            }
            _ => {}
        }
    }

    fn operators(&self, path: &str, items: &mut Vec<Item>) {
        let Some(row) = self.row(path) else {
            // A collection, a structured value or a range variable over structured elements.
            let lambda =
                self.frames.iter().any(|frame| matches!(frame, Frame::Lambda(_, name) if name == path));
            let found = capability::find(self.resource, path);
            if lambda || matches!(found, Found::Collection(_) | Found::Complex(_)) {
                items.push(plain("/", ItemKind::Keyword));
            }
            return;
        };
        if row.shape == Shape::Count {
            for word in ["eq", "ne"] {
                items.push(Item { advanced: true, ..plain(word, ItemKind::Operator) });
            }
            return;
        }
        let single = row.shape == Shape::Single;
        for (word, op) in
            [("eq", Ops::EQ), ("ne", Ops::NE), ("in", Ops::IN), ("ge", Ops::GE), ("le", Ops::LE)]
        {
            // G1 and G2: `in` goes with `eq`; `ne` too, and with `eq null`, but not inside a lambda.
            let base = match word {
                "in" => Ops::EQ,
                "ne" if single && row.default.has(Ops::EQ) | row.advanced.has(Ops::EQ) => Ops::EQ,
                "eq" if !row.default.has(op) && !row.advanced.has(op) => Ops::EQ_NULL,
                _ => op,
            };
            if row.default.has(base) || row.advanced.has(base) {
                let advanced = word == "ne" || !row.default.has(base);
                items.push(Item { advanced, ..plain(word, ItemKind::Operator) });
            }
        }
    }
}

fn values(row: Option<&'static Property>, items: &mut Vec<Item>) {
    let Some(row) = row else { return };
    let mut literals: Vec<&'static str> = match (row.shape, row.edm) {
        (Shape::Count, _) => vec!["0"],
        (_, EdmType::Bool) => vec!["true", "false"],
        (_, EdmType::Text | EdmType::Any) => vec!["'"],
        _ => Vec::new(),
    };
    if row.shape == Shape::Count && row.advanced.has(Ops::COUNT_1) {
        literals.push("1");
    }
    items.extend(literals.into_iter().map(|text| plain(text, ItemKind::Literal)));
    if row.default.has(Ops::EQ_NULL) || row.advanced.has(Ops::EQ_NULL) {
        let advanced = !row.default.has(Ops::EQ_NULL);
        items.push(Item { advanced, ..plain("null", ItemKind::Literal) });
    }
}

fn property(text: &str, row: &Property) -> Item {
    let advanced = row.default == Ops::default();
    Item { text: text.to_owned(), kind: ItemKind::Property, advanced, detail: row.notes }
}

fn plain(text: &str, kind: ItemKind) -> Item {
    Item { text: text.to_owned(), kind, advanced: false, detail: "" }
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
