package load

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/api"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/seal"
	"github.com/kangma/kangma/store/wire"
)

// Stores is what Prepare fills. Nobody else may use them meanwhile.
type Stores struct {
	Node    string
	Journal store.Journal // nil: people go into the state only
	Loader  store.Loader  // of a state without people
	Sealer  *seal.Sealer
}

// NewPopulation draws a seed for so many people and gates. So many logins are made; 0: everybody's.
func NewPopulation(people, logins, gates int, region kangma.Division) (*Population, error) {
	var seed [32]byte
	rand.Read(seed[:])
	p := &Population{Format: populationFormat, Seed: hex.EncodeToString(seed[:]), People: people, Logins: logins, Gates: gates, Region: region}
	return p, p.check()
}

// Write leaves the population in a file that only its owner can read.
func (p *Population) Write(path string) error {
	raw, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(raw, '\n'), 0o600)
}

const (
	sessionLife = 30 * 24 * time.Hour
	personChunk = 250 // people of one append and one load
	loginChunk  = 2000
)

// FillPeople journals and stores the people with their evidence and logs each of them in, as after a rebuild: the journal
// holds every event, the state what comes of them and the mark that says so. People and logins go in by the order of their keys,
// so that a state file only grows at its end.
func (p *Population) FillPeople(ctx context.Context, s Stores, now time.Time, watch Watch) error {
	order := inOrder(p.People, func(i int) uint64 { id := p.Person(i); return binary.BigEndian.Uint64(id[:8]) })
	var last atomic.Uint64
	err := eachChunk(ctx, order, personChunk, gently(watch, "people"), func(part []int32) error {
		pos, err := p.fillChunk(ctx, s, now, part)
		for {
			old := last.Load()
			if uint64(pos) <= old || last.CompareAndSwap(old, uint64(pos)) {
				return err
			}
		}
	})
	if err != nil {
		return err
	}
	who := inOrder(p.Residents(), func(j int) uint64 { return api.SessionOrder(p.ResidentToken(p.Resident(j))) })
	for n, j := range who {
		who[n] = int32(p.Resident(int(j)))
	}
	err = eachChunk(ctx, who, loginChunk, gently(watch, "logins"), func(part []int32) error { return p.fillLogins(ctx, s, now, part) })
	if err != nil {
		return err
	}
	if s.Journal == nil {
		return nil
	}
	mark := store.Record{Kind: "applied", ID: s.Node, Version: 1, Data: strconv.AppendUint(nil, last.Load(), 10)}
	return s.Loader.Records(ctx, mark)
}

// inOrder gives the numbers from 0 in order of a key.
func inOrder(count int, key func(i int) uint64) []int32 {
	keys, order := make([]uint64, count), make([]int32, count)
	var wg sync.WaitGroup
	n := runtime.GOMAXPROCS(0)
	for w := range n {
		wg.Go(func() {
			for i := w; i < count; i += n {
				keys[i], order[i] = key(i), int32(i)
			}
		})
	}
	wg.Wait()
	slices.SortFunc(order, func(a, b int32) int { return cmp.Compare(keys[a], keys[b]) })
	return order
}

// eachChunk works on chunks of people, several at once.
func eachChunk(ctx context.Context, order []int32, size int, tell func(done, all int), f func(part []int32) error) error {
	var done atomic.Int64
	g, alive := errgroup.WithContext(ctx)
	g.SetLimit(4 * runtime.GOMAXPROCS(0))
	for part := range slices.Chunk(order, size) {
		if alive.Err() != nil {
			break
		}
		g.Go(func() error {
			if err := f(part); err != nil {
				return err
			}
			tell(int(done.Add(int64(len(part)))), len(order))
			return nil
		})
	}
	return errors.Join(g.Wait(), ctx.Err())
}

func (p *Population) fillChunk(ctx context.Context, s Stores, now time.Time, part []int32) (store.Position, error) {
	var dossiers []kangma.Dossier
	var events []kangma.Event
	for _, i := range part {
		d, enter, err := p.person(s.Sealer, int(i), now)
		if err != nil {
			return 0, err
		}
		dossiers = append(dossiers, d)
		if s.Journal == nil {
			continue
		}
		events = append(events, enter)
		for _, ev := range d.Evidence {
			events = append(events, wire.EvidenceEvent(d.Person, ev))
		}
	}
	last := store.Position(0)
	if s.Journal != nil {
		var err error
		if last, err = s.Journal.Append(ctx, events...); err != nil {
			return 0, err
		}
	}
	return last, s.Loader.Dossiers(ctx, dossiers...)
}

