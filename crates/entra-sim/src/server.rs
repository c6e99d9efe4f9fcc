//! Starting and stopping: the listeners and the routes behind them.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::{Extension, Router};
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use thiserror::Error;
use tokio::task::JoinHandle;

use crate::origin::Scheme;
use crate::state::{DeltaPages, Logged, Sim};
use crate::tenant::{Import, ImportError, Size, Tenant};
use crate::{control, graph, login, tls};

/// How long requests under way may take when the simulator stops.
const GRACE: Duration = Duration::from_secs(1);

/// What to start. The default is a company of 500 on free ports of 127.0.0.1, without https.
#[derive(Debug)]
pub struct Options {
    /// The invented company; its seed also determines the ids, also of an imported tenant.
    pub size: Size,
    /// A directory to take in place of the invented one.
    pub import: Option<Import>,
    /// Where login and Graph are served over http; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where login and Graph are served over https as well.
    pub tls: Option<Tls>,
    /// Where the control API is served.
    pub control: SocketAddr,
    /// Milliseconds that every answer of login and Graph takes at least.
    pub latency_ms: u64,
    /// Page sizes of the delta queries.
    pub delta_pages: DeltaPages,
}

/// The https listener.
#[derive(Debug, Clone)]
pub struct Tls {
    /// Its address.
    pub listen: SocketAddr,
    /// A folder for the private certificate authority; clients trust `ca.pem` in it.
    pub dir: PathBuf,
}

impl Default for Options {
    fn default() -> Self {
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            size: Size::default(),
            import: None,
            listen: free,
            tls: None,
            control: free,
            latency_ms: 0,
            delta_pages: DeltaPages::default(),
        }
    }
}

/// Why the simulator does not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// It holds secrets that everybody knows: it is for this machine only.
    #[error(
        "{0} is not a loopback address; the simulator listens on this machine only, for example on \
         127.0.0.1:18080"
    )]
    NotLoopback(SocketAddr),
    /// The address is taken, most likely.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The imported files contradict each other.
    #[error("cannot import: {0}")]
    Import(#[from] ImportError),
    /// The certificates for https cannot be made or read.
    #[error("cannot set up https: {0}")]
    Tls(#[from] tls::TlsError),
}

/// A simulator that answers until it is stopped or dropped.
#[derive(Debug)]
pub struct Running {
    sim: Sim,
    url: String,
    https_url: Option<String>,
    control_url: String,
    handles: Vec<Handle<SocketAddr>>,
    tasks: Vec<JoinHandle<io::Result<()>>>,
}

impl Sim {
    /// Starts a simulator as the options say.
    ///
    /// # Errors
    /// When an address is not on loopback or taken, an import contradicts itself, or https cannot be set up.
    pub async fn start(options: Options) -> Result<Running, StartError> {
        let seed = options.size.seed;
        let tenant = match options.import {
            Some(import) => Tenant::import(import, seed)?,
            None => Tenant::seeded(options.size),
        };
        let sim = Self::new(tenant, seed, options.delta_pages);
        sim.set_latency_ms(options.latency_ms);

        let plain = bind(options.listen)?;
        let control = bind(options.control)?;
        let mut running = Running {
            url: format!("http://{}", plain.1),
            https_url: None,
            control_url: format!("http://{}", control.1),
            sim: sim.clone(),
            handles: Vec::new(),
            tasks: Vec::new(),
        };
        running.serve(plain, router(sim.clone(), Scheme::Http), None)?;
        running.serve(control, control::router(sim.clone()), None)?;
        if let Some(Tls { listen, dir }) = options.tls {
            let config = tls::config(&dir)?;
            let secure = bind(listen)?;
            // The certificate is for the name as well; some libraries accept a private authority only by name.
            running.https_url = Some(format!("https://localhost:{}", secure.1.port()));
            running.serve(secure, router(sim, Scheme::Https), Some(config))?;
        }
        Ok(running)
    }
}

impl Running {
    fn serve(
        &mut self,
        (listener, address): (TcpListener, SocketAddr),
        routes: Router,
        tls: Option<RustlsConfig>,
    ) -> Result<(), StartError> {
        let failed = |source| StartError::Listen { address, source };
        let handle = Handle::new();
        let service = routes.into_make_service();
        let task = match tls {
            None => {
                let server = axum_server::from_tcp(listener).map_err(failed)?.handle(handle.clone());
                tokio::spawn(server.serve(service))
            }
            Some(config) => {
                let server = axum_server::from_tcp_rustls(listener, config).map_err(failed)?;
                tokio::spawn(server.handle(handle.clone()).serve(service))
            }
        };
        self.handles.push(handle);
        self.tasks.push(task);
        Ok(())
    }

    /// The state behind the answers, to look at and to switch.
    #[must_use]
    pub fn sim(&self) -> &Sim {
        &self.sim
    }

    /// Base address of login and Graph over http, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The same over https, when that was asked for.
    #[must_use]
    pub fn https_url(&self) -> Option<&str> {
        self.https_url.as_deref()
    }

    /// Base address of the control API.
    #[must_use]
    pub fn control_url(&self) -> &str {
        &self.control_url
    }

    /// The tenant's GUID.
    #[must_use]
    pub fn tenant_id(&self) -> String {
        self.sim.tenant().id().to_owned()
    }

    /// The tenant's `…​.onmicrosoft.com` domain.
    #[must_use]
    pub fn tenant_domain(&self) -> String {
        self.sim.tenant().initial_domain().to_owned()
    }

    /// The application (client) id.
    #[must_use]
    pub fn client_id(&self) -> String {
        self.sim.client_id()
    }

    /// The value of the first client secret; empty when a test removed all of them.
    #[must_use]
    pub fn client_secret(&self) -> String {
        self.sim.secrets().into_iter().next().map(|secret| secret.value).unwrap_or_default()
    }

    /// Stops listening and waits for requests under way, a second at most.
    pub async fn stop(mut self) {
        for handle in &self.handles {
            handle.graceful_shutdown(Some(GRACE));
        }
        for task in std::mem::take(&mut self.tasks) {
            // What it ends with is of no interest any more.
            let _ = task.await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for handle in &self.handles {
            handle.shutdown();
        }
    }
}

fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    if !address.ip().is_loopback() {
        return Err(StartError::NotLoopback(address));
    }
    let failed = |source| StartError::Listen { address, source };
    let listener = TcpListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

/// The routes of login and Graph, for whoever serves them on a listener of their own.
pub fn router(sim: Sim, scheme: Scheme) -> Router {
    login::router()
        .fallback(graph::handle)
        .with_state(sim.clone())
        .layer(middleware::from_fn_with_state(sim, observe))
        .layer(Extension(scheme))
}

/// Takes the time a request is to take, and notes it in the log.
async fn observe(State(sim): State<Sim>, request: Request, next: Next) -> Response {
    let (method, uri) = (request.method().to_string(), request.uri().clone());
    let latency = sim.world().latency_ms;
    if latency > 0 {
        tokio::time::sleep(Duration::from_millis(latency)).await;
    }
    let response = next.run(request).await;
    sim.log(Logged {
        method,
        path: uri.path().to_owned(),
        query: uri.query().unwrap_or_default().to_owned(),
        status: response.status().as_u16(),
    });
    response
}
