//! The log of changes: what happened to which object, in order, without the values. A sequence number is the
//! number of entries so far, so the first change has number 1 and a directory nobody touched stands at 0.

use std::collections::HashSet;

use super::Directory;
use crate::tenant::Reference;

/// One change of one object.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// The object it happened to; for a membership, the group.
    pub(crate) of: Reference,
    pub(crate) what: What,
}

#[derive(Debug, Clone)]
pub(crate) enum What {
    /// Created, or restored from the recycle bin.
    Appeared,
    /// Deleted, softly or for good.
    Removed,
    /// These properties got another value.
    Changed(Vec<String>),
    /// These became direct members of the group.
    Joined(Vec<Reference>),
    /// These ceased to be direct members of the group.
    Left(Vec<Reference>),
}

impl Directory {
    /// How many changes there were: the number of the latest.
    #[must_use]
    pub fn sequence(&self) -> usize {
        self.log.len()
    }

    /// The change with a number, from 1.
    pub(crate) fn entry(&self, sequence: usize) -> Option<&Entry> {
        self.log.get(sequence.checked_sub(1)?)
    }

    /// The changes of one object after one number up to another, with their numbers, oldest first.
    pub(crate) fn history(
        &self,
        of: Reference,
        after: usize,
        until: usize,
    ) -> impl DoubleEndedIterator<Item = (usize, &What)> {
        let all = self.records.get(&of).map_or(&[][..], |record| record.changes.as_slice());
        let from = all.partition_point(|sequence| *sequence <= after);
        let to = all.partition_point(|sequence| *sequence <= until).max(from);
        let changes = all.get(from..to).unwrap_or_default();
        changes.iter().filter_map(|sequence| Some((*sequence, &self.entry(*sequence)?.what)))
    }

    /// Who joined (true) or left (false) a group between two numbers, by what happened last, in the order in
    /// which they were first touched.
    pub(crate) fn comings_and_goings(
        &self,
        group: Reference,
        after: usize,
        until: usize,
    ) -> Vec<(Reference, bool)> {
        let mut latest: Vec<(Reference, bool)> = Vec::new();
        let mut seen = HashSet::new();
        for (_, what) in self.history(group, after, until).rev() {
            let (members, joined) = match what {
                What::Joined(members) => (members, true),
                What::Left(members) => (members, false),
                What::Appeared | What::Removed | What::Changed(_) => continue,
            };
            latest.extend(
                members.iter().rev().filter(|member| seen.insert(**member)).map(|member| (*member, joined)),
            );
        }
        latest.reverse();
        latest
    }

    /// Appends a change and returns its number.
    pub(super) fn note(&mut self, of: Reference, what: What) -> usize {
        self.log.push(Entry { of, what });
        let sequence = self.log.len();
        self.record(of).changes.push(sequence);
        sequence
    }
}
