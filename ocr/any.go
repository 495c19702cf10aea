package ocr

import (
	"context"

	"github.com/kangma/kangma"
)

// Any reads whatever document is on a photo: the front of an ID card first, then a machine readable zone, then a licence
// plate. What is sure of itself wins; else what was found at all; else the ID card's error says why nothing was.
func (r *Reader) Any(ctx context.Context, img []byte) (*Draft, error) {
	card, cardErr := r.IDCard(ctx, img)
	if card != nil && (card.NumberAccepted || card.Kind == IDCardBack) || card == nil && !maybeOther[kangma.CodeOf(cardErr)] {
		return card, cardErr
	}
	best, bestErr := card, cardErr
	for _, read := range [...]func(context.Context, []byte) (*Draft, error){r.MRZ, r.Plate} {
		d, err := read(ctx, img)
		if err != nil || d == nil {
			continue
		}
		if len(d.Unsure()) == 0 {
			return d, nil
		}
		if best == nil || d.Kind == MRZ {
			best, bestErr = d, nil
		}
	}
	return best, bestErr
}

// maybeOther are the outcomes of the ID card reader after which another document may still be found.
var maybeOther = map[string]bool{"no_document": true, "number_not_found": true, "multiple_cards": true, "image_too_small": true, "too_blurry": true, "over_exposed": true}

// Number reads the number of an ID card only; every other field stays empty.
func (r *Reader) Number(ctx context.Context, img []byte) (*Draft, error) {
	return r.idCard(ctx, img, false)
}
