package issuance

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/store"
)

// HeldCode is one code that a person holds, as kept in the records: what voids it is here, not in the code. The zero Void
// means that it stands.
type HeldCode struct {
	ID     codegen.CodeID `json:"id"`
	Kind   codegen.Kind   `json:"kind"`
	Colour kangma.Colour  `json:"colour"` // as it says; means nothing on paper
	Key    codegen.KeyID  `json:"key"`
	Issued time.Time      `json:"issued_at"`
	Until  time.Time      `json:"expires_at"`
	Void   time.Time      `json:"void_since,omitzero"`
	Why    string         `json:"void_because,omitempty"` // one of the Void constants
}

// Why a code was voided.
const (
	VoidReissued = "reissued" // a newer paper code took its place
	VoidLost     = "lost"     // its holder said so (挂失)
	VoidEnded    = "ended"    // who held it for somebody else is no longer their guardian
)

const (
	heldKind = "codes"      // id: the person; data: []HeldCode, the living ones
	voidKind = "void-codes" // id: random; data: []HeldCode of an erased person, which name nobody
	attempts = 20
	keepFor  = 2 * codegen.DefaultSkew // how long after its end a code is still looked up
)

// living reports whether a gate anywhere may still be shown the code.
func (h *HeldCode) living(now time.Time) bool { return now.Before(h.Until.Add(keepFor)) }

// Held lists the codes a person holds that have not expired, the voided ones too, oldest first.
func (s *Service) Held(ctx context.Context, person kangma.PersonID) ([]HeldCode, error) {
	all, _, err := registry.GetDoc[[]HeldCode](ctx, s.registry.Records(), heldKind, person.String())
	if errors.Is(err, kangma.NotFound) {
		return nil, nil
	}
	now := s.now()
	return slices.DeleteFunc(all, func(h HeldCode) bool { return !h.living(now) }), unavailable(err)
}

// change replaces what a person holds by compare-and-swap, durable in the journal. f may change its argument.
func (s *Service) change(ctx context.Context, person kangma.PersonID, f func([]HeldCode) ([]HeldCode, error)) error {
	for range attempts {
		old, version, err := registry.GetDoc[[]HeldCode](ctx, s.registry.Records(), heldKind, person.String())
		if err != nil && !errors.Is(err, kangma.NotFound) {
			return unavailable(err)
		}
		now := s.now()
		next, err := f(slices.DeleteFunc(old, func(h HeldCode) bool { return !h.living(now) }))
		if err != nil {
			return err
		}
		rec := store.Record{Kind: heldKind, ID: person.String(), Version: version + 1, Deleted: len(next) == 0}
		if !rec.Deleted {
			if rec.Data, err = json.Marshal(next); err != nil {
				return err
			}
			if slices.ContainsFunc(next, func(h HeldCode) bool { return !h.Void.IsZero() }) {
				rec.Index = map[string]string{"void": "yes"} // the status list finds them by it
			}
		} else if version == 0 {
			return nil
		}
		if err = s.registry.PutRecord(ctx, rec); !errors.Is(err, kangma.Conflict) {
			return unavailable(err)
		}
	}
	return errContended
}

var errContended = kangma.E(kangma.Unavailable, "contended", "this record is being changed by many at once; try again")

// unavailable makes what a store says a fault of the moment.
func unavailable(err error) error {
	if err == nil || kangma.KindOf(err) != kangma.Internal {
		return err
	}
	return kangma.E(kangma.Unavailable, "store", "the records cannot be read now; try again").Because(err)
}

// record puts issued codes on record.
func (s *Service) record(ctx context.Context, person kangma.PersonID, most int, codes ...codegen.Code) error {
	return s.change(ctx, person, func(held []HeldCode) ([]HeldCode, error) {
		if most > 0 && len(held)+len(codes) > most {
			return nil, kangma.E(kangma.TooMany, "too_many_codes", "you hold as many codes as one may; use them, or void them")
		}
		for i := range codes {
			held = append(held, heldOf(&codes[i].Claims))
		}
		return held, nil
	})
}

