package backtest

import (
	"context"

	"github.com/kangma/kangma"
)

// Stored is a Source over stored dossiers: ScanPage is the Scan of a dossier store (a page of one partition after an id,
// in order of id, none at the end). Each partition is a chunk.
type Stored struct {
	Partitions int // how many there are
	Page       int // dossiers a call; 0: 512
	ScanPage   func(ctx context.Context, partition int, after kangma.PersonID, limit int) ([]kangma.Dossier, error)
}

// Chunks gives the number of partitions.
func (s Stored) Chunks() int { return s.Partitions }

// Each reads one partition page by page. Erased people (no evidence and no sealed identity) are left out: they have no
// colour on either side.
func (s Stored) Each(ctx context.Context, chunk int, yield func(*kangma.Dossier) bool) error {
	page := s.Page
	if page <= 0 {
		page = 512
	}
	var after kangma.PersonID
	for {
		people, err := s.ScanPage(ctx, chunk, after, page)
		if err != nil {
			return err
		}
		for i := range people {
			if d := &people[i]; len(d.Evidence) == 0 && d.Sealed.IsZero() {
				continue
			}
			if !yield(&people[i]) {
				return nil
			}
		}
		if len(people) == 0 {
			return nil
		}
		after = people[len(people)-1].Person
	}
}
