//! The invented company: who is where in it. Positions 0 to 22 hold one of each kind of user that a
//! synchronisation stumbles over, so that a company of 25 shows them all; after that the mix is drawn.

use crate::chance::Chance;

use super::names::HOSTILE;
use super::{Size, people};

pub(super) const DEFAULT_DOMAIN: &str = "contoso.com";
pub(super) const SECOND_DOMAIN: &str = "fabrikam.co.uk";
pub(super) const INITIAL_DOMAIN: &str = "contoso.onmicrosoft.com";

/// Where the hostile users begin; after them stands one person without a mailbox.
const FIRST_HOSTILE: usize = 14;
/// Every so-manieth person shares an alias with the next one.
const CLASH_EVERY: usize = 200;

/// What a user is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Person,
    Disabled,
    /// A person whose licence was taken away: the mailbox is gone, the aliases are not.
    Unlicensed,
    /// A person who never had a mailbox: neither mail nor proxy addresses.
    Mailless,
    Guest,
    /// Disabled and without a licence, and yet it receives mail.
    SharedMailbox,
    Room,
    ServiceAccount,
    /// A person with values that try to break things; the number is the position in the list of them.
    Hostile(usize),
}

/// The company's size and seed; everything else follows from them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Company {
    pub(super) size: Size,
}

impl Company {
    pub(super) fn new(size: Size) -> Self {
        Self { size }
    }

    pub(super) fn chance(&self, what: &str, index: usize) -> Chance {
        Chance::of(self.size.seed, what, index)
    }

    pub(super) fn user_id(&self, index: usize) -> String {
        self.chance("user", index).guid()
    }

    pub(super) fn group_id(&self, index: usize) -> String {
        self.chance("group", index).guid()
    }

    pub(super) fn part(&self, index: usize) -> Part {
        let mailless = FIRST_HOSTILE + HOSTILE.len();
        match index {
            0..=3 | 10..=13 => Part::Person,
            4 => Part::Guest,
            5 => Part::Disabled,
            6 => Part::Unlicensed,
            7 => Part::SharedMailbox,
            8 => Part::Room,
            9 => Part::ServiceAccount,
            _ if index < mailless => Part::Hostile(index - FIRST_HOSTILE),
            _ if index == mailless => Part::Mailless,
            _ => match self.chance("part", index).below(100) {
                0..=3 => Part::Guest,
                4..=6 => Part::Disabled,
                7..=8 => Part::Unlicensed,
                9 => Part::Mailless,
                10..=11 => Part::SharedMailbox,
                12 => Part::Room,
                13 => Part::ServiceAccount,
                _ => Part::Person,
            },
        }
    }

    /// The alias that this user and a neighbour both claim, which Exchange would not allow and directories
    /// nevertheless contain: 10 and 11 share one, 13 has the primary address of 12 as an alias, and from 100
    /// on one person in two hundred shares one with the next.
    pub(super) fn clashing_alias(&self, index: usize) -> Option<String> {
        match index {
            10 | 11 => Some(format!("front.desk@{DEFAULT_DOMAIN}")),
            13 => Some(people::address(self, 12)),
            _ if index < 100 => None,
            _ => {
                let first = index - index % CLASH_EVERY;
                (index - first < 2).then(|| format!("project.{first}@{DEFAULT_DOMAIN}"))
            }
        }
    }
}
