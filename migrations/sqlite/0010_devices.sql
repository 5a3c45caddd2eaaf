-- Where customers get push messages: apps and browsers. A token belongs to one customer at a time.
CREATE TABLE devices (
    bucket        SMALLINT NOT NULL,
    customer_id   BIGINT   NOT NULL,
    device        BIGINT   NOT NULL,
    -- 0 FCM by token, 1 FCM by installation, 2 APNs, 3 Web Push.
    kind          SMALLINT NOT NULL,
    -- The token, the id of the installation, or the endpoint.
    token         TEXT     NOT NULL,
    -- Of Web Push only.
    p256dh        TEXT,
    auth          TEXT,
    app           TEXT,
    registered_at BIGINT   NOT NULL,
    -- SHA-256 of kind and token: tokens are too long for an index.
    digest        TEXT     NOT NULL,
    PRIMARY KEY (bucket, customer_id, device)
) WITHOUT ROWID;
CREATE INDEX devices_by_token ON devices (digest);

-- Its row is locked by whoever registers a device: two never take the same token.
INSERT INTO sequences (name, next) VALUES ('device-token', 1);
