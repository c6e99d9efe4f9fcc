//! The routes: the pages and server functions of Leptos, the plain routes beside them, and the files.

use std::sync::{Arc, LazyLock};

use axum::{
    Router,
    extract::Extension,
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    middleware::from_fn_with_state,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use leptos::{nonce::Nonce, prelude::*};
use leptos_axum::{AxumRouteListing, LeptosRoutes, generate_route_list};
use tower_http::{
    catch_panic::CatchPanicLayer, compression::CompressionLayer, limit::RequestBodyLimitLayer,
    services::ServeDir, set_header::SetResponseHeaderLayer,
};

use super::{
    Config, conflicts_csv, downloads, exports, health, live,
    middleware::{Guard, guard},
    theme,
};
use crate::{
    access::{Portal, SessionToken, start_page},
    pages::{App, shell},
};

/// The largest body of a request.
const BODY: usize = 1024 * 1024;

/// The whole HTTP side, as a service that needs the peer's address ([`axum::extract::ConnectInfo`]).
pub fn router(portal: Portal, config: &Config, options: LeptosOptions) -> Router {
    let pages = pages().to_vec();
    let page = |options: LeptosOptions| {
        move || {
            let theme = use_context::<Parts>().and_then(|parts| theme::of(&parts.headers));
            shell(options.clone(), theme)
        }
    };
    let context = {
        let portal = portal.clone();
        move || {
            provide_context(portal.clone());
            // The middleware's nonce, which also stands in the policy, takes the place of the one that Leptos drew.
            if let Some(nonce) =
                use_context::<Parts>().and_then(|parts| parts.extensions.get::<Nonce>().cloned())
            {
                provide_context(nonce);
            }
        }
    };
    let files = ServeDir::new(format!("{}/{}", options.site_root, options.site_pkg_dir)).precompressed_br();
    // The names of these files change with their content.
    let forever = SetResponseHeaderLayer::overriding(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=31536000, immutable"),
    );
    let packages = Router::new().fallback_service(files).layer(forever);
    let guard_state =
        Guard { portal: portal.clone(), trusted_proxies: Arc::from(config.trusted_proxies.clone()) };
    Router::new()
        .route("/", get(start))
        .route("/theme", post(theme::choose))
        .route(conflicts_csv::PATH, get(conflicts_csv::download))
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/customers/{slug}/users.csv", get(downloads::users))
        .route("/customers/{slug}/live", get(live::live).with_state(live::Watches::default()))
        .route("/customers/{slug}/sync-history/{run}/changes.csv", get(exports::run_changes))
        .route("/customers/{slug}/audit-log/audit-log.csv", get(exports::audit_log))
        .nest(&format!("/{}", options.site_pkg_dir), packages)
        .leptos_routes_with_context(&options, pages, context.clone(), page(options.clone()))
        .fallback(leptos_axum::file_and_error_handler_with_context(context, move |options: LeptosOptions| {
            page(options)()
        }))
        .layer(Extension(portal))
        .layer(RequestBodyLimitLayer::new(BODY))
        .layer(CompressionLayer::new())
        .layer(CatchPanicLayer::new())
        .layer(from_fn_with_state(guard_state, guard))
        .with_state(options)
}

/// The routes of the pages. They are listed once in a process, before anything is served: while Leptos lists them, every resource that begins
/// to load anywhere in the process would wait for ever (leptos-rs/leptos#4773).
pub fn pages() -> &'static [AxumRouteListing] {
    static PAGES: LazyLock<Vec<AxumRouteListing>> = LazyLock::new(|| generate_route_list(App));
    &PAGES
}

/// `GET /`: leads to the page that the visitor starts from.
async fn start(Extension(portal): Extension<Portal>, headers: HeaderMap) -> Response {
    let found = async {
        let Some(token) = SessionToken::of(&headers, &portal.public) else { return Ok("/login".to_owned()) };
        match portal.engine.store.session(&token.hash(), portal.now()).await? {
            Some(session) => start_page(&portal, &session.administrator).await,
            None => Ok("/login".to_owned()),
        }
    };
    match found.await {
        Ok(path) => Redirect::to(&path).into_response(),
        Err(error) => {
            tracing::warn!(?error, "the start page could not ask the database");
            (StatusCode::SERVICE_UNAVAILABLE, "The database does not answer. Try again in a moment.\n")
                .into_response()
        }
    }
}
