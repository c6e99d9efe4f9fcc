//! Rollcall, the portal.
