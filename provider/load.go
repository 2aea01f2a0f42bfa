package provider

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"sync"
)

// providersJSONL has one provider to a line, in the order of the index.
//
//go:embed providers.jsonl
var providersJSONL []byte

// entry is one provider as it is looked up. Entries and documents are apart so
// that finding a provider, and finding that there is none, decodes nothing:
// most programs ask for one provider of all, or for a host that is nobody's.
type entry struct {
	id string
	// names are all that users type for it, as they are written.
	names []string
	// domains and hosts are in lower-case A-labels; some have one "{…}".
	domains, hosts []string
}

// documents has a function for each entry of the index that gives what is
// known about the provider, decoded when it is first called.
var documents = sync.OnceValue(func() []func() *Provider { return split(providersJSONL) })

func split(lines []byte) []func() *Provider {
	each := make([]func() *Provider, 0, len(index))
	for line := range bytes.Lines(lines) {
		each = append(each, sync.OnceValue(func() *Provider { return decode(line) }))
	}
	return each
}

// decode reads one document. The generator made and checked it, and a test
// holds it to providers.yaml, so a fault in it is a fault in the build.
func decode(document []byte) *Provider {
	p := new(Provider)
	if err := json.Unmarshal(document, p); err != nil {
		panic(fmt.Sprintf("provider: embedded providers.jsonl: %.40s: %v", document, err))
	}
	return p
}

// at is a copy of the provider at a place in the index.
func at(i int, ok bool) (Provider, bool) {
	if !ok {
		return Provider{}, false
	}
	return documents()[i]().clone(), true
}

// named is a name as it is written, with its provider's place in the index.
type named struct {
	written  string
	provider int
}

// names has every name under its normalised form. Only who asks by name pays
// for it.
var names = sync.OnceValue(allNames)

func allNames() map[string]named {
	all := make(map[string]named, 8*len(index)) // about
	for i, e := range index {
		for _, name := range e.names {
			// The first provider that claims a name keeps it; a test shows
			// that no two do.
			key := normalise(name)
			if _, taken := all[key]; !taken {
				all[key] = named{name, i}
			}
		}
	}
	return all
}
