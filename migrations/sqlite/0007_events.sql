-- The senders' own ids of what customers did, hashed: what was recorded is not recorded again.
CREATE TABLE interaction_keys (
    bucket      SMALLINT NOT NULL,
    customer_id BIGINT   NOT NULL,
    key         BIGINT   NOT NULL,
    at          BIGINT   NOT NULL,
    PRIMARY KEY (bucket, customer_id, key)
) WITHOUT ROWID;

-- The latest answer to "how likely is it that you would recommend us?", from 0 to 10.
CREATE TABLE nps_answers (
    bucket      SMALLINT NOT NULL,
    customer_id BIGINT   NOT NULL,
    score       SMALLINT NOT NULL,
    at          BIGINT   NOT NULL,
    comment     TEXT,
    question    TEXT,
    PRIMARY KEY (bucket, customer_id)
) WITHOUT ROWID;

-- With what a customer was last seen, as far as somebody told.
CREATE TABLE environments (
    bucket      SMALLINT NOT NULL,
    customer_id BIGINT   NOT NULL,
    at          BIGINT   NOT NULL,
    ip          TEXT,
    browser     TEXT,
    os          TEXT,
    device      TEXT,
    PRIMARY KEY (bucket, customer_id)
) WITHOUT ROWID;

-- Who was in a segment that a flow used, from when to when.
CREATE TABLE past_memberships (
    bucket      SMALLINT NOT NULL,
    customer_id BIGINT   NOT NULL,
    segment     INTEGER  NOT NULL,
    joined_at   BIGINT   NOT NULL,
    left_at     BIGINT   NOT NULL,
    PRIMARY KEY (bucket, customer_id, segment, joined_at)
) WITHOUT ROWID;
