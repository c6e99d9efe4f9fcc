-- Administration: one-time links by which an administrator chooses a password. The rules of 0001 hold here as well.

-- One for an administrator at most: a new one takes the place of the one before.
CREATE TABLE password_links (
    token_hash BYTEA NOT NULL PRIMARY KEY,
    administrator_id BIGINT NOT NULL UNIQUE REFERENCES administrators (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX password_links_expiry ON password_links (expires_at);

-- What a run did of one kind, page by page, however much else it did.
CREATE INDEX run_changes_action ON run_changes (customer_id, run_id, action, id);
