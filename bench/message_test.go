package main

import "testing"

// BenchmarkMessage is one 5 kB message after another to a sink of this very
// process. With -cpu 1 it is the work of both ends and nothing else; with more,
// what the Go scheduler makes of it counts, too (docs/decisions/0009-figures.md).
func BenchmarkMessage(b *testing.B) {
	for _, who := range contenders() {
		for _, extension := range extensions() {
			b.Run(who.name()+"/"+extension, func(b *testing.B) {
				s, err := startSink(extension == "CHUNKING")
				if err != nil {
					b.Fatal(err)
				}
				defer s.close()
				session, err := who.open(b.Context(), s.address(), false)
				if err != nil {
					b.Fatal(err)
				}
				m := (&course{}).mails(1, 1)[0]
				b.ReportAllocs()
				for b.Loop() {
					if err := session.send(b.Context(), m); err != nil {
						b.Fatal(err)
					}
					if arrived, err := s.take(); err != nil || len(arrived) != 1 {
						b.Fatalf("%d messages arrived, %v", len(arrived), err)
					}
				}
				if err := session.close(); err != nil {
					b.Fatal(err)
				}
			})
		}
	}
}
