//! The steps that stories about the sync are made of: what happens in the directory, what an administrator decides, what the portal shows.
//!
//! The directory is changed in place ([`World::happens`]), so that every sync after the first one reads changes only.

use domain::{
    Timestamp,
    address::Address,
    conflict::{Conflict, Reason, State},
    guard::{Decision, Guarded},
    run::{Action, Notice, Purpose, Trigger},
    service::{Service, Source},
    settings::GuardLimits,
};
use entra_sim::{Change, GraphFault, Import, Tenant};
use serde_json::{Value, json};
use store::{CustomerWrite, Exception, ExceptionKind, RunChangeRow, User, UserWrite};
use sync::{
    rules::save_guard,
    run::{RunReport, run_to_end},
};

use crate::support::{World, actor, id, person};

pub const DAY: i64 = Timestamp::DAY;
pub const HOUR: i64 = Timestamp::HOUR;

/// People 1 to `last`, `p1@contoso.com` and so on.
pub fn people(last: u32) -> Vec<Value> {
    (1..=last).map(|number| person(number, &format!("p{number}"), &[])).collect()
}

/// A security group that can be written to, without members yet.
pub fn group(number: u32, name: &str) -> Value {
    json!({
        "id": id(number), "displayName": name, "mail": format!("{name}@contoso.com"), "mailEnabled": true, "securityEnabled": true,
        "groupTypes": [], "proxyAddresses": [format!("SMTP:{name}@contoso.com")],
    })
}

pub fn address(local: &str) -> Address {
    Address::parse(&format!("{local}@contoso.com")).unwrap()
}

impl World {
    /// A tenant with these people, connected and synced once.
    pub async fn began(&self, people: &[Value]) -> RunReport {
        self.people(people);
        self.connect(|_| {}).await;
        self.synced().await
    }

    /// A tenant with these people and groups.
    pub fn tenant_with(&self, people: &[Value], groups: &[Value]) {
        let anchor = json!({"id": id(999_999), "displayName": "Anchor", "userPrincipalName": "anchor@contoso.com", "accountEnabled": false});
        let people: Vec<&Value> = people.iter().chain([&anchor]).collect();
        let mut import = Import::default();
        import.add(&json!({ "users": people, "groups": groups }).to_string()).unwrap();
        self.tenant.sim().replace_tenant(Tenant::import(import, 1).unwrap());
    }

    /// A change in the directory.
    pub fn happens(&self, change: Change) {
        self.tenant.sim().change(&change).unwrap();
    }

    /// Somebody is created in the directory.
    pub fn joins(&self, person: &Value) {
        self.happens(Change::AddUser(person.as_object().unwrap().clone()));
    }

    /// Somebody, or a group, is deleted in the directory.
    pub fn leaves(&self, number: u32) {
        self.happens(Change::Delete { object: id(number), for_good: false });
    }

    /// Somebody who was deleted in the directory is restored there.
    pub fn returns(&self, number: u32) {
        self.happens(Change::Restore(id(number)));
    }

    /// A property of somebody, or of a group, gets another value.
    pub fn sets(&self, number: u32, name: &str, value: impl Into<Value>) {
        let properties = [(name.to_owned(), value.into())].into_iter().collect();
        self.happens(Change::Set { object: id(number), properties });
    }

    /// Somebody's display name and primary address change; the old address stays as an alias.
    pub fn is_renamed(&self, number: u32, name: &str, local: &str) {
        let address = Some(format!("{local}@contoso.com"));
        self.happens(Change::Rename { object: id(number), display_name: name.to_owned(), address });
    }

    /// Every request for this route fails, until [`entra_sim::Sim::clear_graph_faults`].
    pub fn breaks(&self, route: &str) {
        self.tenant.sim().fail_graph(fault(route, 403, "Authorization_RequestDenied", None));
    }

