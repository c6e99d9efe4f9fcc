//! The Test of the Connect page: is a token issued, may it read what a sync reads, and is the custom filter accepted?
//!
//! The steps stand in the order of the page, each with its own result and a remedy in words. Passed means: token issued, users and groups
//! readable, filter accepted. Everything else only advises: the permissions are read from a token that is opaque by contract, and counts lag.

use domain::{
    check::{Step, StepResult, TestReport},
    settings::Organisation,
};

use super::{
    client::Graph,
    error::{GraphError, Problem},
    token::TokenFacts,
};

/// A permission that the sync asks for, and those that cover what the sync reads with it.
struct Permission {
    name: &'static str,
    /// Any one of these covers it.
    covered_by: &'static [&'static str],
}

const DIRECTORY: &[&str] = &["Directory.Read.All", "Directory.ReadWrite.All"];

/// The four application permissions of the set-up guide, in its order.
const PERMISSIONS: [Permission; 4] = [
    Permission { name: "Directory.Read.All", covered_by: &["Directory.ReadWrite.All"] },
    Permission {
        name: "Group.Read.All",
        covered_by: &[
            "Group.ReadWrite.All",
            "GroupMember.Read.All",
            "GroupMember.ReadWrite.All",
            "Directory.Read.All",
            "Directory.ReadWrite.All",
        ],
    },
    Permission {
        name: "GroupMember.Read.All",
        covered_by: &[
            "GroupMember.ReadWrite.All",
            "Group.Read.All",
            "Group.ReadWrite.All",
            "Directory.Read.All",
            "Directory.ReadWrite.All",
        ],
    },
    Permission {
        name: "User.Read.All",
        covered_by: &["User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"],
    },
];

/// How far Graph's count and the mirror's may lie apart without a word: both lag behind the directory.
const COUNT_TOLERANCE: i64 = 5;

/// What the mirror counts, for Graph to be compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MirrorCounts {
    /// The users that the directory had at the last complete read.
    pub people: i64,
    /// Those of them that the custom filter matches; `None` without a filter, and when the filter reads what was not read yet.
    pub matching: Option<i64>,
}

/// Runs the Test with a client that has the patience of somebody who waits ([`Patience::of_a_test`](super::Patience::of_a_test)).
///
/// `filter` is the custom filter with whether it needs an advanced query, `None` when the field is empty. `mirror` is what the mirror counts,
/// `None` before the first sync.
pub async fn connection_test(
    graph: &Graph,
    filter: Option<(&str, bool)>,
    mirror: Option<MirrorCounts>,
) -> TestReport {
    let mut test = Test::default();
    let facts = match graph.token().await {
        Ok(facts) => facts,
        Err(error) => {
            test.failed("Token issued", &error);
            test.skip_rest(filter.is_some(), mirror);
            return test.report(false);
        }
    };
    test.step("Token issued", StepResult::Passed, issued(&facts), None);
    test.permissions(facts.roles.as_deref());
    let users = test.readable("Users readable", graph.users_readable().await, "user");
    let groups = test.readable("Groups readable", graph.groups_readable().await, "group");
    test.organisation(graph.organisation().await);
    let accepted = match filter {
        None => true,
        Some((text, advanced)) => {
            let answer = graph.filter_accepted(text, advanced).await;
            let matching = mirror.and_then(|mirror| mirror.matching).filter(|_| answer.is_ok());
            let counted = match (&answer, matching) {
                (Ok(matches), Some(_)) if advanced => Some(Ok(*matches)),
                // Graph counts only where it is asked in the advanced manner, which takes every plain filter as well.
                (_, Some(_)) => Some(graph.filter_accepted(text, true).await),
                (_, None) => None,
            };
            let accepted = test.filter(answer, advanced);
            if let (Some(counted), Some(mirror)) = (counted, matching) {
                test.matching(counted, mirror);
            }
            accepted
        }
    };
    if let Some(mirror) = mirror {
        test.count(graph.count_users().await, mirror.people);
    }
    test.report(users && groups && accepted)
}

