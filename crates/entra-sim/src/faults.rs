//! Faults as a file (`--faults`) and as one request of the control API (`POST /faults`): a list of what is to go wrong, in JSON.

use serde::Deserialize;
use thiserror::Error;

use crate::damage::DamagedAnswer;
use crate::habits::DeltaHabits;
use crate::state::{GraphFault, Sim};
use crate::throttle::Throttling;

/// Something that goes wrong from now on.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// A Graph route answers with an error.
    GraphError(GraphFault),
    /// The answers of a Graph route are damaged.
    Damage(DamagedAnswer),
    /// The token endpoint answers with an error.
    TokenError {
        /// The number after `AADSTS`.
        code: u32,
        /// How often; without it, always.
        #[serde(default)]
        times: Option<u32>,
    },
    /// Graph throttles.
    Throttling(Throttling),
    /// Delta answers do more than necessary.
    DeltaHabits(DeltaHabits),
}

/// Why a list of faults is refused.
#[derive(Debug, Error)]
pub enum FaultError {
    /// Not the list that is expected.
    #[error("not a list of faults: {0}")]
    Shape(#[from] serde_json::Error),
    /// An error that the token endpoint does not give to applications.
    #[error("the token endpoint has no error {0} for applications")]
    TokenError(u32),
    /// A success is no error.
    #[error("status {0} is no error: 400 to 599")]
    Status(u16),
}

impl Sim {
    /// Lets all of this go wrong from now on.
    ///
    /// # Errors
    /// When one of them cannot be; those before it hold.
    pub fn fail(&self, faults: Vec<Fault>) -> Result<(), FaultError> {
        for fault in faults {
            match fault {
                Fault::GraphError(fault) if !(400..600).contains(&fault.status) => {
                    return Err(FaultError::Status(fault.status));
                }
                Fault::GraphError(fault) => self.fail_graph(fault),
                Fault::Damage(answer) => self.damage(answer),
                Fault::TokenError { code, times } => {
                    if !self.fail_tokens(Some(code), times) {
                        return Err(FaultError::TokenError(code));
                    }
                }
                Fault::Throttling(rules) => self.set_throttling(Some(rules)),
                Fault::DeltaHabits(habits) => self.set_delta_habits(habits),
            }
        }
        Ok(())
    }

    /// The same, from JSON.
    ///
    /// # Errors
    /// When it is no such list, or one of them cannot be.
    pub fn fail_as_written(&self, json: &str) -> Result<(), FaultError> {
        self.fail(serde_json::from_str(json)?)
    }

    /// Ends every fault, whoever began it.
    pub fn heal(&self) {
        self.clear_graph_faults();
        self.clear_damage();
        let _no_code = self.fail_tokens(None, None);
        self.set_throttling(None);
        self.set_delta_habits(DeltaHabits::default());
    }
}
