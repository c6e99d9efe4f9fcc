//! What becomes of a portal when its directory fails, fault by fault. The same runs write the table of `docs/faults.md`: it says what an
//! administrator is told, and it is compared with every run of the tests. `ROLLCALL_WRITE_DOCS=1` writes it anew.
//!
//! Of each fault: a portal with thirty people and three groups is in line with its tenant; something changes there; the next sync meets the
//! fault; the tenant is well again, and another sync follows. Whatever happened, nobody whom the tenant has may be lost, neither then nor
//! eight days later, and after the good sync the portal is what a portal is that reads the tenant for the first time.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::Path,
    time::Duration,
};

use directory::entra::Patience;
use domain::{
    Timestamp,
    run::{Purpose, Trigger},
    service::{Service, Source},
};
use entra_sim::{Change, Damage, DamagedAnswer};
use serde_json::{Value, json};
use store::{CursorKind, CustomerStore, DatabaseUrl, Store, Vault};
use sync::{
    connect,
    run::{RunReport, run_to_end},
};

use crate::{
    scenario::{DAY, group, people},
    support::{World, actor, id, on_both_engines, person},
};

/// A fault, and the round of reading that meets it.
struct Fault {
    name: &'static str,
    round: Round,
    /// For [`entra_sim::Sim::fail_as_written`].
    faults: Value,
    /// What else happens before the sync that meets it.
    happens: fn(&World),
    /// How the portal gets well.
    heals: Heals,
}

#[derive(Clone, Copy, PartialEq)]
enum Round {
    Changes,
    Full,
}

#[derive(Clone, Copy, PartialEq)]
enum Heals {
    /// With the next sync.
    Next,
    /// With the next sync that reads everything: what the directory does not tell again cannot be known before.
    Full,
}

fn fault(name: &'static str, round: Round, faults: Value) -> Fault {
    Fault { name, round, faults, happens: |_| {}, heals: Heals::Next }
}

fn damaged(
    name: &'static str,
    round: Round,
    route: &str,
    damage: &str,
    after: u32,
    times: Option<u32>,
) -> Fault {
    fault(
        name,
        round,
        json!([{"damage": {"route": route, "damage": damage, "after": after, "times": times}}]),
    )
}

fn refused(name: &'static str, route: &str, status: u16, code: &str, times: Option<u32>) -> Fault {
    let error = json!({"route": route, "status": status, "code": code, "times": times});
    fault(name, Round::Changes, json!([{"graph_error": error}]))
}

const USERS: &str = "/users/delta";
const GROUPS: &str = "/groups/delta";

