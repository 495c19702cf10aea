package areas

import (
	"cmp"
	"slices"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/areas/divisions"
)

// index is the table made ready for look-ups.
type index struct {
	steps      []step
	nodes      []node
	byDivision divisionMap
	byText     keyMap
	zones      map[zoneID]uint32        // into nodes; several spellings lead to one
	zoned      map[kangma.Division]bool // has zones under it
	zoneNodes  int
	keys       []key      // of all groups, each group's sorted by hash
	times      []timeline // of every area by its number
	byHour     []int32
	firstHour  int64
	when       []time.Time // of every list
}

// node holds what a look-up needs of one division or zone. All step functions already count what is listed above it.
type node struct {
	inside timeline // the worst of everything that may meet someone known to be here and no more
	below  timeline // the same for someone in a finer division that has no node of its own
	apart  timeline // as inside, without the named zones beside it: for someone known to be in another zone
	sure   timeline // what surely covers someone here
	keys   [2]uint32
	places *prefixes // how texts here begin; nil where no text is indexed
	full   bool      // some text here is found only as it stands, names in front and all
}

type zoneID struct {
	under kangma.Division // city, or province where the zone stands in the city's place
	name  string
}

// key finds an area by a hashed text.
type key struct {
	hash uint64
	area uint32 // shifted left by one; the last bit is textKey.exact
}

func newKey(hash uint64, area uint32, exact bool) key {
	k := key{hash, area << 1}
	if exact {
		k.area |= 1
	}
	return k
}

func (k key) exact() bool { return k.area&1 != 0 }
func (k key) id() uint32  { return k.area >> 1 }

// bucket gathers the areas of one division or zone before they are merged.
type bucket struct {
	all, loose, sure [][]step // everything here; what is known no closer; what covers all of it
	keyed            []uint32 // areas whose texts are found here
}

type builder struct {
	hist  *history
	divs  map[kangma.Division]*bucket
	zones map[zoneID]*bucket
	pool  pool
	// merged zones and loose areas by the division they stand under, for everything inside it
	beside map[kangma.Division][]step
	loose  map[kangma.Division][]step
	sure   map[kangma.Division][]step
}

func newIndex(h *history, lists []listed1) index {
	b := &builder{
		hist: h, divs: map[kangma.Division]*bucket{}, zones: map[zoneID]*bucket{}, pool: pool{seen: map[string]timeline{}},
		beside: map[kangma.Division][]step{}, loose: map[kangma.Division][]step{}, sure: map[kangma.Division][]step{},
	}
	for id := range h.areas {
		b.place(uint32(id))
	}
	b.mergeShared()
	x := index{zones: map[zoneID]uint32{}, zoned: map[kangma.Division]bool{}}
	divs := map[kangma.Division]uint32{} // into nodes
	for _, d := range sortedKeys(b.divs) {
		divs[d] = uint32(len(x.nodes))
		x.nodes = append(x.nodes, b.divisionNode(d, &x))
	}
	x.byDivision = newDivisionMap(divs)
	b.addZones(&x, divs)
	x.times = make([]timeline, len(h.areas))
	for id := range h.areas {
		x.times[id] = b.pool.add(plain(h.areas[id].steps))
	}
	x.steps, x.keys = slices.Clone(b.pool.steps), slices.Clone(x.keys) // without the room they grew in
	x.byText = newKeyMap(x.nodes, x.keys)
	x.hours(lists)
	return x
}

func sortedKeys[V any](m map[kangma.Division]V) []kangma.Division {
	out := make([]kangma.Division, 0, len(m))
	for d := range m {
		out = append(out, d)
	}
	slices.Sort(out)
	return out
}

func (b *builder) bucket(d kangma.Division) *bucket {
	k := b.divs[d]
	if k == nil {
		k = &bucket{}
		b.divs[d] = k
	}
	return k
}

