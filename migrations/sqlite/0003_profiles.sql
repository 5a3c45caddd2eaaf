-- Why a customer is suspended or discarded.
ALTER TABLE customers ADD COLUMN status_reason TEXT;
-- How much a customer is worth to whoever sets it.
ALTER TABLE customers ADD COLUMN fi_score BIGINT;
CREATE INDEX customers_by_status ON customers (bucket, status) WHERE status <> 0;

-- The secret by which the identifiers of deleted customers are hashed.
CREATE TABLE tombstone_keys (
    key_no INTEGER NOT NULL PRIMARY KEY,
    secret BLOB    NOT NULL
);

-- What is kept of a deleted customer: what barred us from writing to them, and the hashes that lead here.
-- Its number is bucket << 48 | sequence, and has nothing to do with the customer's.
CREATE TABLE tombstones (
    bucket     SMALLINT NOT NULL,
    tombstone  BIGINT   NOT NULL,
    deleted_at BIGINT   NOT NULL,
    digests    TEXT     NOT NULL,
    bars       TEXT     NOT NULL,
    PRIMARY KEY (bucket, tombstone)
) WITHOUT ROWID;

-- The hash of an identifier, whose own bucket this is, and whose tombstone it leads to.
CREATE TABLE tombstone_digests (
    bucket    SMALLINT NOT NULL,
    digest    TEXT     NOT NULL,
    tombstone BIGINT   NOT NULL,
    PRIMARY KEY (bucket, digest, tombstone)
) WITHOUT ROWID;

-- Customers who are known to have come back, until somebody reactivates them.
CREATE TABLE returned (
    bucket      SMALLINT NOT NULL,
    customer_id BIGINT   NOT NULL,
    tombstone   BIGINT   NOT NULL,
    PRIMARY KEY (bucket, customer_id, tombstone)
) WITHOUT ROWID;

-- Moves with every customer that is deleted.
INSERT INTO sequences (name, next) VALUES ('tombstone', 1);

-- Where the unique id of a merged customer leads; the bucket is that id's own.
CREATE TABLE aliases (
    bucket      SMALLINT NOT NULL,
    external_id TEXT     NOT NULL,
    leads_to    BIGINT   NOT NULL,
    PRIMARY KEY (bucket, external_id)
) WITHOUT ROWID;

-- The same from the other side: who was merged into a customer.
CREATE TABLE merged (
    bucket      SMALLINT NOT NULL,
    customer_id BIGINT   NOT NULL,
    external_id TEXT     NOT NULL,
    at          BIGINT   NOT NULL,
    PRIMARY KEY (bucket, customer_id, external_id)
) WITHOUT ROWID;

CREATE TABLE notes (
    bucket      SMALLINT NOT NULL,
    customer_id BIGINT   NOT NULL,
    note        BIGINT   NOT NULL,
    at          BIGINT   NOT NULL,
    actor       TEXT     NOT NULL,
    body        TEXT     NOT NULL,
    PRIMARY KEY (bucket, customer_id, note)
) WITHOUT ROWID;

CREATE TABLE tasks (
    bucket      SMALLINT NOT NULL,
    customer_id BIGINT   NOT NULL,
    task        BIGINT   NOT NULL,
    name        TEXT     NOT NULL,
    description TEXT,
    status      SMALLINT NOT NULL,
    priority    SMALLINT NOT NULL,
    assignee    TEXT,
    due_on      INTEGER,
    created_at  BIGINT   NOT NULL,
    updated_at  BIGINT   NOT NULL,
    actor       TEXT     NOT NULL,
    PRIMARY KEY (bucket, customer_id, task)
) WITHOUT ROWID;
