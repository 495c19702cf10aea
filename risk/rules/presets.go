package rules

import (
	"embed"
	"io/fs"
	"path"
	"strings"
	"sync"

	"github.com/kangma/kangma"
)

//go:embed presets
var presetFiles embed.FS

// builtinName is the one file of presets/ that is not a rule set.
const builtinName = "overrides.yaml"

// loaded compiles each preset once.
var loaded = sync.OnceValue(func() map[string]func() (*Set, error) {
	out := map[string]func() (*Set, error){}
	names, _ := fs.Glob(presetFiles, "presets/*.yaml") // the pattern is well formed
	for _, name := range names {
		id := strings.TrimSuffix(path.Base(name), ".yaml")
		if path.Base(name) == builtinName || strings.HasSuffix(id, ".cases") {
			continue
		}
		out[id] = sync.OnceValues(func() (*Set, error) {
			file, err := presetFiles.ReadFile(name)
			if err != nil {
				return nil, err
			}
			return Load(path.Base(name), file)
		})
	}
	return out
})

// Presets lists the ids of the rule sets that come with the program, sorted.
func Presets() []string {
	var ids []string
	entries, _ := presetFiles.ReadDir("presets") // sorted by name
	for _, e := range entries {
		id := strings.TrimSuffix(e.Name(), ".yaml")
		if _, ok := loaded()[id]; ok {
			ids = append(ids, id)
		}
	}
	return ids
}

// Preset gives a rule set that comes with the program; kangma.NotFound where there is none of this id.
func Preset(id string) (*Set, error) {
	f, ok := loaded()[id]
	if !ok {
		return nil, kangma.E(kangma.NotFound, "preset", "there is no rule set of this id; Presets lists them")
	}
	return f()
}

// PresetFile gives the rule file of a preset as it is, to start a rule set of one's own from.
func PresetFile(id string) ([]byte, error) {
	if _, ok := loaded()[id]; !ok {
		return nil, kangma.E(kangma.NotFound, "preset", "there is no rule set of this id; Presets lists them")
	}
	return presetFiles.ReadFile("presets/" + id + ".yaml")
}