func (p *Population) fillLogins(ctx context.Context, s Stores, now time.Time, part []int32) error {
	records := make([]store.Record, len(part))
	for n, i := range part {
		var err error
		if records[n], err = api.SessionRecord(p.ResidentToken(int(i)), api.Resident, p.Person(int(i)), "", now.Add(sessionLife)); err != nil {
			return err
		}
	}
	return s.Loader.Records(ctx, records...)
}

var (
	surnames = []string{"林", "陈", "黄", "张", "李", "王", "吴", "刘", "蔡", "杨", "许", "郑", "谢", "郭", "洪", "曾"}
	given    = []string{"伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明"}
	homes    = []kangma.Division{441502000, 441521000, 441523000, 441581000}
)

// person makes person i: registered, three negative tests, two check-ins, a stay and a train, as most people had.
func (p *Population) person(s *seal.Sealer, i int, now time.Time) (d kangma.Dossier, enter kangma.Event, err error) {
	id := p.Person(i)
	identity, err := identityOf(i, now)
	if err != nil {
		return d, enter, err
	}
	sealed, err := s.Seal(id, identity, 1)
	if err != nil {
		return d, enter, err
	}
	home := homes[i%len(homes)]
	d = kangma.Dossier{Person: id, Version: 1, Registered: now.Add(-90 * 24 * time.Hour).Truncate(time.Second), Home: kangma.Place{Division: home}, Sealed: sealed}
	enter = wire.PersonEvent(kangma.NewEventID(d.Registered), d.Registered, d)
	d.Applied = []kangma.EventID{enter.ID}
	d.Evidence = evidenceOf(i, home, now.Truncate(time.Second))
	return d, enter, nil
}

func identityOf(i int, now time.Time) (id seal.Identity, err error) {
	id.DocType = kangma.DocResidentID
	if id.Name, err = kangma.NewName(surnames[i%16] + given[i/16%16] + given[i/256%16]); err != nil {
		return id, err
	}
	birth := time.Date(1940, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, i%25_000)
	number := fmt.Sprintf("%06d%s%03d", homes[i%len(homes)]/1000, birth.Format("20060102"), i/25_000%1000)
	if id.Number, err = kangma.NewIDNumber(id.DocType, number+string(kangma.IDCheckChar(number)), now); err != nil {
		return id, err
	}
	id.Phone, err = kangma.NewPhone(fmt.Sprintf("17%09d", i))
	return id, err
}

// evidenceOf gives evidence in order of its ids: they are made oldest first.
func evidenceOf(i int, home kangma.Division, now time.Time) (all []kangma.Evidence) {
	add := func(ago time.Duration, source string, e kangma.Evidence) {
		e.Observed = now.Add(-ago - time.Duration(i%3600)*time.Second)
		e.ID, e.Received, e.Source = kangma.NewEventID(e.Observed), e.Observed.Add(time.Hour), source
		if e.Stay != nil {
			e.Stay.From, e.Stay.To = e.Observed, e.Observed.Add(3*time.Hour)
		}
		if e.Trip != nil {
			e.Trip.Departed, e.Trip.Arrived = e.Observed, e.Observed.Add(time.Hour)
		}
		all = append(all, e)
	}
	test := func() kangma.Evidence {
		return kangma.Evidence{Kind: kangma.KindTest, Test: &kangma.Test{Method: "pcr", Result: "negative", Lab: "lab-07"}}
	}
	const day = 24 * time.Hour
	add(12*day, "rail", kangma.Evidence{Kind: kangma.KindTrip, Trip: &kangma.Trip{Mode: "train", Number: "D7401",
		From: kangma.Place{Division: 440100000}, To: kangma.Place{Division: home}, Carriage: "5", Seat: "12F"}})
	add(9*day, "self", kangma.Evidence{Kind: kangma.KindDeclaration, Declaration: &kangma.Declaration{Temperature: 365, Contact: "no", CheckIn: true}})
	add(6*day, "cdc", kangma.Evidence{Kind: kangma.KindStay, Stay: &kangma.Stay{Place: kangma.Place{Division: home}}})
	add(5*day, "cdc", test())
	add(3*day, "cdc", test())
	add(2*day, "self", kangma.Evidence{Kind: kangma.KindDeclaration, Declaration: &kangma.Declaration{Temperature: 366, Contact: "no", CheckIn: true}})
	add(10*time.Hour, "cdc", test())
	return all
}
