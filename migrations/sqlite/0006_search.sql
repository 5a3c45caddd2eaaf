-- What a basic search looks at, of each customer: the folded texts, by the number without its bucket.
CREATE TABLE search_texts (
    number      INTEGER  NOT NULL PRIMARY KEY,
    bucket      SMALLINT NOT NULL,
    customer_id BIGINT   NOT NULL,
    text        TEXT     NOT NULL
);

-- Which of them hold three characters in a row. What is taken out is overwritten.
CREATE VIRTUAL TABLE search_index USING fts5(
    text, content = '', detail = none, tokenize = 'trigram case_sensitive 1'
);
INSERT INTO search_index (search_index, rank) VALUES ('secure-delete', 1);

-- Customers whose texts have changed since.
CREATE TABLE search_marks (
    bucket      SMALLINT NOT NULL,
    customer_id BIGINT   NOT NULL,
    mark        BIGINT   NOT NULL,
    PRIMARY KEY (bucket, customer_id)
) WITHOUT ROWID;

-- Many at once: customers by their numbers without buckets, gone through bucket by bucket.
CREATE TABLE search_ranges (
    first     BIGINT NOT NULL PRIMARY KEY,
    until     BIGINT NOT NULL,
    -- How many they are, at most: numbers are taken in blocks.
    customers BIGINT NOT NULL,
    reached   BIGINT NOT NULL
) WITHOUT ROWID;

-- The fields of which the texts are made.
CREATE TABLE search_fields (
    hash TEXT NOT NULL PRIMARY KEY
) WITHOUT ROWID;
