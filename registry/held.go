package registry

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/areas"
	"github.com/kangma/kangma/risk/backtest"
	"github.com/kangma/kangma/risk/rules"
	"github.com/kangma/kangma/store"
)

// Actor is who asks for or releases a change that touches many people.
type Actor struct {
	Account      string `json:"account"`
	Organisation string `json:"organisation"`
}

// Held is a change that would recolour more people than the breaker allows. It waits for a second person of another
// organisation.
type Held struct {
	ID        string           `json:"id"`
	What      string           `json:"what"` // rules, areas, batch, or a kind of Change
	Name      string           `json:"name"`
	Verdict   backtest.Verdict `json:"verdict"`
	From      time.Time        `json:"from,omitzero"` // rules: when they were to take over; once that is past, at release
	Supersede bool             `json:"supersede,omitempty"`
	Reason    string           `json:"reason,omitempty"` // of a Change
	Requested Actor            `json:"requested_by"`
	At        time.Time        `json:"at"`
	Status    string           `json:"status"` // weighing (how many it would recolour is still being counted), held, released, scheduled (released, takes effect at From), refused
	Decided   Actor            `json:"decided_by,omitzero"`
}

const (
	heldKind     = "held"      // id: event id; data: Held
	heldDataKind = "held-data" // the same id; data: the rule file or list as sent
)

var (
	errOwnRelease = kangma.E(kangma.Forbidden, "two_persons", "a held change is released by another person of another organisation")
	errNotHeld    = kangma.E(kangma.Conflict, "not_held", "this change is not waiting any more")
)

// ProposeRules checks a rule file against everyone stored, as of the moment it would take over: within the breaker's limit
// it is put in force or planned, beyond it is held (held is not nil) and nothing changes until Release.
func (s *Service) ProposeRules(ctx context.Context, by Actor, pub Publication) (done Published, held *Held, err error) {
	set, err := s.loadRulesFile(pub.Name, pub.YAML)
	if err != nil {
		return done, nil, err
	}
	now, next, err := s.tryRules(ctx, set, pub.Supersede)
	if err != nil {
		return done, nil, err
	}
	from, to := set.Window()
	patience := s.patience()
	if pub.Wait {
		patience = 24 * time.Hour
	}
	held, err = s.weigh(ctx, Held{What: "rules", Name: pub.Name, Supersede: pub.Supersede, From: from, Requested: by}, pub.YAML, patience,
		func(ctx context.Context) (backtest.Verdict, error) { return s.blast(ctx, now, next, pub.Floor) })
	if err != nil || held != nil {
		return Published{Rules: set.Ref(), From: from, To: to, State: "held"}, held, err
	}
	done, err = s.enforce(ctx, set, pub, by, false)
	return done, nil, err
}

// tryRules gives what is in force and planned without and with a rule set, keeping nothing.
func (s *Service) tryRules(ctx context.Context, set *rules.Set, supersede bool) (old, next *judgement, err error) {
	s.publish.Lock()
	defer s.publish.Unlock()
	p, _, err := s.plan(ctx)
	if err != nil {
		return nil, nil, err
	}
	from, to := set.Window()
	p, _, err = p.with(span{ID: recordID(set), From: from, To: to}, s.cfg.Now().UTC(), supersede)
	if err != nil {
		return nil, nil, err
	}
	_, known := s.compiled[recordID(set)]
	s.compiled[recordID(set)] = set // for this once; it is not kept yet
	catalogue, err := s.catalogue(ctx, p)
	if !known {
		delete(s.compiled, recordID(set))
	}
	old = s.current.Load()
	return old, &judgement{rules: catalogue, areas: old.areas}, err
}

// ProposeAreas is ProposeRules for one official risk-area list, which must be of the given day (zero: of any).
func (s *Service) ProposeAreas(ctx context.Context, by Actor, day time.Time, list []byte) (parsed *areas.List, held *Held, err error) {
	parsed, table, err := s.tryAreas(day, list)
	if err != nil {
		return nil, nil, err
	}
	now := s.current.Load()
	held, err = s.weigh(ctx, Held{What: "areas", Name: areaListID(parsed), Requested: by}, list, s.patience(),
		func(ctx context.Context) (backtest.Verdict, error) {
			return s.blast(ctx, now, &judgement{rules: now.rules, areas: table}, 0)
		})
	if err != nil || held != nil {
		return parsed, held, err
	}
	_, err = s.PublishAreas(ctx, list)
	return parsed, nil, err
}

