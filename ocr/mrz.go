package ocr

import (
	"context"
	"image"
	"math"
	"sort"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/ocr/internal/grid"
	"github.com/kangma/kangma/ocr/internal/locate"
	"github.com/kangma/kangma/ocr/internal/mrz"
	"github.com/kangma/kangma/ocr/internal/raster"
)

var errNoMRZ = kangma.E(kangma.Invalid, "mrz_not_found", "no machine readable zone was found; the whole lower edge of the page must be on the photo")

// Probability of a line's weakest character from which it need not be confirmed, and of the weakest of those that no check
// digit covers: names, states, sex.
const (
	sureLine = .5
	sureBare = .75
)

// zoneLine is one line of a zone, read and placed.
type zoneLine struct {
	grid.Reading
	columns int
	band    locate.Band
	at      raster.Point // middle of the line on the working picture
	u       raster.Point // unit vector in reading direction
	pitch   float64
}

// MRZ reads the machine readable zone of a passport or a card (TD1, TD2, TD3). The lines are accepted (not unsure) only
// when every check digit fits. Errors are those of IDCard, with mrz_not_found for a picture without a zone.
func (r *Reader) MRZ(ctx context.Context, img []byte) (*Draft, error) {
	ctx, done, err := r.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	m, scale, err := decode(ctx, img, zoneShape)
	if err != nil {
		return nil, err
	}
	s := newScene(m, r.o.Now())
	lines, err := s.zoneLines(ctx)
	if err != nil {
		return nil, err
	}
	z, used := bestZone(s.align(ctx, lines))
	if z == nil {
		if _, err := s.nothing(); kangma.CodeOf(err) != "no_document" && kangma.CodeOf(err) != "idcard_back" {
			return nil, err
		}
		return nil, errNoMRZ
	}
	d := &Draft{Kind: MRZ}
	for i, l := range z.Lines {
		d.MRZ = append(d.MRZ, Field{Value: l, Confidence: z.Conf[i], Unsure: len(z.Failures) > 0 || z.Changed > 0 || z.LetterO || z.Conf[i] < sureLine || z.Bare[i] < sureBare, Crop: used[i].crop(scale)})
	}
	if len(z.Failures) > 0 {
		d.Problem, d.FailedTest = "checksum_failed", z.Failures[0]
	}
	return d, nil
}

// probedZone is a row of marks in reading direction with how much it looks like a line of a zone.
type probedZone struct {
	locate.Line
	probe float64
}

// rows of marks that are proposed, and that are read, at one size.
const (
	mostZoneRows = 80
	mostZoneRead = 9
)

// zoneLines finds long rows of equally spaced marks and reads those that look like lines of a zone.
func (s *scene) zoneLines(ctx context.Context) ([]zoneLine, error) {
	var out []zoneLine
	for scaled, p := 1.0, s.small; scaled <= 2; scaled, p = scaled*2, s.max {
		k := s.shrunk / scaled
		if scaled > 1 && (k < 1 || len(out) > 1) {
			break
		}
		var cs []probedZone
		for _, l := range locate.FindBlobs(p.Gauss(.6), 25).ChainsOf(12, mostZoneRows, locate.Zones) {
			cs = append(cs, s.probeZone(l.Scaled(k))...)
		}
		sort.SliceStable(cs, func(i, j int) bool { return cs[i].probe > cs[j].probe })
		for _, l := range cs[:min(len(cs), mostZoneRead)] {
			if ctx.Err() != nil {
				return nil, errDeadline.Because(ctx.Err())
			}
			if z, ok := s.readZoneLine(l.Line); ok && !overlaps(out, z) {
				out = append(out, z)
			}
			if len(out) >= 4 {
				return out, nil
			}
		}
	}
	return out, nil
}

// probeZone looks at a dozen marks of a row upright and upside down; a row that is neither gives nothing.
func (s *scene) probeZone(l locate.Line) []probedZone {
	band, ok := l.Cut(s.max, 1, bandGeometry)
	if !ok {
		return nil
	}
	toBand, ok := band.ToPhoto.Inverse()
	if !ok {
		return nil
	}
	var xs []float32
	for i := 0; i < len(l.Marks); i += max(len(l.Marks)/12, 1) {
		xs = append(xs, float32(toBand.Apply(l.From.Add(l.To.Sub(l.From).Mul(l.Marks[i]))).X))
	}
	up, down := mrz.Probe(band.Plane, xs)
	switch {
	case max(up, down) < -1.7:
		return nil
	case up > down+.8:
		return []probedZone{{l, up}}
	case down > up+.8:
		return []probedZone{{l.Reversed(), down}}
	}
	return []probedZone{{l, up}, {l.Reversed(), down}}
}