fn issued(facts: &TokenFacts) -> String {
    match &facts.tenant_id {
        Some(tenant) => format!("A fresh token was issued by the tenant {tenant}."),
        None => "A fresh token was issued.".to_owned(),
    }
}

/// A report that grows.
#[derive(Default)]
struct Test {
    steps: Vec<Step>,
    organisation: Option<Organisation>,
    denied: bool,
}

impl Test {
    fn step(
        &mut self,
        title: impl Into<String>,
        result: StepResult,
        detail: impl Into<String>,
        remedy: Option<String>,
    ) {
        self.steps.push(Step { title: title.into(), result, detail: detail.into(), remedy, technical: None });
    }

    fn failed(&mut self, title: &str, error: &GraphError) {
        self.erred(title, StepResult::Failed, error, error.remedy());
    }

    fn erred(&mut self, title: &str, result: StepResult, error: &GraphError, remedy: String) {
        self.denied |= error.is_denied();
        self.steps.push(Step {
            title: title.to_owned(),
            result,
            detail: error.headline(),
            remedy: Some(remedy),
            technical: Some(error.detail()),
        });
    }

    fn skip_rest(&mut self, filter: bool, mirror: Option<MirrorCounts>) {
        let permissions = PERMISSIONS.iter().map(|permission| permission_title(permission.name));
        let mut titles: Vec<String> = permissions.collect();
        titles.extend(
            ["No write permission", "Users readable", "Groups readable", "Organisation"].map(str::to_owned),
        );
        if filter {
            titles.push("Custom filter accepted".to_owned());
        }
        if let Some(mirror) = mirror {
            titles.extend(mirror.matching.map(|_| MATCHING.to_owned()));
            titles.push("Number of users".to_owned());
        }
        for title in titles {
            self.step(title, StepResult::Skipped, "Not checked: there is no token.", None);
        }
    }

    fn permissions(&mut self, roles: Option<&[String]>) {
        let Some(roles) = roles else {
            for permission in &PERMISSIONS {
                let detail =
                    "The token does not tell its permissions; the steps below show what may be read.";
                self.step(permission_title(permission.name), StepResult::Skipped, detail, None);
            }
            return;
        };
        let has = |name: &str| roles.iter().any(|role| role == name);
        for Permission { name, covered_by } in &PERMISSIONS {
            let title = permission_title(name);
            if has(name) {
                self.step(title, StepResult::Passed, "Granted.", None);
            } else if let Some(cover) = cover(name, covered_by, &has) {
                let detail = format!("Missing; {cover} covers what the sync reads with it.");
                let remedy = format!(
                    "Nothing has to be done. To follow the set-up guide, add {name} and grant admin consent."
                );
                self.step(title, StepResult::Warning, detail, Some(remedy));
            } else {
                let remedy = format!(
                    "Add the application permission {name} (not the delegated one) to the app and grant admin consent. Consent may take 15 minutes."
                );
                self.step(title, StepResult::Failed, "Missing from the token.", Some(remedy));
            }
        }
        let writes: Vec<_> = roles.iter().filter(|role| may_write(role)).map(String::as_str).collect();
        if writes.is_empty() {
            self.step(
                "No write permission",
                StepResult::Passed,
                "The app can change nothing in the tenant.",
                None,
            );
        } else {
            let detail = format!("The app may write: {}.", writes.join(", "));
            let remedy = "Rollcall only reads. Remove these permissions from the app, or give Rollcall an app of its own.";
            self.step("No write permission", StepResult::Warning, detail, Some(remedy.to_owned()));
        }
    }

