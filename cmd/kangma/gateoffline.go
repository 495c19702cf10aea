package main

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/checkpoint"
	"github.com/kangma/kangma/codegen"
	"github.com/kangma/kangma/keystore"
	"github.com/kangma/kangma/registry"
)

type gateBundleCmd struct {
	Gate   string `required:"" help:"Gate id, e.g. metro-1 in the demo."`
	Region string `help:"Division whose list key signs (GB/T 2260)." default:"441500" env:"KANGMA_REGION"`
	Out    string `required:"" type:"path" help:"Write the bundle to this file."`
	Pins   string `type:"path" help:"Write the public list keys to this file (PEM): the one in use, the one before, and the next where it is there. A gate gets them by a way that is trusted."`
}

func (c *gateBundleCmd) Run(w *world) error {
	region, err := kangma.ParseDivision(c.Region)
	if err != nil {
		return err
	}
	return withStack(w, region, func(s *stack) error {
		g, _, err := registry.GetDoc[checkpoint.Gate](w.ctx, s.registry.Records(), "gate", c.Gate)
		if errors.Is(err, kangma.NotFound) {
			return kangma.E(kangma.NotFound, "no_gate", "there is no such gate in this data folder")
		}
		if err != nil {
			return err
		}
		now := time.Now()
		key, _, err := s.codes.ListKey(now)
		if err != nil {
			return err
		}
		if err := s.issuance.Publish(w.ctx); err != nil {
			return err
		}
		trust, status, err := s.issuance.ForBundle(w.ctx, key)
		if err != nil {
			return err
		}
		to, err := s.codes.QueueKey(now)
		if err != nil {
			return err
		}
		data, err := checkpoint.PackBundle(key, g, trust.Data, status.Data, to, now)
		if err != nil {
			return err
		}
		if c.Pins != "" {
			pins, err := listPins(s.keys, region, now)
			if err != nil {
				return err
			}
			if err := os.WriteFile(c.Pins, pins, 0o644); err != nil {
				return err
			}
		}
		if err := os.WriteFile(c.Out, data, 0o600); err != nil {
			return err
		}
		_, err = fmt.Fprintf(w.out, "bundle of %s, %d bytes: %s\n", g.ID, len(data), c.Out)
		return err
	})
}

// listPins writes what gates pin: a region's list keys that sign, that will within days, or that did.
func listPins(keys *keystore.Store, region kangma.Division, now time.Time) (out []byte, err error) {
	all, err := keys.Keys(now)
	if err != nil {
		return nil, err
	}
	for _, k := range all {
		if k.Purpose != keystore.PurposeList || k.Region != region || k.State == codegen.Retired {
			continue
		}
		spki, err := x509.MarshalPKIXPublicKey(k.Public)
		if err != nil {
			return nil, err
		}
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki})...)
	}
	return out, nil
}

var errPins = kangma.E(kangma.Invalid, "pins", "the file of pinned keys (--pins) holds ECDSA P-256 public keys in PEM")

func readPins(path string) (keys []*ecdsa.PublicKey, err error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, errPins.Because(err)
	}
	for block, rest := pem.Decode(raw); block != nil; block, rest = pem.Decode(rest) {
		key, err := x509.ParsePKIXPublicKey(block.Bytes)
		ec, ok := key.(*ecdsa.PublicKey)
		if err != nil || !ok {
			return nil, errPins.Because(err)
		}
		keys = append(keys, ec)
	}
	if len(keys) == 0 {
		return nil, errPins
	}
	return keys, nil
}

// offline decides by a bundle alone: it opens no data folder and no network.
func (c *gateScanCmd) offline(w *world) error {
	pins, err := readPins(c.Pins)
	if err != nil {
		return err
	}
	raw, err := os.ReadFile(c.Bundle)
	if err != nil {
		return err
	}
	now := time.Now()
	b, err := checkpoint.OpenBundle(raw, pins, now)
	if err != nil {
		return err
	}
	gate, err := checkpoint.NewOffline(b)
	if err != nil {
		return err
	}
	if err := resumeGate(gate, c.Bundle); err != nil {
		return err
	}
	in, err := c.shot(w, b.Gate.Policy)
	if err != nil {
		return err
	}
	now = time.Now() // the person may have taken a while to type the number
	v, p, err := gate.Scan(in, now)
	if err != nil {
		return err
	}
	if err := errors.Join(c.keep(gate, in.Code, p), keepGate(gate, c.Bundle)); err != nil { // before anybody passes
		return err
	}
	if err := c.print(w, v, c.Keep != ""); err != nil {
		return err
	}
	if !w.JSON {
		sayAges(w, gate.Ages(now))
	}
	if v.Decision != kangma.Pass {
		return denied
	}
	return nil
}

// keep seals the passage, appends it in the form that POST /v1/scans/sync takes, and syncs the file. What lies in the file this
// device cannot read itself.
func (c *gateScanCmd) keep(gate *checkpoint.Offline, text string, p kangma.Passage) error {
	if c.Keep == "" {
		return nil
	}
	sealed, err := gate.Seal(text, p)
	if err != nil {
		return err
	}
	line, err := json.Marshal(sealed)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(c.Keep, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	return errors.Join(err, f.Sync(), f.Close())
}
