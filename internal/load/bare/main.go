// Command bare serves what the hot routes are compared with, in the shape `kangma load` expects: a constant answer of the
// size of a shown code, with or without one P-256 signature, and a scan that does nothing but prove the code and append to
// the journal. See scripts/bench.
package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"flag"
	"io"
	"log"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
	"github.com/kangma/kangma/store/journal"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:18399", "address")
	sign := flag.Bool("sign", false, "one P-256 signature before each answer")
	folder := flag.String("journal", "", "folder of a journal: scans prove the code and are appended")
	verify := flag.Bool("verify", false, "scans verify the signature in the ordinary way, 50 µs")
	flag.Parse()
	if err := serve(*listen, *sign, *verify, *folder); err != nil {
		log.Fatal(err)
	}
}

const region = kangma.Division(441500000)

func serve(listen string, sign, verify bool, folder string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	issuer, err := codegen.NewIssuer(codegen.IssuerConfig{Region: region, Key: key, SubjectKey: [32]byte{1}})
	if err != nil {
		return err
	}
	now := time.Now()
	code, err := issuer.Issue(codegen.Claims{Region: region, Issued: now, Expires: now.Add(10 * time.Minute), Colour: kangma.Green, Kind: codegen.Dynamic,
		LatestNegative: now.Add(-10 * time.Hour), MaskedName: "林*伟", IDTail: "1234", Person: kangma.NewPersonID()})
	if err != nil {
		return err
	}
	ring, err := codegen.NewKeyring([]codegen.VerifyKey{{Public: &key.PublicKey, Region: region, From: now.Add(-time.Hour), Until: now.Add(24 * time.Hour), State: codegen.Active}}, 0)
	if err != nil {
		return err
	}
	cfg := codegen.OpenerConfig{SubjectKeys: [][32]byte{{1}}, Keys: ring}
	if !verify {
		cfg.Own = []*ecdsa.PrivateKey{key}
	}
	opener, err := codegen.NewOpener(cfg)
	if err != nil {
		return err
	}
	body := []byte(`{"code":"` + code.Text + `","told":true,"colour":"green","reason":"ok","reasons":[]` + strings.Repeat(" ", 330) + `}`)
	digest := sha256.Sum256(body)

	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.GET("/v1/me/code", func(c echo.Context) error {
		if sign {
			if _, err := key.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
				return err
			}
		}
		return c.Blob(http.StatusOK, "application/json", body)
	})
	if folder != "" {
		j, err := journal.Open(folder, journal.Options{Now: time.Now})
		if err != nil {
			return err
		}
		defer j.Close()
		answer := []byte(`{"decision":"pass","told":true` + strings.Repeat(" ", 150) + `}`)
		e.POST("/v1/scans", func(c echo.Context) error {
			if _, err := io.Copy(io.Discard, c.Request().Body); err != nil {
				return err
			}
			if _, tell := opener.Open(code.Text, now); tell != "" {
				return echo.NewHTTPError(http.StatusInternalServerError, string(tell))
			}
			at := time.Now()
			if _, err := j.Append(c.Request().Context(), kangma.Event{ID: kangma.NewEventID(at), Kind: kangma.EventPassage, At: at, Data: make([]byte, 130)}); err != nil {
				return err
			}
			return c.Blob(http.StatusOK, "application/json", answer)
		})
	}
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	e.GET("/metrics", echo.WrapHandler(promhttp.HandlerFor(r, promhttp.HandlerOpts{})))
	e.GET("/healthz", func(c echo.Context) error { return c.NoContent(http.StatusOK) })
	return e.Start(listen)
}