// WeighAreas tells whom lists that come together would recolour, keeping nothing. Changes of at most floor people are not
// held. Errors are those of PublishAreas.
func (s *Service) WeighAreas(ctx context.Context, floor int64, lists ...[]byte) (backtest.Verdict, error) {
	now := s.current.Load()
	if now.areas == nil {
		return backtest.Verdict{}, nil // the first lists pass
	}
	parsed := make([]*areas.List, len(lists))
	for i, raw := range lists {
		var err error
		if parsed[i], err = parseList(raw); err != nil {
			return backtest.Verdict{}, err
		}
	}
	table, err := s.extend(parsed)
	if err != nil {
		return backtest.Verdict{}, err
	}
	return s.blast(ctx, now, &judgement{rules: now.rules, areas: table}, floor)
}

func (s *Service) tryAreas(day time.Time, list []byte) (*areas.List, *areas.Table, error) {
	parsed, err := parseList(list)
	if err != nil {
		return nil, nil, err
	}
	if err := parsed.CheckAt(day, s.cfg.Now()); err != nil {
		return nil, nil, err
	}
	table, err := s.extend([]*areas.List{parsed})
	return parsed, table, err
}

func (s *Service) hold(ctx context.Context, h Held, data []byte) (*Held, error) {
	h.At = s.cfg.Now().UTC()
	if h.Status == "" {
		h.Status = "held"
	}
	h.ID = kangma.NewEventID(h.At).String()
	if err := s.PutRecord(ctx, store.Record{Kind: heldDataKind, ID: h.ID, Version: 1, Data: data}); err != nil {
		return nil, err
	}
	return &h, s.PutDoc(ctx, heldKind, h.ID, h, map[string]string{"status": h.Status})
}

// ListHeld gives every change that was held, newest last.
func (s *Service) ListHeld(ctx context.Context) (all []Held, err error) {
	for after := ""; ; {
		recs, next, err := s.cfg.Records.List(ctx, store.RecordQuery{Kind: heldKind, After: after, Limit: 500})
		if err != nil {
			return nil, err
		}
		for _, r := range recs {
			var h Held
			if err := json.Unmarshal(r.Data, &h); err != nil {
				return nil, kangma.E(kangma.Internal, "damaged", "a stored document is damaged").Because(err)
			}
			all = append(all, h)
		}
		if after = next; next == "" {
			return all, nil
		}
	}
}

// Decide releases or refuses a held change. The one who decides is another person of another organisation than the one
// who asked. kangma.NotFound: no such change; kangma.Conflict: already decided.
func (s *Service) Decide(ctx context.Context, id string, by Actor, release bool) (Held, error) {
	h, version, err := GetDoc[Held](ctx, s.cfg.Records, heldKind, id)
	if errors.Is(err, kangma.NotFound) {
		return h, kangma.E(kangma.NotFound, "no_held", "there is no such held change")
	}
	if err != nil {
		return h, err
	}
	if h.Status != "held" && h.Status != "weighing" { // two persons need not wait for the count
		return h, errNotHeld
	}
	if by.Account == "" || by.Account == h.Requested.Account || by.Organisation == h.Requested.Organisation {
		return h, errOwnRelease
	}
	h.Decided, h.Status = by, "refused"
	switch {
	case release && s.waits(h):
		h.Status = scheduledStatus
	case release:
		h.Status = "released"
		if err := s.carryOut(ctx, h); err != nil { // before it is noted: a crash between leaves it to be decided again
			return h, err
		}
	}
	if err := s.keepHeld(ctx, h, version); err != nil {
		return h, err
	}
	s.log.Info("a held change was decided", "what", h.What, "name", h.Name, "status", h.Status, "by", by.Account, "organisation", by.Organisation, "id", h.ID)
	return h, nil
}

// keepHeld stores the next version of a held change.
func (s *Service) keepHeld(ctx context.Context, h Held, version uint64) error {
	data, err := json.Marshal(h)
	if err != nil {
		return err
	}
	return s.PutRecord(ctx, store.Record{Kind: heldKind, ID: h.ID, Version: version + 1, Data: data, Index: map[string]string{"status": h.Status}})
}

// carryOut puts a released change in force.
func (s *Service) carryOut(ctx context.Context, h Held) error {
	rec, err := s.cfg.Records.Get(ctx, heldDataKind, h.ID)
	if err != nil {
		return err
	}
	if carry := s.carriers[h.What]; carry != nil {
		return carry(ctx, h.Name, rec.Data)
	}
	switch h.What {
	case "areas":
		_, err = s.PublishAreas(ctx, rec.Data)
	case "batch":
		err = s.releaseBatch(ctx, rec.Data)
	default:
		var set *rules.Set
		if set, err = s.loadRulesFile(h.Name, rec.Data); err == nil {
			_, err = s.enforce(ctx, set, Publication{Name: h.Name, YAML: rec.Data, Supersede: h.Supersede}, h.Requested, h.Decided != breaker)
		}
	}
	return err
}