fn faults() -> Vec<Fault> {
    use Round::{Changes, Full};
    let once = Some(1);
    vec![
        damaged("An answer without a body, once", Changes, USERS, "no_body", 0, once),
        damaged("Answers without a body", Changes, USERS, "no_body", 0, None),
        damaged("JSON that ends in the middle, once", Full, USERS, "truncated", 4, once),
        damaged("JSON that ends in the middle", Full, USERS, "truncated", 4, None),
        damaged("HTML in place of JSON", Changes, USERS, "html", 0, None),
        damaged("A connection that breaks in the middle of a page, once", Full, USERS, "reset", 4, once),
        damaged("A connection that breaks in the middle of a page", Full, USERS, "reset", 4, None),
        damaged("A page that stops in the middle and never ends", Full, USERS, "stalled", 4, None),
        damaged("A page that goes on and on", Full, USERS, "endless", 4, None),
        refused("503, once", USERS, 503, "serviceNotAvailable", once),
        refused("503", USERS, 503, "serviceNotAvailable", None),
        refused("500 while groups are read", GROUPS, 500, "UnknownError", None),
        damaged("An object with values of the wrong type", Full, USERS, "wrong_type", 4, once),
        damaged("A group with values of the wrong type", Full, GROUPS, "wrong_type", 0, once),
        damaged("A page that names itself as the next", Full, USERS, "self_link", 4, None),
        damaged("Pages that lead in a circle", Full, USERS, "circle", 4, None),
        Fault {
            faults: json!([{"graph_error": {"route": USERS, "status": 429, "code": "TooManyRequests", "retry_after": 1, "times": 2}}]),
            ..fault("429 with Retry-After, twice", Changes, Value::Null)
        },
        Fault {
            faults: json!([{"graph_error": {"route": "*", "status": 429, "code": "TooManyRequests", "retry_after": 3600}}]),
            ..fault("429 with a Retry-After of an hour", Changes, Value::Null)
        },
        refused("429 without Retry-After", "*", 429, "TooManyRequests", None),
        damaged("401 in the middle of a read: the token was revoked", Full, USERS, "unauthorized", 4, once),
        damaged("401, with a new token as well", Full, USERS, "unauthorized", 4, None),
        refused("403: a permission was removed", GROUPS, 403, "Authorization_RequestDenied", None),
        fault("An expired client secret", Changes, json!([{"token_error": {"code": 7_000_222}}])),
        fault("A wrong client secret", Changes, json!([{"token_error": {"code": 7_000_215}}])),
        fault("A tenant that is not known", Changes, json!([{"token_error": {"code": 90_002}}])),
        fault(
            "A token endpoint that fails, once",
            Changes,
            json!([{"token_error": {"code": 90_033, "times": 1}}]),
        ),
        refused("400: users are to be read anew", USERS, 400, "syncStateNotFound", once),
        refused("410: users are to be read anew", USERS, 410, "resyncRequired", once),
        refused("410: groups are to be read anew", GROUPS, 410, "resyncRequired", once),
        refused("410, again and again", USERS, 410, "resyncRequired", None),
        damaged("Objects told twice", Full, USERS, "doubled", 0, None),
        damaged("Objects in the opposite order", Full, USERS, "reversed", 0, None),
        fault("Objects that were told before", Changes, json!([{"delta_habits": {"replays": true}}])),
        damaged("A page of a complete read without its objects, once", Full, USERS, "emptied", 4, once),
        damaged("Half of the tenant missing in a complete read", Full, USERS, "halved", 0, None),
        damaged("A complete read that shows nobody", Full, USERS, "emptied", 0, None),
        damaged("A complete read that shows no groups", Full, GROUPS, "emptied", 0, None),
        damaged("Groups that vanish between pages", Full, GROUPS, "halved", 0, None),
        Fault {
            heals: Heals::Full,
            ..damaged("A slice of members missing", Full, GROUPS, "without_members", 0, once)
        },
        damaged("The removal of somebody who was never told of", Changes, USERS, "stranger_removed", 0, once),
        Fault {
            happens: |world| {
                world.happens(Change::Delete { object: id(7), for_good: true });
                let mut again = person(70, "p7", &[]);
                again["displayName"] = json!("Person 7");
                world.joins(&again);
            },
            ..fault("Somebody created anew with the same address", Changes, json!([]))
        },
        Fault {
            happens: |world| world.clock.advance(30 * DAY),
            ..fault("The clock jumps a month ahead", Changes, json!([]))
        },
        Fault {
            happens: |world| world.clock.advance(-30 * DAY),
            ..fault("The clock jumps a month back", Changes, json!([]))
        },
    ]
}

/// What a portal has: each user with name and addresses, each group with its address and members.
#[derive(Debug, PartialEq)]
struct State {
    users: BTreeMap<String, String>,
    groups: BTreeMap<String, String>,
}

impl State {
    async fn of(customer: &CustomerStore) -> Self {
        let exported = customer.export_users(None, 1_000).await.unwrap();
        let users = exported.into_iter().map(|user| {
            let words = format!(
                "{} <{}> {:?} {:?}",
                user.display_name, user.primary_address, user.aliases, user.status
            );
            (user.external_id.unwrap_or_default(), words)
        });
        let users = users.collect();
        let mut write = customer.begin().await.unwrap();
        let ids: Vec<String> = (101..=103).map(id).collect();
        let found = write.groups_by_external_id(Source::Azure, &ids).await.unwrap();
        drop(write);
        let mut groups = BTreeMap::new();
        for group in found {
            let external = group.external_id.clone();
            let members = customer.group_members(Service::Entra, &external, "", 1_000).await.unwrap();
            let members: BTreeSet<String> = members.into_iter().map(|member| member.member_id).collect();
            let words = format!("{} {:?} {members:?}", group.display_name, group.address);
            groups.insert(external, words);
        }
        Self { users, groups }
    }