func overlaps(have []zoneLine, z zoneLine) bool {
	for _, h := range have {
		if h.at.Sub(z.at).Norm() < h.pitch {
			return true
		}
	}
	return false
}

func (s *scene) readZoneLine(l locate.Line) (z zoneLine, ok bool) {
	extra := max(46-float64(l.Count), 3)
	if l.Count > 26 && l.Count <= 30 {
		extra = 10
	}
	band, cut := l.Cut(s.max, extra, bandGeometry)
	if !cut {
		return z, false
	}
	n, fit := mrz.Columns(band.Plane, band.Pitch, int(l.To.Sub(l.From).Norm()/l.Pitch+1.5))
	if n == 0 || fit < -.9 {
		return z, false
	}
	z = zoneLine{columns: n, band: band}
	if z.Reading, ok = mrz.ReadLine(z.band.Plane, z.columns, z.band.Pitch, fit > grid.Good*2); !ok {
		return z, false
	}
	s.level(&z)
	z.place()
	return z, true
}

// level cuts a band again along the slope on which its characters were read, while that makes them clearer: a band is
// little higher than its line, so that a sloping line runs out of it.
func (s *scene) level(z *zoneLine) {
	for range 3 {
		a, b := float64(z.Lift[0]), float64(z.Lift[1])
		if a == 0 && b == 0 {
			return
		}
		k := (b - a) / float64(z.X[z.columns-1]-z.X[0])
		c := a - k*float64(z.X[0])
		hm := z.band.ToPhoto
		for i := range 3 {
			hm[3*i], hm[3*i+2] = hm[3*i]+k*hm[3*i+1], hm[3*i+2]+c*hm[3*i+1]
		}
		again := *z
		again.band.ToPhoto, again.band.Plane = hm, s.max.Warp(&hm, z.band.W, grid.BandH)
		var ok bool
		if again.Reading, ok = mrz.ReadLine(again.band.Plane, z.columns, z.band.Pitch, false); !ok || again.Mean <= z.Mean {
			return
		}
		*z = again
	}
}

// place tells where on the working picture the line lies.
func (z *zoneLine) place() {
	y := float64(grid.BandH) / 2
	a, b := z.band.ToPhoto.Apply(raster.Point{X: float64(z.X[0]), Y: y}), z.band.ToPhoto.Apply(raster.Point{X: float64(z.X[z.columns-1]), Y: y})
	z.at, z.u = a.Add(b).Mul(.5), b.Sub(a)
	z.pitch = z.u.Norm() / float64(z.columns-1)
	z.u = z.u.Mul(1 / z.u.Norm())
}

func (z *zoneLine) crop(scale float64) image.Rectangle {
	var out image.Rectangle
	for i, c := range [4][2]float64{{-1, 0}, {1, 0}, {1, grid.BandH}, {-1, grid.BandH}} {
		x := float64(z.X[0] - z.Pitch)
		if c[0] > 0 {
			x = float64(z.X[z.columns-1] + z.Pitch)
		}
		p := z.band.ToPhoto.Apply(raster.Point{X: x, Y: c[1]}).Mul(scale)
		q := image.Rect(int(p.X), int(p.Y), int(p.X)+1, int(p.Y)+1)
		if i == 0 {
			out = q
		}
		out = out.Union(q)
	}
	return out
}

// bestZone combines neighbouring lines of equal length into a zone and keeps the one whose check digits fit best.
func bestZone(lines []zoneLine) (*mrz.Zone, []zoneLine) {
	var best *mrz.Zone
	var used []zoneLine
	for fi := range mrz.Formats {
		f := &mrz.Formats[fi]
		for _, l := range lines {
			group := neighbours(lines, l, f.Columns)
			for i := 0; i+f.Lines <= len(group); i++ {
				part := group[i : i+f.Lines]
				var logp [][][]float32
				for _, g := range part {
					logp = append(logp, g.Logp)
				}
				z := mrz.Solve(f, logp)
				if !z.Usable() {
					continue
				}
				if best == nil || len(z.Failures) < len(best.Failures) || len(z.Failures) == len(best.Failures) && z.Mean > best.Mean {
					best, used = &z, part
				}
			}
		}
	}
	return best, used
}

