"""The durable side: journal, outbox, inbox, sessions and trace in SQLite, one writer."""
