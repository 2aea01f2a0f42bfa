package provider

import (
	"bytes"
	"slices"
	"testing"
)

// The index and the documents name the same providers in the same order, and
// each finds nothing that the other does not have.
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
			t.Errorf("a rule for %q, who is nobody", r.Provider)
		}
	}
}

// No document is read before somebody asks for it: not even one that would
// fail.
func TestDocumentsAreDecodedWhenAsked(t *testing.T) {
	t.Parallel()
	first, _, _ := bytes.Cut(providersJSONL, []byte("\n"))
	docs := split(slices.Concat(first, []byte("\nno JSON\n")))
	if len(docs) != 2 || docs[0]().ID != index[0].id {
		t.Fatalf("%d documents, or another first", len(docs))
	}
	defer func() {
		if recover() == nil {
			t.Error("the second line passes as a document")
		}
	}()
	docs[1]()
}

// The benchmarks are of a process that asks once, as `yan send` does.

func BenchmarkUnknownHost(b *testing.B) {
	for b.Loop() {
		if p, ok := ByHost("127.0.0.1"); ok {
			b.Fatal(p.ID)
		}
	}
}

// BenchmarkFirstDocument is one provider found by host or domain.
func BenchmarkFirstDocument(b *testing.B) {
	for b.Loop() {
		split(providersJSONL)[0]()
	}
}

// BenchmarkNames is what the first name costs beyond that.
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
