package clickhouse

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

const passageColumns = "id, at, gate, gate_kind, district, operator, person, told, colour, decision, reason, verified, direction, " +
	"temperature, vehicle, rules, flags"

// Passages returns single passages, newest first.
func (db *DB) Passages(ctx context.Context, q store.PassageQuery) ([]kangma.Passage, error) {
	if err := q.Validate(); err != nil {
		return nil, err
	}
	from, err := db.from(ctx, q.Since, q.Until)
	if err != nil {
		return nil, err
	}
	var out []kangma.Passage
	err = db.ask(ctx, compilePassages(q, from), func(r driver.Rows) error {
		p, err := scanPassage(r)
		out = append(out, p)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func compilePassages(q store.PassageQuery, from string) string {
	var more []string
	if len(q.Person) > 0 {
		more = append(more, personIn(q.Person))
	}
	if len(q.Gates) > 0 {
		more = append(more, "gate IN "+list(q.Gates, quote))
	}
	return fmt.Sprintf("SELECT %s FROM %s WHERE %s ORDER BY at DESC, id DESC LIMIT %d", passageColumns, from, where(q.Since, q.Until, more...), q.Limit)
}

func scanPassage(r driver.Rows) (p kangma.Passage, err error) {
	var id, person string
	var at int64
	var district uint32
	var told, colour, decision uint8
	var temperature int32
	var flags []string
	err = r.Scan(&id, &at, &p.Gate, &p.GateKind, &district, &p.Operator, &person, &told, &colour, &decision, &p.Reason, &p.Verified,
		&p.Direction, &temperature, &p.Vehicle, &p.Rules, &flags)
	if err != nil {
		return p, err
	}
	copy(p.ID[:], id)
	copy(p.Person[:], person)
	p.At, p.District, p.Told = time.UnixMicro(at).UTC(), kangma.Division(district), told != 0
	p.Colour, p.Decision, p.Temperature = kangma.Colour(colour), kangma.Decision(decision), int(temperature)
	if len(flags) > 0 {
		p.Flags = flags
	}
	return p, nil
}

func sortGroups(groups []store.Group) {
	slices.SortFunc(groups, func(a, b store.Group) int { return slices.Compare(a.Keys, b.Keys) })
}
