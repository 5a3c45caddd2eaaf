-- Places of others that are told what happens.
CREATE TABLE webhooks (
    webhook   INTEGER NOT NULL PRIMARY KEY,
    name      TEXT NOT NULL,
    -- The numbers of the events that it is told; a JSON array.
    events    TEXT NOT NULL,
    -- A hash of its settings: others than these wake it.
    settings  TEXT NOT NULL,
    -- 1 since it said that it is gone.
    rests     SMALLINT NOT NULL DEFAULT 0,
    taken     BIGINT NOT NULL DEFAULT 0,
    given_up  BIGINT NOT NULL DEFAULT 0,
    -- Why it did not take something, the last time.
    failure   TEXT,
    failed_at BIGINT
);

-- What they are still to be told. Customer 0 stands for nobody.
CREATE TABLE notices (
    bucket        SMALLINT NOT NULL,
    customer_id   BIGINT   NOT NULL,
    -- Which fact it is: the same one has the same text, whoever tells it and however often.
    fact          TEXT NOT NULL,
    webhook       INTEGER  NOT NULL,
    event         INTEGER  NOT NULL,
    at            BIGINT   NOT NULL,
    due           BIGINT   NOT NULL,
    tries         INTEGER  NOT NULL,
    enrollment_id BIGINT,
    step          INTEGER,
    -- What else is told; a JSON object.
    body          TEXT NOT NULL,
    PRIMARY KEY (bucket, customer_id, fact, webhook)
) WITHOUT ROWID;
CREATE INDEX notices_due ON notices (webhook, due, at);
