package keystore

import (
	"crypto"
	"crypto/ecdh"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/keystore/presign"
)

// The names of the secrets every installation has.
const (
	SecretSealing   = "sealing"   // wraps the data keys of identities
	SecretIndex     = "index"     // blind indexes
	SecretPseudonym = "pseudonym" // epoch pseudonyms of analytics
	SecretSubject   = "subject"   // sealed subjects of codes
	SecretSessions  = "sessions"  // session cookies
	SecretShortCode = "shortcode" // numeric codes read out loud
)

var usualSecrets = []string{SecretSealing, SecretIndex, SecretPseudonym, SecretSubject, SecretSessions, SecretShortCode}

// Options says what Open makes sure of.
type Options struct {
	Now     time.Time         // required: which keys are due
	Regions []kangma.Division // regions that need signing keys
	// Provider holds the private signing keys. nil: what the folder says, a token (UseToken) or files.
	Provider Provider
}

// Store is an open key store. All methods may be called concurrently, also while another process changes the same folder
// (a lock file orders the changes).
type Store struct {
	dir      string
	provider Provider
	owned    bool // the provider was opened by Open

	mu      sync.Mutex
	list    manifest
	read    os.FileInfo // of keys.json as we last saw it
	secrets map[string][32]byte
	signers map[string]crypto.Signer // by label
	created []string

	exchanges map[string]ecdh.KeyExchanger // of queue keys, by label

	made   signatures
	nonces *presign.Stock
}

// Open opens the key store in dir, makes the folder if it is absent, and draws what is due and missing: secrets, and
// signing keys of every purpose for the regions. kangma.Forbidden: a folder or file that others may read.
// kangma.Unavailable: a secret or key that should be there is not, or the disk or token failed.
func Open(dir string, opts Options) (*Store, error) {
	if opts.Now.IsZero() {
		return nil, kangma.E(kangma.Invalid, "now", "opening a key store needs the time")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, errDisk.Because(err)
	}
	if err := checkMode(dir, true); err != nil {
		return nil, err
	}
	s := &Store{dir: dir, provider: opts.Provider, secrets: map[string][32]byte{}, signers: map[string]crypto.Signer{}, exchanges: map[string]ecdh.KeyExchanger{}}
	if s.provider == nil {
		var err error
		if s.provider, err = providerOf(dir); err != nil {
			return nil, err
		}
		s.owned = true
	}
	err := s.change(func() error {
		for _, name := range usualSecrets {
			if err := s.loadSecret(name); err != nil {
				return err
			}
		}
		return s.ensure(opts.Regions, opts.Now)
	})
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Created names what this Store has drawn since Open: for the start message, so that nobody is surprised by a new key.
func (s *Store) Created() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.created)
}

// Secret gives a named secret (lower-case letters, 1 to 32). One that the store has never had is drawn and kept.
// kangma.Unavailable: it is listed but its file is gone.
func (s *Store) Secret(name string) (secret [32]byte, err error) {
	s.mu.Lock()
	secret, ok := s.secrets[name]
	s.mu.Unlock()
	if ok {
		return secret, nil
	}
	err = s.change(func() error { return s.loadSecret(name) })
	if err != nil {
		return [32]byte{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.secrets[name], nil
}

// loadSecret reads or draws a secret. The caller holds the lock.
func (s *Store) loadSecret(name string) error {
	if !validSecretName(name) {
		return kangma.E(kangma.Invalid, "secret_name", "a secret's name has 1 to 32 lower-case letters")
	}
	path := filepath.Join(s.dir, name+".secret")
	if !slices.Contains(s.list.Secrets, name) {
		if _, err := os.Lstat(path); err == nil {
			// Written just before a crash that kept it off the list: nothing can have used it, but nothing is lost by keeping it.
			s.list.Secrets = append(s.list.Secrets, name)
			return s.readSecret(name, path)
		}
		var secret [32]byte
		rand.Read(secret[:]) // never fails: crypto/rand aborts the process instead
		if err := writeNew(path, secret[:]); err != nil {
			return err
		}
		s.list.Secrets = append(s.list.Secrets, name)
		s.secrets[name] = secret
		s.created = append(s.created, "secret "+name)
		return nil
	}
	return s.readSecret(name, path)
}

func (s *Store) readSecret(name, path string) error {
	b, err := readPrivate(path)
	if err != nil {
		return err
	}
	if len(b) != 32 {
		return errMissing(path)
	}
	s.secrets[name] = [32]byte(b)
	return nil
}

func validSecretName(s string) bool {
	if len(s) < 1 || len(s) > 32 {
		return false
	}
	for i := range len(s) {
		if s[i] < 'a' || s[i] > 'z' {
			return false
		}
	}
	return true
}

// InMemory reports whether the signing keys are in this process and not in a token, which one has to wait for.
func (s *Store) InMemory() bool {
	_, ok := s.provider.(fileProvider)
	return ok
}
