package api

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/feeds"
)

// feedKey is a provider's public key as kept in the records (kind "feed-key").
type feedKey struct {
	ID       string    `json:"id"`
	Provider string    `json:"provider"`
	PEM      string    `json:"pem"`
	From     time.Time `json:"from"`
	Until    time.Time `json:"until,omitzero"`
}

const feedKeyKind = "feed-key"

func (k feedKey) key() (feeds.Key, error) {
	block, _ := pem.Decode([]byte(k.PEM))
	if block == nil {
		return feeds.Key{}, kangma.E(kangma.Invalid, "pem", "a key is a PUBLIC KEY in PEM")
	}
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return feeds.Key{}, kangma.E(kangma.Invalid, "pem", "a key is a PUBLIC KEY in PEM").Because(err)
	}
	return feeds.Key{ID: k.ID, Provider: k.Provider, Public: public, From: k.From, Until: k.Until}, nil
}

// feedKeys gives a feed's keys by id.
func (s *Server) feedKeys(ctx context.Context, source string) (map[string]feeds.Key, error) {
	found := map[string]feeds.Key{}
	var bad error
	err := eachDoc(ctx, s.cfg.Registry.Records(), feedKeyKind, func(k feedKey) {
		if k.Provider == source {
			key, err := k.key()
			found[k.ID], bad = key, errors.Join(bad, err)
		}
	})
	return found, errors.Join(err, bad)
}

type putKeyIn struct {
	ID   string `path:"id" minLength:"1" maxLength:"64"`
	Body struct {
		Provider string    `json:"provider" minLength:"1" maxLength:"64"`
		PEM      string    `json:"pem" maxLength:"4000" doc:"Ed25519 or P-256 public key"`
		From     time.Time `json:"from,omitzero" doc:"default: now"`
		Until    time.Time `json:"until,omitzero"`
	}
}

type keyOut struct{ Body feedKey }

func (s *Server) putFeedKey(ctx context.Context, in *putKeyIn) (*keyOut, error) {
	k := feedKey{ID: in.ID, Provider: in.Body.Provider, PEM: in.Body.PEM, From: in.Body.From, Until: in.Body.Until}
	if k.From.IsZero() {
		k.From = s.auth.now().UTC()
	}
	if _, err := k.key(); err != nil {
		return nil, err
	}
	return &keyOut{Body: k}, unavailable(s.cfg.Registry.PutDoc(ctx, feedKeyKind, k.ID, k, map[string]string{"provider": k.Provider}))
}
