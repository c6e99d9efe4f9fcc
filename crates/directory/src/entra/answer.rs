//! Turning a refusal of either endpoint into a [`Problem`], whatever its body looks like.
//!
//! The bodies are foreign: they are read leniently, cut, and freed of anything that must not be repeated before a word of them reaches an
//! error.

use domain::Secret;
use serde::Deserialize;

use super::error::{Problem, Trace};

/// How much of the service's words is kept.
const WORDS: usize = 400;

/// Codes that mean "begin again": an expired delta token (both spellings of the documentation), and an expired page of the first round.
const RESYNC: &[&str] = &[
    "syncStateNotFound",
    "resyncRequired",
    "Directory_ExpiredPageToken",
    "DirectoryPageTokenNotFoundException",
];

#[derive(Deserialize)]
struct GraphBody {
    error: GraphPart,
}

#[derive(Deserialize)]
struct GraphPart {
    code: Option<String>,
    message: Option<String>,
    #[serde(rename = "innerError", alias = "innererror")]
    inner: Option<Box<GraphPart>>,
}

#[derive(Deserialize)]
struct TokenBody {
    error: String,
    #[serde(default)]
    error_description: String,
    #[serde(default)]
    error_codes: Vec<u32>,
    trace_id: Option<String>,
    correlation_id: Option<String>,
}

/// Reads a refusal by Graph, and completes the trace with the codes and words of its body.
pub(super) fn graph_problem(
    status: u16,
    body: &[u8],
    retry_after: Option<u64>,
    trace: &mut Trace,
    hidden: &[&Secret],
) -> Problem {
    if let Ok(GraphBody { error }) = serde_json::from_slice(body) {
        trace.message = words(error.message.as_deref().unwrap_or_default(), hidden);
        let mut part = Some(&error);
        while let Some(this) = part {
            if let Some(code) = this.code.as_deref().map(|code| words(code, hidden))
                && !trace.codes.contains(&code)
            {
                trace.codes.push(code);
            }
            part = this.inner.as_deref();
        }
    }
    let resync = trace.codes.iter().any(|code| RESYNC.iter().any(|known| known.eq_ignore_ascii_case(code)));
    match status {
        400 | 410 if resync => Problem::Resync,
        // Gone is said of nothing but a position that the service has forgotten.
        410 => Problem::Resync,
        401 => Problem::Unauthorized,
        403 => Problem::Denied,
        404 => Problem::NotFound,
        429 => Problem::Throttled { retry_after },
        500.. => Problem::Server { status },
        400..=499 => Problem::BadRequest {
            code: trace.codes.first().cloned().unwrap_or_else(|| format!("HTTP {status}")),
            message: trace.message.clone(),
        },
        _ => Problem::Unexpected { what: format!("HTTP status {status}") },
    }
}

/// Reads a refusal by the token endpoint, and completes the trace.
pub(super) fn token_problem(
    status: u16,
    body: &[u8],
    retry_after: Option<u64>,
    trace: &mut Trace,
    hidden: &[&Secret],
) -> Problem {
    let Ok(refusal) = serde_json::from_slice::<TokenBody>(body) else {
        return match status {
            429 => Problem::Throttled { retry_after },
            500.. => Problem::Server { status },
            404 => Problem::NotFound,
            300..=399 => Problem::Unexpected { what: format!("HTTP status {status}") },
            _ => Problem::NotJson { html: is_html(body) },
        };
    };
    // The description repeats trace id, correlation id and time on further lines; they have fields of their own.
    let first_line = refusal.error_description.lines().next().unwrap_or_default();
    trace.message = words(first_line, hidden);
    trace.request_id = refusal.trace_id.map(|id| words(&id, hidden)).or_else(|| trace.request_id.take());
    if let Some(id) = refusal.correlation_id {
        trace.client_request_id = words(&id, hidden);
    }
    let error = words(&refusal.error, hidden);
    let code = refusal.error_codes.first().copied().or_else(|| aadsts(first_line));
    trace.codes = std::iter::once(error.clone()).chain(code.map(|code| format!("AADSTS{code}"))).collect();
    if status == 429 { Problem::Throttled { retry_after } } else { Problem::Token { code, error } }
}

