package provider

import (
	"encoding/json"
	"testing"
)

// BenchmarkLoad is what the first use of the package costs: at most 2 ms.
func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		load()
	}
}

// BenchmarkParseAlone is the share of encoding/json in it.
func BenchmarkParseAlone(b *testing.B) {
	for b.Loop() {
		var doc Document
		if err := json.Unmarshal(providersJSON, &doc); err != nil {
			b.Fatal(err)
		}
	}
}
