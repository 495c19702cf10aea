package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/common/types"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/facts"
)

// selector picks the items of one kind that a rule is about.
type selector struct {
	kind  facts.Kind
	match func(*env, *facts.Item) bool
	area  bool         // looks up the area of a stay, unless that was done before
	level kangma.Level // of stay(level), otherwise none
}

type rangeError struct{ lo, hi int64 }

func (e rangeError) Error() string {
	return fmt.Sprintf("expected a whole number from %d to %d", e.lo, e.hi)
}

var errSelector = errors.New("expected a selection such as stay('high')")

func oneOf(words []string) error { return errors.New("expected one of " + strings.Join(words, ", ")) }

// wordSelector makes a selector function whose argument is one text from a closed set, or a list of them.
func wordSelector(name, doc string, k facts.Kind, closed []string, match func(it *facts.Item, w []string) bool) []*function {
	build := func(a []node) (node, error) {
		words, ok := a[0].lit.([]string)
		if w, one := a[0].lit.(string); one {
			words, ok = []string{w}, true
		}
		if !ok || slices.ContainsFunc(words, func(w string) bool { return !slices.Contains(closed, w) }) {
			return node{}, oneOf(closed)
		}
		return selectorNode(&selector{kind: k, match: func(_ *env, it *facts.Item) bool { return match(it, words) }}), nil
	}
	return []*function{
		{name: name, id: name + "_string", args: []*types.Type{types.StringType}, result: selectorType, doc: doc, build: build},
		{name: name, id: name + "_list", args: []*types.Type{stringList}, result: selectorType, doc: "the same, for any of a list", build: build},
	}
}

// plainSelector makes a selector function without arguments.
func plainSelector(name, doc string, k facts.Kind, match func(x *env, it *facts.Item) bool) *function {
	return &function{
		name: name, id: name + "_", result: selectorType, doc: doc,
		build: func([]node) (node, error) { return selectorNode(&selector{kind: k, match: match}), nil },
	}
}

// The closed sets of words, as in package kangma.
var (
	degrees   = []string{"close", "secondary", "co-traveller", "spatiotemporal", "general"}
	diagnoses = []string{"confirmed", "asymptomatic", "suspected", "clinical", "excluded"}
	visits    = []string{"fever-clinic", "outpatient", "admission", "discharge", "diagnosis", "drug"}
	drugs     = []string{"antipyretic", "cough", "antibiotic", "antiviral"}
	results   = []string{"negative", "positive", "pending", "inconclusive"}
	symptoms  = []string{"fever", "cough", "fatigue", "throat", "breath", "taste", "nausea", "diarrhoea", "conjunctivitis", "chest", "headache", "muscle"}
	colours   = []string{"red", "yellow", "green"}
)

func selectorFunctions() []*function {
	always := func(*env, *facts.Item) bool { return true }
	fs := []*function{
		plainSelector("entry", "arrivals from abroad", facts.Entry, always),
		plainSelector("vaccination", "doses", facts.Vaccination, always),
		plainSelector("check_in", "daily health check-ins", facts.Declaration, func(_ *env, it *facts.Item) bool { return it.Ev.Declaration.CheckIn }),
		plainSelector("declaration", "health declarations, check-ins included", facts.Declaration, always),
		plainSelector("arrival", "journeys that ended in another city than they began in", facts.Trip, func(_ *env, it *facts.Item) bool { return crosses(it, kangma.Division.City) }),
		plainSelector("province_arrival", "journeys that ended in another province than they began in", facts.Trip, func(_ *env, it *facts.Item) bool { return crosses(it, kangma.Division.Province) }),
		plainSelector("contact_declared", "declarations that say yes to contact with a patient", facts.Declaration, func(_ *env, it *facts.Item) bool { return it.Ev.Declaration.Contact == "yes" }),
	}
	fs = append(fs, wordSelectors()...)
	fs = append(fs, staySelectors()...)
	return append(fs, stayInSelector(), stayOutSelector(), feverSelector(), foreignSelector(), overrideSelector())
}

