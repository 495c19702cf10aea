package api

import (
	"context"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
	"github.com/kangma/kangma/registry"
)

// codeView is one shown code with everything its page says.
type codeView struct {
	Code       string            `json:"code,omitempty" doc:"the text of the QR; absent when no colour can be told"`
	Told       bool              `json:"told"`
	CannotTell kangma.CannotTell `json:"cannot_tell,omitempty"`
	Colour     *kangma.Colour    `json:"colour,omitempty"`
	Label      string            `json:"label,omitempty"`
	Reason     string            `json:"reason" doc:"code of the reason"`
	Reasons    []reasonView      `json:"reasons" doc:"every assignment in force, worst first"`
	Duties     []reasonView      `json:"duties,omitempty" doc:"no colour, but something to do"`
	Issued     time.Time         `json:"issued_at"`
	Expires    time.Time         `json:"expires_at"`
	Refresh    time.Time         `json:"refresh_at" doc:"when the page should ask again"`
	NextChange time.Time         `json:"next_change,omitzero"`
	MaskedName string            `json:"masked_name"`
	Rules      kangma.RuleSetRef `json:"rules"`
	AsOf       time.Time         `json:"as_of,omitzero" doc:"the register did not answer: from this server's copy, at least as new as this"`
}

type reasonView struct {
	Rule     string           `json:"rule"`
	Colour   *kangma.Colour   `json:"colour,omitempty"`
	Why      kangma.Text      `json:"why"`
	Guidance kangma.Text      `json:"guidance"`
	Clears   kangma.Text      `json:"clears"`
	Since    time.Time        `json:"since"`
	Until    time.Time        `json:"until"`
	Progress *kangma.Progress `json:"progress,omitempty"`
}

type codeOut struct{ Body codeView }

// ChallengeParam is the number of a gate that a code shall carry.
type ChallengeParam struct {
	Challenge int `query:"challenge" minimum:"10" maximum:"99" doc:"the number that a gate shows: the code carries it"`
}

func (s *Server) myCode(ctx context.Context, in *ChallengeParam) (*codeOut, error) {
	v, err := s.issueFor(ctx, who(ctx).Person, in.Challenge)
	if err != nil {
		return nil, err
	}
	return &codeOut{Body: v}, nil
}

// staleShow is how old the copy may be from which a code is shown while the register does not answer. A gate without a
// network takes a credential that was drawn as long ago.
const staleShow = time.Hour

// issueFor assesses a person now and signs a code that lives 90 s, with the number of a gate unless that is 0. No colour, no code.
func (s *Server) issueFor(ctx context.Context, person kangma.PersonID, challenge int) (codeView, error) {
	now := s.auth.now().UTC().Truncate(time.Second)
	a, d, err := s.cfg.Registry.AssessOrLast(ctx, person, now)
	if err != nil {
		return codeView{}, err
	}
	if !a.AsOf.IsZero() && now.Sub(a.AsOf) > staleShow {
		a = kangma.Assessment{AsOf: a.AsOf, CannotTell: kangma.TellStaleGate, Rules: a.Rules}
	}
	v := codeView{
		Told: a.Told, Reason: a.ReasonCode(), Reasons: []reasonView{}, Issued: now, Expires: now.Add(codeLife),
		Refresh: now.Add(codeReload), NextChange: a.NextChange, Rules: a.Rules, Label: a.Label, AsOf: a.AsOf,
	}
	if !a.Told {
		v.CannotTell = kangma.CannotTell(a.ReasonCode())
		return v, nil
	}
	v.Colour = &a.Colour
	for _, as := range a.Assignments {
		r := reasonOf(as)
		r.Colour = &as.Colour
		v.Reasons = append(v.Reasons, r)
	}
	for _, as := range a.Duties {
		v.Duties = append(v.Duties, reasonOf(as))
	}
	shown, err := s.cfg.Registry.Shown(d)
	if err != nil {
		return codeView{}, err
	}
	v.MaskedName = shown.MaskedName
	code, err := s.cfg.Issuer.Issue(codegen.Claims{
		Region: s.cfg.Region, Issued: v.Issued, Expires: v.Expires, Colour: a.Colour, Kind: codegen.Dynamic,
		LatestNegative: registry.LatestNegative(d), MaskedName: v.MaskedName, IDTail: shown.IDTail, Person: d.Person, Challenge: challenge,
	})
	v.Code, v.Issued, v.Expires = code.Text, code.Claims.Issued, code.Claims.Expires
	return v, err
}

func reasonOf(a kangma.Assignment) reasonView {
	return reasonView{Rule: a.Rule, Why: a.Reason, Guidance: a.Guidance, Clears: a.Clears, Since: a.Since, Until: a.Until, Progress: a.Progress}
}

// PictureParams say how a code is drawn.
type PictureParams struct {
	ChallengeParam
	Size int `query:"size" default:"8" minimum:"2" maximum:"20" doc:"pixels of one module (PNG)"`
}

type pictureOut struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

// picture draws a fresh code; without a colour there is nothing to draw.
func (s *Server) picture(ctx context.Context, person kangma.PersonID, contentType string, draw func(string, codegen.Look) ([]byte, error), in *PictureParams) (*pictureOut, error) {
	v, err := s.issueFor(ctx, person, in.Challenge)
	if err != nil {
		return nil, err
	}
	if v.Code == "" {
		return nil, kangma.E(kangma.Conflict, "cannot_tell", "no colour can be told now, so there is no code to draw: "+string(v.CannotTell))
	}
	img, err := draw(v.Code, codegen.Look{Kind: codegen.Dynamic, Colour: *v.Colour, Framed: true, Scale: in.Size})
	if err != nil {
		return nil, err
	}
	return &pictureOut{ContentType: contentType, Body: img}, nil
}

func (s *Server) myCodeSVG(ctx context.Context, in *PictureParams) (*pictureOut, error) {
	return s.picture(ctx, who(ctx).Person, "image/svg+xml", codegen.SVG, in)
}

func (s *Server) myCodePNG(ctx context.Context, in *PictureParams) (*pictureOut, error) {
	return s.picture(ctx, who(ctx).Person, "image/png", codegen.PNG, in)
}

type assessmentOut struct{ Body kangma.Assessment }

func (s *Server) myAssessment(ctx context.Context, _ *emptyIn) (*assessmentOut, error) {
	return s.assessmentOf(ctx, who(ctx).Person)
}

func (s *Server) assessmentOf(ctx context.Context, person kangma.PersonID) (*assessmentOut, error) {
	a, _, err := s.cfg.Registry.Assess(ctx, person, s.auth.now().UTC())
	if err != nil {
		return nil, err
	}
	if a.Assignments == nil {
		a.Assignments = []kangma.Assignment{}
	}
	return &assessmentOut{Body: a}, nil
}
