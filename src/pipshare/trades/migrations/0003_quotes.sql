-- Quotes and the provider's prices beside a trade, where its source told them itself (MT5 deals
-- carry theirs in inbox_deal). A row holds from its revision on until the next row; 0 = not told.
CREATE TABLE trades_quote (
    server_id integer NOT NULL,
    ticket    bigint NOT NULL,
    revision  smallint NOT NULL,
    open_bid_e8  bigint NOT NULL,
    open_ask_e8  bigint NOT NULL,
    close_bid_e8 bigint NOT NULL,
    close_ask_e8 bigint NOT NULL,
    open_gateway_e8  bigint NOT NULL,
    close_gateway_e8 bigint NOT NULL,
    PRIMARY KEY (server_id, ticket, revision)
);
