package venue

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"errors"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/checkpoint"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/store"
)

// Keys gives the key that signs venue codes now, and every key whose venue codes still count.
type Keys interface {
	VenueKeys(now time.Time) (crypto.Signer, []*ecdsa.PublicKey, error)
}

// Service keeps venues and takes check-ins. All methods may be called concurrently.
type Service struct {
	registry *registry.Service
	scans    *checkpoint.Service
	keys     Keys
	mayAct   checkpoint.MayAct
}

// New makes the service of one node. keys may be nil: then no codes are made or read.
func New(r *registry.Service, scans *checkpoint.Service, keys Keys, mayAct checkpoint.MayAct) *Service {
	return &Service{registry: r, scans: scans, keys: keys, mayAct: mayAct}
}

var (
	errNoVenue = kangma.E(kangma.NotFound, "no_venue", "there is no such venue")
	errClosed  = kangma.E(kangma.Conflict, "venue_closed", "this venue is closed")
	errNoKeys  = kangma.E(kangma.Unavailable, "no_venue_codes", "this server makes no venue codes")
	errPrinted = kangma.E(kangma.Conflict, "venue_mode", "this venue's code is of the other kind: on a screen, or printed")
)

// Put creates a venue or changes it; the serial of its printed code stays. kangma.Invalid with every fault.
func (s *Service) Put(ctx context.Context, v Venue) (Venue, error) {
	old, err := s.Get(ctx, v.ID)
	switch {
	case err == nil:
		v.Serial = old.Serial
	case !errors.Is(err, kangma.NotFound):
		return v, err
	default:
		v.Serial = 1
	}
	if err := v.Check(); err != nil {
		return v, err
	}
	return v, s.put(ctx, v)
}

func (s *Service) put(ctx context.Context, v Venue) error {
	return s.registry.PutDoc(ctx, venueKind, v.ID, v, map[string]string{"organisation": v.Organisation, "district": v.District.String()})
}

// Get reads a venue. kangma.NotFound: none.
func (s *Service) Get(ctx context.Context, id string) (Venue, error) {
	if !venueID.MatchString(id) {
		return Venue{}, errNoVenue
	}
	v, _, err := registry.GetDoc[Venue](ctx, s.registry.Records(), venueKind, id)
	if errors.Is(err, kangma.NotFound) {
		return v, errNoVenue
	}
	return v, err
}

// List gives a page of venues in order of id, those of one organisation or all ("").
func (s *Service) List(ctx context.Context, organisation, after string, limit int) ([]Venue, string, error) {
	q := store.RecordQuery{Kind: venueKind, After: after, Limit: limit}
	if organisation != "" {
		q.Index, q.Value = "organisation", organisation
	}
	recs, next, err := s.registry.Records().List(ctx, q)
	if err != nil {
		return nil, "", err
	}
	all := make([]Venue, len(recs))
	for i, rec := range recs {
		if all[i], err = decodeVenue(rec); err != nil {
			return nil, "", err
		}
	}
	return all, next, nil
}

// ScreenCode signs the code that the venue's screen shows now, and says when it asks for the next one.
func (s *Service) ScreenCode(v Venue) (text string, c Claims, reload time.Time, err error) {
	if v.Mode != Screen {
		return "", c, reload, errPrinted
	}
	now := s.registry.Now().UTC().Truncate(time.Second)
	c = Claims{Venue: v.ID, Issued: now, Expires: now.Add(ScreenLife)}
	text, err = s.sign(v, c)
	return text, c, now.Add(screenReload), err
}

// PrintedCode signs the code that is printed; a reprint voids the one before.
func (s *Service) PrintedCode(v Venue) (text string, c Claims, err error) {
	if v.Mode != Printed {
		return "", c, errPrinted
	}
	now := s.registry.Now().UTC().Truncate(time.Second)
	c = Claims{Venue: v.ID, Issued: now, Expires: now.Add(printedLife), Serial: v.Serial}
	text, err = s.sign(v, c)
	return text, c, err
}

// Reprint voids the printed codes that are about.
func (s *Service) Reprint(ctx context.Context, id string) (Venue, error) {
	v, err := s.Get(ctx, id)
	if err != nil {
		return v, err
	}
	if v.Mode != Printed {
		return v, errPrinted
	}
	v.Serial++
	return v, s.put(ctx, v)
}

func (s *Service) sign(v Venue, c Claims) (string, error) {
	if s.keys == nil {
		return "", errNoKeys
	}
	if v.Closed {
		return "", errClosed
	}
	key, _, err := s.keys.VenueKeys(c.Issued)
	if err != nil {
		return "", err
	}
	return Sign(key, c)
}
