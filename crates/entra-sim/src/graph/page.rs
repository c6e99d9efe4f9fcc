//! Pages of any list of objects, and its count: `$top`, `$count`, `$filter`, `$search`, `$orderby` and the link
//! to the next page (contract 2.1, 2.4).

use std::cmp::Ordering;

use odata_filter::{Endpoint, Resource};
use serde_json::{Value, json};

use super::Call;
use super::conditions::Conditions;
use super::error::GraphError;
use super::link::{self, PageToken};
use super::query::Select;
use super::reply::Reply;
use crate::tenant::{Kind, Object, Reference};

/// The options of a page; a link to the next repeats them.
const OPTIONS: &[&str] = &["$select", "$top", "$count", "$filter", "$search", "$orderby"];

/// A list that is read page by page.
pub(super) struct Collection<'a> {
    /// Below the version, `groups/…/members`.
    pub(super) path: String,
    /// What the context calls it.
    pub(super) set: &'static str,
    /// The type that filters and orders are judged by.
    pub(super) kind: Kind,
    pub(super) nature: Nature,
    /// How many positions it has.
    pub(super) positions: usize,
    /// What stands at a position; nothing where something was deleted.
    pub(super) at: &'a dyn Fn(usize) -> Option<Reference>,
    /// What a client gets of it.
    pub(super) item: &'a dyn Fn(Reference, Option<&Select>) -> Object,
    /// Resource units of a page, before the discounts.
    pub(super) cost: u32,
}

/// Where a list comes from: the engines differ in what they take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nature {
    /// All users or groups.
    Set,
    /// The recycle bin.
    Bin,
    /// Members of a group.
    Relation,
}

impl Collection<'_> {
    /// One page.
    pub(super) fn page(&self, call: &Call<'_>) -> Result<Reply, GraphError> {
        call.query.only(&[OPTIONS, &["$skiptoken"]].concat(), call.eventual())?;
        let top = call.query.top()?;
        let select = call.query.select();
        let advanced = call.advanced()?;
        let conditions = self.conditions(call, advanced)?;
        let order = self.order(call, advanced, &conditions)?;
        let wanted = |position: usize| {
            (self.at)(position)
                .filter(|of| conditions.is_empty() || conditions.hold(&call.directory.object(*of)))
        };
        let sorted = order.map(|order| {
            let mut all: Vec<(Key, Reference)> = (0..self.positions)
                .filter_map(wanted)
                .map(|of| (Key::of(&call.directory.object(of), order.property), of))
                .collect();
            all.sort_by(|(one, _), (other, _)| one.compare(other, order.descending));
            all
        });
        let positions = sorted.as_ref().map_or(self.positions, Vec::len);
        let at = |position: usize| match &sorted {
            Some(sorted) => sorted.get(position).map(|(_, of)| *of),
            None => wanted(position),
        };

        let token = call.query.get("$skiptoken");
        let from = match token {
            None => 0,
            Some(token) => link::decode::<PageToken>(token)
                .filter(|token| token.path == self.path && token.generation == call.generation)
                .map(|token| token.at)
                .ok_or_else(GraphError::expired_page)?,
        };
        let mut value = Vec::with_capacity(top.min(positions));
        let mut next = None;
        for position in from..positions {
            let Some(of) = at(position) else { continue };
            if value.len() == top {
                next = Some(position);
                break;
            }
            value.push(Value::Object((self.item)(of, select.as_ref())));
        }

        let mut body = Object::new();
        body.insert("@odata.context".to_owned(), json!(context(call, self.set, select.as_ref())));
        if advanced && token.is_none() {
            let count = match &sorted {
                Some(sorted) => sorted.len(),
                None => (0..positions).filter_map(wanted).count(),
            };
            body.insert("@odata.count".to_owned(), json!(count));
        }
        if let Some(at) = next {
            let token = PageToken { path: self.path.clone(), generation: call.generation, at };
            body.insert("@odata.nextLink".to_owned(), json!(self.next_link(call, &link::encode(&token))));
        }
        body.insert("value".to_owned(), Value::Array(value));
        let discount = u32::from(select.is_some()) + u32::from(top < 20);
        Ok(Reply::json(Value::Object(body), self.cost.saturating_sub(discount).max(1)))
    }

    /// `/$count`: the segment itself asks for the advanced engine, but the header is needed.
    pub(super) fn count(&self, call: &Call<'_>) -> Result<Reply, GraphError> {
        call.query.only(&["$filter", "$search"], call.eventual())?;
        if !call.eventual() {
            return Err(GraphError::count_not_supported());
        }
        let conditions = self.conditions(call, true)?;
        let all = (0..self.positions).filter_map(self.at);
        let count = all.filter(|of| conditions.is_empty() || conditions.hold(&call.directory.object(*of)));
        Ok(Reply::count(count.count()))
    }

    fn conditions(&self, call: &Call<'_>, advanced: bool) -> Result<Conditions, GraphError> {
        let resource = if self.kind == Kind::Group { Resource::Groups } else { Resource::Users };
        let endpoint = if self.nature == Nature::Relation { Endpoint::Members } else { Endpoint::List };
        Conditions::of(call, resource, endpoint, advanced)
    }

    fn order(
        &self,
        call: &Call<'_>,
        advanced: bool,
        conditions: &Conditions,
    ) -> Result<Option<Order>, GraphError> {
        let Some(text) = call.query.get("$orderby") else { return Ok(None) };
        let order = Order::parse(text, self.kind)?;
        let by_default = order.by_default && self.nature == Nature::Set;
        if !advanced && (!conditions.is_empty() || self.nature == Nature::Relation) {
            return Err(GraphError::unsupported_query("Sorting not supported for current query."));
        }
        if !advanced && !by_default {
            return Err(unsupported_property());
        }
        Ok(Some(order))
    }

    /// The next link repeats the options, not the headers.
    fn next_link(&self, call: &Call<'_>, token: &str) -> String {
        let mut query = String::new();
        for name in OPTIONS {
            if let Some(value) = call.query.get(name) {
                let value: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
                query.push_str(&format!("{name}={value}&"));
            }
        }
        format!("{}/{}?{query}$skiptoken={token}", call.base, self.path)
    }
}

