package issuance

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
)

const (
	// MaxDraw is how many credentials one request may draw: a phone changes between them during the day.
	MaxDraw = 16
	// maxHeld is how many living codes one person may hold: six draws, and paper.
	maxHeld = 6*MaxDraw + 8

	leastCredential = 10 * time.Minute
	// PaperLife is how long a paper code lives unless said otherwise.
	PaperLife  = 180 * 24 * time.Hour
	leastPaper = 24 * time.Hour
)

// Anchor is what a phone sends for one credential: the end of a hash chain whose seed stays in the phone, and the nonce
// it drew for it (docs/code-format.md section 3).
type Anchor struct {
	Nonce  [4]byte
	Anchor codegen.Link
}

// Drawn is the answer to a draw. Without a colour (Assessment.Told false) there are no codes.
type Drawn struct {
	Assessment kangma.Assessment
	Codes      []codegen.Code
	Refresh    time.Time // when the phone should draw again: somewhere in the middle of their life, so that phones do not come all at once
}

// Credentials draws one credential for each anchor, for up to life (0: 24 h). It ends when the person's colour is known to
// change by itself, so that no phone shows a red that is over or a green that is. They are on record before they are
// given. kangma.Invalid: the anchors; kangma.TooMany: the person holds too many; kangma.Unavailable: try again.
func (s *Service) Credentials(ctx context.Context, person kangma.PersonID, named bool, anchors []Anchor, life time.Duration) (Drawn, error) {
	if err := checkAnchors(anchors); err != nil {
		return Drawn{}, err
	}
	now := s.now()
	a, d, err := s.registry.Assess(ctx, person, now)
	if err != nil || !a.Told || d == nil {
		return Drawn{Assessment: a}, err
	}
	claims, err := s.claimsOf(d, codegen.Credential, named, now)
	if err != nil {
		return Drawn{}, err
	}
	claims.Colour, claims.Expires = a.Colour, credentialEnd(now, life, a.NextChange)
	out := Drawn{Assessment: a, Codes: make([]codegen.Code, len(anchors))}
	for i, an := range anchors {
		claims.Nonce, claims.Anchor = an.Nonce, an.Anchor
		if out.Codes[i], err = s.Issue(claims); err != nil {
			return Drawn{}, err
		}
	}
	span := claims.Expires.Sub(now)
	out.Refresh = now.Add(span/2 + rand.N(span*2/5)).Truncate(time.Second)
	return out, s.record(ctx, person, maxHeld, out.Codes...)
}

// credentialEnd gives when a credential ends.
func credentialEnd(now time.Time, life time.Duration, change time.Time) time.Time {
	if life <= 0 || life > codegen.MaxCredential {
		life = codegen.MaxCredential
	}
	end := now.Add(max(life, codegen.SlotLength))
	if !change.IsZero() && change.Before(end) {
		end = change
		if soon := now.Add(leastCredential); end.Before(soon) {
			end = soon
		}
	}
	return end
}

func checkAnchors(anchors []Anchor) error {
	if len(anchors) < 1 || len(anchors) > MaxDraw {
		return kangma.E(kangma.Invalid, "anchors", "one draw has 1 to 16 anchors")
	}
	seen := map[Anchor]bool{}
	for _, a := range anchors {
		if a.Anchor == (codegen.Link{}) || seen[a] {
			return kangma.E(kangma.Invalid, "anchors", "every credential needs a hash chain of its own")
		}
		seen[a] = true
	}
	return nil
}

// Paper makes a paper code for up to life (0: PaperLife) and voids the paper codes the person had: whoever finds a lost
// page has nothing. It carries no colour. kangma.NotFound: nobody of that id. kangma.Invalid: life under a day or over
// codegen.MaxPaper.
func (s *Service) Paper(ctx context.Context, person kangma.PersonID, named bool, life time.Duration) (codegen.Code, error) {
	if life == 0 {
		life = PaperLife
	}
	if life < leastPaper || life > codegen.MaxPaper {
		return codegen.Code{}, kangma.E(kangma.Invalid, "paper_life", "a paper code lives 1 to 400 days")
	}
	d, err := s.registry.Dossier(ctx, person)
	if err != nil {
		return codegen.Code{}, unavailable(err)
	}
	now := s.now()
	claims, err := s.claimsOf(&d, codegen.Paper, named, now)
	if err != nil {
		return codegen.Code{}, err
	}
	claims.Expires, claims.LatestNegative = now.Add(life), time.Time{} // a test is over long before the page is
	code, err := s.Issue(claims)
	if err != nil {
		return codegen.Code{}, err
	}
	return code, s.change(ctx, person, func(held []HeldCode) ([]HeldCode, error) {
		void(held, now, VoidReissued, func(h *HeldCode) bool { return h.Kind == codegen.Paper })
		return append(held, heldOf(&code.Claims)), nil
	})
}
