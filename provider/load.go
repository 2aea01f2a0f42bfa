package provider

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"sync"
)

// providersJSONL has one provider per line, in the order of the index.
//
//go:embed providers.jsonl
var providersJSONL []byte

// entry is the part of a provider that lookups need. It is separate from the document, so that a
// lookup, successful or not, decodes nothing: most programs look up one provider, or a host of no
// provider.
type entry struct {
	id string
	// names are all names that users type for it, as written.
	names []string
	// domains and hosts are lower-case A-labels; some contain one "{…}".
	domains, hosts []string
}

// documents has a function per entry of the index that returns the provider's facts, decoded at the
// first call.
var documents = sync.OnceValue(func() []func() *Provider { return split(providersJSONL) })

func split(lines []byte) []func() *Provider {
	each := make([]func() *Provider, 0, len(index))
	for line := range bytes.Lines(lines) {
		each = append(each, sync.OnceValue(func() *Provider { return decode(line) }))
	}
	return each
}

// decode decodes one document. The generator created and checked it, and a test compares it with
// providers.yaml, so an error is a bug in the build.
func decode(document []byte) *Provider {
	p := new(Provider)
	if err := json.Unmarshal(document, p); err != nil {
		panic(fmt.Sprintf("provider: embedded providers.jsonl: %.40s: %v", document, err))
	}
	return p
}

// at returns a copy of the provider at an index.
func at(i int, ok bool) (Provider, bool) {
	if !ok {
		return Provider{}, false
	}
	return documents()[i]().clone(), true
}

// named is a name as written, with its provider's place in the index.
type named struct {
	written  string
	provider int
}

// names maps every normalised name to its provider. It is built by the first lookup by name.
var names = sync.OnceValue(allNames)

func allNames() map[string]named {
	all := make(map[string]named, 8*len(index)) // about
	for i, e := range index {
		for _, name := range e.names {
			// The first provider with a name keeps it; a test checks that no two have the same.
			key := normalise(name)
			if _, taken := all[key]; !taken {
				all[key] = named{name, i}
			}
		}
	}
	return all
}
