//! What can go wrong between the browser and the server, as codes that a page turns into words.
//!
//! An expected refusal (a wrong field, a sync already running) is not an error but part of a server function's answer. What is left are these
//! few. The unknown one carries a reference number only: the trace is in the server's log under it.

use leptos::{
    prelude::FromServerFnError,
    server_fn::{codec::JsonEncoding, error::ServerFnErrorErr},
};
use serde::{Deserialize, Serialize};

/// Why a server function gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum AppError {
    /// Nobody is signed in, or the session has ended.
    #[error("You are signed out. Sign in again.")]
    SignedOut,
    /// The administrator's role does not allow it.
    #[error("Your role does not allow this.")]
    Forbidden,
    /// There is no such thing, or not for this administrator: a foreign id answers like a missing one.
    #[error("There is no such page.")]
    NotFound,
    /// The server cannot do it now; trying again later may help.
    #[error("The server is busy. Try again in a moment.")]
    Busy,
    /// Something that should not happen; the log has the trace under this number.
    #[error("Something went wrong on the server (reference {reference}).")]
    Internal {
        /// What to look for in the log.
        reference: String,
    },
    /// The server could not be reached, or its answer was not understood.
    #[error("The server could not be reached. Check the connection and try again.")]
    Unreachable,
}

impl FromServerFnError for AppError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Args(_)
            | ServerFnErrorErr::MissingArg(_)
            | ServerFnErrorErr::Registration(_) => Self::NotFound,
            _ => Self::Unreachable,
        }
    }
}
