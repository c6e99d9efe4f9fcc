//! What a directory says about a group, in one shape for every directory service.

use serde::{Deserialize, Serialize};

use crate::{
    address::{Address, Addresses},
    named,
    object::DirectoryUser,
};

/// The type of a group, as its page names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupKind {
    /// A Microsoft 365 group.
    Microsoft365,
    /// A security group without mail.
    #[default]
    Security,
    /// A security group that can be written to.
    MailEnabledSecurity,
    /// A distribution list.
    Distribution,
}
named!(GroupKind {
    Microsoft365 = "microsoft365",
    Security = "security",
    MailEnabledSecurity = "mail_enabled_security",
    Distribution = "distribution",
});

impl GroupKind {
    /// The label in the Type column.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Microsoft365 => "Microsoft 365",
            Self::Security => "Security",
            Self::MailEnabledSecurity => "Mail-enabled security",
            Self::Distribution => "Distribution",
        }
    }
}

/// What a member of a group is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberKind {
    /// A user.
    User,
    /// A group.
    Group,
    /// A device, a service principal, a contact: nobody who is synced.
    Other,
}
named!(MemberKind { User = "user", Group = "group", Other = "other" });

/// A group as a directory describes it, before any rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryGroup {
    /// The directory's immutable id.
    pub external_id: String,
    /// Its name.
    pub display_name: Option<String>,
    /// Its mail address.
    pub mail: Option<String>,
    /// Its proxy addresses, with their prefixes.
    pub proxy_addresses: Vec<String>,
    /// Its type.
    pub kind: GroupKind,
}

impl DirectoryGroup {
    /// The address under which the group is written to, by the same rules as a user's primary: the `SMTP:` entry, else `mail`. None for a
    /// group that has none.
    #[must_use]
    pub fn address(&self) -> Option<Address> {
        let as_user = DirectoryUser {
            mail: self.mail.clone(),
            proxy_addresses: self.proxy_addresses.clone(),
            ..DirectoryUser::default()
        };
        Addresses::of(&as_user).map(|addresses| addresses.primary)
    }
}

/// A direct membership: who is in which group, by the directory's ids.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Membership {
    /// The group's id.
    pub group: String,
    /// The member's id.
    pub member: String,
    /// What the member is.
    pub kind: MemberKind,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_groups_address_is_its_smtp_entry_else_its_mail_else_none() {
        let group = DirectoryGroup { mail: Some("Mail@Contoso.com".to_owned()), ..DirectoryGroup::default() };
        assert_eq!(group.address().unwrap().as_str(), "mail@contoso.com");
        let proxies = DirectoryGroup {
            proxy_addresses: vec!["smtp:old@contoso.com".to_owned(), "SMTP:new@contoso.com".to_owned()],
            ..group
        };
        assert_eq!(proxies.address().unwrap().as_str(), "new@contoso.com");
        assert_eq!(DirectoryGroup::default().address(), None);
    }
}
