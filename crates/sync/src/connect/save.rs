//! Saving a connection: the change, its audit entry and the topic version in one transaction.

use domain::{
    Timestamp,
    conflict::SHORTEST_NOTICE_MS,
    number::{count, counted},
    service::{Service, Source},
    settings::{EntraSettings, Organisation},
};
use store::{Change, CursorKind, CustomerStore, CustomerWrite, StoreError};

use super::{CLIENT_SECRET, Checked, ConnectForm, Refused, SavedConnection, Switch, check, saved, switch};
use crate::{
    Actor, Engine, SyncError,
    filter::Filter,
    filter_preview::{self, Leaving},
    held,
    run::{hold_plan, unread},
    schedule,
};

/// What a save came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// What the tenant says about itself.
    pub organisation: Option<Organisation>,
    /// Why the tenant could not be asked; the connection was saved all the same.
    pub unchecked: Option<String>,
    /// What the administrator should know, a sentence each.
    pub warnings: Vec<String>,
    /// Whether anything was different from what was saved before.
    pub changed: bool,
}

/// Whether the day on which the secret expires outlives a new secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExpiryDate {
    /// A form shows the saved day, so the same day beside a new secret was not entered for it.
    ShownByForm,
    /// A settings file says what it means.
    Meant,
}

/// Saves what stands in the form.
///
/// # Errors
/// When the database cannot do it.
pub async fn save(
    engine: &Engine,
    customer: &CustomerStore,
    actor: &Actor,
    form: ConnectForm,
) -> Result<Result<Saved, Refused>, SyncError> {
    let managed = customer.managed_domains().await?;
    let checked = match check(engine, customer, &form, &managed).await? {
        Ok(checked) => checked,
        Err(refused) => return Ok(Err(refused)),
    };
    let mut approved = Vec::new();
    if let Some(leaving) = whom_it_drops(customer, &checked, &managed).await? {
        match form.confirm_leaving.as_deref().and_then(|seen| leaving.confirmed_by(seen)) {
            Some(users) => approved = users.to_vec(),
            None => return Ok(Err(Refused::ConfirmLeaving { leaving, confirmed: checked.confirmed })),
        }
    }
    let mut transaction = customer.begin().await?;
    let saved = write(engine, customer, &mut transaction, actor, checked, ExpiryDate::ShownByForm).await?;
    // Whoever saw them named need not be asked again by the deletion guard.
    held::approve_in_advance(&mut transaction, actor, &approved, engine.clock.now()).await?;
    transaction.commit().await?;
    Ok(Ok(saved))
}

/// Whom the saved rules let in and the new ones drop. A first connection has nobody to drop, and a switch to another tenant has its own question.
pub(crate) async fn whom_it_drops(
    customer: &CustomerStore,
    checked: &Checked,
    managed: &[String],
) -> Result<Option<Leaving>, SyncError> {
    let Some(before) = checked.saved.as_ref().filter(|_| checked.switch.is_none()) else { return Ok(None) };
    let organisation = checked.organisation.as_ref().or(before.organisation.as_ref());
    filter_preview::leaving(customer, &before.settings, &checked.read.settings, organisation, managed).await
}

/// Writes a checked connection.
pub(crate) async fn write(
    engine: &Engine,
    customer: &CustomerStore,
    transaction: &mut CustomerWrite,
    actor: &Actor,
    checked: Checked,
    expiry: ExpiryDate,
) -> Result<Saved, SyncError> {
    hold_plan(transaction).await?;
    let Checked { read, saved: before, organisation, unchecked, confirmed, switch } = checked;
    let now = engine.clock.now();
    let old = before.as_ref().map(|before| &before.settings);
    let mut new = read.settings;
    let same_day = old.is_some_and(|old| old.client_secret_expires == new.client_secret_expires);
    if read.new_secret.is_some() && same_day && expiry == ExpiryDate::ShownByForm {
        new.client_secret_expires = None;
    }
    // A tenant that could not be asked now is still the one that answered before, unless another one was entered.
    let kept = before.as_ref().filter(|before| before.settings.tenant == new.tenant);
    let known = organisation.clone().or_else(|| kept.and_then(|before| before.organisation.clone()));
    let asked_anew = known.as_ref() != before.as_ref().and_then(|before| before.organisation.as_ref());

    let mut changes = changes(old, &new);
    if read.new_secret.is_some() {
        let had_one = customer.secret_saved_at(CLIENT_SECRET).await?.is_some();
        changes.push(Change::new("Client Secret", if had_one { "***" } else { "" }, "***"));
    }
    if let Some(switch) = &switch {
        changes.extend(switched(before.as_ref(), organisation.as_ref(), switch));
    }
    let changed = before.is_none() || !changes.is_empty();
    let mut moved = None;
    if changed || asked_anew {
        // Somebody else may have saved between the check and now; what was checked against is gone then.
        let present = saved(customer).await?.map(|present| present.version);
        if present != before.as_ref().map(|before| before.version) {
            return Err(StoreError::Busy.into());
        }
        let json = serde_json::to_string(&new).map_err(|error| StoreError::Database(error.into()))?;
        transaction.save_service(Service::Entra, new.enabled, &json, known.as_ref(), now).await?;
        if let Some(secret) = &read.new_secret {
            transaction.seal_secret(CLIENT_SECRET, secret, engine.random.as_ref(), now).await?;
        }
        let rules = |settings: &EntraSettings| (settings.include_disabled, settings.custom_filter.clone());
        let domains = |organisation: Option<&Organisation>| organisation.map(|o| o.domains.clone());
        let before_domains = domains(before.as_ref().and_then(|before| before.organisation.as_ref()));
        if old.map(rules) != Some(rules(&new)) || before_domains != domains(known.as_ref()) {
            transaction.mark_all_dirty(Service::Entra).await?;
        }
        if let Some(before) = &before {
            moved = follow(transaction, customer, before, &new, now).await?;
        }
        if let Some(switch) = &switch {
            switch::begin(transaction, customer, actor, switch, now).await?;
        }
        schedule::follow(transaction, customer, old, &new, now).await?;
        if changed {
            transaction.audit(actor.entry(now, "settings.save", "Entra ID", changes)).await?;
        }
        transaction.raise_topic("settings").await?;
    }
    let mut warnings = confirmed;
    warnings.extend(moved);
    warnings.extend(first_read(customer, old, &new).await?);
    if let Some(days) = new.secret_expires_soon(now) {
        warnings.push(match days {
            ..0 => "The client secret has expired: create a new one and enter it here.".to_owned(),
            0 => "The client secret expires today.".to_owned(),
            1 => "The client secret expires tomorrow.".to_owned(),
            days => format!("The client secret expires in {days} days."),
        });
    }
    Ok(Saved { organisation, unchecked, warnings, changed })
}

