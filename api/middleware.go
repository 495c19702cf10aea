package api

import (
	"context"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"
)

type requestIDKey struct{}
type principalKey struct{}

// requestIDs gives every request an id of our own; what a client sends is not believed.
func requestIDs(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		id := newRequestID()
		c.Response().Header().Set("X-Request-Id", id)
		c.SetRequest(c.Request().WithContext(context.WithValue(c.Request().Context(), requestIDKey{}, id)))
		return next(c)
	}
}

func requestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// contentPolicy allows our own scripts only, and WebAssembly for the scanner's worker.
const contentPolicy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; img-src 'self' data: blob:; " +
	"connect-src 'self'; media-src 'self' blob:; manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

// securityHeaderValues are on every answer, under their canonical names.
var securityHeaderValues = map[string]string{
	"Content-Security-Policy":      contentPolicy,
	"X-Content-Type-Options":       "nosniff",
	"Referrer-Policy":              "no-referrer",
	"Permissions-Policy":           "camera=(self), geolocation=(self), microphone=()",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Cache-Control":                "no-store", // the pages that may be cached say so themselves
}

func securityHeaders(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		for name, value := range securityHeaderValues {
			h.Set(name, value)
		}
		return next(c)
	}
}

const rolesKey = "roles"

// authorise is the one place where a route's roles are checked. A route without roles is public.
func (s *Server) authorise(ctx huma.Context, next func(huma.Context)) {
	roles, _ := ctx.Operation().Metadata[rolesKey].([]Role)
	if len(roles) == 0 {
		next(ctx)
		return
	}
	p, err := s.auth.principal(ctx.Context(), tokenOf(ctx.Header, roles))
	if err == nil && !slices.Contains(roles, p.Role) {
		err = errWrongRole
	}
	if err != nil {
		s.refuse(ctx, err)
		return
	}
	next(huma.WithValue(ctx, principalKey{}, p))
}

// refuse writes a problem from a middleware.
func (s *Server) refuse(ctx huma.Context, err error) {
	p := asProblem(err)
	logServerFault(ctx.Context(), s.log, p, err)
	if _, err := transformProblem(ctx, "", p); err != nil {
		s.log.Error("problem", "err", err)
	}
	ctx.SetHeader("Content-Type", "application/problem+json")
	ctx.SetStatus(p.Status)
	if err := s.huma.Marshal(ctx.BodyWriter(), "application/json", p); err != nil {
		s.log.Debug("write a problem", "err", err)
	}
}

// who gives the principal of a request that passed authorise.
func who(ctx context.Context) Principal {
	p, _ := ctx.Value(principalKey{}).(Principal)
	return p
}
