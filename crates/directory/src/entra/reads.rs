//! What is read from Graph: the organisation, pages of users, and the small questions of a Test.

use domain::settings::Organisation;
use serde::Deserialize;
use url::Url;

use super::{
    client::{Engine, Graph},
    error::{GraphError, Problem, Trace},
    page::{Frame, NextOrDelta, PageLink, UserPage, no_answer, text, user_page},
};

const USERS_DELTA: &str = "GET /users/delta";

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
        self.get("GET /organization", &url, Engine::Default, |body| {
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

    /// A page of users of a full read. Follow [`UserPage::next`] until it is the delta link; then every page was seen.
    ///
    /// # Errors
    /// When the page cannot be read. After [`GraphError::is_resync`] the read begins again with [`PageLink::First`].
    pub async fn users_page(&self, at: &PageLink) -> Result<UserPage, GraphError> {
        let url = match at {
            PageLink::First { select } => {
                let mut url = self.endpoints.graph_url(&["users", "delta"]);
                url.set_query(Some(&format!("$select={select}")));
                url
            }
            PageLink::Next(link) => self.own_link(link)?,
        };
        let page = self.get(USERS_DELTA, &url, Engine::Default, user_page).await?;
        // A foreign link is refused before it gets into a checkpoint.
        let (NextOrDelta::Next(link) | NextOrDelta::Delta(link)) = &page.next;
        if self.own_link(link)? == url {
            let what = "the page names itself as the next one".to_owned();
            return Err(self.error(Problem::Unexpected { what }, self.trace()));
        }
        Ok(page)
    }

    /// How many users the tenant has, as Graph counts them; it may lag behind by minutes.
    ///
    /// # Errors
    /// When Graph does not count. (It does not for external tenants, where advanced queries are missing.)
    pub async fn count_users(&self) -> Result<i64, GraphError> {
        let url = self.endpoints.graph_url(&["users", "$count"]);
        self.get("GET /users/$count", &url, Engine::Advanced, |body| {
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
        let engine = if advanced {
            url.query_pairs_mut().append_pair("$count", "true");
            Engine::Advanced
        } else {
            Engine::Default
        };
        self.get("GET /users?$filter", &url, engine, list_size).await
    }

    async fn first_of(&self, request: &'static str, collection: &str) -> Result<i64, GraphError> {
        let mut url = self.endpoints.graph_url(&[collection]);
        url.set_query(Some("$select=id&$top=1"));
        self.get(request, &url, Engine::Default, list_size).await
    }

    /// A link of an answer, when it stays on the Graph endpoint: the token is sent nowhere else.
    fn own_link(&self, link: &str) -> Result<Url, GraphError> {
        let Ok(url) = Url::parse(link) else {
            let what = "the link to the next page is no address".to_owned();
            return Err(self.error(Problem::Unexpected { what }, self.trace()));
        };
        if url.origin() == self.endpoints.graph.origin()
            && url.username().is_empty()
            && url.password().is_none()
        {
            Ok(url)
        } else {
            let origin = url.origin().ascii_serialization();
            Err(self.error(Problem::ForeignLink { origin }, self.trace()))
        }
    }

    fn trace(&self) -> Trace {
        Trace { request: USERS_DELTA, ..Trace::default() }
    }
}

/// The count that an advanced query brings along, else the number of objects on the page.
fn list_size(body: &[u8]) -> Result<i64, Problem> {
    let body = text(body);
    let frame = Frame::read(&body)?;
    Ok(frame.count.unwrap_or_else(|| i64::try_from(frame.value.len()).unwrap_or(i64::MAX)))
}
