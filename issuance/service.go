// Package issuance draws the codes that live longer than a minute and keeps account of them: credentials of phones, paper
// codes, numeric codes, the codes of children and elders that a guardian shows, the signed lists by which gates know
// without a network what is no longer true, and the count of what each key has signed. It refuses to issue what it could
// not void: a code is on record before anybody sees it, and a genuine code without a record is a theft.
package issuance

import (
	"context"
	"crypto"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
	"github.com/kangma/kangma/registry"
)

// Keys signs codes and lists with the keys of the moment.
type Keys interface {
	// Issue signs with the key of the code's kind; codegen.Issuer says with what errors.
	Issue(codegen.Claims) (codegen.Code, error)
	// ListKey gives the key that signs lists, and every key that verifiers need now.
	ListKey(now time.Time) (crypto.Signer, []codegen.VerifyKey, error)
}

// Config is what a Service is built from. Registry, Keys and Region are required.
type Config struct {
	Registry *registry.Service
	Keys     Keys
	Region   kangma.Division
	ShortKey [32]byte     // of the numeric codes; zero: there are none
	Node     string       // name of this node, where Touched is set
	Touched  *Touched     // watches the registry's dossiers; nil: each status list asks about everybody who holds a code
	Log      *slog.Logger // nil: slog.Default
}

// Service issues codes at one node. All methods may be called concurrently, also by many nodes on the same records.
type Service struct {
	registry *registry.Service
	keys     Keys
	region   kangma.Division
	short    *codegen.ShortCoder
	shortKey [32]byte
	log      *slog.Logger

	node    string
	touched *Touched
	flushed bool // since the start; under publish

	counts  tally
	orphans atomic.Uint64
	publish sync.Mutex // one publication of lists at a time on this node
	lists   listCache
	views   recent
}

// New checks the configuration.
func New(cfg Config) (*Service, error) {
	if cfg.Registry == nil || cfg.Keys == nil || cfg.Region.Rank() == kangma.NoDivision {
		return nil, errors.New("issuance: incomplete configuration")
	}
	s := &Service{registry: cfg.Registry, keys: cfg.Keys, region: cfg.Region, shortKey: cfg.ShortKey, log: cfg.Log, node: cfg.Node, touched: cfg.Touched}
	if s.log == nil {
		s.log = slog.Default()
	}
	if cfg.ShortKey != [32]byte{} {
		var err error
		if s.short, err = codegen.NewShortCoder(cfg.ShortKey); err != nil {
			return nil, err
		}
	}
	cfg.Registry.OnErase(s.forget)
	return s, nil
}

// Issue signs a code and counts it for the reconciliation. Dynamic codes are issued by this alone: they live a minute or
// two and are not recorded one by one. The errors are those of codegen.Issuer.
func (s *Service) Issue(c codegen.Claims) (codegen.Code, error) {
	code, err := s.keys.Issue(c)
	if err == nil {
		s.counts.add(code.Claims.Key)
	}
	return code, err
}

// Orphans is how many genuine credentials and paper codes were shown here that nobody has a record of issuing. More than
// zero means that somebody else has the keys.
func (s *Service) Orphans() uint64 { return s.orphans.Load() }

// claimsOf begins the claims of a person's code with what every kind carries.
func (s *Service) claimsOf(d *kangma.Dossier, kind codegen.Kind, named bool, now time.Time) (codegen.Claims, error) {
	c := codegen.Claims{Region: s.region, Issued: now, Kind: kind, LatestNegative: registry.LatestNegative(d), Person: d.Person}
	if !named {
		return c, nil
	}
	id, err := s.registry.Sealer().Open(d.Person, d.Sealed)
	if err != nil {
		return c, err
	}
	c.MaskedName, c.IDTail = id.Name.Masked(), id.Number.Tail()
	return c, nil
}

// now is the service's clock in whole seconds.
func (s *Service) now() time.Time { return s.registry.Now().UTC().Truncate(time.Second) }

// each visits every record of a kind.
func (s *Service) each(ctx context.Context, kind string, visit func(id string, data []byte, version uint64) error) error {
	return s.eachBy(ctx, kind, "", "", visit)
}
