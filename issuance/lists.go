package issuance

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
	"github.com/kangma/kangma/store"
)

// Signed is one signed document as it is served: the number and times are those inside it.
type Signed struct {
	Number  uint64    `cbor:"1,keyasint"`
	Issued  time.Time `cbor:"2,keyasint"`
	Expires time.Time `cbor:"3,keyasint"`
	Data    []byte    `cbor:"4,keyasint"`
	From    uint64    `cbor:"5,keyasint,omitempty"` // of a delta: the number it applies to
	Keys    []byte    `cbor:"6,keyasint,omitempty"` // of a trust list: digest of the keys in it
	Entries int       `cbor:"7,keyasint,omitempty"` // of a status list
	Signer  []byte    `cbor:"8,keyasint,omitempty"` // digest of the list key's public half
}

// The lists are records of their own, not in the journal: they are made again from what is. So that they never go back,
// not even after a rebuild, the number of a list is the second of its issue.
const (
	listKind  = "signed-list"
	trustID   = "trust"
	statusID  = "status"
	deltasID  = "status-deltas"
	cacheFor  = 2 * time.Second
	listLife  = 8 * 24 * time.Hour // longer than any gate may be without a network
	trustEach = time.Hour

	// StatusEach is how often a status list is made, and how old a served one may be on a healthy server.
	StatusEach = 5 * time.Minute
	// keptDeltas is how many deltas are kept: a gate two hours behind still needs no whole list.
	keptDeltas = 24
)

type listCache struct {
	mu     sync.Mutex
	trust  Signed
	status Signed
	deltas []Signed
	read   time.Time

	// what the next delta is made from; only the publisher uses it
	last *codegen.StatusList

	judged      string // rules and areas in force when last looked, and since when this node knows them
	judgedSince time.Time
}

// Publish makes the lists that are due: the trust list when a key changes state or it is an hour old, the status list
// when it is five minutes old. Of several nodes one does it; the others find it done. Call it every few seconds. An
// error leaves the lists of before in place, with their age.
func (s *Service) Publish(ctx context.Context) error {
	s.publish.Lock()
	defer s.publish.Unlock()
	now := s.now()
	key, trusted, err := s.keys.ListKey(now)
	if err != nil {
		return unavailable(err)
	}
	if err := s.flushTouched(ctx, now); err != nil {
		return err
	}
	return errors.Join(s.publishTrust(ctx, key, trusted, now), s.publishStatus(ctx, key, now))
}

func (s *Service) publishTrust(ctx context.Context, key crypto.Signer, trusted []codegen.VerifyKey, now time.Time) error {
	old, version, err := s.getList(ctx, trustID)
	if err != nil {
		return err
	}
	digest, err := digestOf(key, trusted)
	if err != nil {
		return err
	}
	number, due := old.next(key, now, trustEach)
	if !due && (string(old.Keys) == string(digest) || number <= old.Number) {
		return nil
	}
	next := Signed{Number: number, Issued: now, Expires: now.Add(listLife), Keys: digest, Signer: signerOf(key)}
	next.Data, err = codegen.TrustList{Number: next.Number, Issued: next.Issued, Expires: next.Expires, Keys: trusted}.Sign(key)
	if err != nil {
		return err
	}
	_, err = s.putList(ctx, trustID, version, next)
	return err
}

// digestOf names a set of keys with their states.
func digestOf(key crypto.Signer, trusted []codegen.VerifyKey) ([]byte, error) {
	h := sha256.New()
	root, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, err
	}
	h.Write(root)
	for _, k := range trusted {
		id, err := codegen.KeyIDOf(k.Public)
		if err != nil {
			return nil, err
		}
		part, err := json.Marshal([]any{id, k.Region, k.From, k.Until, k.State})
		if err != nil {
			return nil, err
		}
		h.Write(part)
	}
	return h.Sum(nil), nil
}

func (s *Service) publishStatus(ctx context.Context, key crypto.Signer, now time.Time) error {
	old, version, err := s.getList(ctx, statusID)
	if err != nil {
		return err
	}
	number, due := old.next(key, now, StatusEach)
	if !due {
		return nil
	}
	ids, err := s.notAsTheySay(ctx, now)
	if err != nil {
		return err
	}
	previous := s.previous(old, key, now)
	list, err := codegen.NewStatusList(previous, number, now, now.Add(listLife), ids)
	if err != nil {
		return err
	}
	next := Signed{Number: list.Number, Issued: now, Expires: list.Expires, Entries: list.Len(), Signer: signerOf(key)}
	if next.Data, err = list.Sign(key); err != nil {
		return err
	}
	if won, err := s.putList(ctx, statusID, version, next); err != nil || !won {
		return err // another node's list is the one; what follows it is made from that
	}
	s.lists.last = list
	if previous == nil {
		return nil
	}
	return s.addDelta(ctx, previous, list, key)
}

// previous gives the stored list, so that the next one shares its salt and a delta can be made.
func (s *Service) previous(old Signed, key crypto.Signer, now time.Time) *codegen.StatusList {
	if s.lists.last != nil && s.lists.last.Number == old.Number {
		return s.lists.last
	}
	list, err := codegen.OpenStatusList(old.Data, pinOf(key), 0, now, 0)
	if err != nil {
		return nil // signed by the key of before, or too old: gates need the whole list
	}
	return list
}

