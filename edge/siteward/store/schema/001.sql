-- Facts are kept as the JSON text that was hashed; everything else is the newest state of a thing as JSON text.

CREATE TABLE meta (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    journal_id TEXT NOT NULL,
    acked_seq INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Append-only: a row is never deleted; past its retention only its text becomes a stub (stub = why).
CREATE TABLE journal (
    seq INTEGER PRIMARY KEY,
    type TEXT NOT NULL,
    lane TEXT NOT NULL,
    written_ms INTEGER NOT NULL,
    text TEXT NOT NULL,
    prev_hash TEXT NOT NULL,
    hash TEXT NOT NULL,
    stub TEXT
) STRICT;

CREATE INDEX journal_full_lane ON journal (lane, seq) WHERE stub IS NULL;

CREATE TABLE inbox (
    command_id TEXT PRIMARY KEY,
    received_ms INTEGER NOT NULL,
    boot TEXT NOT NULL,
    request TEXT NOT NULL,
    raw BLOB NOT NULL,
    reply TEXT NOT NULL,
    final INTEGER NOT NULL CHECK (final IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE INDEX inbox_open ON inbox (received_ms) WHERE final = 0;

CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    finished_seq INTEGER,
    record TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_by_state ON sessions (state, finished_seq);

CREATE TABLE ledger (
    connector TEXT PRIMARY KEY,
    confirmed_a REAL,
    highest_in_flight_a REAL
) STRICT, WITHOUT ROWID;

-- Validity: on the boot-time clock while the machine has not restarted, else by the wall clock, else in full again.
CREATE TABLE limits (
    id TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    record TEXT NOT NULL,
    boot TEXT NOT NULL,
    ends_wall_ms INTEGER,
    length_s REAL
) STRICT, WITHOUT ROWID;

CREATE TABLE alarms (
    code TEXT NOT NULL,
    subject TEXT NOT NULL,
    PRIMARY KEY (code, subject)
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
    name TEXT PRIMARY KEY,
    role TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    must_change INTEGER NOT NULL CHECK (must_change IN (0, 1))
) STRICT, WITHOUT ROWID;