    fn readable(&mut self, title: &str, result: Result<i64, GraphError>, thing: &str) -> bool {
        match result {
            Ok(0) => {
                self.step(
                    title,
                    StepResult::Passed,
                    format!("Reading is allowed. The tenant shows no {thing}."),
                    None,
                );
                true
            }
            Ok(_) => {
                self.step(title, StepResult::Passed, format!("A {thing} was read."), None);
                true
            }
            Err(error) => {
                self.failed(title, &error);
                false
            }
        }
    }

    fn organisation(&mut self, result: Result<Organisation, GraphError>) {
        match result {
            Ok(organisation) => {
                let name = match organisation.display_name.as_str() {
                    "" => "The tenant has no name",
                    name => name,
                };
                let detail = match organisation.domains.as_slice() {
                    [] => format!("{name}, without a verified domain."),
                    domains => format!("{name}: {}.", domains.join(", ")),
                };
                self.step("Organisation", StepResult::Passed, detail, None);
                self.organisation = Some(organisation);
            }
            // A sync does without it: the test may pass, but nobody can see whose tenant it is.
            Err(error) if error.is_denied() => {
                let remedy = "Add Directory.Read.All (or Organization.Read.All) and grant admin consent, so that you can see whose tenant this is. \
                              Without it, enter the managed domains by hand.";
                self.erred("Organisation", StepResult::Warning, &error, remedy.to_owned());
            }
            Err(error) => self.erred("Organisation", StepResult::Warning, &error, error.remedy()),
        }
    }

    fn filter(&mut self, result: Result<i64, GraphError>, advanced: bool) -> bool {
        let title = "Custom filter accepted";
        match result {
            Ok(matches) => {
                let detail = match (matches, advanced) {
                    (0, _) => "Graph accepts it. It matches nobody.".to_owned(),
                    (1, true) => "Graph accepts it. It matches one user.".to_owned(),
                    (many, true) => format!("Graph accepts it. It matches {many} users."),
                    (_, false) => "Graph accepts it, and it matches somebody.".to_owned(),
                };
                let result = if matches == 0 { StepResult::Warning } else { StepResult::Passed };
                let remedy = (matches == 0)
                    .then(|| "With this filter a sync keeps nobody: check its values.".to_owned());
                self.step(title, result, detail, remedy);
                true
            }
            Err(error) => {
                let remedy = match &error.problem {
                    Problem::BadRequest { .. } => {
                        "Correct the custom filter; the help page lists what Graph supports.".to_owned()
                    }
                    _ => error.remedy(),
                };
                self.erred(title, StepResult::Failed, &error, remedy);
                false
            }
        }
    }

    /// Both sides evaluate the same filter, so a difference says that one of them is behind, or that they understand the filter differently.
    fn matching(&mut self, result: Result<i64, GraphError>, mirror: i64) {
        match result {
            Ok(count) if is_close(count, mirror) => {
                let detail = format!("Graph counts {count} who match, the mirror {mirror}.");
                self.step(MATCHING, StepResult::Passed, detail, None);
            }
            Ok(count) => {
                let detail = format!("Graph counts {count} who match, the mirror {mirror}.");
                let remedy = "The sync goes by the mirror. If a sync does not bring them together, Graph understands this filter differently: \
                              use \"Check a person\" to find out about whom, and write the condition in another way.";
                self.step(MATCHING, StepResult::Warning, detail, Some(remedy.to_owned()));
            }
            Err(error) => {
                let remedy = "Nothing has to be done: the sync does not need the count.";
                self.erred(MATCHING, StepResult::Warning, &error, remedy.to_owned());
            }
        }
    }

    fn count(&mut self, result: Result<i64, GraphError>, mirror: i64) {
        let title = "Number of users";
        match result {
            Ok(count) if is_close(count, mirror) => {
                self.step(
                    title,
                    StepResult::Passed,
                    format!("Graph counts {count}, the mirror {mirror}."),
                    None,
                );
            }
            Ok(count) => {
                let detail = format!("Graph counts {count} users, the mirror {mirror}.");
                let remedy = "The next sync should bring them together. If it does not, look at the notices of the last run.";
                self.step(title, StepResult::Warning, detail, Some(remedy.to_owned()));
            }
            Err(error) => {
                let remedy = "Nothing has to be done: the sync does not need the count.";
                self.erred(title, StepResult::Warning, &error, remedy.to_owned());
            }
        }
    }

