-- Search: what a user is found by, and the indexes behind the orders and filters of the list of users and behind a user's page.
-- The rules of 0001 hold here as well.

CREATE INDEX users_changed ON users (customer_id, changed_at, id);
CREATE INDEX users_kind ON users (customer_id, source, status);
CREATE INDEX audit_object ON audit (customer_id, object, id);

-- One text per user: behind a mark of the customer the folded name, the primary address and the aliases, each between line ends.
-- Whoever writes users or takes addresses from them writes it in the same transaction.
CREATE TABLE user_search (
    user_id INTEGER NOT NULL PRIMARY KEY,
    customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    text TEXT NOT NULL,
    FOREIGN KEY (customer_id, user_id) REFERENCES users (customer_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX user_search_customer ON user_search (customer_id, user_id);

-- Every three letters of it. It keeps no places (detail=none): who has all trigrams of a search is compared with the text itself.
CREATE VIRTUAL TABLE user_search_index USING fts5 (
    text, content = 'user_search', content_rowid = 'user_id', tokenize = 'trigram case_sensitive 1', detail = 'none', columnsize = 0
);
CREATE TRIGGER user_search_added AFTER INSERT ON user_search BEGIN
    INSERT INTO user_search_index (rowid, text) VALUES (new.user_id, new.text);
END;
CREATE TRIGGER user_search_changed AFTER UPDATE OF text ON user_search BEGIN
    INSERT INTO user_search_index (user_search_index, rowid, text) VALUES ('delete', old.user_id, old.text);
    INSERT INTO user_search_index (rowid, text) VALUES (new.user_id, new.text);
END;
CREATE TRIGGER user_search_removed AFTER DELETE ON user_search BEGIN
    INSERT INTO user_search_index (user_search_index, rowid, text) VALUES ('delete', old.user_id, old.text);
END;

INSERT INTO user_search (user_id, customer_id, text)
SELECT u.id, u.customer_id,
    char(983040 + u.customer_id % 65000, 983040 + u.customer_id % 65000, 983040 + u.customer_id % 65000)
        || char(10) || u.sort_name || char(10) || u.primary_address || char(10)
        || COALESCE((SELECT string_agg(a.address, char(10) ORDER BY a.address) FROM user_addresses a
            WHERE a.customer_id = u.customer_id AND a.user_id = u.id AND a.is_primary = FALSE), '') || char(10)
FROM users u;
