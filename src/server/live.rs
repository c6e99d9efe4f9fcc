//! `GET /customers/{slug}/live`: the Server-Sent Events that keep open pages up to date.
//!
//! A message holds the versions of all topics of the customer, and a line of words on the sync that is running. It is a state, not an event:
//! a browser that is slow, or was away, gets the next one and has missed nothing, so nothing is queued for anybody. The versions are rows that
//! every change raises in its own transaction, whatever process makes it (see `docs/decisions/0011`); one task per customer that is being
//! watched reads them each second and tells all its streams.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use axum::{
    extract::{Extension, Path, State},
    http::{HeaderMap, StatusCode},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use domain::{Timestamp, role::Role, service::Service};
use futures::stream;
use store::{CustomerStore, StoreError};
use tokio::{sync::watch, time::MissedTickBehavior};

use super::downloads::refusal;
use crate::{
    access::{self, Portal},
    pages::progress,
};

/// How often the versions are read.
const POLL: Duration = Duration::from_secs(1);
/// How often a stream makes sure that its session still may see it.
const RECHECK: Duration = Duration::from_secs(30);
/// A comment on a silent stream, so that proxies keep it open.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// The most streams of one process: each is a connection that stays.
const MOST_STREAMS: usize = 2_000;
/// Topics that only the sync itself uses.
const INTERNAL: [&str; 1] = ["plan"];

/// The customers that are being watched, by number; a watch ends with its last stream.
#[derive(Clone, Default)]
pub(super) struct Watches(Arc<Mutex<HashMap<i64, Weak<Watch>>>>);

/// What is known of a customer that is being watched.
struct Watch {
    state: watch::Receiver<String>,
    task: tokio::task::AbortHandle,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// How many streams hold one of these watches.
fn streams(watches: &HashMap<i64, Weak<Watch>>) -> usize {
    watches.values().map(Weak::strong_count).sum()
}

impl Watches {
    /// How many streams are open.
    pub(super) fn streams(&self) -> usize {
        streams(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The watch of a customer, begun when nobody else watches; `None` when there are too many streams.
    fn of(&self, portal: &Portal, customer: &CustomerStore) -> Option<Arc<Watch>> {
        let mut watches = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        watches.retain(|_, watch| watch.strong_count() > 0);
        if streams(&watches) >= MOST_STREAMS {
            return None;
        }
        let id = customer.customer().id;
        if let Some(watch) = watches.get(&id).and_then(Weak::upgrade) {
            return Some(watch);
        }
        let (sender, state) = watch::channel(String::new());
        let task = tokio::spawn(poll(portal.clone(), customer.clone(), sender)).abort_handle();
        let watch = Arc::new(Watch { state, task });
        watches.insert(id, Arc::downgrade(&watch));
        Some(watch)
    }
}

/// Reads the versions each second and hands them on when they changed.
async fn poll(portal: Portal, customer: CustomerStore, sender: watch::Sender<String>) {
    let mut ticks = tokio::time::interval(POLL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match message(&customer, portal.now()).await {
            Ok(message) => {
                sender.send_if_modified(|state| {
                    let changed = *state != message;
                    *state = message;
                    changed
                });
            }
            Err(error) => tracing::warn!(?error, "the topic versions could not be read; trying again"),
        }
    }
}

async fn message(customer: &CustomerStore, now: Timestamp) -> Result<String, StoreError> {
    let mut message = String::new();
    for (topic, version) in customer.topic_versions().await? {
        if !INTERNAL.contains(&topic.as_str()) {
            message.push_str(&format!("{topic} {version}\n"));
        }
    }
    if let Some(run) = customer.running(Service::Entra).await? {
        message.push_str(&format!("progress {}\n", progress(&run, now)));
    }
    Ok(message)
}

/// Where a stream is.
struct Stream {
    portal: Portal,
    headers: HeaderMap,
    slug: String,
    /// Keeps the customer watched.
    _watch: Arc<Watch>,
    state: watch::Receiver<String>,
}

impl Stream {
    /// The next message; `None` ends the stream: at shutdown, and when the session ended or lost its role.
    async fn next(&mut self) -> Option<String> {
        loop {
            tokio::select! {
                () = self.portal.engine.stopped() => return None,
                changed = self.state.changed() => {
                    changed.ok()?;
                    return Some(self.state.borrow_and_update().clone());
                }
                () = tokio::time::sleep(RECHECK) => {
                    let desk = access::require_plain(&self.portal, &self.headers, &self.slug, Role::Viewer).await;
                    desk.ok()?;
                }
            }
        }
    }
}

/// The stream.
pub(super) async fn live(
    State(watches): State<Watches>,
    Extension(portal): Extension<Portal>,
    Path(slug): Path<String>,
    headers: HeaderMap,
) -> Response {
    let desk = match access::require_plain(&portal, &headers, &slug, Role::Viewer).await {
        Ok(desk) => desk,
        Err(error) => return refusal(&error),
    };
    let Some(watch) = watches.of(&portal, &desk.customer) else {
        return (StatusCode::SERVICE_UNAVAILABLE, "Too many pages are open.\n").into_response();
    };
    let mut state = watch.state.clone();
    if !state.borrow().is_empty() {
        // What the others know already is news to this one.
        state.mark_changed();
    }
    let stream = Stream { portal, headers, slug, _watch: watch, state };
    let events = stream::unfold(stream, async |mut stream| {
        let message = stream.next().await?;
        Some((Ok::<_, Infallible>(Event::default().data(message.trim_end())), stream))
    });
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE);
    // Proxies that gather answers before they pass them on are asked not to.
    ([("x-accel-buffering", "no")], Sse::new(events).keep_alive(keep_alive)).into_response()
}
