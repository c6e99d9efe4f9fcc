//! What has to change in the portal for it to equal what was decided.

use crate::address::Address;

/// A portal user as decided: what the sync wants to stand there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// The name shown, never empty.
    pub display_name: String,
    /// The primary address.
    pub primary: Address,
    /// The aliases, in any order.
    pub aliases: Vec<Address>,
    /// Whether the directory blocks sign-in (an included disabled account).
    pub sign_in_blocked: bool,
}

/// A portal user as it stands.
pub type Present = Desired;

/// Whether the user has to be written. The order of aliases says nothing.
#[must_use]
pub fn differs(present: &Present, desired: &Desired) -> bool {
    let sorted = |addresses: &[Address]| {
        let mut sorted = addresses.to_vec();
        sorted.sort();
        sorted
    };
    present.display_name != desired.display_name
        || present.primary != desired.primary
        || present.sign_in_blocked != desired.sign_in_blocked
        || sorted(&present.aliases) != sorted(&desired.aliases)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(aliases: &[&str]) -> Desired {
        Desired {
            display_name: "Ada".to_owned(),
            primary: Address::parse("ada@contoso.com").unwrap(),
            aliases: aliases.iter().filter_map(|alias| Address::parse(alias)).collect(),
            sign_in_blocked: false,
        }
    }

    #[test]
    fn the_order_of_aliases_is_no_difference_but_their_number_is() {
        assert!(!differs(&user(&["a@x.example", "b@x.example"]), &user(&["b@x.example", "a@x.example"])));
        assert!(differs(&user(&["a@x.example"]), &user(&["b@x.example", "a@x.example"])));
    }

    #[test]
    fn each_field_is_a_difference() {
        let present = user(&[]);
        assert!(differs(&present, &Desired { display_name: "Eve".to_owned(), ..present.clone() }));
        assert!(differs(
            &present,
            &Desired { primary: Address::parse("eve@contoso.com").unwrap(), ..present.clone() }
        ));
        assert!(differs(&present, &Desired { sign_in_blocked: true, ..present.clone() }));
    }
}
