-- +goose Up
-- Texts that come again and again, numbered from 1 without gaps.
CREATE TABLE word (
	code INTEGER PRIMARY KEY,
	text BLOB NOT NULL UNIQUE
);

-- Every combination of what passages are counted by (but time), numbered from 1 without gaps. The texts are words.
CREATE TABLE cell (
	code      INTEGER PRIMARY KEY,
	gate      INTEGER NOT NULL, -- 0: any
	gate_kind INTEGER NOT NULL,
	district  INTEGER NOT NULL,
	colour    INTEGER NOT NULL, -- the colour, plus 4 where one was told
	decision  INTEGER NOT NULL,
	reason    INTEGER NOT NULL,
	verified  INTEGER NOT NULL,
	direction INTEGER NOT NULL
);

-- One row a passage. hour and day count from 1970-01-01T00:00:00Z; hour comes first so that what is new lies together.
CREATE TABLE passage (
	hour        INTEGER NOT NULL,
	id          BLOB NOT NULL,
	at          INTEGER NOT NULL, -- microseconds since 1970
	cell        INTEGER NOT NULL,
	gate        INTEGER NOT NULL,
	day         INTEGER NOT NULL,
	person      BLOB NOT NULL,
	operator    INTEGER NOT NULL,
	temperature INTEGER NOT NULL,
	vehicle     BLOB NOT NULL,
	rules       INTEGER NOT NULL,
	flags       INTEGER NOT NULL, -- one word: the flags joined
	PRIMARY KEY (hour, id)
) WITHOUT ROWID;

CREATE INDEX passage_person ON passage (day, person);
CREATE INDEX passage_gate ON passage (gate, hour);

-- One row an hour that has passages: how many of each cell, and a checksum.
CREATE TABLE rollup (
	hour  INTEGER PRIMARY KEY,
	cells BLOB NOT NULL
);

-- The same with the gate left out: a tenth of the cells, for questions that do not tell gates apart.
CREATE TABLE coarse (
	hour  INTEGER PRIMARY KEY,
	cells BLOB NOT NULL
);

CREATE TABLE loaded (
	node     BLOB PRIMARY KEY,
	position INTEGER NOT NULL
) WITHOUT ROWID;

-- The first hour that is kept: what is older was dropped and stays away.
CREATE TABLE floor (hour INTEGER NOT NULL);
INSERT INTO floor (hour) VALUES (-9223372036854775808);
