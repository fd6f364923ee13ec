-- Django's database cache, which counts attempts to sign in. Its columns are Django's.
CREATE TABLE web_cache (
    cache_key varchar(255) NOT NULL PRIMARY KEY,
    value     text NOT NULL,
    expires   timestamptz NOT NULL
);
CREATE INDEX web_cache_expires ON web_cache (expires);
