package rules

import (
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
)

// celEnv is the CEL environment of the language: it, person, now and the functions, without macros. It only parses and
// type-checks; nothing in it can run.
var celEnv = sync.OnceValues(func() (*cel.Env, error) { return newCELEnv() })

func newCELEnv(more ...cel.EnvOption) (*cel.Env, error) {
	opts := []cel.EnvOption{
		cel.ClearMacros(),
		cel.CustomTypeProvider(provider{types.NewEmptyRegistry()}),
		cel.Variable("it", itemType),
		cel.Variable("person", personType),
		cel.Variable("now", types.TimestampType),
		cel.ParserExpressionSizeLimit(4096),
		cel.ParserRecursionLimit(64),
	}
	for _, f := range functions {
		opts = append(opts, f.option())
	}
	return cel.NewEnv(append(opts, more...)...)
}
