//! The control API, on an address of its own: what a test in another process, or a person with curl, uses to
//! look at the simulator and to switch it. JSON in, JSON out; a `POST` without content is answered 204.
//!
//! | request | body | effect |
//! | --- | --- | --- |
//! | `GET /state` | | tenant, application, secrets, certificates, roles, time, number of changes so far |
//! | `POST /reset` | `{"users":N,"groups":N,"members_per_group":N,"seed":S}`, all optional | another invented company in place of the directory; page and delta tokens are void |
//! | `POST /changes` | a list of the changes below | makes them in this order, all or none; answers the ids of the objects |
//! | `POST /delta-habits` | `{"replays":true,"removed_in_first_round":true,"members_follow":true,"resync":"gone"}`, all optional | what delta answers do beyond the necessary; what is left out is switched off. `resync` is `gone` (410 with `Location`), `resync_required` (the same with that code) or `bad_request` (400) |
//! | `POST /throttling`, `DELETE /throttling` | `{"units":N,"retry_after":true}`, both optional | Graph requests have so many resource units in ten seconds (else by the number of users), and a 429 says when to come back; ends it |
//! | `POST /roles` | `["User.Read.All"]` | grants exactly these application permissions to the tokens from now on |
//! | `POST /secrets` | `{"add":{"value":"…","lasts_seconds":N}}`, `{"expire":"<key id>"}`, `{"remove":"<key id>"}` | `add` answers the secret |
//! | `POST /certificates` | `{"pem":"…"}` | uploads a certificate (RSA); answers its thumbprint |
//! | `POST /token-error` | `{"code":53003,"times":2}` | token requests meet this error; without `times` until `{"code":null}` |
//! | `POST /graph-error` | `{"route":"/users/delta","status":503,"code":"serviceNotAvailable","times":1}`; also `message`, `retry_after` | the route answers so; `*` at its end matches all that begin so |
//! | `DELETE /graph-error` | | removes these |
//! | `POST /damage` | `{"route":"/users/delta","damage":"truncated","after":1,"times":1}` | the route's answers are damaged ([`Damage`](crate::Damage) in snake case) |
//! | `POST /faults`, `DELETE /faults` | `[{"damage":{…}},{"graph_error":{…}},{"token_error":{"code":N}},{"throttling":{…}},{"delta_habits":{…}}]` | all of these, as `--faults FILE` has them; ends every fault |
//! | `POST /clock` | `{"advance_seconds":N}` | moves the simulator's clock; back when negative |
//! | `POST /latency` | `{"ms":N}` | every answer of login and Graph takes so long |
//! | `GET /requests`, `DELETE /requests` | | the log of requests to login and Graph; empties it |
//!
//! The changes ([`Change`]); a user or group is named by its id, a user also by its user principal name:
//!
//! | change | effect |
//! | --- | --- |
//! | `{"add_user":{"userPrincipalName":"…",…}}` | a new user; what is left out is completed as in an import |
//! | `{"add_group":{"displayName":"…",…}}` | a new group without members; `"groupTypes":["Unified"]` makes it a Microsoft 365 group |
//! | `{"set":{"object":"…","properties":{…}}}` | properties get another value; null clears |
//! | `{"rename":{"object":"…","display_name":"…","address":"…"}}` | with an address it becomes the primary one and a user's principal name, and the old one stays as an alias |
//! | `{"disable":"…"}`, `{"enable":"…"}` | a user's sign-in |
//! | `{"delete":{"object":"…","for_good":true}}` | users and Microsoft 365 groups go to the recycle bin for 30 days unless `for_good`; other groups are gone at once |
//! | `{"restore":"<id>"}` | out of the recycle bin |
//! | `{"move_alias":{"address":"…","from":"…","to":"…"}}` | an alias changes hands |
//! | `{"swap_primaries":{"one":"…","other":"…"}}` | two objects exchange primary address and `mail` |
//! | `{"add_members":{"group":"…","members":["…"]}}`, `{"remove_members":{…}}` | direct members |

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};
use time::Duration;

use crate::application::{Certificate, Secret};
use crate::clock::graph_time;
use crate::damage::DamagedAnswer;
use crate::directory::Change;
use crate::faults::Fault;
use crate::habits::DeltaHabits;
use crate::state::{GraphFault, RequestLog, Sim};
use crate::tenant::{Kind, Size, Tenant};
use crate::throttle::Throttling;

pub(crate) fn router(sim: Sim) -> Router {
    Router::new()
        .route("/state", get(state))
        .route("/reset", post(reset))
        .route("/changes", post(changes))
        .route("/delta-habits", post(delta_habits))
        .route("/throttling", post(throttling).delete(no_throttling))
        .route("/roles", post(roles))
        .route("/secrets", post(secrets))
        .route("/certificates", post(certificates))
        .route("/token-error", post(token_error))
        .route("/graph-error", post(graph_error).delete(clear_graph_errors))
        .route("/damage", post(damage))
        .route("/faults", post(faults).delete(heal))
        .route("/clock", post(clock))
        .route("/latency", post(latency))
        .route("/requests", get(requests).delete(clear_requests))
        .with_state(sim)
}

fn refused(why: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": why }))).into_response()
}

