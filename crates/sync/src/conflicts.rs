//! Users in conflict: what holds for all of them.

use domain::settings::DeleteAfter;
use store::CustomerStore;

use crate::{SyncError, connect};

/// The setting by which users in conflict are deleted; `None` while no directory service is on, because the clocks stand still then.
///
/// # Errors
/// When the database cannot answer.
pub async fn deletion_setting(customer: &CustomerStore) -> Result<Option<DeleteAfter>, SyncError> {
    let saved = connect::saved(customer).await?.filter(|saved| saved.settings.enabled);
    Ok(saved.map(|saved| saved.settings.delete_users_after))
}
