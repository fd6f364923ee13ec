"""The REST API: machines push trades and read trades, partners, statements and explanations.

What comes in: requests with a key. What goes out: JSON, amounts as strings, errors as problem
details (RFC 9457). Guarantee: a key does what its scopes say and no more; a push is answered when
it is durable; the same request again changes nothing, and with an Idempotency-Key is answered the
same. A thin edge: every rule lives in a stage.
"""
