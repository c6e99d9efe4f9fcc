//! Directory services, and where a user came from.

use serde::{Deserialize, Serialize};

/// A directory service that a customer can connect; at most one of them is enabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// Microsoft Entra ID, read through Microsoft Graph.
    Entra,
    /// An LDAP directory.
    Ldap,
}

impl Service {
    /// Both services.
    pub const ALL: [Self; 2] = [Self::Entra, Self::Ldap];

    /// The name in the database and the settings file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Entra => "entra",
            Self::Ldap => "ldap",
        }
    }

    /// The service of that [`name`](Self::name).
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.name() == name)
    }

    /// The source of the users that this service delivers.
    #[must_use]
    pub const fn source(self) -> Source {
        match self {
            Self::Entra => Source::Azure,
            Self::Ldap => Source::Ldap,
        }
    }
}

/// Where a portal user comes from: the Source column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Delivered by Entra ID.
    Azure,
    /// Delivered by LDAP.
    Ldap,
    /// Entered by an administrator.
    Manual,
}

impl Source {
    /// Every source.
    pub const ALL: [Self; 3] = [Self::Azure, Self::Ldap, Self::Manual];

    /// The name in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Azure => "azure",
            Self::Ldap => "ldap",
            Self::Manual => "manual",
        }
    }

    /// The word of the Source column and of `users export`.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Azure => "Azure",
            Self::Ldap => "LDAP",
            Self::Manual => "Manual",
        }
    }

    /// The source of that [`name`](Self::name).
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.name() == name)
    }
}

/// What stands in the Status column: Inactive when the service is off, else Conflict, else Active.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Served, and delivered by its source.
    Active,
    /// Served, and no longer delivered by its directory service.
    Conflict,
    /// Not served: an administrator switched the service off.
    Inactive,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Active, Self::Conflict, Self::Inactive];

    /// The name in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Conflict => "conflict",
            Self::Inactive => "inactive",
        }
    }

    /// The word on a page.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Conflict => "Conflict",
            Self::Inactive => "Inactive",
        }
    }

    /// The status of that [`name`](Self::name).
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}