func heldOf(c *codegen.Claims) HeldCode {
	return HeldCode{ID: c.ID, Kind: c.Kind, Colour: c.Colour, Key: c.Key, Issued: c.Issued, Until: c.Expires}
}

// Void voids codes of a person: the one of id, or all with the zero id. It says how many it voided; none of that id is
// kangma.NotFound. What is void is refused online at once and by gates without a network after their next list.
func (s *Service) Void(ctx context.Context, person kangma.PersonID, id codegen.CodeID, why string) (n int, err error) {
	now := s.now()
	err = s.change(ctx, person, func(held []HeldCode) ([]HeldCode, error) {
		n = void(held, now, why, func(h *HeldCode) bool { return id == codegen.CodeID{} || h.ID == id })
		return held, nil
	})
	if err == nil && n == 0 && id != (codegen.CodeID{}) {
		return 0, kangma.E(kangma.NotFound, "no_code", "you hold no such code, or it is void already")
	}
	return n, err
}

func void(held []HeldCode, now time.Time, why string, which func(*HeldCode) bool) (n int) {
	for i := range held {
		if h := &held[i]; h.Void.IsZero() && which(h) {
			h.Void, h.Why = now, why
			n++
		}
	}
	return n
}

// Standing tells whether a genuine code still stands at a moment: "" or revoked. Dynamic codes always do. A credential or
// paper code that is not on record is refused, counted and reported: who made it has our keys. While the records do not answer, what was last known of them counts. An error means that the
// records could not be read.
func (s *Service) Standing(ctx context.Context, c *codegen.Claims, at time.Time) (kangma.CannotTell, error) {
	if c.Kind != codegen.Credential && c.Kind != codegen.Paper {
		return "", nil
	}
	held, old, err := registry.LastDoc[[]HeldCode](ctx, s.registry, heldKind, c.Person.String())
	if err != nil && !errors.Is(err, kangma.NotFound) {
		return "", unavailable(err)
	}
	i := slices.IndexFunc(held, func(h HeldCode) bool { return h.ID == c.ID })
	switch {
	case i >= 0 && (held[i].Void.IsZero() || at.Before(held[i].Void)):
		return "", nil
	case i < 0 && old: // it may have been issued since
		return kangma.TellCheckOnline, nil
	case i < 0 && c.Expires.Add(keepFor).After(s.now()): // else it went with its time: nothing odd in a late upload
		s.orphans.Add(1)
		s.log.Error("a genuine code that was never issued: somebody else has the keys", "code", c.ID, "key", c.Key, "kind", c.Kind)
	case i < 0:
		return "", nil
	}
	return kangma.TellRevoked, nil
}

// forget lets go of an erased person: what they held stays void without a name until it expires.
func (s *Service) forget(ctx context.Context, person kangma.PersonID) error {
	held, err := s.Held(ctx, person)
	if err != nil {
		return err
	}
	if len(held) > 0 {
		void(held, s.now(), VoidEnded, func(*HeldCode) bool { return true })
		if err := s.registry.PutDoc(ctx, voidKind, kangma.NewPersonID().String(), held, nil); err != nil {
			return unavailable(err)
		}
	}
	if err := s.change(ctx, person, func([]HeldCode) ([]HeldCode, error) { return nil, nil }); err != nil {
		return err
	}
	return s.forgetGuardianships(ctx, person)
}

// eachBy visits every record of a kind whose index has a value; "" for all.
func (s *Service) eachBy(ctx context.Context, kind, index, value string, visit func(id string, data []byte, version uint64) error) error {
	q := store.RecordQuery{Kind: kind, Index: index, Value: value, Limit: 500}
	for {
		page, next, err := s.registry.Records().List(ctx, q)
		if err != nil {
			return unavailable(err)
		}
		for i := range page {
			if err := visit(page[i].ID, page[i].Data, page[i].Version); err != nil {
				return err
			}
		}
		if next == "" {
			return nil
		}
		q.After = next
	}
}
