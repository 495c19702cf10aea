package clickhouse

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// where compiles what every question filters by. The days prune partitions.
func where(since, until time.Time, more ...string) string {
	last := until.Add(-time.Microsecond)
	parts := append([]string{
		fmt.Sprintf("day >= %d AND day <= %d", dayOf(since), dayOf(last)),
		fmt.Sprintf("at >= %d AND at < %d", ceilMicro(since), ceilMicro(until)),
	}, more...)
	return strings.Join(parts, " AND ")
}

// ceilMicro gives the first whole microsecond not before t: passages have microseconds, questions may be finer.
func ceilMicro(t time.Time) int64 {
	us := t.UnixMicro()
	if t.Nanosecond()%1000 != 0 {
		us++
	}
	return us
}

func filters(q store.Query) []string {
	var out []string
	if len(q.Gates) > 0 {
		out = append(out, "gate IN "+list(q.Gates, quote))
	}
	if len(q.Districts) > 0 {
		spans := make([]string, len(q.Districts))
		for i, d := range q.Districts {
			spans[i] = fmt.Sprintf("(district >= %d AND district <= %d)", d, uint32(d)+inside(d))
		}
		out = append(out, "("+strings.Join(spans, " OR ")+")")
	}
	if len(q.Colours) > 0 {
		out = append(out, colourKey+" IN "+list(q.Colours, func(c string) string { return itoa(colourNumber(c)) }))
	}
	if len(q.Decisions) > 0 {
		out = append(out, "decision IN "+list(q.Decisions, func(d kangma.Decision) string { return itoa(int64(d)) }))
	}
	if len(q.Person) > 0 {
		out = append(out, personIn(q.Person))
	}
	return out
}

func personIn(people []kangma.Pseudonym) string {
	return "person IN " + list(people, func(p kangma.Pseudonym) string { return quote(string(p[:])) })
}

// inside is how far the codes of what lies in a division reach behind its own.
func inside(d kangma.Division) uint32 {
	switch d.Rank() {
	case kangma.Province:
		return 9_999_999
	case kangma.City:
		return 99_999
	case kangma.County:
		return 999
	}
	return 0
}

// A colour is its number in the order of the names (green, none, red, yellow), so that ties are in the order of keys.
const colourKey = "if(told = 0, 1, transform(colour, [0, 1, 2], [2, 3, 0], 1))"

var colourNames = [...]string{"green", "none", "red", "yellow"}

func colourNumber(name string) int64 {
	for i, n := range colourNames {
		if n == name {
			return int64(i)
		}
	}
	return -1
}

// decisionKey is likewise in the order of the names.
const decisionKey = "transform(decision, [0, 1, 2, 3, 4], [3, 4, 0, 1, 2], 5)"

var decisionNames = [...]string{"central-isolate", "home-isolate", "pass", "refer", "turn-back", "decision"}

// dimension compiles what counts are split by. Numbers come back as text; key makes the key of it.
func dimension(d store.Dimension, offset time.Duration) (sql string, key func(string) string) {
	hour, same := int64(time.Hour/time.Microsecond), func(s string) string { return s }
	// A day is added before the division and taken off after it, because intDiv rounds towards zero.
	cut := func(width int64, layout string) (string, func(string) string) {
		return fmt.Sprintf("intDiv(at + %d, %d)", offset.Microseconds()+24*hour, width), func(s string) string {
			t := time.UnixMicro(number(s)*width - 24*hour - offset.Microseconds())
			return t.In(time.FixedZone("", int(offset/time.Second))).Format(layout)
		}
	}
	switch d {
	case store.ByHour:
		return cut(hour, time.RFC3339)
	case store.ByDay:
		return cut(24*hour, time.DateOnly)
	case store.ByDistrict: // what is no division at all has the empty key, all of it together
		return "if(district < 110000000 OR district > 999999999, 0, district)", func(s string) string { return kangma.Division(number(s)).String() }
	case store.ByColour:
		return colourKey, func(s string) string { return colourNames[number(s)%int64(len(colourNames))] }
	case store.ByDecision:
		return decisionKey, func(s string) string { return decisionNames[number(s)%int64(len(decisionNames))] }
	}
	return string(d), same // gate, gate_kind, reason, verified, direction are columns of their own name
}

func number(s string) (n int64) {
	fmt.Sscan(s, &n)
	return n
}

// plan is a compiled question.
type plan struct {
	groups string // SQL that gives the first groups
	tally  string // SQL that counts the groups allowed and those suppressed
	keys   []func(string) string
	limit  int
}

// compile makes SQL of a valid question. Groups that may be shown come first, the largest of them first; the keys decide
// ties.
func compile(q store.Query, from string) plan {
	offset, _ := q.Offset()
	p := plan{limit: q.Limit}
	if p.limit == 0 {
		p.limit = 10_000
	}
	var cols, names, texts []string
	for i, d := range q.Dimensions {
		sql, key := dimension(d, offset)
		name := fmt.Sprintf("k%d", i)
		cols, names, texts = append(cols, sql+" AS "+name), append(names, name), append(texts, "toString("+name+")")
		p.keys = append(p.keys, key)
	}
	k := max(q.K, 1)
	ok := fmt.Sprintf("passages >= %d", k)
	cols = append(cols, "count() AS passages")
	if asks(q, store.People) {
		cols = append(cols, "uniqExactIf(person, person != toFixedString('', 16)) AS people")
		if q.K > 1 {
			ok = fmt.Sprintf("(passages >= %d AND people >= %d)", k, k)
		}
	} else {
		cols = append(cols, "toUInt64(0) AS people")
	}
	inner := "SELECT " + strings.Join(cols, ", ") + " FROM " + from + " WHERE " + where(q.Since, q.Until, filters(q)...)
	if len(names) > 0 {
		inner += " GROUP BY " + strings.Join(names, ", ")
	}
	order := strings.Join(append([]string{"ok DESC", "passages DESC"}, names...), ", ")
	p.groups = fmt.Sprintf("SELECT [%s], passages, people, %s AS ok FROM (%s) WHERE passages > 0 ORDER BY %s LIMIT %d",
		strings.Join(texts, ", "), ok, inner, order, p.limit+1)
	if len(texts) == 0 {
		p.groups = strings.Replace(p.groups, "SELECT []", "SELECT emptyArrayString()", 1)
	}
	p.tally = fmt.Sprintf("SELECT countIf(%s), countIf(NOT %s) FROM (%s) WHERE passages > 0", ok, ok, inner)
	return p
}

