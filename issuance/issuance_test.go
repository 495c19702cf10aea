package issuance_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
	"github.com/kangma/kangma/issuance"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/risk/rules"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/embedded"
	"github.com/kangma/kangma/store/journal"
	"github.com/kangma/kangma/store/seal"
)

const region = kangma.Division(441500000)

// desk is a node's registry on embedded stores with an issuing service, and a clock the test sets.
type desk struct {
	t        testing.TB
	mu       sync.Mutex
	clock    time.Time
	registry *registry.Service
	records  store.Records
	dossiers *counted
	touched  issuance.Touched
	keys     *keys
	*issuance.Service
}

func (d *desk) now() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.clock
}

// other makes another list key the one in use.
func (d *desk) other() {
	d.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		d.t.Fatal(err)
	}
	d.keys.list = key
}

func (d *desk) pass(by time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.clock = d.clock.Add(by)
}

// keys signs everything with one key each, and may refuse to.
type keys struct {
	*codegen.Issuer
	list    *ecdsa.PrivateKey
	trusted []codegen.VerifyKey
	broken  error
}

func (k *keys) Issue(c codegen.Claims) (codegen.Code, error) {
	if k.broken != nil {
		return codegen.Code{}, k.broken
	}
	return k.Issuer.Issue(c)
}

func (k *keys) ListKey(time.Time) (crypto.Signer, []codegen.VerifyKey, error) {
	return k.list, k.trusted, nil
}

func newDesk(t testing.TB) *desk {
	t.Helper()
	ctx := context.Background()
	d := &desk{t: t, clock: time.Date(2022, 8, 11, 4, 0, 0, 0, time.UTC)}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	log := slog.New(slog.DiscardHandler)
	j, err := journal.Open(filepath.Join(t.TempDir(), "journal"), journal.Options{Now: d.now, Logger: log})
	must(err)
	db, err := embedded.Open("", embedded.Options{})
	must(err)
	kek, err := seal.NewKEKs("k", map[string][seal.KeySize]byte{"k": {1}})
	must(err)
	sealer, err := seal.New(seal.Keys{KEK: kek, Index: [][seal.KeySize]byte{{2}}, Pseudonym: [seal.KeySize]byte{3}})
	must(err)
	d.records, d.dossiers = db.Records(), &counted{Dossiers: db.Dossiers()}
	d.registry, err = registry.Open(ctx, registry.Config{Node: "n1", Journal: j, Dossiers: d.touched.Watch(d.dossiers), Records: d.records,
		Sealer: sealer, Now: d.now, Retention: 60 * 24 * time.Hour, Log: log})
	must(err)
	t.Cleanup(func() {
		if err := errors.Join(d.registry.Close(ctx), db.Close(), j.Close()); err != nil {
			t.Error(err)
		}
	})
	preset, err := rules.PresetFile("national-9th-2022")
	must(err)
	_, err = d.registry.PublishRules(ctx, "national-9th-2022", preset)
	must(err)
	signing, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	d.keys = &keys{}
	d.keys.list, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	d.keys.trusted = []codegen.VerifyKey{{Public: &signing.PublicKey, Region: region, From: d.clock, Until: d.clock.AddDate(1, 0, 0), State: codegen.Active}}
	d.keys.Issuer, err = codegen.NewIssuer(codegen.IssuerConfig{Region: region, Key: signing, SubjectKey: [32]byte{4}})
	must(err)
	d.Service = d.service()
	return d
}

