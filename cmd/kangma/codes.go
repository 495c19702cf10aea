package main

import (
	"context"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/checkpoint/queue"
	"github.com/kangma/kangma/codegen"
	"github.com/kangma/kangma/keystore"
)

// codes issues and reads codes with the keys of the week, and takes up new keys without a stop.
type codes struct {
	keys   *keystore.Store
	region kangma.Division
	recent *codegen.Recent // nil: issued codes are not remembered
	now    atomic.Pointer[codeSet]
}

type codeSet struct {
	issuer  *codegen.Issuer
	paper   *codegen.Issuer
	keyring *codegen.Keyring
	opener  *codegen.Opener
	late    *codegen.Opener // without the keyring, for uploads after the key retired
}

const (
	maintainEvery = 10 * time.Minute
	lookEvery     = 2 * time.Second // for keys that a tool has rotated meanwhile
)

func openCodes(keys *keystore.Store, region kangma.Division) (*codes, error) {
	c := &codes{keys: keys, region: region}
	return c, c.refresh(time.Now())
}

// refresh makes the keys that are due and takes up those of now.
func (c *codes) refresh(now time.Time) error {
	var set codeSet
	if c.region != 0 { // tools that only read codes name no region and make no keys
		if err := c.keys.Maintain([]kangma.Division{c.region}, now); err != nil {
			return err
		}
	}
	subject, err := c.keys.Secret(keystore.SecretSubject)
	if err != nil {
		return err
	}
	trusted, err := c.keys.VerifyKeys(now)
	if err != nil {
		return err
	}
	if set.issuer, err = c.newIssuer(keystore.PurposeCode, subject, now); err != nil {
		return err
	}
	if set.paper, err = c.newIssuer(keystore.PurposePaper, subject, now); err != nil {
		return err
	}
	if set.keyring, err = codegen.NewKeyring(trusted, codegen.DefaultSkew); err != nil {
		return err
	}
	own, err := c.keys.Own(now)
	if err != nil {
		return err
	}
	if set.opener, err = codegen.NewOpener(codegen.OpenerConfig{SubjectKeys: [][32]byte{subject}, Keys: set.keyring, Own: own, Recent: c.recent}); err != nil {
		return err
	}
	if set.late, err = codegen.NewOpener(codegen.OpenerConfig{SubjectKeys: [][32]byte{subject}}); err != nil {
		return err
	}
	c.now.Store(&set)
	return nil
}

// newIssuer signs with the region's key of a purpose and of now; nil without a region.
func (c *codes) newIssuer(p keystore.Purpose, subject [32]byte, now time.Time) (*codegen.Issuer, error) {
	if c.region == 0 {
		return nil, nil
	}
	signer, key, err := c.keys.Signer(p, c.region, now)
	if kangma.KindOf(err) == kangma.NotFound && c.keys.Ready() != nil {
		return nil, nil // the token did not answer when the key of now was due: nothing is signed until it does
	}
	if err != nil {
		return nil, err
	}
	return codegen.NewIssuer(codegen.IssuerConfig{Region: c.region, Key: signer, SubjectKey: subject, From: key.From, Until: key.Until, Recent: c.recent})
}

// maintain refreshes until ctx ends. A failure leaves the keys of before in use and is logged.
func (c *codes) maintain(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			if now.Sub(last) < maintainEvery && !c.keys.Stale() {
				continue
			}
			last = now
			if err := c.refresh(now); err != nil {
				log.Error("signing keys", "err", err)
			}
		}
	}
}

// Issue signs with the key of now.
func (c *codes) Issue(claims codegen.Claims) (codegen.Code, error) {
	issuer := c.now.Load().issuerOf(claims.Kind)
	if issuer == nil && c.region == 0 {
		return codegen.Code{}, kangma.E(kangma.Invalid, "region", "no region was named to issue codes for")
	}
	err := codegen.ErrKeyOver
	var code codegen.Code
	if issuer != nil {
		code, err = issuer.Issue(claims)
	}
	if errors.Is(err, codegen.ErrKeyOver) { // the week has turned since the last refresh
		if err := c.refresh(claims.Issued); err != nil {
			return codegen.Code{}, err
		}
		if issuer = c.now.Load().issuerOf(claims.Kind); issuer == nil {
			return codegen.Code{}, kangma.E(kangma.Unavailable, "keystore_token", "the token with the signing keys does not answer; try again in a moment")
		}
		return issuer.Issue(claims)
	}
	return code, err
}

// issuerOf gives the issuer of a kind: paper codes live for months, so their key does too.
func (set *codeSet) issuerOf(k codegen.Kind) *codegen.Issuer {
	if k == codegen.Paper {
		return set.paper
	}
	return set.issuer
}

// ListKey gives the key that signs lists and bundles, and the keys that codes are verified with.
func (c *codes) ListKey(now time.Time) (crypto.Signer, []codegen.VerifyKey, error) {
	signer, _, err := c.keys.Signer(keystore.PurposeList, c.region, now)
	if err != nil {
		return nil, nil, err
	}
	trusted, err := c.keys.VerifyKeys(now)
	return signer, trusted, err
}

// Open opens online with the subject key.
func (c *codes) Open(text string, now time.Time) (codegen.Claims, kangma.CannotTell) {
	return c.now.Load().opener.Open(text, now)
}

// OpenLate opens what was shown days ago, though its signing key may have retired since.
func (c *codes) OpenLate(text string, at time.Time) (codegen.Claims, kangma.CannotTell) {
	return c.now.Load().late.Open(text, at)
}

// Verify verifies offline with the trusted keys.
func (c *codes) Verify(text string, now time.Time) (codegen.Claims, kangma.CannotTell) {
	return c.now.Load().keyring.Verify(text, now)
}

// VenueKeys gives the key that signs venue codes, and all whose venue codes still count.
func (c *codes) VenueKeys(now time.Time) (crypto.Signer, []*ecdsa.PublicKey, error) {
	signer, _, err := c.keys.Signer(keystore.PurposeVenue, c.region, now)
	if err != nil {
		return nil, nil, err
	}
	public, err := c.keys.PublicKeys(keystore.PurposeVenue, now)
	return signer, public, err
}

// QueueKey gives the key that gates seal to what they keep.
func (c *codes) QueueKey(now time.Time) (queue.Key, error) {
	key, err := c.keys.QueueKey(c.region, now)
	if err != nil {
		return queue.Key{}, err
	}
	return queue.KeyOf(key.Public)
}

// Exchange opens what a gate has sealed. A key that another process has just made is looked for on the newest list.
func (c *codes) Exchange(id codegen.KeyID, now time.Time) (ecdh.KeyExchanger, error) {
	key, err := c.keys.Exchange(id, now)
	if kangma.KindOf(err) == kangma.NotFound && c.keys.Stale() {
		if err := c.keys.Maintain(nil, now); err != nil {
			return nil, err
		}
		return c.keys.Exchange(id, now)
	}
	return key, err
}
