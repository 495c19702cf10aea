package clickhouse

import (
	"context"
	"fmt"

	"github.com/kangma/kangma/store"
)

// Upkeep are the statements that merge and drop a day, Current what only current versions get.
func Upkeep(day int64) (both, current []string) {
	return []string{fmt.Sprintf(mergeDay, "kangma", day), fmt.Sprintf(dropDay, "kangma", day)}, []string{fmt.Sprintf(dedupWindow, "kangma")}
}

// Quote is quote.
var Quote = quote

// InsertBlindly is the mutant of Load that the tests must catch: one INSERT for whatever days there are, and no look.
func (db *DB) InsertBlindly(ctx context.Context, b store.Batch) error {
	return db.insertRows(ctx, db.shards[0], b.Node, 0, pointers(b.Rows))
}

// ConfirmNew is confirmNew for rows of one day.
func (db *DB) ConfirmNew(ctx context.Context, b store.Batch) (bool, error) {
	return db.confirmNew(ctx, b.Node, dayRows{day: partitionOf(&b.Rows[0]), rows: pointers(b.Rows)})
}

// Narrow tells what present says of rows of one day, and how many of them are there.
func (db *DB) Narrow(ctx context.Context, b store.Batch) (there int, narrow bool, err error) {
	found, narrow, err := db.present(ctx, dayRows{day: partitionOf(&b.Rows[0]), rows: pointers(b.Rows)})
	for _, r := range b.Rows {
		if found[r.Passage.ID] {
			there++
		}
	}
	return there, narrow, err
}

func pointers(rows []store.Row) []*store.Row {
	out := make([]*store.Row, len(rows))
	for i := range rows {
		out[i] = &rows[i]
	}
	return out
}

// Copies counts what is there more than once on the first shard.
func (db *DB) Copies(ctx context.Context, day int64) (uint64, error) {
	return db.copies(ctx, db.shards[0], day)
}

// Doubtful gives the days marked.
func (db *DB) Doubtful(ctx context.Context) (days []int64, err error) {
	all, err := db.doubtful(ctx)
	for day := range all {
		days = append(days, day)
	}
	return days, err
}

// Statements gives the SQL that a configuration runs: tables, and the question.
func Statements(cfg Config, q []store.Query, p []store.PassageQuery) (tables, questions []string, err error) {
	cfg.defaults()
	all, err := cfg.migrations()
	for _, m := range all {
		if m.sql != "" {
			tables = append(tables, m.sql)
		}
	}
	for _, q := range q {
		for _, from := range []string{cfg.Database + ".passages", cfg.Database + ".passages FINAL"} {
			c := compile(q, from)
			questions = append(questions, c.groups, c.tally)
		}
	}
	questions = append(questions, fmt.Sprintf(nodesSQL, cfg.Database), fmt.Sprintf(daysSQL, cfg.Database, "passages", 2022_07_01))
	for _, sql := range []string{fmt.Sprintf(rowsSQL, cfg.Database, "passages", quote("n1"), 5, 40), fmt.Sprintf(daySQL, cfg.Database, "passages", 2022_07_10)} {
		questions = append(questions, "SELECT hex(id), at, gate, node FROM ("+sql+") ORDER BY hex(id)") // raw ids do not go into a JSON file
	}
	for _, p := range p {
		questions = append(questions, compilePassages(p, cfg.Database+".passages FINAL"))
	}
	return tables, questions, err
}

// Patient is patient.
var Patient = patient
