//! Sets of operators, as the capability tables list them.

/// A set of operators.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ops(u16);

impl Ops {
    pub(crate) const EQ: Ops = Ops(1);
    pub(crate) const NE: Ops = Ops(1 << 1);
    pub(crate) const NOT: Ops = Ops(1 << 2);
    pub(crate) const IN: Ops = Ops(1 << 3);
    pub(crate) const STARTS_WITH: Ops = Ops(1 << 4);
    pub(crate) const ENDS_WITH: Ops = Ops(1 << 5);
    pub(crate) const GE: Ops = Ops(1 << 6);
    pub(crate) const LE: Ops = Ops(1 << 7);
    pub(crate) const EQ_NULL: Ops = Ops(1 << 8);
    pub(crate) const NE_NULL: Ops = Ops(1 << 9);
    pub(crate) const COUNT_0: Ops = Ops(1 << 10);
    pub(crate) const COUNT_1: Ops = Ops(1 << 11);

    /// The words of the tables.
    pub(super) const WORDS: [(&'static str, Ops); 14] = [
        ("eq", Ops::EQ),
        ("ne", Ops::NE),
        ("not", Ops::NOT),
        ("in", Ops::IN),
        ("startsWith", Ops::STARTS_WITH),
        ("endsWith", Ops::ENDS_WITH),
        ("ge", Ops::GE),
        ("le", Ops::LE),
        ("eq null", Ops::EQ_NULL),
        ("ne null", Ops::NE_NULL),
        ("$count eq 0", Ops::COUNT_0),
        ("$count ne 0", Ops::COUNT_0),
        ("$count eq 1", Ops::COUNT_1),
        ("$count ne 1", Ops::COUNT_1),
    ];

    pub(super) fn read(cell: &str) -> Ops {
        let bit = |word: &str| Self::WORDS.iter().find(|(known, _)| *known == word).map_or(0, |(_, op)| op.0);
        Ops(cell.split(',').map(|word| bit(word.trim())).fold(0, |all, bit| all | bit))
    }

    pub(crate) const fn has(self, op: Ops) -> bool {
        self.0 & op.0 != 0
    }

    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }
}
