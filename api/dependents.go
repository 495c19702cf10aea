package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
	"github.com/kangma/kangma/issuance"
	"github.com/kangma/kangma/store/seal"
)

type askBody struct {
	Name     string `json:"name" minLength:"1" maxLength:"240" doc:"full name as on the document"`
	IDType   string `json:"id_type,omitempty" doc:"left out: 10, the resident ID card"`
	IDNumber string `json:"id_number" minLength:"5" maxLength:"20"`
	Home     string `json:"home,omitempty" maxLength:"9" doc:"division of residence, for a child that is registered with this"`
	Relation string `json:"relation" enum:"child,elder,ward"`
	Months   int    `json:"months,omitempty" minimum:"1" maximum:"36" doc:"left out: 12; a child's ends with childhood in any case"`
}

// parse checks everything and reports every fault.
func (b *askBody) parse(now time.Time) (a issuance.Ask, err error) {
	var faults []kangma.Fault
	note := func(where string, err error) {
		if err != nil {
			faults = append(faults, faultOf(where, err))
		}
	}
	if b.IDType == "" {
		b.IDType = kangma.DocResidentID
	}
	id := seal.Identity{DocType: b.IDType}
	id.Name, err = kangma.NewName(b.Name)
	note("body.name", err)
	id.Number, err = kangma.NewIDNumber(b.IDType, b.IDNumber, now)
	note("body.id_number", err)
	if b.Home != "" {
		a.Home.Division, err = knownDivision(b.Home)
		note("body.home", err)
	}
	a.Identity, a.Relation, a.Months = id, b.Relation, b.Months
	return a, invalid(faults)
}

// dependentView is a guardianship as the guardian sees it. A name is shown once it is in force, never before: a request
// must not tell who is registered.
type dependentView struct {
	ID       string                  `json:"id" doc:"of the guardianship"`
	Person   kangma.PersonID         `json:"person" doc:"the {id} of /v1/me/dependents/{id}/…"`
	Name     string                  `json:"name,omitempty" doc:"masked"`
	Relation string                  `json:"relation"`
	Status   issuance.GuardianStatus `json:"status"`
	Asked    time.Time               `json:"asked_at"`
	From     time.Time               `json:"from,omitzero"`
	Until    time.Time               `json:"until"`
	Consent  string                  `json:"consent,omitempty" enum:"self,guardian,parent,in-person"`
}

type dependentsOut struct {
	Body struct {
		Dependents []dependentView `json:"dependents"`
	}
}

func (s *Server) viewDependent(ctx context.Context, g issuance.Guardianship) dependentView {
	v := dependentView{ID: g.ID, Person: g.Dependent, Relation: g.Relation, Status: g.Status, Asked: g.Asked, From: g.From, Until: g.Until, Consent: g.Consent}
	if g.InForce(s.auth.now()) {
		v.Name = s.maskedName(ctx, g.Dependent)
	}
	return v
}

// maskedName gives the masked name of a person, "" when there is none.
func (s *Server) maskedName(ctx context.Context, person kangma.PersonID) string {
	d, err := s.cfg.Registry.Dossier(ctx, person)
	if err != nil {
		return ""
	}
	name, err := s.cfg.Registry.Sealer().OpenName(person, d.Sealed)
	if err != nil {
		return ""
	}
	return name.Masked()
}

func (s *Server) listDependents(ctx context.Context, _ *emptyIn) (*dependentsOut, error) {
	is, err := s.issuer()
	if err != nil {
		return nil, err
	}
	all, err := is.Dependents(ctx, who(ctx).Person)
	if err != nil {
		return nil, err
	}
	out := &dependentsOut{}
	out.Body.Dependents = []dependentView{}
	for _, g := range all {
		out.Body.Dependents = append(out.Body.Dependents, s.viewDependent(ctx, g))
	}
	return out, nil
}

type askIn struct{ Body askBody }

type dependentOut struct {
	Status int
	Body   dependentView
}

func (s *Server) askForDependent(ctx context.Context, in *askIn) (*dependentOut, error) {
	is, err := s.issuer()
	if err != nil {
		return nil, err
	}
	a, err := in.Body.parse(s.auth.now())
	if err != nil {
		return nil, err
	}
	if err := s.limits.allow("ask:"+who(ctx).Person.String(), 10, 24*time.Hour, s.auth.now()); err != nil {
		return nil, err
	}
	g, err := is.AskFor(ctx, who(ctx).Person, a)
	if err != nil {
		return nil, err
	}
	return s.dependentAnswer(ctx, g), nil
}

