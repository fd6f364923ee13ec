-- Compensations of balances below zero among the deals, action 19: few, and asked for often.
CREATE INDEX inbox_deal_compensation ON inbox_deal (server_id, deal) WHERE action = 19;
