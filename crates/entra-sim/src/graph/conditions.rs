//! `$filter` and `$search`: which objects of a list a client wants. Whether Graph takes a filter, and what its
//! two engines say otherwise, is the knowledge of the crate `odata_filter`.

use odata_filter::{Code, Endpoint, Filter, Node, Resource, check_at};
use serde::Deserialize as _;
use serde_json::Value;

use super::Call;
use super::error::GraphError;
use super::search::Search;
use crate::tenant::Object;

/// What an object has to meet to be in the list.
pub(super) struct Conditions {
    /// With the properties it reads.
    filter: Option<(Filter, Vec<String>)>,
    search: Option<Search>,
}

impl Conditions {
    /// Reads and judges both options. `advanced` says which engine the request is for.
    pub(super) fn of(
        call: &Call<'_>,
        resource: Resource,
        endpoint: Endpoint,
        advanced: bool,
    ) -> Result<Self, GraphError> {
        let filter = match call.query.get("$filter") {
            None => None,
            Some(text) => {
                let report = check_at(resource, endpoint, text);
                let refusal = if advanced { report.advanced_engine } else { report.default_engine };
                // The limit is that of an address; a batch has no address for each of its requests.
                let refusal =
                    refusal.filter(|problem| !(call.asked.in_batch && problem.code == Code::TooLong));
                if let Some(problem) = refusal {
                    return Err(GraphError::of_filter(&problem));
                }
                let filter =
                    Filter::compile(resource, text).map_err(|problem| GraphError::of_filter(&problem))?;
                Some((filter, report.properties))
            }
        };
        let search = match call.query.get("$search") {
            None => None,
            Some(_) if !call.eventual() => return Err(GraphError::search_without_header()),
            Some(text) => Some(Search::parse(text)?),
        };
        Ok(Self { filter, search })
    }

    /// Whether every object meets them, since there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.filter.is_none() && self.search.is_none()
    }

    pub(super) fn hold(&self, object: &Object) -> bool {
        let filtered = self.filter.as_ref().is_none_or(|(filter, properties)| {
            let read = properties.iter().map(|name| (name.clone(), node(object.get(name))));
            filter.matches(&Node::Record(read.collect()))
        });
        filtered && self.search.as_ref().is_none_or(|search| search.finds(object))
    }
}

fn node(value: Option<&Value>) -> Node {
    value.and_then(|value| Node::deserialize(value).ok()).unwrap_or(Node::Null)
}
