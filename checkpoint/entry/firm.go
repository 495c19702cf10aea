package entry

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/registry"
)

// Firm is one firm on the list of those back at work (复工白名单), as kept in the records (kind "firm").
type Firm struct {
	ID       string          `json:"id"` // unified social credit code
	Name     string          `json:"name"`
	Division kangma.Division `json:"division"`
	From     time.Time       `json:"from"`
	Until    time.Time       `json:"until"` // half-open
}

const firmKind = "firm"

// firmLetters are the characters of a unified social credit code in order of value: GB 32100-2015, without I, O, S, V, Z.
const firmLetters = "0123456789ABCDEFGHJKLMNPQRTUWXY"

// ValidFirm checks a unified social credit code: 18 characters of which the last is the MOD 31 check character
// (GB 32100-2015, weights 3^i mod 31).
func ValidFirm(code string) bool {
	if len(code) != 18 {
		return false
	}
	sum, weight := 0, 1
	for i := range 17 {
		v := strings.IndexByte(firmLetters, code[i])
		if v < 0 {
			return false
		}
		sum += v * weight
		weight = weight * 3 % 31
	}
	return code[17] == firmLetters[(31-sum%31)%31]
}

// Check reports every fault of a line. kangma.Invalid.
func (f Firm) Check() error {
	var faults []kangma.Fault
	bad := func(where, what string) {
		faults = append(faults, kangma.Fault{Where: where, Code: "firm", What: what})
	}
	if !ValidFirm(f.ID) {
		bad("id", "a firm is its unified social credit code of 18 characters (GB 32100); read it again")
	}
	if n := len([]rune(f.Name)); n < 1 || n > 100 {
		bad("name", "a name of 1 to 100 characters")
	}
	if f.Division.Rank() == kangma.NoDivision {
		bad("division", "the division that lists it")
	}
	if !f.From.Before(f.Until) || f.Until.Sub(f.From) > 366*24*time.Hour {
		bad("until", "a firm is listed from a day until a later one, at most a year")
	}
	if len(faults) > 0 {
		return &kangma.Error{Kind: kangma.Invalid, Code: "firm", Public: "the firm is not valid", Faults: faults}
	}
	return nil
}

// PutFirm puts a firm on the list, or changes its line. kangma.Invalid with every fault.
func (s *Service) PutFirm(ctx context.Context, f Firm) error {
	if err := f.Check(); err != nil {
		return err
	}
	return s.registry.PutDoc(ctx, firmKind, f.ID, f, map[string]string{"division": f.Division.String()})
}

// listed reports whether a firm is on the list at a moment.
func (s *Service) listed(ctx context.Context, id string, when time.Time) (bool, error) {
	if id == "" {
		return false, nil
	}
	f, _, err := registry.GetDoc[Firm](ctx, s.registry.Records(), firmKind, id)
	if errors.Is(err, kangma.NotFound) {
		return false, nil
	}
	return err == nil && !when.Before(f.From) && when.Before(f.Until), err
}

func at(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]" }
