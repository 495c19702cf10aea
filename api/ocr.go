package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"strings"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/ocr"
)

// Reader reads photos of documents. ocr.Reader is one.
type Reader interface {
	IDCard(ctx context.Context, img []byte) (*ocr.Draft, error)
	MRZ(ctx context.Context, img []byte) (*ocr.Draft, error)
	Plate(ctx context.Context, img []byte) (*ocr.Draft, error)
}

type photoIn struct {
	ContentType string `header:"Content-Type"`
	RawBody     []byte `contentType:"multipart/form-data" doc:"a form with the photo as its part image; or the photo itself as image/jpeg or image/png"`
}

type draftOut struct {
	Body *ocr.Draft
}

const (
	maxPhoto     = 10 << 20
	maxPhotoForm = maxPhoto + 64<<10
)

var (
	errNoReader = kangma.E(kangma.Unavailable, "no_reader", "this server reads no photos; type the fields")
	errNoPhoto  = kangma.E(kangma.Invalid, "no_photo", "send a form with the photo as its part image, or the photo itself")
)

// photo finds the picture in a request. Nothing of it is kept: it goes with the request.
func (in *photoIn) photo() ([]byte, error) {
	kind, params, err := mime.ParseMediaType(in.ContentType)
	if err != nil || !strings.HasPrefix(kind, "multipart/") {
		return in.RawBody, nil
	}
	form := multipart.NewReader(bytes.NewReader(in.RawBody), params["boundary"])
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return nil, errNoPhoto
		}
		if err != nil {
			return nil, errNoPhoto.Because(err)
		}
		if part.FormName() == "image" || part.FormName() == "file" {
			return io.ReadAll(part)
		}
	}
}

func (s *Server) readPhoto(ctx context.Context, in *photoIn, read func(context.Context, []byte) (*ocr.Draft, error)) (*draftOut, error) {
	img, err := in.photo()
	if err != nil {
		return nil, err
	}
	d, err := read(ctx, img)
	if err != nil {
		return nil, err
	}
	return &draftOut{Body: d}, nil
}

func (s *Server) ocrIDCard(ctx context.Context, in *photoIn) (*draftOut, error) {
	if s.cfg.Reader == nil {
		return nil, errNoReader
	}
	return s.readPhoto(ctx, in, s.cfg.Reader.IDCard)
}

func (s *Server) ocrMRZ(ctx context.Context, in *photoIn) (*draftOut, error) {
	if s.cfg.Reader == nil {
		return nil, errNoReader
	}
	return s.readPhoto(ctx, in, s.cfg.Reader.MRZ)
}

func (s *Server) ocrPlate(ctx context.Context, in *photoIn) (*draftOut, error) {
	if s.cfg.Reader == nil {
		return nil, errNoReader
	}
	return s.readPhoto(ctx, in, s.cfg.Reader.Plate)
}
