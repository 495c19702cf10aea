package api

import (
	"context"
	"encoding/hex"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
	"github.com/kangma/kangma/issuance"
)

type drawBody struct {
	Anchors []anchorIn `json:"anchors" minItems:"1" maxItems:"16" doc:"one for each credential; a phone draws several and changes between them, so that gates cannot link its day"`
	Named   bool       `json:"named,omitempty" doc:"carry the masked name and the end of the document number"`
	Hours   int        `json:"hours,omitempty" minimum:"1" maximum:"24" doc:"left out: 24"`
}

type anchorIn struct {
	Nonce  string `json:"nonce" pattern:"^[0-9a-f]{8}$" doc:"4 random bytes, hexadecimal"`
	Anchor string `json:"anchor" pattern:"^[0-9a-f]{24}$" doc:"the end of the hash chain over that nonce, 12 bytes, hexadecimal"`
}

type drawIn struct{ Body drawBody }

type drawnOut struct {
	Body struct {
		Told        bool              `json:"told"`
		CannotTell  kangma.CannotTell `json:"cannot_tell,omitempty"`
		Colour      *kangma.Colour    `json:"colour,omitempty"`
		Credentials []credentialView  `json:"credentials" doc:"in the order of the anchors; none when no colour can be told"`
		Refresh     time.Time         `json:"refresh_at,omitzero" doc:"draw again then: somewhere in the middle of their life"`
		SlotSeconds int               `json:"slot_seconds" doc:"each link of the chain is worth one slot"`
	}
}

type credentialView struct {
	ID         codegen.CodeID `json:"id"`
	Credential string         `json:"credential" doc:"what the phone stores; shown together with the link of the slot only"`
	Issued     time.Time      `json:"issued_at"`
	Expires    time.Time      `json:"expires_at"`
	Slots      int            `json:"slots"`
}

func (s *Server) drawMine(ctx context.Context, in *drawIn) (*drawnOut, error) {
	return s.draw(ctx, who(ctx).Person, in.Body)
}

func (s *Server) draw(ctx context.Context, person kangma.PersonID, in drawBody) (*drawnOut, error) {
	is, err := s.issuer()
	if err != nil {
		return nil, err
	}
	if err := s.limits.allow("draw:"+person.String(), 12, time.Hour, s.auth.now()); err != nil {
		return nil, err
	}
	anchors := make([]issuance.Anchor, len(in.Anchors))
	for i, a := range in.Anchors { // the schema has checked the digits
		hex.Decode(anchors[i].Nonce[:], []byte(a.Nonce))
		hex.Decode(anchors[i].Anchor[:], []byte(a.Anchor))
	}
	drawn, err := is.Credentials(ctx, person, in.Named, anchors, time.Duration(in.Hours)*time.Hour)
	if err != nil {
		return nil, err
	}
	out := &drawnOut{}
	b := &out.Body
	b.Told, b.Refresh, b.SlotSeconds, b.Credentials = drawn.Assessment.Told, drawn.Refresh, int(codegen.SlotLength/time.Second), []credentialView{}
	if !b.Told {
		b.CannotTell = kangma.CannotTell(drawn.Assessment.ReasonCode())
		return out, nil
	}
	b.Colour = &drawn.Assessment.Colour
	for i := range drawn.Codes {
		c := &drawn.Codes[i].Claims
		b.Credentials = append(b.Credentials, credentialView{c.ID, drawn.Codes[i].Text, c.Issued, c.Expires, c.Slots()})
	}
	return out, nil
}

type codesOut struct {
	Body struct {
		Codes []issuance.HeldCode `json:"codes" doc:"oldest first"`
	}
}

func (s *Server) listMyCodes(ctx context.Context, _ *emptyIn) (*codesOut, error) {
	is, err := s.issuer()
	if err != nil {
		return nil, err
	}
	held, err := is.Held(ctx, who(ctx).Person)
	if err != nil {
		return nil, err
	}
	out := &codesOut{}
	out.Body.Codes = append([]issuance.HeldCode{}, held...)
	return out, nil
}

