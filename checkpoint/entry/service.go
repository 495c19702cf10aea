package entry

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/checkpoint"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/store"
)

// Service files and inspects vehicle entries. All methods may be called concurrently.
type Service struct {
	registry *registry.Service
	mayAct   checkpoint.MayAct
	rules    atomic.Pointer[loaded]
}

// loaded is a rule set as it was read, so that it is parsed once.
type loaded struct {
	version uint64
	set     *Set
}

// New makes the service of one node. mayAct says who may file whom.
func New(r *registry.Service, mayAct checkpoint.MayAct) *Service {
	return &Service{registry: r, mayAct: mayAct}
}

const (
	rulesKind   = "vehicle-rules"
	rulesActive = "active"
	casAttempts = 20
)

var errContended = kangma.E(kangma.Unavailable, "contended", "this record is being changed by many at once; try again")

// PublishRules checks a rule file and puts it in force on every node. kangma.Invalid with every fault.
func (s *Service) PublishRules(ctx context.Context, file []byte) (*Set, error) {
	set, err := LoadRules(file)
	if err != nil {
		return nil, err
	}
	for range casAttempts {
		old, err := s.registry.Records().Get(ctx, rulesKind, rulesActive)
		if err != nil && !errors.Is(err, kangma.NotFound) {
			return nil, err
		}
		err = s.registry.PutRecord(ctx, store.Record{Kind: rulesKind, ID: rulesActive, Version: old.Version + 1, Data: file})
		if !errors.Is(err, kangma.Conflict) {
			return set, err
		}
	}
	return nil, errContended
}

// Rules gives the rules in force: what was published last, else the default preset.
func (s *Service) Rules(ctx context.Context) (*Set, error) {
	rec, err := s.registry.Records().Get(ctx, rulesKind, rulesActive)
	if errors.Is(err, kangma.NotFound) {
		rec.Version, err = 0, nil
	}
	if err != nil {
		return nil, err
	}
	if l := s.rules.Load(); l != nil && l.version == rec.Version {
		return l.set, nil
	}
	if rec.Version == 0 {
		if rec.Data, err = PresetFile(DefaultPreset); err != nil {
			return nil, err
		}
	}
	set, err := LoadRules(rec.Data)
	if err != nil {
		return nil, kangma.E(kangma.Unavailable, "damaged", "the rules of vehicle posts cannot be read").Because(err)
	}
	s.rules.Store(&loaded{rec.Version, set})
	return set, nil
}

// File keeps a vehicle entry, durably, and gives it back with its pass. The same id by the same driver again gives what was
// kept the first time. kangma.Invalid with every fault; kangma.Forbidden: a dependent who is not one.
func (s *Service) File(ctx context.Context, f Filing) (*Entry, error) {
	now := s.registry.Now().UTC()
	if faults := f.check(now); len(faults) > 0 {
		return nil, faulty(faults)
	}
	if f.ID.IsZero() {
		f.ID = kangma.NewEventID(now)
	}
	e := &Entry{ID: f.ID, Driver: f.Driver, Plate: s.registry.Sealer().Plate(f.Plate.Reveal()), Masked: f.Plate.Masked(), PlateKind: f.Plate.Kind(),
		Coach: f.Coach, Origin: f.Origin, Destination: f.Destination, Arrival: f.Arrival.UTC().Truncate(time.Second), Filed: now, Secret: newSecret()}
	if f.Coach {
		e.Trip = newTripCode()
	}
	if err := s.seat(ctx, e, f.Driver, f.Occupants, true, now); err != nil {
		return nil, err
	}
	data, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	if err := s.registry.PutOnce(ctx, e.record(1, data)); err != nil {
		return nil, err
	}
	kept, _, err := s.get(ctx, e.ID)
	if err == nil && kept.Driver != f.Driver {
		return nil, errEntryTaken
	}
	return kept, err
}

// Join seats passengers in a coach by its trip code and plate. The same people again change nothing.
// kangma.NotFound with code trip_code: no such coach; it does not say which of the two was wrong.
func (s *Service) Join(ctx context.Context, trip string, plate Plate, by kangma.PersonID, filed []Filed) (*Entry, error) {
	now := s.registry.Now().UTC()
	if len(filed) == 0 || len(filed) > MaxOccupants {
		return nil, faulty([]kangma.Fault{{Where: "occupants", Code: "occupants", What: "name everybody in the vehicle: 1 to 20, in a coach up to 80"}})
	}
	if faults := checkOccupants(filed); len(faults) > 0 {
		return nil, faulty(faults)
	}
	code, err := ParseTripCode(trip)
	if err != nil {
		return nil, err
	}
	id, err := s.byTrip(ctx, code, s.registry.Sealer().Plate(plate.Reveal()), now)
	if err != nil {
		return nil, err
	}
	return s.change(ctx, id, func(e *Entry) (bool, error) {
		switch {
		case !e.Cancelled.IsZero():
			return false, errTrip
		case e.Gate != "":
			return false, errInspected
		case e.Has(by): // a retry
			return false, nil
		}
		return true, s.seat(ctx, e, by, filed, false, now)
	})
}

