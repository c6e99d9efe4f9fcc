//! Taking back what a run did to users.

use std::process::ExitCode;

use clap::Args;
use domain::number::counted;
use rollcall::access::Portal;
use sync::{
    Actor,
    run::undo::{Line, propose, undo},
};
use uuid::Uuid;

use super::{Failure, find, print};

/// What asks for a confirmation, as `settings apply` does.
const UNCONFIRMED: u8 = 4;

#[derive(Args)]
pub(super) struct UndoArgs {
    /// The customer's slug
    customer: String,
    /// The run's id, as `rollcall sync --json` and the address of its page have it
    run: Uuid,
    /// Take it back; without this, what would happen is printed, and nothing is changed
    #[arg(long)]
    confirm: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(portal: &Portal, args: UndoArgs) -> Result<ExitCode, Failure> {
    let customer = find(portal, &args.customer).await?;
    let proposal =
        propose(&portal.engine, &customer, args.run).await?.map_err(|refused| refused.to_string())?;
    let lines = |lines: &[Line]| -> Vec<serde_json::Value> {
        lines
            .iter()
            .map(|line| {
                serde_json::json!({ "user_id": line.user, "name": line.name, "address": line.address, "what": line.words })
            })
            .collect()
    };
    let mut answer = serde_json::json!({
        "taken_back": lines(&proposal.taken_back),
        "left": lines(&proposal.left),
        "redone": proposal.redone,
        "groups": proposal.groups,
        "done": false,
    });
    let mut text = String::new();
    for (sign, lines) in [("-", &proposal.taken_back), ("not", &proposal.left)] {
        for line in lines {
            text.push_str(&format!("{sign} {} <{}>: {}\n", line.name, line.address, line.words));
        }
    }
    if proposal.redone > 0 {
        text.push_str(&format!(
            "The next sync does {} of them again by the rules as they are now: correct those first.\n",
            proposal.redone
        ));
    }
    let mut code = ExitCode::from(UNCONFIRMED);
    if args.confirm {
        let stamp = proposal.stamp.as_str();
        let done = undo(&portal.engine, &customer, &Actor::command_line(), args.run, Some(stamp)).await?;
        let done = done.map_err(|refused| refused.to_string())?;
        answer["done"] = (!done.awaiting).into();
        answer["awaiting_second"] = done.awaiting.into();
        text.push_str(&if done.awaiting {
            "Nothing was taken back yet: another administrator has to confirm it as well.\n".to_owned()
        } else {
            format!("{} taken back.\n", counted(done.users, "user was", "users were"))
        });
        if let Some(until) = done.paused_until {
            text.push_str(&format!("Scheduled syncs wait until {}.\n", until.words()));
        }
        code = ExitCode::SUCCESS;
    } else {
        text.push_str("Nothing was changed. Add --confirm if this is meant.\n");
    }
    print(&if args.json { format!("{answer}\n") } else { text })?;
    Ok(code)
}