// place puts one area into the buckets of where it is and of everything that holds that.
func (b *builder) place(id uint32) {
	a := &b.hist.areas[id]
	s := &b.hist.spots[a.spot]
	d := s.area.Division
	if d == 0 || len(a.steps) == 0 {
		return
	}
	if s.area.Zone != "" {
		z := zoneID{d, s.zone}
		k := b.zones[z]
		if k == nil {
			k = &bucket{}
			b.zones[z] = k
		}
		k.put(a, a.read.whole && a.read.street == 0)
		k.keyed = append(k.keyed, id)
		if d.Rank() < kangma.County { // the zone stands beside the counties; what is in it may be in any of them
			b.above(d, a)
			return
		}
		b.bucket(d).put(a, false) // a part of this county
		b.above(parentOf(d), a)
		b.key(d, id)
		return
	}
	if a.read.street != 0 {
		b.bucket(a.read.street).put(a, a.read.whole)
		b.above(d, a)
	} else {
		b.bucket(d).put(a, a.read.whole)
		b.above(parentOf(d), a)
	}
	b.key(d, id)
}

// key keeps the texts of an area with its county, so that they are found whether or not the street is known.
func (b *builder) key(d kangma.Division, id uint32) {
	k := b.bucket(textGroup(d))
	k.keyed = append(k.keyed, id)
}

// textGroup is the division with which texts of places in d are kept: the county, or the city where it has none.
func textGroup(d kangma.Division) kangma.Division {
	if d.Rank() >= kangma.County {
		return d.County()
	}
	return d
}

func (k *bucket) put(a *listed, whole bool) {
	k.all = append(k.all, a.steps)
	if whole {
		k.sure = append(k.sure, a.steps)
	} else {
		k.loose = append(k.loose, a.steps)
	}
}

// above counts an area in d and in everything that holds d.
func (b *builder) above(d kangma.Division, a *listed) {
	for ; d != 0; d = parentOf(d) {
		k := b.bucket(d)
		k.all = append(k.all, a.steps)
	}
}

func parentOf(d kangma.Division) kangma.Division {
	switch d.Rank() {
	case kangma.Street:
		return d.County()
	case kangma.County:
		return d.City()
	case kangma.City:
		return d.Province()
	}
	return 0
}

// mergeShared merges once what many finer divisions share.
func (b *builder) mergeShared() {
	zones := map[kangma.Division][][]step{}
	for _, z := range sortedZones(b.zones) {
		if z.under.Rank() < kangma.County {
			zones[z.under] = append(zones[z.under], mergeMax(b.zones[z].all))
		}
	}
	for d, parts := range zones {
		b.beside[d] = mergeMax(parts)
	}
	for d, k := range b.divs {
		b.loose[d], b.sure[d] = mergeMax(k.loose), mergeMax(k.sure)
	}
}

func sortedZones(m map[zoneID]*bucket) []zoneID {
	out := make([]zoneID, 0, len(m))
	for z := range m {
		out = append(out, z)
	}
	slices.SortFunc(out, func(a, b zoneID) int {
		return cmp.Or(cmp.Compare(a.under, b.under), cmp.Compare(a.name, b.name))
	})
	return out
}

// inherited gives what is listed above d and may, or surely does, reach into it.
func (b *builder) inherited(d kangma.Division) (apart, beside, sure [][]step) {
	for up := parentOf(d); up != 0; up = parentOf(up) {
		apart = append(apart, b.loose[up])
		beside = append(beside, b.beside[up])
		sure = append(sure, b.sure[up])
	}
	return apart, beside, sure
}

func (b *builder) divisionNode(d kangma.Division, x *index) node {
	k := b.divs[d]
	apart, beside, sure := b.inherited(d)
	sure = append(sure, b.sure[d])
	allSure := mergeMax(compact(sure))
	up := compact(append(append(slices.Clone(apart), beside...), allSure))
	n := node{
		inside: b.pool.add(mergeMax(append(slices.Clone(k.all), up...))),
		below:  b.pool.add(mergeMax(append(slices.Clone(up), compact([][]step{b.loose[d], b.beside[d]})...))),
		sure:   b.pool.add(allSure),
	}
	here := [][]step{b.loose[d], allSure} // of a city or province: only what is known no closer
	if d.Rank() >= kangma.County {
		here = append(here, k.all...)
	}
	n.apart = b.pool.add(mergeMax(compact(append(here, apart...))))
	if len(k.keyed) > 0 {
		n.places = newPrefixes(Area{Division: d})
		x.addKeys(b, &n, k.keyed)
	}
	return n
}

