package main

import "testing"

// BenchmarkMessage sends 5 kB messages to a sink in the same process. With -cpu
// 1 it measures the work of both ends only; with more, the effects of the Go
// scheduler count too (docs/decisions/0009-figures.md).
func BenchmarkMessage(b *testing.B) {
	for _, name := range []string{ours, gomailName, netsmtp, gosmtpName} {
		for _, extension := range []string{pipelining, chunking} {
			b.Run(name+"/"+extension, func(b *testing.B) {
				s, _ := testSink(b, extension == chunking)
				who, err := contenderNamed(name, nil)
				if err != nil {
					b.Fatal(err)
				}
				c, err := who.open(destination{Address: s.addresses()[inClear], Security: inClear, Connections: 1})
				if err != nil {
					b.Fatal(err)
				}
				if err := c.connect(b.Context()); err != nil {
					b.Fatal(err)
				}
				o := order{First: 1, Min: b.N, Max: b.N, Recipients: 1, Text: fiveKilobytes()}
				b.ReportAllocs()
				b.ResetTimer()
				_, err = c.run(b.Context(), &messageSource{order: o})
				b.StopTimer()
				if err != nil {
					b.Fatal(err)
				}
				if err := c.disconnect(); err != nil {
					b.Fatal(err)
				}
				if a := s.take(); a.Failure != "" || a.Count != b.N {
					b.Fatalf("%d messages arrived, %s", a.Count, a.Failure)
				}
			})
		}
	}
}
