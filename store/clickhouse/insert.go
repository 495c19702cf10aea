package clickhouse

import (
	"context"
	"fmt"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kangma/kangma/store"
)

// maxInsert is the most rows of one INSERT (one block, one part).
const maxInsert = 200_000

const insertPassages = "INSERT INTO %s.passages (day, id, at, gate, gate_kind, district, operator, person, told, colour, " +
	"decision, reason, verified, direction, temperature, vehicle, rules, flags, node, position)"

// insertRows sends the rows, all of one day, as one block.
func (db *DB) insertRows(ctx context.Context, s *shard, node string, day int64, rows []*store.Row) error {
	if len(rows) == 0 {
		return nil
	}
	n := len(rows)
	token := fmt.Sprintf("%d/%s/%d-%d/%d/%s", day, node, rows[0].Position, rows[n-1].Position, n, rows[0].Passage.ID)
	return s.insertBlock(ctx, db.cfg.Insert, fmt.Sprintf(insertPassages, db.cfg.Database), token, func(block driver.Batch) error {
		var c columns
		for piece := range slices.Chunk(rows, pieceRows) {
			if err := c.append(block, node, piece); err != nil {
				return err
			}
		}
		return nil
	})
}

// pieceRows is how many rows are turned into columns at a time: whole columns are twice as fast as row by row, and pieces of them
// stay in the processor's cache and are filled again and again.
const pieceRows = 4096

// columns are a piece of the table passages, in the order of insertPassages; strings point into the rows.
type columns struct {
	day                         []uint32
	id                          [][]byte
	at                          []int64
	gate, gateKind              []string
	district                    []uint32
	operator                    []string
	person                      [][]byte
	told, colour, decision      []uint8
	reason, verified, direction []string
	temperature                 []int32
	vehicle, rules              []string
	flags                       [][]string
	node                        []string
	position                    []uint64
}

// append puts the rows behind what the block has.
func (c *columns) append(block driver.Batch, node string, rows []*store.Row) error {
	c.day, c.id, c.at = c.day[:0], c.id[:0], c.at[:0]
	c.gate, c.gateKind, c.district, c.operator = c.gate[:0], c.gateKind[:0], c.district[:0], c.operator[:0]
	c.person, c.told, c.colour, c.decision = c.person[:0], c.told[:0], c.colour[:0], c.decision[:0]
	c.reason, c.verified, c.direction, c.temperature = c.reason[:0], c.verified[:0], c.direction[:0], c.temperature[:0]
	c.vehicle, c.rules, c.flags, c.node, c.position = c.vehicle[:0], c.rules[:0], c.flags[:0], c.node[:0], c.position[:0]
	for _, r := range rows {
		c.add(r, node)
	}
	for i, column := range []any{c.day, c.id, c.at, c.gate, c.gateKind, c.district, c.operator, c.person, c.told, c.colour, c.decision,
		c.reason, c.verified, c.direction, c.temperature, c.vehicle, c.rules, c.flags, c.node, c.position} {
		if err := block.Column(i).Append(column); err != nil {
			return err
		}
	}
	return nil
}

func (c *columns) add(r *store.Row, node string) {
	p := &r.Passage
	c.day, c.id, c.at = append(c.day, uint32(partitionOf(r))), append(c.id, p.ID[:]), append(c.at, p.At.UnixMicro())
	c.gate, c.gateKind = append(c.gate, p.Gate), append(c.gateKind, p.GateKind)
	c.district, c.operator = append(c.district, uint32(p.District)), append(c.operator, p.Operator)
	told := uint8(0)
	if p.Told {
		told = 1
	}
	c.person, c.told = append(c.person, p.Person[:]), append(c.told, told)
	c.colour, c.decision = append(c.colour, uint8(p.Colour)), append(c.decision, uint8(p.Decision))
	c.reason, c.verified, c.direction = append(c.reason, p.Reason), append(c.verified, p.Verified), append(c.direction, p.Direction)
	c.temperature = append(c.temperature, int32(min(max(p.Temperature, -1<<31), 1<<31-1)))
	c.vehicle, c.rules = append(c.vehicle, p.Vehicle), append(c.rules, p.Rules)
	flags := p.Flags
	if flags == nil {
		flags = []string{}
	}
	c.flags, c.node, c.position = append(c.flags, flags), append(c.node, node), append(c.position, uint64(r.Position))
}
