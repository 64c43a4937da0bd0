-- Small states by kind and key as JSON text: cards, reservations, what is out of service, what latched.

CREATE TABLE kept (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;
