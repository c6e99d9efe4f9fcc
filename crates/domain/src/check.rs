//! What a Test of a directory-service connection found: the steps in order, each with its own result and a remedy in words.
//!
//! The server fills a report by asking the directory, and the browser shows it; nothing in it is a secret.

use serde::{Deserialize, Serialize};

use crate::settings::Organisation;

/// The advice that a failed Test repeats whatever the reason was.
pub const GENERAL_ADVICE: &str = "Verify Tenant Domain, Client ID and Client Secret.";

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepResult {
    /// As it should be.
    Passed,
    /// It works, but something should be looked at.
    Warning,
    /// It does not work.
    Failed,
    /// Not tried, because an earlier step failed.
    Skipped,
}

impl StepResult {
    /// The word beside the step, so that the result never depends on a colour.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Passed => "Passed",
            Self::Warning => "Warning",
            Self::Failed => "Failed",
            Self::Skipped => "Skipped",
        }
    }
}

/// One thing that was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What was checked, such as `Users readable`.
    pub title: String,
    /// How it ended.
    pub result: StepResult,
    /// What was found, in words.
    pub detail: String,
    /// What the administrator should do, when there is something to do.
    pub remedy: Option<String>,
    /// Codes, request ids and time for a support case.
    pub technical: Option<String>,
}

/// Every step of a Test, and what follows from them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestReport {
    /// A token was issued, users and groups are readable, and the custom filter, when there is one, is accepted.
    pub passed: bool,
    /// The steps in the order in which they were checked.
    pub steps: Vec<Step>,
    /// What the tenant says about itself, when it could be read.
    pub organisation: Option<Organisation>,
    /// The directory refused something that consent would allow. Consent may take 15 minutes to arrive: offer Retry.
    pub consent_pending: bool,
}
