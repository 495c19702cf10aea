// Package fonts finds the free fonts of Debian packages on the machine and turns text into coverage masks. The generator
// of synthetic documents and the trainers use it; reading a photo needs no font.
package fonts

import (
	"fmt"
	"image"
	"image/draw"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"

	"github.com/kangma/kangma/ocr/internal/raster"
)

// Font is one face of a font file. It is safe for concurrent use.
type Font struct {
	Name  string
	face  *sfnt.Font
	pool  sync.Pool // *sfnt.Buffer
	cache sync.Map  // glyphKey -> *glyph
}

type glyphKey struct {
	r    rune
	size int // 1/8 pixel
}

type glyph struct {
	mask    *image.Alpha // nil for a blank
	x, y    int          // where the mask's corner lies, from the pen on the baseline
	advance float64
}

// source says which file of which Debian package holds a face.
type source struct {
	file, pkg string
	index     int
}

// Faces known by name. Index 2 of a Noto CJK collection is the simplified Chinese face.
var sources = map[string]source{
	// OCRBS is the only face of fonts-ocr-b whose "8" and "<" the sfnt package can draw (the others use CFF flex operators).
	"ocr-b":        {"opentype/ocr-b/OCRBS.otf", "fonts-ocr-b", 0},
	"sans":         {"opentype/noto/NotoSansCJK-Regular.ttc", "fonts-noto-cjk", 2},
	"sans-bold":    {"opentype/noto/NotoSansCJK-Bold.ttc", "fonts-noto-cjk", 2},
	"serif":        {"opentype/noto/NotoSerifCJK-Regular.ttc", "fonts-noto-cjk", 2},
	"serif-bold":   {"opentype/noto/NotoSerifCJK-Bold.ttc", "fonts-noto-cjk", 2},
	"droid":        {"truetype/droid/DroidSansFallbackFull.ttf", "fonts-droid-fallback", 0},
	"wenkai":       {"truetype/lxgw-wenkai/LXGWWenKai-Regular.ttf", "fonts-lxgw-wenkai", 0},
	"song":         {"truetype/arphic-gbsn00lp/gbsn00lp.ttf", "fonts-arphic-gbsn00lp", 0},
	"kai":          {"truetype/arphic-gkai00mp/gkai00mp.ttf", "fonts-arphic-gkai00mp", 0},
	"dejavu":       {"truetype/dejavu/DejaVuSans.ttf", "fonts-dejavu-core", 0},
	"dejavu-bold":  {"truetype/dejavu/DejaVuSans-Bold.ttf", "fonts-dejavu-core", 0},
	"dejavu-mono":  {"truetype/dejavu/DejaVuSansMono.ttf", "fonts-dejavu-core", 0},
	"dejavu-monob": {"truetype/dejavu/DejaVuSansMono-Bold.ttf", "fonts-dejavu-core", 0},
	// bold and condensed faces, the nearest free ones to the letters of licence plates
	"dejavu-condensed":   {"truetype/dejavu/DejaVuSansCondensed-Bold.ttf", "fonts-dejavu-extra", 0},
	"liberation-bold":    {"truetype/liberation/LiberationSans-Bold.ttf", "fonts-liberation", 0},
	"liberation-narrow":  {"truetype/liberation/LiberationSansNarrow-Bold.ttf", "fonts-liberation", 0},
	"roboto-condensed":   {"truetype/roboto/unhinted/RobotoCondensed-Bold.ttf", "fonts-roboto-unhinted", 0},
	"opensans-condensed": {"truetype/open-sans/OpenSans-CondBold.ttf", "fonts-open-sans", 0},
	"bebas":              {"opentype/bebas-neue/BebasNeue-Bold.otf", "fonts-bebas-neue", 0},
	"lato-black":         {"truetype/lato/Lato-Black.ttf", "fonts-lato", 0},
	// typewriter faces, in which people draw machine readable zones
	"liberation-mono":  {"truetype/liberation/LiberationMono-Regular.ttf", "fonts-liberation", 0},
	"liberation-monob": {"truetype/liberation/LiberationMono-Bold.ttf", "fonts-liberation", 0},
	"noto-mono":        {"truetype/noto/NotoSansMono-Regular.ttf", "fonts-noto-mono", 0},
	"nimbus-mono":      {"opentype/urw-base35/NimbusMonoPS-Regular.otf", "fonts-urw-base35", 0},
	"nimbus-mono-bold": {"opentype/urw-base35/NimbusMonoPS-Bold.otf", "fonts-urw-base35", 0},
	"nimbus-narrow":    {"opentype/urw-base35/NimbusSansNarrow-Bold.otf", "fonts-urw-base35", 0},
	"nimbus-bold":      {"opentype/urw-base35/NimbusSans-Bold.otf", "fonts-urw-base35", 0},
	"wenkai-bold":      {"truetype/lxgw-wenkai/LXGWWenKai-Bold.ttf", "fonts-lxgw-wenkai", 0},
	// further faces of Chinese text: the trainer of characters wants them, and keeps some for checking only
	"sans-light":   {"opentype/noto/NotoSansCJK-Light.ttc", "fonts-noto-cjk-extra", 2},
	"sans-demi":    {"opentype/noto/NotoSansCJK-DemiLight.ttc", "fonts-noto-cjk-extra", 2},
	"sans-medium":  {"opentype/noto/NotoSansCJK-Medium.ttc", "fonts-noto-cjk-extra", 2},
	"sans-black":   {"opentype/noto/NotoSansCJK-Black.ttc", "fonts-noto-cjk-extra", 2},
	"serif-light":  {"opentype/noto/NotoSerifCJK-Light.ttc", "fonts-noto-cjk-extra", 2},
	"serif-medium": {"opentype/noto/NotoSerifCJK-Medium.ttc", "fonts-noto-cjk-extra", 2},
	"microhei":     {"truetype/wqy/wqy-microhei.ttc", "fonts-wqy-microhei", 0},
	"zenhei":       {"truetype/wqy/wqy-zenhei.ttc", "fonts-wqy-zenhei", 0},
	"ukai":         {"truetype/arphic/ukai.ttc", "fonts-arphic-ukai", 0},
	"uming":        {"truetype/arphic/uming.ttc", "fonts-arphic-uming", 0},
	"babelstone":   {"truetype/babelstone/BabelStoneHan.ttf", "fonts-babelstone-han", 0},
}

