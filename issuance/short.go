package issuance

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/store"
)

// spoken is the record of a numeric code (kind "short-code"): whose it is, for 10 to 20 minutes. Its id is a keyed hash of
// the digits, so that the store gives no list of them.
type spoken struct {
	Person kangma.PersonID `json:"person"`
	Until  time.Time       `json:"until"`
}

const (
	shortKind  = "short-code"
	shortTries = 16
)

var errNoShort = kangma.E(kangma.Unavailable, "no_short_codes", "this server makes no numeric codes")

// ShortCode gives the eight digits that a person without a phone at hand says at a gate, and until when they count. The
// same person gets the same digits within ten minutes. kangma.Unavailable: too many people at once; try again.
func (s *Service) ShortCode(ctx context.Context, person kangma.PersonID) (digits string, until time.Time, err error) {
	if s.short == nil {
		return "", time.Time{}, errNoShort
	}
	now := s.now()
	for try := range shortTries {
		digits, until = s.short.Code(person, now, try)
		taken, err := s.speak(ctx, digits, spoken{person, until}, now)
		if err != nil || !taken {
			return digits, until, err
		}
	}
	return "", time.Time{}, errContended
}

// speak keeps digits for a person; taken says that they are somebody else's now.
func (s *Service) speak(ctx context.Context, digits string, w spoken, now time.Time) (taken bool, err error) {
	old, version, err := registry.GetDoc[spoken](ctx, s.registry.Records(), shortKind, s.shortID(digits))
	switch {
	case err != nil && !errors.Is(err, kangma.NotFound):
		return false, unavailable(err)
	case err == nil && old == w:
		return false, nil
	case err == nil && old.Person != w.Person && now.Before(old.Until):
		return true, nil
	}
	data, err := json.Marshal(w)
	if err != nil {
		return false, err
	}
	err = s.registry.Records().Put(ctx, store.Record{Kind: shortKind, ID: s.shortID(digits), Version: version + 1, Data: data})
	if errors.Is(err, kangma.Conflict) {
		return true, nil
	}
	return false, unavailable(err)
}

func (s *Service) shortID(digits string) string {
	m := hmac.New(sha256.New, s.shortKey[:])
	m.Write([]byte("kangma short code record 1"))
	m.Write([]byte(digits))
	return hex.EncodeToString(m.Sum(nil)[:16])
}

// ByShortCode finds whose digits were typed at a gate: "" and the person, malformed when misheard (the check digit does
// not fit), unknown_person when they are nobody's, expired when they were somebody's. Who asks must limit tries.
func (s *Service) ByShortCode(ctx context.Context, typed string) (kangma.PersonID, kangma.CannotTell, error) {
	if s.short == nil {
		return kangma.PersonID{}, "", errNoShort
	}
	digits, tell := codegen.ParseShortCode(typed)
	if tell != "" {
		return kangma.PersonID{}, tell, nil
	}
	w, _, err := registry.GetDoc[spoken](ctx, s.registry.Records(), shortKind, s.shortID(digits))
	if errors.Is(err, kangma.NotFound) {
		return kangma.PersonID{}, kangma.TellUnknownPerson, nil
	}
	if err != nil {
		return kangma.PersonID{}, "", unavailable(err)
	}
	now := s.now()
	if tell := s.short.Check(w.Person, digits, now); tell != "" || !now.Before(w.Until) {
		return kangma.PersonID{}, kangma.TellExpired, nil
	}
	return w.Person, "", nil
}
