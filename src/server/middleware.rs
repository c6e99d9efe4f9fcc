//! What happens to every request before and after its handler: where it came from, whether it may change something, and the headers that
//! keep the browser safe.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use leptos::nonce::Nonce;

use crate::access::{ClientAddress, Portal, PublicUrl};

/// What the middleware needs to know.
#[derive(Clone)]
pub(super) struct Guard {
    pub(super) portal: Portal,
    pub(super) trusted_proxies: Arc<[std::net::IpAddr]>,
}

/// Refuses a request that another site could have made the browser send, and puts the security headers on every response.
pub(super) async fn guard(State(guard): State<Guard>, mut request: Request, next: Next) -> Response {
    let public = Arc::clone(&guard.portal.public);
    let mut bits = [0; 16];
    guard.portal.engine.random.fill(&mut bits);
    let nonce = BASE64_URL_SAFE_NO_PAD.encode(bits);
    if let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>().copied() {
        let address = client_address(peer, request.headers(), &guard.trusted_proxies);
        request.extensions_mut().insert(address);
    }
    request.extensions_mut().insert(Nonce::from_value(nonce.clone()));
    let static_file = is_static(request.uri().path());
    let mut response = if may_change(request.method(), request.headers(), &public) {
        next.run(request).await
    } else {
        tracing::warn!(
            path = request.uri().path(),
            "refused a request that did not come from this portal's own pages"
        );
        (StatusCode::FORBIDDEN, "This request did not come from the portal's own pages. Go back, reload the page and try again.\n").into_response()
    };
    secure(response.headers_mut(), &nonce, &public);
    if !static_file {
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// Files that are the same for everybody; everything else must not be kept by a cache.
fn is_static(path: &str) -> bool {
    path.starts_with("/pkg/") || path == "/icons.svg" || path == "/icon.svg"
}

/// Whether the request may change something: reading always may; anything else must come from the portal's own pages. `Sec-Fetch-Site` is
/// sent by every current browser and cannot be set by a page; an older browser sends at least `Origin` with a POST.
fn may_change(method: &Method, headers: &HeaderMap, public: &PublicUrl) -> bool {
    if [Method::GET, Method::HEAD, Method::OPTIONS].contains(method) {
        return true;
    }
    match (headers.get("sec-fetch-site"), headers.get(header::ORIGIN)) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => {
            origin.to_str().is_ok_and(|origin| origin.eq_ignore_ascii_case(&public.origin))
        }
        (None, None) => false,
    }
}

/// Where the request came from. A trusted proxy's word counts, and only its own: the last entry of `X-Forwarded-For` that is not itself a
/// trusted proxy.
fn client_address(peer: SocketAddr, headers: &HeaderMap, trusted: &[std::net::IpAddr]) -> ClientAddress {
    if !trusted.contains(&peer.ip()) {
        return ClientAddress(peer.ip());
    }
    let forwarded = headers
        .get_all("x-forwarded-for")
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(','));
    let hops: Vec<_> = forwarded.map(|hop| hop.trim().parse::<std::net::IpAddr>()).collect();
    let client = hops.into_iter().rev().find(|hop| !matches!(hop, Ok(ip) if trusted.contains(ip)));
    ClientAddress(client.and_then(Result::ok).unwrap_or(peer.ip()))
}

/// The security headers of every response.
fn secure(headers: &mut HeaderMap, nonce: &str, public: &PublicUrl) {
    let policy = format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; font-src 'self'; \
         connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    let fixed = [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
        ("x-frame-options", "DENY"),
    ];
    for (name, value) in fixed {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    if public.secure {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    fn public() -> PublicUrl {
        PublicUrl { origin: "https://portal.example".to_owned(), secure: true }
    }

    #[test]
    fn only_the_portals_own_pages_may_change_something() {
        let post =
            |pairs: &[(&'static str, &'static str)]| may_change(&Method::POST, &headers(pairs), &public());
        assert!(post(&[("sec-fetch-site", "same-origin")]));
        for site in ["cross-site", "same-site", "none"] {
            assert!(
                !may_change(
                    &Method::POST,
                    &headers(&[("sec-fetch-site", site), ("origin", "https://portal.example")]),
                    &public()
                ),
                "{site}"
            );
        }
        assert!(post(&[("origin", "https://portal.example")]));
        assert!(!post(&[("origin", "https://portal.example.evil.example")]));
        assert!(!post(&[("origin", "null")]));
        assert!(!post(&[]));
        assert!(!may_change(&Method::DELETE, &headers(&[]), &public()));
        assert!(may_change(&Method::GET, &headers(&[("sec-fetch-site", "cross-site")]), &public()));
    }

    #[test]
    fn only_a_trusted_proxy_is_believed_about_where_a_request_came_from() {
        let peer: SocketAddr = "10.0.0.1:5000".parse().unwrap();
        let forwarded = headers(&[("x-forwarded-for", "1.2.3.4, 203.0.113.9, 10.0.0.2")]);
        let trusted = ["10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap()];
        assert_eq!(client_address(peer, &forwarded, &[]).0, peer.ip());
        assert_eq!(client_address(peer, &forwarded, &trusted).0.to_string(), "203.0.113.9");
        assert_eq!(client_address(peer, &headers(&[]), &trusted).0, peer.ip());
        assert_eq!(client_address(peer, &headers(&[("x-forwarded-for", "nonsense")]), &trusted).0, peer.ip());
    }

    #[test]
    fn the_policy_allows_no_inline_style_and_no_script_without_the_nonce() {
        let mut map = HeaderMap::new();
        secure(&mut map, "abc", &public());
        let policy = map[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(
            policy.contains("'nonce-abc'")
                && !policy.contains("unsafe-inline")
                && !policy.contains("'unsafe-eval'"),
            "{policy}"
        );
        assert!(map.contains_key(header::STRICT_TRANSPORT_SECURITY));
    }
}