// clearLine is a mean log probability at which a line needs no second look.
const clearLine = -.06

// align reads the lines above and below the clearest one again where that one says they are: at its pitch, in its
// perspective, beginning where it begins. A row that ends in fillers tells its own geometry badly, and one whose marks
// were not seen as a row is found only so. Lines of a zone are about two and a half pitches apart (Doc 9303 part 3).
func (s *scene) align(ctx context.Context, lines []zoneLine) []zoneLine {
	if len(lines) == 0 {
		return lines
	}
	a := lines[0]
	for _, l := range lines {
		if l.Mean > a.Mean {
			a = l
		}
	}
	if a.Mean < -.6 {
		return lines
	}
	reach := 1
	if a.columns == 30 {
		reach = 2
	}
	for side := -reach; side <= reach; side++ {
		if side == 0 || ctx.Err() != nil || aligned(lines, a, side) {
			continue
		}
		n, ok := s.shifted(a, float64(side))
		if !ok {
			continue
		}
		lines = replace(lines, n)
	}
	return lines
}

// aligned says whether a clear line that begins where a begins is already known on that side at that distance.
func aligned(lines []zoneLine, a zoneLine, side int) bool {
	down := raster.Point{X: -a.u.Y, Y: a.u.X}
	for _, l := range lines {
		d := l.at.Sub(a.at)
		k := d.Dot(down) / a.pitch / 2.5
		if l.columns == a.columns && l.Mean > clearLine && math.Abs(d.Dot(a.u)) < .4*a.pitch && math.Abs(k-float64(side)) < .35 {
			return true
		}
	}
	return false
}

// replace adds a line in place of those that lie where it lies and were read less clearly.
func replace(lines []zoneLine, n zoneLine) []zoneLine {
	out := lines[:0:0]
	for _, l := range lines {
		if l.at.Sub(n.at).Norm() < n.pitch*1.2 {
			if l.columns == n.columns && l.Mean > n.Mean+.1 {
				return lines
			}
			continue
		}
		out = append(out, l)
	}
	return append(out, n)
}

// shifted reads the line that lies k line distances below l and begins where l begins.
func (s *scene) shifted(l zoneLine, k float64) (best zoneLine, ok bool) {
	fit := -1.1
	pitch := float64(l.X[l.columns-1]-l.X[0]) / float64(l.columns-1)
	x0 := float64(l.X[0]) - .9*pitch
	w := int(float64(l.X[l.columns-1]) + .9*pitch - x0)
	for _, gap := range [...]float64{2.5, 2.3, 2.1, 2.7, 2.9, 1.9} {
		hm := l.band.ToPhoto
		dy := gap*k*pitch + float64(l.DY)
		for i := range 3 {
			hm[3*i+2] += hm[3*i]*x0 + hm[3*i+1]*dy
		}
		band := locate.Band{Plane: s.max.Warp(&hm, w, grid.BandH), ToPhoto: hm, Pitch: pitch}
		n, f := mrz.Columns(band.Plane, band.Pitch, l.columns)
		if n == l.columns && f > fit {
			fit, ok = f, true
			best = zoneLine{columns: n, band: band}
		}
		if fit > -.1 {
			break
		}
	}
	if !ok {
		return best, false
	}
	if best.Reading, ok = mrz.ReadLine(best.band.Plane, best.columns, best.band.Pitch, false); ok {
		s.level(&best)
		best.place()
	}
	return best, ok
}

// neighbours gives the lines with n columns that run parallel to l and lie around it, from the top.
func neighbours(lines []zoneLine, l zoneLine, n int) []zoneLine {
	var out []zoneLine
	down := raster.Point{X: -l.u.Y, Y: l.u.X}
	for _, o := range lines {
		d := o.at.Sub(l.at)
		if o.columns == n && o.u.Dot(l.u) > .98 && d.Norm() < 5*l.pitch {
			out = append(out, o)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].at.Dot(down) < out[j].at.Dot(down) })
	return out
}
