package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// Route is one line of the route table.
type Route struct {
	Method, Path string
	ID           string // operation id in the OpenAPI document
	Roles        []Role // nil: everyone
	MaxBody      int64  // bytes; 0: no body
	Summary      string
}

// register is the route table.
func (s *Server) register() {
	const get, post, put, del = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete
	resident := []Role{Resident}
	gate := []Role{GateStaff}

	route(s, Route{post, "/v1/residents", "register-resident", nil, maxBody, "Register as a resident"}, s.registerResident)
	route(s, Route{post, "/v1/sessions", "log-in", nil, maxBody, "Ask for a one-time password, or log in"}, s.logIn)
	route(s, Route{del, "/v1/sessions/current", "log-out", append([]Role{Resident}, StaffRoles...), 0, "Log out"}, s.logOut)
	route(s, Route{get, "/v1/session", "session", append([]Role{Resident}, StaffRoles...), 0, "Who am I?"}, s.session)

	route(s, Route{get, "/v1/me", "me", resident, 0, "My registration, masked"}, s.me)
	route(s, Route{get, "/v1/me/code", "my-code", resident, 0, "My signed code with its colour"}, s.myCode)
	route(s, Route{get, "/v1/me/code.svg", "my-code-svg", resident, 0, "My code as an SVG picture"}, s.myCodeSVG)
	route(s, Route{get, "/v1/me/code.png", "my-code-png", resident, 0, "My code as a PNG picture"}, s.myCodePNG)
	route(s, Route{get, "/v1/me/assessment", "my-assessment", resident, 0, "Why my colour is what it is, and what changes it"}, s.myAssessment)
	route(s, Route{post, "/v1/me/declarations", "declare", resident, maxBody, "Declare my health, or check in"}, s.declare)
	route(s, Route{post, "/v1/me/trips", "declare-trip", resident, maxBody, "Declare a journey"}, s.declareTrip)
	route(s, Route{get, "/v1/me/passages", "my-passages", resident, 0, "Where my code was scanned"}, s.myPassages)
	route(s, Route{get, "/v1/me/accesses", "my-accesses", resident, 0, "Who looked at my data, and why"}, s.myAccesses)
	route(s, Route{get, "/v1/me/notices", "my-notices", resident, 0, "How my colour changed, and why"}, s.myNotices)

	route(s, Route{post, "/v1/evidence", "submit-evidence", []Role{Feeder}, maxFeed, "Submit evidence, one JSON object a line"}, s.submitEvidence)
	route(s, Route{get, "/v1/feeds", "feeds", []Role{Official, Admin, Epidemiologist}, 0, "How every feed does: lag, silence, bad lines"}, s.listFeeds)
	route(s, Route{put, "/v1/feeds/{id}", "set-feed", []Role{Official, Admin}, maxBody, "When a feed's silence or lag is an alarm, and what it may say"}, s.setFeed)
	route(s, Route{put, "/v1/feeds/{id}/mapping", "set-feed-mapping", []Role{Official, Admin}, maxMapping, "How the columns of a feed's CSV are read"}, s.setMapping)
	route(s, Route{get, "/v1/feeds/{id}/mapping", "feed-mapping", []Role{Official, Admin, Feeder}, 0, "The column mapping of a feed"}, s.mapping)
	route(s, Route{get, "/v1/quarantine", "quarantine", []Role{Feeder, Official, Admin}, 0, "Lines that could not stand, with number and reason"}, s.listQuarantine)
	route(s, Route{get, "/v1/quarantine/file", "quarantine-file", []Role{Feeder}, 0, "My feed's lines with their texts, to be mended"}, s.quarantineFile)
	route(s, Route{post, "/v1/quarantine/replay", "replay-quarantine", []Role{Feeder}, maxFeed, "Send mended lines again"}, s.replayQuarantine)
	route(s, Route{put, "/v1/feed-keys/{id}", "put-feed-key", []Role{Admin}, maxBody, "Give a feed a key; from then on it must sign"}, s.putFeedKey)
	route(s, Route{post, "/v1/batches/withdraw", "withdraw-batch", []Role{Official, Admin}, maxBody, "Take a whole batch back, exactly"}, s.withdrawBatch)
	route(s, Route{put, "/v1/risk-areas", "publish-risk-areas", []Role{Official, Feeder, Admin}, maxListBody, "Publish an official risk-area list"}, s.publishAreas)

	route(s, Route{get, "/v1/gates", "gates", []Role{GateStaff, Official, Admin}, 0, "The gates I may use"}, s.listGates)
	route(s, Route{put, "/v1/gates/{id}", "put-gate", []Role{Official, Admin}, maxBody, "Create or change a gate"}, s.putGate)
	route(s, Route{get, "/v1/gates/{id}/passages", "gate-passages", []Role{GateStaff, Official}, 0, "The latest passages of a gate"}, s.gatePassages)
	route(s, Route{post, "/v1/scans", "scan", gate, maxBody, "Scan a code at a gate"}, s.scan)

	route(s, Route{post, "/v1/scans/sync", "sync-scans", gate, maxSync, "Send the passages of a gate that was without a network"}, s.syncScans)
	route(s, Route{get, "/v1/gates/{id}/bundle", "gate-bundle", gate, 0, "What this gate needs to decide without a network, signed"}, s.gateBundle)

	route(s, Route{post, "/v1/ocr/id-card", "ocr-id-card", gate, maxPhotoForm, "Read a photo of a resident ID card: a draft for the officer"}, s.ocrIDCard)
	route(s, Route{post, "/v1/ocr/mrz", "ocr-mrz", gate, maxPhotoForm, "Read the machine readable zone of a passport or card"}, s.ocrMRZ)
	route(s, Route{post, "/v1/ocr/plate", "ocr-plate", gate, maxPhotoForm, "Read a licence plate"}, s.ocrPlate)

	route(s, Route{put, "/v1/devices/{id}", "put-device", []Role{Admin}, maxBody, "Create a fixed device, or give it a new key"}, s.putDevice)
	route(s, Route{put, "/v1/accounts/{name}", "put-account", []Role{Admin}, maxBody, "Create or change a staff account"}, s.putAccount)
	route(s, Route{put, "/v1/rule-sets/{id}", "publish-rules", []Role{Admin}, maxRules, "Put a rule set in force, now or when its window begins"}, s.publishRules)
	route(s, Route{get, "/v1/rule-sets", "rule-sets", nil, 0, "Which rule sets were, are and will be in force"}, s.plannedRules)
	makers := []Role{Official, Admin, Epidemiologist}
	route(s, Route{put, "/v1/rule-drafts/{id}", "put-rule-draft", makers, maxRules, "Type-check a rule file and keep it as a draft"}, s.putDraft)
	route(s, Route{put, "/v1/rule-drafts/{id}/cases", "put-rule-cases", makers, maxRules, "Run the cases of a draft"}, s.putCases)
	route(s, Route{get, "/v1/rule-drafts/{id}", "rule-draft", makers, 0, "A draft, and what it still lacks"}, s.draft)
	route(s, Route{post, "/v1/rule-drafts/{id}/publish", "publish-rule-draft", []Role{Official, Admin}, 0, "Put a draft before a second person; released, it takes over when its window begins"}, s.publishDraft)
	route(s, Route{post, "/v1/backtests", "start-backtest", makers, maxBody, "Replay a draft over everyone stored"}, s.startBacktest)
	route(s, Route{get, "/v1/backtests/{id}", "backtest", makers, 0, "How far a back-test is, and its report"}, s.backtest)
	route(s, Route{get, "/v1/backtests/{id}/cells.csv", "backtest-csv", makers, 0, "The matrix by district and day"}, s.backtestCSV)
	route(s, Route{get, "/v1/backtests/{id}/picture.svg", "backtest-svg", makers, 0, "The picture of a back-test"}, s.backtestSVG)
	route(s, Route{del, "/v1/backtests/{id}", "cancel-backtest", makers, 0, "Cancel a back-test"}, s.cancelBacktest)
	route(s, Route{post, "/v1/me/what-if", "my-what-if", resident, maxBody, "What would my colour be with more evidence?"}, s.myWhatIf)
	route(s, Route{post, "/v1/what-if", "what-if", []Role{Official, Epidemiologist}, maxBody, "What would a person's colour be with more evidence? They see that it was asked"}, s.whatIfOf)
	route(s, Route{post, "/v1/rule-sets/roll-back", "roll-back-rules", []Role{Admin}, 0, "Undo the last publication of rules, exactly"}, s.rollBackRules)
	route(s, Route{del, "/v1/risk-areas/{id}", "withdraw-risk-areas", []Role{Official, Admin}, 0, "Take a risk-area list back, exactly"}, s.withdrawAreas)
	route(s, Route{get, "/v1/approvals", "held-changes", []Role{Official, Admin}, 0, "Changes that wait for a second person"}, s.listHeld)
	route(s, Route{post, "/v1/approvals/{id}", "decide-held-change", []Role{Official, Admin}, maxBody, "Release or refuse a held change"}, s.decide)
	route(s, Route{get, "/v1/sweep", "sweep-status", []Role{Official, Admin}, 0, "How far the search for colour changes is"}, s.sweepStatus)
	route(s, Route{get, "/v1/rule-sets/current", "rules-in-force", nil, 0, "Which rules and risk areas are in force"}, s.rulesInForce)

	route(s, Route{get, "/v1/analytics/passages-by-hour", "passages-by-hour", []Role{Epidemiologist, Official}, 0, "Passages by hour"}, s.passagesByHour)
	route(s, Route{get, "/v1/analytics/transitions", "colour-transitions", []Role{Epidemiologist, Official}, 0, "How many changed colour, by hour and district"}, s.transitions)

	s.registerEntries()
	s.registerIssuance()
	s.registerGBT()

	route(s, Route{get, "/healthz", "healthz", nil, 0, "Alive"}, s.healthz)
	route(s, Route{get, "/readyz", "readyz", nil, 0, "Ready, part by part"}, s.readyz)
}

