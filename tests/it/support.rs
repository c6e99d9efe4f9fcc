//! A whole portal in this process, a simulated tenant beside it, and browsers that visit it.
//!
//! The router is called directly; only the tenant is spoken to over HTTP. Time stands still until a test moves it.

use std::{collections::BTreeMap, path::Path, process::Command, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode, header},
};
use directory::entra::{Endpoints, Http};
use domain::{
    Random, Timestamp,
    role::Role,
    testing::{CountingRandom, HandClock},
};
use entra_sim::{Options, Running, Sim, Size};
use http_body_util::BodyExt;
use leptos::config::LeptosOptions;
use rollcall::{
    access::{Portal, PublicUrl, SessionToken, password::Passwords},
    server::{Config, router},
};
use store::{CustomerStore, DatabaseUrl, NewSession, Store, Vault};
use sync::{
    Actor, Engine,
    administrators::{self, Candidate},
};
use tower::ServiceExt;

/// The password of every administrator that a test makes.
pub const PASSWORD: &str = "correct horse battery";
/// How long a request may take.
const ANSWER: Duration = Duration::from_secs(30);
/// Where the portal is reached.
pub const ORIGIN: &str = "http://portal.localhost:3000";

/// A portal with the customer `default`, and another one, `other`.
pub struct TestPortal {
    pub portal: Portal,
    pub clock: Arc<HandClock>,
    pub tenant: Running,
    router: Router,
    _folder: tempfile::TempDir,
}

impl TestPortal {
    pub async fn start() -> Self {
        Self::configured(|_| None, false).await
    }

    /// A portal with these variables of the environment, behind https or on plain http.
    pub async fn configured(variable: impl Fn(&str) -> Option<String>, secure: bool) -> Self {
        let tenant =
            Sim::start(Options { size: Size { users: 40, ..Size::default() }, ..Options::default() })
                .await
                .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let config = Config::read(variable).unwrap();
        let database = DatabaseUrl::Sqlite(folder.path().join("rollcall.db"));
        let store = Store::open(&database, Vault::new([7; 32])).await.unwrap();
        let clock = Arc::new(HandClock::at(Timestamp(1_795_497_766_000)));
        let random: Arc<dyn Random> = Arc::new(CountingRandom::default());
        let endpoints = Endpoints::parse(tenant.url(), tenant.url()).unwrap();
        let passwords = Passwords::new(random.as_ref()).unwrap();
        let engine = Engine::new(store, Http::new(None).unwrap(), endpoints, clock.clone(), random);
        let public = Arc::new(PublicUrl { origin: ORIGIN.to_owned(), secure });
        let portal = Portal { engine, public, passwords };
        let options = LeptosOptions::builder().output_name("rollcall").build();
        let router = router(portal.clone(), &config, options);
        let mut write = portal.engine.store.begin().await.unwrap();
        write.add_customer("other", "Other Ltd", portal.now()).await.unwrap();
        write.commit().await.unwrap();
        Self { portal, clock, tenant, router, _folder: folder }
    }

    pub async fn customer(&self, slug: &str) -> CustomerStore {
        self.portal.engine.store.customer(slug).await.unwrap().unwrap()
    }

    /// Makes an administrator with that role at one customer.
    pub async fn add_administrator(&self, email: &str, slug: &str, role: Role) -> i64 {
        let engine = &self.portal.engine;
        let password_hash =
            self.portal.passwords.hash(domain::Secret::new(PASSWORD), engine.random.as_ref()).await.unwrap();
        let candidate =
            Candidate { email: email.to_owned(), display_name: "Ada Admin".to_owned(), password_hash };
        let actor = Actor::command_line();
        let id = administrators::add(engine, &actor, candidate, None).await.unwrap().unwrap();
        administrators::grant(engine, &self.customer(slug).await, &actor, email, role)
            .await
            .unwrap()
            .unwrap();
        id
    }

    /// A browser in which nobody is signed in.
    pub fn visitor(&self) -> Browser {
        Browser { router: self.router.clone(), cookies: BTreeMap::new() }
    }

