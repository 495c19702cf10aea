package ocr

import (
	"encoding/json"
	"image"

	"github.com/kangma/kangma"
)

// Kind is what document a draft was read from.
type Kind string

// Kinds of document.
const (
	IDCardFront Kind = "idcard_front"
	IDCardBack  Kind = "idcard_back"
	MRZ         Kind = "mrz"
	Plate       Kind = "plate"
)

// Field is one value as read. The zero Field is unread and unsure.
type Field struct {
	Value      string
	Confidence float64 // estimated probability that Value is right, 0..1
	Unsure     bool    // must be confirmed by hand
	Crop       image.Rectangle
	// Crop bounds the field on the upright photo, in pixels of the original.
}

// Draft is what a photo seems to say. It is a proposal: only a person makes it a record. Nothing of it may be logged.
type Draft struct {
	File           string // set by the caller, for its own bookkeeping
	Kind           Kind
	Number         Field
	NumberAccepted bool  // the number is valid, clear and far from any other; see docs/ocr.md
	Name           Field // the · of minority names is U+00B7
	Sex            Field // 男 or 女
	Nation         Field // with 族, as 汉族 is said; printed cards leave it out
	Birth          Field // 2006-01-02
	Address        Field
	MRZ            []Field  // one a line
	Plate          Field    // e.g. 粤A12345
	PlateColour    string   // blue, green, yellow, white, black; "" when unknown
	Problem        string   // code of what keeps the draft from being used unasked, or ""
	FailedTest     string   // with checksum_failed: length, date, region or checksum
	Warnings       []string // e.g. engine_absent
}

// fields lists the named fields that a kind of document has, in the order of the card.
func (d *Draft) fields() []struct {
	Name string
	F    *Field
} {
	type nf = struct {
		Name string
		F    *Field
	}
	switch d.Kind {
	case IDCardFront:
		return []nf{{"number", &d.Number}, {"name", &d.Name}, {"sex", &d.Sex}, {"nation", &d.Nation}, {"birth", &d.Birth}, {"address", &d.Address}}
	case Plate:
		return []nf{{"plate", &d.Plate}}
	}
	return nil
}

// Unsure names the fields that must be confirmed by hand.
func (d *Draft) Unsure() []string {
	out := []string{}
	for _, f := range d.fields() {
		if f.F.Unsure {
			out = append(out, f.Name)
		}
	}
	for i := range d.MRZ {
		if d.MRZ[i].Unsure {
			out = append(out, "mrz")
			break
		}
	}
	return out
}

// Crops gives the rectangle of every field that was found, by name.
func (d *Draft) Crops() map[string]image.Rectangle {
	out := map[string]image.Rectangle{}
	for _, f := range d.fields() {
		if !f.F.Crop.Empty() {
			out[f.Name] = f.F.Crop
		}
	}
	for i := range d.MRZ {
		out["mrz"] = out["mrz"].Union(d.MRZ[i].Crop)
	}
	return out
}

// Err is the problem of the draft as an error with a public sentence, or nil. A draft that is only partial, or whose
// number failed its checksum, is still worth showing to an officer.
func (d *Draft) Err() error {
	if e := problems[d.Problem]; e != nil {
		c := *e
		if d.FailedTest != "" {
			c.Faults = []kangma.Fault{{Where: "number", Code: d.FailedTest, What: "the " + d.FailedTest + " test failed"}}
		}
		return &c
	}
	return nil
}

type fieldJSON struct {
	Confidence float64 `json:"confidence"`
	Unsure     bool    `json:"unsure"`
	Crop       [4]int  `json:"crop"` // x, y, width, height on the upright photo
}

// Summary is the one-object form of `kangma ocr --json`.
type Summary struct {
	File           string   `json:"file"`
	Kind           Kind     `json:"kind"` // "" when nothing was read
	Number         string   `json:"number"`
	NumberAccepted bool     `json:"number_accepted"`
	Name           string   `json:"name"`
	Sex            string   `json:"sex"`
	Nation         string   `json:"nation"`
	Birth          string   `json:"birth"`
	Address        string   `json:"address"`
	MRZ            []string `json:"mrz"`
	Plate          string   `json:"plate"`
	Unsure         []string `json:"unsure"`
	Error          string   `json:"error"` // a code of docs/ocr.md, or ""
}

// Summary gives the values without confidences and crops.
func (d *Draft) Summary() Summary {
	lines := []string{}
	for i := range d.MRZ {
		lines = append(lines, d.MRZ[i].Value)
	}
	return Summary{d.File, d.Kind, d.Number.Value, d.NumberAccepted, d.Name.Value, d.Sex.Value, d.Nation.Value, d.Birth.Value,
		d.Address.Value, lines, d.Plate.Value, d.Unsure(), d.Problem}
}

// MarshalJSON writes the Summary and, beside it, confidences and crops under "fields", the test that failed and warnings.
func (d *Draft) MarshalJSON() ([]byte, error) {
	details := map[string]fieldJSON{}
	for _, f := range d.fields() {
		c := f.F.Crop
		details[f.Name] = fieldJSON{f.F.Confidence, f.F.Unsure, [4]int{c.Min.X, c.Min.Y, c.Dx(), c.Dy()}}
	}
	return json.Marshal(struct {
		Summary
		PlateColour string               `json:"plate_colour,omitempty"`
		FailedTest  string               `json:"failed_test,omitempty"`
		Warnings    []string             `json:"warnings,omitempty"`
		Fields      map[string]fieldJSON `json:"fields,omitempty"`
	}{d.Summary(), d.PlateColour, d.FailedTest, d.Warnings, details})
}
