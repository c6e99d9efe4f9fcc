//! `members@delta`: the members of a group that a round reports, in slices. A group with many is repeated on the
//! following pages, each with another slice of them; a position in the list stays what it is while the
//! directory changes, so that no member is lost between two pages.

use serde_json::{Value, json};

use super::super::Call;
use super::round::Round;
use crate::tenant::Reference;

/// What a round says of a group's members.
pub(super) struct Reported {
    group: usize,
    /// Who joined (true) or left (false). Of a group that is reported whole only who left: a client may remember
    /// them from before the group was deleted and restored.
    comings_and_goings: Vec<(Reference, bool)>,
    /// All members are reported, from their slots.
    whole: bool,
}

/// Part of them, for one page.
pub(super) struct Slice {
    pub(super) entries: Vec<Value>,
    /// Where the next slice begins; nothing when this was the last.
    pub(super) next: Option<usize>,
}

impl Reported {
    pub(super) fn of(round: &Round<'_>, group: Reference) -> Self {
        let whole = round.is_new(group);
        let mut comings_and_goings = match round.since {
            Some(since) => round.call.directory.comings_and_goings(group, since, round.until),
            None => Vec::new(),
        };
        if whole {
            comings_and_goings.retain(|(_, joined)| !joined);
        }
        Self { group: group.index, comings_and_goings, whole }
    }

    /// At most `room` members from a position on. The slots come last: only their number grows meanwhile.
    pub(super) fn slice(&self, call: &Call<'_>, from: usize, room: usize) -> Slice {
        let moved = self.comings_and_goings.len();
        let end = moved + if self.whole { call.directory.slots(self.group) } else { 0 };
        let mut entries = Vec::new();
        let mut at = from;
        while at < end && entries.len() < room {
            entries.extend(match self.comings_and_goings.get(at) {
                Some((member, joined)) => entry(call, *member, *joined),
                None => {
                    call.directory.slot(self.group, at - moved).and_then(|member| entry(call, member, true))
                }
            });
            at += 1;
        }
        Slice { entries, next: (at < end).then_some(at) }
    }
}

/// One member. The end of a membership is always `deleted`; it says nothing about the member itself. Whoever
/// is not there any more is no news as a new member.
pub(super) fn entry(call: &Call<'_>, member: Reference, joined: bool) -> Option<Value> {
    let directory = &call.directory;
    let (kind, id) = (directory.tenant().odata_type(member), directory.id_of(member));
    if !joined {
        return Some(json!({ "@odata.type": kind, "id": id, "@removed": { "reason": "deleted" } }));
    }
    directory.is_live(member).then(|| json!({ "@odata.type": kind, "id": id }))
}
