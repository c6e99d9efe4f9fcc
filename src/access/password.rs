//! Passwords: argon2id on blocking threads, two at a time, so that sign-ins can neither stall nor exhaust the server.

use std::sync::Arc;

use argon2::{
    Argon2,
    password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString},
};
use domain::{Random, Secret};
use tokio::sync::Semaphore;

/// The shortest password that is taken (OWASP ASVS 2.1.1).
pub const SHORTEST: usize = 12;
/// The longest password that is taken, in bytes.
pub const LONGEST: usize = 256;

/// A password could not be hashed or checked.
#[derive(Debug, thiserror::Error)]
#[error("the password could not be hashed or checked: {0}")]
pub struct PasswordError(String);

/// Hashes and checks passwords.
#[derive(Clone)]
pub struct Passwords {
    places: Arc<Semaphore>,
    /// The hash of nothing in particular: an unknown administrator costs the same work as a known one.
    nobody: Arc<str>,
}

impl Passwords {
    /// # Errors
    /// When not even a first hash can be computed.
    pub fn new(random: &dyn Random) -> Result<Self, PasswordError> {
        let nobody = hash(&Secret::new("nobody's password"), &salt(random))?;
        Ok(Self { places: Arc::new(Semaphore::new(2)), nobody: nobody.into() })
    }

    /// The hash to store, in PHC string format.
    ///
    /// # Errors
    /// When hashing fails, which a broken salt or a lack of memory can cause.
    pub async fn hash(&self, password: Secret, random: &dyn Random) -> Result<String, PasswordError> {
        let salt = salt(random);
        self.work(move || hash(&password, &salt)).await?
    }

    /// Whether the password is the one of that hash. Without a hash the answer is no, after the same work.
    ///
    /// # Errors
    /// When the stored hash is unreadable.
    pub async fn verify(&self, password: Secret, stored: Option<String>) -> Result<bool, PasswordError> {
        let nobody = Arc::clone(&self.nobody);
        self.work(move || {
            let known = stored.is_some();
            let text = stored.unwrap_or_else(|| nobody.to_string());
            let stored = PasswordHash::new(&text).map_err(|error| PasswordError(error.to_string()))?;
            let right = Argon2::default().verify_password(password.expose().as_bytes(), &stored).is_ok();
            Ok(known && right)
        })
        .await?
    }

    async fn work<T: Send + 'static>(
        &self,
        task: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let place = Arc::clone(&self.places)
            .acquire_owned()
            .await
            .map_err(|error| PasswordError(error.to_string()))?;
        tokio::task::spawn_blocking(move || {
            let _place = place;
            task()
        })
        .await
        .map_err(|error| PasswordError(error.to_string()))
    }
}

/// What is wrong with a new password, in words; `None` when it will do.
#[must_use]
pub fn refuse_new(password: &Secret) -> Option<String> {
    let text = password.expose();
    if text.chars().count() < SHORTEST {
        Some(format!("Choose a password of at least {SHORTEST} characters."))
    } else if text.len() > LONGEST {
        Some(format!("Choose a password of at most {LONGEST} bytes."))
    } else {
        None
    }
}

fn salt(random: &dyn Random) -> [u8; 16] {
    let mut salt = [0; 16];
    random.fill(&mut salt);
    salt
}

fn hash(password: &Secret, salt: &[u8; 16]) -> Result<String, PasswordError> {
    let salt = SaltString::encode_b64(salt).map_err(|error| PasswordError(error.to_string()))?;
    let hash = Argon2::default().hash_password(password.expose().as_bytes(), &salt);
    hash.map(|hash| hash.to_string()).map_err(|error| PasswordError(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;
    impl Random for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    #[tokio::test]
    async fn a_password_is_recognised_and_another_is_not() {
        let passwords = Passwords::new(&Fixed).unwrap();
        let stored = passwords.hash(Secret::new("correct horse battery"), &Fixed).await.unwrap();
        assert!(stored.starts_with("$argon2id$"), "{stored}");
        assert!(passwords.verify(Secret::new("correct horse battery"), Some(stored.clone())).await.unwrap());
        assert!(!passwords.verify(Secret::new("correct horse batterz"), Some(stored)).await.unwrap());
    }

    #[tokio::test]
    async fn nobody_signs_in_with_the_stand_in_hash() {
        let passwords = Passwords::new(&Fixed).unwrap();
        assert!(!passwords.verify(Secret::new("nobody's password"), None).await.unwrap());
    }

    #[test]
    fn a_short_password_and_an_endless_one_are_refused() {
        assert!(refuse_new(&Secret::new("elevenchars")).is_some());
        assert!(refuse_new(&Secret::new("twelve chars")).is_none());
        assert!(refuse_new(&Secret::new("x".repeat(257))).is_some());
    }
}