func asks(q store.Query, m store.Measure) bool {
	for _, x := range q.Measures {
		if x == m {
			return true
		}
	}
	return false
}

// Query answers a typed question.
func (db *DB) Query(ctx context.Context, q store.Query) (store.Result, error) {
	if err := q.Validate(); err != nil {
		return store.Result{}, err
	}
	from, err := db.from(ctx, q.Since, q.Until)
	if err != nil {
		return store.Result{}, err
	}
	return db.run(ctx, q, compile(q, from))
}

func (db *DB) run(ctx context.Context, q store.Query, p plan) (store.Result, error) {
	var res store.Result
	seen := 0
	err := db.ask(ctx, p.groups, func(r driver.Rows) error {
		var texts []string
		var passages, people uint64
		var ok uint8
		if err := r.Scan(&texts, &passages, &people, &ok); err != nil {
			return err
		}
		seen++
		switch {
		case ok == 0:
			res.Suppressed++
		case len(res.Groups) == p.limit:
			res.Truncated = true
		default:
			g := store.Group{Keys: make([]string, len(texts))}
			for i, text := range texts {
				g.Keys[i] = p.keys[i](text)
			}
			for _, m := range q.Measures {
				if m == store.Count {
					g.Values = append(g.Values, passages)
				} else {
					g.Values = append(g.Values, people)
				}
			}
			res.Groups = append(res.Groups, g)
		}
		return nil
	})
	if err != nil {
		return store.Result{}, err
	}
	if seen > p.limit { // there may be more: count them
		var shown, suppressed uint64
		if err := db.ask(ctx, p.tally, func(r driver.Rows) error { return r.Scan(&shown, &suppressed) }); err != nil {
			return store.Result{}, err
		}
		res.Truncated, res.Suppressed = shown > uint64(p.limit), int(suppressed)
	}
	if !res.Truncated {
		sortGroups(res.Groups)
	}
	return res, nil
}

// from gives what a question reads: with FINAL when a day in its range may hold copies. It refuses what would read more
// than allowed; the server's own limit does not hold under FINAL on 18.16.
func (db *DB) from(ctx context.Context, since, until time.Time) (string, error) {
	var all uint64
	for _, s := range db.shards {
		var rows uint64
		sql := fmt.Sprintf("SELECT sum(rows) FROM system.parts WHERE active AND database = %s AND table = 'passages' AND partition >= '%08d' AND partition <= '%08d'",
			quote(db.cfg.Database), dayOf(since), dayOf(until.Add(-time.Microsecond)))
		if err := s.query(ctx, db.cfg.Insert, sql, func(r driver.Rows) error { return r.Scan(&rows) }); err != nil {
			return "", err
		}
		all += rows
	}
	if all > db.cfg.MaxRows {
		return "", kangma.E(kangma.TooLarge, "clickhouse_limit", "the question would read more than allowed; ask for fewer days")
	}
	days, err := db.doubtful(ctx)
	if err != nil {
		return "", err
	}
	table := db.cfg.Database + "." + db.table
	for day := range days {
		if day >= dayOf(since) && day <= dayOf(until.Add(-time.Microsecond)) {
			return table + " FINAL", nil
		}
	}
	return table, nil
}

// ask runs a question as the analyst, within its time. Where the server does not know an analyst, the limits travel with
// the question; a readonly user may not send any (and the driver would send one for a deadline, so there is none).
func (db *DB) ask(ctx context.Context, sql string, scan func(driver.Rows) error) error {
	limited, cancel := context.WithCancel(ctx)
	defer cancel()
	timer := time.AfterFunc(db.cfg.Longest+time.Second, cancel)
	defer timer.Stop()
	asking := withoutDeadline{limited}
	var question context.Context = asking
	if db.cfg.Analyst == "" {
		question = ch.Context(asking, ch.WithSettings(ch.Settings{"max_execution_time": int(db.cfg.Longest/time.Second) + 1,
			"max_rows_to_read": int(min(db.cfg.MaxRows, math.MaxInt64)), "readonly": 2}))
	}
	err := db.analyst.query(question, 0, sql, scan)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		db.analyst.quiet()
		if err := db.analyst.ready(ctx); err != nil {
			return err // not the question: the server hangs
		}
		return kangma.E(kangma.TooLarge, "clickhouse_limit", "the question took longer than allowed; ask for fewer days or districts")
	}
	return err
}

// withoutDeadline is a context that ends like its parent but does not say when.
type withoutDeadline struct{ context.Context }

func (withoutDeadline) Deadline() (time.Time, bool) { return time.Time{}, false }
