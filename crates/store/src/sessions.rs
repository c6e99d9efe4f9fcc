//! Sessions of signed-in administrators, their flash messages, the throttle of sign-in attempts, and one-time set-up links.
//!
//! Tokens are not here, only their SHA-256: who reads the database cannot sign in with what it holds.

use domain::Timestamp;

use crate::{
    Administrator, Store, StoreError, Write, administrators,
    error::Result,
    sql::{execute, one, optional, statements},
};

statements! {
    BY_TOKEN = "SELECT s.id, s.administrator_id, s.created_at, s.seen_at, s.expires_at
                FROM sessions s JOIN administrators a ON a.id = s.administrator_id
                WHERE s.token_hash = $1 AND s.expires_at > $2 AND a.deactivated_at IS NULL";
    ADD = "INSERT INTO sessions (token_hash, administrator_id, created_at, seen_at, expires_at) VALUES ($1, $2, $3, $3, $4) RETURNING id";
    SIGNED_IN = "UPDATE administrators SET last_sign_in_at = $2 WHERE id = $1";
    TOUCH = "UPDATE sessions SET seen_at = $2, expires_at = $3 WHERE id = $1";
    END = "DELETE FROM sessions WHERE id = $1";
    END_ALL = "DELETE FROM sessions WHERE administrator_id = $1";
    PRUNE = "DELETE FROM sessions WHERE expires_at <= $1";
    HAS_FLASH = "SELECT COUNT(*) FROM flash WHERE session_id = $1 AND scope = $2";
    TAKE_FLASH = "DELETE FROM flash WHERE session_id = $1 AND scope = $2 RETURNING payload";
    PUT_FLASH = "INSERT INTO flash (session_id, scope, payload, created_at) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (session_id, scope) DO UPDATE SET payload = excluded.payload, created_at = excluded.created_at";
    PRUNE_FLASH = "DELETE FROM flash WHERE created_at <= $1";
    COUNT_ATTEMPTS = "SELECT COUNT(*) FROM attempts WHERE key = $1 AND at >= $2";
    ADD_ATTEMPT = "INSERT INTO attempts (key, at) VALUES ($1, $2)";
    CLEAR_ATTEMPTS = "DELETE FROM attempts WHERE key = $1";
    PRUNE_ATTEMPTS = "DELETE FROM attempts WHERE at <= $1";
    ADD_SETUP_LINK = "INSERT INTO setup_links (token_hash, created_at, expires_at) VALUES ($1, $2, $3)";
    USE_SETUP_LINK = "UPDATE setup_links SET used_at = $2 WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2";
    PRUNE_SETUP_LINKS = "DELETE FROM setup_links WHERE expires_at <= $1";
}

/// How long a flash message that nobody came for is kept.
const FLASH_KEPT: i64 = Timestamp::HOUR;
/// How long attempts are kept; no throttle looks back further.
const ATTEMPTS_KEPT: i64 = Timestamp::DAY;

/// A session that is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its number.
    pub id: i64,
    /// Who is signed in, with the grants of this moment.
    pub administrator: Administrator,
    /// The sign-in.
    pub created_at: Timestamp,
    /// The last request that was noted.
    pub seen_at: Timestamp,
    /// From when on it no longer counts.
    pub expires_at: Timestamp,
}

/// A session to be added.
#[derive(Clone)]
pub struct NewSession {
    /// The SHA-256 of the token in the cookie.
    pub token_hash: [u8; 32],
    /// Who signed in.
    pub administrator_id: i64,
    /// The present moment.
    pub created_at: Timestamp,
    /// From when on it no longer counts.
    pub expires_at: Timestamp,
}

