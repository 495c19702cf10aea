package snapshot

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"github.com/kangma/kangma/store/digest"
)

// PutFrame takes the content of one frame.
func PutFrame(kind byte, content []byte) error {
	p := putting{ctx: context.Background(), sum: digest.NewSummer(true), loads: &errgroup.Group{}}
	err := p.frame(kind, content)
	return errors.Join(err, p.loads.Wait())
}
