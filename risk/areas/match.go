package areas

import (
	"github.com/kangma/kangma"
)

// placeText is a community text and what stays of it once the names in front are gone.
type placeText struct{ community, rest string }

// textNode gives the node that keeps the texts of places in d.
func (t *Table) textNode(d kangma.Division) *node {
	if i, ok := t.byDivision.find(textGroup(d)); ok {
		return &t.nodes[i]
	}
	return nil
}

// refine takes the street out of the text, where it says one and the division does not, and gives the division and the
// rest of the text.
func (n *node) refine(p *kangma.Place) (at kangma.Division, rest string) {
	if n == nil || n.places == nil {
		return p.Division, p.Community
	}
	rest, street := n.places.strip(p.Community)
	if street != 0 && p.Division.Contains(street) {
		return street, rest
	}
	return p.Division, rest
}

// match finds the listed areas that the text names: those it surely lies in and those that are only a part of what it
// names. An area known to be in another street than the place does not match. It allocates nothing.
func (t *Table) match(n *node, at kangma.Division, text *placeText, w *window) (whole, part found, ok bool) {
	if n == nil || n.keys[0] == n.keys[1] {
		return whole, part, false
	}
	h := hashesOf(text.community, text.rest, n.full)
	for _, hash := range [4]uint64{h.all, h.rest, h.head, h.bare} {
		if hash == 0 {
			continue
		}
		for _, k := range t.find(n, hash) {
			f := t.worst(t.times[k.id()], w)
			if f.level == kangma.NoLevel || t.otherStreet(k.id(), at) {
				continue
			}
			f.cause, ok = k.id(), true
			// Who writes 富力城3号楼 is surely in a listed 富力城, but only perhaps in a listed 富力城12号楼; and who writes the
			// estate alone is surely in it only where the list has all of it.
			if k.exact() {
				whole = worse(whole, f)
			} else {
				part = worse(part, f)
			}
		}
	}
	return whole, part, ok
}

// otherStreet reports whether a listed area is known to be in another street than the place.
func (t *Table) otherStreet(area uint32, at kangma.Division) bool {
	if at.Rank() != kangma.Street {
		return false
	}
	a := &t.hist.areas[area]
	street := a.read.street
	if street == 0 {
		street = t.hist.spots[a.spot].area.Division
	}
	return street.Rank() == kangma.Street && street != at
}

// Notes of a Hit that is not exact.
var (
	noteCoarse = kangma.Text{
		Zh: "只知到所在的行政区划，未知是否在名单所列的区域内。",
		En: "Only the administrative division is known, not whether it was inside a listed area.",
	}
	noteZone = kangma.Text{
		Zh: "只知到所在的功能区，未知是否在名单所列的区域内。",
		En: "Only the functional zone is known, not whether it was inside a listed area.",
	}
	noteBeside = kangma.Text{
		Zh: "同市有功能区列入名单；功能区没有行政区划代码，未知该地点是否在其中。",
		En: "A functional zone of the same city is listed; such zones have no division code, so whether the place was in it is not known.",
	}
	noteText = kangma.Text{
		Zh: "所填社区或地址与名单所列文字均不一致，不能据此排除。",
		En: "The community as written is not on the list, which excludes nothing: lists and people spell differently.",
	}
	notePart = kangma.Text{
		Zh: "名单只列出该小区的一部分（如个别楼栋），未知是否在其中。",
		En: "The list names only a part of this estate (such as single buildings); whether it was that part is not known.",
	}
)
