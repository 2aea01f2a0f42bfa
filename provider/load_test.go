package provider

import (
	"bytes"
	"slices"
	"testing"
)

// The index and the documents have the same providers in the same order, with the same keys.
func TestIndexMatchesDocuments(t *testing.T) {
	t.Parallel()
	docs := documents()
	if len(index) == 0 || len(docs) != len(index) {
		t.Fatalf("%d entries, %d documents", len(index), len(docs))
	}
	for i, e := range index {
		p := docs[i]()
		if p.ID != e.id {
			t.Errorf("entry %d is %s, its document is %s", i, e.id, p.ID)
		}
		if want := slices.Concat([]string{p.ID}, p.Aliases, []string{p.Names.EN, p.Names.ZH}); !slices.Equal(e.names, want) {
			t.Errorf("%s: names %q, want %q", e.id, e.names, want)
		}
		if !slices.Equal(e.domains, p.Domains) {
			t.Errorf("%s: domains %q, want %q", e.id, e.domains, p.Domains)
		}
	}
	for _, r := range mxRules {
		if !slices.ContainsFunc(index, func(e entry) bool { return e.id == r.Provider }) {
			t.Errorf("a rule for %q, which is not a provider", r.Provider)
		}
	}
}

// A document is decoded when it is first used: an invalid one does no harm before.
func TestDocumentsAreDecodedWhenAsked(t *testing.T) {
	t.Parallel()
	first, _, _ := bytes.Cut(providersJSONL, []byte("\n"))
	docs := split(slices.Concat(first, []byte("\nno JSON\n")))
	if len(docs) != 2 || docs[0]().ID != index[0].id {
		t.Fatalf("%d documents, or another first", len(docs))
	}
	defer func() {
		if recover() == nil {
			t.Error("an invalid document was decoded without an error")
		}
	}()
	docs[1]()
}

// The benchmarks are of a process that looks up once, as `yan send` does.

func BenchmarkUnknownHost(b *testing.B) {
	for b.Loop() {
		if p, ok := ByHost("127.0.0.1"); ok {
			b.Fatal(p.ID)
		}
	}
}

// BenchmarkFirstDocument measures finding one provider by host or domain.
func BenchmarkFirstDocument(b *testing.B) {
	for b.Loop() {
		split(providersJSONL)[0]()
	}
}

// BenchmarkNames measures the additional cost of the first lookup by name.
func BenchmarkNames(b *testing.B) {
	for b.Loop() {
		allNames()
	}
}

func BenchmarkEveryDocument(b *testing.B) {
	for b.Loop() {
		for _, document := range split(providersJSONL) {
			document()
		}
	}
}
