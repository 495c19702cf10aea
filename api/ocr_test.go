package api_test

import (
	"context"
	"encoding/binary"
	"hash/crc32"
	"testing"
	"time"

	"github.com/kangma/kangma/api"
	"github.com/kangma/kangma/ocr"
)

// heldContext stops whoever first asks for its end until it is released: a picture that is being read.
type heldContext struct {
	context.Context
	started, release chan struct{}
}

func (c heldContext) Done() <-chan struct{} {
	select {
	case <-c.started:
	default:
		close(c.started)
	}
	<-c.release
	return c.Context.Done()
}

func TestAPhotoTooManyIsToldWhenToComeAgainAndHurtsNothingElse(t *testing.T) {
	reader, err := ocr.New(ocr.Options{Parallel: 1, Deadline: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	w := newTownWith(t, func(c *api.Config) { c.Reader = reader })
	gate := w.staff(api.GateStaff)
	held := heldContext{t.Context(), make(chan struct{}), make(chan struct{})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = reader.IDCard(held, []byte("x")) // what comes of it does not matter: it holds the only place
	}()
	<-held.started
	for _, path := range []string{"/v1/ocr/id-card", "/v1/ocr/mrz", "/v1/ocr/plate"} {
		if a := w.want(w.call("POST", path, gate, []byte("x")), 503, "busy"); a.header.Get("Retry-After") != "1" {
			t.Errorf("%s: Retry-After %q", path, a.header.Get("Retry-After"))
		}
	}
	w.want(w.call("GET", "/healthz", "", nil), 200, "")
	close(held.release)
	<-done
	w.want(w.call("POST", "/v1/ocr/id-card", gate, []byte("x")), 422, "not_an_image")
}

func TestWhatIsWrongWithAPhotoIsAProblemOfItsOwn(t *testing.T) {
	reader, err := ocr.New(ocr.Options{Deadline: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	w := newTownWith(t, func(c *api.Config) { c.Reader = reader })
	gate := w.staff(api.GateStaff)
	bomb := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")
	bomb = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(bomb, 40_000), 40_000)
	bomb = append(bomb, 8, 6, 0, 0, 0)
	bomb = binary.BigEndian.AppendUint32(bomb, crc32.ChecksumIEEE(bomb[12:]))
	for _, c := range []struct {
		name   string
		body   []byte
		status int
		code   string
	}{
		{"a GIF", []byte("GIF89a\x01\x00\x01\x00"), 422, "unsupported_format"},
		{"a text", []byte("no picture"), 422, "not_an_image"},
		{"a PNG of 40,000 x 40,000", bomb, 413, "image_too_large"},
		{"half a JPEG header", []byte("\xff\xd8\xff\xe0\x00"), 422, "decode_failed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := w.in(t)
			w.want(w.call("POST", "/v1/ocr/id-card", gate, c.body), c.status, c.code)
			w.want(w.callWith("POST", "/v1/ocr/id-card", gate, c.body, map[string]string{"Content-Type": "image/jpeg"}), c.status, c.code)
		})
	}
}
