//! A client that does what a test says and asserts nothing.

use entra_sim::{Change, DeltaPages, Kind, Object, Options, Running, Sim, Size};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};

/// A running simulator with a client beside it.
pub(crate) struct Bench {
    pub(crate) running: Running,
    pub(crate) http: Client,
}

/// An answer, read to the end.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) async fn of(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Self { status, headers, body }
    }

    /// Status and Graph's error code.
    pub(crate) fn refusal(&self) -> (u16, &str) {
        (self.status, self.body["error"]["code"].as_str().unwrap_or_default())
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn value(&self) -> &[Value] {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body["value"].as_array().unwrap()
    }

    pub(crate) fn link(&self, name: &str) -> Option<String> {
        self.body[name].as_str().map(str::to_owned)
    }
}

impl Bench {
    pub(crate) async fn start() -> Self {
        Self::of_size(Size { users: 60, groups: 12, members_per_group: 5, seed: 1 }).await
    }

    pub(crate) async fn of_size(size: Size) -> Self {
        Self::with(Options { size, ..Options::default() }).await
    }

    pub(crate) async fn with_delta_pages(size: Size, delta_pages: DeltaPages) -> Self {
        Self::with(Options { size, delta_pages, ..Options::default() }).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        // In a build of the whole workspace reqwest has TLS without a provider of its own, and wants one even for plain http.
        let _already_installed = rustls::crypto::ring::default_provider().install_default();
        Self { running: Sim::start(options).await.unwrap(), http: Client::new() }
    }

    pub(crate) fn token_url(&self) -> String {
        format!("{}/{}/oauth2/v2.0/token", self.running.url(), self.running.tenant_id())
    }

    /// A token request with the right parameters, some of them replaced or (with `None`) left out.
    pub(crate) async fn ask_token(&self, changes: &[(&str, Option<&str>)]) -> Answer {
        self.ask_token_at(&self.token_url(), changes).await
    }

    pub(crate) async fn ask_token_at(&self, url: &str, changes: &[(&str, Option<&str>)]) -> Answer {
        let (id, secret) = (self.running.client_id(), self.running.client_secret());
        let mut form = vec![
            ("client_id", id.as_str()),
            ("client_secret", secret.as_str()),
            ("scope", "https://graph.microsoft.com/.default"),
            ("grant_type", "client_credentials"),
        ];
        for (name, value) in changes {
            form.retain(|(existing, _)| existing != name);
            form.extend(value.map(|value| (*name, value)));
        }
        Answer::of(self.http.post(url).form(&form).send().await.unwrap()).await
    }

    pub(crate) async fn token(&self) -> String {
        let answer = self.ask_token(&[]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body["access_token"].as_str().unwrap().to_owned()
    }

    /// A request for a Graph path such as `/users?$top=5`, or for a link, with a fresh token.
    pub(crate) async fn request(&self, path_or_link: &str) -> RequestBuilder {
        let url = if path_or_link.starts_with("http") {
            path_or_link.to_owned()
        } else {
            format!("{}/v1.0{path_or_link}", self.running.url())
        };
        self.http.get(url).bearer_auth(self.token().await)
    }

    pub(crate) async fn get(&self, path_or_link: &str) -> Answer {
        Answer::of(self.request(path_or_link).await.send().await.unwrap()).await
    }

    /// With the header of the advanced engine.
    pub(crate) async fn get_eventual(&self, path_or_link: &str) -> Answer {
        let request = self.request(path_or_link).await.header("ConsistencyLevel", "eventual");
        Answer::of(request.send().await.unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        let url = format!("{}/v1.0{path}", self.running.url());
        let request = self.http.post(url).bearer_auth(self.token().await).json(&body);
        Answer::of(request.send().await.unwrap()).await
    }

    /// Reads a delta round from here to its end: its objects, and the link to the next round.
    pub(crate) async fn round(&self, path_or_link: &str) -> (Vec<Value>, String) {
        let pages = self.pages(path_or_link).await;
        let objects = pages.iter().flat_map(Answer::value).cloned().collect();
        (objects, pages.last().unwrap().link("@odata.deltaLink").unwrap())
    }

    /// Makes a change that is possible.
    pub(crate) fn change(&self, change: Value) -> String {
        let change: Change = serde_json::from_value(change).unwrap();
        self.running.sim().change(&change).unwrap()
    }

    /// The id of the user at a position.
    pub(crate) fn user(&self, index: usize) -> String {
        self.running.sim().tenant().id_of(entra_sim::Reference { kind: Kind::User, index })
    }

    /// The id of the group with a display name.
    pub(crate) fn group(&self, name: &str) -> String {
        let directory = self.running.sim().directory();
        let is = |of: &entra_sim::Reference| text_of(&directory.object(*of), "displayName") == name;
        directory.id_of(directory.all(Kind::Group).find(is).unwrap())
    }

    /// All pages from here to the one without a next link.
    pub(crate) async fn pages(&self, path: &str) -> Vec<Answer> {
        let mut pages = vec![self.get(path).await];
        while let Some(next) = pages.last().unwrap().link("@odata.nextLink") {
            pages.push(self.get(&next).await);
        }
        pages
    }

    /// A request to the control API.
    pub(crate) async fn control(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let url = format!("{}{path}", self.running.control_url());
        let mut request = self.http.request(method.parse().unwrap(), url);
        if let Some(body) = body {
            request = request.json(&body);
        }
        Answer::of(request.send().await.unwrap()).await
    }
}

fn text_of<'a>(object: &'a Object, name: &str) -> &'a str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The ids of objects, in order.
pub(crate) fn ids(objects: &[Value]) -> Vec<&str> {
    objects.iter().map(|object| text(object, "id")).collect()
}

/// `@removed` of an object, or of a member.
pub(crate) fn removed(object: &Value) -> &str {
    text(&object["@removed"], "reason")
}

/// The properties to change a user to.
pub(crate) fn set(object: &str, properties: Value) -> Value {
    json!({ "set": { "object": object, "properties": properties } })
}

pub(crate) fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object[name].as_str().unwrap_or_default()
}
