package synth

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/kangma/kangma/ocr/internal/raster"
)

// PlateKind is a kind of licence plate of GA 36-2018.
type PlateKind struct {
	Name        string
	Colour      string // blue, green, yellow, white, black
	Eight       bool   // new energy: eight characters
	First, Last string // a Chinese character other than a province in the first or last place
	DoubleLayer bool
	weight      int
}

// PlateKinds lists every kind that Plate draws; common ones are drawn more often.
var PlateKinds = []PlateKind{
	{Name: "blue", Colour: "blue", weight: 6},
	{Name: "green", Colour: "green", Eight: true, weight: 4},
	{Name: "green-large", Colour: "green", Eight: true, weight: 1}, // yellow left part
	{Name: "yellow", Colour: "yellow", weight: 2},
	{Name: "yellow-double", Colour: "yellow", DoubleLayer: true, weight: 2},
	{Name: "trailer", Colour: "yellow", Last: "挂", DoubleLayer: true, weight: 1},
	{Name: "trainer", Colour: "yellow", Last: "学", weight: 1},
	{Name: "white-police", Colour: "white", Last: "警", weight: 2},
	{Name: "hong-kong", Colour: "black", Last: "港", weight: 1},
	{Name: "macao", Colour: "black", Last: "澳", weight: 1},
	{Name: "consulate", Colour: "black", Last: "领", weight: 1},
	{Name: "embassy", Colour: "black", First: "使", weight: 1},
	{Name: "black", Colour: "black", weight: 1},
	{Name: "white", Colour: "white", weight: 1},
}

const (
	provinces    = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
	plateLetters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
)

// PlateOptions of a synthetic plate. The zero options draw any kind on a vehicle.
type PlateOptions struct {
	Kind    string // a name of PlateKinds, or "" for any
	HeldOut bool   // faces and a way of drawing that the trainer never sees
	Cropped bool   // the plate alone fills the photo, else it is on a vehicle
}

// PlateKindOf finds a kind by name.
func PlateKindOf(name string) (PlateKind, error) {
	for _, k := range PlateKinds {
		if k.Name == name {
			return k, nil
		}
	}
	return PlateKind{}, fmt.Errorf("there is no plate kind %q", name)
}

func anyPlateKind(rng *rand.Rand) PlateKind {
	sum := 0
	for _, k := range PlateKinds {
		sum += k.weight
	}
	t := rng.IntN(sum)
	for _, k := range PlateKinds {
		if t -= k.weight; t < 0 {
			return k
		}
	}
	return PlateKinds[0]
}

// plateText draws a number plate's text by the rules of its kind.
func plateText(rng *rand.Rand, k PlateKind) string {
	province := string(pick(rng, []rune(provinces)))
	letter := func() string { return string(plateLetters[rng.IntN(len(plateLetters))]) }
	switch {
	case k.First != "":
		return k.First + digits(rng, 6)
	case k.Last == "领":
		return province + letter() + digits(rng, 4) + k.Last
	case k.Last == "港" || k.Last == "澳":
		province = "粤"
	}
	t := province + letter()
	if province == "粤" && (k.Last == "港" || k.Last == "澳") {
		t = "粤Z"
	}
	switch {
	case k.Name == "green":
		return t + string("DFABCEGHJK"[rng.IntN(10)]) + alnum(rng, 1) + digits(rng, 4)
	case k.Name == "green-large":
		return t + digits(rng, 5) + string("DF"[rng.IntN(2)])
	case k.Last != "":
		return t + alnum(rng, 1) + digits(rng, 3) + k.Last
	}
	return t + mixed(rng)
}

// mixed is a serial of five characters with at most two letters.
func mixed(rng *rand.Rand) string {
	b := []byte(digits(rng, 5))
	for range rng.IntN(3) {
		b[rng.IntN(5)] = plateLetters[rng.IntN(len(plateLetters))]
	}
	return string(b)
}

func alnum(rng *rand.Rand, n int) string {
	var s strings.Builder
	for range n {
		if rng.IntN(4) == 0 {
			s.WriteByte(plateLetters[rng.IntN(len(plateLetters))])
		} else {
			s.WriteString(digits(rng, 1))
		}
	}
	return s.String()
}

// Plate makes the photo of a licence plate of any kind on a vehicle and tells its colour.
func Plate(seed uint64, level Level) (Photo, string, error) {
	return PlateWith(seed, level, PlateOptions{})
}

// PlateWith makes the photo of a licence plate and tells its colour. The same seed, level and options give the same photo.
func PlateWith(seed uint64, level Level, o PlateOptions) (Photo, string, error) {
	p, _, colour, err := PlateKindWith(seed, level, o)
	return p, colour, err
}

// PlateKindWith is PlateWith and tells the name of the kind too.
func PlateKindWith(seed uint64, level Level, o PlateOptions) (p Photo, name, colour string, err error) {
	rng := rand.New(rand.NewPCG(seed, 0x91a7e+uint64(level)<<32))
	kind := anyPlateKind(rng)
	if o.Kind != "" {
		var err error
		if kind, err = PlateKindOf(o.Kind); err != nil {
			return Photo{}, "", "", err
		}
	}
	faces := KnownFaces
	if o.HeldOut {
		faces = HeldOutFaces
	}
	d, err := DrawPlate(rng, kind, faces)
	if err != nil {
		return Photo{}, "", "", err
	}
	doc := d.Picture
	if !o.Cropped {
		doc = onVehicle(rng, d.Picture)
	} else {
		doc = margin(rng, doc)
	}
	jpg, quad, err := shoot(rng, doc, level)
	return Photo{JPEG: jpg, Level: level, Seed: seed, Quad: quad, Truth: Truth{Plate: d.Text}}, kind.Name, kind.Colour, err
}

// margin lays the plate on a narrow ground of one colour, as a cropped photo shows it.
func margin(rng *rand.Rand, plate *raster.RGB) *raster.RGB {
	mx, my := 8+rng.IntN(plate.W/8), 8+rng.IntN(plate.H/5)
	g := rng.Float64() * .6
	m := plain(plate.W+2*mx, plate.H+2*my, g, g, g*.95)
	paste(m, plate, mx, my)
	return m
}

func paste(dst, src *raster.RGB, x0, y0 int) {
	for y := range src.H {
		copy(dst.Pix[3*((y+y0)*dst.W+x0):][:3*src.W], src.Pix[3*y*src.W:][:3*src.W])
	}
}
