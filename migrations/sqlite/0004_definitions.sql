-- Fields, tags, segments and smart lists that people make without a file.
CREATE TABLE definitions (
    kind       TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    -- One document of the flow language, as YAML.
    body       TEXT   NOT NULL,
    -- Which change of all definitions was the last of this one.
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    actor      TEXT   NOT NULL,
    PRIMARY KEY (kind, name)
);

-- How many changes of definitions a revision knows of: beside the hash of its files, what it was made from.
ALTER TABLE revisions ADD COLUMN definitions BIGINT NOT NULL DEFAULT 0;
