package rules

import (
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
)

// celEnv is the CEL environment of the language: it, person, now and the functions, without macros. It only parses and
// type-checks; nothing in it can run.
var celEnv = sync.OnceValues(func() (*cel.Env, error) {
	return newCELEnv(func(*function) []cel.OverloadOpt { return nil })
})

// newCELEnv makes the environment; bind may give functions an implementation, which only the test against cel-go's own
// interpreter does.
func newCELEnv(bind func(*function) []cel.OverloadOpt) (*cel.Env, error) {
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
		opts = append(opts, f.option(bind(f)...))
	}
	return cel.NewEnv(opts...)
}
