-- Who reached the goal of their flow, and after which message; a run reaches it once.
CREATE TABLE goals (
    bucket        SMALLINT NOT NULL,
    enrollment_id BIGINT   NOT NULL,
    reached_at    BIGINT   NOT NULL,
    -- Of the last message that was sent before; null: none was.
    step          INTEGER,
    PRIMARY KEY (bucket, enrollment_id)
) WITHOUT ROWID;
-- Since when the goal is what it is: who entered before is not measured by it.
ALTER TABLE flow_states ADD COLUMN goal_set_at BIGINT;
-- The last instant of its schedule at which members entered, or are entering.
ALTER TABLE flow_states ADD COLUMN scheduled_at BIGINT;
-- Which of several ways to say it was sent.
ALTER TABLE dispatches ADD COLUMN variant INTEGER;
