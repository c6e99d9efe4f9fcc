//! The steps of a connection test, each with its result and a remedy.

use domain::check::{Step, StepResult};
use leptos::prelude::*;

use super::Icon;

/// The steps in the order in which they were tried.
#[component]
pub fn Steps(
    /// The steps.
    steps: Vec<Step>,
) -> impl IntoView {
    let rows = steps.into_iter().map(|step| {
        let (class, icon) = match step.result {
            StepResult::Passed => ("good", "check"),
            StepResult::Warning => ("warning", "warning"),
            StepResult::Failed => ("bad", "cross"),
            StepResult::Skipped => ("skipped", "dash"),
        };
        view! {
            <li class=format!("step {class}")>
                <Icon name=icon />
                <div>
                    <p class="step-title">
                        {step.title} <span class="step-result">{step.result.label()}</span>
                    </p>
                    // Nothing was found where nothing was tried.
                    {(step.result != StepResult::Skipped).then(|| view! { <p class="soft">{step.detail}</p> })}
                    {step.remedy.map(|remedy| view! { <p class="remedy"><strong>"What to do: "</strong>{remedy}</p> })}
                    {step
                        .technical
                        .map(|technical| {
                            view! {
                                <details>
                                    <summary>"Technical detail"</summary>
                                    <pre>{technical}</pre>
                                </details>
                            }
                        })}
                </div>
            </li>
        }
    });
    view! { <ol class="steps">{rows.collect_view()}</ol> }
}
