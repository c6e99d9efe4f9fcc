-- Another tenant than before, approvals by two administrators, and runs that were taken back. The rules of 0001 hold here as well.

-- Users as the tenant that was connected before had them, until the one that is connected now has them. on_premises_id is the
-- onPremisesImmutableId that the former tenant told; empty for none.
CREATE TABLE former_users (
    customer_id BIGINT NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    user_id BIGINT NOT NULL,
    external_id TEXT COLLATE "C" NOT NULL,
    on_premises_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (customer_id, user_id),
    FOREIGN KEY (customer_id, user_id) REFERENCES users (customer_id, id) ON DELETE CASCADE
);
CREATE INDEX former_users_on_premises ON former_users (customer_id, on_premises_id);

-- When another tenant was connected; NULL once its first complete read was taken account of.
ALTER TABLE directory_services ADD COLUMN switched_at BIGINT;

-- Whether what the deletion guard holds, and undoing a run, need two administrators; and who of them was the first.
ALTER TABLE customers ADD COLUMN two_administrators BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE held ADD COLUMN first_approver_id BIGINT;
ALTER TABLE held ADD COLUMN first_approver TEXT COLLATE "C";

-- Who took back what a run had done, and when; and who asked for it first, where it needs two.
CREATE TABLE undone_runs (
    customer_id BIGINT NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    run_id BIGINT NOT NULL,
    asked_by_id BIGINT,
    asked_by TEXT COLLATE "C" NOT NULL,
    undone_by TEXT COLLATE "C",
    undone_at BIGINT,
    PRIMARY KEY (customer_id, run_id),
    FOREIGN KEY (customer_id, run_id) REFERENCES runs (customer_id, id) ON DELETE CASCADE
);
