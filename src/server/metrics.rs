//! `GET /metrics`: how every customer's sync is doing, and what this process has sent to Microsoft, as Prometheus reads it
//! (text format 0.0.4). The customers' figures come from the database, so that any process of a portal tells the same.
//!
//! The names of customers and the number of their users are nobody's business: the route wants the token of `ROLLCALL_METRICS_TOKEN`. Without
//! one it answers only a portal that is for this machine alone.

use std::fmt::Write as _;

use axum::{
    extract::{Extension, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use directory::entra::Endpoint;
use domain::{Secret, Timestamp, run::Outcome};
use sha2::{Digest, Sha256};
use sync::{SyncError, health};

use super::live::Watches;
use crate::access::Portal;

const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What the route needs besides the portal.
#[derive(Clone)]
pub(super) struct Metrics {
    token: Option<Secret>,
    watches: Watches,
}

impl Metrics {
    pub(super) fn new(token: Option<Secret>, watches: Watches) -> Self {
        Self { token, watches }
    }

    /// Whether a request may see the figures.
    fn shown_to(&self, headers: &HeaderMap, portal: &Portal) -> bool {
        let Some(token) = &self.token else {
            // Only this machine's own address is ever plain http.
            return !portal.public.secure;
        };
        let sent =
            headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let sent = sent.strip_prefix("Bearer ").unwrap_or_default();
        // Compared as hashes, so that the time it takes says nothing of the token.
        Sha256::digest(sent) == Sha256::digest(token.expose())
    }
}

pub(super) async fn metrics(
    State(metrics): State<Metrics>,
    Extension(portal): Extension<Portal>,
    headers: HeaderMap,
) -> Response {
    if !metrics.shown_to(&headers, &portal) {
        let why = "Set ROLLCALL_METRICS_TOKEN, and send it as Authorization: Bearer.\n";
        return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")], why).into_response();
    }
    let mut text = Text::default();
    this_process(&mut text, &portal, &metrics.watches);
    match customers(&mut text, &portal).await {
        Ok(()) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text.0).into_response(),
        Err(error) => {
            tracing::warn!(%error, "the metrics could not be read");
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response()
        }
    }
}

fn this_process(text: &mut Text, portal: &Portal, watches: &Watches) {
    text.family("rollcall_build_info", "gauge", "The version of the program.");
    text.sample("rollcall_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    text.family(
        "rollcall_directory_requests_total",
        "counter",
        "Requests to Microsoft by HTTP status; none is a request without an answer.",
    );
    let meter = portal.engine.http.meter();
    for ((endpoint, status), requests) in meter.requests() {
        let endpoint = match endpoint {
            Endpoint::Login => "login",
            Endpoint::Graph => "graph",
        };
        let status = status.map_or_else(|| "none".to_owned(), |status| status.to_string());
        let labels = [("endpoint", endpoint), ("status", status.as_str())];
        text.sample("rollcall_directory_requests_total", &labels, requests);
    }
    text.family(
        "rollcall_directory_throttled_seconds_total",
        "counter",
        "Time that requests waited because Microsoft said so.",
    );
    text.sample("rollcall_directory_throttled_seconds_total", &[], meter.throttled().as_secs_f64());
    text.family("rollcall_live_streams", "gauge", "Open pages that are kept up to date.");
    text.sample("rollcall_live_streams", &[], watches.streams());
}

/// A figure that each customer has, or has not.
type Figure = (&'static str, &'static str, fn(&health::Health) -> Option<f64>);

/// Gauges with a customer's label, their help, and where they come from.
const FIGURES: &[Figure] = &[
    ("rollcall_sync_enabled", "Whether a directory service is on.", |health| Some(flag(health.enabled()))),
    ("rollcall_sync_overdue", "Whether there should have been a successful sync by now.", |health| {
        Some(flag(health.overdue_since.is_some()))
    }),
    ("rollcall_last_success_timestamp_seconds", "When the latest successful sync ended.", |health| {
        health.last_success.map(seconds)
    }),
    ("rollcall_last_run_timestamp_seconds", "When the latest sync began.", |health| {
        health.latest.as_ref().map(|run| seconds(run.started_at))
    }),
    ("rollcall_last_run_duration_seconds", "How long the latest sync took.", |health| {
        let run = health.latest.as_ref()?;
        Some(number(run.finished_at?.since(run.started_at)) / 1_000.0)
    }),
    ("rollcall_last_run_failed", "Whether the latest sync failed.", |health| {
        health.latest.as_ref().map(|run| flag(run.outcome == Outcome::Failed))
    }),
    ("rollcall_last_run_users_read", "Directory users that the latest sync read.", |health| {
        health.latest.as_ref().map(|run| number(run.counts.users_read))
    }),
    ("rollcall_last_run_groups_read", "Directory groups that the latest sync read.", |health| {
        health.latest.as_ref().map(|run| number(run.counts.groups_read))
    }),
    ("rollcall_users", "Users of the portal.", |health| Some(number(health.users))),
    ("rollcall_conflicts", "Users in conflict whose service is on.", |health| Some(number(health.conflicts))),
    ("rollcall_held", "Removals, deletions and groups that wait for an approval.", |health| {
        Some(number(health.held))
    }),
    ("rollcall_additions_never_found", "Additions that two complete reads did not find.", |health| {
        Some(number(health.never_found))
    }),
];

async fn customers(text: &mut Text, portal: &Portal) -> Result<(), SyncError> {
    let store = &portal.engine.store;
    let mut all = Vec::new();
    for customer in store.customers().await? {
        let Some(customer) = store.customer(&customer.slug).await? else { continue };
        let health = health::health(&customer, portal.now()).await?;
        all.push((customer.customer().slug.clone(), health));
    }
    for (name, help, figure) in FIGURES {
        text.family(name, "gauge", help);
        for (slug, health) in &all {
            if let Some(value) = figure(health) {
                text.sample(name, &[("customer", slug)], value);
            }
        }
    }
    Ok(())
}

fn flag(is: bool) -> f64 {
    f64::from(u8::from(is))
}

fn number(count: i64) -> f64 {
    count as f64
}

fn seconds(at: Timestamp) -> f64 {
    number(at.0) / 1_000.0
}

/// The text as it grows.
#[derive(Default)]
struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _infallible = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    /// A line. Values of labels are quoted; slugs, statuses and versions have nothing in them to escape.
    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        let labels: Vec<String> = labels.iter().map(|(label, value)| format!("{label}={value:?}")).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _infallible = writeln!(self.0, "{name}{labels} {value}");
    }
}
