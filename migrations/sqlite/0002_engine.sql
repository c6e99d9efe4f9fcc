-- Engine: rounds of changes, groups, conflicts and what is decided about them, the history of single objects, and the schedule.
-- The rules of 0001 hold here as well.

-- Counts are one JSON text: they are only ever read with their run.
CREATE TABLE runs_before AS SELECT * FROM runs;
CREATE TABLE run_notices_before AS SELECT * FROM run_notices;
DROP TABLE run_notices;
DROP TABLE runs;

CREATE TABLE runs (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    public_id TEXT NOT NULL UNIQUE,
    customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    service TEXT NOT NULL CHECK (service IN ('entra', 'ldap')),
    purpose TEXT NOT NULL CHECK (purpose IN ('sync', 'read', 'preview')),
    trigger TEXT NOT NULL CHECK (trigger IN ('sync_now', 'command_line', 'schedule')),
    actor TEXT NOT NULL,
    phase TEXT NOT NULL CHECK (phase IN ('fetch', 'plan', 'apply', 'delete', 'done')),
    outcome TEXT NOT NULL CHECK (outcome IN ('running', 'succeeded', 'held', 'failed')),
    started_at INTEGER NOT NULL,
    read_at INTEGER,
    finished_at INTEGER,
    counts TEXT NOT NULL,
    error TEXT,
    summary TEXT NOT NULL DEFAULT '',
    UNIQUE (customer_id, id)
) STRICT;
CREATE INDEX runs_outcome ON runs (customer_id, outcome, id);
CREATE INDEX runs_started ON runs (started_at);

INSERT INTO runs (id, public_id, customer_id, service, purpose, trigger, actor, phase, outcome, started_at, finished_at, counts, error, summary)
SELECT id, public_id, customer_id, service, 'sync', trigger, actor, phase, outcome, started_at, finished_at,
    '{"users_read":' || users_read || ',"pages":' || pages || ',"requests":' || requests || ',"bytes":' || bytes
        || ',"added":' || added || ',"updated":' || updated || ',"left_out":' || left_out || '}',
    error, summary
FROM runs_before;
DROP TABLE runs_before;

