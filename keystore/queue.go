package keystore

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"slices"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
)

// PurposeQueue keys sign nothing: gates without a network seal to them what they keep (docs/adr/0018).
const PurposeQueue Purpose = "queue"

// queuePlan: sealed to for 28 days. Then opened for 35 more: a bundle lives 7 days, what a gate kept is taken for 14, and as
// long again for a gate that goes on with a stale bundle.
var queuePlan = plan{28 * day, 35 * day}

// queueForget is how long a queue key is seen retired before its private half is deleted: a clock that is wrong for less than
// that, and put right, deletes nothing. With the plan that is 42 days after the last bundle that names the key was made.
const queueForget = 7 * day

// forgetQueueKeys deletes queue keys whose time is over for good: no gate holds a bundle that names them and no upload of what they
// sealed is taken any more. What the provider cannot delete now is deleted next time. The caller holds the lock.
func (s *Store) forgetQueueKeys(now time.Time) {
	s.list.Keys = slices.DeleteFunc(s.list.Keys, func(r record) bool {
		return r.Purpose == PurposeQueue && !r.Over.IsZero() && r.state(now) == codegen.Retired && now.Sub(r.Over) >= queueForget && s.forget(r.Label)
	})
	for i := range s.list.Keys {
		r := &s.list.Keys[i]
		switch over := r.Purpose == PurposeQueue && r.state(now) == codegen.Retired; {
		case !over:
			r.Over = time.Time{} // the clock went back
		case r.Over.IsZero():
			r.Over = now.UTC().Truncate(time.Second)
		}
	}
}

// forget deletes a key and reports whether it is gone.
func (s *Store) forget(label string) bool {
	delete(s.exchanges, label)
	return s.provider.Destroy(label) == nil
}

// Exchanges is a further power of a Provider: keys that agree (ECDH on P-256) instead of signing. Labels, errors and Destroy
// are those of the Provider.
type Exchanges interface {
	GenerateExchange(label string) (ecdh.KeyExchanger, error)
	LoadExchange(label string) (ecdh.KeyExchanger, error)
}

// QueueKey gives the key that gates of a region seal to now: the active one, or where none could be made the newest that still
// opens. kangma.NotFound: neither; call Maintain.
func (s *Store) QueueKey(region kangma.Division, now time.Time) (Key, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	best := s.signing(PurposeQueue, region, now)
	for i := range s.list.Keys {
		r := &s.list.Keys[i]
		if best == nil && r.Purpose == PurposeQueue && r.Region == region && r.state(now) == codegen.VerifyOnly {
			best = r
		}
	}
	if best == nil {
		return Key{}, errNoQueueKey
	}
	return best.key(now)
}

var errNoQueueKey = kangma.E(kangma.NotFound, "queue_key", "this server has no such queue key, or no longer: the passage was sealed for another server or long ago")

// Exchange gives the private half of a queue key that is not retired, to open what was sealed to it. kangma.NotFound: there is
// none of this id, or its file is gone. kangma.Unavailable: it cannot be loaded now.
func (s *Store) Exchange(id codegen.KeyID, now time.Time) (ecdh.KeyExchanger, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.list.Keys {
		r := &s.list.Keys[i]
		if r.ID != id || r.Purpose != PurposeQueue || r.state(now) == codegen.Retired {
			continue
		}
		k, err := s.loadExchange(r)
		if kangma.KindOf(err) == kangma.NotFound {
			return nil, errNoQueueKey.Because(err)
		}
		return k, err
	}
	return nil, errNoQueueKey
}

// loadExchange gives the private half of a record. The caller holds the lock.
func (s *Store) loadExchange(r *record) (ecdh.KeyExchanger, error) {
	if k := s.exchanges[r.Label]; k != nil {
		return k, nil
	}
	p, err := s.exchanger()
	if err != nil {
		return nil, err
	}
	k, err := p.LoadExchange(r.Label)
	if err != nil {
		return nil, err
	}
	if spki, err := x509.MarshalPKIXPublicKey(k.PublicKey()); err != nil || !bytes.Equal(spki, r.SPKI) {
		return nil, errMissing(r.Label)
	}
	s.exchanges[r.Label] = k
	return k, nil
}

func (s *Store) exchanger() (Exchanges, error) {
	if p, ok := s.provider.(Exchanges); ok {
		return p, nil
	}
	return nil, kangma.E(kangma.Invalid, "keystore_exchange", "the key provider makes no keys for key agreement")
}

// draw makes a key for a purpose under a label and gives its public half. What was made just before a crash that kept it off
// the list is taken up.
func (s *Store) draw(p Purpose, label string) (*ecdsa.PublicKey, error) {
	if p == PurposeQueue {
		return s.makeExchange(label)
	}
	signer, err := s.provider.Generate(label)
	if kangma.KindOf(err) == kangma.Conflict {
		signer, err = s.provider.Load(label)
	}
	if err != nil {
		return nil, err
	}
	s.signers[label] = signer
	pub, _ := signer.Public().(*ecdsa.PublicKey)
	return pub, nil
}

func (s *Store) makeExchange(label string) (*ecdsa.PublicKey, error) {
	p, err := s.exchanger()
	if err != nil {
		return nil, err
	}
	k, err := p.GenerateExchange(label)
	if kangma.KindOf(err) == kangma.Conflict {
		k, err = p.LoadExchange(label)
	}
	if err != nil {
		return nil, err
	}
	s.exchanges[label] = k
	return ecdsa.ParseUncompressedPublicKey(elliptic.P256(), k.PublicKey().Bytes())
}
