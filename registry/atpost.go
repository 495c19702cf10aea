package registry

import (
	"context"
	"errors"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store/seal"
)

// ErrOtherName says that the register has the document under another name.
var ErrOtherName = kangma.E(kangma.Conflict, "name_differs", "the register has another name for this document; read the document again")

// EnterByDocument finds the person of a document that an official has in hand, or takes them in without a phone.
// ErrOtherName: the document is registered under another name. Calling it again gives the same person.
func (s *Service) EnterByDocument(ctx context.Context, id seal.Identity, home kangma.Place) (person kangma.PersonID, created bool, err error) {
	id.Phone = kangma.Phone{} // nobody has proved it
	person, err = s.claim(ctx, s.cfg.Sealer.Document(id.DocType, id.Number), kangma.NewPersonID())
	if err != nil {
		return person, false, err
	}
	d, err := s.cfg.Dossiers.Get(ctx, person)
	if errors.Is(err, kangma.NotFound) || err == nil && d.Sealed.IsZero() {
		return person, true, s.enter(ctx, person, Registration{Identity: id, Home: home})
	}
	if err != nil {
		return person, false, err
	}
	name, err := s.cfg.Sealer.OpenName(person, d.Sealed)
	if err == nil && name != id.Name {
		err = ErrOtherName
	}
	return person, false, err
}

// AreaLevel gives the risk level of a place between two moments, by the table in force. It
// counts only what surely covered the place: one listed estate does not make a county an epidemic area.
func (s *Service) AreaLevel(p kangma.Place, from, to time.Time) kangma.Level {
	table := s.current.Load().areas
	if table == nil || p.Division == 0 {
		return kangma.NoLevel
	}
	return table.LevelAt(p, from, to, time.Time{}).Sure
}
