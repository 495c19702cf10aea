package venue

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
)

// Poster draws an A4 page to hang at a venue: its name, a large QR code, and how to tell it from a false sticker. zone is
// the time zone of the printed date. The errors are those of codegen.Matrix.
func Poster(v Venue, text string, c Claims, zone *time.Location) ([]byte, error) {
	m, err := codegen.Matrix(text, codegen.LevelAuto)
	if err != nil {
		return nil, err
	}
	const width, height, side = 210.0, 297.0, 150.0
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%gmm" height="%gmm" viewBox="0 0 %g %g" role="img" font-family="sans-serif">`, width, height, width, height)
	fmt.Fprintf(&b, `<path fill="#fff" d="M0 0h%gv%gH0z"/>`, width, height)
	y := 12.0
	line := func(size float64, weight int, s string) {
		if s == "" {
			return
		}
		y += size * 1.3
		fmt.Fprintf(&b, `<text x="%g" y="%.2f" font-size="%g" font-weight="%d" text-anchor="middle">`, width/2, y, size, weight)
		_ = xml.EscapeText(&b, []byte(s)) // a bytes.Buffer never fails
		b.WriteString(`</text>`)
	}
	line(15, 700, "场所码")
	line(11, 700, v.Name.Zh)
	line(6, 400, v.Name.En)
	line(5, 400, "用康码扫一扫 · Scan with Kangma")
	module := side / float64(len(m)+2*codegen.QuietZone)
	fmt.Fprintf(&b, `<g transform="translate(%.3f %.3f) scale(%.5f)" shape-rendering="crispEdges"><path fill="#000" d="`, (width-side)/2, y+4, module)
	for row := range m {
		for col, black := range m[row] {
			if black {
				fmt.Fprintf(&b, "M%d %dh1v1h-1z", col+codegen.QuietZone, row+codegen.QuietZone)
			}
		}
	}
	b.WriteString(`"/></g>`)
	y += side + 6
	for _, t := range []kangma.Text{
		{Zh: "只在本场所有效，扫码时请允许定位。", En: "It counts at this venue only; allow the position when you scan."},
		{Zh: "本码不是网址。若扫出网页，是假码，请撕下并报告。", En: "This code is no web address. One that opens a web page is false: take it down and report it."},
	} {
		line(5.4, 700, t.Zh)
		line(4.2, 400, t.En)
	}
	line(4.4, 400, fmt.Sprintf("编号 No. %s / %d   有效期至 Valid until %s", v.ID, c.Serial, c.Expires.In(zone).Format(time.DateOnly)))
	b.WriteString("</svg>\n")
	return b.Bytes(), nil
}
