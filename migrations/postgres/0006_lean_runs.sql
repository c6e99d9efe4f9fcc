-- What the guard holds, and less work for a run. The rules of 0001 hold here as well.

-- How many objects of the kind there were when the guard first held this one; NULL for one that an earlier version holds.
ALTER TABLE held ADD COLUMN present BIGINT;

-- Which objects of the mirror the portal's users are not in line with yet: a row each, so that a mark costs a narrow row and not the whole
-- object written anew. Whoever deletes an object deletes its mark.
CREATE TABLE mirror_marks (
    customer_id BIGINT NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    service TEXT COLLATE "C" NOT NULL CHECK (service IN ('entra', 'ldap')),
    mirror_user_id BIGINT NOT NULL,
    PRIMARY KEY (customer_id, service, mirror_user_id)
);
INSERT INTO mirror_marks (customer_id, service, mirror_user_id)
SELECT customer_id, service, id FROM mirror_users WHERE dirty = TRUE;
DROP INDEX mirror_users_dirty;
ALTER TABLE mirror_users DROP COLUMN dirty;

-- Postgres looks up the parent of each row that is written, for 5 microseconds a row. In these tables the key that leads to the parent holds the
-- customer, and the parent goes with the customer; the look-up of the customer itself told nothing more. SQLite, where it costs next to
-- nothing and a table would have to be written anew, keeps it.
ALTER TABLE mirror_addresses DROP CONSTRAINT mirror_addresses_customer_id_fkey;
ALTER TABLE user_addresses DROP CONSTRAINT user_addresses_customer_id_fkey;
ALTER TABLE user_search DROP CONSTRAINT user_search_customer_id_fkey;
ALTER TABLE run_changes DROP CONSTRAINT run_changes_customer_id_fkey;
