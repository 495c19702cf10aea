package keystore

import (
	"crypto"
	"crypto/ecdsa"
	"io"
	"sync"

	"github.com/kangma/kangma/codegen"
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

func (s *Store) counting(id codegen.KeyID, signer crypto.Signer) crypto.Signer {
	return &counted{signer, id, &s.made}
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
