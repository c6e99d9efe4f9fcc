//! Reading users and groups in rounds, page by page, through Graph's delta queries.
//!
//! A full round begins with [`PageLink::First`] and names everything. Its last page has a delta link; that link, days later, begins a round
//! which names what has changed meanwhile, and ends with the next delta link. A quiet round is one request. Every link is plain text: a
//! caller that keeps it goes on from there after a restart, within the seven days for which Graph promises to remember it.
//!
//! No request sends `Prefer: return=minimal`: changed objects come whole, so that a page of a delta round is read like one of a full round.

use url::Url;

use super::{
    client::{Graph, Manner},
    error::{GraphError, Problem, Trace},
    page::{GroupPage, NextOrDelta, PageLink, UserPage, group_page, user_page},
};

impl Graph {
    /// A page of users, of a full round or a delta round. Follow [`UserPage::next`] until it is the delta link; then every page was seen.
    ///
    /// # Errors
    /// When the page cannot be read. After [`GraphError::is_resync`] a full round must begin, with [`PageLink::First`].
    pub async fn users_page(&self, at: &PageLink) -> Result<UserPage, GraphError> {
        let request = "GET /users/delta";
        let page = |body: &[u8]| user_page(body).map(|page| (page.next.clone(), page));
        self.delta_page(request, "users", at, page).await
    }

    /// A page of groups with memberships, of a full round or a delta round; as with [`users_page`](Self::users_page).
    ///
    /// # Errors
    /// When the page cannot be read. After [`GraphError::is_resync`] a full round must begin, with [`PageLink::First`].
    pub async fn groups_page(&self, at: &PageLink) -> Result<GroupPage, GraphError> {
        let request = "GET /groups/delta";
        let page = |body: &[u8]| group_page(body).map(|page| (page.next.clone(), page));
        self.delta_page(request, "groups", at, page).await
    }

    async fn delta_page<T>(
        &self,
        request: &'static str,
        collection: &str,
        at: &PageLink,
        read: impl Fn(&[u8]) -> Result<(NextOrDelta, T), Problem>,
    ) -> Result<T, GraphError> {
        let url = match at {
            PageLink::First { select } => {
                let mut url = self.endpoints.graph_url(&[collection, "delta"]);
                url.set_query(Some(&format!("$select={select}")));
                url
            }
            PageLink::Next(link) => self.own_link(request, link)?,
        };
        let (next, page) = self.get(request, &url, Manner::Background, read).await?;
        // A foreign link is refused before it gets into a checkpoint.
        let (NextOrDelta::Next(link) | NextOrDelta::Delta(link)) = &next;
        let following = self.own_link(request, link)?;
        // A delta link may well be the one that was asked: nothing has happened since.
        if matches!(next, NextOrDelta::Next(_)) && following == url {
            let what = "the page names itself as the next one".to_owned();
            let trace = Trace { request, ..Trace::default() };
            return Err(self.error(Problem::Unexpected { what }, trace));
        }
        Ok(page)
    }

    /// A link of an answer, when it stays on the Graph endpoint: the token is sent nowhere else.
    pub(super) fn own_link(&self, request: &'static str, link: &str) -> Result<Url, GraphError> {
        let refuse = |problem| Err(self.error(problem, Trace { request, ..Trace::default() }));
        let Ok(url) = Url::parse(link) else {
            return refuse(Problem::Unexpected {
                what: "the link to the next page is no address".to_owned(),
            });
        };
        if url.origin() == self.endpoints.graph.origin()
            && url.username().is_empty()
            && url.password().is_none()
        {
            Ok(url)
        } else {
            refuse(Problem::ForeignLink { origin: url.origin().ascii_serialization() })
        }
    }
}
