//! Mail addresses and domains, and how a directory object's addresses are read.
//!
//! Two addresses are the same when they are equal after [`Address::parse`]: the local part in ASCII lower case, the domain as A-labels
//! (IDNA, UTS 46). Every address in the database is in that form, so that plain equality is the right comparison there.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::object::DirectoryUser;

/// The longest address that is taken: 64 octets of local part, `@`, 253 of domain (RFC 5321, 4.5.3.1).
pub const LONGEST_ADDRESS: usize = 64 + 1 + 253;

/// A mail domain as A-labels in lower case, such as `contoso.com` or `xn--bcher-kva.example`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Domain(String);

impl Domain {
    /// Reads a domain name. `None` when it is none that mail can be sent to: it needs two labels, of letters, digits and hyphens.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let ascii = idna::domain_to_ascii_strict(text).ok()?;
        let plain =
            ascii.len() <= 253 && ascii.contains('.') && ascii.split('.').all(|label| !label.is_empty());
        plain.then_some(Self(ascii))
    }

    /// The domain as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is a tenant's own routing domain, which Microsoft hands out: `…​.onmicrosoft.com` (or the other clouds' form of it).
    #[must_use]
    pub fn is_routing_domain(&self) -> bool {
        [".onmicrosoft.com", ".onmicrosoft.us", ".partner.onmschina.cn"]
            .iter()
            .any(|end| self.0.ends_with(end))
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A mail address in the form in which addresses are compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Address(String);

impl Address {
    /// Reads an address. `None` when the text is none: the local part must be a dot-atom of RFC 5321 (or of RFC 6531 beyond ASCII),
    /// the domain one that [`Domain::parse`] takes. Quoted local parts and address literals are not taken: no directory delivers them as mailboxes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@')?;
        let atom = |c: char| {
            c.is_ascii_alphanumeric()
                || "!#$%&'*+-/=?^_`{|}~.".contains(c)
                || (!c.is_ascii() && !c.is_control() && !c.is_whitespace())
        };
        if local.is_empty() || local.len() > 64 || !local.chars().all(atom) {
            return None;
        }
        if local.starts_with('.') || local.ends_with('.') || local.contains("..") {
            return None;
        }
        let domain = Domain::parse(domain)?;
        Some(Self(format!("{}@{domain}", local.to_ascii_lowercase())))
    }

    /// The address as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part behind the `@`.
    #[must_use]
    pub fn domain(&self) -> Domain {
        Domain(self.0.rsplit_once('@').map_or_else(String::new, |(_, domain)| domain.to_owned()))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The addresses of a directory object: one primary, and the aliases in the directory's order without the primary and without repeats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// The `SMTP:` entry of `proxyAddresses`, else `mail`, else the user principal name.
    pub primary: Address,
    /// The `smtp:` entries.
    pub aliases: Vec<Address>,
}

impl Addresses {
    /// Reads the addresses of a directory user; `None` when it has no usable one.
    ///
    /// The prefix of a proxy address is compared without case and only at the start; which case it is written in says whether it is the
    /// primary. Entries with another prefix (`SIP:`, `X500:`, `SPO:`, …) are no mail addresses. A user principal name with `#EXT#` never is one.
    /// Should a directory carry two `SMTP:` entries, the first usable one is the primary and the other an alias.
    #[must_use]
    pub fn of(user: &DirectoryUser) -> Option<Self> {
        let mut primary = None;
        let mut aliases = Vec::new();
        for entry in &user.proxy_addresses {
            let Some((prefix, rest)) = entry.split_once(':') else { continue };
            if !prefix.eq_ignore_ascii_case("smtp") {
                continue;
            }
            let Some(address) = Address::parse(rest) else { continue };
            if prefix == "SMTP" && primary.is_none() {
                primary = Some(address);
            } else {
                aliases.push(address);
            }
        }
        let primary = primary
            .or_else(|| user.mail.as_deref().and_then(Address::parse))
            .or_else(|| principal_address(user))?;
        let mut seen = std::collections::HashSet::from([primary.clone()]);
        aliases.retain(|alias| seen.insert(alias.clone()));
        Some(Self { primary, aliases })
    }
}

/// The user principal name as an address, when it is one.
#[must_use]
pub fn principal_address(user: &DirectoryUser) -> Option<Address> {
    let name = user.user_principal_name.as_deref()?;
    if name.to_ascii_uppercase().contains("#EXT#") { None } else { Address::parse(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(proxies: &[&str], mail: Option<&str>, upn: Option<&str>) -> DirectoryUser {
        DirectoryUser {
            external_id: "1".to_owned(),
            proxy_addresses: proxies.iter().map(ToString::to_string).collect(),
            mail: mail.map(str::to_owned),
            user_principal_name: upn.map(str::to_owned),
            ..DirectoryUser::default()
        }
    }

    fn read(proxies: &[&str], mail: Option<&str>, upn: Option<&str>) -> Option<(String, Vec<String>)> {
        Addresses::of(&user(proxies, mail, upn))
            .map(|a| (a.primary.to_string(), a.aliases.iter().map(ToString::to_string).collect()))
    }

    fn some(primary: &str, aliases: &[&str]) -> Option<(String, Vec<String>)> {
        Some((primary.to_owned(), aliases.iter().map(ToString::to_string).collect()))
    }

    #[test]
    fn the_upper_case_smtp_entry_is_the_primary_and_the_lower_case_ones_are_aliases() {
        let read =
            read(&["smtp:ada@contoso.com", "SMTP:Ada.Lovelace@Contoso.com"], Some("other@contoso.com"), None);
        assert_eq!(read, some("ada.lovelace@contoso.com", &["ada@contoso.com"]));
    }

    #[test]
    fn without_an_smtp_entry_mail_is_the_primary_and_without_mail_the_principal_name() {
        assert_eq!(
            read(&["smtp:a@x.example"], Some("m@x.example"), Some("u@x.example")),
            some("m@x.example", &["a@x.example"])
        );
        assert_eq!(read(&[], None, Some("U@x.example")), some("u@x.example", &[]));
    }

    #[test]
    fn a_guest_principal_name_is_never_an_address() {
        assert_eq!(read(&[], None, Some("bob_fabrikam.com#EXT#@contoso.onmicrosoft.com")), None);
        assert_eq!(read(&[], None, Some("bob_fabrikam.com#ext#@contoso.onmicrosoft.com")), None);
    }

    #[test]
    fn other_prefixes_and_a_prefix_in_the_middle_are_ignored() {
        let proxies = [
            "SIP:s@x.example",
            "X500:/o=x/cn=smtp:no@x.example",
            "SPO:SPO_1@SPO_2",
            "plain@x.example",
            "Smtp:mixed@x.example",
        ];
        assert_eq!(read(&proxies, Some("p@x.example"), None), some("p@x.example", &["mixed@x.example"]));
    }

    #[test]
    fn the_primary_is_dropped_from_the_aliases_whatever_its_case_and_repeats_are_merged() {
        let proxies = ["SMTP:A@x.example", "smtp:a@X.example", "smtp:b@x.example", "smtp:B@x.example"];
        assert_eq!(read(&proxies, None, None), some("a@x.example", &["b@x.example"]));
    }

    #[test]
    fn an_unusable_smtp_entry_falls_back_to_mail() {
        assert_eq!(read(&["SMTP:not an address"], Some("m@x.example"), None), some("m@x.example", &[]));
    }

    #[test]
    fn a_domain_is_compared_as_a_labels() {
        assert_eq!(
            Address::parse("büro@BÜCHER.example").map(|a| a.to_string()),
            Some("büro@xn--bcher-kva.example".to_owned())
        );
        assert_eq!(Address::parse("x@xn--bcher-kva.example"), Address::parse("X@bücher.EXAMPLE"));
    }

    #[test]
    fn what_mail_cannot_be_sent_to_is_no_address() {
        for text in [
            "",
            "a",
            "@x.example",
            "a@",
            "a@localhost",
            "a b@x.example",
            "a@x..example",
            ".a@x.example",
            "a..b@x.example",
            "a@x_y.example",
            "a\0@x.example",
            "\"a\"@x.example",
            "a@[127.0.0.1]",
            "<a@x.example>",
            "a@x.example, b@x.example",
        ] {
            assert_eq!(Address::parse(text), None, "{text:?}");
        }
        assert!(Address::parse(&format!("{}@x.example", "a".repeat(64))).is_some());
        assert_eq!(Address::parse(&format!("{}@x.example", "a".repeat(65))), None);
    }

    #[test]
    fn the_routing_domain_of_a_tenant_is_recognised() {
        assert!(Domain::parse("contoso.onmicrosoft.com").is_some_and(|d| d.is_routing_domain()));
        assert!(!Domain::parse("onmicrosoft.com.example").is_some_and(|d| d.is_routing_domain()));
    }

    proptest::proptest! {
        #[test]
        fn reading_an_address_again_changes_nothing(text in ".{0,40}@.{0,20}\\.[a-z]{2,6}") {
            if let Some(address) = Address::parse(&text) {
                proptest::prop_assert_eq!(Address::parse(address.as_str()), Some(address.clone()));
            }
        }
    }
}
