//! From configuration to a running server, and its orderly end.

use std::{future::Future, net::SocketAddr, sync::Arc};

use directory::entra::Http;
use domain::{Clock, Random};
use leptos::config::LeptosOptions;
use store::{Store, StoreError, Vault};
use sync::{
    Actor, Engine, SyncError,
    administrators::{self, Candidate, Refused},
};

use super::{
    Config, ConfigError,
    machine::{SystemClock, SystemRandom},
    router,
};
use crate::access::{
    Portal, PublicUrl,
    password::{PasswordError, Passwords, refuse_new},
};

/// Why the portal did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// The database.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The HTTP client for the directory.
    #[error("the HTTP client could not be made: {0}")]
    Http(String),
    /// The first administrator.
    #[error("{0}")]
    Administrator(String),
    /// A password could not be hashed.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// A change that belongs to the start.
    #[error(transparent)]
    Sync(#[from] SyncError),
    /// The network.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    /// The server ended by itself.
    #[error("the server stopped: {0}")]
    Serve(std::io::Error),
}

/// The portal of a configuration, on the real clock: the database is open and migrated.
///
/// # Errors
/// When the key, the database or the HTTP client cannot be had.
pub async fn portal(config: &Config, listening: SocketAddr) -> Result<Portal, StartError> {
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let vault = Vault::new(config.key(random.as_ref())?);
    let store = Store::open(&config.database, vault).await?;
    let http = Http::new(None).map_err(|error| StartError::Http(error.to_string()))?;
    let passwords = Passwords::new(random.as_ref())?;
    let engine = Engine::new(store, http, config.endpoints.clone(), clock, random);
    let public = config
        .public_url
        .clone()
        .unwrap_or_else(|| PublicUrl { origin: format!("http://{listening}"), secure: false });
    Ok(Portal { engine, public: Arc::new(public), passwords })
}

/// Serves until `stop` is ready; then no new request is taken, the open ones are finished, and a running sync ends at its next page.
///
/// # Errors
/// When the portal cannot start, or the server ends by itself.
pub async fn serve(
    config: &Config,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), StartError> {
    let listener = tokio::net::TcpListener::bind(config.listen)
        .await
        .map_err(|error| StartError::Listen(config.listen, error))?;
    let address = listener.local_addr().map_err(|error| StartError::Listen(config.listen, error))?;
    let portal = portal(config, address).await?;
    first_administrator(&portal, config).await?;
    let engine = portal.engine.clone();
    let scheduler = tokio::spawn(sync::schedule::keep(engine.clone()));
    tracing::info!(%address, url = portal.public.origin, "listening");
    let service = router(portal, config, site()).into_make_service_with_connect_info::<SocketAddr>();
    let stopping = engine.clone();
    let stop = async move {
        stop.await;
        // Ends the streams of live pages as well, which would otherwise never be finished.
        stopping.stop();
    };
    let served = axum::serve(listener, service).with_graceful_shutdown(stop).await;
    engine.stop();
    engine.idle().await;
    if let Err(error) = scheduler.await {
        tracing::error!(%error, "the scheduler broke down");
    }
    engine.store.close().await;
    served.map_err(StartError::Serve)
}

/// Where the files for the browser are: what `cargo leptos` says, else beside the program (`site`), else where it builds them.
fn site() -> LeptosOptions {
    let beside = std::env::current_exe()
        .ok()
        .and_then(|program| Some(program.parent()?.join("site")))
        .filter(|site| site.is_dir());
    let root =
        std::env::var("LEPTOS_SITE_ROOT").ok().or_else(|| beside.map(|site| site.display().to_string()));
    LeptosOptions::builder()
        .output_name("rollcall")
        .site_root(root.unwrap_or_else(|| "target/site".to_owned()))
        .site_pkg_dir("pkg")
        .hash_files(true)
        .build()
}

/// While there is no administrator: creates the one of the environment, or prints a one-time link that does.
async fn first_administrator(portal: &Portal, config: &Config) -> Result<(), StartError> {
    let engine = &portal.engine;
    if engine.store.administrator_count().await? > 0 {
        return Ok(());
    }
    if let Some((email, password)) = &config.first_administrator {
        if let Some(why) = refuse_new(password) {
            return Err(StartError::Administrator(format!("ROLLCALL_ADMIN_PASSWORD: {why}")));
        }
        let password_hash = portal.passwords.hash(password.clone(), engine.random.as_ref()).await?;
        let candidate = Candidate { email: email.clone(), display_name: String::new(), password_hash };
        let actor = Actor { administrator_id: None, name: "environment".to_owned() };
        return match administrators::create_first(engine, &actor, candidate).await? {
            Ok(_) => {
                tracing::info!("created the first administrator from the environment");
                Ok(())
            }
            // Another process of this portal was quicker.
            Err(Refused::AlreadySetUp) => Ok(()),
            Err(refused) => Err(StartError::Administrator(format!("ROLLCALL_ADMIN_EMAIL: {refused}"))),
        };
    }
    let Some(token) = administrators::make_setup_link(engine).await? else { return Ok(()) };
    tracing::info!(
        link = format!("{}/setup?token={token}", portal.public.origin),
        "there is no administrator yet: open this link within 24 hours"
    );
    Ok(())
}