impl Store {
    /// The session of that token, unless it has expired by `now` or its administrator is deactivated.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn session(&self, token_hash: &[u8; 32], now: Timestamp) -> Result<Option<Session>> {
        let mut connection = self.read().await?;
        let row = optional!(connection, (i64, i64, i64, i64, i64), BY_TOKEN, token_hash.as_slice(), now.0)?;
        let Some((id, administrator_id, created_at, seen_at, expires_at)) = row else { return Ok(None) };
        let Some(administrator) = administrators::by_id(&mut connection, administrator_id).await? else {
            return Ok(None);
        };
        Ok(Some(Session {
            id,
            administrator,
            created_at: Timestamp(created_at),
            seen_at: Timestamp(seen_at),
            expires_at: Timestamp(expires_at),
        }))
    }

    /// How many attempts were recorded under that key since then.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn attempts_since(&self, key: &str, since: Timestamp) -> Result<i64> {
        let mut connection = self.read().await?;
        Ok(one!(connection, (i64,), COUNT_ATTEMPTS, key, since.0)?.0)
    }

    /// Takes the flash message of a session and scope: whoever asks first gets it, everyone after gets `None`.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn flash_take(&self, session_id: i64, scope: &str) -> Result<Option<String>> {
        // Most pages have none waiting: they need not queue up with the writers to learn that.
        let mut connection = self.read().await?;
        let (waiting,) = one!(connection, (i64,), HAS_FLASH, session_id, scope)?;
        drop(connection);
        if waiting == 0 {
            return Ok(None);
        }
        let mut write = self.begin().await?;
        let taken = optional!(write.connection, (String,), TAKE_FLASH, session_id, scope)?;
        write.commit().await?;
        Ok(taken.map(|(payload,)| payload))
    }
}

impl Write {
    /// Adds a session and notes the sign-in; answers the session's number.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is no such administrator.
    pub async fn add_session(&mut self, new: NewSession) -> Result<i64> {
        if execute!(self.connection, SIGNED_IN, new.administrator_id, new.created_at.0)? == 0 {
            return Err(StoreError::Missing("The administrator"));
        }
        let (id,) = one!(
            self.connection,
            (i64,),
            ADD,
            new.token_hash.as_slice(),
            new.administrator_id,
            new.created_at.0,
            new.expires_at.0
        )?;
        Ok(id)
    }

    /// Notes that a session was used, and until when it lasts now.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when it was ended meanwhile.
    pub async fn touch_session(&mut self, id: i64, now: Timestamp, expires_at: Timestamp) -> Result<()> {
        match execute!(self.connection, TOUCH, id, now.0, expires_at.0)? {
            1 => Ok(()),
            _ => Err(StoreError::Missing("The session")),
        }
    }

    /// Ends a session; one that is already over stays over.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn end_session(&mut self, id: i64) -> Result<()> {
        execute!(self.connection, END, id)?;
        Ok(())
    }

    /// Ends every session of an administrator; answers how many there were.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn end_sessions_of(&mut self, administrator_id: i64) -> Result<i64> {
        Ok(execute!(self.connection, END_ALL, administrator_id)?.cast_signed())
    }

    /// Records an attempt under a key of the throttle.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn record_attempt(&mut self, key: &str, at: Timestamp) -> Result<()> {
        execute!(self.connection, ADD_ATTEMPT, key, at.0)?;
        Ok(())
    }

    /// Forgets the attempts under a key.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn clear_attempts(&mut self, key: &str) -> Result<()> {
        execute!(self.connection, CLEAR_ATTEMPTS, key)?;
        Ok(())
    }

    /// Removes expired sessions and set-up links, and flash messages and attempts that are too old to matter.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn prune(&mut self, now: Timestamp) -> Result<()> {
        execute!(self.connection, PRUNE, now.0)?;
        execute!(self.connection, PRUNE_FLASH, now.plus(-FLASH_KEPT).0)?;
        execute!(self.connection, PRUNE_ATTEMPTS, now.plus(-ATTEMPTS_KEPT).0)?;
        execute!(self.connection, PRUNE_SETUP_LINKS, now.0)?;
        self.prune_password_links(now).await
    }

    /// Leaves a message for the next page of a session and scope, in place of the one before.
    ///
    /// # Errors
    /// When there is no such session.
    pub async fn put_flash(&mut self, session_id: i64, scope: &str, payload: &str, now: Timestamp) -> Result<()> {
        execute!(self.connection, PUT_FLASH, session_id, scope, payload, now.0)?;
        Ok(())
    }

    /// Adds a one-time set-up link by the SHA-256 of its token.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn add_setup_link(
        &mut self,
        token_hash: &[u8; 32],
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<()> {
        execute!(self.connection, ADD_SETUP_LINK, token_hash.as_slice(), now.0, expires_at.0)?;
        Ok(())
    }

    /// Uses a set-up link up. `true` for exactly one caller, and only before it expires.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn use_setup_link(&mut self, token_hash: &[u8; 32], now: Timestamp) -> Result<bool> {
        Ok(execute!(self.connection, USE_SETUP_LINK, token_hash.as_slice(), now.0)? == 1)
    }
}
