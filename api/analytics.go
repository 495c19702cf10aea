package api

import (
	"context"
	"strings"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

type byHourIn struct {
	Since    time.Time `query:"since" doc:"default: 24 hours ago"`
	Until    time.Time `query:"until" doc:"default: now"`
	Gate     string    `query:"gate" maxLength:"64"`
	District string    `query:"district" maxLength:"9" doc:"with everything inside it"`
	By       string    `query:"by" maxLength:"60" doc:"also split by these, comma separated: gate, district, colour, decision, gate_kind; groups under 10 are then withheld"`
}

type byHourOut struct {
	Body struct {
		Since      time.Time      `json:"since"`
		Until      time.Time      `json:"until"`
		Columns    []string       `json:"columns"`
		Rows       []countRow     `json:"rows"`
		Suppressed int            `json:"suppressed" doc:"groups withheld because they are under 10"`
		DataAsOf   time.Time      `json:"data_as_of"`
		Loaded     store.Position `json:"loaded" doc:"position of this node's journal that is counted"`
	}
}

type countRow struct {
	Keys  []string `json:"keys"`
	Count uint64   `json:"count"`
}

const kAnonymity = 10

// passagesByHour counts passages by hour. The plain hourly count of a whole scope says nothing of a person; every
// further split is held to k >= 10.
func (s *Server) passagesByHour(ctx context.Context, in *byHourIn) (*byHourOut, error) {
	now := s.auth.now()
	q := store.Query{Measures: []store.Measure{store.Count}, Dimensions: []store.Dimension{store.ByHour}, Since: in.Since, Until: in.Until}
	if q.Until.IsZero() {
		q.Until = now.Add(time.Second)
	}
	if q.Since.IsZero() {
		q.Since = q.Until.Add(-24 * time.Hour)
	}
	if in.Gate != "" {
		q.Gates, q.K = []string{in.Gate}, kAnonymity
	}
	if err := s.splitBy(in.By, &q); err != nil {
		return nil, err
	}
	if err := districtScope(who(ctx), in.District, &q); err != nil {
		return nil, err
	}
	res, err := s.cfg.Warehouse.Query(ctx, q)
	if err != nil {
		return nil, unavailable(err)
	}
	out := &byHourOut{}
	out.Body.Since, out.Body.Until, out.Body.Suppressed, out.Body.DataAsOf = q.Since, q.Until, res.Suppressed, now
	if out.Body.Loaded, err = s.cfg.Warehouse.Loaded(ctx, s.cfg.Registry.Node()); err != nil {
		return nil, unavailable(err)
	}
	for _, d := range q.Dimensions {
		out.Body.Columns = append(out.Body.Columns, string(d))
	}
	out.Body.Rows = make([]countRow, len(res.Groups))
	for i, g := range res.Groups {
		out.Body.Rows[i] = countRow{Keys: g.Keys, Count: g.Values[0]}
	}
	return out, nil
}

func (s *Server) splitBy(by string, q *store.Query) error {
	if by == "" {
		return nil
	}
	q.K = kAnonymity
	for name := range strings.SplitSeq(by, ",") {
		switch d := store.Dimension(name); d {
		case store.ByGate, store.ByDistrict, store.ByColour, store.ByDecision, store.ByGateKind:
			q.Dimensions = append(q.Dimensions, d)
		default:
			return kangma.E(kangma.Invalid, "by", "by names gate, district, colour, decision or gate_kind")
		}
	}
	return nil
}

// districtScope narrows a query to a district, and to the account's divisions.
func districtScope(p Principal, district string, q *store.Query) error {
	if district == "" {
		q.Districts = p.Account.Divisions
		return nil
	}
	d, err := knownDivision(district)
	if err != nil {
		return err
	}
	if !inScope(p, d) {
		return errScope
	}
	q.Districts = []kangma.Division{d}
	return nil
}
