-- What is done to many customers in the background.
CREATE TABLE jobs (
    job         BIGINT   NOT NULL PRIMARY KEY,
    kind        TEXT COLLATE "C" NOT NULL,
    -- 0 queued, 1 running, 2 done, 3 failed, 4 cancelled.
    state       SMALLINT NOT NULL,
    actor       TEXT COLLATE "C" NOT NULL,
    source      TEXT COLLATE "C" NOT NULL,
    created_at  BIGINT   NOT NULL,
    started_at  BIGINT,
    finished_at BIGINT,
    -- How many there are to do; null until they are counted.
    total       BIGINT,
    done        BIGINT   NOT NULL DEFAULT 0,
    -- Of those, the ones that were not so before.
    changed     BIGINT   NOT NULL DEFAULT 0,
    failed      BIGINT   NOT NULL DEFAULT 0,
    -- What is to be done, and how far it is; JSON.
    body        TEXT COLLATE "C" NOT NULL,
    place       TEXT COLLATE "C",
    result      TEXT COLLATE "C",
    problem     TEXT COLLATE "C",
    cancel      SMALLINT NOT NULL DEFAULT 0,
    -- Who is at it: a number of its own for each time that it is taken up, the node, and until when, by
    -- the database's time, they need not say so again.
    hold        BIGINT,
    node        BIGINT,
    held_until  BIGINT
);
CREATE INDEX jobs_open ON jobs (job) WHERE state < 2;

-- The first failures of each.
CREATE TABLE job_errors (
    job  BIGINT  NOT NULL,
    seq  INTEGER NOT NULL,
    -- The unique id, or whatever else named somebody.
    who  TEXT COLLATE "C",
    what TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (job, seq)
);
CREATE INDEX job_errors_by_who ON job_errors (who);

-- Customers who were picked one by one: arrays of their numbers. They go with the end of the job.
CREATE TABLE job_parts (
    job  BIGINT  NOT NULL,
    part INTEGER NOT NULL,
    body TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (job, part)
);

-- Fixed sets of customers; the number is the one of the name.
CREATE TABLE lists (
    list        INTEGER NOT NULL PRIMARY KEY,
    name        TEXT COLLATE "C" NOT NULL UNIQUE,
    description TEXT COLLATE "C",
    created_at  BIGINT  NOT NULL,
    actor       TEXT COLLATE "C" NOT NULL,
    source      TEXT COLLATE "C" NOT NULL
);

CREATE TABLE list_members (
    bucket      SMALLINT NOT NULL,
    list        INTEGER  NOT NULL,
    customer_id BIGINT   NOT NULL,
    added_at    BIGINT   NOT NULL,
    PRIMARY KEY (bucket, list, customer_id)
);
CREATE INDEX list_members_by_customer ON list_members (bucket, customer_id);

-- Finished files of exports, in parts.
CREATE TABLE reports (
    report     BIGINT  NOT NULL PRIMARY KEY,
    name       TEXT COLLATE "C" NOT NULL,
    format     TEXT COLLATE "C" NOT NULL,
    actor      TEXT COLLATE "C" NOT NULL,
    created_at BIGINT  NOT NULL,
    customers  BIGINT  NOT NULL,
    bytes      BIGINT  NOT NULL
);

CREATE TABLE report_parts (
    report BIGINT  NOT NULL,
    part   INTEGER NOT NULL,
    body   BYTEA   NOT NULL,
    PRIMARY KEY (report, part)
);
