package main

import (
	"bufio"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/api"
)

type accountsCmd struct {
	Add accountsAddCmd `cmd:"" help:"Make or change a staff account; the password is asked for, or read from standard input."`
}

type accountsAddCmd struct {
	Name         string   `arg:"" help:"User name: a-z 0-9 . _ -"`
	Role         string   `required:"" enum:"gate,feeder,official,epidemiologist,admin" help:"gate, feeder, official, epidemiologist or admin."`
	Organisation string   `required:"" help:"The organisation it belongs to."`
	Gates        []string `help:"Gate staff: the gates they may scan at."`
	Divisions    []string `help:"Officials and epidemiologists: the divisions they may look at (GB/T 2260); none: all."`
	Feed         string   `help:"Feeders: the source they speak for."`
}

func (c *accountsAddCmd) Run(w *world) error {
	acc := api.Account{Name: c.Name, Role: api.Role(c.Role), Organisation: c.Organisation, Gates: c.Gates, Feed: c.Feed}
	for _, text := range c.Divisions {
		d, err := kangma.ParseDivision(text)
		if err != nil {
			return err
		}
		acc.Divisions = append(acc.Divisions, d)
	}
	password, err := askPassword(w)
	if err != nil {
		return err
	}
	if err := acc.SetPassword(password, 12); err != nil {
		return err
	}
	s, err := openStack(w.ctx, w.cli, 0, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	err = errors.Join(api.SaveAccount(w.ctx, s.registry, acc), s.Close())
	if err == nil {
		fmt.Fprintf(w.out, "account %s (%s) is ready\n", acc.Name, acc.Role)
	}
	return err
}

func askPassword(w *world) (string, error) {
	if f, ok := w.in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprint(w.err, "password: ")
		b, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(w.err)
		return string(b), err
	}
	line, err := bufio.NewReader(w.in).ReadString('\n')
	if line == "" && err != nil {
		return "", errors.New("no password on standard input")
	}
	return strings.TrimRight(line, "\r\n"), nil
}