type voidedOut struct {
	Body struct {
		Voided int `json:"voided"`
	}
}

func (s *Server) voidMyCodes(ctx context.Context, _ *emptyIn) (*voidedOut, error) {
	return s.void(ctx, codegen.CodeID{})
}

type codeIDIn struct {
	ID string `path:"id" maxLength:"24"`
}

func (s *Server) voidMyCode(ctx context.Context, in *codeIDIn) (*voidedOut, error) {
	id, err := codegen.ParseCodeID(in.ID)
	if err != nil {
		return nil, err
	}
	return s.void(ctx, id)
}

func (s *Server) void(ctx context.Context, id codegen.CodeID) (*voidedOut, error) {
	is, err := s.issuer()
	if err != nil {
		return nil, err
	}
	out := &voidedOut{}
	out.Body.Voided, err = is.Void(ctx, who(ctx).Person, id, issuance.VoidLost)
	return out, err
}

type paperBody struct {
	Days    int    `json:"days,omitempty" minimum:"1" maximum:"400" doc:"left out: 180"`
	Unnamed bool   `json:"unnamed,omitempty" doc:"without the masked name and the end of the document number"`
	Sheet   string `json:"sheet,omitempty" enum:"a4,label" doc:"left out: a4"`
}

type paperIn struct{ Body paperBody }

type paperOut struct {
	Body struct {
		ID      codegen.CodeID `json:"id" doc:"printed on the page; it voids the code when lost"`
		Code    string         `json:"code"`
		Issued  time.Time      `json:"issued_at"`
		Expires time.Time      `json:"expires_at"`
		Page    string         `json:"page" doc:"SVG with its size in millimetres, to print as it is"`
	}
}

func (s *Server) paperMine(ctx context.Context, in *paperIn) (*paperOut, error) {
	return s.paper(ctx, who(ctx).Person, in.Body)
}

func (s *Server) paper(ctx context.Context, person kangma.PersonID, in paperBody) (*paperOut, error) {
	is, err := s.issuer()
	if err != nil {
		return nil, err
	}
	if err := s.limits.allow("paper:"+person.String(), 10, 24*time.Hour, s.auth.now()); err != nil {
		return nil, err
	}
	code, err := is.Paper(ctx, person, !in.Unnamed, time.Duration(in.Days)*24*time.Hour)
	if err != nil {
		return nil, err
	}
	sheet := codegen.SheetA4
	if in.Sheet == "label" {
		sheet = codegen.SheetLabel
	}
	page, err := codegen.PaperPage(code.Text, sheet, pageZone)
	if err != nil {
		return nil, err
	}
	out := &paperOut{}
	out.Body.ID, out.Body.Code, out.Body.Issued, out.Body.Expires, out.Body.Page = code.Claims.ID, code.Text, code.Claims.Issued, code.Claims.Expires, string(page)
	return out, nil
}

// pageZone is the zone of printed dates.
var pageZone = time.FixedZone("CST", 8*60*60)

type shortOut struct {
	Body struct {
		Digits string    `json:"digits" doc:"as it is said: two groups of four"`
		Until  time.Time `json:"expires_at"`
	}
}

func (s *Server) shortMine(ctx context.Context, _ *emptyIn) (*shortOut, error) {
	return s.shortFor(ctx, who(ctx).Person)
}

func (s *Server) shortFor(ctx context.Context, person kangma.PersonID) (*shortOut, error) {
	is, err := s.issuer()
	if err != nil {
		return nil, err
	}
	if err := s.limits.allow("short:"+person.String(), 20, time.Hour, s.auth.now()); err != nil {
		return nil, err
	}
	digits, until, err := is.ShortCode(ctx, person)
	if err != nil {
		return nil, err
	}
	out := &shortOut{}
	out.Body.Digits, out.Body.Until = digits[:4]+" "+digits[4:], until
	return out, nil
}