var (
	mu     sync.Mutex
	loaded = map[string]*Font{}
)

// Get loads a face by its name in this package. The error names the Debian package to install.
func Get(name string) (*Font, error) {
	mu.Lock()
	defer mu.Unlock()
	if f := loaded[name]; f != nil {
		return f, nil
	}
	src, ok := sources[name]
	if !ok {
		return nil, fmt.Errorf("no font is called %q here", name)
	}
	raw, err := os.ReadFile(filepath.Join("/usr/share/fonts", src.file))
	if err != nil {
		return nil, fmt.Errorf("font %s: install the Debian package %s: %w", name, src.pkg, err)
	}
	face, err := parse(raw, src.index)
	if err != nil {
		return nil, fmt.Errorf("font %s: %w", name, err)
	}
	f := &Font{Name: name, face: face, pool: sync.Pool{New: func() any { return new(sfnt.Buffer) }}}
	loaded[name] = f
	return f, nil
}

func parse(raw []byte, index int) (*sfnt.Font, error) {
	coll, err := opentype.ParseCollection(raw)
	if err != nil {
		return nil, err
	}
	face, err := coll.Font(min(index, coll.NumFonts()-1))
	if err == nil {
		return face, nil
	}
	if again := repacked(raw, index); again != nil {
		return opentype.Parse(again)
	}
	return nil, err
}

// Available gives those of the named faces that are installed, in the given order.
func Available(names ...string) []*Font {
	var out []*Font
	for _, n := range names {
		if f, err := Get(n); err == nil {
			out = append(out, f)
		}
	}
	return out
}

// Has says whether the face can draw r.
func (f *Font) Has(r rune) bool {
	buf := f.pool.Get().(*sfnt.Buffer)
	defer f.pool.Put(buf)
	i, err := f.face.GlyphIndex(buf, r)
	return err == nil && i != 0
}