func compact(parts [][]step) [][]step {
	return slices.DeleteFunc(parts, func(p []step) bool { return len(p) == 0 })
}

func (b *builder) addZones(x *index, divs map[kangma.Division]uint32) {
	for _, z := range sortedZones(b.zones) {
		k := b.zones[z]
		apart, _, sure := b.inherited(z.under)
		sure = append(sure, b.sure[z.under], mergeMax(k.sure))
		apart = append(apart, b.loose[z.under])
		allSure := mergeMax(compact(sure))
		inside := b.pool.add(mergeMax(append(slices.Clone(k.all), compact(append(apart, allSure))...)))
		n := node{inside: inside, below: inside, apart: inside, sure: b.pool.add(allSure)}
		n.places = newPrefixes(b.hist.spots[b.hist.areas[k.keyed[0]].spot].area)
		x.addKeys(b, &n, k.keyed)
		x.zones[z] = uint32(len(x.nodes))
		x.zoned[z.under] = true
		x.nodes = append(x.nodes, n)
		x.zoneNodes++
	}
	for _, z := range sortedZones(b.zones) {
		for _, name := range zoneSpellings(z.under, z.name) {
			if id := (zoneID{z.under, name}); b.zones[id] == nil {
				x.zones[id] = x.zones[z]
			}
		}
	}
	for _, s := range b.hist.spots { // the spellings of the lists lead there too, without work at look-up
		if to, ok := x.zones[zoneID{s.area.Division, s.zone}]; ok && s.area.Zone != "" {
			x.zones[zoneID{s.area.Division, s.area.Zone}] = to
		}
	}
	for _, d := range sortedKeys(divs) { // a zone that the bureau's table lists as a county is found by its name as well
		if n := d / 1000 % 100; d.Rank() == kangma.County && n >= 71 && n <= 79 {
			id := zoneID{d.City(), zoneKey(d.City(), divisions.Name(d))}
			if _, taken := x.zones[id]; !taken {
				x.zones[id], x.zoned[id.under] = divs[d], true
			}
		}
	}
}

// addKeys indexes the texts of areas under a node.
func (x *index) addKeys(b *builder, n *node, areas []uint32) {
	from := len(x.keys)
	for _, id := range areas {
		a := &b.hist.areas[id]
		for _, k := range a.read.keys {
			x.keys = append(x.keys, newKey(k.hash, id, k.exact))
		}
		n.full = n.full || len(a.read.keys) > 0 && !a.foundBy(n.places)
	}
	slices.SortFunc(x.keys[from:], func(p, q key) int { return cmp.Or(cmp.Compare(p.hash, q.hash), cmp.Compare(p.area, q.area)) })
	n.keys = [2]uint32{uint32(from), uint32(len(x.keys))}
}

// plain drops the cause, so that areas with the same levels share one step function.
func plain(steps []step) []step {
	out := slices.Clone(steps)
	for i := range out {
		out[i].cause = noCause
	}
	return out
}

// hours makes the array that turns an hour into the number of the list in force.
func (x *index) hours(lists []listed1) {
	if len(lists) == 0 {
		return
	}
	for _, l := range lists {
		x.when = append(x.when, time.Unix(l.at, 0).In(shanghai))
	}
	x.firstHour = lists[0].at / 3600
	last := lists[len(lists)-1].at / 3600
	x.byHour = make([]int32, last-x.firstHour+1)
	n := 0
	for i := range x.byHour {
		for n+1 < len(lists) && lists[n+1].at/3600 <= x.firstHour+int64(i) {
			n++
		}
		x.byHour[i] = int32(n)
	}
}
