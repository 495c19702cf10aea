// Package tess reads lines of text by Tesseract 5 in child processes of package sandbox: limits on memory and processor
// time, no privileges, no files. A child sees only 8-bit pictures that we made ourselves.
//
// A program that uses the package calls ChildMain first thing in main (and TestMain).
package tess

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"image"
	"image/png"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/otiai10/gosseract/v2"

	"github.com/kangma/kangma/ocr/internal/sandbox"
)

// childEnv is set in the environment of a child; its value is the language.
const childEnv = "KANGMA_OCR_CHILD"

// limits of a child: Tesseract with chi_sim maps about 250 MB.
var limits = sandbox.Limits{Memory: 600 << 20, CPU: 120}

// headerSize of a request: width and height, then the pixels.
const headerSize = 8

// reply is a child's answer to one picture.
type reply struct {
	Text string    `json:"text"`
	Conf []float32 `json:"conf"`
	Err  string    `json:"err,omitempty"`
}

// ChildMain turns this process into a reading child and never returns, if it was started as one; otherwise it returns at
// once.
func ChildMain() {
	lang := os.Getenv(childEnv)
	if lang == "" {
		return
	}
	if err := sandbox.Confine(limits); err != nil {
		os.Exit(3)
	}
	if err := serve(lang); err != nil {
		os.Exit(4)
	}
	os.Exit(0)
}

func serve(lang string) error {
	c := gosseract.NewClient()
	defer c.Close()
	if err := c.SetLanguage(strings.Split(strings.TrimSuffix(lang, pageMark), "+")...); err != nil {
		return err
	}
	for k, v := range map[gosseract.SettableVariable]string{"load_system_dawg": "0", "load_freq_dawg": "0", "tessedit_do_invert": "0"} {
		if err := c.SetVariable(k, v); err != nil {
			return err
		}
	}
	if err := c.SetPageSegMode(segmentation(lang)); err != nil {
		return err
	}
	return sandbox.Serve(os.Stdin, os.Stdout, func(msg []byte) []byte {
		rp, err := recognise(c, msg, largest(lang))
		if err != nil {
			rp = reply{Err: err.Error()}
		}
		b, err := json.Marshal(rp)
		if err != nil {
			return []byte(`{"err":"the answer cannot be written"}`)
		}
		return b
	})
}

// request is a picture as a child gets it.
func request(m *image.Gray) []byte {
	b := m.Bounds()
	msg := binary.BigEndian.AppendUint32(make([]byte, 0, headerSize+b.Dx()*b.Dy()), uint32(b.Dx()))
	msg = binary.BigEndian.AppendUint32(msg, uint32(b.Dy()))
	for y := b.Min.Y; y < b.Max.Y; y++ {
		o := m.PixOffset(b.Min.X, y)
		msg = append(msg, m.Pix[o:o+b.Dx()]...)
	}
	return msg
}

var errPicture = errors.New("picture out of bounds")

// picture is what request wrote.
func picture(msg []byte, maxPixels int) (*image.Gray, error) {
	if len(msg) < headerSize {
		return nil, errPicture
	}
	w, h := uint64(binary.BigEndian.Uint32(msg)), uint64(binary.BigEndian.Uint32(msg[4:]))
	if w == 0 || h == 0 || w > uint64(maxPixels) || h > uint64(maxPixels) || w*h > uint64(maxPixels) || w*h != uint64(len(msg)-headerSize) {
		return nil, errPicture
	}
	return &image.Gray{Pix: msg[headerSize:], Stride: int(w), Rect: image.Rect(0, 0, int(w), int(h))}, nil
}

func recognise(c *gosseract.Client, msg []byte, maxPixels int) (rp reply, err error) {
	m, err := picture(msg, maxPixels)
	if err != nil {
		return rp, err
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		return rp, err
	}
	if err := c.SetImageFromBytes(b.Bytes()); err != nil {
		return rp, err
	}
	boxes, err := c.GetBoundingBoxes(gosseract.RIL_SYMBOL)
	if err != nil {
		return rp, err
	}
	for _, s := range boxes {
		word := strings.TrimSpace(s.Word)
		rp.Text += word
		for range utf8.RuneCountInString(word) {
			rp.Conf = append(rp.Conf, float32(s.Confidence/100))
		}
	}
	return rp, nil
}