// dependentAnswer is 201 for what is in force, 202 for what waits for consent.
func (s *Server) dependentAnswer(ctx context.Context, g issuance.Guardianship) *dependentOut {
	out := &dependentOut{Status: http.StatusAccepted, Body: s.viewDependent(ctx, g)}
	if g.Status == issuance.Accepted {
		out.Status = http.StatusCreated
	}
	return out
}

type assistIn struct {
	Body struct {
		For           askBody `json:"for" doc:"the dependent"`
		GuardianPhone string  `json:"guardian_phone" minLength:"6" maxLength:"20" doc:"the guardian is registered with it"`
	}
}

// assistGuardianship is the desk's way, for elders and children without a phone: the official saw both documents.
func (s *Server) assistGuardianship(ctx context.Context, in *assistIn) (*dependentOut, error) {
	is, err := s.issuer()
	if err != nil {
		return nil, err
	}
	a, err := in.Body.For.parse(s.auth.now())
	if err != nil {
		return nil, err
	}
	phone, err := kangma.NewPhone(in.Body.GuardianPhone)
	if err != nil {
		return nil, err
	}
	if err := s.limits.allow("assist:"+who(ctx).Account.Name, 200, 24*time.Hour, s.auth.now()); err != nil {
		return nil, err
	}
	guardian, err := s.cfg.Registry.ByPhone(ctx, phone)
	if errors.Is(err, kangma.NotFound) {
		return nil, kangma.E(kangma.NotFound, "no_guardian", "nobody is registered with the guardian's phone")
	}
	if err != nil {
		return nil, unavailable(err)
	}
	g, err := is.Assist(ctx, guardian, a)
	if err != nil {
		return nil, err
	}
	return s.dependentAnswer(ctx, g), nil
}

// guardianView is a guardianship as the dependent sees it, or a child's other guardian.
type guardianView struct {
	ID       string                  `json:"id"`
	Guardian string                  `json:"guardian" doc:"masked name"`
	For      string                  `json:"for" doc:"me, or the masked name of my child"`
	Relation string                  `json:"relation"`
	Status   issuance.GuardianStatus `json:"status"`
	Asked    time.Time               `json:"asked_at"`
	Until    time.Time               `json:"until"`
}

type guardiansOut struct {
	Body struct {
		Guardians []guardianView `json:"guardians"`
	}
}

