package backtest

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"sort"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/areas"
	"github.com/kangma/kangma/risk/areas/divisions"
)

// Population makes synthetic people for back-tests: nobody of them exists. The same Population gives the same people
// at every reading. People live in counties (a county with more streets has more people), travel mostly within their
// province and rarely far, are tested as the rules of 2022 had them tested, and meet the areas that were on the lists
// where and when they were: some live or stay in a listed area, and near listed areas there are contacts, isolation and
// cases. The shares are rough guesses, written beside each; they make the mix of a typical dossier, not a forecast.
type Population struct {
	Seed   uint64
	People int
	From   time.Time // movement and evidence begin two weeks before
	Days   int
	Areas  *areas.Table      // the history that drives movement; nil: none
	Home   []kangma.Division // people live inside these; empty: everywhere
}

// chunkPeople is how many people a chunk has. Each chunk has its own stream of random numbers, so chunks can be made in
// any order.
const chunkPeople = 2048

// Chunks gives the number of chunks.
func (p *Population) Chunks() int { return (p.People + chunkPeople - 1) / chunkPeople }

// Prepare makes the Source: it lists the counties and what was listed on each day.
func (p *Population) Prepare() Source {
	w := &world{Population: *p, before: 14 * 24 * time.Hour}
	w.start = p.From.Add(-w.before)
	for _, province := range divisions.Provinces() {
		for _, city := range divisions.Children(province) {
			w.addCity(city)
		}
	}
	for d := range p.Days + 14 {
		w.listDay(w.start.Add(time.Duration(d) * 24 * time.Hour))
	}
	return w
}

// world is what every chunk shares; it is not changed after Prepare.
type world struct {
	Population
	before time.Duration
	start  time.Time

	counties []kangma.Division // where people live and go
	weight   []int             // running sum of streets, to draw a county by size
	homes    []kangma.Division
	homeSum  []int
	streets  map[kangma.Division][]kangma.Division
	province map[kangma.Division][2]int // range of counties of a province
	city     map[kangma.Division][2]int // range of counties of a city
	listed   []dayList
}

// dayList is what was listed on one day.
type dayList struct {
	all  []areas.Listed
	near map[kangma.Division][]int // by county, or city for zones: indexes into all
}

func (w *world) addCity(city kangma.Division) {
	if w.streets == nil {
		w.streets = map[kangma.Division][]kangma.Division{}
		w.province, w.city = map[kangma.Division][2]int{}, map[kangma.Division][2]int{}
	}
	kids := divisions.Children(city)
	if len(kids) > 0 && kids[0].Rank() == kangma.Street { // a city without counties
		kids = []kangma.Division{city}
	}
	first := len(w.counties)
	for _, c := range kids {
		streets := divisions.Children(c)
		w.streets[c] = streets
		size := 1 + len(streets)
		w.counties = append(w.counties, c)
		w.weight = append(w.weight, size+last(w.weight))
		for _, h := range w.Home {
			if h.Contains(c) || c.Contains(h) {
				w.homes = append(w.homes, c)
				w.homeSum = append(w.homeSum, size+last(w.homeSum))
				break
			}
		}
	}
	w.city[city] = [2]int{first, len(w.counties)}
	p := city.Province()
	if r, ok := w.province[p]; ok {
		first = r[0]
	}
	w.province[p] = [2]int{first, len(w.counties)}
}

func last(s []int) int {
	if len(s) == 0 {
		return 0
	}
	return s[len(s)-1]
}

func (w *world) listDay(at time.Time) {
	l := dayList{all: w.Areas.ListedAt(at), near: map[kangma.Division][]int{}}
	for i, a := range l.all {
		d := a.Place.Division
		if d.Rank() > kangma.County {
			d = d.County()
		}
		l.near[d] = append(l.near[d], i)
	}
	w.listed = append(w.listed, l)
}

// Each makes the people of one chunk. The dossier and all it points to are used again for the next person.
func (w *world) Each(ctx context.Context, chunk int, yield func(*kangma.Dossier) bool) error {
	m := &maker{world: w, rnd: rand.New(rand.NewPCG(w.Seed, uint64(chunk)+1))}
	for i := range min(chunkPeople, w.People-chunk*chunkPeople) {
		m.person(uint64(chunk*chunkPeople + i))
		if !yield(&m.dossier) {
			return nil
		}
		if i%256 == 255 && ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// drawn gives an index by running sums of weights.
func drawn(r *rand.Rand, sums []int) int {
	n := r.IntN(last(sums))
	return sort.Search(len(sums), func(i int) bool { return sums[i] > n })
}

// personID is a UUID version 4 made from the seed and the person's number.
func personID(seed, n uint64) (id kangma.PersonID) {
	r := rand.NewPCG(seed^0x5eed, n)
	binary.BigEndian.PutUint64(id[:8], r.Uint64())
	binary.BigEndian.PutUint64(id[8:], r.Uint64())
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return id
}

// eventID is a UUID version 7 of a moment.
func eventID(at time.Time, r *rand.Rand) (id kangma.EventID) {
	binary.BigEndian.PutUint64(id[:8], uint64(at.UnixMilli())<<16|r.Uint64()&0x0fff|0x7000)
	binary.BigEndian.PutUint64(id[8:], r.Uint64()&^(3<<62)|2<<62)
	return id
}

// sortEvidence brings evidence into the order a dossier keeps.
func sortEvidence(es []kangma.Evidence) {
	slices.SortFunc(es, func(a, b kangma.Evidence) int { return slices.Compare(a.ID[:], b.ID[:]) })
}
