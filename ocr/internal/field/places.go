package field

import (
	"slices"
	"sort"
	"strings"
	"unicode/utf8"
)

// Places are the divisions that addresses begin with, and which characters stand side by side in their names.
type Places struct {
	names []string // sorted, each once
	first []branch
	pairs map[[2]rune]bool
}

// NewPlaces indexes names such as 广东省广州市荔湾区. It gives nil for none, which is a usable table.
func NewPlaces(names []string) *Places {
	if len(names) == 0 {
		return nil
	}
	p := &Places{names: slices.Clone(names), pairs: map[[2]rune]bool{}}
	slices.Sort(p.names)
	p.names = slices.Compact(p.names)
	for _, n := range p.names {
		var last rune
		for _, r := range n {
			if last != 0 {
				p.pairs[[2]rune{last, r}] = true
			}
			last = r
		}
	}
	p.first = p.branches(branch{hi: len(p.names)})
	return p
}

// branch is all names that begin with the same bytes, of which r is the last letter.
type branch struct {
	lo, hi, depth int
	r             rune
}

// ends says whether what the names of a branch begin with is a name itself.
func (p *Places) ends(b branch) bool { return b.lo < b.hi && len(p.names[b.lo]) == b.depth }

// next are the branches that are one letter longer.
func (p *Places) next(b branch) []branch {
	if b.depth == 0 {
		return p.first
	}
	return p.branches(b)
}

func (p *Places) branches(b branch) (out []branch) {
	lo := b.lo
	if p.ends(b) {
		lo++
	}
	for lo < b.hi {
		r, n := utf8.DecodeRuneInString(p.names[lo][b.depth:])
		prefix := p.names[lo][:b.depth+n]
		hi := lo + sort.Search(b.hi-lo, func(i int) bool { return !strings.HasPrefix(p.names[lo+i], prefix) })
		out = append(out, branch{lo, hi, b.depth + n, r})
		lo = hi
	}
	return out
}

// usual says whether two characters stand side by side in the name of a division or in a common word of addresses.
func (p *Places) usual(a, b rune) bool {
	return commonPairs()[[2]rune{a, b}] || p != nil && p.pairs[[2]rune{a, b}]
}
