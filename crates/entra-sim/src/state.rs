//! The running simulator: one tenant, one application registration, and what a test has switched. Handlers of
//! both ports and tests in the same process work on the same [`Sim`].

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::application::{Application, Certificate, Secret};
use crate::chance::Chance;
use crate::clock::Clock;
use crate::damage::{Damage, DamagedAnswer};
use crate::directory::{Change, ChangeError, Directory};
use crate::habits::DeltaHabits;
use crate::tenant::{Kind, Tenant};
use crate::throttle::{Bucket, Charged, Throttling};

/// How many requests the log remembers; the number of all of them is counted apart.
const LOG_LENGTH: usize = 10_000;

/// Page sizes of the delta queries, which are the service's choice and not the client's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeltaPages {
    /// Objects on a page.
    pub objects: usize,
    /// Members that one page carries in all; a group with more is repeated on the following pages.
    pub members: usize,
}

impl Default for DeltaPages {
    fn default() -> Self {
        Self { objects: 200, members: 500 }
    }
}

/// An answer that a route gives in place of its own.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct GraphFault {
    /// Path below the version, such as `/users/delta` (which `/users/delta()` is too); with `*` at the end
    /// everything that begins so.
    pub route: String,
    /// HTTP status.
    pub status: u16,
    /// The error's `code`.
    pub code: String,
    /// The error's `message`; empty when left out.
    #[serde(default)]
    pub message: String,
    /// `Retry-After` in seconds.
    #[serde(default)]
    pub retry_after: Option<u32>,
    /// How often; without it, until it is cleared.
    #[serde(default)]
    pub times: Option<u32>,
}

/// One answered request.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Logged {
    /// `GET`, `POST`…
    pub method: String,
    /// The path as it was sent.
    pub path: String,
    /// The query as it was sent, without `?`; a token request's body is not logged.
    pub query: String,
    /// HTTP status of the answer.
    pub status: u16,
}

/// What is logged of the requests to login and Graph (not to the control port).
#[derive(Debug, Clone, Default, Serialize, PartialEq, Eq)]
pub struct RequestLog {
    /// All requests since the start or since the log was cleared.
    pub total: u64,
    /// The latest of them, oldest first.
    pub requests: VecDeque<Logged>,
}

/// State behind one lock; every use is short and none waits for anything while holding it.
#[derive(Debug)]
pub(crate) struct World {
    directory: Arc<Directory>,
    /// Raised whenever the directory is replaced: page and delta tokens of an older one are void.
    generation: u64,
    pub(crate) application: Application,
    pub(crate) clock: Clock,
    pub(crate) latency_ms: u64,
    /// Error number, and how often it is still to be given (`None`: always).
    token_fault: Option<(u32, Option<u32>)>,
    graph_faults: Vec<GraphFault>,
    damaged: Vec<DamagedAnswer>,
    delta_habits: DeltaHabits,
    bucket: Option<Bucket>,
    log: RequestLog,
    chance: Chance,
}

/// A handle on a simulated tenant; clones are the same tenant.
#[derive(Debug, Clone)]
pub struct Sim {
    world: Arc<Mutex<World>>,
    pub(crate) delta_pages: DeltaPages,
    seed: u64,
}

impl Sim {
    /// A simulator of this tenant. The application's ids and its first secret follow from the seed.
    #[must_use]
    pub fn new(tenant: Tenant, seed: u64, delta_pages: DeltaPages) -> Self {
        let clock = Clock::new();
        let world = World {
            directory: Arc::new(Directory::new(Arc::new(tenant), seed)),
            generation: 1,
            application: Application::new(seed, clock.now()),
            clock,
            latency_ms: 0,
            token_fault: None,
            graph_faults: Vec::new(),
            damaged: Vec::new(),
            delta_habits: DeltaHabits::default(),
            bucket: None,
            log: RequestLog::default(),
            chance: Chance::of(seed, "requests", 0),
        };
        Self { world: Arc::new(Mutex::new(world)), delta_pages, seed }
    }

    /// What the ids follow from.
    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        // A panic while it was held cannot have left it half-changed in a way that matters to a simulator.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The tenant as it was invented or imported: its id, name and domains, and its objects before any change.
    #[must_use]
    pub fn tenant(&self) -> Arc<Tenant> {
        Arc::clone(self.world().directory.tenant())
    }

