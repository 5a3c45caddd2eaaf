-- Files of customers that are looked at, saved and taken back.
CREATE TABLE imports (
    import     BIGINT   NOT NULL PRIMARY KEY,
    -- 0 checking, 1 checked, 2 saving, 3 saved, 4 discarded, 5 reverting, 6 reverted.
    state      SMALLINT NOT NULL,
    name       TEXT COLLATE "C" NOT NULL,
    bytes      BIGINT   NOT NULL,
    hash       TEXT COLLATE "C" NOT NULL,
    -- How it is imported, how far that is, what came of it and what the file is; JSON.
    plan       TEXT COLLATE "C" NOT NULL,
    place      TEXT COLLATE "C" NOT NULL,
    counts     TEXT COLLATE "C" NOT NULL,
    findings   TEXT COLLATE "C" NOT NULL,
    actor      TEXT COLLATE "C" NOT NULL,
    source     TEXT COLLATE "C" NOT NULL,
    created_at BIGINT   NOT NULL,
    saved_at   BIGINT,
    -- The latest job about it.
    job        BIGINT,
    -- Of the watched folder: 1 until its file is moved away, then 2; 0 for any other.
    dropped    SMALLINT NOT NULL DEFAULT 0
);
CREATE INDEX imports_open ON imports (import) WHERE state < 3;
CREATE INDEX imports_dropped ON imports (import) WHERE dropped = 1;

-- The file of an open import, where several nodes may work on it.
CREATE TABLE import_parts (
    import BIGINT  NOT NULL,
    part   INTEGER NOT NULL,
    body   BYTEA NOT NULL,
    PRIMARY KEY (import, part)
);

-- Rows that were not taken.
CREATE TABLE import_rejects (
    import BIGINT  NOT NULL,
    seq    BIGINT  NOT NULL,
    line   BIGINT  NOT NULL,
    -- Whom the row seems to be about.
    who    TEXT COLLATE "C",
    reason TEXT COLLATE "C" NOT NULL,
    -- Its cells; a JSON array.
    body   TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (import, seq)
);
CREATE INDEX import_rejects_by_who ON import_rejects (who);

-- The numbers from which those were taken whom an import made.
CREATE TABLE import_ranges (
    import BIGINT NOT NULL,
    first  BIGINT NOT NULL,
    count  BIGINT NOT NULL,
    PRIMARY KEY (import, first)
);

-- What customers were before an import changed them; JSON.
CREATE TABLE import_changes (
    bucket      SMALLINT NOT NULL,
    import      BIGINT   NOT NULL,
    customer_id BIGINT   NOT NULL,
    body        TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (bucket, import, customer_id)
);
CREATE INDEX import_changes_by_customer ON import_changes (bucket, customer_id, import);