    /// The next request for this route is told to begin again.
    pub fn forgets_the_position(&self, route: &str, status: u16) {
        let code = if status == 410 { "resyncRequired" } else { "syncStateNotFound" };
        self.tenant.sim().fail_graph(fault(route, status, code, Some(1)));
    }

    pub fn now(&self) -> Timestamp {
        self.engine.clock.now()
    }

    /// Saves another Delete Users After.
    pub async fn delete_after(&self, setting: &str) {
        self.connect(|form| form.text.delete_users_after = setting.to_owned()).await;
    }

    /// Saves other limits of the deletion guard: the number, the share in percent, and from how many on the share counts.
    pub async fn limits(&self, max_removals: i64, max_removals_percent: i64, min_removals: i64) {
        let limits = GuardLimits { max_removals, max_removals_percent, min_removals };
        assert!(save_guard(&self.engine, &self.customer, &actor(), limits).await.unwrap().unwrap());
    }

    /// A run that has to start, for another purpose than a sync.
    pub async fn run_for(&self, purpose: Purpose) -> RunReport {
        run_to_end(&self.engine, &self.customer, purpose, Trigger::SyncNow, &actor()).await.unwrap().unwrap()
    }

    /// The portal's user that came from this person of the directory.
    pub async fn find(&self, number: u32) -> Option<User> {
        let mut write = self.customer.begin().await.unwrap();
        write.users_by_external_id(Source::Azure, &[id(number)]).await.unwrap().pop()
    }

    pub async fn user(&self, number: u32) -> User {
        self.find(number).await.unwrap_or_else(|| panic!("{number} is no user"))
    }

    pub async fn conflict(&self, number: u32) -> Conflict {
        self.user(number).await.conflict.unwrap_or_else(|| panic!("{number} is not in conflict"))
    }

    /// Who is in conflict, and why, by the directory's id.
    pub async fn in_conflict(&self) -> Vec<(String, Reason)> {
        let rows = self.customer.conflicts(None, 1_000).await.unwrap();
        let mut all: Vec<_> =
            rows.into_iter().map(|row| (row.external_id.unwrap(), row.conflict.reason)).collect();
        all.sort();
        all
    }

    /// The people that the portal has, whatever their status, by the last digits of the directory's id.
    pub async fn numbers(&self) -> Vec<u32> {
        self.seen().await.keys().map(|id| id[24..].parse().unwrap()).collect()
    }

    /// An administrator decides about somebody in conflict.
    pub async fn decide(&self, number: u32, edit: impl FnOnce(&mut Conflict)) {
        let user = self.user(number).await;
        let mut conflict = user.conflict.unwrap();
        edit(&mut conflict);
        let mut write = self.customer.begin().await.unwrap();
        write.set_conflict(user.id, &conflict).await.unwrap();
        if conflict.state == State::Deactivated {
            write.set_service(user.id, false).await.unwrap();
        }
        write.commit().await.unwrap();
    }

    /// Who waits for an approval, by name.
    pub async fn held(&self, kind: Guarded) -> Vec<String> {
        let rows = self.customer.held(kind, 0, 1_000).await.unwrap();
        let waiting = rows.into_iter().filter(|row| row.held.decision == Decision::Waiting);
        let mut names: Vec<_> = waiting.map(|row| row.display_name).collect();
        names.sort();
        names
    }

    /// An administrator decides about everybody who waits.
    pub async fn decide_held(&self, kind: Guarded, decision: Decision) {
        let now = self.now();
        let mut write = self.customer.begin().await.unwrap();
        let decided = write.decide_held(kind, None, decision, now).await.unwrap();
        assert!(decided > 0, "nobody waits");
        if decision == Decision::Approved {
            write.log_guard(kind, true, decided, now).await.unwrap();
        }
        write.commit().await.unwrap();
    }

