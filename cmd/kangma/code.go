package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
	"github.com/kangma/kangma/interop"
	"github.com/kangma/kangma/registry"
)

type codeCmd struct {
	Issue   codeIssueCmd   `cmd:"" help:"Assess a person now and sign a code for them."`
	Show    codeShowCmd    `cmd:"" help:"Draw the QR of a code in the terminal, or to PNG or SVG."`
	Verify  codeVerifyCmd  `cmd:"" help:"Verify a code with the signing keys only, as a gate without network does."`
	Inspect codeInspectCmd `cmd:"" help:"Explain what a code says, without trusting it."`
}

type pictureFlags struct {
	PNG   string `help:"Write the picture to this PNG file." type:"path"`
	SVG   string `help:"Write the picture to this SVG file." type:"path"`
	Scale int    `help:"Pixels of one module in the PNG." default:"8"`
}

// draw writes the pictures asked for and, on a human's terminal, the QR itself.
func (f pictureFlags) draw(w *world, text string, look codegen.Look) error {
	look.Scale = f.Scale
	for path, draw := range map[string]func(string, codegen.Look) ([]byte, error){f.PNG: codegen.PNG, f.SVG: codegen.SVG} {
		if path == "" {
			continue
		}
		img, err := draw(text, look)
		if err != nil {
			return err
		}
		if err := os.WriteFile(path, img, 0o600); err != nil {
			return err
		}
	}
	if w.JSON {
		return nil
	}
	qr, err := codegen.Terminal(text, look)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w.out, "%s\n%s\n", qr, text)
	return err
}

type codeIssueCmd struct {
	Person       string        `arg:"" help:"Person id, ID number or phone."`
	Life         time.Duration `help:"How long the code lives: 30s to 10m, in steps of 30s." default:"90s"`
	Challenge    int           `help:"The number that a gate shows, 10 to 99: the code carries it."`
	Region       string        `help:"Division whose code it is (GB/T 2260)." default:"441500" env:"KANGMA_REGION"`
	pictureFlags `embed:""`
}

func (c *codeIssueCmd) Run(w *world) error {
	region, err := kangma.ParseDivision(c.Region)
	if err != nil {
		return err
	}
	return withStack(w, region, func(s *stack) error {
		person, err := findPerson(w.ctx, s, c.Person)
		if err != nil {
			return err
		}
		now := time.Now().UTC().Truncate(time.Second)
		a, d, err := s.registry.Assess(w.ctx, person, now)
		if err != nil {
			return err
		}
		if !a.Told {
			fmt.Fprintf(w.out, "cannot tell: %s\n", a.ReasonCode())
			return denied
		}
		claims := codegen.Claims{Region: region, Issued: now, Expires: now.Add(c.Life), Colour: a.Colour, Kind: codegen.Dynamic,
			LatestNegative: registry.LatestNegative(d), Person: person, Challenge: c.Challenge}
		if id, err := s.registry.Sealer().Open(d.Person, d.Sealed); err == nil {
			claims.MaskedName, claims.IDTail = id.Name.Masked(), id.Number.Tail()
		}
		code, err := s.issuance.Issue(claims)
		if err != nil {
			return err
		}
		if w.JSON {
			return errors.Join(c.draw(w, code.Text, codegen.LookOf(code.Claims)), json.NewEncoder(w.out).Encode(map[string]any{
				"code": code.Text, "colour": a.Colour, "reason": a.ReasonCode(), "issued_at": now, "expires_at": code.Claims.Expires}))
		}
		fmt.Fprintf(w.out, "%s  %s  until %s\n", a.Colour, a.ReasonCode(), code.Claims.Expires.Local().Format("15:04:05"))
		return c.draw(w, code.Text, codegen.LookOf(code.Claims))
	})
}

