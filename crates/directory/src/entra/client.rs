//! One tenant's client: requests with patience, a token that renews itself, and counters.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use domain::{Clock, Random, Secret};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde::de::IgnoredAny;
use tokio::{sync::Mutex, time::Instant};
use url::Url;

use super::{
    answer::{graph_problem, token_problem, words},
    endpoints::{Credentials, Endpoints},
    error::{GraphError, Problem, Trace, Unreachable},
    http::Http,
    meter::Endpoint,
    page::no_answer,
    patience::{Patience, announced_wait},
    token::{Token, TokenFacts},
};

/// The largest answer that is read, in bytes after decompression. A page of Graph is some hundred kilobytes.
const BODY: usize = 64 * 1_024 * 1_024;

/// A tenant's client for the length of a run or a Test.
///
/// It may be used from several tasks at once: they share the token and the counters.
pub struct Graph {
    http: Http,
    pub(super) endpoints: Endpoints,
    credentials: Credentials,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    patience: Patience,
    token: Mutex<Option<Token>>,
    requests: AtomicU64,
    bytes: AtomicU64,
    throttled_ms: AtomicU64,
}

/// What a client has sent and received so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Requests sent, retries and token requests included.
    pub requests: u64,
    /// Body bytes received, after decompression.
    pub bytes: u64,
    /// Time waited because the service said so (429 with `Retry-After`), in milliseconds.
    pub throttled_ms: u64,
}

/// How a request is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// Somebody waits for the answer.
    Plain,
    /// The same, of Graph's advanced engine, which counts and takes more filters.
    Advanced,
    /// Nobody waits: when the tenant's share is used up, Graph slows these requests down first.
    Background,
}

/// A successful answer and its trace, should its content turn out to be none.
struct Answer {
    body: Vec<u8>,
    trace: Trace,
}

impl Graph {
    /// A client with the patience of a run.
    #[must_use]
    pub fn new(
        http: &Http,
        endpoints: Endpoints,
        credentials: Credentials,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        Self {
            http: http.clone(),
            endpoints,
            credentials,
            clock,
            random,
            patience: Patience::of_a_run(),
            token: Mutex::new(None),
            requests: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            throttled_ms: AtomicU64::new(0),
        }
    }

