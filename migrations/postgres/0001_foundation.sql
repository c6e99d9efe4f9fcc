-- Foundation: who may sign in, whose directory is read, and what came of it.
--
-- Times are milliseconds since 1970 in UTC. Text is compared byte by byte, whatever the locale (COLLATE "C"); whatever is to be found
-- without regard to case is folded before it is written. Every row of a customer carries customer_id and goes with the customer. Where a
-- row hangs on another one of the same customer, the reference names both columns, so that it cannot point into another customer's rows.
-- The SQLite file of the same name declares the same tables, columns and unique indexes; a test compares them.

CREATE TABLE customers (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slug TEXT COLLATE "C" NOT NULL UNIQUE,
    name TEXT COLLATE "C" NOT NULL,
    max_removals BIGINT NOT NULL,
    max_removals_percent BIGINT NOT NULL,
    min_removals BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    suspended_at BIGINT
);

-- The one moment that the database's own clock tells: nobody else is there yet.
INSERT INTO customers (slug, name, max_removals, max_removals_percent, min_removals, created_at)
VALUES ('default', 'Default', 500, 20, 5, CAST(EXTRACT(EPOCH FROM now()) * 1000 AS BIGINT));

CREATE TABLE administrators (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    public_id TEXT COLLATE "C" NOT NULL UNIQUE,
    email TEXT COLLATE "C" NOT NULL UNIQUE,
    display_name TEXT COLLATE "C" NOT NULL,
    password_hash TEXT COLLATE "C" NOT NULL,
    every_customer_role TEXT COLLATE "C" CHECK (every_customer_role IN ('viewer', 'operator', 'administrator')),
    created_at BIGINT NOT NULL,
    deactivated_at BIGINT,
    last_sign_in_at BIGINT
);

CREATE TABLE administrator_roles (
    administrator_id BIGINT NOT NULL REFERENCES administrators (id) ON DELETE CASCADE,
    customer_id BIGINT NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    role TEXT COLLATE "C" NOT NULL CHECK (role IN ('viewer', 'operator', 'administrator')),
    PRIMARY KEY (administrator_id, customer_id)
);
CREATE INDEX administrator_roles_customer ON administrator_roles (customer_id);

