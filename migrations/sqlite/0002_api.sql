-- Tokens of the API: found by their public id, proven by a secret of which only the SHA-256 is here.
CREATE TABLE tokens (
    token        TEXT   NOT NULL PRIMARY KEY,
    name         TEXT   NOT NULL,
    hash         BLOB   NOT NULL,
    -- A JSON array.
    scopes       TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    created_by   TEXT   NOT NULL,
    expires_at   BIGINT,
    revoked_at   BIGINT,
    last_used_at BIGINT
);

-- A name is what histories show: two live tokens do not share one.
CREATE UNIQUE INDEX tokens_by_name ON tokens (name) WHERE revoked_at IS NULL;

-- Answers to requests that carried a key, given again to a repeat. Without a status it is being answered.
-- What tells of the request and the answer is sealed under a key that only the caller has.
CREATE TABLE request_answers (
    token   TEXT   NOT NULL,
    key     TEXT   NOT NULL,
    request BLOB   NOT NULL,
    at      BIGINT NOT NULL,
    status  INTEGER,
    answer  BLOB,
    PRIMARY KEY (token, key)
);

CREATE INDEX request_answers_by_time ON request_answers (at);