func wordSelectors() []*function {
	return slices.Concat(
		wordSelector("contact", "contacts of a degree: contact('close')", facts.Contact, degrees,
			func(it *facts.Item, w []string) bool { return slices.Contains(w, it.Ev.Contact.Degree) }),
		wordSelector("diagnosis", "diagnoses: diagnosis('confirmed')", facts.Clinic, diagnoses,
			func(it *facts.Item, w []string) bool { return slices.Contains(w, it.Ev.Clinic.Diagnosis) }),
		wordSelector("clinic", "visits and events at a clinic: clinic('fever-clinic')", facts.Clinic, visits,
			func(it *facts.Item, w []string) bool { return slices.Contains(w, it.Ev.Clinic.What) }),
		wordSelector("drug", "drug purchases: drug('antipyretic')", facts.Clinic, drugs,
			func(it *facts.Item, w []string) bool { return slices.Contains(w, it.Ev.Clinic.Drug) }),
		wordSelector("test", "tests for the infection, antibodies aside: test('positive')", facts.Test, results,
			func(it *facts.Item, w []string) bool {
				return slices.Contains(w, it.Ev.Test.Result) && it.Ev.Test.Method != "antibody"
			}),
		wordSelector("management", "measures: management('central')", facts.Management, measures,
			func(it *facts.Item, w []string) bool { return slices.Contains(w, it.Ev.Management.Measure) }),
		wordSelector("symptoms", "declarations with a symptom: symptoms(['fever', 'cough'])", facts.Declaration, symptoms,
			func(it *facts.Item, w []string) bool {
				for _, s := range it.Ev.Declaration.Symptoms {
					if slices.Contains(w, s) {
						return true
					}
				}
				return false
			}),
	)
}

func crosses(it *facts.Item, level func(kangma.Division) kangma.Division) bool {
	from, to := level(it.Ev.Trip.From.Division), level(it.Ev.Trip.To.Division)
	return from != 0 && to != 0 && from != to
}

// staySelectors: the level of the place itself, or of the whole county or city around it.
func staySelectors() []*function {
	return []*function{
		staySelector(),
		levelSelector("county_stay", "stays in a county that had an area of this level or worse anywhere in it: county_stay('mid')",
			func(x *env, it *facts.Item, want kangma.Level) bool {
				return x.around(it, kangma.Division.County) >= want
			}),
		levelSelector("city_stay", "stays in a city that had an area of this level or worse anywhere in it: city_stay('mid')",
			func(x *env, it *facts.Item, want kangma.Level) bool {
				return x.around(it, kangma.Division.City) >= want
			}),
	}
}

// staySelector is stay(level). A stay that is known less closely than the listed areas is judged as unclear_stays of the
// set says.
func staySelector() *function {
	return &function{
		name: "stay", id: "stay_string", args: []*types.Type{types.StringType}, result: selectorType,
		doc: "stays in an area whose worst level during the stay was this: stay('high'), stay('mid'), stay('low'); stay('unclear'): it may have been high or mid, see unclear_stays",
		build: func(a []node) (node, error) {
			want, err := unclear, error(nil)
			if w := a[0].lit.(string); w != "unclear" {
				want, err = levelWord(w, "high", "mid", "low", "unclear")
			}
			return levelNode(want, func(x *env, it *facts.Item) bool { return x.level(it) == want }), err
		},
	}
}

// levelWord reads one of the words of levels.
func levelWord(w string, words ...string) (l kangma.Level, err error) {
	if l.UnmarshalText([]byte(w)) != nil || l == kangma.NoLevel {
		return l, oneOf(words)
	}
	return l, nil
}

// levelNode makes a selection of stays that asks the area table.
func levelNode(of kangma.Level, match func(*env, *facts.Item) bool) node {
	return selectorNode(&selector{kind: facts.Stay, area: true, level: of, match: func(x *env, it *facts.Item) bool {
		if it.Grows != 0 {
			x.changesAt(it.Grows)
		}
		return match(x, it)
	}})
}