async fn state(State(sim): State<Sim>) -> Json<Value> {
    let directory = sim.directory();
    let tenant = directory.tenant();
    let now = sim.now();
    let domains: Vec<&str> = tenant.domains().iter().map(|domain| domain.name.as_str()).collect();
    let secrets: Vec<Value> = sim.secrets().iter().map(|secret| shown(secret, secret.end <= now)).collect();
    let certificates: Vec<String> = sim.certificates().iter().map(Certificate::thumbprint).collect();
    Json(json!({
        "tenant": {
            "id": tenant.id(),
            "display_name": tenant.display_name(),
            "domain": tenant.initial_domain(),
            "domains": domains,
            "users": directory.count(Kind::User),
            "groups": directory.count(Kind::Group),
        },
        "client_id": sim.client_id(),
        "secrets": secrets,
        "certificates": certificates,
        "roles": sim.roles(),
        "time": graph_time(now),
        "changes": directory.sequence(),
    }))
}

fn shown(secret: &Secret, expired: bool) -> Value {
    json!({
        "key_id": secret.key_id,
        "value": secret.value,
        "end": graph_time(secret.end),
        "expired": expired,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reset {
    users: Option<usize>,
    groups: Option<usize>,
    members_per_group: Option<usize>,
    seed: Option<u64>,
}

async fn reset(State(sim): State<Sim>, Json(reset): Json<Reset>) -> StatusCode {
    let usual = Size::default();
    sim.replace_tenant(Tenant::seeded(Size {
        users: reset.users.unwrap_or(usual.users),
        groups: reset.groups.unwrap_or(usual.groups),
        members_per_group: reset.members_per_group.unwrap_or(usual.members_per_group),
        seed: reset.seed.unwrap_or_else(|| sim.seed()),
    }));
    StatusCode::NO_CONTENT
}

async fn changes(State(sim): State<Sim>, Json(changes): Json<Vec<Change>>) -> Response {
    match sim.change_all(&changes) {
        Ok(ids) => Json(ids).into_response(),
        Err((at, why)) => refused(&format!("change {at}: {why}; none was made")),
    }
}

async fn delta_habits(State(sim): State<Sim>, Json(habits): Json<DeltaHabits>) -> StatusCode {
    sim.set_delta_habits(habits);
    StatusCode::NO_CONTENT
}

async fn throttling(State(sim): State<Sim>, Json(rules): Json<Throttling>) -> StatusCode {
    sim.set_throttling(Some(rules));
    StatusCode::NO_CONTENT
}

async fn no_throttling(State(sim): State<Sim>) -> StatusCode {
    sim.set_throttling(None);
    StatusCode::NO_CONTENT
}

async fn roles(State(sim): State<Sim>, Json(roles): Json<Vec<String>>) -> StatusCode {
    sim.set_roles(roles);
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum SecretChange {
    Add { value: Option<String>, lasts_seconds: Option<i64> },
    Expire(String),
    Remove(String),
}

async fn secrets(State(sim): State<Sim>, Json(change): Json<SecretChange>) -> Response {
    let found = match change {
        SecretChange::Add { value, lasts_seconds } => {
            let lasts = lasts_seconds.map_or(Duration::days(180), Duration::seconds);
            let secret = sim.add_secret(value, lasts);
            return Json(shown(&secret, secret.end <= sim.now())).into_response();
        }
        SecretChange::Expire(key_id) => sim.expire_secret(&key_id),
        SecretChange::Remove(key_id) => sim.remove_secret(&key_id),
    };
    if found {
        StatusCode::NO_CONTENT.into_response()
    } else {
        refused("there is no secret with this key id")
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Upload {
    pem: String,
}

async fn certificates(State(sim): State<Sim>, Json(upload): Json<Upload>) -> Response {
    let Some(certificate) = Certificate::from_pem(&upload.pem) else {
        return refused("pem does not hold an X.509 certificate with an RSA key");
    };
    let answer = json!({ "thumbprint": certificate.thumbprint(), "x5t#S256": URL_SAFE_NO_PAD.encode(certificate.sha256()) });
    sim.add_certificate(certificate);
    Json(answer).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenFault {
    code: Option<u32>,
    times: Option<u32>,
}

async fn token_error(State(sim): State<Sim>, Json(fault): Json<TokenFault>) -> Response {
    if sim.fail_tokens(fault.code, fault.times) {
        StatusCode::NO_CONTENT.into_response()
    } else {
        refused("the token endpoint has no such error for applications")
    }
}

async fn graph_error(sim: State<Sim>, Json(fault): Json<GraphFault>) -> Response {
    faults(sim, Json(vec![Fault::GraphError(fault)])).await
}

async fn clear_graph_errors(State(sim): State<Sim>) -> StatusCode {
    sim.clear_graph_faults();
    StatusCode::NO_CONTENT
}

async fn damage(State(sim): State<Sim>, Json(answer): Json<DamagedAnswer>) -> StatusCode {
    sim.damage(answer);
    StatusCode::NO_CONTENT
}

async fn faults(State(sim): State<Sim>, Json(faults): Json<Vec<Fault>>) -> Response {
    match sim.fail(faults) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(why) => refused(&why.to_string()),
    }
}

async fn heal(State(sim): State<Sim>) -> StatusCode {
    sim.heal();
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_seconds: i64,
}

async fn clock(State(sim): State<Sim>, Json(by): Json<Advance>) -> StatusCode {
    sim.advance_clock(Duration::seconds(by.advance_seconds));
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Latency {
    ms: u64,
}

async fn latency(State(sim): State<Sim>, Json(latency): Json<Latency>) -> StatusCode {
    sim.set_latency_ms(latency.ms);
    StatusCode::NO_CONTENT
}

async fn requests(State(sim): State<Sim>) -> Json<RequestLog> {
    Json(sim.requests())
}

async fn clear_requests(State(sim): State<Sim>) -> StatusCode {
    sim.clear_requests();
    StatusCode::NO_CONTENT
}
