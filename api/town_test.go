package api_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/api"
	"github.com/kangma/kangma/checkpoint"
	"github.com/kangma/kangma/checkpoint/queue"
	"github.com/kangma/kangma/codegen"
	"github.com/kangma/kangma/issuance"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/risk/rules"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/embedded"
	"github.com/kangma/kangma/store/journal"
	"github.com/kangma/kangma/store/seal"
	"github.com/kangma/kangma/store/wire"
)

const region = kangma.Division(441500000)

// town is a whole server on real embedded stores in a temporary folder, with a clock the test sets.
type town struct {
	t         *testing.T
	url       string
	server    *api.Server
	registry  *registry.Service
	journal   *journal.Journal
	warehouse store.Warehouse
	issuer    *codegen.Issuer
	opener    *codegen.Opener
	log       *lockedBuffer
	lists     *lists
	issuance  *issuance.Service

	*moment
}

// lists signs trust lists and bundles.
type lists struct {
	key     *ecdsa.PrivateKey
	trusted []codegen.VerifyKey
	queue   *ecdsa.PrivateKey
	away    atomic.Bool // what holds the private queue key does not answer
}

// QueueKey gives the key that gates seal to.
func (l *lists) QueueKey(time.Time) (queue.Key, error) { return queue.KeyOf(&l.queue.PublicKey) }

// Exchange opens what was sealed to it.
func (l *lists) Exchange(id codegen.KeyID, _ time.Time) (ecdh.KeyExchanger, error) {
	if k, err := l.QueueKey(time.Time{}); err != nil || k.ID != id {
		return nil, kangma.NotFound
	}
	if l.away.Load() {
		return nil, errAway
	}
	return l.queue.ECDH()
}

func (l *lists) ListKey(time.Time) (crypto.Signer, []codegen.VerifyKey, error) {
	return l.key, l.trusted, nil
}

// townKeys signs all kinds of code with one key.
type townKeys struct {
	*codegen.Issuer
	*lists
}

// moment is what a test and the server share and change.
type moment struct {
	mu    sync.Mutex
	clock time.Time
	otps  map[string]string // masked phone to one-time password
}

// in gives the same town reporting to a subtest.
func (w *town) in(t *testing.T) *town {
	c := *w
	c.t = t
	return &c
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (w *town) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.clock
}

func (w *town) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clock = w.clock.Add(d)
}

func newTown(t *testing.T) *town { t.Helper(); return newTownWith(t, nil) }

// newTownWith changes the server's configuration before it is built.
func newTownWith(t *testing.T, change func(*api.Config)) *town {
	t.Helper()
	return newTownOn(t, nil, change)
}