    /// An administrator excepts an object; `keep` is the answer for users who are in the portal already.
    pub async fn except(&self, kind: ExceptionKind, object: &str, keep: bool) {
        let exception = Exception {
            kind,
            object: object.to_owned(),
            name: String::new(),
            address: String::new(),
            reason: String::new(),
            keep,
            created_by: actor().name,
            created_at: self.now(),
        };
        let mut write = self.by_hand().await;
        write.add_exceptions(Service::Entra, &[exception]).await.unwrap();
        write.commit().await.unwrap();
    }

    /// The exception is taken back.
    pub async fn no_longer_except(&self, kind: ExceptionKind, object: &str) {
        let mut write = self.by_hand().await;
        let removed = write.remove_exceptions(Service::Entra, &[(kind, object.to_owned())]).await.unwrap();
        assert_eq!(removed, 1);
        write.commit().await.unwrap();
    }

    /// An administrator adds an address whose person was found in the directory, or not.
    pub async fn add(&self, local: &str, found: Option<u32>) {
        let now = self.now();
        let mut write = self.by_hand().await;
        let found = found.map(id);
        let by = actor().name;
        write.add_addition(Service::Entra, &address(local), found.as_deref(), &by, now).await.unwrap();
        if found.is_none() {
            let stub = self.user_to_write(Source::Azure, local, local, &[]);
            write.write_users(&[stub]).await.unwrap();
        }
        write.commit().await.unwrap();
    }

    /// The only addition is taken back.
    pub async fn remove_addition(&self) {
        let addition = self.customer.additions(Service::Entra).await.unwrap().remove(0);
        let mut write = self.by_hand().await;
        assert!(write.remove_addition(addition.id).await.unwrap());
        write.commit().await.unwrap();
    }

    /// What every change of exceptions and additions does beside the change itself.
    async fn by_hand(&self) -> CustomerWrite {
        let mut write = self.customer.begin().await.unwrap();
        write.mark_all_dirty(Service::Entra).await.unwrap();
        write.raise_topic("by_hand").await.unwrap();
        write
    }

    /// A user that an administrator enters; answers its number.
    pub async fn enter(&self, name: &str, primary: &str, aliases: &[&str]) -> i64 {
        let user = self.user_to_write(Source::Manual, name, primary, aliases);
        let mut write = self.customer.begin().await.unwrap();
        let written = write.write_users(&[user]).await.unwrap();
        write.commit().await.unwrap();
        written.ids[0]
    }

    fn user_to_write(&self, source: Source, name: &str, primary: &str, aliases: &[&str]) -> UserWrite {
        let now = self.now();
        UserWrite {
            id: None,
            restore_as: None,
            public_id: self.engine.random.uuid(now),
            source,
            external_id: None,
            display_name: name.to_owned(),
            primary: address(primary),
            address_lost: false,
            aliases: aliases.iter().map(|alias| address(alias)).collect(),
            service_on: true,
            sign_in_blocked: false,
            conflict: None,
            created_at: None,
            now,
        }
    }

    /// The history of a run, in its order.
    pub async fn history(&self, report: &RunReport) -> Vec<RunChangeRow> {
        let run = self.customer.run(report.run).await.unwrap().unwrap();
        self.customer.run_changes(run.id, 0, 1_000).await.unwrap()
    }

    /// What runs did to somebody, the first first.
    pub async fn timeline(&self, user: &User) -> Vec<(Action, String)> {
        let mut rows = self.customer.object_changes(user.public_id, None, 100).await.unwrap();
        rows.reverse();
        rows.into_iter().map(|row| (row.change.action, row.change.reason)).collect()
    }
}

fn fault(route: &str, status: u16, code: &str, times: Option<u32>) -> GraphFault {
    let message = "The tenant says so.".to_owned();
    GraphFault { route: route.to_owned(), status, code: code.to_owned(), message, retry_after: None, times }
}

/// The notices about one person.
pub fn about(report: &RunReport, number: u32) -> Vec<&Notice> {
    report.notices.iter().filter(|notice| notice.external_id == id(number)).collect()
}
