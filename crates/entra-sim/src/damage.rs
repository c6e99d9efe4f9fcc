//! Answers that are damaged: what a broken service, a proxy or a bad line makes of a good one. Faults that are an answer of their own (errors
//! of Graph, of the token endpoint) are in `state`.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What is wrong with an answer whose status is 200.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Damage {
    /// There is no body.
    NoBody,
    /// The JSON ends in the middle.
    Truncated,
    /// A page in HTML, as a proxy's sign-in page.
    Html,
    /// The connection breaks in the middle of the body.
    Reset,
    /// The body stops in the middle and the connection stays open.
    Stalled,
    /// In place of JSON come blanks, and more blanks.
    Endless,
    /// The first object has a number where a text belongs (`displayName`) and a text where a list belongs (`proxyAddresses`).
    WrongType,
    /// The link to the next page, if there is one, leads to this page again.
    SelfLink,
    /// The link to the next page, if there is one, leads to the first one that was asked for.
    Circle,
    /// Each object is told twice.
    Doubled,
    /// The objects are told in the opposite order.
    Reversed,
    /// Nobody is on the page.
    Emptied,
    /// Every second object is missing.
    Halved,
    /// The members of the groups are missing.
    WithoutMembers,
    /// An object is said to be removed that was never told of.
    StrangerRemoved,
    /// No answer at all but `401`, as when the token was revoked.
    Unauthorized,
}

/// Which answers are damaged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DamagedAnswer {
    /// Path below the version, as in [`GraphFault::route`](crate::GraphFault::route).
    pub route: String,
    /// What is wrong.
    pub damage: Damage,
    /// How many answers of the route stay whole before.
    #[serde(default)]
    pub after: u32,
    /// How many are damaged; without it, all until it is cleared.
    #[serde(default)]
    pub times: Option<u32>,
    /// The address of the first answer.
    #[serde(skip)]
    pub(crate) first: Option<String>,
}

impl DamagedAnswer {
    /// Damage of a route, from its next answer on.
    #[must_use]
    pub fn new(route: &str, damage: Damage) -> Self {
        Self { route: route.to_owned(), damage, after: 0, times: None, first: None }
    }

    /// The same of so many answers only.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times: Some(times), ..self }
    }

    /// The damage of the answer to this address, if the turn is on it; counts it.
    pub(crate) fn take(&mut self, own: &str) -> Option<(Damage, String)> {
        let first = self.first.get_or_insert_with(|| own.to_owned()).clone();
        if self.damage == Damage::Circle && first == own {
            return None;
        }
        if self.after > 0 {
            self.after -= 1;
            return None;
        }
        match &mut self.times {
            Some(0) => return None,
            Some(left) => *left -= 1,
            None => {}
        }
        Some((self.damage, if self.damage == Damage::Circle { first } else { own.to_owned() }))
    }
}

impl Damage {
    /// Changes what an answer says; `link` is where a false link leads.
    pub(crate) fn change(self, body: &mut Value, link: &str) {
        if let (Self::SelfLink | Self::Circle, Some(next)) = (self, body.get_mut("@odata.nextLink")) {
            *next = json!(link);
        }
        let Some(objects) = body.get_mut("value").and_then(Value::as_array_mut) else { return };
        match self {
            Self::WrongType => {
                if let Some(first) = objects.first_mut() {
                    first["displayName"] = json!(42);
                    first["proxyAddresses"] = json!("SMTP:not-a-list@contoso.com");
                }
            }
            Self::Doubled => {
                *objects = objects.iter().flat_map(|object| [object.clone(), object.clone()]).collect()
            }
            Self::Reversed => objects.reverse(),
            Self::Emptied => objects.clear(),
            Self::Halved => *objects = objects.iter().step_by(2).cloned().collect(),
            Self::WithoutMembers => {
                for object in objects.iter_mut().filter_map(Value::as_object_mut) {
                    object.remove("members@delta");
                }
            }
            Self::StrangerRemoved => objects.push(json!({
                "id": "00000000-dead-0000-0000-000000000000", "@removed": { "reason": "deleted" },
            })),
            Self::NoBody
            | Self::Truncated
            | Self::Html
            | Self::Reset
            | Self::Stalled
            | Self::Unauthorized
            | Self::Endless
            | Self::SelfLink
            | Self::Circle => {}
        }
    }

    /// What of a body gets to the reader.
    pub(crate) fn send(self, text: String) -> Response {
        let half = || Bytes::from(text.as_bytes()[..text.len() / 2].to_vec());
        match self {
            Self::NoBody => String::new().into_response(),
            Self::Truncated => half().into_response(),
            Self::Html => {
                "<!DOCTYPE html><html><body><h1>Sign in to the proxy</h1></body></html>".into_response()
            }
            Self::Reset => {
                // The first half is to be on its way before the connection ends.
                let broken = stream::once(async {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    Err(io::Error::from(io::ErrorKind::ConnectionReset))
                });
                Body::from_stream(stream::iter([Ok(half())]).chain(broken)).into_response()
            }
            Self::Stalled => {
                let half = stream::iter([Ok::<_, Infallible>(half())]);
                Body::from_stream(half.chain(stream::pending())).into_response()
            }
            Self::Endless => {
                let blanks =
                    stream::repeat_with(|| Ok::<_, Infallible>(Bytes::from_static(&[b' '; 64 * 1024])));
                Body::from_stream(blanks).into_response()
            }
            _ => text.into_response(),
        }
    }
}
