//! What the Connect page asks: the organisation, and the small questions of a Test.

use domain::settings::Organisation;
use serde::Deserialize;

use super::{
    client::{Graph, Manner},
    error::{GraphError, Problem},
    page::{Frame, no_answer, text},
};

#[derive(Deserialize)]
struct Organisations {
    value: Vec<OrganisationPart>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OrganisationPart {
    id: String,
    #[serde(default)]
    display_name: Option<String>,
    #[serde(default)]
    verified_domains: Vec<VerifiedDomain>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VerifiedDomain {
    name: String,
    #[serde(default)]
    is_default: bool,
}

impl Graph {
    /// What the tenant says about itself.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn organisation(&self) -> Result<Organisation, GraphError> {
        let mut url = self.endpoints.graph_url(&["organization"]);
        url.set_query(Some("$select=id,displayName,verifiedDomains"));
        self.get("GET /organization", &url, Manner::Plain, |body| {
            let Organisations { value } =
                serde_json::from_slice(body).map_err(|error| no_answer(&error, body))?;
            let Some(tenant) = value.into_iter().next() else {
                return Err(Problem::Unexpected { what: "it names no organisation".to_owned() });
            };
            let mut domains = tenant.verified_domains;
            domains.sort_by_key(|domain| !domain.is_default);
            Ok(Organisation {
                id: tenant.id,
                display_name: tenant.display_name.unwrap_or_default(),
                domains: domains.into_iter().map(|domain| domain.name).collect(),
            })
        })
        .await
    }

    /// How many users the tenant has, as Graph counts them; it may lag behind by minutes.
    ///
    /// # Errors
    /// When Graph does not count. (It does not for external tenants, where advanced queries are missing.)
    pub async fn count_users(&self) -> Result<i64, GraphError> {
        let url = self.endpoints.graph_url(&["users", "$count"]);
        self.get("GET /users/$count", &url, Manner::Advanced, |body| {
            // The number may follow a byte order mark.
            let number = text(body).trim_start_matches('\u{feff}').trim().parse();
            number.map_err(|_| Problem::Unexpected { what: "it is no number".to_owned() })
        })
        .await
    }

    /// Reads one user, to see whether users may be read; how many came: 0 or 1.
    ///
    /// # Errors
    /// When users cannot be read.
    pub async fn users_readable(&self) -> Result<i64, GraphError> {
        self.first_of("GET /users", "users").await
    }

    /// Reads one group, to see whether groups may be read; how many came: 0 or 1.
    ///
    /// # Errors
    /// When groups cannot be read.
    pub async fn groups_readable(&self) -> Result<i64, GraphError> {
        self.first_of("GET /groups", "groups").await
    }

    /// Asks Graph whether it takes a `$filter` on users: how many match, when the advanced engine was asked, else whether one does (1 or 0).
    ///
    /// # Errors
    /// [`Problem::BadRequest`] with Graph's words when the filter is rejected.
    pub async fn filter_accepted(&self, filter: &str, advanced: bool) -> Result<i64, GraphError> {
        let mut url = self.endpoints.graph_url(&["users"]);
        url.query_pairs_mut()
            .append_pair("$filter", filter)
            .append_pair("$top", "1")
            .append_pair("$select", "id");
        let manner = if advanced {
            url.query_pairs_mut().append_pair("$count", "true");
            Manner::Advanced
        } else {
            Manner::Plain
        };
        self.get("GET /users?$filter", &url, manner, list_size).await
    }

    async fn first_of(&self, request: &'static str, collection: &str) -> Result<i64, GraphError> {
        let mut url = self.endpoints.graph_url(&[collection]);
        url.set_query(Some("$select=id&$top=1"));
        self.get(request, &url, Manner::Plain, list_size).await
    }
}

/// The count that an advanced query brings along, else the number of objects on the page.
fn list_size(body: &[u8]) -> Result<i64, Problem> {
    let body = text(body);
    let frame = Frame::read(&body)?;
    Ok(frame.count.unwrap_or_else(|| i64::try_from(frame.value.len()).unwrap_or(i64::MAX)))
}
