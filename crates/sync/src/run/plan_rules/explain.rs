//! Why a person of the directory is in the portal or not: each rule in the order in which a sync asks them, with what it says.

use domain::{
    address::Addresses,
    check::{Step, StepResult},
    service::Service,
};
use store::{CustomerStore, MirrorUser};

use super::{PlanRules, Verdict};
use crate::{SyncError, connect, run::drive::Failure};

/// What the rules, as they are saved now, say of the person with that key of the directory, rule by rule; the last entry is the verdict.
/// `None` when nothing is connected or the directory was never seen to have the person.
///
/// # Errors
/// When the database cannot answer.
pub async fn explain(customer: &CustomerStore, external_id: &str) -> Result<Option<Vec<Step>>, SyncError> {
    let Some(saved) = connect::saved(customer).await? else { return Ok(None) };
    let Some(row) = customer.mirrored_user(Service::Entra, external_id).await? else { return Ok(None) };
    match PlanRules::saved(customer, &saved).await {
        Ok(rules) => Ok(Some(rules.explain(&row))),
        Err(Failure::Beneath(error)) => Err(error),
        Err(Failure::Explained(why)) => Ok(Some(vec![step("Rules", StepResult::Failed, why)])),
    }
}

fn step(title: &str, result: StepResult, detail: impl Into<String>) -> Step {
    Step { title: title.to_owned(), result, detail: detail.into(), remedy: None, technical: None }
}

impl PlanRules {
    fn explain(&self, row: &MirrorUser) -> Vec<Step> {
        use StepResult::{Failed, Passed, Skipped, Warning};

        let user = &row.user;
        let verdict = self.verdict(row);
        let all = Addresses::of(user);
        let every = || all.iter().flat_map(|all| std::iter::once(&all.primary).chain(&all.aliases));
        let exception = self.by_hand.users.get(&user.external_id);
        let addition = self.by_hand.added.contains(&user.external_id)
            || every().any(|address| self.by_hand.awaited.contains_key(address));
        let managed: Vec<_> = every().filter(|address| self.manages(address)).collect();
        let mut steps = vec![
            match exception {
                None => step("Exceptions", Passed, "No exception names this person."),
                Some(true) => step(
                    "Exceptions",
                    Warning,
                    "An exception keeps this person as is: the sync does not touch the user.",
                ),
                Some(false) => step("Exceptions", Failed, "An exception leaves this person out."),
            },
            if row.gone {
                step("In the directory", Failed, "The directory no longer has this person.")
            } else {
                step("In the directory", Passed, "The last complete read had this person.")
            },
            match (every().next(), managed.first()) {
                (None, _) => step("Managed domains", Failed, "The person has no usable mail address."),
                (Some(address), None) => step(
                    "Managed domains",
                    Failed,
                    format!("{address} and its aliases are outside the managed domains."),
                ),
                (Some(_), Some(address)) => {
                    step("Managed domains", Passed, format!("{address} is in a managed domain."))
                }
            },
            if addition {
                step(
                    "Additions",
                    Passed,
                    "An addition takes this person in, whatever the next two rules say.",
                )
            } else {
                step("Additions", Skipped, "")
            },
        ];
        // What comes before has decided: the rules that are left are not asked.
        let decided = addition || steps.iter().any(|step| step.result == Failed);
        steps.push(match (user.is_disabled(), self.rules.include_disabled) {
            _ if decided => step("Account enabled", Skipped, ""),
            (false, _) => step("Account enabled", Passed, "Sign-in is allowed in the directory."),
            (true, true) => step(
                "Account enabled",
                Passed,
                "Sign-in is blocked in the directory; disabled accounts are included.",
            ),
            (true, false) => step(
                "Account enabled",
                Failed,
                "The account is disabled in the directory, and disabled accounts are not included.",
            ),
        });
        let decided = decided || steps.iter().any(|step| step.result == Failed);
        steps.push(if decided {
            step("Custom filter", Skipped, "")
        } else if self.filter.for_graph().is_none() {
            step("Custom filter", Passed, "There is none: everybody matches.")
        } else if self.filter.matches(user) {
            step("Custom filter", Passed, "The person matches it.")
        } else {
            step("Custom filter", Failed, "The person does not match it.")
        });
        steps.push(match verdict {
            Verdict::In(addresses) => step("Verdict", Passed, format!("Synced as {}.", addresses.primary)),
            Verdict::Out(reason, _) => step("Verdict", Failed, format!("Not synced: {}.", reason.label())),
            Verdict::Untouched => step("Verdict", Warning, "The user stays as is."),
        });
        steps
    }
}
