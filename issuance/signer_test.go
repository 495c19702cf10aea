package issuance_test

import (
	"context"
	"crypto/ecdsa"
	"testing"

	"github.com/kangma/kangma/codegen"
	"github.com/kangma/kangma/issuance"
)

// A bundle and the lists in it are trusted by one key, so after that key was changed, even in the second of the last list, the
// lists are signed again before anybody gets a bundle; what they say goes on.
func TestANewListKeySignsTheListsAtOnce(t *testing.T) {
	d, ctx := newDesk(t), context.Background()
	opens := func() (trust, status issuance.Signed) {
		t.Helper()
		trust, status, err := d.ForBundle(ctx, d.keys.list)
		if err != nil {
			t.Fatal(err)
		}
		pins := []*ecdsa.PublicKey{&d.keys.list.PublicKey}
		if _, err := codegen.OpenTrustList(trust.Data, pins, 0, d.now(), 0); err != nil {
			t.Errorf("trust list: %v", err)
		}
		if l, err := codegen.OpenStatusList(status.Data, pins, 0, d.now(), 0); err != nil || l.Number != status.Number {
			t.Errorf("status list: %v", err)
		}
		return trust, status
	}
	trust, status := opens()
	for range 3 {
		d.other()
		newTrust, newStatus := opens()
		if newTrust.Number <= trust.Number || newStatus.Number <= status.Number {
			t.Errorf("numbers %d, %d do not rise: %d, %d", trust.Number, status.Number, newTrust.Number, newStatus.Number)
		}
		again, sameStatus := opens()
		if again.Number != newTrust.Number || sameStatus.Number != newStatus.Number {
			t.Error("signed again without need")
		}
		trust, status = newTrust, newStatus
	}
	d.pass(issuance.StatusEach)
	if err := d.Publish(ctx); err != nil {
		t.Fatal(err)
	}
	if _, next := opens(); next.Number <= status.Number {
		t.Error("no list followed in its time")
	}
}
