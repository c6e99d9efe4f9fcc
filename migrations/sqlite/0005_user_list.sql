-- The view of the directory that exceptions are chosen from: by folded name, page by page.

ALTER TABLE mirror_users ADD COLUMN sort_name TEXT NOT NULL DEFAULT '';
ALTER TABLE mirror_groups ADD COLUMN sort_name TEXT NOT NULL DEFAULT '';
CREATE INDEX mirror_users_name ON mirror_users (customer_id, service, sort_name, id);
CREATE INDEX mirror_groups_name ON mirror_groups (customer_id, service, sort_name, id);
CREATE INDEX mirror_addresses_kind ON mirror_addresses (customer_id, kind, address, mirror_user_id);

-- Folding is the program's: the next sync reads everything once more, and writes the names with it.
UPDATE mirror_users SET hash = '';
UPDATE mirror_groups SET hash = '';
DELETE FROM cursors;
