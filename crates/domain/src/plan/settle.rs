//! Who holds an address that several objects claim.

/// How an object claims an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rank {
    /// As its primary.
    Primary,
    /// As an alias.
    Alias,
}

/// Who claims: the mirror's number of a directory user, or a portal user that no directory object stands behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Claimant {
    /// A directory user that the rules let in.
    Delivered(i64),
    /// A portal user that the directory does not deliver now (by its own number), such as a Manual user.
    Undelivered(i64),
}

/// One object's claim to one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Who claims.
    pub claimant: Claimant,
    /// As what.
    pub rank: Rank,
    /// Whether the portal has the address attached to it at present.
    pub holds: bool,
    /// Whether it is a Manual user.
    pub manual: bool,
}

/// The claim that an address goes to: delivered beats not delivered, then primary beats alias, then the holder keeps it, then the one
/// with the smaller number. A directory alias never takes a Manual user's primary. The order of `claims` does not matter.
#[must_use]
pub fn winner(claims: &[Claim]) -> Option<Claim> {
    let manual_primary = claims.iter().any(|claim| claim.manual && claim.rank == Rank::Primary);
    claims
        .iter()
        .filter(|claim| !manual_primary || claim.manual || claim.rank == Rank::Primary)
        .min_by_key(|claim| {
            let (undelivered, number) = match claim.claimant {
                Claimant::Delivered(number) => (false, number),
                Claimant::Undelivered(number) => (true, number),
            };
            (undelivered, claim.rank, !claim.holds, number)
        })
        .copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn claim(number: i64, rank: Rank) -> Claim {
        Claim { claimant: Claimant::Delivered(number), rank, holds: false, manual: false }
    }

    #[test]
    fn primary_beats_alias_even_against_the_holder() {
        let alias = Claim { holds: true, ..claim(1, Rank::Alias) };
        assert_eq!(winner(&[alias, claim(2, Rank::Primary)]), Some(claim(2, Rank::Primary)));
    }

    #[test]
    fn among_equals_the_holder_keeps_it() {
        let holder = Claim { holds: true, ..claim(2, Rank::Alias) };
        assert_eq!(winner(&[claim(1, Rank::Alias), holder]), Some(holder));
    }

    #[test]
    fn among_equals_without_a_holder_the_first_read_gets_it_whatever_the_order_of_the_claims() {
        let (one, two) = (claim(1, Rank::Alias), claim(2, Rank::Alias));
        assert_eq!(winner(&[two, one]), Some(one));
        assert_eq!(winner(&[one, two]), Some(one));
    }

    #[test]
    fn delivered_beats_not_delivered() {
        let gone = Claim { claimant: Claimant::Undelivered(1), holds: true, ..claim(1, Rank::Primary) };
        assert_eq!(winner(&[gone, claim(2, Rank::Alias)]), Some(claim(2, Rank::Alias)));
    }

    #[test]
    fn a_directory_alias_never_takes_a_manual_users_primary() {
        let manual = Claim {
            claimant: Claimant::Undelivered(1),
            holds: true,
            manual: true,
            ..claim(1, Rank::Primary)
        };
        assert_eq!(winner(&[claim(2, Rank::Alias), manual]), Some(manual));
    }

    #[test]
    fn an_address_that_nobody_claims_goes_to_nobody() {
        assert_eq!(winner(&[]), None);
    }
}
