//! A Microsoft Entra tenant on this machine: the token endpoint of `login.microsoftonline.com` and the part of
//! `graph.microsoft.com` that Rollcall reads, over http and https, on loopback only. No account, no network.
//!
//! It is what `make run` shows, what the tests of the other crates talk to, and what Microsoft's own client
//! libraries are run against to know that it behaves like the original. Its contract is public documentation;
//! where that is silent, the code says what was assumed.
//!
//! A Rust test starts one in its own process and asks it for everything it needs:
//!
//! ```
//! # async fn example() -> Result<(), entra_sim::StartError> {
//! use entra_sim::{Options, Sim, Size};
//!
//! let running = Sim::start(Options { size: Size { users: 25, ..Size::default() }, ..Options::default() }).await?;
//! let login_and_graph = running.url(); // http://127.0.0.1:<free port>
//! let secret = running.client_secret();
//! running.sim().set_roles(["User.Read.All"]);
//! assert!(!login_and_graph.is_empty() && !secret.is_empty());
//! running.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! Anything else starts the program `entra-sim` and talks to its control address (module `control`), which
//! offers the same as [`Sim`].
//!
//! A tenant also lives: [`Sim::change`] adds, renames, moves, deletes and restores, and the delta queries report
//! it the way the service does.
//!
//! How the pieces lie: [`Tenant`] is what the directory begins as, invented or imported; [`Directory`] is that
//! with every [`Change`] since; [`Sim`] adds the application registration, the clock and what a test has
//! switched; `login` and `graph` answer requests from it.

mod application;
mod chance;
mod clock;
mod control;
mod damage;
mod der;
mod directory;
mod faults;
mod graph;
mod habits;
mod login;
mod origin;
mod server;
mod state;
mod tenant;
mod throttle;
mod tls;

pub use application::{Certificate, DEFAULT_ROLES, Secret};
pub use damage::{Damage, DamagedAnswer};
pub use directory::{Change, ChangeError, Directory, Standing};
pub use faults::{Fault, FaultError};
pub use habits::{DeltaHabits, Resync};
pub use origin::Scheme;
pub use server::{Options, Running, StartError, Tls, router};
pub use state::{DeltaPages, GraphFault, Logged, RequestLog, Sim};
pub use tenant::{Domain, Import, ImportError, Kind, Object, Reference, Size, Tenant};
pub use throttle::Throttling;
