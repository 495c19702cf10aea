// Package api is the only place that knows HTTP: Echo v4 with huma (OpenAPI 3.1 from the Go types), one route table,
// sessions and roles, RFC 9457 problems, and the embedded web pages.
package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/checkpoint"
	"github.com/kangma/kangma/checkpoint/entry"
	"github.com/kangma/kangma/checkpoint/venue"
	"github.com/kangma/kangma/codegen"
	"github.com/kangma/kangma/issuance"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/store"
)

// Issuer signs a code. codegen.Issuer is one.
type Issuer interface {
	Issue(codegen.Claims) (codegen.Code, error)
}

// Config is what the HTTP surface is built from.
type Config struct {
	Registry   *registry.Service
	Checkpoint *checkpoint.Service
	Issuer     Issuer
	Issuance   *issuance.Service // credentials, paper, guardians, lists; nil: none of them
	Lists      ListKeys          // signs what gates without a network need; nil: no bundles
	Region     kangma.Division   // whose codes these are
	Venues     venue.Keys        // signs venue codes; nil: none
	Warehouse  store.Warehouse
	Reader     Reader // of photos; nil: none
	OTPSecret  [32]byte
	SendOTP    func(ctx context.Context, phone kangma.Phone, code string) error // how a one-time password reaches a phone
	BcryptCost int                                                              // 0: 12
	Memory     int64                                                            // bytes this process may use; 0: not known. A fourth of it is for connections
	ScanBudget int                                                              // scans an hour of one staff account; 0: 2,000; a fixed device has ten times as many
	Version    string
	Ready      func(ctx context.Context) map[string]string // part to "ok" or what is wrong
	Metrics    http.Handler                                // answers GET /metrics; nil: nobody
	Log        *slog.Logger
	Running    int // requests under way at once, at most; 0: 64 for each processor
	// TrustRequestStart believes X-Request-Start of every peer, not only of proxies on this machine.
	TrustRequestStart bool

	// FromMemory says that a show of whom Registry's stores have in memory (store.Remembered) waits for nobody, neither them nor the Issuer.
	// Loops then answer shows themselves.
	FromMemory bool

	NoHotPath bool // answers the hot routes the general way, to compare the two
}

// Server is the HTTP surface. It is an http.Handler.
type Server struct {
	cfg      Config
	auth     *auth
	echo     *echo.Echo
	root     http.Handler
	throttle *throttle
	doors    *doors
	huma     huma.API
	routes   []Route
	limits   *limits
	entries  *entry.Service
	venues   *venue.Service
	log      *slog.Logger
}

const (
	maxBody    = 64 << 10 // bytes of a JSON request
	codeLife   = 90 * time.Second
	codeReload = 45 * time.Second
)

var setHumaErrors = sync.OnceFunc(func() { huma.NewError, huma.NewErrorWithContext = newHumaError, newHumaErrorAt })

// New builds the surface and its route table.
func New(cfg Config) (*Server, error) {
	if cfg.Registry == nil || cfg.Checkpoint == nil || cfg.Issuer == nil || cfg.Warehouse == nil || cfg.SendOTP == nil {
		return nil, errors.New("api: incomplete configuration")
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.BcryptCost == 0 {
		cfg.BcryptCost = 12
	}
	if cfg.ScanBudget == 0 {
		cfg.ScanBudget = defaultScanBudget
	}
	setHumaErrors()
	a, err := newAuth(cfg.Registry, cfg.OTPSecret, cfg.BcryptCost)
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, auth: a, echo: echo.New(), limits: newLimits(), log: cfg.Log}
	s.entries = entry.New(cfg.Registry, s.mayAct)
	s.venues = venue.New(cfg.Registry, cfg.Checkpoint, cfg.Venues, s.mayAct)
	s.carriers()
	s.echo.HideBanner, s.echo.HidePort = true, true
	s.echo.HTTPErrorHandler = echoErrors(cfg.Log)
	s.echo.IPExtractor = echo.ExtractIPDirect() // no blind trust in X-Forwarded-For
	s.echo.Use(requestIDs, securityHeaders, middleware.RecoverWithConfig(middleware.RecoverConfig{DisablePrintStack: true}))

	hc := huma.DefaultConfig("Kangma", cfg.Version)
	hc.Info.Description = "Health codes and checkpoint registration. Errors are RFC 9457 problem documents."
	hc.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"bearer": {Type: "http", Scheme: "bearer"}}
	hc.DocsPath, hc.SchemasPath = "", ""
	hc.CreateHooks = nil // no $schema links in every answer
	hc.Transformers = append(hc.Transformers, transformProblem)
	s.huma = humaecho.New(s.echo, hc)
	s.huma.UseMiddleware(s.authorise)
	s.register()
	if cfg.Metrics != nil {
		s.echo.GET("/metrics", echo.WrapHandler(cfg.Metrics))
	}
	if err := s.pages(); err != nil {
		return nil, err
	}
	s.throttle = newThrottle(perProcessor*runtime.GOMAXPROCS(0), time.Now)
	if cfg.Running > 0 {
		s.throttle = newThrottle(cfg.Running, time.Now)
	}
	s.doors = newDoors(s.throttle, cfg.Memory)
	s.root = s.handler()
	return s, nil
}

// ServeHTTP answers a request. Cross-site writes by a browser are refused before anything else.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.root.ServeHTTP(w, r) }

func (s *Server) handler() http.Handler {
	return http.NewCrossOriginProtection().Handler(s.guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.hot(w, r) {
			s.echo.ServeHTTP(w, r)
		}
	})))
}

// Routes lists every route of the API with who may call it, for tests and documentation.
func (s *Server) Routes() []Route { return s.routes }

// OpenAPI gives the OpenAPI 3.1 document.
func (s *Server) OpenAPI() ([]byte, error) { return s.huma.OpenAPI().MarshalJSON() }

// httpServer is net/http's part: everything but the hot routes.
func (s *Server) httpServer() *http.Server {
	return &http.Server{
		Handler:           s.root,
		ReadHeaderTimeout: headerTime,
		ReadTimeout:       requestTime,
		WriteTimeout:      writeTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    8 << 10,
		ConnState:         noteState,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
}