// withStack opens the data folder, runs f and closes it again.
func withStack(w *world, region kangma.Division, f func(*stack) error) error {
	s, err := openStack(w.ctx, w.cli, region, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	return errors.Join(f(s), s.Close())
}

// findPerson finds a person by id, ID number or phone.
func findPerson(ctx context.Context, s *stack, text string) (kangma.PersonID, error) {
	if id, err := kangma.ParsePersonID(text); err == nil {
		return id, nil
	}
	if n, err := kangma.NewIDNumber(kangma.DocResidentID, text, time.Now()); err == nil {
		return notFoundSays(s.registry.ByDocument(ctx, kangma.DocResidentID, n))
	}
	if p, err := kangma.NewPhone(text); err == nil {
		return notFoundSays(s.registry.ByPhone(ctx, p))
	}
	return kangma.PersonID{}, kangma.E(kangma.Invalid, "person", "give a person id (UUID), a resident ID number or a phone")
}

func notFoundSays(id kangma.PersonID, err error) (kangma.PersonID, error) {
	if errors.Is(err, kangma.NotFound) {
		return id, kangma.E(kangma.NotFound, "unknown_person", "nobody of this number is registered in this data folder")
	}
	return id, err
}

type codeShowCmd struct {
	Code         string `arg:"" help:"Text of the code, or - to read it from standard input."`
	pictureFlags `embed:""`
}

func (c *codeShowCmd) Run(w *world) error {
	text, err := codeText(w, c.Code)
	if err != nil {
		return err
	}
	var look codegen.Look
	if seen := codegen.Inspect(text); seen.Claims != nil {
		look = codegen.LookOf(*seen.Claims)
	}
	return c.draw(w, text, look)
}

func codeText(w *world, arg string) (string, error) {
	if arg != "-" {
		return arg, nil
	}
	raw, err := io.ReadAll(io.LimitReader(w.in, 8<<10))
	text := strings.TrimRight(string(raw), "\r\n")
	return strings.TrimPrefix(text, "QR-Code:"), err // as zbarimg prints it
}

type codeVerifyCmd struct {
	Code    string    `arg:"" help:"Text of the code, or - to read it from standard input (the output of zbarimg will do)."`
	Signers string    `type:"path" help:"Certificates of the signers of EU digital COVID certificates (HC1) to trust: PEM, DER, Base64 lines or JSON."`
	At      time.Time `help:"Verify as of this moment (RFC 3339) instead of now."`
}

type verifyAnswer struct {
	Good       bool              `json:"good"`
	CannotTell kangma.CannotTell `json:"cannot_tell,omitempty"`
	Claims     *codegen.Claims   `json:"claims,omitempty"`
}

func (c *codeVerifyCmd) Run(w *world) error {
	text, err := codeText(w, c.Code)
	if err != nil {
		return err
	}
	now := c.At
	if now.IsZero() {
		now = time.Now()
	}
	if codegen.IsHealthCert(text) {
		return verifyForeign(w, text, c.Signers, now)
	}
	return withStack(w, 0, func(s *stack) error {
		claims, bad := s.codes.Verify(text, now)
		ans := verifyAnswer{Good: bad == "", CannotTell: bad}
		if ans.Good {
			ans.Claims = &claims
		}
		if err := c.print(w, ans); err != nil {
			return err
		}
		if !ans.Good {
			return denied
		}
		return nil
	})
}

func (c *codeVerifyCmd) print(w *world, a verifyAnswer) error {
	if w.JSON {
		return json.NewEncoder(w.out).Encode(a)
	}
	if !a.Good {
		_, err := fmt.Fprintln(w.out, "NOT good:", a.CannotTell)
		return err
	}
	colour := a.Claims.Colour.String()
	if a.Claims.Kind == codegen.Paper {
		colour = "no colour (it is resolved online)"
	}
	_, err := fmt.Fprintf(w.out, "good: %s, %s, region %s, %s %s, expires %s\n", colour, a.Claims.Kind, a.Claims.Region,
		a.Claims.MaskedName, a.Claims.IDTail, a.Claims.Expires.Local().Format(time.DateTime))
	return err
}

type codeInspectCmd struct {
	Code string `arg:"" help:"Text of a code (KM1, HC1), a GB/T payload in JSON, or a vendor's colour value as vendor:value, e.g. hikvision:5; - to read it from standard input."`
}

func (c *codeInspectCmd) Run(w *world) error {
	text, err := codeText(w, c.Code)
	if err != nil {
		return err
	}
	if shown, err := inspectOther(w, text); shown || err != nil {
		return err
	}
	seen := codegen.Inspect(text)
	if foreign, ok := interop.Explain(text); ok && seen.Format == "other" {
		return printExplanation(w, foreign)
	}
	if w.JSON {
		return json.NewEncoder(w.out).Encode(seen)
	}
	return printInspection(w.out, seen)
}

// printInspection says field by field what a code claims.
func printInspection(out io.Writer, in codegen.Inspection) error {
	line := func(what string, v any) { fmt.Fprintf(out, "%-16s %v\n", what, v) }
	line("format", in.Format)
	if in.Problem != "" {
		line("cannot be read", in.Problem)
	}
	line("characters", in.Length)
	if in.QR != nil {
		line("QR", fmt.Sprintf("%+v", *in.QR))
	}
	if in.Algorithm != "" {
		line("algorithm", in.Algorithm)
	}
	if c := in.Claims; c != nil {
		line("kind", c.Kind)
		if c.Kind == codegen.Paper {
			line("colour", "none: it is resolved online, or by a status list")
		} else {
			line("colour", c.Colour)
		}
		line("region", c.Region)
		line("issued", c.Issued.Format(time.RFC3339))
		line("expires", c.Expires.Format(time.RFC3339))
		line("name", c.MaskedName)
		line("document ends", c.IDTail)
		line("latest negative", c.LatestNegative.Format(time.RFC3339))
		line("key", c.Key)
		line("id", c.ID)
		if c.Shown {
			line("holder proof", fmt.Sprintf("slot %d of %d", c.Slot, c.Slots()))
		}
		if c.Challenge != 0 {
			line("gate's number", c.Challenge)
		}
	}
	if in.HealthCert != nil {
		if err := printHealthCert(out, in.HealthCert); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(out, "NOT verified: kangma code verify does that")
	return err
}