// addDelta keeps the difference beside the latest ones. Where there is none, or somebody else was quicker, gates take the
// whole list.
func (s *Service) addDelta(ctx context.Context, from, to *codegen.StatusList, key crypto.Signer) error {
	data, err := to.SignDelta(from, key)
	if errors.Is(err, kangma.Conflict) {
		return nil
	}
	if err != nil {
		return err
	}
	deltas, version, err := s.getDeltas(ctx)
	if err != nil {
		return err
	}
	deltas = append(deltas, Signed{Number: to.Number, From: from.Number, Issued: to.Issued, Expires: to.Expires, Data: data})
	raw, err := cbor.Marshal(deltas[max(0, len(deltas)-keptDeltas):])
	if err != nil {
		return err
	}
	_, err = s.put(ctx, deltasID, version, raw)
	return err
}

// notAsTheySay gives the ids of all living codes that say more than is so: voided, or better than their holder's colour
// of now. A code that says red of a red holder tells the truth and is not listed. It asks about the suspects only, where they are
// known.
func (s *Service) notAsTheySay(ctx context.Context, now time.Time) (ids []codegen.CodeID, err error) {
	suspects, known, err := s.suspects(ctx, now)
	if err != nil {
		return nil, err
	}
	if known {
		ids, err = s.wrongOf(ctx, suspects, now)
	} else {
		err = s.each(ctx, heldKind, func(id string, data []byte, _ uint64) error {
			person, err := kangma.ParsePersonID(id)
			if err != nil {
				return err
			}
			ids, err = s.appendWrong(ctx, ids, person, data, now)
			return err
		})
	}
	if err != nil {
		return nil, err
	}
	return ids, s.each(ctx, voidKind, func(_ string, data []byte, _ uint64) error {
		var held []HeldCode
		if err := json.Unmarshal(data, &held); err != nil {
			return err
		}
		for i := range held {
			if held[i].living(now) {
				ids = append(ids, held[i].ID)
			}
		}
		return nil
	})
}

// wrongOf is notAsTheySay for some people.
func (s *Service) wrongOf(ctx context.Context, people map[kangma.PersonID]struct{}, now time.Time) (ids []codegen.CodeID, err error) {
	for p := range people {
		rec, err := s.registry.Records().Get(ctx, heldKind, p.String())
		if errors.Is(err, kangma.NotFound) {
			continue
		}
		if err != nil {
			return nil, unavailable(err)
		}
		if ids, err = s.appendWrong(ctx, ids, p, rec.Data, now); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// appendWrong adds what of a person's codes says more than is so.
func (s *Service) appendWrong(ctx context.Context, ids []codegen.CodeID, person kangma.PersonID, data []byte, now time.Time) ([]codegen.CodeID, error) {
	var held []HeldCode
	if err := json.Unmarshal(data, &held); err != nil {
		return nil, err
	}
	a, _, err := s.registry.Assess(ctx, person, now)
	if err != nil {
		return nil, err
	}
	for i := range held {
		if h := &held[i]; h.living(now) && h.wrong(&a) {
			ids = append(ids, h.ID)
		}
	}
	return ids, nil
}

// wrong reports whether a code promises more than its holder's assessment does. Paper passes as green where no list says
// otherwise, so it is wrong for everybody who is not.
func (h *HeldCode) wrong(a *kangma.Assessment) bool {
	says := h.Colour
	if h.Kind == codegen.Paper {
		says = kangma.Green
	}
	return !h.Void.IsZero() || !a.Told || a.Colour.Worse(says)
}

func (s *Service) getList(ctx context.Context, id string) (l Signed, version uint64, err error) {
	rec, err := s.registry.Records().Get(ctx, listKind, id)
	if errors.Is(err, kangma.NotFound) {
		return l, rec.Version, nil
	}
	if err != nil {
		return l, 0, unavailable(err)
	}
	return l, rec.Version, damaged(cbor.Unmarshal(rec.Data, &l))
}

func (s *Service) getDeltas(ctx context.Context) (l []Signed, version uint64, err error) {
	rec, err := s.registry.Records().Get(ctx, listKind, deltasID)
	if errors.Is(err, kangma.NotFound) {
		return nil, rec.Version, nil
	}
	if err != nil {
		return nil, 0, unavailable(err)
	}
	return l, rec.Version, damaged(cbor.Unmarshal(rec.Data, &l))
}

func damaged(err error) error {
	if err == nil {
		return nil
	}
	return kangma.E(kangma.Internal, "damaged", "a stored document is damaged").Because(err)
}

func (s *Service) putList(ctx context.Context, id string, version uint64, l Signed) (won bool, err error) {
	raw, err := cbor.Marshal(l)
	if err != nil {
		return false, err
	}
	return s.put(ctx, id, version, raw)
}

// put stores the next version; won is false where another node was quicker and has done the work.
func (s *Service) put(ctx context.Context, id string, version uint64, raw []byte) (won bool, err error) {
	err = s.registry.Records().Put(ctx, store.Record{Kind: listKind, ID: id, Version: version + 1, Data: raw})
	if errors.Is(err, kangma.Conflict) {
		return false, nil
	}
	s.lists.mu.Lock()
	s.lists.read = time.Time{}
	s.lists.mu.Unlock()
	return err == nil, unavailable(err)
}
