package codegen

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"time"

	"github.com/kangma/kangma"
)

// Sheet is the form of a printed paper code. The zero Sheet is A4.
type Sheet uint8

// Sheets.
const (
	SheetA4    Sheet = iota // 210 x 297 mm, to carry or hang up
	SheetLabel              // 70 x 100 mm, to stick on a document cover
)

// PaperPage draws a printable paper code as one SVG with its size in millimetres: a large QR code, large type in both
// languages, no colour, and what to do. zone is the time zone of the printed dates. kangma.Invalid: not a paper code or
// specimen of ours; the errors of SizeOf.
func PaperPage(text string, sheet Sheet, zone *time.Location) ([]byte, error) {
	in := Inspect(text)
	if in.Claims == nil || in.Problem != "" || in.Claims.Kind != Paper && in.Claims.Kind != Specimen {
		return nil, kangma.E(kangma.Invalid, "paper", "only paper codes and specimens are printed")
	}
	m, err := Matrix(text, LevelAuto)
	if err != nil {
		return nil, err
	}
	p := pageOf(sheet)
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%gmm" height="%gmm" viewBox="0 0 %g %g" role="img" font-family="sans-serif">`, p.w, p.h, p.w, p.h)
	fmt.Fprintf(&b, `<path fill="#fff" d="M0 0h%gv%gH0z"/>`, p.w, p.h)
	y := p.margin
	line := func(size float64, bold bool, s string) {
		y += size * 1.25
		weight := 400
		if bold {
			weight = 700
		}
		fmt.Fprintf(&b, `<text x="%g" y="%.2f" font-size="%g" font-weight="%d" text-anchor="middle">`, p.w/2, y, size, weight)
		_ = xml.EscapeText(&b, []byte(s)) // a bytes.Buffer never fails
		b.WriteString(`</text>`)
	}
	c := in.Claims
	title := kangma.Text{Zh: "纸质健康码", En: "Paper health code"}
	if c.Kind == Specimen {
		title = kangma.Text{Zh: "样码 · 无效", En: "SPECIMEN · NOT VALID"}
	}
	line(p.large, true, title.Zh)
	line(p.small*1.2, true, title.En)
	if name := nameLine(c); name != "" {
		line(p.large*0.8, true, name)
	}
	module := p.qr / float64(len(m)+2*QuietZone)
	fmt.Fprintf(&b, `<g transform="translate(%.3f %.3f) scale(%.5f)" shape-rendering="crispEdges">`, (p.w-p.qr)/2, y+p.small/2, module)
	modulesSVG(&b, m, QuietZone, QuietZone)
	b.WriteString(`</g>`)
	y += p.qr + p.small/2
	line(p.small*1.3, true, "有效期至 Valid until "+c.Expires.In(zone).Format("2006-01-02 15:04"))
	line(p.small, false, "请工作人员扫码核验并核对证件;本页不显示颜色。")
	line(p.small, false, "Staff: scan the code and check the document. This page shows no colour.")
	line(p.small, false, "补办后本页即作废。A re-issue voids this page.")
	line(p.small, false, "编号 No. "+c.ID.String())
	b.WriteString("</svg>\n")
	return b.Bytes(), nil
}

// page holds the measures of a sheet in millimetres.
type page struct{ w, h, margin, qr, large, small float64 }

func pageOf(s Sheet) page {
	if s == SheetLabel {
		return page{w: 70, h: 100, margin: 2, qr: 54, large: 6.5, small: 1.9}
	}
	return page{w: 210, h: 297, margin: 15, qr: 140, large: 18, small: 5.6}
}

func nameLine(c *Claims) string {
	switch {
	case c.IDTail == "":
		return c.MaskedName
	case c.MaskedName == "":
		return "****" + c.IDTail
	}
	return c.MaskedName + "  ****" + c.IDTail
}
