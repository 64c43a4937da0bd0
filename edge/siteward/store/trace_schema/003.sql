CREATE TABLE curve_of (
    id INTEGER PRIMARY KEY,
    session TEXT NOT NULL UNIQUE,
    w_per_a REAL
) STRICT;
CREATE TABLE curve (
    of INTEGER NOT NULL,
    at INTEGER NOT NULL,
    until INTEGER NOT NULL,
    state TEXT NOT NULL,
    low_w INTEGER,
    high_w INTEGER,
    low_limit_w INTEGER NOT NULL,
    high_limit_w INTEGER NOT NULL,
    PRIMARY KEY (of, at)
) STRICT, WITHOUT ROWID;
