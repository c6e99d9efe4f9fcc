//! When the next run of a directory service is due, and what became of the last ones.

use domain::{Timestamp, service::Service};

use crate::{
    CustomerStore, CustomerWrite, Store, StoreError,
    error::Result,
    sql::{all, execute, optional, statements},
};

statements! {
    GET = "SELECT next_at, failures, reason FROM schedules WHERE customer_id = $1 AND service = $2";
    PUT = "INSERT INTO schedules (customer_id, service, next_at, failures, reason) VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (customer_id, service) DO UPDATE SET next_at = excluded.next_at, failures = excluded.failures,
               reason = excluded.reason";
    CLEAR = "DELETE FROM schedules WHERE customer_id = $1 AND service = $2";
    /// Of every customer. CROSS JOIN: SQLite is to begin with those that are due.
    DUE = "SELECT c.slug, s.service FROM schedules s CROSS JOIN customers c CROSS JOIN directory_services d
           WHERE s.next_at <= $1 AND c.id = s.customer_id AND c.suspended_at IS NULL
               AND d.customer_id = s.customer_id AND d.service = s.service AND d.enabled = TRUE
           ORDER BY s.next_at, s.customer_id LIMIT $2";
}

/// When a service runs next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The directory service.
    pub service: Service,
    /// When the next run is due.
    pub next_at: Timestamp,
    /// How many runs in a row have failed.
    pub failures: i64,
    /// Why the last one failed, in words; empty when it did not.
    pub reason: String,
}

impl Store {
    /// The enabled services of customers that are not suspended whose run is due by now, each with the customer's slug; the one that waits
    /// longest first.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn due_schedules(&self, now: Timestamp, limit: i64) -> Result<Vec<(String, Service)>> {
        let mut connection = self.read().await?;
        all!(connection, (String, String), DUE, now.0, limit)?
            .into_iter()
            .map(|(slug, service)| {
                let service = Service::named(&service)
                    .ok_or_else(|| StoreError::corrupt("schedules", "service", &slug))?;
                Ok((slug, service))
            })
            .collect()
    }
}

impl CustomerStore {
    /// When a service runs next; `None` when nothing is scheduled.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn schedule(&self, service: Service) -> Result<Option<Schedule>> {
        let mut connection = self.read().await?;
        let row = optional!(connection, (i64, i64, String), GET, self.id(), service.name())?;
        Ok(row.map(|(next_at, failures, reason)| Schedule {
            service,
            next_at: Timestamp(next_at),
            failures,
            reason,
        }))
    }
}

impl CustomerWrite {
    /// Schedules the next run of a service.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn put_schedule(&mut self, schedule: &Schedule) -> Result<()> {
        execute!(
            self.connection,
            PUT,
            self.customer_id,
            schedule.service.name(),
            schedule.next_at.0,
            schedule.failures,
            schedule.reason.as_str()
        )
        .map(drop)
    }

    /// Schedules no run of a service: it runs when somebody starts it.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn clear_schedule(&mut self, service: Service) -> Result<()> {
        execute!(self.connection, CLEAR, self.customer_id, service.name()).map(drop)
    }
}