/// The number in `AADSTS7000215: …`, for an answer without `error_codes`.
fn aadsts(text: &str) -> Option<u32> {
    let rest = text.split_once("AADSTS")?.1;
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest.get(..digits)?.parse().ok()
}

/// Whether a body that should be JSON looks like a web page.
pub(super) fn is_html(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'<')
}

/// Foreign words fit for an error: without what must stay hidden (an endpoint may echo the request), control characters and excess length.
pub(super) fn words(text: &str, hidden: &[&Secret]) -> String {
    let mut text = text.to_owned();
    for secret in hidden.iter().map(|secret| secret.expose()).filter(|secret| !secret.is_empty()) {
        text = text.replace(secret, "***");
        let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        text = text.replace(&encoded, "***");
    }
    let mut clean: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(WORDS + 1).collect();
    if clean.chars().count() > WORDS {
        clean.pop();
        clean.push('…');
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(status: u16, body: &str) -> (Problem, Trace) {
        let mut trace = Trace::default();
        let problem = graph_problem(status, body.as_bytes(), None, &mut trace, &[]);
        (problem, trace)
    }

    #[test]
    fn a_forgotten_position_is_recognised_in_every_spelling() {
        for (status, code) in [
            (400, "syncStateNotFound"),
            (400, "SyncStateNotFound"),
            (410, "SyncStateNotFound"),
            (400, "resyncRequired"),
            (410, "ResyncRequired"),
            (400, "Directory_ExpiredPageToken"),
        ] {
            let body = format!(r#"{{"error":{{"code":"{code}","message":"x"}}}}"#);
            assert_eq!(graph(status, &body).0, Problem::Resync, "{status} {code}");
        }
        assert_eq!(graph(410, "gone").0, Problem::Resync);
    }

    #[test]
    fn a_code_within_the_inner_error_counts_too() {
        let body = r#"{"error":{"code":"BadRequest","message":"m","innererror":{"code":"UnknownError",
            "innerError":{"code":"syncStateNotFound"}}}}"#;
        let (problem, trace) = graph(400, body);
        assert_eq!(problem, Problem::Resync);
        assert_eq!(trace.codes, ["BadRequest", "UnknownError", "syncStateNotFound"]);
    }

    #[test]
    fn another_400_is_a_refusal_with_code_and_words() {
        let body = r#"{"error":{"code":"Request_UnsupportedQuery","message":"Operator: 'Contains' is not supported.",
            "innerError":{"date":"2026-01-02T03:04:05","request-id":"r"}}}"#;
        assert_eq!(
            graph(400, body).0,
            Problem::BadRequest {
                code: "Request_UnsupportedQuery".to_owned(),
                message: "Operator: 'Contains' is not supported.".to_owned()
            }
        );
    }

    #[test]
    fn a_token_refusal_keeps_its_first_line_ids_and_code() {
        let body = r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided.\r\nTrace ID: t\r\nCorrelation ID: c\r\nTimestamp: x",
            "error_codes":[7000215],"trace_id":"t","correlation_id":"c"}"#;
        let mut trace = Trace::default();
        let problem = token_problem(401, body.as_bytes(), None, &mut trace, &[]);
        assert_eq!(problem, Problem::Token { code: Some(7_000_215), error: "invalid_client".to_owned() });
        assert_eq!(trace.message, "AADSTS7000215: Invalid client secret provided.");
        assert_eq!((trace.request_id.as_deref(), trace.client_request_id.as_str()), (Some("t"), "c"));
    }

    #[test]
    fn the_code_is_found_in_the_words_when_the_list_is_missing() {
        let body = r#"{"error":"invalid_request","error_description":"AADSTS90002: Tenant 'x' not found."}"#;
        let problem = token_problem(400, body.as_bytes(), None, &mut Trace::default(), &[]);
        assert_eq!(problem, Problem::Token { code: Some(90002), error: "invalid_request".to_owned() });
    }

    #[test]
    fn words_never_repeat_a_secret_plain_or_encoded_and_stay_short() {
        let secret = Secret::new("p~ss w+rd/1");
        let text = format!("a=p~ss w+rd/1\r\nb=p%7Ess+w%2Brd%2F1 {}", "x".repeat(1_000));
        let words = words(&text, &[&secret]);
        assert!(words.starts_with("a=***  b=*** x"), "{words}");
        assert_eq!(words.chars().count(), WORDS + 1);
    }
}
