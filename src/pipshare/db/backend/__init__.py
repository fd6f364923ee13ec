"""Django's connections, by way of db.connection: same server, roles and limits."""
