package api

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/kangma/kangma/codegen"
	"github.com/kangma/kangma/issuance"
)

type listIn struct {
	IfNoneMatch string `header:"If-None-Match" doc:"the ETag of what you have"`
}

// listOut is a signed list with what caches and gates ask: its number, its age, how long it may be kept.
type listOut struct {
	Status       int
	ContentType  string `header:"Content-Type"`
	ETag         string `header:"ETag"`
	CacheControl string `header:"Cache-Control"`
	Modified     string `header:"Last-Modified"`
	Number       string `header:"Kangma-List-Number" doc:"never falls; an older list is never taken back"`
	Age          string `header:"Kangma-List-Age" doc:"seconds since it was issued"`
	Entries      string `header:"Kangma-List-Entries"`
	Body         []byte
}

const (
	cacheList  = "public, max-age=30, stale-if-error=86400"
	cacheDelta = "public, max-age=86400, immutable"
)

// serveList answers with a list, or that it has not changed.
func (s *Server) serveList(in *listIn, l issuance.Signed, contentType, cache string, body []byte) *listOut {
	out := &listOut{
		Status: http.StatusOK, ContentType: contentType, CacheControl: cache, ETag: fmt.Sprintf(`"%d"`, l.Number),
		Modified: l.Issued.UTC().Format(http.TimeFormat), Number: strconv.FormatUint(l.Number, 10),
		Age: strconv.Itoa(max(0, int(s.auth.now().Sub(l.Issued)/time.Second))), Body: body,
	}
	if contentType == codegen.TypeStatusList {
		out.Entries = strconv.Itoa(l.Entries)
	}
	if matches(in.IfNoneMatch, out.ETag) {
		out.Status, out.ContentType, out.Body = http.StatusNotModified, "", nil
	}
	return out
}

func (s *Server) trustList(ctx context.Context, in *listIn) (*listOut, error) {
	is, err := s.issuer()
	if err != nil {
		return nil, err
	}
	l, err := is.TrustList(ctx)
	if err != nil {
		return nil, unavailable(err)
	}
	return s.serveList(in, l, codegen.TypeTrustList, cacheList, l.Data), nil
}

func (s *Server) statusList(ctx context.Context, in *listIn) (*listOut, error) {
	is, err := s.issuer()
	if err != nil {
		return nil, err
	}
	l, err := is.StatusList(ctx)
	if err != nil {
		return nil, unavailable(err)
	}
	return s.serveList(in, l, codegen.TypeStatusList, cacheList, l.Data), nil
}

type deltaIn struct {
	From        uint64 `path:"from" doc:"number of the list you have"`
	IfNoneMatch string `header:"If-None-Match" doc:"the ETag of what you have"`
}

func (s *Server) statusDelta(ctx context.Context, in *deltaIn) (*listOut, error) {
	is, err := s.issuer()
	if err != nil {
		return nil, err
	}
	l, err := is.StatusDelta(ctx, in.From)
	if err != nil {
		return nil, unavailable(err)
	}
	return s.serveList(&listIn{in.IfNoneMatch}, l, codegen.TypeStatusDelta, cacheDelta, l.Data), nil
}

func (s *Server) jwks(ctx context.Context, in *listIn) (*listOut, error) {
	is, err := s.issuer()
	if err != nil {
		return nil, err
	}
	set, l, err := is.JWKS(ctx)
	if err != nil {
		return nil, unavailable(err)
	}
	return s.serveList(in, l, "application/jwk-set+json", cacheList, set), nil
}

// matches reports whether an If-None-Match header names the tag (RFC 9110 section 13.1.2: compared weakly).
func matches(header, etag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		if part = strings.TrimPrefix(strings.TrimSpace(part), "W/"); part == etag || part == "*" {
			return true
		}
	}
	return false
}
