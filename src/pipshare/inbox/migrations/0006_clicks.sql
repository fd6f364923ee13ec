-- Clicks on partners' links, only ever added. No foreign keys, and no index that an answer in
-- milliseconds does not bear: ids sort by time, so a span of time is a span of the primary key.
CREATE TABLE inbox_click (
    id          text COLLATE "C" PRIMARY KEY CHECK (length(id) = 26),  -- holds the moment, too
    at          timestamptz NOT NULL,
    link_id     integer NOT NULL,
    partner_id  integer NOT NULL,
    sub1        text NOT NULL,
    sub2        text NOT NULL,
    sub3        text NOT NULL,
    sub4        text NOT NULL,
    sub5        text NOT NULL,
    country     text NOT NULL,
    address     bytea,                 -- HMAC-SHA256 of the address under the day's salt
    agent       text NOT NULL,
    referrer    text NOT NULL,         -- the host alone
    kind        smallint NOT NULL CHECK (kind BETWEEN 0 AND 2),  -- human, bot, prefetch
    visitor     text NOT NULL,         -- the cookie's value
    landing_id  integer NOT NULL,
    target      text NOT NULL,         -- the deep link that was followed
    refused     text NOT NULL,         -- why a deep link was not
    is_archived boolean NOT NULL       -- the link was, at that moment
);
CREATE INDEX inbox_click_visitor ON inbox_click (visitor) WHERE visitor <> '';

-- A salt a day, forgotten after a month: from then on nobody can tell whether an address is in
-- here, and not before either without the salt.
CREATE TABLE inbox_salt (
    day  date PRIMARY KEY,
    salt bytea NOT NULL CHECK (length(salt) = 32)
);
