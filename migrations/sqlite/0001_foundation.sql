-- Foundation: who may sign in, whose directory is read, and what came of it.
--
-- Times are milliseconds since 1970 in UTC. Text is compared byte by byte; whatever is to be found without regard to case is folded
-- before it is written. Every row of a customer carries customer_id and goes with the customer. Where a row hangs on another one of the
-- same customer, the reference names both columns, so that it cannot point into another customer's rows.
-- The Postgres file of the same name declares the same tables, columns and unique indexes; a test compares them.

CREATE TABLE customers (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    max_removals INTEGER NOT NULL,
    max_removals_percent INTEGER NOT NULL,
    min_removals INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    suspended_at INTEGER
) STRICT;

-- The one moment that the database's own clock tells: nobody else is there yet.
INSERT INTO customers (slug, name, max_removals, max_removals_percent, min_removals, created_at)
VALUES ('default', 'Default', 500, 20, 5, CAST(unixepoch('subsec') * 1000 AS INTEGER));

CREATE TABLE administrators (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    public_id TEXT NOT NULL UNIQUE,
    email TEXT NOT NULL UNIQUE,
    display_name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    every_customer_role TEXT CHECK (every_customer_role IN ('viewer', 'operator', 'administrator')),
    created_at INTEGER NOT NULL,
    deactivated_at INTEGER,
    last_sign_in_at INTEGER
) STRICT;