    /// The same client with another patience, such as [`Patience::of_a_test`].
    #[must_use]
    pub fn with_patience(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    /// What was sent and received so far.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        Traffic {
            requests: self.requests.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            throttled_ms: self.throttled_ms.load(Ordering::Relaxed),
        }
    }

    /// Asks for a fresh token, keeps it for the requests that follow, and says what it tells.
    ///
    /// # Errors
    /// When the login endpoint cannot be reached or issues none.
    pub async fn token(&self) -> Result<TokenFacts, GraphError> {
        let mut kept = self.token.lock().await;
        let token = self.issue().await?;
        let facts = token.facts();
        *kept = Some(token);
        Ok(facts)
    }

    /// Sends a GET to Graph and reads the answer. A body that `read` cannot use counts as a failed attempt.
    pub(super) async fn get<T>(
        &self,
        request: &'static str,
        url: &Url,
        manner: Manner,
        read: impl Fn(&[u8]) -> Result<T, Problem>,
    ) -> Result<T, GraphError> {
        let get = |client: &Client| {
            let get = client.get(url.clone());
            match manner {
                Manner::Plain => get,
                Manner::Background => get.header("x-ms-throttle-priority", "Low"),
                Manner::Advanced => get.header("ConsistencyLevel", "eventual"),
            }
        };
        self.ask(request, url, get, read).await
    }

    /// Sends a question in JSON to Graph, one that changes nothing, and reads the answer.
    pub(super) async fn post<T>(
        &self,
        request: &'static str,
        url: &Url,
        question: &serde_json::Value,
        read: impl Fn(&[u8]) -> Result<T, Problem>,
    ) -> Result<T, GraphError> {
        self.ask(request, url, |client| client.post(url.clone()).json(question), read).await
    }

    async fn ask<T>(
        &self,
        request: &'static str,
        url: &Url,
        make: impl Fn(&Client) -> RequestBuilder + Sync,
        read: impl Fn(&[u8]) -> Result<T, Problem>,
    ) -> Result<T, GraphError> {
        let mut renewed = false;
        loop {
            let bearer = self.bearer().await?;
            let make = || make(self.http.client(url)).bearer_auth(bearer.expose());
            match self.persist(Endpoint::Graph, request, url, &make, &[&bearer], &read).await {
                // The tenant may have ended the token early. One renewal shows whether that was it.
                Err(error) if error.problem == Problem::Unauthorized && !renewed => {
                    renewed = true;
                    let mut kept = self.token.lock().await;
                    // Another task may have renewed it meanwhile.
                    if kept.as_ref().is_some_and(|token| token.bearer == bearer) {
                        *kept = None;
                    }
                }
                result => return result,
            }
        }
    }

    /// A token that is good for a while. The lock is held over the request, so that tasks do not ask for one each.
    async fn bearer(&self) -> Result<Secret, GraphError> {
        let mut kept = self.token.lock().await;
        if let Some(token) = kept.as_ref().filter(|token| token.is_fresh(self.clock.now())) {
            return Ok(token.bearer.clone());
        }
        let token = self.issue().await?;
        let bearer = token.bearer.clone();
        *kept = Some(token);
        Ok(bearer)
    }

    async fn issue(&self) -> Result<Token, GraphError> {
        let Credentials { tenant, client_id, client_secret } = &self.credentials;
        let url = self.endpoints.token_url(tenant);
        let scope = self.endpoints.scope();
        let form = [
            ("client_id", client_id.as_str()),
            ("scope", &scope),
            ("client_secret", client_secret.expose()),
            ("grant_type", "client_credentials"),
        ];
        let make = || self.http.client(&url).post(url.clone()).form(&form);
        let read = |body: &[u8]| {
            Token::read(body, self.clock.now()).ok_or_else(|| {
                match serde_json::from_slice::<IgnoredAny>(body) {
                    Ok(_) => Problem::Unexpected { what: "it holds no token".to_owned() },
                    Err(error) => no_answer(&error, body),
                }
            })
        };
        self.persist(Endpoint::Login, "POST /oauth2/v2.0/token", &url, &make, &[client_secret], &read).await
    }

    /// Tries until an answer is read, the failure is final, or patience ends.
    async fn persist<T>(
        &self,
        endpoint: Endpoint,
        request: &'static str,
        url: &Url,
        make: &(impl Fn() -> RequestBuilder + Sync),
        hidden: &[&Secret],
        read: &impl Fn(&[u8]) -> Result<T, Problem>,
    ) -> Result<T, GraphError> {
        let mut deadline = Instant::now() + self.patience.budget;
        let mut failed = 0;
        loop {
            let trace = Trace { request, client_request_id: self.request_id(), ..Trace::default() };
            let attempt = self.attempt(endpoint, url, make(), trace.clone(), hidden);
            let (error, announced) = match tokio::time::timeout_at(deadline, attempt).await {
                Ok(Ok(Answer { body, trace })) => match read(&body) {
                    Ok(value) => return Ok(value),
                    Err(problem) => (self.error(problem, trace), None),
                },
                Ok(Err(failure)) => failure,
                Err(_elapsed) => (self.error(unreachable(url, Unreachable::Timeout), trace), None),
            };
            if !error.is_passing() {
                return Err(error);
            }
            let throttled = matches!(error.problem, Problem::Throttled { .. });
            let wait = match announced {
                Some(wait) if throttled => {
                    if !self.grant(wait) {
                        return Err(error);
                    }
                    deadline += wait;
                    wait
                }
                announced => {
                    let Some(pause) = self.patience.pause(failed, self.random.as_ref()) else {
                        return Err(error);
                    };
                    failed += 1;
                    pause.max(announced.unwrap_or_default())
                }
            };
            if Instant::now() + wait >= deadline {
                return Err(error);
            }
            tracing::warn!(
                request,
                status = error.trace.status,
                codes = ?error.trace.codes,
                client_request_id = error.trace.client_request_id,
                wait_ms = millis(wait),
                "a request to the directory failed and will be repeated"
            );
            tokio::time::sleep(wait).await;
        }
    }

    /// One request. A failure comes with the wait that the service announced.
    async fn attempt(
        &self,
        endpoint: Endpoint,
        url: &Url,
        request: RequestBuilder,
        mut trace: Trace,
        hidden: &[&Secret],
    ) -> Result<Answer, (GraphError, Option<Duration>)> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let sent = request.header("client-request-id", &trace.client_request_id).send().await;
        self.http.meter().count(endpoint, sent.as_ref().ok().map(|response| response.status().as_u16()));
        let mut response = match sent {
            Ok(response) => response,
            Err(error) => return Err((self.error(unreachable(url, why(&error)), trace), None)),
        };
        let status = response.status();
        trace.status = Some(status.as_u16());
        let request_id = header(&response, "request-id").or_else(|| header(&response, "x-ms-request-id"));
        trace.request_id = request_id.map(|id| words(&id, hidden));
        let announced = header(&response, "retry-after").and_then(|value| announced_wait(&value));
        let body = match self.body(&mut response, url).await {
            Ok(body) => body,
            Err(problem) => return Err((self.error(problem, trace), announced)),
        };
        tracing::debug!(
            request = trace.request,
            status = status.as_u16(),
            bytes = body.len(),
            request_id = trace.request_id,
            client_request_id = trace.client_request_id,
            "the directory answered"
        );
        if status == StatusCode::OK {
            return Ok(Answer { body, trace });
        }
        let refusal = match endpoint {
            Endpoint::Login => token_problem,
            Endpoint::Graph => graph_problem,
        };
        let retry_after = announced.map(|wait| wait.as_secs());
        let problem = refusal(status.as_u16(), &body, retry_after, &mut trace, hidden);
        Err((self.error(problem, trace), announced))
    }

    async fn body(&self, response: &mut Response, url: &Url) -> Result<Vec<u8>, Problem> {
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(None) => return Ok(body),
                Ok(Some(chunk)) => {
                    self.bytes.fetch_add(chunk.len() as u64, Ordering::Relaxed);
                    if body.len() + chunk.len() > BODY {
                        return Err(Problem::TooLarge);
                    }
                    body.extend_from_slice(&chunk);
                }
                Err(error) if error.is_timeout() => return Err(unreachable(url, Unreachable::Timeout)),
                Err(_) => return Err(unreachable(url, Unreachable::Broken)),
            }
        }
    }

    /// Counts an announced wait, unless the client has waited long enough.
    fn grant(&self, wait: Duration) -> bool {
        let limit = millis(self.patience.announced);
        let add = |waited: u64| waited.checked_add(millis(wait)).filter(|total| *total <= limit);
        let granted = self.throttled_ms.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).is_ok();
        if granted {
            self.http.meter().add_throttled(millis(wait));
        }
        granted
    }

    pub(super) fn error(&self, problem: Problem, trace: Trace) -> GraphError {
        GraphError { problem, trace: Box::new(Trace { at: self.clock.now(), ..trace }) }
    }

    fn request_id(&self) -> String {
        self.random.uuid(self.clock.now()).to_string()
    }
}

fn header(response: &Response, name: &str) -> Option<String> {
    let value = response.headers().get(name)?.to_str().ok()?;
    // Ids are echoed into errors and logs: a long one is none.
    (value.len() <= 100).then(|| value.to_owned())
}

fn unreachable(url: &Url, why: Unreachable) -> Problem {
    Problem::Unreachable { host: url.host_str().unwrap_or_default().to_owned(), why }
}

/// Reads the reason out of the chain of causes; the HTTP client has no types for most of it.
fn why(error: &reqwest::Error) -> Unreachable {
    if error.is_timeout() {
        return Unreachable::Timeout;
    }
    let mut cause = std::error::Error::source(error);
    while let Some(this) = cause {
        if let Some(rustls::Error::InvalidCertificate(_)) = this.downcast_ref() {
            return Unreachable::Certificate;
        }
        let words = this.to_string();
        if words.contains("dns error") {
            return Unreachable::Name;
        }
        if words.contains("invalid peer certificate") {
            return Unreachable::Certificate;
        }
        cause = this.source();
    }
    if error.is_connect() { Unreachable::Connect } else { Unreachable::Broken }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
