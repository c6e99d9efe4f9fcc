//! The figures of the dashboard, read and added up by day.

use domain::{
    Timestamp,
    moment::day_words,
    run::{Outcome, Purpose},
    service::{Source, Status},
};
use store::{CustomerStore, Run};
use sync::{
    SyncError,
    health::{Health, health},
};

use crate::components::chart::Column;

/// How many days the pictures look back and ahead.
pub(super) const DAYS: i64 = 30;
/// How many runs are read for a month at most: one an hour, and as many by hand.
const MOST_RUNS: i64 = 1_500;

/// What the dashboard shows.
pub(super) struct Figures {
    pub(super) health: Health,
    /// Users by source and status.
    pub(super) users: Vec<(Source, Status, i64)>,
    /// The last days, today last: what syncs added, changed and missed.
    pub(super) days: Vec<Column>,
    /// The next days, today first: how many users in conflict are to be deleted.
    pub(super) deletions: Vec<Column>,
    /// How many are to be deleted later than that.
    pub(super) later: i64,
    /// Whether a deletion is due at all: with `Never`, or no service on, nothing is.
    pub(super) deletes: bool,
}

/// Reads the figures.
pub(super) async fn load(customer: &CustomerStore, now: Timestamp) -> Result<Figures, SyncError> {
    let health = health(customer, now).await?;
    let users = customer.user_counts().await?;
    let runs = customer.runs(None, MOST_RUNS).await?;
    let setting = sync::conflicts::deletion_setting(customer).await?;
    let delay = setting.and_then(|setting| setting.milliseconds());
    let due = match delay {
        Some(delay) => customer.deletion_days(midnight(now), delay).await?,
        None => Vec::new(),
    };
    Ok(Figures {
        health,
        users,
        days: days(&runs, now),
        later: due.iter().filter(|(day, _)| *day >= DAYS).map(|(_, users)| users).sum(),
        deletions: deletions(&due, now),
        deletes: delay.is_some(),
    })
}

/// The beginning of a moment's day, in UTC.
fn midnight(now: Timestamp) -> Timestamp {
    Timestamp(now.0 - now.0.rem_euclid(Timestamp::DAY))
}

fn label(day: Timestamp) -> String {
    let words = day_words(day.date());
    words.rsplit_once(' ').map_or_else(|| words.clone(), |(day, _year)| day.to_owned())
}

/// What the syncs of each of the last days did. Reads and previews changed nothing.
fn days(runs: &[Run], now: Timestamp) -> Vec<Column> {
    let today = midnight(now);
    let first = today.plus(-(DAYS - 1) * Timestamp::DAY);
    (0..DAYS)
        .map(|at| {
            let day = first.plus(at * Timestamp::DAY);
            let of_day = runs.iter().filter(|run| {
                run.purpose == Purpose::Sync && (0..Timestamp::DAY).contains(&run.started_at.since(day))
            });
            let mut column = Column { label: label(day), values: vec![0; 3], failures: 0 };
            for run in of_day {
                let counts = &run.counts;
                let done = [counts.added + counts.restored, counts.updated, counts.missing + counts.deleted];
                column.values.iter_mut().zip(done).for_each(|(sum, number)| *sum += number);
                column.failures += i64::from(run.outcome == Outcome::Failed);
            }
            column
        })
        .collect()
}

/// How many are due on each of the next days; who is overdue counts today.
fn deletions(due: &[(i64, i64)], now: Timestamp) -> Vec<Column> {
    let today = midnight(now);
    (0..DAYS)
        .map(|at| {
            let users = due.iter().filter(|(day, _)| (*day).max(0) == at).map(|(_, users)| users).sum();
            Column { label: label(today.plus(at * Timestamp::DAY)), values: vec![users], failures: 0 }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use domain::{
        run::{Counts, Phase, Trigger},
        service::Service,
    };

    use super::*;

    const NOW: Timestamp = Timestamp(1_795_497_766_000);

    fn run(days_ago: i64, outcome: Outcome, purpose: Purpose) -> Run {
        Run {
            id: 1,
            public_id: uuid::Uuid::nil(),
            service: Service::Entra,
            purpose,
            trigger: Trigger::Schedule,
            actor: String::new(),
            phase: Phase::Done,
            outcome,
            started_at: NOW.plus(-days_ago * Timestamp::DAY),
            read_at: None,
            finished_at: None,
            counts: Counts { added: 5, updated: 2, missing: 1, ..Counts::default() },
            error: None,
            summary: String::new(),
        }
    }

    #[test]
    fn the_syncs_of_a_day_are_added_up_and_previews_count_for_nothing() {
        let runs = [
            run(0, Outcome::Succeeded, Purpose::Sync),
            run(0, Outcome::Failed, Purpose::Sync),
            run(0, Outcome::Succeeded, Purpose::Preview),
            run(29, Outcome::Held, Purpose::Sync),
            run(30, Outcome::Succeeded, Purpose::Sync),
        ];
        let days = days(&runs, NOW);
        assert_eq!(days.len(), 30);
        assert_eq!(
            (days[29].label.as_str(), days[29].values.as_slice(), days[29].failures),
            ("24 Nov", [10, 4, 2].as_slice(), 1)
        );
        assert_eq!((days[0].label.as_str(), days[0].values.as_slice()), ("26 Oct", [5, 2, 1].as_slice()));
        assert_eq!(days[1..29].iter().flat_map(|day| &day.values).sum::<i64>(), 0);
    }

    #[test]
    fn who_is_overdue_counts_today_and_who_is_due_later_is_not_drawn() {
        let days = deletions(&[(-3, 2), (0, 1), (7, 4), (30, 9)], NOW);
        assert_eq!((days[0].values[0], days[7].values[0], days[7].label.as_str()), (3, 4, "1 Dec"));
        assert_eq!(days.iter().map(|day| day.values[0]).sum::<i64>(), 7);
    }
}
