package api

import (
	"net/http"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/issuance"
)

// registerIssuance is the part of the route table for codes that live longer than a minute, for those who show the codes
// of others, and for the lists that gates carry.
func (s *Server) registerIssuance() {
	const get, post, del = http.MethodGet, http.MethodPost, http.MethodDelete
	me := []Role{Resident}

	route(s, Route{post, "/v1/me/credentials", "draw-credentials", me, maxBody, "Draw credentials for up to a day: the phone sends the ends of its hash chains"}, s.drawMine)
	route(s, Route{get, "/v1/me/codes", "my-codes", me, 0, "The credentials and paper codes I hold, and what is void"}, s.listMyCodes)
	route(s, Route{del, "/v1/me/codes", "void-my-codes", me, 0, "My phone or page is lost: void all of them (挂失)"}, s.voidMyCodes)
	route(s, Route{del, "/v1/me/codes/{id}", "void-my-code", me, 0, "Void one of them"}, s.voidMyCode)
	route(s, Route{post, "/v1/me/paper-codes", "my-paper-code", me, maxBody, "A paper code for months, ready to print; the one before is void"}, s.paperMine)
	route(s, Route{post, "/v1/me/short-code", "my-short-code", me, 0, "Eight digits to say at a gate, good for ten minutes and more"}, s.shortMine)

	route(s, Route{get, "/v1/me/dependents", "my-dependents", me, 0, "Whose codes I may show, and whom I have asked"}, s.listDependents)
	route(s, Route{post, "/v1/me/dependents", "ask-for-dependent", me, maxBody, "Ask to show the codes of a child or an elder"}, s.askForDependent)
	route(s, Route{get, "/v1/me/guardians", "my-guardians", me, 0, "Who may show my codes or my children's, and who asks to"}, s.listGuardians)
	route(s, Route{post, "/v1/me/guardians/{id}", "answer-guardian", me, maxBody, "Consent to a request, or refuse it"}, s.answerGuardian)
	route(s, Route{del, "/v1/me/guardianships/{id}", "end-guardianship", me, 0, "End it, from either side"}, s.endGuardianship)
	route(s, Route{post, "/v1/guardianships", "assist-guardianship", []Role{Official}, maxBody, "Put in force what two people asked for at the desk with their documents"}, s.assistGuardianship)

	dep := "/v1/me/dependents/{id}"
	route(s, Route{get, dep + "/code", "dependent-code", me, 0, "The signed code of somebody I look after"}, s.dependentCode)
	route(s, Route{get, dep + "/code.svg", "dependent-code-svg", me, 0, "Their code as an SVG picture"}, s.dependentSVG)
	route(s, Route{get, dep + "/code.png", "dependent-code-png", me, 0, "Their code as a PNG picture"}, s.dependentPNG)
	route(s, Route{get, dep + "/assessment", "dependent-assessment", me, 0, "Why their colour is what it is"}, s.dependentAssessment)
	route(s, Route{post, dep + "/credentials", "draw-dependent-credentials", me, maxBody, "Draw credentials for them"}, s.drawDependent)
	route(s, Route{post, dep + "/paper-codes", "dependent-paper-code", me, maxBody, "A paper code for them"}, s.paperDependent)
	route(s, Route{post, dep + "/short-code", "dependent-short-code", me, 0, "Digits for them to say at a gate"}, s.shortDependent)
	route(s, Route{get, dep + "/passages", "dependent-passages", me, 0, "Where their code was scanned"}, s.dependentPassages)
	route(s, Route{get, dep + "/accesses", "dependent-accesses", me, 0, "Who looked at their data, me too"}, s.dependentAccesses)

	route(s, Route{get, "/v1/trust-list", "trust-list", nil, 0, "Which keys sign codes: signed, numbered, cacheable"}, s.trustList)
	route(s, Route{get, "/v1/status-list", "status-list", nil, 0, "Which living codes are no longer what they say: a hit means check online, never red"}, s.statusList)
	route(s, Route{get, "/v1/status-list/deltas/{from}", "status-delta", nil, 0, "From the status list of a number to the next one"}, s.statusDelta)
	route(s, Route{get, "/.well-known/jwks.json", "jwks", nil, 0, "The same keys as a JSON Web Key Set"}, s.jwks)
}

var errNoIssuance = kangma.E(kangma.Unavailable, "no_issuance", "this server issues no credentials, paper codes or lists")

// issuer gives the issuing service, or says that there is none.
func (s *Server) issuer() (*issuance.Service, error) {
	if s.cfg.Issuance == nil {
		return nil, errNoIssuance
	}
	return s.cfg.Issuance, nil
}
