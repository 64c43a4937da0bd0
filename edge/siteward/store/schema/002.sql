-- The handling record of every alarm: what the journal told when it rose, what people did about it, how it ended.
CREATE TABLE alarm_log (
    id INTEGER PRIMARY KEY,
    code TEXT NOT NULL,
    subject TEXT NOT NULL,
    raised_at TEXT NOT NULL,
    raised TEXT NOT NULL,
    handled TEXT NOT NULL DEFAULT '[]',
    cleared_ms INTEGER,
    cleared TEXT
) STRICT;

CREATE UNIQUE INDEX alarm_standing ON alarm_log (code, subject) WHERE cleared_ms IS NULL;

INSERT INTO alarm_log (code, subject, raised_at, raised) SELECT code, subject, '', '{}' FROM alarms ORDER BY code, subject;

DROP TABLE alarms;
