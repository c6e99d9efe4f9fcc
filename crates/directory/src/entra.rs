//! Microsoft Entra ID, read through Microsoft Graph.
//!
//! A run of the sync and the Test of the Connect page each make one [`Graph`]: a tenant's client with its own token, its own counters and
//! its own patience. What it promises:
//!
//! - one bad object of a page never stops the others ([`UserPage`], [`GroupPage`]);
//! - a request that fails for a passing reason is tried again within bounds ([`Patience`]), and waiting that the service asked for is
//!   counted apart;
//! - every other failure is a [`GraphError`] that says what is wrong, what to do, and what a support case needs, without a secret;
//! - a link that the service returns is used as it is, but never followed to another host.
//!
//! [`check::connection_test`] puts the pieces together for the Test button.

mod advice;
mod answer;
pub mod check;
mod client;
mod delta;
mod endpoints;
mod error;
mod group;
mod http;
mod lookup;
mod object;
mod page;
mod patience;
mod questions;
mod token;
mod user;

pub use client::{Graph, Traffic};
pub use endpoints::{Credentials, EndpointError, Endpoints};
pub use error::{GraphError, Problem, Trace, Unreachable};
pub use group::GROUP_SELECTION;
pub use http::{Http, HttpError};
pub use page::{GroupPage, MemberChange, NextOrDelta, PageLink, UserPage};
pub use patience::Patience;
pub use token::TokenFacts;
pub use user::USER_SELECTION;
