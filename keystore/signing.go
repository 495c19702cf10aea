package keystore

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
)

// Purpose says what a signing key signs.
type Purpose string

// Purposes of signing keys.
const (
	PurposeCode  Purpose = "code"  // dynamic codes, credentials, specimens
	PurposePaper Purpose = "paper" // paper codes, which live for months
	PurposeList  Purpose = "list"  // trust lists, status lists, gate bundles
	PurposeVenue Purpose = "venue" // venue codes, on screens and printed
)

// ForCodes reports whether keys of a purpose sign health codes: those are on trust lists and counted against the log.
func (p Purpose) ForCodes() bool { return p == PurposeCode || p == PurposePaper }

func (p Purpose) use() string {
	if p == PurposeQueue {
		return "sealing"
	}
	return "signing"
}

// MaxPrinted is the longest life of a printed venue code.
const MaxPrinted = 400 * day

// plan is how long keys of a purpose sign, and how long after that their signatures are still needed.
type plan struct{ sign, verify time.Duration }

const (
	day = 24 * time.Hour
	// ahead is how long before its use a key is published: two days, so that a gate that syncs once a day knows it.
	ahead = 2 * day
	// handover is how long a key that was rotated by hand may still sign: until every process has noticed.
	handover = 10 * time.Second
)

var plans = map[Purpose]plan{
	PurposeCode:  {7 * day, codegen.MaxCredential + time.Hour},
	PurposePaper: {91 * day, codegen.MaxPaper + time.Hour},
	PurposeList:  {364 * day, 30 * day},
	PurposeVenue: {364 * day, MaxPrinted + time.Hour},
	PurposeQueue: queuePlan,
}

var purposes = []Purpose{PurposeCode, PurposePaper, PurposeList, PurposeVenue, PurposeQueue}

// epoch begins the periods of keys: a Monday, 00:00 in China. A week is a week for everybody.
var epoch = time.Date(2020, 2, 2, 16, 0, 0, 0, time.UTC)

// record is a signing key on the list.
type record struct {
	ID      codegen.KeyID   `json:"id"`
	Label   string          `json:"label"` // in the Provider
	Purpose Purpose         `json:"purpose"`
	Region  kangma.Division `json:"region"`
	From    time.Time       `json:"from"` // signs from
	Until   time.Time       `json:"until"`
	Retired time.Time       `json:"retired,omitzero"` // by hand: withdrawn before its time
	Issued  uint64          `json:"issued,omitempty"` // signatures reported by Tally
	SPKI    []byte          `json:"spki"`

	Over time.Time `json:"over,omitzero"` // of a queue key: when it was first seen retired, see queueForget
}

// Key is a signing key as others may know it.
type Key struct {
	ID      codegen.KeyID    `json:"id"`
	Purpose Purpose          `json:"purpose"`
	Region  kangma.Division  `json:"region"`
	From    time.Time        `json:"from"`  // signs from
	Until   time.Time        `json:"until"` // signs until
	State   codegen.KeyState `json:"state"`
	Issued  uint64           `json:"issued"` // codes it signed, as far as reported by Tally
	Public  *ecdsa.PublicKey `json:"-"`
}

// VerifyKey gives the key as a code verifier wants it.
func (k Key) VerifyKey() codegen.VerifyKey {
	return codegen.VerifyKey{Public: k.Public, Region: k.Region, From: k.From, Until: k.Until, State: k.State}
}

// state is a pure function of time: published before From, active in [From, Until), then verify-only for as long as
// anything it signed may live, then retired.
func (r *record) state(now time.Time) codegen.KeyState {
	switch {
	case !r.Retired.IsZero() && !now.Before(r.Retired):
		return codegen.Retired
	case now.Before(r.From):
		return codegen.Published
	case now.Before(r.Until):
		return codegen.Active
	case now.Before(r.Until.Add(plans[r.Purpose].verify)):
		return codegen.VerifyOnly
	}
	return codegen.Retired
}

func (r *record) key(now time.Time) (Key, error) {
	pub, err := x509.ParsePKIXPublicKey(r.SPKI)
	if err != nil {
		return Key{}, errMissing("keys.json")
	}
	ec, ok := pub.(*ecdsa.PublicKey)
	if !ok {
		return Key{}, errMissing("keys.json")
	}
	return Key{ID: r.ID, Purpose: r.Purpose, Region: r.Region, From: r.From, Until: r.Until, State: r.state(now), Issued: r.Issued, Public: ec}, nil
}