// newTownOn puts the town's people and records elsewhere.
func newTownOn(t *testing.T, state func(*registry.Config), change func(*api.Config)) *town {
	t.Helper()
	ctx, dir := context.Background(), t.TempDir()
	w := &town{t: t, moment: &moment{clock: time.Date(2022, 8, 11, 4, 0, 0, 0, time.UTC), otps: map[string]string{}}, log: &lockedBuffer{}, lists: &lists{}}
	log := slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var err error
	w.journal, err = journal.Open(filepath.Join(dir, "journal"), journal.Options{Now: w.now, Logger: log})
	must(err)
	db, err := embedded.Open("", embedded.Options{})
	must(err)
	wh, err := embedded.OpenWarehouse("", embedded.Options{})
	must(err)
	w.warehouse = wh
	kek, err := seal.NewKEKs("k", map[string][seal.KeySize]byte{"k": {1}})
	must(err)
	sealer, err := seal.New(seal.Keys{KEK: kek, Index: [][seal.KeySize]byte{{2}}, Pseudonym: [seal.KeySize]byte{3}})
	must(err)
	base := registry.Config{Node: "n", Journal: w.journal, Dossiers: db.Dossiers(), Records: db.Records(),
		Sealer: sealer, Now: w.now, Retention: 60 * 24 * time.Hour, Log: log}
	if state != nil {
		state(&base)
	}
	w.registry, err = registry.Open(ctx, base)
	must(err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	w.issuer, err = codegen.NewIssuer(codegen.IssuerConfig{Region: region, Key: key, SubjectKey: [32]byte{4}})
	must(err)
	w.lists.trusted = []codegen.VerifyKey{{Public: &key.PublicKey, Region: region, From: w.clock.Add(-time.Hour), Until: w.clock.Add(30 * 24 * time.Hour), State: codegen.Active}}
	w.lists.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	w.lists.queue, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	ring, err := codegen.NewKeyring(w.lists.trusted, codegen.DefaultSkew)
	must(err)
	opener, err := codegen.NewOpener(codegen.OpenerConfig{SubjectKeys: [][32]byte{{4}}, Keys: ring})
	must(err)
	w.issuance, err = issuance.New(issuance.Config{Registry: w.registry, Keys: townKeys{w.issuer, w.lists}, Region: region, ShortKey: [32]byte{5}, Log: log})
	must(err)
	w.opener = opener
	gates := checkpoint.New(w.registry, opener)
	gates.AskStanding(w.issuance)
	if m := w.registry.Moments(); m != nil {
		gates.ShareProofs(m)
	}
	gates.OpenQueues(w.lists)
	cfg := api.Config{Registry: w.registry, Checkpoint: gates, Issuer: w.issuance, Issuance: w.issuance, Lists: w.lists, Venues: w.lists, Region: region,
		Warehouse: w.warehouse, SendOTP: w.sendOTP, BcryptCost: 4, Version: "test", Log: log}
	if change != nil {
		change(&cfg)
	}
	w.server, err = api.New(cfg)
	must(err)
	hs := httptest.NewServer(w.server)
	w.url = hs.URL
	t.Cleanup(func() {
		hs.Close()
		if err := errors.Join(w.registry.Close(ctx), wh.Close(), db.Close(), w.journal.Close()); err != nil {
			t.Error(err)
		}
	})
	w.furnish(ctx)
	return w
}

func (w *town) sendOTP(_ context.Context, phone kangma.Phone, code string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.otps[phone.Masked()] = code
	return nil
}

// furnish puts rules, areas, a gate of each sort and an account of each role in.
func (w *town) furnish(ctx context.Context) {
	w.t.Helper()
	preset, err := rules.PresetFile("national-9th-2022")
	if err == nil {
		_, err = w.registry.PublishRules(ctx, "national-9th-2022", preset)
	}
	for _, list := range []string{areaList("2022-08-05 11", "金町湾小区"), areaList("2022-08-11 11", "金町湾小区")} {
		if err == nil {
			_, err = w.registry.PublishAreas(ctx, []byte(list))
		}
	}
	for id, kind := range map[string]string{"metro-1": "metro", "post-1": "highway"} {
		g := checkpoint.Gate{ID: id, Kind: kind, District: 441502000, Policy: checkpoint.DefaultPolicy(kind)}
		err = errors.Join(err, w.registry.PutDoc(ctx, "gate", id, g, nil))
	}
	for _, role := range api.StaffRoles {
		acc := api.Account{Name: string(role) + "-1", Role: role, Organisation: "test", Feed: "cdc", Gates: []string{"metro-1", "post-1"}}
		err = errors.Join(err, acc.SetPassword("long enough", 4), api.SaveAccount(ctx, w.registry, acc))
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// areaList writes a list in the official format with one high and one medium area.
func areaList(at, high string) string {
	return `{"data":{"end_update_time":"` + at + `时","hcount":1,"mcount":1,"lcount":0,
	"highlist":[{"type":"2","province":"广东省","city":"汕尾市","county":"城区","area_name":"广东省 汕尾市 城区","communitys":["` + high + `"]}],
	"middlelist":[{"type":"2","province":"广东省","city":"汕尾市","county":"海丰县","area_name":"广东省 汕尾市 海丰县","communitys":["二环西路12号"]}],
	"lowlist":[]},"code":0,"msg":"查询成功"}`
}

// ship moves what the journal holds to the warehouse.
func (w *town) ship() {
	w.t.Helper()
	ctx := context.Background()
	from, err := w.warehouse.Loaded(ctx, "n")
	if err != nil {
		w.t.Fatal(err)
	}
	entries, err := w.journal.After(ctx, from, 10_000)
	if err != nil || len(entries) == 0 {
		return
	}
	b := store.Batch{Node: "n", From: from, To: entries[len(entries)-1].Position}
	for _, e := range entries {
		if e.Event.Kind == kangma.EventPassage {
			p, err := wire.DecodePassage(e.Event.Data)
			if err != nil {
				w.t.Fatal(err)
			}
			b.Rows = append(b.Rows, store.Row{Position: e.Position, Passage: p})
		}
	}
	if err := w.warehouse.Load(ctx, b); err != nil {
		w.t.Fatal(err)
	}
}

// answer is a response with its body read.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) into(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
}

func (w *town) call(method, path, token string, body any) answer {
	w.t.Helper()
	return w.callWith(method, path, token, body, nil)
}

func (w *town) callWith(method, path, token string, body any, header map[string]string) answer {
	w.t.Helper()
	var r io.Reader
	contentType := "application/json"
	switch b := body.(type) {
	case nil:
	case string:
		r = strings.NewReader(b)
	case []byte:
		r, contentType = bytes.NewReader(b), "application/octet-stream"
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			w.t.Fatal(err)
		}
		r = bytes.NewReader(raw)
	}
	req, err := http.NewRequest(method, w.url+path, r)
	if err != nil {
		w.t.Fatal(err)
	}
	if r != nil {
		req.Header.Set("Content-Type", contentType)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, raw}
}

// want fails unless the answer has the status and, for a problem, the code.
func (w *town) want(a answer, status int, code string) answer {
	w.t.Helper()
	var p struct{ Code string }
	if code != "" {
		a.into(w.t, &p)
		if ct := a.header.Get("Content-Type"); ct != "application/problem+json" {
			w.t.Errorf("content type %q for a problem", ct)
		}
	}
	if a.status != status || p.Code != code {
		w.t.Errorf("got %d %q, want %d %q: %s", a.status, p.Code, status, code, a.body)
	}
	return a
}

func (w *town) staff(role api.Role) string {
	w.t.Helper()
	var out struct{ Token string }
	w.want(w.call("POST", "/v1/sessions", "", map[string]string{"username": string(role) + "-1", "password": "long enough"}), 200, "").into(w.t, &out)
	return out.Token
}

type person struct{ id, number, phone, token string }

// resident registers and logs in.
func (w *town) resident(n string) person {
	w.t.Helper()
	first := "44150219900307" + n
	p := person{number: first + string(kangma.IDCheckChar(first)), phone: "13800000" + n}
	var reg struct{ Person string }
	w.want(w.call("POST", "/v1/residents", "", map[string]string{"name": "欧阳测试", "id_number": p.number, "phone": p.phone, "home": "441502"}), 201, "").into(w.t, &reg)
	p.id = reg.Person
	w.want(w.call("POST", "/v1/sessions", "", map[string]string{"phone": p.phone}), 202, "")
	w.mu.Lock()
	otp := w.otps["138****0"+n]
	w.mu.Unlock()
	var login struct{ Token string }
	w.want(w.call("POST", "/v1/sessions", "", map[string]string{"phone": p.phone, "otp": otp}), 200, "").into(w.t, &login)
	p.token = login.Token
	return p
}
