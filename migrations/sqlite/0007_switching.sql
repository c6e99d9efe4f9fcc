-- Another tenant than before, approvals by two administrators, and runs that were taken back. The rules of 0001 hold here as well.

-- Users as the tenant that was connected before had them, until the one that is connected now has them. on_premises_id is the
-- onPremisesImmutableId that the former tenant told; empty for none.
CREATE TABLE former_users (
    customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    user_id INTEGER NOT NULL,
    external_id TEXT NOT NULL,
    on_premises_id TEXT NOT NULL,
    PRIMARY KEY (customer_id, user_id),
    FOREIGN KEY (customer_id, user_id) REFERENCES users (customer_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX former_users_on_premises ON former_users (customer_id, on_premises_id);

-- When another tenant was connected; NULL once its first complete read was taken account of.
ALTER TABLE directory_services ADD COLUMN switched_at INTEGER;

-- Whether what the deletion guard holds, and undoing a run, need two administrators; and who of them was the first.
ALTER TABLE customers ADD COLUMN two_administrators INTEGER NOT NULL DEFAULT 0 CHECK (two_administrators IN (0, 1));
ALTER TABLE held ADD COLUMN first_approver_id INTEGER;
ALTER TABLE held ADD COLUMN first_approver TEXT;

-- Who took back what a run had done, and when; and who asked for it first, where it needs two.
CREATE TABLE undone_runs (
    customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    run_id INTEGER NOT NULL,
    asked_by_id INTEGER,
    asked_by TEXT NOT NULL,
    undone_by TEXT,
    undone_at INTEGER,
    PRIMARY KEY (customer_id, run_id),
    FOREIGN KEY (customer_id, run_id) REFERENCES runs (customer_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
