//! The suggestions themselves, once it is known what is expected.

use super::{Completions, Frame, Item, ItemKind, Machine, State};
use crate::capability::{self, EdmType, Found, Ops, Property, Shape};

impl Machine<'_> {
    pub(super) fn items(&self, completions: &mut Completions) {
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
