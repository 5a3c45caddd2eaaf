DO $$ BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported THEN
    RAISE EXCEPTION 'the search for customers needs the extension `pg_trgm`, which is not in this database and cannot be added (%): install it with PostgreSQL''s contrib modules, and let an owner of the database run `CREATE EXTENSION pg_trgm` in it', SQLERRM;
END $$;

-- What a basic search looks at, of each customer: the folded texts.
CREATE TABLE search_texts (
    bucket      SMALLINT NOT NULL,
    customer_id BIGINT   NOT NULL,
    text        TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (bucket, customer_id)
);
CREATE INDEX search_texts_by_part ON search_texts USING gin (text gin_trgm_ops);

-- Customers whose texts have changed since.
CREATE TABLE search_marks (
    bucket      SMALLINT NOT NULL,
    customer_id BIGINT   NOT NULL,
    mark        BIGINT   NOT NULL,
    PRIMARY KEY (bucket, customer_id)
);

-- Many at once: customers by their numbers without buckets, gone through bucket by bucket.
CREATE TABLE search_ranges (
    first     BIGINT NOT NULL PRIMARY KEY,
    until     BIGINT NOT NULL,
    -- How many they are, at most: numbers are taken in blocks.
    customers BIGINT NOT NULL,
    reached   BIGINT NOT NULL
);

-- The fields of which the texts are made.
CREATE TABLE search_fields (
    hash TEXT COLLATE "C" NOT NULL PRIMARY KEY
);
