package ocr

import (
	"context"
	"image"
	"sort"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/ocr/internal/grid"
	"github.com/kangma/kangma/ocr/internal/locate"
	"github.com/kangma/kangma/ocr/internal/mrz"
	"github.com/kangma/kangma/ocr/internal/raster"
)

var errNoMRZ = kangma.E(kangma.Invalid, "mrz_not_found", "no machine readable zone was found; the whole lower edge of the page must be on the photo")

// sureLine is the probability of a line's weakest character from which it need not be confirmed; names have no check digit.
const sureLine = .8

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
	m, scale, err := decode(ctx, img)
	if err != nil {
		return nil, err
	}
	s := newScene(m, r.o.Now())
	lines, err := s.zoneLines(ctx)
	if err != nil {
		return nil, err
	}
	z, used := bestZone(lines)
	if z == nil {
		if _, err := s.nothing(); kangma.CodeOf(err) != "no_document" && kangma.CodeOf(err) != "idcard_back" {
			return nil, err
		}
		return nil, errNoMRZ
	}
	d := &Draft{Kind: MRZ}
	for i, l := range z.Lines {
		d.MRZ = append(d.MRZ, Field{Value: l, Confidence: z.Conf[i], Unsure: len(z.Failures) > 0 || z.Conf[i] < sureLine, Crop: used[i].crop(scale)})
	}
	if len(z.Failures) > 0 {
		d.Problem, d.FailedTest = "checksum_failed", z.Failures[0]
	}
	return d, nil
}

// zoneLines finds long rows of equally spaced marks and reads those that look like lines of a zone.
func (s *scene) zoneLines(ctx context.Context) ([]zoneLine, error) {
	var out []zoneLine
	for scaled, p := 1.0, s.small; scaled <= 2; scaled, p = scaled*2, s.max {
		k := s.shrunk / scaled
		if scaled > 1 && (k < 1 || len(out) > 1) {
			break
		}
		chains := locate.FindBlobs(p.Gauss(.6), 25).ChainsOf(14, 24, locate.Zones)
		for _, l := range chains {
			if ctx.Err() != nil {
				return nil, errDeadline.Because(ctx.Err())
			}
			if z, ok := s.readZoneLine(l.Scaled(k)); ok && !overlaps(out, z) {
				out = append(out, z)
			}
			if len(out) >= 4 {
				return out, nil
			}
		}
	}
	return out, nil
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
	best := -0.9
	for _, d := range [...]locate.Line{l, l.Reversed()} {
		band, cut := d.Cut(s.max, extra, bandGeometry)
		if !cut {
			continue
		}
		n, fit := mrz.Columns(band.Plane, band.Pitch, int(l.To.Sub(l.From).Norm()/l.Pitch+1.5))
		if n == 0 || fit <= best {
			continue
		}
		best, ok = fit, true
		z = zoneLine{columns: n, band: band}
	}
	if !ok {
		return z, false
	}
	if z.Reading, ok = mrz.ReadLine(z.band.Plane, z.columns, z.band.Pitch, best > grid.Good*2); !ok {
		return z, false
	}
	y := float64(grid.BandH) / 2
	a, b := z.band.ToPhoto.Apply(raster.Point{X: float64(z.X[0]), Y: y}), z.band.ToPhoto.Apply(raster.Point{X: float64(z.X[z.columns-1]), Y: y})
	z.at, z.u = a.Add(b).Mul(.5), b.Sub(a)
	z.pitch = z.u.Norm() / float64(z.columns-1)
	z.u = z.u.Mul(1 / z.u.Norm())
	return z, true
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
				if best == nil || len(z.Failures) < len(best.Failures) {
					best, used = &z, part
				}
			}
		}
	}
	return best, used
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
