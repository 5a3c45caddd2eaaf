-- Dispatches of which nobody knows whether their gateway took them. The state is the dispatch's; this finds them.
CREATE TABLE uncertain (
    bucket        SMALLINT NOT NULL,
    enrollment_id BIGINT   NOT NULL,
    step          INTEGER  NOT NULL,
    channel       SMALLINT NOT NULL,
    PRIMARY KEY (bucket, enrollment_id, step)
) WITHOUT ROWID;
INSERT INTO uncertain (bucket, enrollment_id, step, channel)
    SELECT bucket, enrollment_id, step, channel FROM dispatches WHERE state = 8;