/// `…/$metadata#users(id,displayName)`
pub(super) fn context(call: &Call<'_>, set: &str, select: Option<&Select>) -> String {
    let selected = select.map(|select| format!("({})", select.list())).unwrap_or_default();
    format!("{}/$metadata#{set}{selected}", call.base)
}

/// `$orderby`: one property.
#[derive(Debug, Clone, Copy)]
struct Order {
    property: &'static str,
    /// The default engine can sort by it.
    by_default: bool,
    descending: bool,
}

impl Order {
    fn parse(text: &str, kind: Kind) -> Result<Self, GraphError> {
        let mut words = text.split_whitespace();
        let name = words.next().unwrap_or_default();
        let descending = match words.next() {
            None => false,
            Some(word) if word.eq_ignore_ascii_case("asc") => false,
            Some(word) if word.eq_ignore_ascii_case("desc") => true,
            Some(_) => return Err(unsupported_property()),
        };
        let known: &[(&str, bool)] = if kind == Kind::Group {
            &[("displayName", true), ("createdDateTime", false), ("deletedDateTime", false)]
        } else {
            &[
                ("displayName", true),
                ("userPrincipalName", true),
                ("createdDateTime", false),
                ("deletedDateTime", false),
            ]
        };
        let found = known.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        match found.filter(|_| words.next().is_none()) {
            Some((property, by_default)) => Ok(Self { property, by_default: *by_default, descending }),
            None => Err(unsupported_property()),
        }
    }
}

fn unsupported_property() -> GraphError {
    GraphError::unsupported_query("An unsupported property was specified.")
}

/// What an object is sorted by: text without regard to case. Who has none comes first, as OData has it.
struct Key(Option<String>);

impl Key {
    fn of(object: &Object, property: &str) -> Self {
        Self(object.get(property).and_then(Value::as_str).map(str::to_lowercase))
    }

    fn compare(&self, other: &Self, descending: bool) -> Ordering {
        let ascending = self.0.cmp(&other.0);
        if descending { ascending.reverse() } else { ascending }
    }
}
