package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/keystore"
)

type keysCmd struct {
	List   keysListCmd   `cmd:"" help:"List the signing keys with their states."`
	New    keysNewCmd    `cmd:"" help:"Draw what a region needs and has not: secrets and signing keys. The server does this by itself at its start."`
	Token  keysTokenCmd  `cmd:"" help:"Keep the signing keys in a PKCS#11 token (HSM, smart card, SoftHSM) from the first start on."`
	Rotate keysRotateCmd `cmd:"" help:"Put a new signing key in place at once, also while the server runs. Without need wait: keys change by themselves each week."`
}

type keysNewCmd struct {
	Region string `required:"" help:"Region of the keys: a GB/T 2260 code, e.g. 440300."`
}

// Run says what it drew; nothing is drawn twice.
func (c keysNewCmd) Run(w *world) error {
	region, err := kangma.ParseDivision(c.Region)
	if err != nil {
		return err
	}
	keys, err := keystore.Open(w.keysDir(), keystore.Options{Now: time.Now(), Regions: []kangma.Division{region}})
	if err != nil {
		return err
	}
	if w.JSON {
		return json.NewEncoder(w.out).Encode(map[string]any{"created": keys.Created()})
	}
	for _, what := range keys.Created() {
		fmt.Fprintln(w.out, "created:", what)
	}
	if len(keys.Created()) == 0 {
		fmt.Fprintln(w.out, "nothing is missing")
	}
	return nil
}

type keysTokenCmd struct {
	Module  string `required:"" type:"path" help:"The vendor's PKCS#11 library, e.g. /usr/lib/softhsm/libsofthsm2.so."`
	Label   string `required:"" help:"Label of the token."`
	PinFile string `required:"" type:"path" help:"File of mode 0600 with the PIN."`
}

// Run logs in once and notes the token in the key folder.
func (c keysTokenCmd) Run(w *world) error {
	err := keystore.UseToken(w.keysDir(), keystore.TokenConfig{Module: c.Module, Label: c.Label}, c.PinFile)
	if err != nil {
		return err
	}
	fmt.Fprintln(w.out, "signing keys will live in the token", c.Label)
	return nil
}

type keysRotateCmd struct {
	Region   string `required:"" help:"Region of the key: a GB/T 2260 code, e.g. 440300."`
	Purpose  string `enum:"code,paper,list,venue,queue" default:"code" help:"What the key is for: it signs codes, paper codes, lists or venue codes, or opens what gates have sealed (queue)."`
	Withdraw bool   `help:"The old key was stolen: refuse everything it signed as soon as the trust list arrives."`
}

// Run needs the key folder only, so it works beside a running server, which takes the new key up within seconds.
func (c keysRotateCmd) Run(w *world) error {
	region, err := kangma.ParseDivision(c.Region)
	if err != nil {
		return err
	}
	now, purpose := time.Now(), keystore.Purpose(c.Purpose)
	keys, err := keystore.Open(w.keysDir(), keystore.Options{Now: now})
	if err != nil {
		return err
	}
	if _, err := keys.Active(purpose, region, now); err != nil {
		return err // nothing to rotate: a mistyped region must not get a key
	}
	if err := keys.Rotate(purpose, region, now, c.Withdraw); err != nil {
		return err
	}
	key, err := keys.Active(purpose, region, now)
	if err != nil {
		return err
	}
	if w.JSON {
		return json.NewEncoder(w.out).Encode(key)
	}
	use := "signs for"
	if key.Purpose == keystore.PurposeQueue {
		use = "is sealed to for"
	}
	fmt.Fprintf(w.out, "%s %s %s of %s until %s\n", key.ID, use, key.Purpose, key.Region, key.Until.Format(time.DateOnly))
	return nil
}

type keysListCmd struct{}

// Run needs the key folder only, so it works beside a running server.
func (keysListCmd) Run(w *world) error {
	now := time.Now()
	keys, err := keystore.Open(w.keysDir(), keystore.Options{Now: now})
	if err != nil {
		return err
	}
	all, err := keys.Keys(now)
	if err != nil {
		return err
	}
	if w.JSON {
		return json.NewEncoder(w.out).Encode(all)
	}
	for _, k := range all {
		fmt.Fprintf(w.out, "%s  %-6s %s  %-12s in use %s to %s\n", k.ID, k.Purpose, k.Region, k.State, k.From.Format(time.DateOnly), k.Until.Format(time.DateOnly))
	}
	return nil
}
