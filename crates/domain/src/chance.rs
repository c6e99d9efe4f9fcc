//! Chance, passed in.

use uuid::Uuid;

use crate::Timestamp;

/// Where random bytes come from: the operating system's generator on a server, a seeded one in a test.
pub trait Random: Send + Sync {
    /// Fills `bytes` with unpredictable bytes (on a server: fit for keys and session tokens).
    fn fill(&self, bytes: &mut [u8]);

    /// 256 unpredictable bits: a session token, a one-time link.
    fn token(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.fill(&mut bytes);
        bytes
    }

    /// A version 7 UUID (RFC 9562) for an id that shows in a URL: it sorts by `now` and cannot be guessed.
    fn uuid(&self, now: Timestamp) -> Uuid {
        let mut bytes = [0; 10];
        self.fill(&mut bytes);
        uuid::Builder::from_unix_timestamp_millis(now.0.max(0).cast_unsigned(), &bytes).into_uuid()
    }
}
