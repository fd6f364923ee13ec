-- The set-based yardstick: all lines of all trades in one statement, a row per line, with a key.
-- Tuned: memory for its hash tables, no nested loops, joins in the order written (the planner's
-- own is three times slower), chains written out, integers throughout, lines in key order.
SET LOCAL work_mem = '512MB';
SET LOCAL enable_nestloop = off;
SET LOCAL enable_mergejoin = off;
SET LOCAL join_collapse_limit = 1;
INSERT INTO script_line (server_id, ticket, level, partner, amount_e8)
SELECT t.server_id, t.ticket, c.level, c.partner,
       t.lots_e8 / 1000000 * r.rate_micro * g.factor_percent / 100
  FROM trades_trade t
  JOIN script_symbol s ON s.server_id = t.server_id AND s.name = t.symbol
  JOIN script_account a ON a.server_id = t.server_id AND a.login = t.login
  JOIN script_group g ON g.grp = a.grp
  JOIN script_client k ON k.client = a.client
  JOIN script_chain c ON c.direct = k.partner
  JOIN script_rate r ON r.card = c.card AND r.symbol = s.symbol AND r.grp = a.grp
                    AND t.close_at >= r.valid_from AND t.close_at < r.valid_to
 ORDER BY t.server_id, t.ticket, c.level;
