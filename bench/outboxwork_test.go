package main

import (
	"testing"
)

// BenchmarkThrough measures the row "through", with Postfix's sink, in this
// process: go test -run '^$' -bench Through -benchtime 30000x -cpuprofile
// cpu.prof
func BenchmarkThrough(b *testing.B) {
	found, err := findTools(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	if found[postfixServer].Path == "" {
		b.Skip(found[postfixServer].Missing)
	}
	sink, err := startPostfixSink(b.Context(), found[postfixServer])
	if err != nil {
		b.Fatal(err)
	}
	defer sink.close()
	b.ResetTimer()
	a, err := sendThrough(b.Context(), outboxOrder{Where: b.TempDir() + "/outbox.db", Callers: 32, Messages: b.N, Octets: 5000,
		Server: sink.address(inClear), Connections: 4})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(a.Messages)/a.Seconds, "messages/s")
}