const (
	maxFeed     = 8 << 20
	maxListBody = 16 << 20
	maxSync     = 2 << 20 // a thousand sealed passages are a megabyte
	maxRules    = 1 << 20
	maxMapping  = 256 << 10
)

// route adds one line to the table: the huma operation, its roles, its size limit, and errors as problems.
func route[I, O any](s *Server, r Route, h func(context.Context, *I) (*O, error)) {
	s.routes = append(s.routes, r)
	op := huma.Operation{
		OperationID: r.ID, Method: r.Method, Path: r.Path, Summary: r.Summary,
		MaxBodyBytes: r.MaxBody, Metadata: map[string]any{rolesKey: r.Roles, schemasKey: s.huma.OpenAPI().Components.Schemas},
		Errors: []int{http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
	}
	if len(r.Roles) > 0 {
		op.Security = []map[string][]string{{"bearer": {}}}
		op.Errors = append(op.Errors, http.StatusUnauthorized, http.StatusForbidden)
		op.Description = "Roles: " + roleList(r.Roles)
	}
	huma.Register(s.huma, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := h(ctx, in)
		if err == nil {
			return out, nil
		}
		var p *Problem
		if !errors.As(err, &p) {
			p = asProblem(err)
		}
		logServerFault(ctx, s.log, p, err)
		return nil, p
	})
}

func roleList(roles []Role) string {
	s := ""
	for i, r := range roles {
		if i > 0 {
			s += ", "
		}
		s += string(r)
	}
	return s
}