// service is one more node's issuing service on the same records.
func (d *desk) service() *issuance.Service {
	s, err := issuance.New(issuance.Config{Registry: d.registry, Keys: d.keys, Region: region, ShortKey: [32]byte{5}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		d.t.Fatal(err)
	}
	return s
}

func (d *desk) register(first17 string) kangma.PersonID {
	d.t.Helper()
	id := seal.Identity{DocType: kangma.DocResidentID}
	var err1, err2, err3 error
	id.Name, err1 = kangma.NewName("测试人")
	id.Number, err2 = kangma.NewIDNumber(id.DocType, first17+string(kangma.IDCheckChar(first17)), d.now())
	person, _, err3 := d.registry.Register(context.Background(), registry.Registration{Identity: id})
	if err := errors.Join(err1, err2, err3); err != nil {
		d.t.Fatal(err)
	}
	return person
}

func anchors(n int) (out []issuance.Anchor) {
	for i := range n {
		out = append(out, issuance.Anchor{Nonce: [4]byte{byte(i)}, Anchor: codegen.Link{1, byte(i)}})
	}
	return out
}

func (d *desk) pins() []*ecdsa.PublicKey { return []*ecdsa.PublicKey{&d.keys.list.PublicKey} }

func (d *desk) status() *codegen.StatusList {
	d.t.Helper()
	d.pass(issuance.StatusEach)
	if err := d.Publish(context.Background()); err != nil {
		d.t.Fatal(err)
	}
	d.pass(3 * time.Second)
	l, err := d.StatusList(context.Background())
	if err != nil {
		d.t.Fatal(err)
	}
	list, err := codegen.OpenStatusList(l.Data, d.pins(), 0, d.now(), 0)
	if err != nil {
		d.t.Fatal(err)
	}
	return list
}

func TestAnErasedPersonsCodesStayVoidWithoutAName(t *testing.T) {
	d, ctx := newDesk(t), context.Background()
	person := d.register("44150219900307601")
	drawn, err := d.Credentials(ctx, person, true, anchors(2), 0)
	if err != nil {
		t.Fatal(err)
	}
	if l := d.status(); l.Hit(drawn.Codes[0].Claims.ID) {
		t.Fatal("a code in order is on the list")
	}
	if err := d.registry.Erase(ctx, person); err != nil {
		t.Fatal(err)
	}
	if l := d.status(); !l.Hit(drawn.Codes[0].Claims.ID) || !l.Hit(drawn.Codes[1].Claims.ID) {
		t.Error("the codes of an erased person are not on the list")
	}
	if held, err := d.Held(ctx, person); err != nil || len(held) != 0 {
		t.Errorf("kept under the person: %+v %v", held, err)
	}
	for _, kind := range []string{"codes", "void-codes", "guardianship"} {
		all, _, err := d.records.List(ctx, store.RecordQuery{Kind: kind, Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range all {
			if strings.Contains(r.ID+string(r.Data), person.String()) {
				t.Errorf("%s %s still names the person", r.Kind, r.ID)
			}
		}
	}
}

func TestWhatCannotBeSignedIsNotOnRecord(t *testing.T) {
	d, ctx := newDesk(t), context.Background()
	person := d.register("44150219900307603")
	d.keys.broken = kangma.E(kangma.Unavailable, "sign", "no")
	if _, err := d.Credentials(ctx, person, false, anchors(1), 0); kangma.KindOf(err) != kangma.Unavailable {
		t.Errorf("got %v", err)
	}
	if _, err := d.Paper(ctx, person, false, 0); kangma.KindOf(err) != kangma.Unavailable {
		t.Errorf("got %v", err)
	}
	if held, err := d.Held(ctx, person); err != nil || len(held) != 0 {
		t.Errorf("on record: %+v %v", held, err)
	}
}

func TestAPersonHoldsABoundedNumberOfCodes(t *testing.T) {
	d, ctx := newDesk(t), context.Background()
	person := d.register("44150219900307604")
	var err error
	n := 0
	for ; err == nil && n < 100; n++ {
		_, err = d.Credentials(ctx, person, false, anchors(issuance.MaxDraw), time.Hour)
	}
	if kangma.KindOf(err) != kangma.TooMany || n < 5 {
		t.Errorf("after %d draws: %v", n, err)
	}
	d.pass(2 * time.Hour)
	if _, err := d.Credentials(ctx, person, false, anchors(1), time.Hour); err != nil {
		t.Errorf("when the others are over: %v", err)
	}
	if held, err := d.Held(ctx, person); err != nil || len(held) != 1 {
		t.Errorf("%d are on record, %v", len(held), err)
	}
}

// Two nodes on the same records: one list at a time, numbers that only rise, and deltas that lead from one to the next.
func TestTwoNodesPublishOneList(t *testing.T) {
	d, ctx := newDesk(t), context.Background()
	other := d.service()
	var last uint64
	var list *codegen.StatusList
	for round := range 6 {
		d.pass(issuance.StatusEach)
		person := d.register("4415021990030761" + string(rune('0'+round)))
		code, err := d.Paper(ctx, person, false, 0)
		if err == nil {
			_, err = d.Void(ctx, person, code.Claims.ID, issuance.VoidLost)
		}
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for _, s := range []*issuance.Service{d.Service, other} {
			wg.Go(func() {
				if err := s.Publish(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		d.pass(3 * time.Second)
		a, err1 := d.StatusList(ctx)
		b, err2 := other.StatusList(ctx)
		if err := errors.Join(err1, err2); err != nil || a.Number != b.Number || a.Number <= last || string(a.Data) != string(b.Data) {
			t.Fatalf("round %d: lists %d and %d after %d, %v", round, a.Number, b.Number, last, err)
		}
		if list != nil {
			delta, err := other.StatusDelta(ctx, last)
			if err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
			if list, err = list.Apply(delta.Data, d.pins(), d.now(), 0); err != nil || list.Number != a.Number || !list.Hit(code.Claims.ID) {
				t.Fatalf("round %d: the delta leads to %+v, %v", round, list, err)
			}
		} else if list, err = codegen.OpenStatusList(a.Data, d.pins(), 0, d.now(), 0); err != nil {
			t.Fatal(err)
		}
		last = a.Number
	}
}

func TestTheCountOfAKeyIsReconciledWithTheLog(t *testing.T) {
	d, ctx := newDesk(t), context.Background()
	person := d.register("44150219900307605")
	key := d.keys.Issuer.KeyID()
	for range 3 {
		if _, err := d.Credentials(ctx, person, false, anchors(2), 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Log(ctx); err != nil {
		t.Fatal(err)
	}
	logged, err := d.Logged(ctx)
	if err != nil || logged[key] != 6 {
		t.Fatalf("logged %v, %v", logged, err)
	}
	signed := map[codegen.KeyID]uint64{key: 6}
	if m := issuance.Unaccounted(signed, logged); len(m) != 0 {
		t.Errorf("all is accounted for, yet %v", m)
	}
	signed[key] = 7 // one signature that nobody issued
	signed[codegen.KeyID{9}] = 1
	if m := issuance.Unaccounted(signed, logged); m[key] != 1 || m[codegen.KeyID{9}] != 1 {
		t.Errorf("unaccounted %v", m)
	}
	again := d.service() // the next process goes on counting
	if _, err := again.Credentials(ctx, person, false, anchors(1), 0); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(again.Log(ctx), again.Log(ctx), d.Log(ctx)); err != nil {
		t.Fatal(err)
	}
	if logged, err := d.Logged(ctx); err != nil || logged[key] != 7 {
		t.Errorf("logged %v, %v", logged, err)
	}
}

func TestACredentialEndsWhenTheColourIsKnownToChange(t *testing.T) {
	d, ctx := newDesk(t), context.Background()
	person := d.register("44150219900307606")
	drawn, err := d.Credentials(ctx, person, false, anchors(1), 0)
	if err != nil || drawn.Codes[0].Claims.Slots() != codegen.MaxSlots {
		t.Fatalf("green: %+v %v", drawn, err)
	}
	if drawn, err := d.Credentials(ctx, kangma.NewPersonID(), false, anchors(1), 0); err != nil || drawn.Assessment.Told || len(drawn.Codes) != 0 {
		t.Errorf("nobody: %+v %v", drawn, err)
	}
	for _, bad := range [][]issuance.Anchor{nil, anchors(17), {{}}, {anchors(1)[0], anchors(1)[0]}} {
		if _, err := d.Credentials(ctx, person, false, bad, 0); kangma.KindOf(err) != kangma.Invalid {
			t.Errorf("%d anchors: %v", len(bad), err)
		}
	}
}
