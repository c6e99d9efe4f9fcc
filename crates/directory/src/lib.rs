//! Reading a directory service.
//!
//! The only crate that speaks to a directory: it names the HTTP client, and nobody else does. It holds no rule about who is synced and
//! writes nothing; it turns foreign answers into [`domain::object::DirectoryUser`]s and [`domain::group::DirectoryGroup`]s, and into errors
//! that say what to do.
//!
//! - [`entra`]: Microsoft Entra ID through Microsoft Graph.

pub mod entra;