func (s *Server) listGuardians(ctx context.Context, _ *emptyIn) (*guardiansOut, error) {
	is, err := s.issuer()
	if err != nil {
		return nil, err
	}
	me := who(ctx).Person
	out := &guardiansOut{}
	out.Body.Guardians = []guardianView{}
	add := func(person kangma.PersonID, of string) error {
		all, err := is.Guardians(ctx, person)
		for _, g := range all {
			if g.Guardian != me {
				out.Body.Guardians = append(out.Body.Guardians, guardianView{g.ID, s.maskedName(ctx, g.Guardian), of, g.Relation, g.Status, g.Asked, g.Until})
			}
		}
		return err
	}
	if err := add(me, "me"); err != nil {
		return nil, err
	}
	mine, err := is.Dependents(ctx, me)
	if err != nil {
		return nil, err
	}
	for _, g := range mine {
		if g.Relation == "child" && g.InForce(s.auth.now()) {
			if err := add(g.Dependent, s.maskedName(ctx, g.Dependent)); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

type answerIn struct {
	ID   string `path:"id" maxLength:"24"`
	Body struct {
		Accept bool `json:"accept"`
	}
}

type guardianshipIn struct {
	ID string `path:"id" maxLength:"24"`
}

type answeredOut struct {
	Body struct {
		Status issuance.GuardianStatus `json:"status"`
		Until  time.Time               `json:"until"`
	}
}

func (s *Server) answerGuardian(ctx context.Context, in *answerIn) (*answeredOut, error) {
	is, err := s.issuer()
	if err != nil {
		return nil, err
	}
	g, err := is.Decide(ctx, in.ID, who(ctx).Person, in.Body.Accept)
	if err != nil {
		return nil, err
	}
	out := &answeredOut{}
	out.Body.Status, out.Body.Until = g.Status, g.Until
	return out, nil
}

func (s *Server) endGuardianship(ctx context.Context, in *guardianshipIn) (*noContent, error) {
	is, err := s.issuer()
	if err != nil {
		return nil, err
	}
	return &noContent{Status: http.StatusNoContent}, is.EndGuardianship(ctx, in.ID, who(ctx).Person)
}

type depIn struct {
	ID string `path:"id" maxLength:"36" doc:"the dependent's person id"`
}

// as makes sure that the resident may show this person's codes now, and notes it where the dependent reads it.
func (s *Server) as(ctx context.Context, id, what string) (kangma.PersonID, error) {
	is, err := s.issuer()
	if err != nil {
		return kangma.PersonID{}, err
	}
	person, err := kangma.ParsePersonID(id)
	if err != nil {
		return person, issuance.ErrNotGuardian
	}
	g, err := is.MayShow(ctx, who(ctx).Person, person)
	if err != nil {
		return person, err
	}
	return person, is.Note(ctx, g, what)
}

type depCodeIn struct {
	ID string `path:"id" maxLength:"36" doc:"the dependent's person id"`
	ChallengeParam
}

func (s *Server) dependentCode(ctx context.Context, in *depCodeIn) (*codeOut, error) {
	person, err := s.as(ctx, in.ID, "code")
	if err != nil {
		return nil, err
	}
	v, err := s.issueFor(ctx, person, in.Challenge)
	if err != nil {
		return nil, err
	}
	return &codeOut{Body: v}, nil
}

type depPictureIn struct {
	ID string `path:"id" maxLength:"36" doc:"the dependent's person id"`
	PictureParams
}

func (s *Server) dependentSVG(ctx context.Context, in *depPictureIn) (*pictureOut, error) {
	person, err := s.as(ctx, in.ID, "code")
	if err != nil {
		return nil, err
	}
	return s.picture(ctx, person, "image/svg+xml", codegen.SVG, &in.PictureParams)
}

func (s *Server) dependentPNG(ctx context.Context, in *depPictureIn) (*pictureOut, error) {
	person, err := s.as(ctx, in.ID, "code")
	if err != nil {
		return nil, err
	}
	return s.picture(ctx, person, "image/png", codegen.PNG, &in.PictureParams)
}

func (s *Server) dependentAssessment(ctx context.Context, in *depIn) (*assessmentOut, error) {
	person, err := s.as(ctx, in.ID, "assessment")
	if err != nil {
		return nil, err
	}
	return s.assessmentOf(ctx, person)
}

type depDrawIn struct {
	ID   string `path:"id" maxLength:"36" doc:"the dependent's person id"`
	Body drawBody
}

func (s *Server) drawDependent(ctx context.Context, in *depDrawIn) (*drawnOut, error) {
	person, err := s.as(ctx, in.ID, "credentials")
	if err != nil {
		return nil, err
	}
	return s.draw(ctx, person, in.Body)
}

type depPaperIn struct {
	ID   string `path:"id" maxLength:"36" doc:"the dependent's person id"`
	Body paperBody
}

func (s *Server) paperDependent(ctx context.Context, in *depPaperIn) (*paperOut, error) {
	person, err := s.as(ctx, in.ID, "paper-code")
	if err != nil {
		return nil, err
	}
	return s.paper(ctx, person, in.Body)
}

func (s *Server) shortDependent(ctx context.Context, in *depIn) (*shortOut, error) {
	person, err := s.as(ctx, in.ID, "short-code")
	if err != nil {
		return nil, err
	}
	return s.shortFor(ctx, person)
}

type depPassagesIn struct {
	ID    string `path:"id" maxLength:"36" doc:"the dependent's person id"`
	Limit int    `query:"limit" default:"100" minimum:"1" maximum:"500"`
}

func (s *Server) dependentPassages(ctx context.Context, in *depPassagesIn) (*passagesOut, error) {
	person, err := s.as(ctx, in.ID, "passages")
	if err != nil {
		return nil, err
	}
	return s.passagesOf(ctx, person, in.Limit)
}

func (s *Server) dependentAccesses(ctx context.Context, in *depIn) (*accessesOut, error) {
	person, err := s.as(ctx, in.ID, "accesses")
	if err != nil {
		return nil, err
	}
	return s.accessesOf(ctx, person)
}