// levelSelector is a selection by the worst level of something wider than the place itself.
func levelSelector(name, doc string, match func(*env, *facts.Item, kangma.Level) bool) *function {
	return &function{
		name: name, id: name + "_string", args: []*types.Type{types.StringType}, result: selectorType, doc: doc,
		build: func(a []node) (node, error) {
			want, err := levelWord(a[0].lit.(string), "high", "mid", "low")
			return levelNode(kangma.NoLevel, func(x *env, it *facts.Item) bool { return match(x, it, want) }), err
		},
	}
}

func stayOutSelector() *function {
	return &function{
		name: "stay_out", id: "stay_out_list", args: []*types.Type{stringList}, result: selectorType,
		doc: "stays that surely lie outside these divisions: stay_out(['410000'])",
		build: func(a []node) (node, error) {
			in, err := divisionCodes(a[0])
			return selectorNode(&selector{kind: facts.Stay, match: func(_ *env, it *facts.Item) bool {
				d := it.Place.Division
				return d != 0 && !inAny(in, d) && !slices.ContainsFunc(in, d.Contains)
			}}), err
		},
	}
}

func stayInSelector() *function {
	return &function{
		name: "stay_in", id: "stay_in_list", args: []*types.Type{stringList}, result: selectorType,
		doc: "stays in these divisions, whatever their level: stay_in(['420000'])",
		build: func(a []node) (node, error) {
			in, err := divisionCodes(a[0])
			return selectorNode(&selector{kind: facts.Stay, match: func(_ *env, it *facts.Item) bool {
				return inAny(in, it.Place.Division)
			}}), err
		},
	}
}

func feverSelector() *function {
	return &function{
		name: "fever", id: "fever_int", args: []*types.Type{types.IntType}, result: selectorType,
		doc: "body temperatures, measured or declared, of at least so many tenths of a degree: fever(373)",
		build: func(a []node) (node, error) {
			n, err := count(a[0], 340, 430)
			return selectorNode(&selector{kind: facts.Temperature, match: func(_ *env, it *facts.Item) bool { return int64(it.Tenth) >= n }}), err
		},
	}
}

func foreignSelector() *function {
	return &function{
		name: "foreign", id: "foreign_string", args: []*types.Type{types.StringType}, result: selectorType,
		doc: "the colour another region gave, where it is that region's latest: foreign('red')",
		build: func(a []node) (node, error) {
			w := a[0].lit.(string)
			if !slices.Contains(colours, w) {
				return node{}, oneOf(colours)
			}
			want, _ := kangma.ParseColour(w)
			return selectorNode(&selector{kind: facts.ForeignCode, match: func(x *env, it *facts.Item) bool {
				return it.Ev.ForeignCode.Colour == want && latestOfRegion(x, it)
			}}), nil
		},
	}
}

// latestOfRegion: a colour the same region has changed since does not count. Of two that were issued at one moment the
// severer counts.
func latestOfRegion(x *env, it *facts.Item) bool {
	for o := x.f.First(facts.ForeignCode); o != nil; o = x.f.Next(o) {
		if o.Ev.ForeignCode.Region != it.Ev.ForeignCode.Region {
			continue
		}
		if o.At > it.At || o.At == it.At && o.Ev.ForeignCode.Colour.Worse(it.Ev.ForeignCode.Colour) {
			return false
		}
	}
	return true
}

func overrideSelector() *function {
	return &function{
		name: "override", id: "override_string", args: []*types.Type{types.StringType}, result: selectorType,
		doc: "colours set by hand: override('red')",
		build: func(a []node) (node, error) {
			w := a[0].lit.(string)
			if !slices.Contains(colours, w) {
				return node{}, oneOf(colours)
			}
			want, _ := kangma.ParseColour(w)
			return selectorNode(&selector{kind: facts.Override, match: func(_ *env, it *facts.Item) bool {
				return it.Ev.Override.Colour == want
			}}), nil
		},
	}
}
