package codegen

import (
	"bytes"
	"encoding/xml"
	"strconv"
)

// frame sizes, in modules.
const (
	frameWidth  = 3
	frameBanner = 9 // under the code: shape, word, label
)

// SVG draws the QR code of a text. One unit is one module; every run of black modules is one rectangle of a single
// path, so that the edges are crisp at every size. The errors are those of SizeOf.
func SVG(text string, look Look) ([]byte, error) {
	m, err := Matrix(text, look.Level)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.Grow(16 << 10)
	side := len(m) + 2*QuietZone
	if !look.Framed {
		openSVG(&b, side, side, "")
		b.WriteString(`<path fill="#fff" d="M0 0h` + strconv.Itoa(side) + `v` + strconv.Itoa(side) + `H0z"/>`)
		modulesSVG(&b, m, QuietZone, QuietZone)
	} else {
		st := look.style()
		w, h := side+2*frameWidth, side+frameWidth+frameBanner
		openSVG(&b, w, h, st.zh+" "+st.en)
		b.WriteString(`<path fill="` + st.ink + `" d="M0 0h` + strconv.Itoa(w) + `v` + strconv.Itoa(h) + `H0z"/>`)
		b.WriteString(`<path fill="#fff" d="M3 3h` + strconv.Itoa(side) + `v` + strconv.Itoa(side) + `H3z"/>`)
		modulesSVG(&b, m, frameWidth+QuietZone, frameWidth+QuietZone)
		bannerSVG(&b, st, look.Label, w, side+frameWidth)
	}
	b.WriteString("</svg>\n")
	return b.Bytes(), nil
}

func openSVG(b *bytes.Buffer, w, h int, title string) {
	b.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ` + strconv.Itoa(w) + ` ` + strconv.Itoa(h) +
		`" shape-rendering="crispEdges" role="img">`)
	if title != "" {
		b.WriteString("<title>" + title + "</title>")
	}
}

// modulesSVG writes the black modules as one path: "Mx yh<run>v1h-<run>z" for each run.
func modulesSVG(b *bytes.Buffer, m [][]bool, x0, y0 int) {
	var num [12]byte
	put := func(s string, n int) {
		b.WriteString(s)
		b.Write(strconv.AppendInt(num[:0], int64(n), 10))
	}
	b.WriteString(`<path fill="#000" d="`)
	for y, row := range m {
		for x := 0; x < len(row); x++ {
			if !row[x] {
				continue
			}
			run := 1
			for x+run < len(row) && row[x+run] {
				run++
			}
			put("M", x0+x)
			put(" ", y0+y)
			put("h", run)
			put("v1h-", run)
			b.WriteByte('z')
			x += run
		}
	}
	b.WriteString(`"/>`)
}

// bannerSVG writes shape and words on the frame under the code, from y on.
func bannerSVG(b *bytes.Buffer, st style, label string, w, y int) {
	shapes := map[shape]string{
		circle:   `<circle cx="3.5" cy="4.5" r="3"/>`,
		triangle: `<path d="M3.5 1.2l3.6 6.3H-.1z"/>`,
		octagon:  `<path d="M2.2 1.4h2.6l1.9 1.9v2.6L4.8 7.8H2.2L.3 5.9V3.3z"/>`,
		square:   `<path d="M.7 1.7h5.6v5.6H.7z"/>`,
	}
	b.WriteString(`<g fill="#fff" shape-rendering="auto" transform="translate(3 ` + strconv.Itoa(y) + `)">` + shapes[st.shape] +
		`<text x="9" y="6.4" font-size="5.4" font-weight="700" font-family="sans-serif">` + st.zh + ` ` + st.en + `</text>`)
	if label != "" {
		b.WriteString(`<text x="` + strconv.Itoa(w-2*frameWidth) + `" y="6.4" font-size="4.6" text-anchor="end" font-family="sans-serif">`)
		_ = xml.EscapeText(b, []byte(label)) // a bytes.Buffer never fails
		b.WriteString(`</text>`)
	}
	b.WriteString(`</g>`)
}
