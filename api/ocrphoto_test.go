package api_test

import (
	"bytes"
	"mime/multipart"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma/api"
	"github.com/kangma/kangma/ocr"
	"github.com/kangma/kangma/ocr/synth"
)

// form is a multipart form with one file.
func form(t *testing.T, part string, file []byte) (body []byte, contentType string) {
	t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	p, err := m.CreateFormFile(part, "photo.jpg")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Write(file); err != nil {
		t.Fatal(err)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), m.FormDataContentType()
}

func TestPhotosOfZonesAndPlatesAreReadAndLeaveNothingBehind(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	reader, err := ocr.New(ocr.Options{Deadline: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	w := newTownWith(t, func(c *api.Config) { c.Reader = reader })
	gate := w.staff(api.GateStaff)
	zone, err := synth.MRZ(11, 0, "TD3")
	if err != nil {
		t.Fatal(err)
	}
	plate, _, err := synth.PlateWith(4, 0, synth.PlateOptions{Kind: "blue"})
	if err != nil {
		t.Fatal(err)
	}
	for path, photo := range map[string]synth.Photo{"/v1/ocr/mrz": zone, "/v1/ocr/plate": plate} {
		body, kind := form(t, "image", photo.JPEG)
		a := w.want(w.callWith("POST", path, gate, body, map[string]string{"Content-Type": kind}), 200, "")
		var d ocr.Summary
		a.into(t, &d)
		want := strings.Join(append(photo.Truth.MRZ, photo.Truth.Plate), "")
		if got := strings.Join(append(d.MRZ, d.Plate), ""); got != want {
			t.Errorf("%s: read %q, want %q", path, got, want)
		}
		for _, secret := range append(photo.Truth.MRZ, photo.Truth.Plate) {
			if secret != "" && strings.Contains(w.log.String(), secret) {
				t.Errorf("%s: what was read stands in the log", path)
			}
		}
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Errorf("files were left behind: %v %v", left, err)
	}
}

func TestEveryReaderRefusesWhatIsNoPhoto(t *testing.T) {
	reader, err := ocr.New(ocr.Options{Deadline: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	w := newTownWith(t, func(c *api.Config) { c.Reader = reader })
	gate := w.staff(api.GateStaff)
	large := append([]byte("\xff\xd8\xff\xe0"), make([]byte, 10<<20)...) // four bytes too many
	for _, path := range []string{"/v1/ocr/id-card", "/v1/ocr/mrz", "/v1/ocr/plate"} {
		for _, c := range []struct {
			name, part string
			file       []byte
			status     int
			code       string
		}{
			{"an empty photo", "image", nil, 422, "empty_input"},
			{"a text", "image", []byte("no picture"), 422, "not_an_image"},
			{"a photo of more than 10 MiB", "image", large, 413, "image_too_large"},
			{"a truncated JPEG", "image", []byte("\xff\xd8\xff\xe0\x00"), 422, "decode_failed"},
			{"a form without a photo", "remark", []byte("x"), 422, "no_photo"},
		} {
			t.Run(path+" "+c.name, func(t *testing.T) {
				w := w.in(t)
				body, kind := form(t, c.part, c.file)
				w.want(w.callWith("POST", path, gate, body, map[string]string{"Content-Type": kind}), c.status, c.code)
			})
		}
		w.want(w.callWith("POST", path, "", []byte("x"), nil), 401, "")
	}
}
