package api

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"slices"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/store"
)

// eachDoc visits every JSON document of a kind.
func eachDoc[T any](ctx context.Context, r store.Records, kind string, visit func(T)) error {
	for after := ""; ; {
		recs, next, err := r.List(ctx, store.RecordQuery{Kind: kind, After: after, Limit: 500})
		if err != nil {
			return err
		}
		for _, rec := range recs {
			var v T
			if err := json.Unmarshal(rec.Data, &v); err != nil {
				return kangma.E(kangma.Internal, "damaged", "a stored document is damaged").Because(err)
			}
			visit(v)
		}
		if after = next; next == "" {
			return nil
		}
	}
}

type putAccountIn struct {
	Name string `path:"name" minLength:"2" maxLength:"64" pattern:"^[a-z0-9][a-z0-9._-]*$"`
	Body struct {
		Role         Role     `json:"role" enum:"gate,feeder,official,epidemiologist,admin"`
		Organisation string   `json:"organisation" minLength:"1" maxLength:"200"`
		Password     string   `json:"password,omitempty" maxLength:"72" doc:"needed for a new account; 8 to 72 bytes"`
		Gates        []string `json:"gates,omitempty" maxItems:"200"`
		Divisions    []string `json:"divisions,omitempty" maxItems:"200"`
		Feed         string   `json:"feed,omitempty" maxLength:"64"`
		Disabled     bool     `json:"disabled,omitempty"`
	}
}

type accountOut struct {
	Body struct {
		Name string `json:"name"`
		Role Role   `json:"role"`
	}
}

func (s *Server) putAccount(ctx context.Context, in *putAccountIn) (*accountOut, error) {
	acc, _, err := registry.GetDoc[Account](ctx, s.cfg.Registry.Records(), accountKind, in.Name)
	if err != nil && !errors.Is(err, kangma.NotFound) {
		return nil, unavailable(err)
	}
	if acc.Device != "" {
		return nil, errIsDevice
	}
	acc.Name, acc.Role, acc.Organisation, acc.Feed = in.Name, in.Body.Role, in.Body.Organisation, in.Body.Feed
	acc.Gates, acc.Disabled, acc.Divisions = in.Body.Gates, in.Body.Disabled, nil
	for _, text := range in.Body.Divisions {
		d, err := knownDivision(text)
		if err != nil {
			return nil, invalid([]kangma.Fault{faultOf("body.divisions", err)})
		}
		acc.Divisions = append(acc.Divisions, d)
	}
	if in.Body.Password != "" || len(acc.Hash) == 0 {
		if err := acc.SetPassword(in.Body.Password, s.cfg.BcryptCost); err != nil {
			return nil, invalid([]kangma.Fault{faultOf("body.password", err)})
		}
	}
	out := &accountOut{}
	out.Body.Name, out.Body.Role = acc.Name, acc.Role
	return out, unavailable(SaveAccount(ctx, s.cfg.Registry, acc))
}

var accountName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{1,63}$`)

// SaveAccount stores an account whose Hash is set. It is how the command line and the demo make the first ones.
func SaveAccount(ctx context.Context, r *registry.Service, acc Account) error {
	if !accountName.MatchString(acc.Name) || !slices.Contains(StaffRoles, acc.Role) || len(acc.Hash) == 0 && acc.Device == "" {
		return kangma.E(kangma.Invalid, "account", "an account has a name of 2 to 64 of a-z 0-9 . _ -, a staff role and a password")
	}
	return r.PutDoc(ctx, accountKind, acc.Name, acc, map[string]string{"role": string(acc.Role)})
}
