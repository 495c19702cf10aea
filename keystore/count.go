package keystore

import (
	"crypto"
	"crypto/ecdsa"
	"io"
	"sync"

	"github.com/kangma/kangma/codegen"
	"github.com/kangma/kangma/keystore/presign"
)

// signatures counts what was signed by key since the last Flush, at the only place where a private key is used.
type signatures struct {
	mu sync.Mutex
	n  map[codegen.KeyID]uint64
}

func (c *signatures) add(id codegen.KeyID, n uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = map[codegen.KeyID]uint64{}
	}
	c.n[id] += n
}

func (c *signatures) take() map[codegen.KeyID]uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.n
	c.n = nil
	return n
}

// counted is a signer that counts every signature it makes.
type counted struct {
	crypto.Signer
	id    codegen.KeyID
	count *signatures
	drawn *presign.Key // nil: it signs with the nonce of RFC 6979, or on a token
}

// AppendSign signs with a nonce that was drawn ahead and counts; false: there is none, and Sign is to be asked.
func (c *counted) AppendSign(dst, digest []byte) (sig []byte, ok bool) {
	if c.drawn == nil {
		return dst, false
	}
	if sig, ok = c.drawn.AppendSign(dst, digest); ok {
		c.count.add(c.id, 1)
	}
	return sig, ok
}

// Sign signs and counts; what failed does not count. A key in memory signs with the nonce of RFC 6979, whatever rand is, so
// that a codegen.Opener recognises its signatures.
func (c *counted) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if _, inMemory := c.Signer.(*ecdsa.PrivateKey); inMemory {
		rand = nil
	}
	sig, err := c.Signer.Sign(rand, digest, opts)
	if err == nil {
		c.count.add(c.id, 1)
	}
	return sig, err
}

// UseNonces makes the keys for codes that lie in memory sign with the nonces of a stock (docs/adr/0019), from the next call of
// Signer on. Keys of a token draw their own.
func (s *Store) UseNonces(stock *presign.Stock) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nonces = stock
}

// counting gives the signer that counts. The caller holds the lock.
func (s *Store) counting(r *record, signer crypto.Signer) (*counted, error) {
	c := &counted{Signer: signer, id: r.ID, count: &s.made}
	key, inMemory := signer.(*ecdsa.PrivateKey)
	if s.nonces == nil || !inMemory || !r.Purpose.ForCodes() {
		return c, nil
	}
	var err error
	c.drawn, err = presign.NewKey(key, s.nonces)
	return c, err
}

// Flush writes down how many signatures each key has made through this Store since the last time. Call it after the log
// has been written (issuance.Service.Log): what a crash loses is then missing here, never there. After an error the
// counts are kept for the next call.
func (s *Store) Flush() error {
	n := s.made.take()
	if len(n) == 0 {
		return nil
	}
	err := s.Tally(n)
	if err != nil {
		for id, k := range n {
			s.made.add(id, k)
		}
	}
	return err
}
