package tess

import (
	"context"
	"fmt"
	"image"
	"strings"

	"github.com/otiai10/gosseract/v2"
)

// pageMark follows the language of a child that reads whole pages.
const pageMark = "!page"

// Largest pictures of a line and of a page.
const (
	maxLine = 1 << 20
	maxPage = 16<<20 - headerSize // with its header one message of the sandbox
)

// largest is the picture size a child of this language setting accepts.
func largest(lang string) int {
	if strings.HasSuffix(lang, pageMark) {
		return maxPage
	}
	return maxLine
}

// segmentation is how a child of this language setting looks for text.
func segmentation(lang string) gosseract.PageSegMode {
	if strings.HasSuffix(lang, pageMark) {
		return gosseract.PSM_AUTO
	}
	return gosseract.PSM_SINGLE_LINE
}

// Page reads all the text of a picture with Tesseract as it comes, for comparison: this is what a photo gives without
// finding and straightening the document first.
type Page struct{ pool *Pool }

// NewPage makes a reader of n pages at once for Tesseract languages such as chi_sim+eng.
func NewPage(ctx context.Context, n int, lang string) (*Page, error) {
	p, err := NewPool(ctx, n, lang+pageMark)
	if err != nil {
		return nil, err
	}
	return &Page{p}, nil
}

// Text is the text of the picture without white space.
func (p *Page) Text(ctx context.Context, m *image.Gray) (string, error) {
	text, _, err := p.pool.ReadLine(ctx, m)
	if err != nil {
		return "", fmt.Errorf("whole page: %w", err)
	}
	return strings.Join(strings.Fields(text), ""), nil
}

// Close ends the children.
func (p *Page) Close() error { return p.pool.Close() }
