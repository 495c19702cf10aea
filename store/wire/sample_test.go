package wire_test

import (
	"math/rand/v2"
	"reflect"
	"time"

	"github.com/kangma/kangma"
)

// sample fills any value of the root package's shapes with random content: every field, also those not set in reality.
type sample struct{ *rand.Rand }

func newSample(seed uint64) sample { return sample{rand.New(rand.NewPCG(seed, 1))} }

func of[T any](s sample) (v T) {
	s.fill(reflect.ValueOf(&v).Elem(), 0)
	return v
}

var timeType = reflect.TypeFor[time.Time]()

func (s sample) fill(v reflect.Value, depth int) {
	if depth > 0 && s.IntN(4) == 0 {
		return
	}
	switch {
	case v.Type() == timeType:
		v.Set(reflect.ValueOf(s.time()))
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		s.fill(v.Elem(), depth+1)
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			s.fill(v.Field(i), depth+1)
		}
		if id := v.FieldByName("ID"); id.IsValid() && id.Type() == reflect.TypeFor[kangma.EventID]() && id.IsZero() {
			id.Index(0).SetUint(1) // nothing is stored without an id
		}
	case v.Kind() == reflect.String:
		v.SetString(s.text())
	case v.Kind() == reflect.Bool:
		v.SetBool(s.IntN(2) == 0)
	case v.CanInt():
		v.SetInt(s.Int64N(1<<uint(s.IntN(40))) - 3)
	case v.Type() == reflect.TypeFor[kangma.Colour]():
		v.SetUint(s.Uint64N(3))
	case v.Type() == reflect.TypeFor[kangma.Decision]():
		v.SetUint(s.Uint64N(5))
	case v.CanUint():
		v.SetUint(s.Uint64() >> (64 - v.Type().Bits()) >> s.IntN(v.Type().Bits()))
	case v.Kind() == reflect.Array:
		for i := range v.Len() {
			v.Index(i).SetUint(s.Uint64N(256))
		}
	case v.Kind() == reflect.Slice:
		if n := s.IntN(5); n > 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				s.fill(v.Index(i), 0)
			}
		}
	case v.Kind() == reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 1 + s.IntN(4) {
			e := reflect.New(v.Type().Elem()).Elem()
			if e.Kind() == reflect.Slice {
				e.SetBytes([]byte(s.text()))
			} else {
				e.SetString(s.text())
			}
			v.SetMapIndex(reflect.ValueOf(s.text()), e)
		}
	default:
		panic(v.Type())
	}
}

func (s sample) text() string {
	few := []string{"", "a", "test", "发热门诊", "feed:lab-3", "b-20220710", "个:%旧", "negative", "x\x00y", "440103"}
	if s.IntN(3) > 0 {
		return few[s.IntN(len(few))]
	}
	b := make([]byte, s.IntN(300))
	for i := range b {
		b[i] = byte('a' + s.IntN(26))
	}
	return string(b)
}

func (s sample) time() time.Time {
	at := time.Date(2022, 7, 10, 3, 0, 0, 0, time.UTC).Add(time.Duration(s.Int64N(1 << 52)).Truncate(time.Second))
	switch s.IntN(6) {
	case 0:
		return time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC)
	case 1:
		return time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC)
	case 2:
		return time.Unix(0, 0).UTC()
	case 3:
		return at.Add(time.Duration(s.IntN(1_000_000)) * time.Microsecond)
	}
	return at
}

// typical is a dossier as most people have one: sealed identity and eight pieces of evidence of three sources.
func typical() kangma.Dossier {
	at := time.Date(2022, 7, 10, 8, 0, 0, 0, time.UTC)
	s := newSample(7)
	id := func(at time.Time) kangma.EventID {
		x := kangma.NewEventID(at)
		for i := range x[7:] {
			x[7+i] = byte(s.IntN(256))
		}
		return x
	}
	d := kangma.Dossier{Person: kangma.PersonID{1, 2, 3}, Version: 11, Registered: at.AddDate(0, -5, 0), Home: kangma.Place{Division: 440103001}}
	d.Sealed = kangma.SealedIdentity{DataKey: make([]byte, 60), KeyID: "k1", Revision: 1, Indexes: make([]kangma.BlindIndex, 2),
		Fields: map[string][]byte{"identity": make([]byte, 39)}}
	for i := range 5 {
		t := at.AddDate(0, 0, 2*i)
		d.Evidence = append(d.Evidence, kangma.Evidence{ID: id(t.Add(7 * time.Hour)), Kind: kangma.KindTest, Observed: t, Reported: t.Add(7 * time.Hour),
			Received: t.Add(8 * time.Hour), Source: "feed:lab-3", Batch: "lab-3-" + t.Format("0102"),
			Test: &kangma.Test{Method: "pcr", Result: "negative", Lab: "gz-03"}})
	}
	for i := range 2 {
		t := at.AddDate(0, 0, 5*i)
		d.Evidence = append(d.Evidence, kangma.Evidence{ID: id(t.Add(time.Hour)), Kind: kangma.KindStay, Observed: t, Received: t.Add(time.Hour),
			Source: "feed:telecom", Stay: &kangma.Stay{Place: kangma.Place{Division: 440106000}, From: t.Add(-90 * time.Minute), To: t}})
	}
	t := at.Add(time.Hour)
	d.Evidence = append(d.Evidence, kangma.Evidence{ID: id(t), Kind: kangma.KindDeclaration, Observed: t, Received: t, Source: "self",
		Declaration: &kangma.Declaration{Temperature: 365, Contact: "no"}})
	return d
}
