//! What a history is made of, and how one is drawn from a number.
//!
//! A step never names an object: it carries a number that picks one among those that there are when the step is made. So any part of a
//! history is a history, which is what lets a failing one be shortened.

/// Whole numbers by chance, the same for the same seed (SplitMix64).
pub struct Chance(u64);

impl Chance {
    pub const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    pub const fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number below `end`.
    pub const fn below(&mut self, end: u64) -> u64 {
        self.number() % end
    }

    /// Once in `times`.
    pub const fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// One of these.
    pub fn one_of<T: Copy>(&mut self, values: &[T]) -> T {
        pick(values, self.number()).unwrap()
    }
}

/// The value that a number picks; `None` when there is none to pick from.
pub fn pick<T: Copy>(values: &[T], number: u64) -> Option<T> {
    let length = u64::try_from(values.len()).unwrap();
    values.get(usize::try_from(number.checked_rem(length)?).unwrap()).copied()
}

/// A number that picks.
pub type Pick = u64;

/// One step of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    // The tenant.
    /// Somebody who was never there.
    AddPerson(Pick),
    Rename(Pick, Pick),
    /// Another name and address at once; the old address stays as an alias, the principal name follows.
    Marry(Pick, Pick),
    Primary(Pick, Pick),
    AddAlias(Pick, Pick),
    RemoveAlias(Pick),
    MoveAlias(Pick, Pick),
    SwapPrimaries(Pick, Pick),
    /// All mail addresses are taken away; what is left is the principal name.
    NoMail(Pick),
    Disable(Pick),
    Enable(Pick),
    Department(Pick, Pick),
    Delete(Pick),
    DeleteForGood(Pick),
    /// Out of the tenant's recycle bin.
    Restore(Pick),
    /// Somebody who was deleted is created anew, under another id and possibly another name.
    Recreate(Pick, bool),
    AddGroup(Pick, Pick),
    RenameGroup(Pick, Pick),
    GroupAddress(Pick, Pick),
    DeleteGroup(Pick),
    Join(Pick, Pick),
    Leave(Pick, Pick),
    /// What the tenant's delta answers do beyond the necessary.
    Habits(Pick),
    /// The delta links expire.
    Expire,

    // The rules.
    IncludeDisabled(bool),
    Filter(Pick),
    ManagedDomains(Pick),
    DeleteAfter(Pick),
    Guard(bool),
    Service(bool),
    ExceptUser {
        who: Pick,
        keep: bool,
        approved: bool,
    },
    ExceptAlias(Pick),
    ExceptGroup(Pick),
    /// Takes an exception back.
    Unexcept(Pick),
    Addition(Pick),
    RemoveAddition(Pick),

    // What administrators do to users.
    Ignore(Pick),
    IgnoreFor(Pick, u8),
    StopIgnoring(Pick),
    Deactivate {
        who: Pick,
        stay: bool,
    },
    Activate(Pick),
    ServiceOff(Pick),
    ServiceOn(Pick),
    DeleteNow(Pick),
    /// About everything that waits, of one kind.
    Approve(Pick),
    Dismiss(Pick),

    /// Time passes.
    Hours(u16),

    // Runs.
    Sync,
    /// A sync, and at once another.
    SyncTwice,
    Preview,
    /// A sync that is told to stop, or killed, when it looks at the clock for that time; the next one follows at once unless `later`.
    Interrupted {
        at: u8,
        kill: bool,
        later: bool,
    },
    /// A sync whose read of users or groups fails.
    Faulty {
        groups: bool,
        later: bool,
    },
}

/// The steps of the history with this seed.
pub fn history(seed: u64, length: usize) -> Vec<Step> {
    let mut chance = Chance::new(seed);
    // Each history has its own habits: some are quiet, some full of by-hand decisions.
    let by_hand = chance.below(4);
    let mut steps = vec![Step::Guard(chance.once_in(4)), Step::Sync];
    while steps.len() < length {
        let step = match chance.below(24 + by_hand * 4) {
            0..5 => run(&mut chance),
            5..15 => person(&mut chance),
            15..17 => group(&mut chance),
            17..20 => rule(&mut chance),
            20..24 => Step::Hours(chance.one_of(&[1, 6, 20, 24, 30, 72, 168, 200, 400, 800])),
            _ => decision(&mut chance),
        };
        steps.push(step);
    }
    steps.push(Step::SyncTwice);
    steps
}

fn run(chance: &mut Chance) -> Step {
    match chance.below(16) {
        0..8 => Step::Sync,
        8..11 => Step::SyncTwice,
        11 | 12 => Step::Preview,
        13 | 14 => Step::Interrupted {
            at: u8::try_from(chance.below(48)).unwrap(),
            kill: chance.once_in(2),
            later: chance.once_in(3),
        },
        _ => Step::Faulty { groups: chance.once_in(2), later: chance.once_in(2) },
    }
}

fn person(chance: &mut Chance) -> Step {
    let (one, other) = (chance.number(), chance.number());
    match chance.below(30) {
        0..3 => Step::AddPerson(one),
        3 => Step::Rename(one, other),
        4 => Step::Marry(one, other),
        5..8 => Step::Primary(one, other),
        8..11 => Step::AddAlias(one, other),
        11 | 12 => Step::RemoveAlias(one),
        13 => Step::MoveAlias(one, other),
        14 => Step::SwapPrimaries(one, other),
        15 => Step::NoMail(one),
        16 | 17 => Step::Disable(one),
        18 => Step::Enable(one),
        19 | 20 => Step::Department(one, other),
        21..24 => Step::Delete(one),
        24 => Step::DeleteForGood(one),
        25 | 26 => Step::Restore(one),
        27 | 28 => Step::Recreate(one, chance.once_in(2)),
        _ => Step::Habits(one),
    }
}

fn group(chance: &mut Chance) -> Step {
    let (one, other) = (chance.number(), chance.number());
    match chance.below(8) {
        0 | 1 => Step::AddGroup(one, other),
        2 => Step::RenameGroup(one, other),
        3 => Step::GroupAddress(one, other),
        4 => Step::DeleteGroup(one),
        5 | 6 => Step::Join(one, other),
        _ => Step::Leave(one, other),
    }
}

fn rule(chance: &mut Chance) -> Step {
    match chance.below(13) {
        0 | 1 => Step::IncludeDisabled(chance.once_in(2)),
        2..5 => Step::Filter(chance.number()),
        5 | 6 => Step::ManagedDomains(chance.number()),
        7 | 8 => Step::DeleteAfter(chance.number()),
        9 => Step::Service(false),
        10 => Step::Service(true),
        11 => Step::Guard(chance.once_in(2)),
        _ => Step::Expire,
    }
}

fn decision(chance: &mut Chance) -> Step {
    let who = chance.number();
    match chance.below(22) {
        0..3 => Step::ExceptUser { who, keep: chance.once_in(2), approved: chance.once_in(2) },
        3 | 4 => Step::ExceptAlias(who),
        5 => Step::ExceptGroup(who),
        6 | 7 => Step::Unexcept(who),
        8..10 => Step::Addition(who),
        10 => Step::RemoveAddition(who),
        11 => Step::Ignore(who),
        12 => Step::IgnoreFor(who, u8::try_from(chance.below(20)).unwrap()),
        13 => Step::StopIgnoring(who),
        14 => Step::Deactivate { who, stay: chance.once_in(3) },
        15 => Step::Activate(who),
        16 => Step::ServiceOff(who),
        17 => Step::ServiceOn(who),
        18 => Step::DeleteNow(who),
        19 | 20 => Step::Approve(who),
        _ => Step::Dismiss(who),
    }
}
