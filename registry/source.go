package registry

import (
	"context"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// storedPeople gives every stored dossier, a partition a chunk, to back-tests and sweeps.
type storedPeople struct{ dossiers store.Dossiers }

// People gives every stored dossier as the source of a back-test.
func (s *Service) People() interface {
	Chunks() int
	Each(ctx context.Context, chunk int, yield func(*kangma.Dossier) bool) error
} {
	return storedPeople{s.cfg.Dossiers}
}

const scanPage = 500

func (p storedPeople) Chunks() int { return store.Partitions }

func (p storedPeople) Each(ctx context.Context, chunk int, yield func(*kangma.Dossier) bool) error {
	return eachDossier(ctx, p.dossiers, chunk, kangma.PersonID{}, yield)
}

// eachDossier visits the dossiers of a partition after an id in order of id; the erased ones are nobody.
func eachDossier(ctx context.Context, ds store.Dossiers, partition int, after kangma.PersonID, yield func(*kangma.Dossier) bool) error {
	for {
		page, err := ds.Scan(ctx, partition, after, scanPage)
		if err != nil || len(page) == 0 {
			return err
		}
		for i := range page {
			if len(page[i].Sealed.DataKey) > 0 && !yield(&page[i]) {
				return nil
			}
		}
		after = page[len(page)-1].Person
	}
}