CREATE TABLE run_notices (
    customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    run_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN
        ('no_address', 'clash', 'value_changed', 'unreadable', 'restarted', 'take_over', 'same_person', 'held')),
    external_id TEXT NOT NULL,
    display_name TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (customer_id, run_id, seq),
    FOREIGN KEY (customer_id, run_id) REFERENCES runs (customer_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
INSERT INTO run_notices (customer_id, run_id, seq, kind, external_id, display_name, detail)
SELECT customer_id, run_id, seq, kind, external_id, display_name, detail FROM run_notices_before;
DROP TABLE run_notices_before;

-- What a run did to one object, old and new. It outlives the object, and goes with its run.
CREATE TABLE run_changes (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    run_id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    object TEXT NOT NULL CHECK (object IN ('user', 'group')),
    object_id TEXT NOT NULL,
    display_name TEXT NOT NULL,
    address TEXT NOT NULL,
    action TEXT NOT NULL CHECK (action IN ('added', 'updated', 'missing', 'restored', 'deleted')),
    reason TEXT NOT NULL,
    changes TEXT NOT NULL,
    FOREIGN KEY (customer_id, run_id) REFERENCES runs (customer_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX run_changes_run ON run_changes (customer_id, run_id, id);
CREATE INDEX run_changes_object ON run_changes (customer_id, object_id, id);

-- Where the reading of a kind of object stands: in the midst of a round, or with the link that tells what changed since (idle).
DROP TABLE checkpoints;
CREATE TABLE cursors (
    customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    service TEXT NOT NULL CHECK (service IN ('entra', 'ldap')),
    kind TEXT NOT NULL CHECK (kind IN ('users', 'groups')),
    round INTEGER NOT NULL,
    full_round INTEGER NOT NULL CHECK (full_round IN (0, 1)),
    idle INTEGER NOT NULL CHECK (idle IN (0, 1)),
    link TEXT NOT NULL,
    selection TEXT NOT NULL,
    pages INTEGER NOT NULL,
    objects INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (customer_id, service, kind)
) STRICT, WITHOUT ROWID;

-- gone: the directory no longer has the object, and the portal has not been brought in line with that yet.
ALTER TABLE mirror_users ADD COLUMN gone INTEGER NOT NULL DEFAULT 0 CHECK (gone IN (0, 1));

CREATE TABLE mirror_groups (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    service TEXT NOT NULL CHECK (service IN ('entra', 'ldap')),
    external_id TEXT NOT NULL,
    display_name TEXT,
    mail TEXT,
    proxy_addresses TEXT NOT NULL,
    address TEXT,
    kind TEXT NOT NULL CHECK (kind IN ('microsoft365', 'security', 'mail_enabled_security', 'distribution')),
    hash TEXT NOT NULL,
    round INTEGER NOT NULL,
    dirty INTEGER NOT NULL CHECK (dirty IN (0, 1)),
    gone INTEGER NOT NULL CHECK (gone IN (0, 1)),
    UNIQUE (customer_id, service, external_id),
    UNIQUE (customer_id, id)
) STRICT;
CREATE INDEX mirror_groups_dirty ON mirror_groups (customer_id, service, id) WHERE dirty = TRUE;
CREATE INDEX mirror_groups_address ON mirror_groups (customer_id, address);

-- Who is directly in which group, by the directory's ids. Either side may be unknown: it is read elsewhere, later, or never.
CREATE TABLE mirror_members (
    customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    service TEXT NOT NULL CHECK (service IN ('entra', 'ldap')),
    group_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('user', 'group', 'other')),
    round INTEGER NOT NULL,
    PRIMARY KEY (customer_id, service, group_id, member_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX mirror_members_member ON mirror_members (customer_id, service, member_id);

-- The primary address of a user in conflict went to somebody who is delivered: it stands there as the last known one.
ALTER TABLE users ADD COLUMN address_lost INTEGER NOT NULL DEFAULT 0 CHECK (address_lost IN (0, 1));

CREATE TABLE conflicts (
    customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    user_id INTEGER NOT NULL,
    reason TEXT NOT NULL CHECK (reason IN ('not_in_directory', 'disabled_in_directory', 'filtered_out', 'exception',
        'outside_managed_domains', 'other_directory_service')),
    missing_since INTEGER NOT NULL,
    clock_from INTEGER NOT NULL,
    not_before INTEGER,
    state TEXT NOT NULL CHECK (state IN ('pending', 'ignored', 'deactivated')),
    ignored_until INTEGER,
    note TEXT NOT NULL,
    stay_inactive INTEGER NOT NULL CHECK (stay_inactive IN (0, 1)),
    rival TEXT,
    PRIMARY KEY (customer_id, user_id),
    FOREIGN KEY (customer_id, user_id) REFERENCES users (customer_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX conflicts_clock ON conflicts (customer_id, state, clock_from, user_id);
CREATE INDEX conflicts_since ON conflicts (customer_id, missing_since, user_id);

-- What the deletion guard holds back, and what was decided about it. object_id is a user's or a group's number.
CREATE TABLE held (
    customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('removal', 'deletion', 'group')),
    object_id INTEGER NOT NULL,
    decision TEXT NOT NULL CHECK (decision IN ('waiting', 'approved', 'dismissed')),
    reason TEXT NOT NULL,
    since INTEGER NOT NULL,
    decided_at INTEGER,
    run_id INTEGER NOT NULL,
    PRIMARY KEY (customer_id, kind, object_id)
) STRICT, WITHOUT ROWID;

-- What happened without anybody's approval, and when one was given: the guard counts from the last one.
CREATE TABLE guard_log (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('removal', 'deletion', 'group')),
    approval INTEGER NOT NULL CHECK (approval IN (0, 1)),
    objects INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX guard_log_kind ON guard_log (customer_id, kind, at);

-- object is the directory's id of a user or group, or an alias in the form in which addresses are compared.
CREATE TABLE exceptions (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    service TEXT NOT NULL CHECK (service IN ('entra', 'ldap')),
    kind TEXT NOT NULL CHECK (kind IN ('user', 'group', 'alias')),
    object TEXT NOT NULL,
    name TEXT NOT NULL,
    address TEXT NOT NULL,
    reason TEXT NOT NULL,
    keep INTEGER NOT NULL CHECK (keep IN (0, 1)),
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (customer_id, service, kind, object)
) STRICT;
CREATE INDEX exceptions_page ON exceptions (customer_id, service, id);

CREATE TABLE additions (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    service TEXT NOT NULL CHECK (service IN ('entra', 'ldap')),
    address TEXT NOT NULL,
    external_id TEXT,
    reads_without INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (customer_id, service, address)
) STRICT;

-- A Manual user whose primary address the directory delivers.
CREATE TABLE take_overs (
    customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    user_id INTEGER NOT NULL,
    external_id TEXT NOT NULL,
    display_name TEXT NOT NULL,
    decision TEXT NOT NULL CHECK (decision IN ('waiting', 'approved', 'dismissed')),
    since INTEGER NOT NULL,
    PRIMARY KEY (customer_id, user_id, external_id),
    FOREIGN KEY (customer_id, user_id) REFERENCES users (customer_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE groups (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    public_id TEXT NOT NULL UNIQUE,
    customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    source TEXT NOT NULL CHECK (source IN ('azure', 'ldap')),
    external_id TEXT NOT NULL,
    display_name TEXT NOT NULL,
    sort_name TEXT NOT NULL,
    address TEXT,
    kind TEXT NOT NULL CHECK (kind IN ('microsoft365', 'security', 'mail_enabled_security', 'distribution')),
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    UNIQUE (customer_id, source, external_id),
    UNIQUE (customer_id, id)
) STRICT;
CREATE INDEX groups_name ON groups (customer_id, sort_name, id);
CREATE INDEX groups_address ON groups (customer_id, address);

-- Deleted users and groups. snapshot is what is needed to bring one back, as JSON; object_id is the number it had.
CREATE TABLE recycle_bin (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    object TEXT NOT NULL CHECK (object IN ('user', 'group')),
    object_id INTEGER NOT NULL,
    public_id TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL CHECK (source IN ('azure', 'ldap', 'manual')),
    external_id TEXT,
    display_name TEXT NOT NULL,
    address TEXT NOT NULL,
    reason TEXT NOT NULL,
    snapshot TEXT NOT NULL,
    deleted_by TEXT NOT NULL,
    deleted_at INTEGER NOT NULL,
    UNIQUE (customer_id, object, object_id)
) STRICT;
CREATE INDEX recycle_bin_external_id ON recycle_bin (customer_id, source, external_id);
CREATE INDEX recycle_bin_deleted_at ON recycle_bin (deleted_at);
CREATE INDEX recycle_bin_customer ON recycle_bin (customer_id, id);

-- When the next run is due; failures in a row, and why the last one failed.
CREATE TABLE schedules (
    customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    service TEXT NOT NULL CHECK (service IN ('entra', 'ldap')),
    next_at INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (customer_id, service)
) STRICT, WITHOUT ROWID;
CREATE INDEX schedules_next ON schedules (next_at);

-- When the service was switched off; the deletion clocks stand still since then.
ALTER TABLE directory_services ADD COLUMN disabled_at INTEGER;
