//! Whether a directory user is synced, and with which addresses.

use std::collections::BTreeSet;

use crate::{
    address::{Address, Addresses, Domain, principal_address},
    object::DirectoryUser,
};

/// The domains whose mail this portal serves for a customer, worked out from the setting and the tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ManagedDomains {
    /// Every domain (the setting `*`).
    All,
    /// These.
    Only(BTreeSet<Domain>),
}

impl ManagedDomains {
    /// Unset means the tenant's verified domains without its routing domains, unless there are no others; `*` means all.
    #[must_use]
    pub fn of(setting: &[String], verified: &[String]) -> Self {
        if setting.iter().any(|entry| entry.trim() == "*") {
            return Self::All;
        }
        let listed: BTreeSet<_> = setting.iter().filter_map(|entry| Domain::parse(entry)).collect();
        if !listed.is_empty() {
            return Self::Only(listed);
        }
        let verified: BTreeSet<_> = verified.iter().filter_map(|entry| Domain::parse(entry)).collect();
        let own: BTreeSet<_> =
            verified.iter().filter(|domain| !domain.is_routing_domain()).cloned().collect();
        Self::Only(if own.is_empty() { verified } else { own })
    }

    /// Whether mail to this address is served here.
    #[must_use]
    pub fn contains(&self, address: &Address) -> bool {
        match self {
            Self::All => true,
            Self::Only(domains) => domains.contains(&address.domain()),
        }
    }
}

/// The rules of a customer's sync, as saved when the run began.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Whose mail is served.
    pub managed: ManagedDomains,
    /// Whether disabled accounts are synced.
    pub include_disabled: bool,
}

/// Why a directory user is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Out {
    /// An exception says so.
    Exception,
    /// It has no usable address.
    NoAddress,
    /// None of its addresses is in a managed domain.
    OutsideManagedDomains,
    /// Its account is disabled, and disabled accounts are not included.
    Disabled,
    /// It does not match the custom filter.
    FilteredOut,
}

/// What the rules say of one directory user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Synced under these addresses, all of them managed.
    In(Addresses),
    /// Left out.
    Out(Out),
}

/// What was decided by hand about one directory user, before any rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ByHand {
    /// An exception leaves it out.
    pub exception: bool,
    /// An addition takes it in, whatever the disabled switch and the custom filter say.
    pub addition: bool,
}

/// Decides about one directory user. The order is that of the product's rules: an exception, the managed domains, an addition, the disabled
/// switch, the custom filter; `matches_filter` is asked only when everything else has let the user in.
pub fn admit(
    user: &DirectoryUser,
    rules: &Rules,
    by_hand: ByHand,
    matches_filter: impl FnOnce() -> bool,
) -> Admission {
    if by_hand.exception {
        return Admission::Out(Out::Exception);
    }
    let Some(addresses) = Addresses::of(user) else { return Admission::Out(Out::NoAddress) };
    let Some(addresses) = managed_addresses(user, addresses, &rules.managed) else {
        return Admission::Out(Out::OutsideManagedDomains);
    };
    if by_hand.addition {
        return Admission::In(addresses);
    }
    if user.is_disabled() && !rules.include_disabled {
        return Admission::Out(Out::Disabled);
    }
    if !matches_filter() {
        return Admission::Out(Out::FilteredOut);
    }
    Admission::In(addresses)
}