func (s *Service) byTrip(ctx context.Context, code, plate string, now time.Time) (id kangma.EventID, err error) {
	recs, _, err := s.registry.Records().List(ctx, store.RecordQuery{Kind: entryKind, Index: tripIdx, Value: code, Limit: 10})
	if err != nil {
		return id, err
	}
	for _, rec := range recs {
		e, err := decodeEntry(rec)
		if err != nil {
			return id, err
		}
		if e.Plate == plate && now.Before(e.Expires()) {
			return e.ID, nil
		}
	}
	return id, errTrip
}

// Cancel withdraws an entry before a post has inspected it.
func (s *Service) Cancel(ctx context.Context, id kangma.EventID, driver kangma.PersonID) (*Entry, error) {
	return s.change(ctx, id, func(e *Entry) (bool, error) {
		switch {
		case e.Driver != driver:
			return false, errNoEntry
		case e.Gate != "":
			return false, errInspected
		case !e.Cancelled.IsZero():
			return false, nil
		}
		e.Cancelled = s.registry.Now().UTC()
		return true, nil
	})
}

// Of gives the entries that a driver filed, newest first, at most limit of the last 500.
func (s *Service) Of(ctx context.Context, driver kangma.PersonID, limit int) (all []*Entry, err error) {
	recs, _, err := s.registry.Records().List(ctx, store.RecordQuery{Kind: entryKind, Index: ownerIdx, Value: driver.String(), Limit: 500})
	if err != nil {
		return nil, err
	}
	for i := len(recs) - 1; i >= 0 && len(all) < limit; i-- {
		e, err := decodeEntry(recs[i])
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, nil
}

// Get gives an entry to somebody in it. kangma.NotFound: none, or they are not in it.
func (s *Service) Get(ctx context.Context, id kangma.EventID, person kangma.PersonID) (*Entry, error) {
	e, _, err := s.get(ctx, id)
	if err == nil && e.Driver != person && !e.Has(person) {
		return nil, errNoEntry
	}
	return e, err
}

func (s *Service) get(ctx context.Context, id kangma.EventID) (*Entry, uint64, error) {
	rec, err := s.registry.Records().Get(ctx, entryKind, id.String())
	if errors.Is(err, kangma.NotFound) {
		return nil, 0, errNoEntry
	}
	if err != nil {
		return nil, 0, err
	}
	e, err := decodeEntry(rec)
	return e, rec.Version, err
}

func decodeEntry(rec store.Record) (*Entry, error) {
	e := &Entry{}
	if err := json.Unmarshal(rec.Data, e); err != nil {
		return nil, kangma.E(kangma.Internal, "damaged", "a stored document is damaged").Because(err)
	}
	return e, nil
}

// change replaces an entry by compare-and-swap. f says whether it changed anything; where it did not, the version that is
// stored is journaled again, since this may be the retry of a change that never reached the journal.
func (s *Service) change(ctx context.Context, id kangma.EventID, f func(*Entry) (bool, error)) (*Entry, error) {
	for range casAttempts {
		rec, err := s.registry.Records().Get(ctx, entryKind, id.String())
		if errors.Is(err, kangma.NotFound) {
			return nil, errNoEntry
		}
		if err != nil {
			return nil, err
		}
		e, err := decodeEntry(rec)
		if err != nil {
			return nil, err
		}
		changed, err := f(e)
		if err != nil {
			return nil, err
		}
		if !changed {
			return e, s.registry.JournalRecord(ctx, rec)
		}
		data, err := json.Marshal(e)
		if err != nil {
			return nil, err
		}
		if err = s.registry.PutRecord(ctx, e.record(rec.Version+1, data)); !errors.Is(err, kangma.Conflict) {
			return e, err
		}
	}
	return nil, errContended
}

func faulty(faults []kangma.Fault) error {
	return &kangma.Error{Kind: kangma.Invalid, Code: faults[0].Code, Public: faults[0].What, Faults: faults}
}

func (e *Entry) nextID() string { return strconv.Itoa(len(e.Occupants) + 1) }
