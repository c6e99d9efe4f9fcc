//! Secrets at rest: sealed with XChaCha20-Poly1305 under the portal's key, each bound to its customer and its name.
//!
//! A sealed secret that is copied to another row, another customer or another portal does not open: customer and name are the associated
//! data of the cipher. What is stored is the format's number, the nonce (24 random bytes, so that chance alone keeps nonces apart) and the
//! ciphertext.

use std::fmt;

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use domain::{Random, Secret};

use crate::error::{Result, StoreError};

/// The first byte of a sealed secret: the way in which it is sealed.
const FORMAT: u8 = 1;
const NONCE_LENGTH: usize = 24;

/// Seals and opens secrets with the portal's key.
#[derive(Clone)]
pub struct Vault(XChaCha20Poly1305);

impl Vault {
    /// A vault with that key: 256 bits that are kept outside the database.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self(XChaCha20Poly1305::new(&key.into()))
    }

    /// Seals a customer's secret.
    ///
    /// # Errors
    /// None that occurs: the cipher refuses only what is longer than 256 GB.
    pub(crate) fn seal(
        &self,
        customer_id: i64,
        name: &str,
        secret: &Secret,
        random: &dyn Random,
    ) -> Result<Vec<u8>> {
        let mut nonce = [0; NONCE_LENGTH];
        random.fill(&mut nonce);
        let bound = bound_to(customer_id, name);
        let payload = Payload { msg: secret.expose().as_bytes(), aad: &bound };
        let ciphertext = self
            .0
            .encrypt(XNonce::from_slice(&nonce), payload)
            .map_err(|_| StoreError::KeyDoesNotFit(name.to_owned()))?;
        Ok([&[FORMAT], nonce.as_slice(), ciphertext.as_slice()].concat())
    }

    /// Opens a customer's sealed secret.
    ///
    /// # Errors
    /// [`StoreError::KeyDoesNotFit`] when the key, the customer or the name is another one than at sealing, or the bytes were changed.
    pub(crate) fn open(&self, customer_id: i64, name: &str, sealed: &[u8]) -> Result<Secret> {
        let refused = || StoreError::KeyDoesNotFit(name.to_owned());
        let (&format, rest) = sealed.split_first().ok_or_else(refused)?;
        let (nonce, ciphertext) = rest.split_at_checked(NONCE_LENGTH).ok_or_else(refused)?;
        if format != FORMAT {
            return Err(refused());
        }
        let bound = bound_to(customer_id, name);
        let plain = self
            .0
            .decrypt(XNonce::from_slice(nonce), Payload { msg: ciphertext, aad: &bound })
            .map_err(|_| refused())?;
        String::from_utf8(plain).map(Secret::new).map_err(|_| refused())
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(***)")
    }
}

/// The number has a fixed width, so that no two pairs of customer and name give the same bytes.
fn bound_to(customer_id: i64, name: &str) -> Vec<u8> {
    [b"rollcall secret".as_slice(), &customer_id.to_be_bytes(), name.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting(std::sync::atomic::AtomicU8);

    impl Random for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        }
    }

    fn sealed() -> (Vault, Vec<u8>) {
        let vault = Vault::new([7; 32]);
        let sealed = vault.seal(1, "entra", &Secret::new("hunter2"), &Counting(0.into())).unwrap();
        (vault, sealed)
    }

    fn is_refused(opened: Result<Secret>) -> bool {
        matches!(opened, Err(StoreError::KeyDoesNotFit(name)) if !name.is_empty())
    }

    #[test]
    fn what_was_sealed_opens_for_its_customer_and_name_only() {
        let (vault, sealed) = sealed();
        assert_eq!(vault.open(1, "entra", &sealed).unwrap().expose(), "hunter2");
        assert!(is_refused(vault.open(2, "entra", &sealed)));
        assert!(is_refused(vault.open(1, "ldap", &sealed)));
        assert!(is_refused(Vault::new([8; 32]).open(1, "entra", &sealed)));
    }

    #[test]
    fn a_sealed_secret_with_any_bit_changed_or_cut_short_does_not_open() {
        let (vault, sealed) = sealed();
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert!(is_refused(vault.open(1, "entra", &changed)), "byte {place}");
            assert!(is_refused(vault.open(1, "entra", &sealed[..place])), "cut at {place}");
        }
    }

    #[test]
    fn the_same_secret_never_seals_to_the_same_bytes_and_shows_in_none_of_them() {
        let vault = Vault::new([7; 32]);
        let random = Counting(0.into());
        let seal = || vault.seal(1, "entra", &Secret::new("hunter2"), &random).unwrap();
        let (one, two) = (seal(), seal());
        assert_ne!(one, two);
        assert!(!one.windows(7).any(|window| window == b"hunter2"));
    }

    #[test]
    fn a_vault_prints_no_key() {
        assert_eq!(format!("{:?}", Vault::new([7; 32])), "Vault(***)");
    }
}
