-- Which fates gateways told of it, as bits, and which address it went to, hashed.
ALTER TABLE dispatches ADD COLUMN heard SMALLINT NOT NULL DEFAULT 0;
ALTER TABLE dispatches ADD COLUMN address_hash BIGINT;

-- The gateways' own ids of messages; by the bucket of the id, as nobody knows the customer's before. A row
-- without a dispatch awaits the gateway's answer.
CREATE TABLE gateway_ids (
    bucket     SMALLINT NOT NULL,
    channel    SMALLINT NOT NULL,
    gateway_id TEXT     NOT NULL,
    -- Of the dispatch.
    enrollment BIGINT,
    step       INTEGER,
    at         BIGINT   NOT NULL,
    PRIMARY KEY (bucket, channel, gateway_id)
) WITHOUT ROWID;

-- Receipts that came before the gateway's answer was stored.
CREATE TABLE early_receipts (
    bucket     SMALLINT NOT NULL,
    channel    SMALLINT NOT NULL,
    gateway_id TEXT     NOT NULL,
    fate       SMALLINT NOT NULL,
    -- When it happened, if the gateway said so.
    at         BIGINT,
    detail     TEXT     NOT NULL,
    heard_at   BIGINT   NOT NULL,
    PRIMARY KEY (bucket, channel, gateway_id, fate)
) WITHOUT ROWID;
