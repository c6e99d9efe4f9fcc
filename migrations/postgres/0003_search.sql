-- Search: what a user is found by, and the indexes behind the orders and filters of the list of users and behind a user's page.
-- The rules of 0001 hold here as well.

CREATE INDEX users_changed ON users (customer_id, changed_at, id);
CREATE INDEX users_kind ON users (customer_id, source, status);
CREATE INDEX audit_object ON audit (customer_id, object, id);

-- One text per user: behind a mark of the customer the folded name, the primary address and the aliases, each between line ends.
-- Whoever writes users or takes addresses from them writes it in the same transaction.
CREATE TABLE user_search (
    user_id BIGINT NOT NULL PRIMARY KEY,
    customer_id BIGINT NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    text TEXT COLLATE "C" NOT NULL,
    FOREIGN KEY (customer_id, user_id) REFERENCES users (customer_id, id) ON DELETE CASCADE
);
CREATE INDEX user_search_customer ON user_search (customer_id, user_id);

-- Every three letters of it, beside the customer. Both extensions come with Postgres and may be created by the owner of the database.
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS btree_gin;
CREATE INDEX user_search_text ON user_search USING gin (customer_id, text gin_trgm_ops);

INSERT INTO user_search (user_id, customer_id, text)
SELECT u.id, u.customer_id,
    repeat(chr((983040 + u.customer_id % 65000)::int), 3)
        || chr(10) || u.sort_name || chr(10) || u.primary_address || chr(10)
        || COALESCE((SELECT string_agg(a.address, chr(10) ORDER BY a.address) FROM user_addresses a
            WHERE a.customer_id = u.customer_id AND a.user_id = u.id AND a.is_primary = FALSE), '') || chr(10)
FROM users u;
