package rules

import (
	"maps"
	"slices"

	"cel.dev/cel-go/common/types"

	"github.com/kangma/kangma/risk/facts"
)

// itemField is one field of it. A field of another kind of fact reads as the empty text.
type itemField struct {
	node node
	doc  string
}

var itemFields = map[string]itemField{
	"at": {doc: "the anchor that days are counted from", node: node{
		typ: types.TimestampType, moves: anchorMoves, t: func(x *env) facts.Micros { return x.it.At }}},
	"from": {doc: "its beginning", node: timeNode(func(x *env) facts.Micros { return x.it.From })},
	"kind": {doc: "the kind of its evidence: stay, trip, test …",
		node: stringNode(func(x *env) string { return string(x.it.Ev.Kind) })},
	"source": {doc: "who says so", node: stringNode(func(x *env) string { return x.it.Ev.Source })},
	"degree": {doc: "contact: close, secondary, co-traveller, spatiotemporal, general",
		node: contactField(func(it *facts.Item) string { return it.Ev.Contact.Degree })},
	"setting": {doc: "contact: household, meal, work, flight, train, coach, ship, venue",
		node: contactField(func(it *facts.Item) string { return it.Ev.Contact.Setting })},
	"measure": {doc: "management: central, home, home-monitoring, self-monitoring",
		node: kindField(facts.Management, func(it *facts.Item) string { return it.Ev.Management.Measure })},
	"cause": {doc: "management: contact, secondary, high-area, mid-area, entry, case, other",
		node: kindField(facts.Management, func(it *facts.Item) string { return it.Ev.Management.Cause })},
	"reason": {doc: "override: its reason from the closed list",
		node: kindField(facts.Override, func(it *facts.Item) string { return it.Ev.Override.Reason })},
	"method": {doc: "test: pcr, antigen, antibody",
		node: kindField(facts.Test, func(it *facts.Item) string { return it.Ev.Test.Method })},
	"country": {doc: "entry: where from, ISO 3166-1 alpha-2",
		node: kindField(facts.Entry, func(it *facts.Item) string { return it.Ev.Entry.Country })},
	"mode": {doc: "trip: train, flight, ship, coach, metro, taxi, car",
		node: kindField(facts.Trip, func(it *facts.Item) string { return it.Ev.Trip.Mode })},
}

func contactField(f func(*facts.Item) string) node { return kindField(facts.Contact, f) }

func kindField(k facts.Kind, f func(*facts.Item) string) node {
	return stringNode(func(x *env) string {
		if x.it.Kind != k {
			return ""
		}
		return f(x.it)
	})
}

func fieldNames() []string { return slices.Sorted(maps.Keys(itemFields)) }

// provider tells CEL's checker the fields of it.
type provider struct{ types.Provider }

func (p provider) FindStructType(name string) (*types.Type, bool) {
	if name == itemType.TypeName() {
		return types.NewTypeTypeWithParam(itemType), true
	}
	return p.Provider.FindStructType(name)
}

func (p provider) FindStructFieldNames(name string) ([]string, bool) {
	if name == itemType.TypeName() {
		return fieldNames(), true
	}
	return p.Provider.FindStructFieldNames(name)
}

func (p provider) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	if name != itemType.TypeName() {
		return p.Provider.FindStructFieldType(name, field)
	}
	f, ok := itemFields[field]
	if !ok {
		return nil, false
	}
	return &types.FieldType{Type: f.node.typ}, true
}
