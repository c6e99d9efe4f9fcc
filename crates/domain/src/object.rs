//! What a directory says about a user, in one shape for every directory service.

use serde::{Deserialize, Serialize};

/// A user as the directory describes it, before any rule is applied: what the mirror keeps.
///
/// The fields are those that a rule of the sync reads; everything else that was selected stands in `attributes`, for custom filters and
/// the user's page. All text is foreign: it was only freed of NUL and cut to a sane length by the reader.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryUser {
    /// The immutable key of the object: Graph's `id`, LDAP's `objectGUID` or `entryUUID`.
    pub external_id: String,
    /// `userPrincipalName`; may look like an address without being one (guests: `…#EXT#@…`).
    pub user_principal_name: Option<String>,
    /// `mail`: the primary address as the directory knows it.
    pub mail: Option<String>,
    /// `proxyAddresses` as sent, with their prefixes (`SMTP:` marks the primary).
    pub proxy_addresses: Vec<String>,
    /// `displayName`.
    pub display_name: Option<String>,
    /// Whether sign-in is allowed (`accountEnabled`); unknown counts as allowed.
    pub account_enabled: Option<bool>,
    /// Every selected property as a JSON object, as sent.
    pub attributes: String,
}

impl DirectoryUser {
    /// Whether the directory says that the account is disabled. Silence is not a "yes": nobody is dropped for a missing property.
    #[must_use]
    pub fn is_disabled(&self) -> bool {
        self.account_enabled == Some(false)
    }
}
