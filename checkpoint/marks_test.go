package checkpoint_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/checkpoint"
	"github.com/kangma/kangma/codegen"
)

// restart makes the gate anew from what it keeps on its disk.
func restart(t *testing.T, b *bureau, before *checkpoint.Offline) (*checkpoint.Offline, []byte) {
	t.Helper()
	raw, err := json.Marshal(before.State())
	if err != nil {
		t.Fatal(err)
	}
	var st checkpoint.GateState
	if err := json.Unmarshal(raw, &st); err != nil {
		t.Fatal(err)
	}
	o := b.gate(t, checkpoint.DefaultPolicy("metro"), nil)
	if err := o.Resume(st); err != nil {
		t.Fatal(err)
	}
	return o, raw
}

func TestAProofIsNotGoodAgainAfterARestartAndLeavesNoTrace(t *testing.T) {
	b := newBureau(t)
	seed := [32]byte{7}
	chain, err := codegen.NewChain(seed, [4]byte{1, 2, 3, 4}, 120)
	if err != nil {
		t.Fatal(err)
	}
	code, err := b.issuer.Issue(codegen.Claims{Kind: codegen.Credential, Colour: kangma.Green, Issued: noon, Expires: noon.Add(time.Hour),
		Person: kangma.NewPersonID(), Nonce: chain.Nonce, Anchor: chain.Anchor, MaskedName: "林*绿", IDTail: "8828"})
	if err != nil {
		t.Fatal(err)
	}
	scan := func(o *checkpoint.Offline, slot int, at time.Duration) kangma.Verdict {
		t.Helper()
		text, err := codegen.Show(code.Text, chain, slot)
		if err != nil {
			t.Fatal(err)
		}
		v, _, err := o.Scan(checkpoint.Scan{Code: text}, noon.Add(at))
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	o := b.gate(t, checkpoint.DefaultPolicy("metro"), nil)
	if v := scan(o, 0, 0); v.Decision != kangma.Pass {
		t.Fatalf("%+v", v)
	}
	o, raw := restart(t, b, o)
	for _, trace := range []string{code.Text, code.Text[4:24], code.Claims.ID.String(), "林", "8828"} {
		if strings.Contains(string(raw), trace) {
			t.Errorf("%q is in what the gate keeps: %s", trace, raw)
		}
	}
	if v := scan(o, 0, 5*time.Second); v.CannotTell != kangma.TellReplayed || v.Decision != kangma.Refer {
		t.Errorf("the same proof after a restart: %+v", v)
	}
	o, _ = restart(t, b, o)
	if v := scan(o, 1, 30*time.Second); v.Decision != kangma.Pass {
		t.Errorf("the next proof: %+v", v)
	}
	key := string(o.State().Marks.Key)
	if n := len(o.State().Marks.Shown); n != 2 || len(key) != 32 {
		t.Errorf("%d marks, a key of %d bytes", n, len(key))
	}
	if _, _, err := o.Scan(checkpoint.Scan{Code: "x"}, noon.Add(5*time.Minute)); err != nil {
		t.Fatal(err)
	}
	if m := o.State().Marks; len(m.Shown) != 0 || len(m.Key) != 0 {
		t.Errorf("after five minutes there are %d marks and a key of %d bytes", len(m.Shown), len(m.Key))
	}
	scan(o, 12, 6*time.Minute)
	if again := string(o.State().Marks.Key); again == key || len(again) != 32 {
		t.Error("the key of the marks is not forgotten with them")
	}
}