    fn report(self, passed: bool) -> TestReport {
        TestReport {
            passed,
            steps: self.steps,
            organisation: self.organisation,
            consent_pending: self.denied,
        }
    }
}

/// The step that compares whom the filter matches there and here.
const MATCHING: &str = "Number of users who match the filter";

fn is_close(count: i64, mirror: i64) -> bool {
    (count - mirror).abs() <= COUNT_TOLERANCE.max(mirror / 100)
}

fn permission_title(name: &str) -> String {
    format!("Permission {name}")
}

/// What covers a missing permission, in words.
fn cover(name: &str, covered_by: &[&'static str], has: &impl Fn(&str) -> bool) -> Option<String> {
    if let Some(one) = covered_by.iter().find(|other| has(other)) {
        return Some((*one).to_owned());
    }
    // Everything that the sync reads with it is users, groups and memberships.
    let all = |names: &[&str]| names.iter().all(|name| has(name));
    let groups = ["Group.Read.All", "GroupMember.Read.All"].into_iter().find(|group| has(group));
    match groups {
        Some(group) if DIRECTORY.contains(&name) && all(&["User.Read.All"]) => {
            Some(format!("User.Read.All with {group}"))
        }
        _ => None,
    }
}

/// Whether an application permission changes something: `Group.ReadWrite.All`, `User.ManageIdentities.All`, `Mail.Send`, …
fn may_write(role: &str) -> bool {
    let action = role.split('.').nth(1).unwrap_or_default();
    !(action.starts_with("Read") && !action.starts_with("ReadWrite") || action == "Selected")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(roles: &[&str]) -> Vec<(String, StepResult)> {
        let roles: Vec<_> = roles.iter().map(ToString::to_string).collect();
        let mut test = Test::default();
        test.permissions(Some(&roles));
        test.steps.into_iter().map(|step| (step.title.replace("Permission ", ""), step.result)).collect()
    }

    fn results(roles: &[&str]) -> [StepResult; 5] {
        steps(roles).into_iter().map(|(_, result)| result).collect::<Vec<_>>().try_into().unwrap()
    }

    use StepResult::{Failed, Passed, Warning};

    #[test]
    fn the_four_permissions_of_the_guide_pass() {
        let all = ["User.Read.All", "Directory.Read.All", "GroupMember.Read.All", "Group.Read.All"];
        assert_eq!(results(&all), [Passed; 5]);
    }

    #[test]
    fn a_permission_that_another_covers_is_a_warning() {
        assert_eq!(results(&["Directory.Read.All"]), [Passed, Warning, Warning, Warning, Passed]);
        assert_eq!(
            results(&["User.Read.All", "GroupMember.Read.All"]),
            [Warning, Warning, Passed, Passed, Passed]
        );
    }

    #[test]
    fn a_permission_that_nothing_covers_is_missing() {
        assert_eq!(results(&[]), [Failed, Failed, Failed, Failed, Passed]);
        assert_eq!(results(&["User.Read.All"]), [Failed, Failed, Failed, Passed, Passed]);
    }

    #[test]
    fn any_write_permission_is_a_warning_and_covers_its_reading() {
        assert_eq!(results(&["Directory.ReadWrite.All"]), [Warning, Warning, Warning, Warning, Warning]);
        for role in ["Group.ReadWrite.All", "Mail.Send", "User.ManageIdentities.All", "User.Invite.All"] {
            assert!(may_write(role), "{role}");
        }
        for role in ["User.Read.All", "AuditLog.Read.All", "User.ReadBasic.All", "Sites.Selected"] {
            assert!(!may_write(role), "{role}");
        }
    }
}
