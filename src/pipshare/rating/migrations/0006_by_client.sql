-- A client's life line and `explain --event` ask for the lines of one client.
CREATE INDEX rating_window_line_client ON rating_window_line (client_id) WHERE client_id <> 0;
