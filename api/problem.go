package api

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"
	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"

	"github.com/kangma/kangma"
)

// statusOf is the one table from kinds of failure to HTTP.
var statusOf = map[kangma.Kind]int{
	kangma.Internal:     http.StatusInternalServerError,
	kangma.Invalid:      http.StatusUnprocessableEntity,
	kangma.Unauthorized: http.StatusUnauthorized,
	kangma.Forbidden:    http.StatusForbidden,
	kangma.NotFound:     http.StatusNotFound,
	kangma.Conflict:     http.StatusConflict,
	kangma.TooLarge:     http.StatusRequestEntityTooLarge,
	kangma.TooMany:      http.StatusTooManyRequests,
	kangma.Unavailable:  http.StatusServiceUnavailable,
}

// Problem is an RFC 9457 problem document. It never repeats a value that was sent.
type Problem struct {
	Type     string       `json:"type" doc:"about:blank, or the address of what explains the code"`
	Title    string       `json:"title"`
	Status   int          `json:"status"`
	Code     string       `json:"code" doc:"short stable name of the problem"`
	Detail   string       `json:"detail,omitempty" doc:"what to do, in the language asked for"`
	Instance string       `json:"instance,omitempty" doc:"request id, to be told to the operator"`
	Errors   []FieldFault `json:"errors,omitempty" doc:"every fault found"`

	retryAfter int
}

// FieldFault is one thing wrong with one place of the request.
type FieldFault struct {
	Location string `json:"location"`
	Code     string `json:"code,omitempty"`
	Message  string `json:"message"`

	allowed string // names that stand after the message, in any language
}

// Error makes a Problem an error.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus is huma's way to ask for the status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is huma's way to ask for the media type.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

//go:embed texts/*.json
var textFiles embed.FS

var bundle = func() *i18n.Bundle {
	b := i18n.NewBundle(language.English)
	b.RegisterUnmarshalFunc("json", json.Unmarshal)
	for _, f := range []string{"texts/active.zh.json"} {
		if _, err := b.LoadMessageFileFS(textFiles, f); err != nil {
			panic(err) // an embedded file; a test loads it
		}
	}
	return b
}()

// localised gives the text of a code in the language asked for, or the fallback.
func localised(accept, code, fallback string) string {
	s, err := i18n.NewLocalizer(bundle, accept).Localize(&i18n.LocalizeConfig{
		DefaultMessage: &i18n.Message{ID: code, Other: fallback},
	})
	if err != nil || s == "" {
		return fallback
	}
	return s
}

// asProblem turns any error into a problem; what is not ours to show becomes "internal".
func asProblem(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	var e *kangma.Error
	if !errors.As(err, &e) {
		e = &kangma.Error{Kind: kangma.KindOf(err), Code: kangma.CodeOf(err)}
	}
	p = &Problem{Type: "about:blank", Status: statusOf[e.Kind], Code: kangma.CodeOf(e), Detail: e.Public, retryAfter: e.RetryAfter}
	if e.Kind == kangma.Internal {
		p.Code, p.Detail = "internal", "something failed on our side; try again, and tell the operator the request id"
	}
	if p.retryAfter == 0 && (e.Kind == kangma.Unavailable || e.Kind == kangma.TooMany) {
		p.retryAfter = 2
	}
	p.Title = http.StatusText(p.Status)
	for _, f := range e.Faults {
		p.Errors = append(p.Errors, FieldFault{Location: f.Where, Code: f.Code, Message: f.What})
	}
	return p
}

// newHumaError builds problems for what huma itself finds wrong (schema, media type, size), without echoing values.
func newHumaError(status int, msg string, errs ...error) huma.StatusError {
	p := &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: humaCode(status), Detail: msg}
	for _, err := range errs {
		var d *huma.ErrorDetail
		switch {
		case err == nil:
		case errors.As(err, &d):
			p.Errors = append(p.Errors, FieldFault{Location: d.Location, Message: d.Message})
		default:
			p.Errors = append(p.Errors, FieldFault{Location: "body", Message: "cannot be read as JSON of this shape"})
		}
	}
	return p
}

func humaCode(status int) string {
	switch status {
	case http.StatusBadRequest:
		return "malformed"
	case http.StatusUnprocessableEntity:
		return "invalid"
	case http.StatusRequestEntityTooLarge:
		return "too_large"
	case http.StatusUnsupportedMediaType:
		return "media_type"
	case http.StatusRequestTimeout:
		return "timeout"
	case http.StatusNotAcceptable:
		return "not_acceptable"
	}
	return "http_" + strconv.Itoa(status)
}

// finish fills in what only the request knows: language and request id.
func (p *Problem) finish(accept, requestID string) {
	p.Detail = localised(accept, p.Code, p.Detail)
	for i := range p.Errors {
		if c := p.Errors[i].Code; c != "" {
			p.Errors[i].Message = localised(accept, c, p.Errors[i].Message)
		}
		if names := p.Errors[i].allowed; names != "" {
			p.Errors[i].Message += ": " + names
			p.Errors[i].allowed = ""
		}
	}
	p.Instance = "urn:uuid:" + requestID
}

// transformProblem is the huma transformer that finishes every problem on its way out.
func transformProblem(ctx huma.Context, _ string, v any) (any, error) {
	if p, ok := v.(*Problem); ok {
		id, _ := ctx.Context().Value(requestIDKey{}).(string)
		p.finish(ctx.Header("Accept-Language"), id)
		if p.retryAfter > 0 {
			ctx.SetHeader("Retry-After", strconv.Itoa(p.retryAfter))
		}
		if p.Status == http.StatusUnauthorized {
			ctx.SetHeader("WWW-Authenticate", `Bearer realm="kangma"`)
		}
	}
	return v, nil
}

// echoErrors answers what never reached huma: unknown routes, wrong methods, panics caught by the middleware.
func echoErrors(log *slog.Logger) echo.HTTPErrorHandler {
	return func(err error, c echo.Context) {
		if c.Response().Committed {
			return
		}
		var he *echo.HTTPError
		p := asProblem(err)
		if errors.As(err, &he) {
			p = newHumaError(he.Code, strings.ToLower(http.StatusText(he.Code))).(*Problem)
		}
		logServerFault(c.Request().Context(), log, p, err)
		p.finish(c.Request().Header.Get("Accept-Language"), requestID(c.Request().Context()))
		if p.retryAfter > 0 {
			c.Response().Header().Set("Retry-After", strconv.Itoa(p.retryAfter))
		}
		c.Response().Header().Set("Content-Type", "application/problem+json")
		c.Response().WriteHeader(p.Status)
		_ = json.NewEncoder(c.Response()).Encode(p)
	}
}

// logServerFault logs what is our own fault, once, with the cause that nobody else may see.
func logServerFault(ctx context.Context, log *slog.Logger, p *Problem, err error) {
	if p.Status >= http.StatusInternalServerError {
		log.Error("request failed", "code", p.Code, "request", requestID(ctx), "err", fmt.Sprint(err))
	}
}
