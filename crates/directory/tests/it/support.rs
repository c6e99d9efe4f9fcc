//! A server that plays answers in their order, and clients with a clock and a chance that a test holds.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicU8, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, Response},
    serve::ListenerExt as _,
};
use directory::entra::{Credentials, Endpoints, Graph, Http, Patience, check::MirrorCounts};
use domain::{Clock, Random, Secret, Timestamp};
use tokio::net::TcpListener;

/// What a mirror of so many people counts, without a filter.
pub fn mirror(people: i64) -> Option<MirrorCounts> {
    Some(MirrorCounts { people, matching: None })
}

pub const SECRET: &str = "v~ry s+cret/8Q";

/// An answer to play.
#[derive(Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    pub after: Duration,
}

impl Answer {
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), after: Duration::ZERO }
    }

    /// A refusal by Graph.
    pub fn error(status: u16, code: &str) -> Self {
        Self::new(status, format!(r#"{{"error":{{"code":"{code}","message":"words of {code}"}}}}"#))
    }

    /// A token whose payload lists these roles.
    pub fn token(bearer: &str) -> Self {
        Self::new(200, format!(r#"{{"token_type":"Bearer","expires_in":3599,"access_token":"{bearer}"}}"#))
    }

    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn after(self, after: Duration) -> Self {
        Self { after, ..self }
    }
}

/// A request that was received.
#[derive(Clone, Debug)]
pub struct Received {
    pub method: String,
    pub target: String,
    pub headers: HeaderMap,
    pub body: String,
}

impl Received {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

#[derive(Default)]
struct Script {
    tokens: VecDeque<Answer>,
    graph: VecDeque<Answer>,
    /// Played when `graph` is over.
    forever: Option<Answer>,
    received: Vec<Received>,
}

/// A server for both endpoints. Tokens are issued unless a script says otherwise; Graph answers only what was written.
#[derive(Clone)]
pub struct Server {
    script: Arc<Mutex<Script>>,
    pub url: String,
    /// How many connections were made to it.
    pub connections: Arc<AtomicUsize>,
}

impl Server {
    pub async fn start() -> Self {
        let script = Arc::new(Mutex::new(Script::default()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(play).with_state(Arc::clone(&script));
        let connections = Arc::new(AtomicUsize::new(0));
        let made = Arc::clone(&connections);
        let listener = listener.tap_io(move |_| {
            made.fetch_add(1, Ordering::Relaxed);
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { script, url, connections }
    }

    /// A server whose Graph plays these answers.
    pub async fn playing(answers: impl IntoIterator<Item = Answer>) -> Self {
        let server = Self::start().await;
        server.play(answers);
        server
    }

    pub fn play(&self, answers: impl IntoIterator<Item = Answer>) {
        self.script.lock().unwrap().graph.extend(answers);
    }

    pub fn play_forever(&self, answer: Answer) {
        self.script.lock().unwrap().forever = Some(answer);
    }

    pub fn play_tokens(&self, answers: impl IntoIterator<Item = Answer>) {
        self.script.lock().unwrap().tokens.extend(answers);
    }

    /// The requests to Graph.
    pub fn asked(&self) -> Vec<Received> {
        self.received(|target| target.starts_with("/v1.0/"))
    }

    /// The requests for a token.
    pub fn tokens_asked(&self) -> Vec<Received> {
        self.received(|target| target.ends_with("/token"))
    }

    fn received(&self, which: impl Fn(&str) -> bool) -> Vec<Received> {
        self.script.lock().unwrap().received.iter().filter(|one| which(&one.target)).cloned().collect()
    }

    /// A page of users whose link (`@odata.nextLink` or `@odata.deltaLink`) stays on this server.
    pub fn page(&self, ids: &[&str], link: &str, query: &str) -> Answer {
        let users: Vec<_> = ids.iter().map(|id| format!(r#"{{"id":"{id}"}}"#)).collect();
        Answer::new(
            200,
            format!(
                r#"{{"value":[{}],"@odata.{link}":"{}/v1.0/users/delta?{query}"}}"#,
                users.join(","),
                self.url
            ),
        )
    }

    /// The last page of a read, without users.
    pub fn last_page(&self) -> Answer {
        self.page(&[], "deltaLink", "$deltatoken=d")
    }

    pub fn endpoints(&self) -> Endpoints {
        Endpoints::parse(&self.url, &self.url).unwrap()
    }

    /// A client that is quick to repeat and waits up to two announced seconds.
    pub fn client(&self) -> Graph {
        client(self.endpoints())
    }
}

async fn play(State(script): State<Arc<Mutex<Script>>>, request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let target = head.uri.path_and_query().unwrap().to_string();
    let answer = {
        let mut script = script.lock().unwrap();
        let is_token = target.ends_with("/token");
        script.received.push(Received {
            method: head.method.to_string(),
            target,
            headers: head.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        });
        if is_token {
            script.tokens.pop_front().unwrap_or_else(|| Answer::token("token-of-the-server"))
        } else {
            let forever = script.forever.clone();
            script.graph.pop_front().or(forever).unwrap_or_else(|| Answer::error(400, "NothingWritten"))
        }
    };
    tokio::time::sleep(answer.after).await;
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(answer.body)).unwrap()
}

/// Quick repetitions: three of them.
pub fn quick() -> Patience {
    Patience {
        pauses: vec![Duration::from_millis(2); 3],
        budget: Duration::from_secs(10),
        announced: Duration::from_secs(2),
    }
}

pub fn credentials() -> Credentials {
    Credentials {
        tenant: "contoso.onmicrosoft.com".to_owned(),
        client_id: "11111111-2222-3333-4444-555555555555".to_owned(),
        client_secret: Secret::new(SECRET),
    }
}

pub fn client(endpoints: Endpoints) -> Graph {
    client_at(endpoints, Arc::new(Hand::default()))
}

pub fn client_at(endpoints: Endpoints, clock: Arc<Hand>) -> Graph {
    let http = Http::new(None).unwrap();
    Graph::new(&http, endpoints, credentials(), clock, Arc::new(Counter::default())).with_patience(quick())
}

/// A clock that a test moves.
pub struct Hand(pub AtomicI64);

impl Default for Hand {
    fn default() -> Self {
        Self(AtomicI64::new(1_795_497_766_000))
    }
}

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

/// Bytes that count up: no two ids are alike.
#[derive(Default)]
pub struct Counter(AtomicU8);

impl Random for Counter {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill_with(|| self.0.fetch_add(1, Ordering::Relaxed));
    }
}