    /// The directory as it is now, with all changes. What is handed out stays as it is.
    #[must_use]
    pub fn directory(&self) -> Arc<Directory> {
        self.directory_and_generation().0
    }

    /// The directory, and the number that page and delta tokens of it carry.
    pub(crate) fn directory_and_generation(&self) -> (Arc<Directory>, u64) {
        let mut world = self.world();
        let now = world.clock.now();
        if world.directory.has_expired(now) {
            Arc::make_mut(&mut world.directory).empty_bin(now);
        }
        (Arc::clone(&world.directory), world.generation)
    }

    /// Changes one object of the directory and returns its id.
    ///
    /// # Errors
    /// When the change names what is not there, or would give two objects the same id or name.
    pub fn change(&self, change: &Change) -> Result<String, ChangeError> {
        let world = &mut *self.world();
        let directory = Arc::make_mut(&mut world.directory);
        directory.apply(change, world.clock.now(), world.delta_habits.members_follow)
    }

    /// Makes several changes in this order, all of them or none, and returns the ids of their objects.
    ///
    /// # Errors
    /// The position of the first change that is not possible, and why.
    pub fn change_all(&self, changes: &[Change]) -> Result<Vec<String>, (usize, ChangeError)> {
        let mut world = self.world();
        let (now, members_follow) = (world.clock.now(), world.delta_habits.members_follow);
        let mut changed = Directory::clone(&world.directory);
        let mut apply = |change| changed.apply(change, now, members_follow);
        let ids = changes.iter().enumerate().map(|(at, change)| apply(change).map_err(|why| (at, why)));
        let ids = ids.collect::<Result<_, _>>()?;
        world.directory = Arc::new(changed);
        Ok(ids)
    }

    /// The application (client) id.
    #[must_use]
    pub fn client_id(&self) -> String {
        self.world().application.client_id.clone()
    }

    /// All client secrets, expired ones too; the first was there from the start.
    #[must_use]
    pub fn secrets(&self) -> Vec<Secret> {
        self.world().application.secrets.clone()
    }

