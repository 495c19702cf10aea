package synth

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/ocr/internal/hanzi"
)

// Person is what is printed on a card.
type Person struct {
	Name, Sex, Nation string // sex 男 or 女; nation without 族
	Birth             string // 2006-01-02
	Address           string
	Number            string // eighteen characters, valid unless forged
}

func pick[T any](rng *rand.Rand, list []T) T { return list[rng.IntN(len(list))] }

// NewPerson draws a person who never existed. One name in five has a rare character.
func NewPerson(rng *rand.Rand) Person {
	born := time.Date(1940, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rng.IntN(75*365))
	region := pick(rng, regions)
	p := Person{Birth: born.Format("2006-01-02"), Address: region[1] + addressTail(rng)}
	code := region[0]
	if rng.IntN(4) == 0 {
		code = pick(rng, regions)[0]
	}
	seq := 1 + rng.IntN(999)
	p.Sex = "女"
	if seq%2 == 1 {
		p.Sex = "男"
	}
	p.Number = code + born.Format("20060102") + fmt.Sprintf("%03d", seq)
	p.Number += string(kangma.IDCheckChar(p.Number))
	p.Name, p.Nation = name(rng)
	return p
}

func name(rng *rand.Rand) (string, string) {
	if rng.Float64() < .12 {
		n := pick(rng, minority) + "·" + pick(rng, minority)
		return n, pick(rng, []string{"维吾尔", "藏", "哈萨克", "蒙古", "柯尔克孜", "回"})
	}
	nation := "汉"
	if rng.Float64() < .45 {
		nation = pick(rng, Nations)
	}
	// common surnames are much more frequent
	i := min(rng.IntN(len(surnames)), rng.IntN(len(surnames)))
	r := []rune(surnames[i])
	n := 1
	if rng.Float64() < .78 {
		n = 2
	}
	for range n {
		r = append(r, pick(rng, given))
	}
	if rng.Float64() < .2 {
		r[len(r)-1-rng.IntN(n)] = rareRune(rng)
	}
	return string(r), nation
}

// rareRune takes half of its characters from known name characters and half from grades 2 and 3 of the standard table.
func rareRune(rng *rand.Rand) rune {
	if rng.IntN(2) == 0 {
		return pick(rng, rare)
	}
	for {
		if r := hanzi.All()[hanzi.Grade1+rng.IntN(len(hanzi.All())-hanzi.Grade1)]; r >= 0x4e00 && r <= 0x9fa5 {
			return r
		}
	}
}

func addressTail(rng *rand.Rand) string {
	n := func(k int) string { return fmt.Sprint(1 + rng.IntN(k)) }
	switch rng.IntN(5) {
	case 0:
		return pick(rng, roads) + "路" + n(999) + "号"
	case 1:
		return pick(rng, roads) + "街" + n(300) + "号" + n(30) + "栋" + n(4) + "单元" + n(30) + "0" + n(9) + "室"
	case 2:
		return pick(rng, towns) + "镇" + pick(rng, villages) + "村" + n(20) + "组" + n(200) + "号"
	case 3:
		return pick(rng, towns) + "乡" + pick(rng, villages) + "村委会" + pick(rng, villages) + "屯" + n(99) + "号"
	default:
		return pick(rng, roads) + "大道" + n(800) + "号" + pick(rng, estates) + n(40) + "幢" + n(3) + "单元" + n(20) + "层" + n(8) + "号"
	}
}

// Forge changes one digit so that the checksum is broken, as a crude forger does.
func (p Person) Forge(rng *rand.Rand) Person {
	for {
		b := []byte(p.Number)
		k := rng.IntN(18)
		if b[k] == 'X' {
			continue
		}
		if d := byte('0' + rng.IntN(10)); d != b[k] {
			b[k] = d
			p.Number = string(b)
			return p
		}
	}
}

// lines breaks an address for a card that holds n full-width characters a line; digits are half as wide.
func lines(s string, n int) []string {
	var out []string
	var b strings.Builder
	w := 0.0
	for _, r := range s {
		cw := 1.0
		if r < 128 {
			cw = .56
		}
		if w+cw > float64(n)+.01 {
			out = append(out, b.String())
			b.Reset()
			w = 0
		}
		b.WriteRune(r)
		w += cw
	}
	return append(out, b.String())
}