// glyph rasterises one character; the result is cached for sizes in steps of 1/8 pixel.
func (f *Font) glyph(r rune, size float64) (*glyph, error) {
	key := glyphKey{r, int(size*8 + .5)}
	if g, ok := f.cache.Load(key); ok {
		return g.(*glyph), nil
	}
	buf := f.pool.Get().(*sfnt.Buffer)
	defer f.pool.Put(buf)
	i, err := f.face.GlyphIndex(buf, r)
	if err != nil || i == 0 {
		return nil, fmt.Errorf("font %s cannot draw %q", f.Name, r)
	}
	ppem := fixed.Int26_6(key.size * 8)
	adv, err := f.face.GlyphAdvance(buf, i, ppem, font.HintingNone)
	if err != nil {
		return nil, fmt.Errorf("font %s: %q: %w", f.Name, r, err)
	}
	segs, err := f.face.LoadGlyph(buf, i, ppem, nil)
	if err != nil {
		return nil, fmt.Errorf("font %s: %q: %w", f.Name, r, err)
	}
	g := &glyph{advance: float64(adv) / 64}
	g.rasterise(segs)
	f.cache.Store(key, g)
	return g, nil
}

func (g *glyph) rasterise(segs sfnt.Segments) {
	if len(segs) == 0 {
		return
	}
	b := segs.Bounds()
	x0, y0 := b.Min.X.Floor()-1, b.Min.Y.Floor()-1
	w, h := b.Max.X.Ceil()+1-x0, b.Max.Y.Ceil()+1-y0
	at := func(p fixed.Point26_6) (float32, float32) {
		return float32(p.X)/64 - float32(x0), float32(p.Y)/64 - float32(y0)
	}
	ras := vector.NewRasterizer(w, h)
	for _, s := range segs {
		ax, ay := at(s.Args[0])
		bx, by := at(s.Args[1])
		cx, cy := at(s.Args[2])
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			ras.ClosePath()
			ras.MoveTo(ax, ay)
		case sfnt.SegmentOpLineTo:
			ras.LineTo(ax, ay)
		case sfnt.SegmentOpQuadTo:
			ras.QuadTo(ax, ay, bx, by)
		case sfnt.SegmentOpCubeTo:
			ras.CubeTo(ax, ay, bx, by, cx, cy)
		}
	}
	ras.ClosePath()
	g.mask, g.x, g.y = image.NewAlpha(image.Rect(0, 0, w, h)), x0, y0
	ras.DrawOp = draw.Src
	ras.Draw(g.mask, g.mask.Bounds(), image.Opaque, image.Point{})
}

// Text adds the coverage of a string to the plane, its pen starting at x on the baseline y. Size is the em in pixels,
// tracking is added to every advance. It gives the pen position at the end. Coverage is 0..1.
func (f *Font) Text(dst *raster.Plane, s string, x, y, size, tracking float64) (float64, error) {
	for _, r := range s {
		g, err := f.glyph(r, size)
		if err != nil {
			return x, err
		}
		g.stamp(dst, int(x+.5), int(y+.5))
		x += g.advance + tracking
	}
	return x, nil
}

// Fixed is Text with the same pitch for every character, each centred in its cell, as ID card printers do.
func (f *Font) Fixed(dst *raster.Plane, s string, x, y, size, pitch float64) error {
	for _, r := range s {
		g, err := f.glyph(r, size)
		if err != nil {
			return err
		}
		g.stamp(dst, int(x+(pitch-g.advance)/2+.5), int(y+.5))
		x += pitch
	}
	return nil
}

// Width is the length of the string in pixels.
func (f *Font) Width(s string, size, tracking float64) float64 {
	var w float64
	for _, r := range s {
		if g, err := f.glyph(r, size); err == nil {
			w += g.advance + tracking
		}
	}
	return w
}

func (g *glyph) stamp(dst *raster.Plane, px, py int) {
	if g.mask == nil {
		return
	}
	b := g.mask.Bounds()
	for j := 0; j < b.Dy(); j++ {
		y := py + g.y + j
		if y < 0 || y >= dst.H {
			continue
		}
		row := dst.Row(y)
		for i := 0; i < b.Dx(); i++ {
			if x := px + g.x + i; x >= 0 && x < dst.W {
				row[x] = max(row[x], float32(g.mask.Pix[j*g.mask.Stride+i])*(1.0/255))
			}
		}
	}
}