    /// A browser with a session of that administrator.
    pub async fn signed_in(&self, administrator_id: i64) -> Browser {
        let token = SessionToken::new(self.portal.engine.random.token());
        let now = self.portal.now();
        let expires_at = now.plus(8 * Timestamp::HOUR);
        let mut write = self.portal.engine.store.begin().await.unwrap();
        write
            .add_session(NewSession {
                token_hash: token.hash(),
                administrator_id,
                created_at: now,
                expires_at,
            })
            .await
            .unwrap();
        write.commit().await.unwrap();
        let mut browser = self.visitor();
        browser.keep_cookie(&token.cookie(&self.portal.public));
        browser
    }

    /// A signed-in administrator of `default`.
    pub async fn administrator(&self) -> Browser {
        let id = self.add_administrator("ada@portal.example", "default", Role::Administrator).await;
        self.signed_in(id).await
    }
}

/// The program itself, with nothing in its environment but its data below a folder and that tenant, whose secret is `CONTOSO_SECRET`.
pub fn program(folder: &Path, tenant: &Running) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_rollcall"));
    program
        .env_clear()
        .env("ROLLCALL_DATA_DIR", folder.join("data"))
        .env("ROLLCALL_ENTRA_LOGIN_URL", tenant.url())
        .env("ROLLCALL_GRAPH_URL", tenant.url())
        .env("CONTOSO_SECRET", tenant.client_secret());
    program
}

/// A browser: it keeps cookies and says of its requests that they come from the portal's own pages.
pub struct Browser {
    router: Router,
    cookies: BTreeMap<String, String>,
}

/// What a browser got.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    /// Where a redirect leads.
    pub fn location(&self) -> &str {
        assert!(self.status.is_redirection(), "no redirect: {} {}", self.status, self.body);
        self.headers[header::LOCATION].to_str().unwrap()
    }
}

impl Browser {
    fn keep_cookie(&mut self, cookie: &str) {
        let pair = cookie.split(';').next().unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        if cookie.contains("Max-Age=0") {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }

    pub fn has_cookie(&self, name: &str) -> bool {
        self.cookies.contains_key(name)
    }

    /// Sends a request whose answer goes on, with this browser's cookies.
    pub async fn open(&mut self, mut request: Request<Body>) -> axum::response::Response {
        self.add_cookies(&mut request);
        self.router.clone().oneshot(request).await.unwrap()
    }

    fn add_cookies(&self, request: &mut Request<Body>) {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request.headers_mut().insert(header::COOKIE, cookies.join("; ").parse().unwrap());
        }
    }

    /// Sends any request, with this browser's cookies.
    pub async fn send(&mut self, mut request: Request<Body>) -> Answer {
        self.add_cookies(&mut request);
        let sent = format!("{} {}", request.method(), request.uri());
        // A request without an answer is to fail its test, and not to stop them all.
        let answered = tokio::time::timeout(ANSWER, self.router.clone().oneshot(request)).await;
        let response = answered.unwrap_or_else(|_| panic!("no answer to {sent}")).unwrap();
        let (parts, body) = response.into_parts();
        for cookie in parts.headers.get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().unwrap().to_owned();
            self.keep_cookie(&cookie);
        }
        let body = String::from_utf8_lossy(&body.collect().await.unwrap().to_bytes()).into_owned();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// Opens a page.
    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(Request::get(path).header(header::ACCEPT, "text/html").body(Body::empty()).unwrap()).await
    }

    /// Asks for something with one more header.
    pub async fn get_with(&mut self, path: &str, name: &str, value: &str) -> Answer {
        self.send(Request::get(path).header(name, value).body(Body::empty()).unwrap()).await
    }

    /// Sends a form as a browser without JavaScript does.
    pub async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.post(path, fields, "text/html").await
    }

    /// Calls a server function as the page's own code does.
    pub async fn call(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.post(path, fields, "application/json").await
    }

    async fn post(&mut self, path: &str, fields: &[(&str, &str)], accept: &str) -> Answer {
        let body = form(fields);
        let request = Request::post(path)
            .header(header::CONTENT_LENGTH, body.len())
            .header(header::ACCEPT, accept)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .body(Body::from(body))
            .unwrap();
        self.send(request).await
    }
}

/// The fields as `application/x-www-form-urlencoded`.
pub fn form(fields: &[(&str, &str)]) -> String {
    let encode = |text: &str| -> String {
        text.bytes()
            .map(|byte| {
                if byte.is_ascii_alphanumeric() {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            })
            .collect()
    };
    fields
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect::<Vec<_>>()
        .join("&")
}