    /// What a portal has that reads the tenant for the first time.
    async fn anew(world: &World) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::Sqlite(folder.path().join("rollcall.db"));
        let store = Store::open(&url, Vault::new([7; 32])).await.unwrap();
        let engine = world.engine_on(store.clone());
        let customer = store.customer("default").await.unwrap().unwrap();
        connect::save(&engine, &customer, &actor(), world.form()).await.unwrap().unwrap();
        let report = run_to_end(&engine, &customer, Purpose::Sync, Trigger::CommandLine, &actor())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(report.outcome, "succeeded", "{report:?}");
        let state = Self::of(&customer).await;
        store.close().await;
        state
    }

    /// What another state has otherwise, for whoever reads a failed test.
    fn difference(&self, other: &Self) -> String {
        let all = |state: &Self| {
            let all = state.users.iter().chain(&state.groups);
            all.map(|(id, words)| format!("{id}: {words}")).collect::<BTreeSet<_>>()
        };
        let (here, there) = (all(self), all(other));
        let only = |one: &BTreeSet<String>, other: &BTreeSet<String>| {
            one.difference(other).cloned().collect::<Vec<_>>()
        };
        format!("only here: {:#?}\nonly there: {:#?}", only(&here, &there), only(&there, &here))
    }

    /// How many of these people a portal does not have as it should: gone, or no longer active.
    fn lost<'a>(&self, people: impl Iterator<Item = &'a String>) -> usize {
        let active = |id: &String| self.users.get(id).is_some_and(|words| words.ends_with("Active"));
        people.filter(|id| !active(id)).count()
    }
}

fn quick() -> Patience {
    Patience {
        pauses: vec![Duration::from_millis(1); 2],
        budget: Duration::from_millis(600),
        announced: Duration::from_secs(5),
    }
}

async fn read_anew(world: &World) {
    let mut write = world.customer.begin().await.unwrap();
    for kind in [CursorKind::Users, CursorKind::Groups] {
        write.clear_cursor(Service::Entra, kind).await.unwrap();
    }
    write.commit().await.unwrap();
}

/// What a fault came to, as a line of the table.
async fn play(world: &mut World, fault: &Fault) -> String {
    world.engine = world.engine.clone().with_patience(quick());
    let groups: Vec<Value> = (101..=103).map(|number| group(number, &format!("g{number}"))).collect();
    world.tenant_with(&people(30), &groups);
    for number in 101..=103 {
        let members = (1..=4).map(|member| id(member + number - 101)).collect();
        world.happens(Change::AddMembers { group: id(number), members });
    }
    world.connect(|_| {}).await;
    world.synced().await;
    let before = State::anew(world).await;
    assert_eq!(State::of(&world.customer).await, before);

    world.is_renamed(2, "Person Two", "two");
    world.joins(&person(31, "p31", &[]));
    (fault.happens)(world);
    if fault.round == Round::Full {
        read_anew(world).await;
    }
    world.tenant.sim().fail_as_written(&fault.faults.to_string()).unwrap();
    let report = world.sync().await;
    world.tenant.sim().heal();
    let truth = State::anew(world).await;
    let known = truth.users.keys().filter(|id| before.users.contains_key(*id));
    let lost = State::of(&world.customer).await.lost(known);

    world.clock.advance(6 * Timestamp::HOUR);
    let good = world.synced().await;
    let mut state = State::of(&world.customer).await;
    let healed = if state == truth {
        "equal"
    } else if fault.heals == Heals::Full {
        read_anew(world).await;
        world.synced().await;
        state = State::of(&world.customer).await;
        "equal after the next read of everything"
    } else {
        ""
    };
    assert!(
        state == truth,
        "{}: after the good sync: {}\n{}",
        fault.name,
        good.summary,
        state.difference(&truth)
    );
    assert_eq!(healed == "equal", fault.heals == Heals::Next, "{}", fault.name);

    world.clock.advance(8 * DAY);
    let later = world.synced().await;
    let state = State::of(&world.customer).await;
    assert!(
        later.changes.deleted == 0 && state == truth,
        "{}: later: {}",
        fault.name,
        state.difference(&truth)
    );
    format!("| {} | {lost} | {} | {healed} |", fault.name, told(&report))
}

