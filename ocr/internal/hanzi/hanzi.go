// Package hanzi is the table of standard characters of the People's Republic (通用规范汉字表, 2013): 8,105 characters in
// three grades. hanzi.txt is made from the kTGH property of the Unicode Han database by `go run ./ocr/train hanzi`.
package hanzi

import (
	_ "embed"
	"sync"
)

//go:embed hanzi.txt
var text string

// Sizes of the first two grades; the third has the rest.
const (
	Grade1 = 3500
	Grade2 = 3000
)

// All gives the characters in the order of the table: grade 1 (common), grade 2, grade 3 (names, places, science).
var All = sync.OnceValue(func() []rune { return []rune(text) })

// Index gives the place of each character in All.
var Index = sync.OnceValue(func() map[rune]int {
	m := make(map[rune]int, len(text)/3)
	for i, r := range All() {
		m[r] = i
	}
	return m
})
