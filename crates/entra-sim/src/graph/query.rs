//! Query options: reading them in whatever way they were encoded, and refusing the ones a route does not have.

use super::error::GraphError;
use crate::tenant::Object;

const OPTIONS: &[&str] = &[
    "$select",
    "$top",
    "$count",
    "$skiptoken",
    "$deltatoken",
    "$filter",
    "$orderby",
    "$search",
    "$expand",
    "$skip",
];
const DEFAULT_PAGE: usize = 100;
const LARGEST_PAGE: usize = 999;

/// The options of one request.
pub(super) struct Query {
    options: Vec<(String, String)>,
}

impl Query {
    /// Reads a raw query. The `$` may be left out, as v1.0 allows for the known options; a name without `$`
    /// that is none of them is the client's own and ignored, as OData has it.
    pub(super) fn parse(raw: &str) -> Result<Self, GraphError> {
        let mut options: Vec<(String, String)> = Vec::new();
        for (name, value) in url::form_urlencoded::parse(raw.as_bytes()) {
            let bare = name.trim_start_matches('$').to_ascii_lowercase();
            let Some(known) = OPTIONS.iter().find(|option| option[1..] == bare) else {
                if name.starts_with('$') {
                    return Err(GraphError::bad_request(format!(
                        "The query parameter '{name}' is not supported."
                    )));
                }
                continue;
            };
            if options.iter().any(|(existing, _)| existing == known) {
                return Err(GraphError::bad_request(format!(
                    "Query option '{known}' was specified more than once, but it must be specified at \
                     most once."
                )));
            }
            options.push(((*known).to_owned(), value.into_owned()));
        }
        Ok(Self { options })
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.options.iter().find(|(existing, _)| existing == name).map(|(_, value)| value.as_str())
    }

    /// Whether there is any option at all.
    pub(super) fn is_empty(&self) -> bool {
        self.options.is_empty()
    }

    /// Refuses every option but these.
    pub(super) fn only(&self, allowed: &[&str], eventual: bool) -> Result<(), GraphError> {
        let Some((name, _)) = self.options.iter().find(|(name, _)| !allowed.contains(&name.as_str())) else {
            return Ok(());
        };
        Err(match name.as_str() {
            "$orderby" => GraphError::unsupported_query("An unsupported property was specified."),
            "$search" if !eventual => GraphError::search_without_header(),
            "$skip" => GraphError::directory_bad_request("'$skip' is not supported by the service."),
            "$filter" | "$search" | "$expand" => GraphError::unsupported_query("Unsupported Query."),
            other => GraphError::bad_request(format!("The query parameter '{other}' is not supported.")),
        })
    }

    pub(super) fn select(&self) -> Option<Select> {
        self.get("$select").filter(|names| !names.trim().is_empty()).map(Select::parse)
    }

    /// Objects on a page.
    pub(super) fn top(&self) -> Result<usize, GraphError> {
        let Some(sent) = self.get("$top") else { return Ok(DEFAULT_PAGE) };
        match sent.trim().parse::<usize>() {
            Ok(top) if (1..=LARGEST_PAGE).contains(&top) => Ok(top),
            Ok(_) => Err(GraphError::directory_bad_request(format!(
                "Invalid page size specified: '{sent}'. Must be between 1 and 999 inclusive."
            ))),
            Err(_) => Err(GraphError::bad_request(format!(
                "Invalid value '{sent}' for $top query option found. The $top query option requires a \
                 non-negative integer value."
            ))),
        }
    }

    pub(super) fn count(&self) -> Result<bool, GraphError> {
        match self.get("$count") {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => Err(GraphError::bad_request(format!(
                "Invalid value '{other}' for $count query option found. Valid values are 'true' or 'false'."
            ))),
        }
    }
}

/// The properties a client wants. Users and groups are open types: a name that does not exist is no error and
/// yields nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Select {
    names: Vec<String>,
}

impl Select {
    pub(super) fn parse(list: &str) -> Self {
        let names = list.split(',').map(str::trim).filter(|name| !name.is_empty());
        Self { names: names.map(str::to_owned).collect() }
    }

    /// The names as they were given, with commas.
    pub(super) fn list(&self) -> String {
        self.names.join(",")
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.names.iter().any(|selected| selected.eq_ignore_ascii_case(name))
    }

    /// Whether one of these is selected.
    pub(super) fn has_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.has(name))
    }
}

/// What a client gets of an object: the selected properties, or the ones that come without being asked for.
pub(super) fn project(object: &Object, select: Option<&Select>, default: &[&str]) -> Object {
    let wanted = |name: &str| match select {
        Some(select) => select.has(name),
        None => default.contains(&name),
    };
    object
        .iter()
        .filter(|(name, _)| wanted(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}