/// What a run's page shows first.
fn told(report: &RunReport) -> String {
    let words = report.error.as_deref().unwrap_or(&report.summary);
    let notices: Vec<&str> = report.notices.iter().map(|notice| notice.detail.as_str()).collect();
    let mut told = format!("*{}*: {}", report.outcome, without_figures_of_time(words));
    if !notices.is_empty() && report.error.is_none() {
        let _infallible = write!(told, " Notice: {}", notices.join(" "));
    }
    told.replace('|', "\\|").replace('\n', " ")
}

/// How long things took is different each time.
fn without_figures_of_time(words: &str) -> &str {
    words.split(" Read ").next().unwrap_or(words)
}

const HEAD: &str = "# What happens when the directory fails

Each line was played by the tests, on SQLite and on Postgres: a portal with thirty people is in line with its tenant, something changes there, the
next sync meets the fault, and another one follows when the tenant is well again. *Lost* counts the people whom the tenant has and the portal has
not any more, or no longer as active users: after the sync that met the fault, and eight days later, when whoever is in conflict would be deleted.
The last column says when the portal was again what a portal is that reads the tenant for the first time. This file is written by the tests
(`crates/sync/tests/it/faults.rs`).

| What goes wrong | Lost | What the administrator is told | After the next good sync |
| --- | --- | --- | --- |
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_lost_under_any_fault_and_the_table_of_faults_says_what_is_told() {
    let mut table = HEAD.to_owned();
    for fault in faults() {
        let mut world = World::new().await;
        let line = play(&mut world, &fault).await;
        assert!(line.contains(" | 0 | "), "{line}");
        table.push_str(&line);
        table.push('\n');
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/faults.md");
    if std::env::var_os("ROLLCALL_WRITE_DOCS").is_some() {
        std::fs::write(&file, &table).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    for (line, played) in written.lines().zip(table.lines()) {
        assert_eq!(line, played, "docs/faults.md says otherwise");
    }
    assert_eq!(written.lines().count(), table.lines().count());
}

on_both_engines! {
    async fn whoever_is_due_but_in_the_directory_is_not_deleted_and_comes_back(world: &mut World) {
        world.began(&people(30)).await;
        world.leaves(5);
        world.synced().await;
        world.returns(5);
        // The page that tells of the return does not get through, and nothing tells of it a second time.
        world.tenant.sim().damage(DamagedAnswer::new(USERS, Damage::Emptied));
        world.synced().await;
        world.tenant.sim().heal();
        assert!(world.find(5).await.unwrap().conflict.is_some());

        world.clock.advance(8 * DAY);
        let report = world.synced().await;
        assert_eq!(report.changes.deleted, 0);
        assert!(report.summary.contains("1 user who had to be deleted is in the directory"), "{}", report.summary);
        let report = world.synced().await;
        assert_eq!((report.changes.restored, world.user(5).await.conflict), (1, None));
    }

    async fn whoever_is_due_and_cannot_be_asked_for_is_not_deleted(world: &mut World) {
        world.began(&people(30)).await;
        world.leaves(5);
        world.synced().await;
        world.clock.advance(8 * DAY);
        world.breaks("/directoryObjects/getByIds");
        let report = world.sync().await;
        assert_eq!((report.outcome, report.changes.deleted), ("failed", 0));
        world.tenant.sim().heal();
        assert_eq!(world.synced().await.changes.deleted, 1);
    }

    async fn a_complete_read_that_leaves_somebody_out_is_only_believed_when_nobody_can_be_asked_for(world: &mut World) {
        world.began(&people(30)).await;
        read_anew(world).await;
        world.leaves(5);
        world.tenant.sim().damage(DamagedAnswer::new(USERS, Damage::Emptied).times(1));
        world.breaks("/directoryObjects/getByIds");
        assert_eq!(world.sync().await.outcome, "failed");
        assert!(world.in_conflict().await.is_empty());
        world.tenant.sim().clear_graph_faults();
        let report = world.synced().await;
        assert_eq!(report.changes.missing, 1, "{}", report.summary);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_lost_under_any_fault_on_postgres_either() {
    for fault in faults() {
        let mut world = World::on_postgres().await;
        let line = play(&mut world, &fault).await;
        assert!(line.contains(" | 0 | "), "{line}");
        world.remove().await;
    }
}
