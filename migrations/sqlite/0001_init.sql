-- Instants are BIGINT microseconds UTC, days are day numbers since 1970-01-01, booleans are 0 and 1.
-- `bucket` = xxh3(unique id) % 1024 stands first in every key of customer-side tables; customer and
-- enrollment numbers are bucket << 48 | sequence.

CREATE TABLE meta (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE sequences (
    name TEXT   NOT NULL PRIMARY KEY,
    next BIGINT NOT NULL
);

-- Moves with every address that is suppressed.
INSERT INTO sequences (name, next) VALUES ('suppression', 1);

-- The small stable numbers of everything that has a name; never reused.
CREATE TABLE names (
    number INTEGER  NOT NULL PRIMARY KEY,
    kind   SMALLINT NOT NULL,
    name   TEXT     NOT NULL,
    UNIQUE (kind, name)
);

CREATE TABLE revisions (
    revision     INTEGER NOT NULL PRIMARY KEY,
    hash         TEXT    NOT NULL,
    git_commit   TEXT,
    published_at BIGINT  NOT NULL,
    body         TEXT    NOT NULL
);

-- The sources of a revision, one row a file.
CREATE TABLE revision_sources (
    revision INTEGER NOT NULL,
    path     TEXT    NOT NULL,
    content  BLOB    NOT NULL,
    PRIMARY KEY (revision, path)
);

CREATE TABLE flow_states (
    flow            INTEGER NOT NULL PRIMARY KEY,
    activated_at    BIGINT,
    -- Buckets below this one have had their members enrolled; 1024: all.
    caught_up_to    INTEGER NOT NULL DEFAULT 0,
    -- The revision in which the steps' timing last changed.
    timing_revision INTEGER NOT NULL DEFAULT 0,
    -- A person, or a file that disappeared, or the file's own status.
    paused_at       BIGINT,
    paused_by       TEXT,
    pause_reason    TEXT,
    -- Rows taken out of the due index by the pause, and put back after it.
    parked          SMALLINT NOT NULL DEFAULT 0,
    resumed_at      BIGINT,
    -- Members promoted so far under an entry limit, as of `promoted_at`.
    promoted_at     BIGINT,
    -- Steps planned before this are skipped as late (a pause that ended with skip-late).
    skip_before     BIGINT
);

-- Where the people of a removed step go: the step after it that still exists; null: they are done.
CREATE TABLE removed_steps (
    step      INTEGER NOT NULL PRIMARY KEY,
    flow      INTEGER NOT NULL,
    successor INTEGER
);

CREATE TABLE channel_states (
    channel      SMALLINT NOT NULL PRIMARY KEY,
    paused_at    BIGINT,
    paused_by    TEXT,
    pause_reason TEXT,
    breaker      TEXT     NOT NULL DEFAULT 'closed',
    breaker_at   BIGINT,
    breaker_note TEXT,
    -- Until when the gateway is left alone, or a probe is waited for.
    breaker_until BIGINT,
    -- The times of its pace are given away up to here.
    paced_to     BIGINT   NOT NULL DEFAULT 0
);

CREATE TABLE segment_states (
    segment      INTEGER NOT NULL PRIMARY KEY,
    definition   TEXT    NOT NULL,
    -- Buckets below this one are examined under this definition; 1024: all.
    examined_to  INTEGER NOT NULL DEFAULT 0,
    -- The passing of time has been looked at up to this instant.
    watermark    BIGINT  NOT NULL,
    -- When time alone moves somebody next, at the earliest; null: never.
    next_edge    BIGINT
);

CREATE TABLE link_keys (
    key_no INTEGER NOT NULL PRIMARY KEY,
    secret BLOB    NOT NULL
);

CREATE TABLE last_runs (
    job    TEXT   NOT NULL PRIMARY KEY,
    ran_at BIGINT NOT NULL,
    result TEXT
);

CREATE TABLE audit (
    entry  INTEGER NOT NULL PRIMARY KEY,
    at     BIGINT  NOT NULL,
    actor  TEXT    NOT NULL,
    source TEXT    NOT NULL,
    what   TEXT    NOT NULL,
    detail TEXT
);

-- The daemons that run on this store; one whose time is over counts as gone.
CREATE TABLE nodes (
    node     BIGINT  NOT NULL PRIMARY KEY,
    name     TEXT    NOT NULL,
    since    BIGINT  NOT NULL,
    until_at BIGINT  NOT NULL,
    -- The hash of the files it has before it, and the revision it runs.
    files    TEXT,
    revision INTEGER,
    -- It is about to end: others are to have what it holds.
    leaving  SMALLINT NOT NULL DEFAULT 0
);

-- Which node holds a bucket. Whoever writes for a bucket keeps its row meanwhile.
CREATE TABLE bucket_leases (
    bucket SMALLINT NOT NULL PRIMARY KEY,
    owner  BIGINT
);

CREATE TABLE customers (
    bucket              SMALLINT NOT NULL,
    customer_id         BIGINT   NOT NULL,
    external_id         TEXT     NOT NULL,
    status              SMALLINT NOT NULL DEFAULT 0,
    identified          SMALLINT NOT NULL DEFAULT 1,
    outbound_on         SMALLINT NOT NULL DEFAULT 1,
    email_on            SMALLINT NOT NULL DEFAULT 1,
    sms_on              SMALLINT NOT NULL DEFAULT 1,
    push_on             SMALLINT NOT NULL DEFAULT 1,
    email_consent       SMALLINT NOT NULL DEFAULT 0,
    sms_consent         SMALLINT NOT NULL DEFAULT 0,
    push_consent        SMALLINT NOT NULL DEFAULT 0,
    -- Moves with every change that the gate asks about; a claim that saw an older one does not take place.
    consent_rev         BIGINT   NOT NULL DEFAULT 0,
    created_at          BIGINT   NOT NULL,
    updated_at          BIGINT   NOT NULL,
    -- One-valued fields: f_<identifier> with n_<identifier> folded for comparing text; whole numbers
    -- fi_, numbers fr_, booleans fb_, days fd_, instants ft_.
    f_email TEXT, n_email TEXT,
    f_phone TEXT, n_phone TEXT,
    f_first_name TEXT, n_first_name TEXT,
    f_last_name TEXT, n_last_name TEXT,
    f_language TEXT, n_language TEXT,
    f_timezone TEXT, n_timezone TEXT,
    f_country TEXT, n_country TEXT,
    f_city TEXT, n_city TEXT,
    f_region TEXT, n_region TEXT,
    f_zip TEXT, n_zip TEXT,
    f_company TEXT, n_company TEXT,
    f_address TEXT, n_address TEXT,
    f_gender TEXT, n_gender TEXT,
    fd_born_on INTEGER,
    f_picture_url TEXT, n_picture_url TEXT,
    PRIMARY KEY (bucket, customer_id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX customers_by_external_id ON customers (bucket, external_id);

-- When customers last did something or were sent something: narrow, because every message moves it.
CREATE TABLE activity (
    bucket              SMALLINT NOT NULL,
    customer_id         BIGINT   NOT NULL,
    last_activity_at    BIGINT   NOT NULL,
    last_engagement_at  BIGINT,
    last_transaction_at BIGINT,
    PRIMARY KEY (bucket, customer_id)
) WITHOUT ROWID;

-- The values of many-valued fields.
CREATE TABLE customer_values (
    bucket      SMALLINT NOT NULL,
    customer_id BIGINT   NOT NULL,
    field       INTEGER  NOT NULL,
    position    SMALLINT NOT NULL,
    text        TEXT,
    folded      TEXT,
    whole       BIGINT,
    number      DOUBLE PRECISION,
    PRIMARY KEY (bucket, customer_id, field, position)
) WITHOUT ROWID;

CREATE TABLE customer_tags (
    bucket      SMALLINT NOT NULL,
    customer_id BIGINT   NOT NULL,
    tag         INTEGER  NOT NULL,
    PRIMARY KEY (bucket, customer_id, tag)
) WITHOUT ROWID;
CREATE INDEX customer_tags_by_tag ON customer_tags (bucket, tag, customer_id);

-- Records of giving messages up; a dimension that is null is open.
CREATE TABLE subscriptions (
    bucket      SMALLINT NOT NULL,
    customer_id BIGINT   NOT NULL,
    record      INTEGER  NOT NULL,
    campaign    TEXT,
    category    TEXT,
    campaign_group TEXT,
    channel     SMALLINT,
    state       SMALLINT NOT NULL,
    at          BIGINT   NOT NULL,
    actor       TEXT     NOT NULL,
    source      TEXT     NOT NULL,
    note        TEXT,
    PRIMARY KEY (bucket, customer_id, record)
) WITHOUT ROWID;

CREATE TABLE dismissals (
    bucket      SMALLINT NOT NULL,
    customer_id BIGINT   NOT NULL,
    campaign    TEXT     NOT NULL,
    at          BIGINT   NOT NULL,
    actor       TEXT     NOT NULL,
    source      TEXT     NOT NULL,
    note        TEXT,
    PRIMARY KEY (bucket, customer_id, campaign)
) WITHOUT ROWID;

-- Addresses that are not written to any more; the bucket is the address's own.
CREATE TABLE suppressions (
    bucket  SMALLINT NOT NULL,
    channel SMALLINT NOT NULL,
    address TEXT     NOT NULL,
    at      BIGINT   NOT NULL,
    reason  TEXT     NOT NULL,
    PRIMARY KEY (bucket, channel, address)
) WITHOUT ROWID;

-- Who is in a segment that a flow uses, and since when.
CREATE TABLE memberships (
    bucket      SMALLINT NOT NULL,
    segment     INTEGER  NOT NULL,
    customer_id BIGINT   NOT NULL,
    joined_at   BIGINT   NOT NULL,
    PRIMARY KEY (bucket, segment, customer_id)
) WITHOUT ROWID;

-- Customers to look at again, and what changed of them, as bits; a mark that moved survives the pass
-- that read it before.
CREATE TABLE dirty (
    bucket      SMALLINT NOT NULL,
    customer_id BIGINT   NOT NULL,
    mark        BIGINT   NOT NULL,
    what        BIGINT   NOT NULL,
    PRIMARY KEY (bucket, customer_id)
) WITHOUT ROWID;

CREATE TABLE enrollments (
    bucket           SMALLINT NOT NULL,
    enrollment_id    BIGINT   NOT NULL,
    customer_id      BIGINT   NOT NULL,
    flow             INTEGER  NOT NULL,
    entry            INTEGER  NOT NULL,
    status           SMALLINT NOT NULL,
    -- The step that comes next, or the last one.
    step             INTEGER,
    lane             SMALLINT NOT NULL,
    -- When to look at it next; null: never by itself.
    due              BIGINT,
    -- When the previous step finished, and when this one was meant.
    anchor           BIGINT   NOT NULL,
    planned          BIGINT   NOT NULL,
    held             SMALLINT,
    -- The due time it had when its flow was paused.
    parked           BIGINT,
    exit_reason      SMALLINT,
    started_at       BIGINT   NOT NULL,
    finished_at      BIGINT,
    started_revision INTEGER  NOT NULL,
    timed_revision   INTEGER  NOT NULL,
    PRIMARY KEY (bucket, enrollment_id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX enrollments_by_entry ON enrollments (bucket, customer_id, flow, entry);
-- The due index. One owner holds every bucket here, so this one index does not begin with it.
CREATE INDEX enrollments_due ON enrollments (lane, due) WHERE due IS NOT NULL;
CREATE INDEX enrollments_pending ON enrollments (bucket, flow) WHERE status = 0;
CREATE INDEX enrollments_parked ON enrollments (bucket, flow) WHERE parked IS NOT NULL;

CREATE TABLE dispatches (
    bucket        SMALLINT NOT NULL,
    enrollment_id BIGINT   NOT NULL,
    step          INTEGER  NOT NULL,
    channel       SMALLINT NOT NULL,
    state         SMALLINT NOT NULL,
    reason        SMALLINT,
    attempt       SMALLINT NOT NULL,
    -- Which start of the daemon holds the claim.
    incarnation   INTEGER  NOT NULL,
    first_at      BIGINT   NOT NULL,
    at            BIGINT   NOT NULL,
    gateway_id    TEXT,
    detail        TEXT,
    PRIMARY KEY (bucket, enrollment_id, step)
) WITHOUT ROWID;

-- Every try that was not the last; the last one is in the dispatch.
CREATE TABLE attempts (
    bucket        SMALLINT NOT NULL,
    enrollment_id BIGINT   NOT NULL,
    step          INTEGER  NOT NULL,
    attempt       SMALLINT NOT NULL,
    at            BIGINT   NOT NULL,
    state         SMALLINT NOT NULL,
    detail        TEXT,
    PRIMARY KEY (bucket, enrollment_id, step, attempt)
) WITHOUT ROWID;

-- What was rendered, while a retry or an answer is awaited.
CREATE TABLE frozen_messages (
    bucket        SMALLINT NOT NULL,
    enrollment_id BIGINT   NOT NULL,
    step          INTEGER  NOT NULL,
    body          TEXT     NOT NULL,
    PRIMARY KEY (bucket, enrollment_id, step)
) WITHOUT ROWID;

CREATE TABLE interactions (
    bucket      SMALLINT NOT NULL,
    customer_id BIGINT   NOT NULL,
    at          BIGINT   NOT NULL,
    seq         INTEGER  NOT NULL,
    kind        SMALLINT NOT NULL,
    channel     SMALLINT,
    campaign    TEXT,
    flow        TEXT,
    step        TEXT,
    actor       TEXT,
    detail      TEXT,
    PRIMARY KEY (bucket, customer_id, at, seq)
) WITHOUT ROWID;
