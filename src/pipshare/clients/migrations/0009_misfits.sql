-- Events that cannot take back what they name: shown among those that wait, until one is mended.
ALTER TABLE clients_event_waiting
    DROP CONSTRAINT clients_event_waiting_reason_check,
    ADD CONSTRAINT clients_event_waiting_reason_check CHECK (reason IN
        ('unknown_client', 'unknown_account', 'unknown_reference', 'other_client', 'other_currency',
         'other_kind'));
