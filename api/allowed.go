package api

import (
	"maps"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"
)

// schemasKey is where an operation's metadata have the schemas that its own refers to.
const schemasKey = "schemas"

// newHumaErrorAt is newHumaError where the operation is known: a name that is not known there is answered with those that are.
func newHumaErrorAt(ctx huma.Context, status int, msg string, errs ...error) huma.StatusError {
	se := newHumaError(status, msg, errs...)
	p, ok := se.(*Problem)
	if !ok || ctx == nil || ctx.Operation() == nil {
		return se
	}
	for i := range p.Errors {
		if f := &p.Errors[i]; f.Message == validation.MsgUnexpectedProperty {
			if names := allowedAt(ctx.Operation(), f.Location); len(names) > 0 {
				f.Code, f.Message, f.allowed = "unexpected_property", "unknown name; allowed here are", strings.Join(names, ", ")
			}
		}
	}
	return p
}

// allowedAt lists the names of the object in which a place of the body lies, such as body.policy.colour or body.items[3].x.
func allowedAt(op *huma.Operation, location string) []string {
	schemas, _ := op.Metadata[schemasKey].(huma.Registry)
	if schemas == nil || op.RequestBody == nil {
		return nil
	}
	media := op.RequestBody.Content["application/json"]
	path := strings.Split(strings.ReplaceAll(location, "[", ".["), ".")
	if media == nil || len(path) < 2 || path[0] != "body" {
		return nil
	}
	at := media.Schema
	for _, name := range path[1 : len(path)-1] {
		if at = meant(schemas, at); at == nil {
			return nil
		}
		if strings.HasPrefix(name, "[") {
			at = at.Items
		} else {
			at = at.Properties[name]
		}
	}
	if at = meant(schemas, at); at == nil {
		return nil
	}
	names := slices.Sorted(maps.Keys(at.Properties))
	return slices.DeleteFunc(names, func(n string) bool { return n == "$schema" })
}

// meant follows a reference.
func meant(schemas huma.Registry, s *huma.Schema) *huma.Schema {
	if s != nil && s.Ref != "" {
		return schemas.SchemaFromRef(s.Ref)
	}
	return s
}
