//! What can go wrong beneath a change or a run.

use directory::entra::GraphError;
use store::StoreError;

/// What went wrong. [`headline`](Self::headline) and [`remedy`](Self::remedy) are words for an administrator; `Display` is for the log.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The database.
    #[error(transparent)]
    Store(StoreError),
    /// The directory service.
    #[error("{}", .0.headline())]
    Directory(GraphError),
    /// The run's lease was taken away: by another process, which goes on from there, or by whoever cancelled the run.
    #[error("the run's lease was lost")]
    LeaseLost,
    /// The process was told to stop.
    #[error("interrupted")]
    Interrupted,
}

impl From<StoreError> for SyncError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::LostLease(_) => Self::LeaseLost,
            error => Self::Store(error),
        }
    }
}

impl From<GraphError> for SyncError {
    fn from(error: GraphError) -> Self {
        Self::Directory(error)
    }
}

impl SyncError {
    /// What is wrong, in plain words.
    #[must_use]
    pub fn headline(&self) -> String {
        match self {
            // These say it in their own words; the others carry an engine's text, which belongs into the log.
            Self::Store(
                error @ (StoreError::Busy
                | StoreError::DiskFull
                | StoreError::Damaged
                | StoreError::Corrupt { .. }
                | StoreError::KeyDoesNotFit(_)),
            ) => error.to_string(),
            Self::Store(_) => "The portal's database cannot be used.".to_owned(),
            Self::Directory(error) => error.headline(),
            Self::LeaseLost => "This sync was cancelled, or another process took it over.".to_owned(),
            Self::Interrupted => "interrupted".to_owned(),
        }
    }

    /// What to do.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::Store(_) => {
                "When the database can be reached and used again, try again; the log has the details."
                    .to_owned()
            }
            Self::Directory(error) => error.remedy(),
            Self::LeaseLost => "Its page in the sync history says which.".to_owned(),
            Self::Interrupted => {
                "The portal was stopped during the run. The next sync goes on where this one ended."
                    .to_owned()
            }
        }
    }
}