// Maintain makes the keys that are due: for each region and purpose one that is active now, and in the last two days of
// its time the one that follows. Queue keys that have been retired for a week are deleted. Call it at least once a day. The errors
// are those of Open.
func (s *Store) Maintain(regions []kangma.Division, now time.Time) error {
	return s.change(func() error {
		err := s.ensure(regions, now)
		s.forgetQueueKeys(now)
		return err
	})
}

// ensure does the work of Maintain. The caller holds the lock.
func (s *Store) ensure(regions []kangma.Division, now time.Time) error {
	for _, region := range regions {
		if r := region.Rank(); r == kangma.NoDivision || r == kangma.Street {
			return kangma.E(kangma.Invalid, "division", "a key's region is a province, city or county")
		}
		for _, p := range purposes {
			for _, t := range []time.Time{now, now.Add(ahead)} {
				if s.signing(p, region, t) != nil {
					continue
				}
				from, until := period(p, t)
				err := s.generate(p, region, from, until)
				if away(err) && len(s.list.Keys) > 0 {
					continue // the keys there are go on; the next Maintain makes the ones that are due
				}
				if err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// period gives the period of a purpose's keys in which t lies.
func period(p Purpose, t time.Time) (from, until time.Time) {
	n := t.Sub(epoch) / plans[p].sign
	if t.Before(epoch) {
		n--
	}
	from = epoch.Add(n * plans[p].sign)
	return from, from.Add(plans[p].sign)
}

// signing finds the record that signs at t: of several the one that began last.
func (s *Store) signing(p Purpose, region kangma.Division, t time.Time) *record {
	var best *record
	for i := range s.list.Keys {
		r := &s.list.Keys[i]
		if r.Purpose == p && r.Region == region && r.state(t) == codegen.Active && (best == nil || r.From.After(best.From)) {
			best = r
		}
	}
	return best
}

func (s *Store) generate(p Purpose, region kangma.Division, from, until time.Time) error {
	label := fmt.Sprintf("%s-%s-%s", p, region, from.UTC().Format("20060102t150405"))
	for n := 2; slices.ContainsFunc(s.list.Keys, func(r record) bool { return r.Label == label }); n++ {
		label = fmt.Sprintf("%s-%s-%s-%d", p, region, from.UTC().Format("20060102t150405"), n)
	}
	pub, err := s.draw(p, label)
	if err != nil {
		return err
	}
	id, err := codegen.KeyIDOf(pub)
	if err != nil {
		return err
	}
	spki, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return kangma.E(kangma.Internal, "keystore_generate", "no key could be made").Because(err)
	}
	s.list.Keys = append(s.list.Keys, record{ID: id, Label: label, Purpose: p, Region: region, From: from, Until: until, SPKI: spki})
	s.created = append(s.created, fmt.Sprintf("%s key %s for %s of %s, %s to %s", p.use(), id, p, region, from.Format(time.DateOnly), until.Format(time.DateOnly)))
	return nil
}

// Signer gives the key that signs for a purpose and region now. kangma.NotFound: none is active; call Maintain.
// kangma.Unavailable: it is listed but cannot be loaded.
func (s *Store) Signer(p Purpose, region kangma.Division, now time.Time) (crypto.Signer, Key, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.signing(p, region, now)
	if r == nil {
		return nil, Key{}, errNoKey
	}
	key, err := r.key(now)
	if err != nil {
		return nil, Key{}, err
	}
	signer, err := s.load(r)
	if err != nil {
		return nil, Key{}, err
	}
	counted, err := s.counting(r, signer)
	if err != nil {
		return nil, Key{}, err
	}
	return counted, key, nil
}

// Active gives the key of a purpose and region that is in use now. kangma.NotFound: none is; call Maintain.
func (s *Store) Active(p Purpose, region kangma.Division, now time.Time) (Key, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.signing(p, region, now); r != nil {
		return r.key(now)
	}
	return Key{}, errNoKey
}

var errNoKey = kangma.E(kangma.NotFound, "keystore_key", "no signing key of this region and purpose is active")

// load gives the signer of a record. The caller holds the lock.
func (s *Store) load(r *record) (crypto.Signer, error) {
	if signer := s.signers[r.Label]; signer != nil {
		return signer, nil
	}
	signer, err := s.provider.Load(r.Label)
	if away(err) {
		return distantKey(s.provider, r)
	}
	if err != nil {
		return nil, err
	}
	if spki, err := x509.MarshalPKIXPublicKey(signer.Public()); err != nil || !bytes.Equal(spki, r.SPKI) {
		return nil, errMissing(r.Label)
	}
	s.signers[r.Label] = signer
	return signer, nil
}

// Keys lists every key with its state now, oldest first.
func (s *Store) Keys(now time.Time) ([]Key, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	keys := make([]Key, 0, len(s.list.Keys))
	for i := range s.list.Keys {
		k, err := s.list.Keys[i].key(now)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	slices.SortStableFunc(keys, func(a, b Key) int { return a.From.Compare(b.From) })
	return keys, nil
}

// VerifyKeys lists what code verifiers need now: every code and paper key that is not retired by age.
func (s *Store) VerifyKeys(now time.Time) ([]codegen.VerifyKey, error) {
	keys, err := s.Keys(now)
	if err != nil {
		return nil, err
	}
	var out []codegen.VerifyKey
	for _, k := range keys {
		aged := k.State == codegen.Retired && !now.Before(k.Until.Add(plans[k.Purpose].verify))
		if k.Purpose.ForCodes() && !aged {
			out = append(out, k.VerifyKey())
		}
	}
	return out, nil
}

// Own gives the private keys among those of VerifyKeys that lie in memory: none of a token's, and none that is no longer here.
// Errors are those of VerifyKeys; kangma.Unavailable: one cannot be loaded.
func (s *Store) Own(now time.Time) ([]*ecdsa.PrivateKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var own []*ecdsa.PrivateKey
	for i := range s.list.Keys {
		r := &s.list.Keys[i]
		if !r.Purpose.ForCodes() || r.state(now) == codegen.Retired {
			continue
		}
		signer, err := s.load(r)
		if kangma.KindOf(err) == kangma.NotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		if key, inMemory := signer.(*ecdsa.PrivateKey); inMemory {
			own = append(own, key)
		}
	}
	return own, nil
}

// PublicKeys lists the public keys of a purpose whose signatures still count.
func (s *Store) PublicKeys(p Purpose, now time.Time) ([]*ecdsa.PublicKey, error) {
	keys, err := s.Keys(now)
	if err != nil {
		return nil, err
	}
	var out []*ecdsa.PublicKey
	for _, k := range keys {
		if k.Purpose == p && k.State != codegen.Retired {
			out = append(out, k.Public)
		}
	}
	return out, nil
}

// Rotate ends the active key of a purpose and region before its time and puts a new one in its place, at once. An
// ordinary rotation leaves what the old key signed valid; after a theft, withdraw refuses it everywhere as soon as the
// trust list arrives. Gates that have not yet seen the new list do not know the new key, so without need wait for
// Maintain. Errors are those of Open.
func (s *Store) Rotate(p Purpose, region kangma.Division, now time.Time, withdraw bool) error {
	if _, ok := plans[p]; !ok {
		return kangma.E(kangma.Invalid, "purpose", "a key's purpose is code, paper, list, venue or queue")
	}
	if p == PurposeQueue && withdraw {
		return kangma.E(kangma.Invalid, "queue_withdraw", "a queue key signs nothing that could be refused, and what gates have sealed to it would be lost: rotate it without withdrawing")
	}
	now = now.UTC().Truncate(time.Second)
	return s.change(func() error {
		_, until := period(p, now)
		if until.Sub(now) < ahead {
			until = until.Add(plans[p].sign)
		}
		for i := range s.list.Keys {
			r := &s.list.Keys[i]
			if r.Purpose != p || r.Region != region || r.state(now) != codegen.Active {
				continue
			}
			r.Until = now.Add(handover)
			if withdraw {
				r.Retired = now
			}
		}
		return s.generate(p, region, now, until)
	})
}

// Tally adds to the number of signatures that keys have made, so that it can be compared with what the log holds: a key
// that signed more than was logged has been used behind our back. Flush does it for the signatures made through this
// Store; an HSM that counts for itself may be read here too. kangma.NotFound: a key that is not ours.
func (s *Store) Tally(signed map[codegen.KeyID]uint64) error {
	return s.change(func() error {
		for id, n := range signed {
			i := slices.IndexFunc(s.list.Keys, func(r record) bool { return r.ID == id })
			if i < 0 {
				return kangma.E(kangma.NotFound, "keystore_key", "there is no such key")
			}
			s.list.Keys[i].Issued += n
		}
		return nil
	})
}