    /// The simulator's time.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        self.world().clock.now()
    }

    /// Moves the simulator's clock; a negative duration moves it back.
    pub fn advance_clock(&self, by: Duration) {
        self.world().clock.advance(by);
    }

    /// Replaces the directory. Tokens for the next page and for changes lose their meaning.
    pub fn replace_tenant(&self, tenant: Tenant) {
        let mut world = self.world();
        world.directory = Arc::new(Directory::new(Arc::new(tenant), self.seed));
        world.generation += 1;
    }

    /// Grants exactly these application permissions. As in Entra they come with the next token; one already
    /// issued keeps what it says.
    pub fn set_roles<S: Into<String>>(&self, roles: impl IntoIterator<Item = S>) {
        self.world().application.roles = roles.into_iter().map(Into::into).collect();
    }

    /// The granted application permissions.
    #[must_use]
    pub fn roles(&self) -> Vec<String> {
        self.world().application.roles.clone()
    }

    /// Adds a client secret that lasts so long from now; without a value one is invented.
    #[must_use]
    pub fn add_secret(&self, value: Option<String>, lasts: Duration) -> Secret {
        let mut world = self.world();
        let end = world.clock.now().saturating_add(lasts);
        world.application.add_secret(value, end)
    }

    /// Lets a secret expire now; false when there is no such secret.
    #[must_use]
    pub fn expire_secret(&self, key_id: &str) -> bool {
        let mut world = self.world();
        let now = world.clock.now();
        let found = world.application.secrets.iter_mut().find(|secret| secret.key_id == key_id);
        found.map(|secret| secret.end = now).is_some()
    }

    /// Removes a secret; false when there is no such secret.
    #[must_use]
    pub fn remove_secret(&self, key_id: &str) -> bool {
        let secrets = &mut self.world().application.secrets;
        let before = secrets.len();
        secrets.retain(|secret| secret.key_id != key_id);
        secrets.len() < before
    }

    /// Uploads a certificate to the application.
    pub fn add_certificate(&self, certificate: Certificate) {
        self.world().application.certificates.push(certificate);
    }

    /// The uploaded certificates.
    #[must_use]
    pub fn certificates(&self) -> Vec<Certificate> {
        self.world().application.certificates.clone()
    }

    /// Answers token requests with this error of the token endpoint, so many times or until cleared; `None`
    /// clears it. False when the number is none the token endpoint gives to applications.
    #[must_use]
    pub fn fail_tokens(&self, code: Option<u32>, times: Option<u32>) -> bool {
        if code.is_some_and(|code| crate::login::known_error(code).is_none()) {
            return false;
        }
        self.world().token_fault = code.map(|code| (code, times));
        true
    }

    /// Adds an answer that a Graph route gives in place of its own; the first that matches wins.
    pub fn fail_graph(&self, fault: GraphFault) {
        self.world().graph_faults.push(fault);
    }

    /// Removes all of them.
    pub fn clear_graph_faults(&self) {
        self.world().graph_faults.clear();
    }

    /// Damages answers of a Graph route. Of several, the first whose turn it is damages an answer.
    pub fn damage(&self, answer: DamagedAnswer) {
        self.world().damaged.push(answer);
    }

    /// Ends all damage.
    pub fn clear_damage(&self) {
        self.world().damaged.clear();
    }

    /// Switches what delta answers do beyond the necessary.
    pub fn set_delta_habits(&self, habits: DeltaHabits) {
        self.world().delta_habits = habits;
    }

    /// What is switched.
    #[must_use]
    pub fn delta_habits(&self) -> DeltaHabits {
        self.world().delta_habits
    }

    /// Throttles Graph requests from now on; `None` ends it.
    pub fn set_throttling(&self, rules: Option<Throttling>) {
        let mut world = self.world();
        let now = world.clock.now();
        world.bucket = rules.map(|rules| Bucket::new(rules, now));
    }

    /// What a request of this cost meets; nothing while the tenant does not throttle.
    pub(crate) fn charge(&self, cost: u32, low_priority: bool) -> Option<Charged> {
        let world = &mut *self.world();
        let bucket = world.bucket.as_mut()?;
        Some(bucket.charge(cost, world.directory.count(Kind::User), low_priority, world.clock.now()))
    }

    /// Waits so long before answering a request of login or Graph.
    pub fn set_latency_ms(&self, latency_ms: u64) {
        self.world().latency_ms = latency_ms;
    }

    /// The requests of login and Graph so far.
    #[must_use]
    pub fn requests(&self) -> RequestLog {
        self.world().log.clone()
    }

    /// Empties the log.
    pub fn clear_requests(&self) {
        self.world().log = RequestLog::default();
    }

    pub(crate) fn log(&self, request: Logged) {
        let log = &mut self.world().log;
        log.total += 1;
        if log.requests.len() == LOG_LENGTH {
            log.requests.pop_front();
        }
        log.requests.push_back(request);
    }

    pub(crate) fn guid(&self) -> String {
        self.world().chance.guid()
    }

    /// The error that a test wants the next token request to meet.
    pub(crate) fn take_token_fault(&self) -> Option<u32> {
        let mut world = self.world();
        let (code, times) = world.token_fault?;
        world.token_fault = match times {
            None => Some((code, None)),
            Some(left) if left > 1 => Some((code, Some(left - 1))),
            Some(_) => None,
        };
        (times != Some(0)).then_some(code)
    }

    /// The answer that a test wants a Graph route to give this time.
    pub(crate) fn take_graph_fault(&self, path: &str) -> Option<GraphFault> {
        let faults = &mut self.world().graph_faults;
        let at = faults.iter().position(|fault| fault.times != Some(0) && matches(&fault.route, path))?;
        let fault = faults.get_mut(at)?;
        fault.times = fault.times.map(|left| left - 1);
        let taken = fault.clone();
        faults.retain(|fault| fault.times != Some(0));
        Some(taken)
    }

    /// The damage that a test wants the answer to this address of a route to take this time, and where a false link leads.
    pub(crate) fn take_damage(&self, path: &str, own: &str) -> Option<(Damage, String)> {
        let damaged = &mut self.world().damaged;
        damaged.iter_mut().filter(|answer| matches(&answer.route, path)).find_map(|answer| answer.take(own))
    }
}

/// Whether a path is one of a fault's route.
fn matches(route: &str, path: &str) -> bool {
    match route.strip_suffix('*') {
        Some(beginning) => path.starts_with(beginning),
        None => path == route,
    }
}