CREATE TABLE sessions (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token_hash BYTEA NOT NULL UNIQUE,
    administrator_id BIGINT NOT NULL REFERENCES administrators (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_administrator ON sessions (administrator_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE flash (
    session_id BIGINT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    scope TEXT COLLATE "C" NOT NULL,
    payload TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (session_id, scope)
);

CREATE TABLE attempts (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX attempts_key ON attempts (key, at);

CREATE TABLE setup_links (
    token_hash BYTEA NOT NULL PRIMARY KEY,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);

-- Without a customer: a change to the portal itself.
CREATE TABLE audit (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id BIGINT REFERENCES customers (id) ON DELETE CASCADE,
    at BIGINT NOT NULL,
    administrator_id BIGINT REFERENCES administrators (id) ON DELETE SET NULL,
    actor TEXT COLLATE "C" NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    object TEXT COLLATE "C" NOT NULL,
    changes TEXT COLLATE "C" NOT NULL
);
CREATE INDEX audit_customer ON audit (customer_id, id);
CREATE INDEX audit_administrator ON audit (administrator_id);

-- organisation is what the tenant said about itself, as JSON; organisation_id is its id once more, to be looked up.
CREATE TABLE directory_services (
    customer_id BIGINT NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    service TEXT COLLATE "C" NOT NULL CHECK (service IN ('entra', 'ldap')),
    enabled BOOLEAN NOT NULL,
    settings TEXT COLLATE "C" NOT NULL,
    organisation TEXT COLLATE "C",
    organisation_id TEXT COLLATE "C",
    version BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (customer_id, service)
);
CREATE UNIQUE INDEX directory_services_one_enabled ON directory_services (customer_id) WHERE enabled = TRUE;
CREATE INDEX directory_services_organisation ON directory_services (organisation_id);

CREATE TABLE secrets (
    customer_id BIGINT NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    name TEXT COLLATE "C" NOT NULL,
    sealed BYTEA NOT NULL,
    saved_at BIGINT NOT NULL,
    PRIMARY KEY (customer_id, name)
);

-- '*' stands for every domain and is nobody's own.
CREATE TABLE managed_domains (
    customer_id BIGINT NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    domain TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (customer_id, domain)
);
CREATE UNIQUE INDEX managed_domains_one_customer ON managed_domains (domain) WHERE domain <> '*';

CREATE TABLE topics (
    customer_id BIGINT NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    topic TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (customer_id, topic)
);

-- A released lease keeps its row, with an empty owner and in the past, so that its token goes on rising.
CREATE TABLE leases (
    customer_id BIGINT NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    name TEXT COLLATE "C" NOT NULL,
    owner TEXT COLLATE "C" NOT NULL,
    token BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (customer_id, name)
);

CREATE TABLE runs (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    public_id TEXT COLLATE "C" NOT NULL UNIQUE,
    customer_id BIGINT NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    service TEXT COLLATE "C" NOT NULL CHECK (service IN ('entra', 'ldap')),
    trigger TEXT COLLATE "C" NOT NULL CHECK (trigger IN ('sync_now', 'command_line')),
    actor TEXT COLLATE "C" NOT NULL,
    phase TEXT COLLATE "C" NOT NULL CHECK (phase IN ('fetch', 'apply', 'done')),
    outcome TEXT COLLATE "C" NOT NULL CHECK (outcome IN ('running', 'succeeded', 'failed')),
    started_at BIGINT NOT NULL,
    finished_at BIGINT,
    users_read BIGINT NOT NULL DEFAULT 0,
    pages BIGINT NOT NULL DEFAULT 0,
    requests BIGINT NOT NULL DEFAULT 0,
    bytes BIGINT NOT NULL DEFAULT 0,
    added BIGINT NOT NULL DEFAULT 0,
    updated BIGINT NOT NULL DEFAULT 0,
    left_out BIGINT NOT NULL DEFAULT 0,
    error TEXT COLLATE "C",
    summary TEXT COLLATE "C" NOT NULL DEFAULT '',
    UNIQUE (customer_id, id)
);
CREATE INDEX runs_outcome ON runs (customer_id, outcome, id);

CREATE TABLE run_notices (
    customer_id BIGINT NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    run_id BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('no_address', 'clash', 'value_changed', 'unreadable')),
    external_id TEXT COLLATE "C" NOT NULL,
    display_name TEXT COLLATE "C" NOT NULL,
    detail TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (customer_id, run_id, seq),
    FOREIGN KEY (customer_id, run_id) REFERENCES runs (customer_id, id) ON DELETE CASCADE
);

CREATE TABLE checkpoints (
    customer_id BIGINT NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    service TEXT COLLATE "C" NOT NULL CHECK (service IN ('entra', 'ldap')),
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('users')),
    round BIGINT NOT NULL,
    next_link TEXT COLLATE "C" NOT NULL,
    selection TEXT COLLATE "C" NOT NULL,
    pages BIGINT NOT NULL,
    objects BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (customer_id, service, kind)
);

-- What the directory says, as last read. hash is taken over all that it says; round is the read that saw the object last;
-- dirty means that the portal's users have not been brought in line with it yet.
CREATE TABLE mirror_users (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id BIGINT NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    service TEXT COLLATE "C" NOT NULL CHECK (service IN ('entra', 'ldap')),
    external_id TEXT COLLATE "C" NOT NULL,
    user_principal_name TEXT COLLATE "C",
    mail TEXT COLLATE "C",
    proxy_addresses TEXT COLLATE "C" NOT NULL,
    display_name TEXT COLLATE "C",
    account_enabled BOOLEAN,
    attributes TEXT COLLATE "C" NOT NULL,
    hash TEXT COLLATE "C" NOT NULL,
    round BIGINT NOT NULL,
    dirty BOOLEAN NOT NULL,
    UNIQUE (customer_id, service, external_id),
    UNIQUE (customer_id, id)
);
CREATE INDEX mirror_users_dirty ON mirror_users (customer_id, service, id) WHERE dirty = TRUE;

-- The addresses that an object claims, in the form in which addresses are compared, to find every claimant of one.
CREATE TABLE mirror_addresses (
    customer_id BIGINT NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    mirror_user_id BIGINT NOT NULL,
    address TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('primary', 'alias', 'principal')),
    PRIMARY KEY (customer_id, mirror_user_id, address),
    FOREIGN KEY (customer_id, mirror_user_id) REFERENCES mirror_users (customer_id, id) ON DELETE CASCADE
);
CREATE INDEX mirror_addresses_address ON mirror_addresses (customer_id, address);

CREATE TABLE users (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    public_id TEXT COLLATE "C" NOT NULL UNIQUE,
    customer_id BIGINT NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    source TEXT COLLATE "C" NOT NULL CHECK (source IN ('azure', 'ldap', 'manual')),
    external_id TEXT COLLATE "C",
    display_name TEXT COLLATE "C" NOT NULL,
    sort_name TEXT COLLATE "C" NOT NULL,
    primary_address TEXT COLLATE "C" NOT NULL,
    service_on BOOLEAN NOT NULL,
    sign_in_blocked BOOLEAN NOT NULL,
    status TEXT COLLATE "C" NOT NULL CHECK (status IN ('active', 'conflict', 'inactive')),
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    UNIQUE (customer_id, id)
);
CREATE UNIQUE INDEX users_external_id ON users (customer_id, source, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX users_name ON users (customer_id, sort_name, id);
CREATE INDEX users_address ON users (customer_id, primary_address, id);

-- Primary addresses and aliases alike: an address belongs to one user of a customer.
CREATE TABLE user_addresses (
    customer_id BIGINT NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    address TEXT COLLATE "C" NOT NULL,
    user_id BIGINT NOT NULL,
    is_primary BOOLEAN NOT NULL,
    PRIMARY KEY (customer_id, address),
    FOREIGN KEY (customer_id, user_id) REFERENCES users (customer_id, id) ON DELETE CASCADE
);
CREATE INDEX user_addresses_user ON user_addresses (customer_id, user_id, is_primary, address);

-- Kept by every transaction that writes users, so that no page has to count them.
CREATE TABLE user_counts (
    customer_id BIGINT NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    source TEXT COLLATE "C" NOT NULL CHECK (source IN ('azure', 'ldap', 'manual')),
    status TEXT COLLATE "C" NOT NULL CHECK (status IN ('active', 'conflict', 'inactive')),
    users BIGINT NOT NULL,
    PRIMARY KEY (customer_id, source, status)
);
