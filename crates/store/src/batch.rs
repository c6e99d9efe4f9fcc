//! A batch of directory objects on its way into the mirror: which of them say anything new.
//!
//! Users and groups alike are compared by a hash over everything that the directory says about them, so that an unchanged object costs one
//! number in its row.

use std::collections::{BTreeMap, HashMap};

use sha2::{Digest as _, Sha256};

/// What came of writing a batch to the mirror.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MirrorWritten {
    /// New or changed objects, and those that came back: written and dirty.
    pub written: i64,
    /// Objects that were as the mirror had them.
    pub unchanged: i64,
    /// Those of either that the round had not told of before: a service may tell of an object on several pages.
    pub first_told: i64,
}

/// What the mirror knows of an object: its number and key, its hash, whether it is gone, and the round that told of it last.
pub(crate) type Known = (i64, String, String, bool, i64);

/// The objects of a batch by key. One that comes twice counts as it came last. They are in one order always, so that two writers never wait
/// for each other's rows.
pub(crate) struct Batch<'a, T>(BTreeMap<&'a str, &'a T>);

/// A batch, compared with what the mirror knows.
pub(crate) struct Compared<'a, T> {
    /// New and changed objects and those that came back, each with its hash, by key.
    pub(crate) changed: Vec<(&'a T, String)>,
    /// The numbers of the others.
    pub(crate) unchanged: Vec<i64>,
    /// How many of the batch this round told of before.
    told_before: usize,
}

impl<'a, T> Batch<'a, T> {
    pub(crate) fn new(objects: &'a [T], key: fn(&T) -> &str) -> Self {
        Self(objects.iter().map(|object| (key(object), object)).collect())
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &'a str> {
        self.0.keys().copied()
    }

    pub(crate) fn compare(self, known: Vec<Known>, round: i64, hash: fn(&T) -> String) -> Compared<'a, T> {
        let told_before = known.iter().filter(|(.., gone, told_in)| !gone && *told_in == round).count();
        let known: HashMap<String, (i64, String)> = known
            .into_iter()
            .filter(|(.., gone, _)| !gone)
            .map(|(id, key, hash, ..)| (key, (id, hash)))
            .collect();
        let mut compared = Compared { changed: Vec::new(), unchanged: Vec::new(), told_before };
        for (key, object) in self.0 {
            let hash = hash(object);
            match known.get(key) {
                Some((id, saved)) if *saved == hash => compared.unchanged.push(*id),
                _ => compared.changed.push((object, hash)),
            }
        }
        compared
    }
}

impl<T> Compared<'_, T> {
    pub(crate) fn written(&self) -> MirrorWritten {
        let counted = |rows: usize| i64::try_from(rows).unwrap_or(i64::MAX);
        let (written, unchanged) = (counted(self.changed.len()), counted(self.unchanged.len()));
        MirrorWritten { written, unchanged, first_told: written + unchanged - counted(self.told_before) }
    }
}

/// SHA-256 in hexadecimal over everything that the directory says about an object. Each part goes in behind its length, so that moving a
/// letter from one field to the next is a change.
pub(crate) fn hash<'a>(parts: impl IntoIterator<Item = Option<&'a str>>) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        match part {
            Some(text) => {
                hasher.update(text.len().to_be_bytes());
                hasher.update(text);
            }
            None => hasher.update(usize::MAX.to_be_bytes()),
        }
    }
    let digest = hasher.finalize();
    let mut text = String::with_capacity(2 * digest.len());
    for byte in digest {
        for half in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(half.into(), 16));
        }
    }
    text
}
