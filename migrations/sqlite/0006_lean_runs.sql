-- What the guard holds, and less work for a run. The rules of 0001 hold here as well.

-- How many objects of the kind there were when the guard first held this one; NULL for one that an earlier version holds.
ALTER TABLE held ADD COLUMN present INTEGER;

-- Which objects of the mirror the portal's users are not in line with yet: a row each, so that a mark costs a narrow row and not the whole
-- object written anew. Whoever deletes an object deletes its mark.
CREATE TABLE mirror_marks (
    customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    service TEXT NOT NULL CHECK (service IN ('entra', 'ldap')),
    mirror_user_id INTEGER NOT NULL,
    PRIMARY KEY (customer_id, service, mirror_user_id)
) STRICT, WITHOUT ROWID;
INSERT INTO mirror_marks (customer_id, service, mirror_user_id)
SELECT customer_id, service, id FROM mirror_users WHERE dirty = TRUE;
DROP INDEX mirror_users_dirty;
ALTER TABLE mirror_users DROP COLUMN dirty;
