//! What went wrong with a directory, in three voices: what is wrong, what to do, and what a support case needs.

use std::fmt;

use domain::Timestamp;

use super::advice::{self, advice};

/// A request that failed for good: what went wrong, and the trace of the last attempt. It never holds a secret, a token or a raw body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphError {
    /// What went wrong, for whoever decides what happens next.
    pub problem: Problem,
    /// Where and when, for a support case.
    pub trace: Box<Trace>,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The login endpoint issued no token.
    Token {
        /// The number after `AADSTS`, when there was one.
        code: Option<u32>,
        /// The OAuth error, such as `invalid_client`.
        error: String,
    },
    /// 403: the token lacks a permission, or the consent has not arrived yet.
    Denied,
    /// 401, and a new token did not help.
    Unauthorized,
    /// 429, and waiting longer is not allowed.
    Throttled {
        /// What the service asked for last, in seconds.
        retry_after: Option<u64>,
    },
    /// 400 and other refusals of the request itself: it was wrong, and repeating it does not help.
    BadRequest {
        /// Graph's code, such as `Request_UnsupportedQuery`.
        code: String,
        /// Graph's words.
        message: String,
    },
    /// The service no longer knows the position of the reader: the read must begin again from the start.
    Resync,
    /// 404.
    NotFound,
    /// A fault of the service.
    Server {
        /// The HTTP status.
        status: u16,
    },
    /// There was no (whole) answer.
    Unreachable {
        /// The host.
        host: String,
        /// Why.
        why: Unreachable,
    },
    /// The answer is no JSON, or breaks off.
    NotJson {
        /// It looks like a web page: a proxy or a sign-in page answered.
        html: bool,
    },
    /// The answer is larger than a page can be.
    TooLarge,
    /// The service names a next page on another host.
    ForeignLink {
        /// The scheme, host and port of the link.
        origin: String,
    },
    /// The answer is JSON, and not what was asked for.
    Unexpected {
        /// What is missing or wrong.
        what: String,
    },
}

/// Why there was no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreachable {
    /// The host has no address.
    Name,
    /// No connection was made.
    Connect,
    /// The certificate is not trusted.
    Certificate,
    /// No answer in time.
    Timeout,
    /// The connection broke.
    Broken,
}

/// The trace of a failed attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// Which request, such as `GET /users/delta`.
    pub request: &'static str,
    /// The HTTP status, when there was an answer.
    pub status: Option<u16>,
    /// The service's codes, outermost first.
    pub codes: Vec<String>,
    /// The service's words, cut, without line breaks.
    pub message: String,
    /// `request-id`, or the login endpoint's trace id.
    pub request_id: Option<String>,
    /// What was sent as `client-request-id`, or the login endpoint's correlation id.
    pub client_request_id: String,
    /// When the attempt failed, by this server's clock.
    pub at: Timestamp,
}

impl GraphError {
    /// Whether the read must begin again from the start.
    #[must_use]
    pub fn is_resync(&self) -> bool {
        self.problem == Problem::Resync
    }

