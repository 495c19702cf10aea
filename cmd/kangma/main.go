// Command kangma is the one binary of Kangma: the server and its tools. It is the only place that names storage
// backends, reads the clock and parses configuration.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/ocr/ppocr"
	"github.com/kangma/kangma/ocr/tess"
)

// version is set at build time.
var version = "dev"

// Exit codes.
const (
	exitOK     = 0
	exitDenied = 1 // it worked and the answer is no: a code does not verify, a scan does not pass
	exitUsage  = 2 // wrong flags, arguments, configuration or input
	exitFailed = 3 // could not decide or could not do it
)

func main() {
	tess.ChildMain() // when this process is a reading child, it never returns
	ppocr.ChildMain()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// cli is every command with its flags.
type cli struct {
	Data   string `help:"Folder of keys, journal and embedded stores." default:"kangma-data" type:"path" env:"KANGMA_DATA"`
	Config string `help:"Configuration file (YAML; keys are the flags' names)." type:"existingfile" env:"KANGMA_CONFIG"`
	JSON   bool   `help:"Answer in JSON." env:"KANGMA_JSON"`

	BreakerLimit float64 `help:"Share of people that one rule set, area list or batch may recolour without a second person; negative: none at all." default:"0.001" env:"KANGMA_BREAKER_LIMIT"`

	storeFlags `embed:"" group:"Stores"`

	Serve    serveCmd    `cmd:"" help:"Serve the HTTP API and the web pages."`
	Demo     demoCmd     `cmd:"" help:"Fill an empty data folder with the demo town, without serving it."`
	Import   importCmd   `cmd:"" help:"Take in official risk-area lists, evidence and people."`
	Rules    rulesCmd    `cmd:"" help:"Check, publish and explain rule sets."`
	Code     codeCmd     `cmd:"" help:"Issue, show, verify and inspect health codes."`
	Gate     gateCmd     `cmd:"" help:"Scan a code at a gate; list gates."`
	Ocr      ocrCmd      `cmd:"" help:"Read photos of ID cards, passports and licence plates."`
	Keys     keysCmd     `cmd:"" help:"List the signing keys."`
	Accounts accountsCmd `cmd:"" help:"Make staff accounts."`
	Audit    auditCmd    `cmd:"" help:"Prove that what was kept is whole."`
	Load     loadCmd     `cmd:"" help:"Load a server of this machine: open loop, real people, real codes."`
	Rebuild  rebuildCmd  `cmd:"" help:"Make the state again from the journal: after Redis lost data, or a damaged state file. Server stopped."`
	Repair   repairCmd   `cmd:"" help:"Put a damaged journal in order again, from backups and the warehouse. Server stopped."`
	Export   exportCmd   `cmd:"" help:"Write state and passages to one sealed file: to move to other stores (see rebuild --from). May run beside a server."`
	Backup   backupCmd   `cmd:"" help:"Copy journal, state and passages into a folder. May run beside a server."`
	Restore  restoreCmd  `cmd:"" help:"Make a node again from a backup, in the stores that the flags name."`
	Version  versionCmd  `cmd:"" help:"Print the version."`
}

// world is what commands may touch.
type world struct {
	ctx      context.Context
	in       io.Reader
	out, err io.Writer
	*cli
}

// denied is how a command says that the answer is no, after having printed it.
var denied = errors.New("denied")

func run(ctx context.Context, args []string, in io.Reader, out, errw io.Writer) int {
	var c cli
	exited, code := false, 0
	parser, err := kong.New(&c, kong.Name("kangma"), kong.Writers(out, errw),
		kong.Description("Kangma (康码): signed health codes, a rule-based risk engine and checkpoint registration.\n\nTry it: kangma serve --demo"),
		kong.Exit(func(n int) { exited, code = true, n }), kong.UsageOnError(), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		fmt.Fprintln(errw, "kangma:", err)
		return exitFailed
	}
	if err := loadConfig(parser, args); err != nil {
		fmt.Fprintln(errw, "kangma:", err)
		return exitUsage
	}
	kctx, err := parser.Parse(args)
	if exited { // --help
		return code
	}
	if err != nil {
		parser.FatalIfErrorf(err)
		return exitUsage
	}
	return exitOf(errw, kctx.Run(&world{ctx: ctx, in: in, out: out, err: errw, cli: &c}))
}

func exitOf(errw io.Writer, err error) int {
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, denied):
		return exitDenied
	}
	fmt.Fprintln(errw, "kangma:", err)
	switch kangma.KindOf(err) {
	case kangma.Invalid, kangma.NotFound, kangma.Conflict, kangma.TooLarge:
		return exitUsage
	}
	return exitFailed
}

type versionCmd struct{}

func (versionCmd) Run(w *world) error {
	_, err := fmt.Fprintln(w.out, "kangma", version)
	return err
}
