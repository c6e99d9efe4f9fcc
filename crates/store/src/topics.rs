//! Topic versions: a number per topic of a customer, raised in the transaction that changes what the topic is about, so that open pages of
//! every process learn of it.

use crate::{
    CustomerStore, CustomerWrite,
    error::Result,
    sql::{all, execute, optional, statements},
};

statements! {
    ALL = "SELECT topic, version FROM topics WHERE customer_id = $1 ORDER BY topic";
    RAISE = "INSERT INTO topics (customer_id, topic, version) VALUES ($1, $2, 1)
             ON CONFLICT (customer_id, topic) DO UPDATE SET version = topics.version + 1";
    SHARE = "SELECT version FROM topics WHERE customer_id = $1 AND topic = $2", shared(" FOR SHARE"), "";
}

impl CustomerStore {
    /// Every topic that was ever raised, with its version.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn topic_versions(&self) -> Result<Vec<(String, i64)>> {
        let mut connection = self.read().await?;
        all!(connection, (String, i64), ALL, self.id())
    }
}

impl CustomerWrite {
    /// Raises a topic's version by one.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn raise_topic(&mut self, topic: &str) -> Result<()> {
        execute!(self.connection, RAISE, self.customer_id, topic)?;
        Ok(())
    }

    /// Keeps a topic from being raised until this transaction ends, beside others that do the same. `false` when it was never raised, and
    /// nothing keeps it.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn share_topic(&mut self, topic: &str) -> Result<bool> {
        Ok(optional!(self.connection, (i64,), SHARE, self.customer_id, topic)?.is_some())
    }
}