/// What follows from a filter that reads what the sync has not read yet; nothing before the directory was ever read.
async fn first_read(
    customer: &CustomerStore,
    old: Option<&EntraSettings>,
    new: &EntraSettings,
) -> Result<Option<String>, SyncError> {
    let is_new = old.is_some_and(|old| old.custom_filter != new.custom_filter);
    let Ok(filter) = Filter::read(&new.custom_filter) else { return Ok(None) };
    if !is_new || customer.cursor(Service::Entra, CursorKind::Users).await?.is_none() {
        return Ok(None);
    }
    let unread = unread(customer, filter.properties()).await?;
    Ok((!unread.is_empty()).then(|| {
        format!(
            "The sync has not read {} yet: the next one reads the whole directory anew, and until that read is complete everybody stays as the \
             old filter decided.",
            unread.join(", ")
        )
    }))
}

/// What else a change of the settings changes; a sentence when deletion dates have moved.
async fn follow(
    transaction: &mut CustomerWrite,
    customer: &CustomerStore,
    before: &SavedConnection,
    new: &EntraSettings,
    now: Timestamp,
) -> Result<Option<String>, SyncError> {
    let old = &before.settings;
    if old.tenant != new.tenant || old.client_id != new.client_id {
        // The links belong to the tenant and the app that they were given to. The next run reads everything.
        for kind in [CursorKind::Users, CursorKind::Groups] {
            transaction.clear_cursor(Service::Entra, kind).await?;
        }
    }
    if let Some(since) = before.disabled_at.filter(|_| new.enabled) {
        // The deletion clocks stood still while the service was off. One that an Ignore's date was to start meanwhile starts now.
        transaction.end_ignores(Source::Azure, since).await?;
        transaction.shift_clocks(Source::Azure, now.since(since)).await?;
        transaction.put_off_ignores(Source::Azure, now).await?;
    }
    if old.delete_users_after == new.delete_users_after {
        return Ok(None);
    }
    let pending = customer.due_count(Source::Azure, Timestamp(i64::MAX), 0).await?;
    let earliest = now.plus(SHORTEST_NOTICE_MS);
    let soon = match new.delete_users_after.milliseconds() {
        Some(delay) => transaction.promise_notice(Source::Azure, delay, earliest).await?,
        None => 0,
    };
    if pending == 0 {
        return Ok(None);
    }
    let users = counted(pending, "user", "users");
    Ok(Some(match (new.delete_users_after.milliseconds(), soon) {
        (None, _) => format!("{users} in conflict will not be deleted by the sync any more."),
        (Some(_), 0) => format!("The deletion date of {users} in conflict has moved."),
        (Some(_), soon) => format!(
            "The deletion date of {users} in conflict has moved. For {} it is {}, because nobody is deleted within 24 hours of a change.",
            count(soon),
            earliest.words()
        ),
    }))
}

/// What the audit log says of a switch.
fn switched(before: Option<&SavedConnection>, now: Option<&Organisation>, switch: &Switch) -> Vec<Change> {
    let id = |organisation: Option<&Organisation>| organisation.map_or(String::new(), |it| it.id.clone());
    let before = before.and_then(|before| before.organisation.as_ref());
    let figures = match &switch.figures {
        Ok(figures) => format!("{} stay, {} become conflicts", count(figures.stay), figures.leaving.len()),
        Err(_) => "the new tenant could not be read".to_owned(),
    };
    vec![
        Change::new("Tenant", id(before), id(now)),
        Change::new("Users at the switch", count(switch.users), figures),
    ]
}

/// Every field that differs, under the label of its page.
fn changes(old: Option<&EntraSettings>, new: &EntraSettings) -> Vec<Change> {
    let on = |flag: bool| if flag { "on" } else { "off" }.to_owned();
    let rows = |settings: &EntraSettings| {
        [
            ("Enable Azure Sync", on(settings.enabled)),
            ("Tenant Domain", settings.tenant.clone()),
            ("Client ID", settings.client_id.clone()),
            ("Client secret expires on", settings.client_secret_expires.clone().unwrap_or_default()),
            ("Sync Frequency", settings.sync_frequency.label().to_owned()),
            ("Delete Users After", settings.delete_users_after.label().to_owned()),
            ("Include disabled/deactivated user accounts", on(settings.include_disabled)),
            ("Custom Filters", settings.custom_filter.clone()),
        ]
    };
    let before = old.map(rows);
    rows(new)
        .into_iter()
        .enumerate()
        .filter_map(|(at, (field, value))| {
            let old = before.as_ref().and_then(|rows| rows.get(at)).map_or("", |(_, old)| old.as_str());
            (old != value).then(|| Change::new(field, old, value.as_str()))
        })
        .collect()
}
