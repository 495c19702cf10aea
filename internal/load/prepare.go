package load

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/api"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/seal"
	"github.com/kangma/kangma/store/wire"
)

// Stores is what Prepare fills. Nobody else may use them meanwhile.
type Stores struct {
	Node     string
	Journal  store.Journal
	Dossiers store.Dossiers
	Records  store.Records
	Sealer   *seal.Sealer
}

// NewPopulation draws a seed for so many people and gates.
func NewPopulation(people, gates int, region kangma.Division) (*Population, error) {
	var seed [32]byte
	rand.Read(seed[:])
	p := &Population{Format: populationFormat, Seed: hex.EncodeToString(seed[:]), People: people, Gates: gates, Region: region}
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
	personChunk = 250 // people of one append and one update
)

// FillPeople journals and stores the people with their evidence and logs each of them in. The journal's mark moves along,
// so that nothing is applied again.
func (p *Population) FillPeople(ctx context.Context, s Stores, now time.Time, watch Watch) error {
	tell := gently(watch, "people")
	var next, done atomic.Int64
	var mu sync.Mutex // appends and marks go together
	var failed atomic.Pointer[error]
	var wg sync.WaitGroup
	for range 4 * runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for failed.Load() == nil && ctx.Err() == nil {
				from := int(next.Add(personChunk)) - personChunk
				if from >= p.People {
					return
				}
				to := min(from+personChunk, p.People)
				if err := p.fillChunk(ctx, s, now, from, to, &mu); err != nil {
					failed.Store(&err)
					return
				}
				tell(int(done.Add(int64(to-from))), p.People)
			}
		})
	}
	wg.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	return ctx.Err()
}

func (p *Population) fillChunk(ctx context.Context, s Stores, now time.Time, from, to int, mu *sync.Mutex) error {
	var dossiers []kangma.Dossier
	var events []kangma.Event
	for i := from; i < to; i++ {
		d, evs, err := p.person(s.Sealer, i, now)
		if err != nil {
			return err
		}
		dossiers, events = append(dossiers, d), append(events, evs...)
	}
	if err := func() error {
		mu.Lock()
		defer mu.Unlock()
		last, err := s.Journal.Append(ctx, events...)
		if err != nil {
			return err
		}
		return s.Dossiers.Update(ctx, store.Mark{Node: s.Node, Applied: last}, dossiers...)
	}(); err != nil {
		return err
	}
	for i := from; i < to; i++ {
		rec, err := api.SessionRecord(p.ResidentToken(i), api.Resident, p.Person(i), "", now.Add(sessionLife))
		if err != nil {
			return err
		}
		if err := s.Records.Put(ctx, rec); err != nil {
			return err
		}
	}
	return nil
}

var (
	surnames = []string{"林", "陈", "黄", "张", "李", "王", "吴", "刘", "蔡", "杨", "许", "郑", "谢", "郭", "洪", "曾"}
	given    = []string{"伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明"}
	homes    = []kangma.Division{441502000, 441521000, 441523000, 441581000}
)

// person makes person i: registered, three negative tests, two check-ins, a stay and a train, as most people had.
func (p *Population) person(s *seal.Sealer, i int, now time.Time) (kangma.Dossier, []kangma.Event, error) {
	id := p.Person(i)
	identity, err := identityOf(i, now)
	if err != nil {
		return kangma.Dossier{}, nil, err
	}
	sealed, err := s.Seal(id, identity, 1)
	if err != nil {
		return kangma.Dossier{}, nil, err
	}
	home := homes[i%len(homes)]
	d := kangma.Dossier{Person: id, Version: 1, Registered: now.Add(-90 * 24 * time.Hour).Truncate(time.Second), Home: kangma.Place{Division: home}, Sealed: sealed}
	enter := wire.PersonEvent(kangma.NewEventID(d.Registered), d.Registered, d)
	d.Applied = []kangma.EventID{enter.ID}
	events := []kangma.Event{enter}
	for _, ev := range evidenceOf(i, home, now.Truncate(time.Second)) {
		d.Evidence = append(d.Evidence, ev)
		events = append(events, wire.EvidenceEvent(id, ev))
	}
	return d, events, nil
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
