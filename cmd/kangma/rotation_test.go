package main

import (
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
	"github.com/kangma/kangma/keystore"
)

// R20 at the level of the server: codes are issued and verified online and offline without a pause while the signing key is
// rotated again and again beside them, as kangma keys rotate does it. No genuine code is refused, before or after.
func TestNoCodeIsRefusedWhileKeysRotate(t *testing.T) {
	const region = kangma.Division(441500000)
	dir := filepath.Join(t.TempDir(), "keys")
	keys, err := keystore.Open(dir, keystore.Options{Now: time.Now(), Regions: []kangma.Division{region}})
	if err != nil {
		t.Fatal(err)
	}
	c, err := openCodes(keys, region)
	if err != nil {
		t.Fatal(err)
	}
	tool, err := keystore.Open(dir, keystore.Options{Now: time.Now()}) // another process
	if err != nil {
		t.Fatal(err)
	}
	issue := func() codegen.Code {
		now := time.Now().UTC().Truncate(time.Second)
		code, err := c.Issue(codegen.Claims{Region: region, Issued: now, Expires: now.Add(5 * time.Minute), Kind: codegen.Dynamic, Colour: kangma.Green, Person: kangma.NewPersonID()})
		if err != nil {
			t.Errorf("issue: %v", err)
		}
		return code
	}
	check := func(code codegen.Code) {
		if _, tell := c.Open(code.Text, time.Now()); tell != "" {
			t.Errorf("online: %s", tell)
		}
		if _, tell := c.Verify(code.Text, time.Now()); tell != "" {
			t.Errorf("offline: %s", tell)
		}
	}
	var done atomic.Bool
	var wg sync.WaitGroup
	var n atomic.Int64
	first := issue()
	for range 3 {
		wg.Go(func() {
			for !done.Load() && !t.Failed() {
				check(issue())
				check(first)
				n.Add(1)
			}
		})
	}
	seen := map[codegen.KeyID]bool{first.Claims.Key: true}
	for range 20 {
		if err := tool.Rotate(keystore.PurposeCode, region, time.Now(), false); err != nil {
			t.Fatal(err)
		}
		if !keys.Stale() {
			t.Error("the server does not notice the rotation")
		}
		if err := c.refresh(time.Now()); err != nil {
			t.Fatal(err)
		}
		seen[issue().Claims.Key] = true
	}
	done.Store(true)
	wg.Wait()
	if n.Load() == 0 || len(seen) < 2 {
		t.Errorf("%d codes under %d keys", n.Load(), len(seen))
	}
	last := issue()
	if err := tool.Rotate(keystore.PurposeCode, region, time.Now(), true); err != nil { // stolen
		t.Fatal(err)
	}
	if err := c.refresh(time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, tell := c.Verify(last.Text, time.Now()); tell != kangma.TellRevoked {
		t.Errorf("a code of the withdrawn key: %q", tell)
	}
	check(issue())
}
