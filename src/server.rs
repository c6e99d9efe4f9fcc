//! The HTTP side of the portal: configuration from the environment, the router, the middleware, and the clock and chance of a real machine.

pub mod config;
mod conflicts_csv;
mod downloads;
mod exports;
mod health;
mod live;
pub mod machine;
mod middleware;
mod router;
mod start;
mod theme;

pub use self::{
    config::{Config, ConfigError},
    router::{pages, router},
    start::{StartError, portal, serve},
};
