//! The server's half of the Connect page: calls `sync`, and turns what comes of it into the words of the page.

use domain::{
    check::GENERAL_ADVICE,
    service::Service,
    settings::{EntraSettings, EntraText},
};
use store::DirectoryService;
use sync::connect::{ConnectForm, Refused, Saved};
use uuid::Uuid;

use super::{Answer, Around, Leavers};
use crate::{
    access::{self, Desk},
    components::{Message, Moment, Tone, counted},
    error::AppError,
    pages::{CONNECT, customer_path},
};

/// The page's own address.
pub(super) fn path(desk: &Desk) -> String {
    customer_path(&desk.customer.customer().slug, CONNECT)
}

/// What is saved, and what stands around the form.
pub(super) async fn load(desk: &Desk) -> Result<(EntraText, Around), AppError> {
    let loaded = async {
        let service = desk.customer.service(Service::Entra).await?;
        let settings = service.as_ref().map(DirectoryService::entra).transpose()?;
        Ok((service, settings, desk.customer.secret_saved_at(sync::connect::CLIENT_SECRET).await?))
    };
    let (service, settings, saved_at) = loaded.await.map_err(|error| access::store_error(&error))?;
    let settings = settings.unwrap_or_else(EntraSettings::default);
    let now = desk.portal.now();
    let around = Around {
        // The day is what an administrator compares with the list in Entra; `4 min ago` would not help there.
        secret_saved: saved_at
            .map(|at| Moment { words: domain::moment::day_words(at.date()), ..Moment::at(at, now) }),
        organisation: service.and_then(|service| service.organisation).map(|o| (o.display_name, o.domains)),
        secret_days: settings.secret_expires_soon(now),
    };
    Ok((EntraText::from(&settings), around))
}

/// Save.
pub(super) async fn save(desk: &Desk, form: ConnectForm) -> Result<Answer, AppError> {
    let typed = form.text.clone();
    let has_secret = form.secret.is_some();
    let saved = sync::connect::save(&desk.portal.engine, &desk.customer, &desk.actor(), form).await;
    match saved.map_err(|error| access::sync_error(&error))? {
        Ok(saved) => {
            let (_, around) = load(desk).await?;
            Ok(Answer { around: Some(around), ..Answer::new(saved_message(&saved)) })
        }
        Err(refused) => {
            let mut answer = refusal(refused, typed, "Nothing was saved.");
            if let Some(leavers) = &mut answer.leavers {
                leavers.secret_is_lost = has_secret && access::is_plain_request();
            }
            Ok(answer)
        }
    }
}

fn saved_message(saved: &Saved) -> Message {
    if let Some(why) = &saved.unchecked {
        return Message::new(
            Tone::Warning,
            format!("The settings were saved. The tenant could not be asked: {why}"),
        );
    }
    let tenant = saved
        .organisation
        .as_ref()
        .map_or_else(String::new, |o| format!(" Connected to {}.", o.display_name));
    match saved.warnings.as_slice() {
        [] => Message::new(Tone::Good, format!("The settings were saved.{tenant}")),
        warnings => {
            Message::new(Tone::Warning, format!("The settings were saved.{tenant} {}", warnings.join(" ")))
        }
    }
}

/// Test.
pub(super) async fn test(desk: &Desk, form: ConnectForm) -> Result<Answer, AppError> {
    let typed = form.text.clone();
    let tested = sync::connect::test(&desk.portal.engine, &desk.customer, &form).await;
    match tested.map_err(|error| access::sync_error(&error))? {
        Ok(report) => {
            let message = if report.passed {
                Message::new(Tone::Good, "Azure Connection test was passed")
            } else {
                Message::new(Tone::Bad, "Azure Connection test failed")
            };
            Ok(Answer { report: Some(report), typed: Some(typed), ..Answer::new(message) })
        }
        Err(refused) => {
            let mut answer = refusal(refused, typed, GENERAL_ADVICE);
            answer.message = Message::new(Tone::Bad, "Azure Connection test failed");
            Ok(answer)
        }
    }
}

fn refusal(refused: Refused, typed: EntraText, what: &str) -> Answer {
    let typed = Some(typed);
    match refused {
        Refused::Fields(errors) => {
            let fields = if errors.len() == 1 { "One field needs" } else { "Some fields need" };
            let message = Message::new(Tone::Bad, format!("{fields} another look. {what}"));
            Answer { errors, typed, ..Answer::new(message) }
        }
        Refused::ConfirmTenant(doubt) => {
            let (doubts, switch) = (doubt.sentences(), doubt.stamp());
            let name = doubt.organisation.map_or_else(
                || "This tenant".to_owned(),
                |o| format!("{} ({})", o.display_name, o.domains.join(", ")),
            );
            let message = Message::new(Tone::Warning, format!("{name} has to be confirmed. {what}"));
            Answer { doubts, switch, typed, ..Answer::new(message) }
        }
        Refused::ConfirmLeaving { leaving, confirmed } => {
            let label = format!("{} the sync", counted(leaving.crowd.count, "person leaves", "people leave"));
            let message =
                Message::new(Tone::Warning, format!("{label} with these settings. {what} Confirm it below."));
            let fingerprint = leaving.fingerprint();
            let people = super::filter::server::named(leaving.crowd);
            let leavers = Leavers { label, people, fingerprint, secret_is_lost: false };
            Answer { leavers: Some(leavers), doubts: confirmed, typed, ..Answer::new(message) }
        }
    }
}

/// Check a person: the answer is what is said about the filter, below its field.
pub(super) fn person(typed: EntraText) -> Answer {
    let message = Message::new(Tone::Good, "The answer stands below the filter. Nothing was saved.");
    Answer { typed: Some(typed), ..Answer::new(message) }
}

/// Sync Now.
pub(super) async fn sync(desk: &Desk) -> Result<Answer, AppError> {
    use domain::run::{Purpose, Trigger};
    use sync::run::StartRefused;

    let engine = &desk.portal.engine;
    let started = engine.start(&desk.customer, Purpose::Sync, Trigger::SyncNow, &desk.actor()).await;
    let run = |id: Uuid| customer_path(&desk.customer.customer().slug, &format!("sync-history/{id}"));
    let message = match started.map_err(|error| access::sync_error(&error))? {
        Ok(running) => Message::new(Tone::Good, "Azure sync has successfully started")
            .linked(run(running.run), "See the run"),
        Err(StartRefused::AlreadyRunning(id)) => {
            let message = Message::new(Tone::Warning, "Nothing was started: a sync is already running.");
            match id {
                Some(id) => message.linked(run(id), "See the run"),
                None => message,
            }
        }
        Err(refused) => Message::new(Tone::Bad, refused.to_string()),
    };
    Ok(Answer::new(message))
}