/// The addresses that are attached to the portal's user. When the directory's primary is not managed, the user principal name, else the
/// first managed alias, becomes the portal's primary. A user with no managed primary and no managed alias is not served.
fn managed_addresses(user: &DirectoryUser, all: Addresses, managed: &ManagedDomains) -> Option<Addresses> {
    let mut aliases: Vec<_> = all.aliases.into_iter().filter(|alias| managed.contains(alias)).collect();
    if managed.contains(&all.primary) {
        return Some(Addresses { primary: all.primary, aliases });
    }
    let first = aliases.first()?.clone();
    let primary = principal_address(user).filter(|name| managed.contains(name)).unwrap_or(first);
    aliases.retain(|alias| *alias != primary);
    Some(Addresses { primary, aliases })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domains(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    fn rules() -> Rules {
        Rules { managed: ManagedDomains::of(&domains(&["contoso.com"]), &[]), include_disabled: false }
    }

    fn user(proxies: &[&str]) -> DirectoryUser {
        DirectoryUser {
            external_id: "1".to_owned(),
            proxy_addresses: domains(proxies),
            ..DirectoryUser::default()
        }
    }

    fn admitted(user: &DirectoryUser, rules: &Rules) -> Admission {
        admit(user, rules, ByHand::default(), || true)
    }

    #[test]
    fn unset_managed_domains_are_the_verified_ones_without_the_routing_domain() {
        let managed = ManagedDomains::of(&[], &domains(&["contoso.onmicrosoft.com", "contoso.com"]));
        assert_eq!(managed, ManagedDomains::Only(Domain::parse("contoso.com").into_iter().collect()));
    }

    #[test]
    fn a_tenant_with_nothing_but_its_routing_domain_manages_that_one() {
        let managed = ManagedDomains::of(&[], &domains(&["contoso.onmicrosoft.com"]));
        assert_eq!(
            managed,
            ManagedDomains::Only(Domain::parse("contoso.onmicrosoft.com").into_iter().collect())
        );
    }

    #[test]
    fn a_star_manages_every_domain() {
        assert_eq!(ManagedDomains::of(&domains(&["*"]), &[]), ManagedDomains::All);
    }

    #[test]
    fn a_user_outside_the_managed_domains_is_left_out_before_the_disabled_switch_is_asked() {
        let guest = DirectoryUser { account_enabled: Some(false), ..user(&["SMTP:g@fabrikam.com"]) };
        assert_eq!(admitted(&guest, &rules()), Admission::Out(Out::OutsideManagedDomains));
    }

    #[test]
    fn a_managed_alias_becomes_the_primary_when_the_primary_is_not_managed() {
        let person =
            user(&["SMTP:p@contoso.onmicrosoft.com", "smtp:one@contoso.com", "smtp:two@contoso.com"]);
        let Admission::In(addresses) = admitted(&person, &rules()) else { panic!("left out") };
        assert_eq!(addresses.primary.as_str(), "one@contoso.com");
        assert_eq!(addresses.aliases, [Address::parse("two@contoso.com").unwrap()]);
    }

    #[test]
    fn a_managed_principal_name_goes_before_the_aliases() {
        let person = DirectoryUser {
            user_principal_name: Some("upn@contoso.com".to_owned()),
            ..user(&["SMTP:p@contoso.onmicrosoft.com", "smtp:one@contoso.com"])
        };
        let Admission::In(addresses) = admitted(&person, &rules()) else { panic!("left out") };
        assert_eq!(addresses.primary.as_str(), "upn@contoso.com");
        assert_eq!(addresses.aliases, [Address::parse("one@contoso.com").unwrap()]);
    }

    #[test]
    fn an_alias_outside_the_managed_domains_is_not_attached() {
        let person = user(&["SMTP:p@contoso.com", "smtp:p@elsewhere.example"]);
        let Admission::In(addresses) = admitted(&person, &rules()) else { panic!("left out") };
        assert!(addresses.aliases.is_empty());
    }

    #[test]
    fn a_disabled_account_is_in_only_with_the_switch_and_an_unknown_state_counts_as_enabled() {
        let disabled = DirectoryUser { account_enabled: Some(false), ..user(&["SMTP:p@contoso.com"]) };
        assert_eq!(admitted(&disabled, &rules()), Admission::Out(Out::Disabled));
        let included = Rules { include_disabled: true, ..rules() };
        assert!(matches!(admitted(&disabled, &included), Admission::In(_)));
        assert!(matches!(admitted(&user(&["SMTP:p@contoso.com"]), &rules()), Admission::In(_)));
    }

    #[test]
    fn the_custom_filter_is_asked_last() {
        assert_eq!(
            admit(&user(&["SMTP:p@contoso.com"]), &rules(), ByHand::default(), || false),
            Admission::Out(Out::FilteredOut)
        );
        assert_eq!(
            admit(&user(&["SMTP:p@x.example"]), &rules(), ByHand::default(), || panic!("asked")),
            Admission::Out(Out::OutsideManagedDomains)
        );
    }

    #[test]
    fn an_exception_goes_before_everything_and_an_addition_before_the_switch_and_the_filter() {
        let disabled = DirectoryUser { account_enabled: Some(false), ..user(&["SMTP:p@contoso.com"]) };
        let addition = ByHand { addition: true, ..ByHand::default() };
        assert!(matches!(admit(&disabled, &rules(), addition, || false), Admission::In(_)));
        let both = ByHand { exception: true, addition: true };
        assert_eq!(admit(&disabled, &rules(), both, || true), Admission::Out(Out::Exception));
        let outside = user(&["SMTP:p@x.example"]);
        assert_eq!(admit(&outside, &rules(), addition, || true), Admission::Out(Out::OutsideManagedDomains));
    }
}
