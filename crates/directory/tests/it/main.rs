//! The Microsoft Graph client over real HTTP: against a server that plays written answers, and against a simulated tenant.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may stop it")]

mod connection_test;
mod delta_rounds;
mod failures;
mod groups;
mod lookup;
mod reading;
mod secrecy;
mod simulated_tenant;
mod support;
mod tenant;
