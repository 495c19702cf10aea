package api

import (
	"context"
	"errors"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/checkpoint/inbox"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/store/seal"
)

type listInboxIn struct {
	Status   string `query:"status" default:"new" enum:"new,acknowledged"`
	Division string `query:"division" maxLength:"9" doc:"only what belongs to this division; left out: all of yours"`
	After    string `query:"after" maxLength:"300" doc:"next of the page before"`
	Limit    int    `query:"limit" default:"50" minimum:"1" maximum:"200"`
}

type listInboxOut struct {
	Body struct {
		Items []inboxView `json:"items" doc:"oldest first"`
		Next  string      `json:"next,omitempty" doc:"ask again with after=NEXT; absent at the end"`
	}
}

// inboxView is an item with what its reader may see of the person: masked in a list, in clear on the item itself.
type inboxView struct {
	ID kangma.EventID `json:"id"`
	inbox.Item
	Name  string `json:"name,omitempty" doc:"masked in a list"`
	Phone string `json:"phone,omitempty" doc:"masked in a list"`
	Tail  string `json:"id_tail,omitempty" doc:"last four of the document"`
}

func (s *Server) listInbox(ctx context.Context, in *listInboxIn) (*listInboxOut, error) {
	within := who(ctx).Account.Divisions
	if in.Division != "" {
		d, err := knownDivision(in.Division)
		if err != nil {
			return nil, invalid([]kangma.Fault{faultOf("query.division", err)})
		}
		if !inScope(who(ctx), d) {
			return nil, errScope
		}
		within = []kangma.Division{d}
	}
	items, next, err := inbox.List(ctx, s.cfg.Registry.Records(), inbox.Query{Within: within, Status: in.Status, After: in.After, Limit: in.Limit})
	if err != nil {
		return nil, unavailable(err)
	}
	out := &listInboxOut{}
	out.Body.Next, out.Body.Items = next, make([]inboxView, len(items))
	for i, it := range items {
		id, _, err := s.identityOf(ctx, it.Person)
		if err != nil {
			return nil, err
		}
		out.Body.Items[i] = inboxView{ID: it.Event, Item: it, Name: id.Name.Masked(), Phone: id.Phone.Masked(), Tail: id.Number.Tail()}
	}
	return out, nil
}

type inboxItemIn struct {
	ID string `path:"id" maxLength:"36"`
}

type inboxItemOut struct{ Body inboxView }

// readInboxItem shows name and phone in clear to the township that has to call, and notes the access for the person.
func (s *Server) readInboxItem(ctx context.Context, in *inboxItemIn) (*inboxItemOut, error) {
	event, err := kangma.ParseEventID(in.ID)
	if err != nil {
		return nil, err
	}
	it, _, err := inbox.Get(ctx, s.cfg.Registry.Records(), event, who(ctx).Account.Divisions)
	if err != nil {
		return nil, unavailable(err)
	}
	return s.openInboxItem(ctx, it)
}

func (s *Server) acknowledgeInbox(ctx context.Context, in *inboxItemIn) (*inboxItemOut, error) {
	event, err := kangma.ParseEventID(in.ID)
	if err != nil {
		return nil, err
	}
	acc := who(ctx).Account
	it, err := inbox.Acknowledge(ctx, s.cfg.Registry, event, acc.Divisions, registry.Actor{Account: acc.Name, Organisation: acc.Organisation})
	if err != nil {
		return nil, unavailable(err)
	}
	return s.openInboxItem(ctx, it)
}

func (s *Server) openInboxItem(ctx context.Context, it inbox.Item) (*inboxItemOut, error) {
	v := inboxView{ID: it.Event, Item: it}
	id, found, err := s.identityOf(ctx, it.Person)
	if err != nil || !found {
		return &inboxItemOut{Body: v}, err
	}
	now, acc := s.auth.now().UTC(), who(ctx).Account
	err = s.cfg.Registry.AppendPassages(ctx, nil, []registry.View{{ID: kangma.NewEventID(now), At: now.Truncate(time.Millisecond), Person: it.Person, Access: kangma.Access{
		Account: acc.Name, Organisation: acc.Organisation, Role: string(acc.Role), Purpose: "inbox", Case: it.Gate, Fields: []string{"name", "phone"},
	}}})
	if err != nil {
		return nil, err // no trace, no name
	}
	v.Name, v.Phone, v.Tail = id.Name.Reveal(), id.Phone.Reveal(), id.Number.Tail()
	return &inboxItemOut{Body: v}, nil
}

// identityOf opens a person's identity; found is false where there is none (any more).
func (s *Server) identityOf(ctx context.Context, person kangma.PersonID) (id seal.Identity, found bool, err error) {
	if person.IsZero() {
		return id, false, nil
	}
	d, err := s.cfg.Registry.Dossier(ctx, person)
	if err == nil {
		id, err = s.cfg.Registry.Sealer().Open(person, d.Sealed)
	}
	if errors.Is(err, kangma.NotFound) {
		return id, false, nil
	}
	return id, err == nil, unavailable(err)
}