    /// Whether consent could cure it: consent may take 15 minutes to arrive.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        self.problem == Problem::Denied
    }

    /// What is wrong, in plain words.
    #[must_use]
    pub fn headline(&self) -> String {
        match &self.problem {
            Problem::Token { code, error } => advice(*code, error).headline.to_owned(),
            Problem::Denied => "Microsoft Graph refuses the access.".to_owned(),
            Problem::Unauthorized => "Microsoft Graph does not accept the token.".to_owned(),
            Problem::Throttled { .. } => "Microsoft Graph keeps slowing this application down.".to_owned(),
            Problem::BadRequest { code, message } if message.is_empty() => {
                format!("Microsoft Graph rejects the request ({code}).")
            }
            Problem::BadRequest { message, .. } => format!("Microsoft Graph rejects the request: {message}"),
            Problem::Resync => "Microsoft Graph asks to read everything again.".to_owned(),
            Problem::NotFound => "Microsoft Graph does not find what was asked for.".to_owned(),
            Problem::Server { status } => format!("Microsoft's service has a fault (HTTP status {status})."),
            Problem::Unreachable { host, why } => match why {
                Unreachable::Name => format!("{host} cannot be reached: its name has no address."),
                Unreachable::Connect => format!("{host} cannot be reached: no connection was made."),
                Unreachable::Certificate => {
                    format!("{host} cannot be trusted: its certificate is not valid here.")
                }
                Unreachable::Timeout => format!("{host} does not answer in time."),
                Unreachable::Broken => format!("The connection to {host} broke off."),
            },
            Problem::NotJson { html: true } => "A web page came instead of an answer.".to_owned(),
            Problem::NotJson { html: false } => "The answer is incomplete or not readable.".to_owned(),
            Problem::TooLarge => "The answer is larger than a page can be.".to_owned(),
            Problem::ForeignLink { origin } => {
                format!("The answer continues on another host ({origin}), which is not followed.")
            }
            Problem::Unexpected { what } => format!("The answer is not what was asked for: {what}."),
        }
    }

    /// What the administrator should do.
    #[must_use]
    pub fn remedy(&self) -> String {
        match &self.problem {
            Problem::Token { code, error } => advice(*code, error).remedy,
            Problem::Denied => {
                "Add the application permissions Directory.Read.All, Group.Read.All, GroupMember.Read.All and User.Read.All to the app and grant \
                 admin consent. Consent may take 15 minutes: then try again."
            }
            Problem::Unauthorized => {
                "Check that the login and Graph addresses belong to the same Microsoft cloud, that this server's clock is right, and that the app is \
                 not disabled."
            }
            Problem::Throttled { .. } => {
                "Nothing is wrong with the settings. Try again in some minutes; if it returns, another program uses the same app: give Rollcall an \
                 app of its own."
            }
            Problem::BadRequest { .. } => {
                "If it names the custom filter, correct the filter. Otherwise report it with the technical detail."
            }
            Problem::Resync => "Nothing has to be done: the next sync reads everything.",
            Problem::NotFound => "Check the Graph address (ROLLCALL_GRAPH_URL), then report it with the technical detail.",
            Problem::Server { .. } => {
                "Nothing is wrong with the settings. Try again in some minutes; if it lasts, look at https://status.cloud.microsoft."
            }
            Problem::Unreachable { why, .. } => match why {
                Unreachable::Name => "Check this server's DNS, and the login and Graph addresses for typing errors.",
                Unreachable::Connect => {
                    "Allow this server to reach the host on port 443, or name the proxy in HTTPS_PROXY."
                }
                Unreachable::Certificate => {
                    "If a proxy inspects TLS, add its certificate authority to this system (or name its file in SSL_CERT_FILE). Otherwise update the \
                     system's ca-certificates, and check its clock."
                }
                Unreachable::Timeout | Unreachable::Broken => {
                    "Check the network between this server and the host (firewall, proxy), then try again."
                }
            },
            Problem::NotJson { html: true } => {
                "A proxy, firewall or sign-in page answers in the service's place: allow this server to reach the login and Graph addresses directly."
            }
            Problem::NotJson { html: false } | Problem::TooLarge => {
                "Try again. If it returns, a proxy changes or cuts the answers on their way."
            }
            Problem::ForeignLink { .. } => {
                "Set ROLLCALL_GRAPH_URL to the Graph address of your cloud. A proxy before Graph must rewrite the links of its answers."
            }
            Problem::Unexpected { .. } => {
                "Check the login and Graph addresses. If they are right, report it with the technical detail."
            }
        }
        .to_owned()
    }

    /// Codes, ids and time, for a support case.
    #[must_use]
    pub fn detail(&self) -> String {
        let trace = &self.trace;
        let mut parts = vec![trace.request.to_owned()];
        if let Some(status) = trace.status {
            parts.push(format!("HTTP {status}"));
        }
        if !trace.codes.is_empty() {
            parts.push(trace.codes.join(" / "));
        }
        if !trace.message.is_empty() {
            parts.push(trace.message.clone());
        }
        if let Some(id) = &trace.request_id {
            parts.push(format!("request-id {id}"));
        }
        if !trace.client_request_id.is_empty() {
            parts.push(format!("client-request-id {}", trace.client_request_id));
        }
        parts.push(trace.at.rfc3339());
        parts.join(" · ")
    }

    /// Whether the same request may succeed a little later.
    pub(super) fn is_passing(&self) -> bool {
        match &self.problem {
            Problem::Token { code, error } => {
                code.is_some_and(|code| advice::PASSING.contains(&code))
                    || matches!(error.as_str(), "temporarily_unavailable" | "server_error")
            }
            Problem::Server { status } => matches!(status, 500 | 502 | 503 | 504),
            Problem::Unreachable { why, .. } => *why != Unreachable::Certificate,
            Problem::Throttled { .. } => true,
            // An answer that broke off; a refusal without JSON comes from a proxy, which will say it again.
            Problem::NotJson { .. } => self.trace.status == Some(200),
            Problem::Denied
            | Problem::Unauthorized
            | Problem::BadRequest { .. }
            | Problem::Resync
            | Problem::NotFound
            | Problem::TooLarge
            | Problem::ForeignLink { .. }
            | Problem::Unexpected { .. } => false,
        }
    }
}

impl fmt::Display for GraphError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.headline())
    }
}

impl std::error::Error for GraphError {}