CREATE TABLE administrator_roles (
    administrator_id INTEGER NOT NULL REFERENCES administrators (id) ON DELETE CASCADE,
    customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'administrator')),
    PRIMARY KEY (administrator_id, customer_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX administrator_roles_customer ON administrator_roles (customer_id);

CREATE TABLE sessions (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    token_hash BLOB NOT NULL UNIQUE,
    administrator_id INTEGER NOT NULL REFERENCES administrators (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_administrator ON sessions (administrator_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE flash (
    session_id INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    scope TEXT NOT NULL,
    payload TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (session_id, scope)
) STRICT, WITHOUT ROWID;

CREATE TABLE attempts (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX attempts_key ON attempts (key, at);

CREATE TABLE setup_links (
    token_hash BLOB NOT NULL PRIMARY KEY,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT, WITHOUT ROWID;

-- Without a customer: a change to the portal itself.
CREATE TABLE audit (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    customer_id INTEGER REFERENCES customers (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    administrator_id INTEGER REFERENCES administrators (id) ON DELETE SET NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    changes TEXT NOT NULL
) STRICT;
CREATE INDEX audit_customer ON audit (customer_id, id);
CREATE INDEX audit_administrator ON audit (administrator_id);

-- organisation is what the tenant said about itself, as JSON; organisation_id is its id once more, to be looked up.
CREATE TABLE directory_services (
    customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    service TEXT NOT NULL CHECK (service IN ('entra', 'ldap')),
    enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    settings TEXT NOT NULL,
    organisation TEXT,
    organisation_id TEXT,
    version INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (customer_id, service)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX directory_services_one_enabled ON directory_services (customer_id) WHERE enabled = TRUE;
CREATE INDEX directory_services_organisation ON directory_services (organisation_id);

CREATE TABLE secrets (
    customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    sealed BLOB NOT NULL,
    saved_at INTEGER NOT NULL,
    PRIMARY KEY (customer_id, name)
) STRICT, WITHOUT ROWID;

-- '*' stands for every domain and is nobody's own.
CREATE TABLE managed_domains (
    customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    domain TEXT NOT NULL,
    PRIMARY KEY (customer_id, domain)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX managed_domains_one_customer ON managed_domains (domain) WHERE domain <> '*';

CREATE TABLE topics (
    customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    topic TEXT NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (customer_id, topic)
) STRICT, WITHOUT ROWID;

-- A released lease keeps its row, with an empty owner and in the past, so that its token goes on rising.
CREATE TABLE leases (
    customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    owner TEXT NOT NULL,
    token INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (customer_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE runs (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    public_id TEXT NOT NULL UNIQUE,
    customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    service TEXT NOT NULL CHECK (service IN ('entra', 'ldap')),
    trigger TEXT NOT NULL CHECK (trigger IN ('sync_now', 'command_line')),
    actor TEXT NOT NULL,
    phase TEXT NOT NULL CHECK (phase IN ('fetch', 'apply', 'done')),
    outcome TEXT NOT NULL CHECK (outcome IN ('running', 'succeeded', 'failed')),
    started_at INTEGER NOT NULL,
    finished_at INTEGER,
    users_read INTEGER NOT NULL DEFAULT 0,
    pages INTEGER NOT NULL DEFAULT 0,
    requests INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0,
    added INTEGER NOT NULL DEFAULT 0,
    updated INTEGER NOT NULL DEFAULT 0,
    left_out INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    summary TEXT NOT NULL DEFAULT '',
    UNIQUE (customer_id, id)
) STRICT;
CREATE INDEX runs_outcome ON runs (customer_id, outcome, id);

CREATE TABLE run_notices (
    customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    run_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('no_address', 'clash', 'value_changed', 'unreadable')),
    external_id TEXT NOT NULL,
    display_name TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (customer_id, run_id, seq),
    FOREIGN KEY (customer_id, run_id) REFERENCES runs (customer_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE checkpoints (
    customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    service TEXT NOT NULL CHECK (service IN ('entra', 'ldap')),
    kind TEXT NOT NULL CHECK (kind IN ('users')),
    round INTEGER NOT NULL,
    next_link TEXT NOT NULL,
    selection TEXT NOT NULL,
    pages INTEGER NOT NULL,
    objects INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (customer_id, service, kind)
) STRICT, WITHOUT ROWID;

-- What the directory says, as last read. hash is taken over all that it says; round is the read that saw the object last;
-- dirty means that the portal's users have not been brought in line with it yet.
CREATE TABLE mirror_users (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    service TEXT NOT NULL CHECK (service IN ('entra', 'ldap')),
    external_id TEXT NOT NULL,
    user_principal_name TEXT,
    mail TEXT,
    proxy_addresses TEXT NOT NULL,
    display_name TEXT,
    account_enabled INTEGER CHECK (account_enabled IN (0, 1)),
    attributes TEXT NOT NULL,
    hash TEXT NOT NULL,
    round INTEGER NOT NULL,
    dirty INTEGER NOT NULL CHECK (dirty IN (0, 1)),
    UNIQUE (customer_id, service, external_id),
    UNIQUE (customer_id, id)
) STRICT;
CREATE INDEX mirror_users_dirty ON mirror_users (customer_id, service, id) WHERE dirty = TRUE;

-- The addresses that an object claims, in the form in which addresses are compared, to find every claimant of one.
CREATE TABLE mirror_addresses (
    customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    mirror_user_id INTEGER NOT NULL,
    address TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('primary', 'alias', 'principal')),
    PRIMARY KEY (customer_id, mirror_user_id, address),
    FOREIGN KEY (customer_id, mirror_user_id) REFERENCES mirror_users (customer_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX mirror_addresses_address ON mirror_addresses (customer_id, address);

CREATE TABLE users (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    public_id TEXT NOT NULL UNIQUE,
    customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    source TEXT NOT NULL CHECK (source IN ('azure', 'ldap', 'manual')),
    external_id TEXT,
    display_name TEXT NOT NULL,
    sort_name TEXT NOT NULL,
    primary_address TEXT NOT NULL,
    service_on INTEGER NOT NULL CHECK (service_on IN (0, 1)),
    sign_in_blocked INTEGER NOT NULL CHECK (sign_in_blocked IN (0, 1)),
    status TEXT NOT NULL CHECK (status IN ('active', 'conflict', 'inactive')),
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    UNIQUE (customer_id, id)
) STRICT;
CREATE UNIQUE INDEX users_external_id ON users (customer_id, source, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX users_name ON users (customer_id, sort_name, id);
CREATE INDEX users_address ON users (customer_id, primary_address, id);

-- Primary addresses and aliases alike: an address belongs to one user of a customer.
CREATE TABLE user_addresses (
    customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    address TEXT NOT NULL,
    user_id INTEGER NOT NULL,
    is_primary INTEGER NOT NULL CHECK (is_primary IN (0, 1)),
    PRIMARY KEY (customer_id, address),
    FOREIGN KEY (customer_id, user_id) REFERENCES users (customer_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX user_addresses_user ON user_addresses (customer_id, user_id, is_primary, address);

-- Kept by every transaction that writes users, so that no page has to count them.
CREATE TABLE user_counts (
    customer_id INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    source TEXT NOT NULL CHECK (source IN ('azure', 'ldap', 'manual')),
    status TEXT NOT NULL CHECK (status IN ('active', 'conflict', 'inactive')),
    users INTEGER NOT NULL,
    PRIMARY KEY (customer_id, source, status)
) STRICT, WITHOUT ROWID;
