package keystore

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/x509"
	"io"
	"sync"
	"time"

	"github.com/kangma/kangma"
)

// tokenAgain is how long a token that does not answer is left alone before it is tried again.
const tokenAgain = time.Second

// awayToken is a token that was not there when the store was opened. It is tried again whenever something is asked of it, and
// from the first success on it is that token.
type awayToken struct {
	file  tokenFile
	mu    sync.Mutex
	token *Token
	next  time.Time
	err   error
}

// get gives the token or says that it does not answer.
func (a *awayToken) get() (*Token, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if now := time.Now(); a.token == nil && !now.Before(a.next) {
		a.token, a.err = a.file.open()
		a.next = now.Add(tokenAgain)
	}
	if a.token == nil {
		return nil, errToken(a.err)
	}
	return a.token, nil
}

// Generate is that of the token.
func (a *awayToken) Generate(label string) (crypto.Signer, error) {
	t, err := a.get()
	if err != nil {
		return nil, err
	}
	return t.Generate(label)
}

// Load is that of the token.
func (a *awayToken) Load(label string) (crypto.Signer, error) {
	t, err := a.get()
	if err != nil {
		return nil, err
	}
	return t.Load(label)
}

// GenerateExchange is that of the token.
func (a *awayToken) GenerateExchange(label string) (ecdh.KeyExchanger, error) {
	t, err := a.get()
	if err != nil {
		return nil, err
	}
	return t.GenerateExchange(label)
}

// LoadExchange is that of the token.
func (a *awayToken) LoadExchange(label string) (ecdh.KeyExchanger, error) {
	t, err := a.get()
	if err != nil {
		return nil, err
	}
	return t.LoadExchange(label)
}

// Destroy is that of the token.
func (a *awayToken) Destroy(label string) error {
	t, err := a.get()
	if err != nil {
		return err
	}
	return t.Destroy(label)
}

func (a *awayToken) close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.token == nil {
		return nil
	}
	return a.token.Close()
}

// away says that a token does not answer, as opposed to one that refuses.
func away(err error) bool { return err != nil && kangma.CodeOf(err) == "keystore_token" }

// distant signs with a key of a token that did not answer when the key was asked for.
type distant struct {
	provider Provider
	label    string
	public   *ecdsa.PublicKey
	mu       sync.Mutex
	signer   crypto.Signer
}

// distantKey gives the signer of a record whose token does not answer now. Its public half is on the list.
func distantKey(p Provider, r *record) (crypto.Signer, error) {
	parsed, err := x509.ParsePKIXPublicKey(r.SPKI)
	public, ok := parsed.(*ecdsa.PublicKey)
	if err != nil || !ok {
		return nil, errMissing(r.Label)
	}
	return &distant{provider: p, label: r.Label, public: public}, nil
}

func (d *distant) Public() crypto.PublicKey { return d.public }

// Sign signs once the token answers. kangma.Unavailable: it does not.
func (d *distant) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	d.mu.Lock()
	if d.signer == nil {
		signer, err := d.provider.Load(d.label)
		if err == nil && !d.public.Equal(signer.Public()) {
			err = errMissing(d.label)
		}
		if err != nil {
			d.mu.Unlock()
			return nil, err
		}
		d.signer = signer
	}
	signer := d.signer
	d.mu.Unlock()
	return signer.Sign(rand, digest, opts)
}

// Ready says whether the provider of signing keys answers; nil: it does. Files always do.
func (s *Store) Ready() error {
	if a, ok := s.provider.(*awayToken); ok {
		_, err := a.get()
		return err
	}
	return nil
}
