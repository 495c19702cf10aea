package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"gopkg.in/yaml.v3"
)

// loadConfig makes a configuration file the source of flags that neither the command line nor the environment sets.
// Keys are the long flag names; an unknown key is an error, since a misspelt key must not be silence.
func loadConfig(parser *kong.Kong, args []string) error {
	path := configPath(args)
	if path == "" {
		return nil
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	values := map[string]any{}
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	if err := dec.Decode(&values); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	known := flagNames(parser.Model.Node)
	var unknown []string
	for key := range values {
		if !slices.Contains(known, key) {
			unknown = append(unknown, key)
		}
	}
	if len(unknown) > 0 {
		slices.Sort(unknown)
		return fmt.Errorf("%s: unknown keys %s; the keys are the flags of kangma --help", path, strings.Join(unknown, ", "))
	}
	return kong.Resolvers(kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		return values[flag.Name], nil
	})).Apply(parser)
}

func flagNames(n *kong.Node) (names []string) {
	for _, f := range n.Flags {
		names = append(names, f.Name)
	}
	for _, child := range n.Children {
		names = append(names, flagNames(child)...)
	}
	return names
}

// configPath finds --config before the flags are parsed.
func configPath(args []string) string {
	for i, a := range args {
		if v, ok := strings.CutPrefix(a, "--config="); ok {
			return v
		}
		if a == "--config" && i+1 < len(args) {
			return args[i+1]
		}
	}
	return os.Getenv("KANGMA_CONFIG")
}
