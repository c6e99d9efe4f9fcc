//! What is on the pages of a delta round.
//!
//! A first round walks over all positions. A later one walks over the change log from the round before to its
//! own end and reports an object at the last change of it that the client tracks, so once, as it is now. A round
//! of several pages has an empty one after its first, which a reader must not take for the end.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::super::Call;
use super::super::link::Place;
use super::super::query::{Select, project};
use super::members;
use crate::directory::{Standing, What};
use crate::tenant::{GROUP_DEFAULT, Kind, Object, Reference, USER_DEFAULT};

/// How far back in the log an object to replay is looked for.
const REPLAY_WITHIN: usize = 1000;

pub(super) struct Round<'a> {
    pub(super) call: &'a Call<'a>,
    pub(super) kind: Kind,
    pub(super) select: Option<Select>,
    /// The objects that the client restricted the round to.
    pub(super) only: Option<Vec<Reference>>,
    /// As in the token.
    pub(super) since: Option<usize>,
    pub(super) until: usize,
    /// Of a changed object only what changed.
    pub(super) minimal: bool,
}

impl Round<'_> {
    /// The objects of a page, and where the next one begins, if there is one.
    pub(super) fn page(&self, from: Place) -> (Vec<Value>, Option<Place>) {
        if from.hollow {
            return (Vec::new(), Some(Place { hollow: false, ..from }));
        }
        let sizes = self.call.sim.delta_pages;
        let mut value: Vec<Value> = self.replay(from).into_iter().map(Value::Object).collect();
        let mut objects = sizes.objects.max(1);
        let mut room = sizes.members.max(1);
        let mut place = Place { hollow: false, ..from };
        while place.at < self.end() && objects > 0 && room > 0 {
            let next = Place { at: place.at + 1, members: 0, ..place };
            let Some(of) = self.at(place.at) else {
                place = next;
                continue;
            };
            let mut item = self.item(of);
            let mut seen = None;
            if self.with_members() && self.call.directory.is_live(of) {
                let reported = members::Reported::of(self, of);
                let slice = reported.slice(self.call, place.members, room);
                if !slice.entries.is_empty() {
                    room -= slice.entries.len().min(room);
                    item.insert("members@delta".to_owned(), Value::Array(slice.entries));
                }
                seen = slice.next;
            }
            value.push(Value::Object(item));
            objects -= 1;
            place = seen.map_or(next, |members| Place { members, ..place });
        }
        let is_first = from.at == self.start() && from.members == 0;
        let next = (place.at < self.end()).then_some(Place { hollow: is_first, ..place });
        (value, next)
    }

    fn start(&self) -> usize {
        self.since.map_or(0, |since| since + 1)
    }

    /// One past the last place.
    fn end(&self) -> usize {
        match (self.since, &self.only) {
            (Some(_), _) => self.until + 1,
            (None, Some(only)) => only.len(),
            (None, None) => self.call.directory.positions(self.kind),
        }
    }

    /// The object that is reported at a place.
    fn at(&self, place: usize) -> Option<Reference> {
        let directory = &self.call.directory;
        let Some(since) = self.since else {
            let of = match &self.only {
                Some(only) => *only.get(place)?,
                None => Reference { kind: self.kind, index: place },
            };
            let shown = match directory.standing(of) {
                Standing::Live => true,
                Standing::Deleted { .. } => self.call.sim.delta_habits().removed_in_first_round,
                Standing::Gone => false,
            };
            return shown.then_some(of);
        };
        let of = directory.entry(place)?.of;
        let mut last = directory.history(of, since, self.until).rev().filter(|(_, what)| self.tracks(what));
        (self.concerns(of) && last.next()?.0 == place).then_some(of)
    }

    /// Whether the round is about this object at all.
    fn concerns(&self, of: Reference) -> bool {
        of.kind == self.kind && self.only.as_ref().is_none_or(|only| only.contains(&of))
    }

    /// Whether the client hears of such a change: only what it selected is tracked.
    fn tracks(&self, what: &What) -> bool {
        match what {
            What::Appeared | What::Removed => true,
            What::Changed(names) => names.iter().any(|name| self.wants(name)),
            What::Joined(_) | What::Left(_) => self.with_members(),
        }
    }

    fn wants(&self, name: &str) -> bool {
        match &self.select {
            Some(select) => select.has(name),
            None => self.default().contains(&name),
        }
    }

    fn default(&self) -> &'static [&'static str] {
        if self.kind == Kind::User { USER_DEFAULT } else { GROUP_DEFAULT }
    }

    fn with_members(&self) -> bool {
        self.kind == Kind::Group && self.select.as_ref().is_none_or(|select| select.has("members"))
    }

    /// Whether the object is new in this round: created or restored.
    pub(super) fn is_new(&self, of: Reference) -> bool {
        let Some(since) = self.since else { return true };
        let mut history = self.call.directory.history(of, since, self.until);
        history.any(|(_, what)| matches!(what, What::Appeared))
    }

    /// What delta says of an object: `id` always; nothing that was never set, null for what was cleared.
    fn item(&self, of: Reference) -> Object {
        let directory = &self.call.directory;
        let id = ("id".to_owned(), json!(directory.id_of(of)));
        let removed = |reason| ("@removed".to_owned(), json!({ "reason": reason }));
        match directory.standing(of) {
            Standing::Live => {}
            Standing::Deleted { .. } => return Object::from_iter([id, removed("changed")]),
            Standing::Gone => return Object::from_iter([id, removed("deleted")]),
        }
        let changed_since = |after: usize| -> HashSet<&str> {
            let names = directory.history(of, after, usize::MAX).filter_map(|(_, what)| match what {
                What::Changed(names) => Some(names),
                _ => None,
            });
            names.flatten().map(String::as_str).collect()
        };
        let mut item = project(&directory.object(of), self.select.as_ref(), self.default());
        let ever_set = changed_since(0);
        item.retain(|name, value| !value.is_null() || ever_set.contains(name.as_str()));
        if let Some(since) = self.since.filter(|_| self.minimal && !self.is_new(of)) {
            let changed = changed_since(since);
            item.retain(|name, _| changed.contains(name.as_str()));
        }
        item.extend([id]);
        item
    }

    /// An object that the client has already had, when the tenant is in the habit of repeating them: on a
    /// further page the one before it, at the beginning of a later round the last one of the rounds before.
    fn replay(&self, from: Place) -> Option<Object> {
        if !self.call.sim.delta_habits().replays || from.members > 0 {
            return None;
        }
        let directory = &self.call.directory;
        if self.since.is_none() {
            return (0..from.at).rev().find_map(|place| self.at(place)).map(|of| self.item(of));
        }
        let earlier = (1..from.at).rev().take(REPLAY_WITHIN).filter_map(|place| directory.entry(place));
        let mut earlier = earlier.filter(|entry| self.concerns(entry.of) && self.tracks(&entry.what));
        let Some(entry) = earlier.next() else {
            return directory.all(self.kind).find(|of| self.concerns(*of)).map(|of| self.item(of));
        };
        let mut item = self.item(entry.of);
        if let What::Joined(who) | What::Left(who) = &entry.what
            && directory.is_live(entry.of)
        {
            let again = who.iter().map(|member| (*member, directory.has_member(entry.of.index, *member)));
            let entries: Vec<Value> =
                again.filter_map(|(member, joined)| members::entry(self.call, member, joined)).collect();
            item.insert("members@delta".to_owned(), Value::Array(entries));
        }
        Some(item)
    }
}
